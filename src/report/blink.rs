//! Cut-outs as animations: a GIF for the mail, an APNG for the page.
//!
//! All frames share one stretch, so that only what moves or changes blinks. The first picture is
//! the first frame with a detection: a mail program that does not move pictures shows the object.
//! From there the frames follow in order of time; the last of the night is shown longer.

use std::borrow::Cow;

use crate::pipeline::artifact::cutouts::{Cutouts, FrameCutout, View};

use super::ReportError;
use super::canvas::{Canvas, Palette, Sequence};
use super::picture::{apng, zoom};
use super::stretch::Stretch;

/// Largest GIF: thirty of them are a mail [bytes].
const GIF_BYTES_MAX: usize = 150_000;
/// Ways to draw a GIF, the best first; the first one that is small enough is taken, else the last.
const GIF_SIZES: [GifSize; 5] = [
    GifSize { zoom_max: 3, greys: 64, frames_max: 12 },
    GifSize { zoom_max: 3, greys: 32, frames_max: 10 },
    GifSize { zoom_max: 2, greys: 64, frames_max: 10 },
    GifSize { zoom_max: 2, greys: 32, frames_max: 8 },
    GifSize { zoom_max: 1, greys: 16, frames_max: 6 },
];
/// The last frame of the night is shown so many times as long as the others.
const PAUSE: u64 = 2;
/// Shortest and longest time of a picture [ms].
const DELAY_MIN_MS: u64 = 20;
const DELAY_MAX_MS: u64 = 30_000;

/// How large a GIF may become.
struct GifSize {
    zoom_max: usize,
    greys: u8,
    frames_max: usize,
}

/// Makes the animation for the mail: at most 150 kB, if need be of fewer frames and greys.
///
/// Errors: `NoStamps` when no frame has a pixel in this view (too few frames for a static sky).
pub fn blink_gif(cutouts: &Cutouts, view: View, blink_ms: u64) -> Result<Vec<u8>, ReportError> {
    let mut bytes = Vec::new();
    for size in &GIF_SIZES {
        bytes = gif(cutouts, view, blink_ms, size)?;
        if bytes.len() <= GIF_BYTES_MAX {
            break;
        }
    }
    Ok(bytes)
}

/// Makes the animation for the page: all frames, all greys.
///
/// Errors: as [`blink_gif`].
pub fn blink_apng(cutouts: &Cutouts, view: View, blink_ms: u64) -> Result<Vec<u8>, ReportError> {
    let stretch = Stretch::of(cutouts, view).ok_or(ReportError::NoStamps)?;
    let sequence = Sequence { cutouts, view, stretch, zoom: zoom(cutouts.side_px) };
    let frames = in_turn(&sequence, usize::MAX);
    let last = last_of_night(&frames);
    let drawn: Vec<(Canvas, u64)> = frames
        .iter()
        .enumerate()
        .map(|(turn, frame)| {
            let mut canvas = Canvas::new(sequence.side(), sequence.side(), Palette::FINE);
            canvas.draw_frame(&sequence, *frame, (0, 0));
            (canvas, delay_ms(blink_ms, turn == last))
        })
        .collect();
    apng(&drawn, Palette::FINE)
}

fn gif(
    cutouts: &Cutouts,
    view: View,
    blink_ms: u64,
    size: &GifSize,
) -> Result<Vec<u8>, ReportError> {
    let stretch = Stretch::of(cutouts, view).ok_or(ReportError::NoStamps)?;
    let zoom = zoom(cutouts.side_px).min(size.zoom_max);
    let sequence = Sequence { cutouts, view, stretch, zoom };
    let palette = Palette { greys: size.greys };
    let refuse = |source| ReportError::Gif { source };
    let side = u16::try_from(sequence.side()).map_err(|_| ReportError::NoStamps)?;
    let mut bytes = Vec::new();
    let mut encoder =
        gif::Encoder::new(&mut bytes, side, side, &palette.colours()).map_err(refuse)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(refuse)?;
    let frames = in_turn(&sequence, size.frames_max);
    let last = last_of_night(&frames);
    for (turn, frame) in frames.iter().enumerate() {
        let mut canvas = Canvas::new(sequence.side(), sequence.side(), palette);
        canvas.draw_frame(&sequence, *frame, (0, 0));
        let delay_cs = delay_ms(blink_ms, turn == last) / 10;
        let frame = gif::Frame {
            width: side,
            height: side,
            delay: u16::try_from(delay_cs).unwrap_or(u16::MAX),
            buffer: Cow::Owned(canvas.pixels),
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).map_err(refuse)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// Time of a picture [ms].
fn delay_ms(blink_ms: u64, is_last: bool) -> u64 {
    let usual = blink_ms.clamp(DELAY_MIN_MS, DELAY_MAX_MS);
    if is_last { usual.saturating_mul(PAUSE).min(2 * DELAY_MAX_MS) } else { usual }
}

/// At most `limit` frames with their numbers, evenly spread, the first detection first.
fn in_turn<'a>(sequence: &Sequence<'a>, limit: usize) -> Vec<(usize, &'a FrameCutout)> {
    let all = sequence.frames();
    let n = all.len();
    let mut frames: Vec<(usize, &FrameCutout)> = match limit {
        0 | 1 => all.into_iter().take(limit).collect(),
        _ if n <= limit => all,
        _ => (0..limit).map(|i| all[i * (n - 1) / (limit - 1)]).collect(),
    };
    if let Some(first) = frames.iter().position(|(_, frame)| frame.detected_deg.is_some()) {
        frames.rotate_left(first);
    }
    frames
}

/// Which turn shows the last frame of the night.
fn last_of_night(frames: &[(usize, &FrameCutout)]) -> usize {
    let turns = frames.iter().enumerate();
    turns.max_by_key(|(_, (number, _))| *number).map_or(0, |(turn, _)| turn)
}

#[cfg(test)]
pub(in crate::report) mod tests;

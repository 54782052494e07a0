//! Animations, decoded again.

use super::*;
use crate::pipeline::artifact::cutouts::{Centring, StaticSky};
use crate::science::image::Image;

const SKY: View = View::new(Centring::OnSky, StaticSky::Kept);
const OBJECT: View = View::new(Centring::OnObject, StaticSky::Kept);

/// Cut-outs of a star of noise-free light that moves by 2 px east to west; the first frame and
/// each third after it do not detect it.
pub(in crate::report) fn cutouts(n_frames: usize, side_px: usize) -> Cutouts {
    let half = side_px / 2;
    let scale_arcsec = 1.0;
    let stamp = |x: usize, number: usize| {
        let mut image = Image::filled(side_px, side_px, 0.0_f32);
        // Something like noise, the same in each run.
        for (i, value) in image.pixels_mut().iter_mut().enumerate() {
            *value = (((i + 7919 * number) * 2_654_435_761) >> 7 & 31) as f32;
        }
        image.row_mut(half)[x.min(side_px - 1)] = 1000.0;
        image
    };
    let frames = (0..n_frames).map(|number| {
        let moved = 2 * number % half;
        let place = (10.0 - moved as f64 * scale_arcsec / 3600.0, 0.0);
        FrameCutout {
            frame: format!("{number}.fits"),
            mid_mjd_utc: 61_100.9 + number as f64 / 144.0,
            predicted_deg: place,
            detected_deg: (number % 3 != 0).then_some(place),
            on_object: stamp(half, number),
            on_object_subtracted: None,
            on_sky: stamp(half + moved, number),
            on_sky_subtracted: None,
        }
    });
    Cutouts {
        candidate_id: "ABCDEFG".to_owned(),
        side_px,
        scale_arcsec,
        sky_centre_deg: (10.0, 0.0),
        frames: frames.collect(),
        neighbours: Vec::new(),
    }
}

/// Width, height and colour numbers of a PNG's first picture.
pub(in crate::report) fn decoded_png(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut data = vec![0; reader.output_buffer_size().expect("small")];
    let info = reader.next_frame(&mut data).expect("a picture");
    data.truncate(info.buffer_size());
    (info.width as usize, info.height as usize, data)
}

/// Side, time [0.01 s] and colour numbers of each picture of a GIF.
fn decoded(bytes: &[u8]) -> Vec<(u16, u16, Vec<u8>)> {
    let mut decoder = gif::DecodeOptions::new().read_info(bytes).expect("a GIF");
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().expect("a frame") {
        frames.push((frame.width, frame.delay, frame.buffer.to_vec()));
    }
    frames
}

#[test]
fn the_first_picture_shows_a_detection_and_the_last_of_the_night_stays() {
    let cutouts = cutouts(5, 41);
    let bytes = blink_gif(&cutouts, OBJECT, 250).expect("drawn");
    let frames = decoded(&bytes);
    // Frames 0 and 3 are without a detection: the order is 1 2 3 4 0, and 4 ends the night.
    let palette = Palette { greys: GIF_SIZES[0].greys };
    let is_missed: Vec<bool> =
        frames.iter().map(|(_, _, pixels)| pixels.contains(&palette.missed())).collect();
    assert_eq!(is_missed, [false, false, true, false, true]);
    let times: Vec<u16> = frames.iter().map(|(_, time, _)| *time).collect();
    assert_eq!(times, [25, 25, 25, 50, 25]);
    assert!(frames.iter().all(|(side, ..)| *side == 3 * 41));
    assert!(frames[0].2.contains(&palette.mark()) && frames[0].2.contains(&palette.ink()));
    assert_eq!(bytes, blink_gif(&cutouts, OBJECT, 250).expect("drawn"), "same bytes");
}

#[test]
fn north_is_up_and_the_object_is_left_free() {
    let mut cutouts = cutouts(2, 41);
    // A second star in the lower right corner: south-west.
    cutouts.frames[1].on_object.row_mut(0)[40] = 1000.0;
    let frames = decoded(&blink_gif(&cutouts, OBJECT, 400).expect("drawn"));
    let at = |x: usize, y: usize| frames[0].2[y * 123 + x];
    let palette = Palette { greys: GIF_SIZES[0].greys };
    assert_eq!(at(122, 122), palette.greys - 1);
    assert_eq!(at(61, 61), palette.greys - 1, "the object shows through the ticks' middle");
    assert_eq!(at(61 + 20, 61), palette.mark());
}

#[test]
fn a_gif_fits_into_a_mail_and_an_apng_has_all_frames() {
    let cutouts = cutouts(60, 63);
    for view in [SKY, OBJECT] {
        let bytes = blink_gif(&cutouts, view, 400).expect("drawn");
        assert!(bytes.len() <= GIF_BYTES_MAX, "{} bytes", bytes.len());
        assert!(decoded(&bytes).len() >= 6);
    }
    let apng = blink_apng(&cutouts, SKY, 400).expect("drawn");
    let reader = png::Decoder::new(std::io::Cursor::new(&apng)).read_info().expect("a PNG");
    let animation = reader.info().animation_control.expect("an animation");
    assert_eq!((animation.num_frames, animation.num_plays), (60, 0));
    let (width, _, pixels) = decoded_png(&apng);
    assert_eq!(width, 3 * 63);
    assert!(pixels.contains(&Palette::FINE.mark()), "the first picture is a detection");
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let mut blank = cutouts(2, 21);
    for frame in &mut blank.frames {
        frame.on_sky = Image::filled(21, 21, f32::NAN);
        frame.mid_mjd_utc = f64::NAN;
        frame.predicted_deg = (f64::NAN, 1e300);
        frame.detected_deg = None;
    }
    assert!(matches!(blink_gif(&blank, SKY, 400), Err(ReportError::NoStamps)));
    // The other view has pixels; time and place do not matter to them.
    assert!(blink_gif(&blank, OBJECT, 0).is_ok());
    assert!(blink_apng(&blank, OBJECT, u64::MAX).is_ok());
    let view = View::new(Centring::OnObject, StaticSky::Subtracted);
    assert!(matches!(blink_apng(&blank, view, 400), Err(ReportError::NoStamps)));
}

//! The pixels of a candidate's cut-outs for the player, which stretches them by itself.
//!
//! `stamps.json` tells what there is and where things are on the stamps, `stamps.bin` holds the
//! pixels: 16-bit numbers, low byte first, view after view, frame after frame, row after row from
//! the bottom. 0 is "no pixel"; n is `low + (n - 1) * step`.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use super::error::Refusal;
use super::form::Fields;
use super::page::Page;
use super::pictures::{answer, version};
use super::session::Visitor;
use crate::ops::cutouts;
use crate::pipeline::artifact::cutouts::{Centring, Cutouts, FrameCutout, View};
use crate::report::stretch::{Stretch, StretchLimits};
use crate::report::words::{clock, printable};

/// Largest code of a pixel.
const CODE_MAX: f64 = 65_535.0;
/// Pixels this much brighter than the stretch's white are cut: only their being white shows.
const WHITES_MAX: f64 = 500.0;
/// Most neighbours that are told.
const NEIGHBOURS_MAX: usize = 40;

#[derive(Serialize)]
struct Description {
    side_px: usize,
    scale_arcsec: f64,
    best: &'static str,
    views: Vec<ViewCode>,
    frames: Vec<FrameMarks>,
}

/// How a view's pixels are coded and stretched.
#[derive(Serialize)]
struct ViewCode {
    name: &'static str,
    centring: &'static str,
    low: f64,
    step: f64,
    black: f64,
    soft: f64,
    white: f64,
}

/// What is where on a frame's stamps [px, from the left and the bottom].
#[derive(Serialize)]
struct FrameMarks {
    frame: String,
    clock: String,
    is_detected: bool,
    object: Marks,
    sky: Marks,
}

#[derive(Serialize)]
struct Marks {
    predicted: (f64, f64),
    detected: Option<(f64, f64)>,
    /// Places and magnitudes.
    neighbours: Vec<(f64, f64, f64)>,
}

/// Rounded to a hundredth of a pixel: less to send.
fn rounded((x, y): (f64, f64)) -> (f64, f64) {
    let round = |value: f64| (value * 100.0).round() / 100.0;
    (round(x), round(y))
}

fn marks(cutouts: &Cutouts, frame: &FrameCutout, centring: Centring) -> Marks {
    let centre = cutouts.centre_deg(frame, centring);
    let side = cutouts.side_px as f64;
    let place = |deg| rounded(cutouts.place_px(centre, deg));
    let is_near = |v: f64| (-2.0..side + 2.0).contains(&v);
    let neighbours = cutouts
        .neighbours
        .iter()
        .map(|star| (place((star.ra_deg, star.dec_deg)), star.g_mag))
        .filter(|((x, y), _)| is_near(*x) && is_near(*y))
        .map(|((x, y), mag)| (x, y, mag))
        .take(NEIGHBOURS_MAX)
        .collect();
    let detected = frame.detected_deg.map(place);
    Marks { predicted: place(frame.predicted_deg), detected, neighbours }
}

/// The views that there are, with the coding of their pixels.
fn views(cutouts: &Cutouts) -> Vec<(View, StretchLimits, ViewCode)> {
    let of = |view: View| {
        // The static sky is known for all frames or for none.
        if cutouts.frames.iter().any(|frame| frame.stamp(view).is_none()) {
            return None;
        }
        let limits = Stretch::of(cutouts, view)?.limits();
        let stamps = cutouts.frames.iter().filter_map(|frame| frame.stamp(view));
        let finite = stamps.flat_map(|stamp| stamp.pixels()).filter(|value| value.is_finite());
        let range = finite.fold(None, |range: Option<(f64, f64)>, value| {
            let value = f64::from(*value);
            Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let (low, high) = range?;
        let high = high.min(limits.black_e + WHITES_MAX * (limits.white_e - limits.black_e));
        let step = ((high - low) / (CODE_MAX - 1.0)).max(f64::MIN_POSITIVE);
        let centring = match view.centring {
            Centring::OnObject => "object",
            Centring::OnSky => "sky",
        };
        let StretchLimits { black_e: black, soft_e: soft, white_e: white } = limits;
        let name = view.name();
        Some((view, limits, ViewCode { name, centring, low, step, black, soft, white }))
    };
    View::ALL.into_iter().filter_map(of).collect()
}

fn describe(cutouts: &Cutouts) -> Option<Vec<u8>> {
    let frames = cutouts.frames.iter().map(|frame| FrameMarks {
        frame: printable(&frame.frame),
        clock: clock(Some(frame.mid_mjd_utc)),
        is_detected: frame.detected_deg.is_some(),
        object: marks(cutouts, frame, Centring::OnObject),
        sky: marks(cutouts, frame, Centring::OnSky),
    });
    let description = Description {
        side_px: cutouts.side_px,
        scale_arcsec: cutouts.scale_arcsec,
        best: cutouts.best_view().name(),
        views: views(cutouts).into_iter().map(|(_, _, code)| code).collect(),
        frames: frames.collect(),
    };
    serde_json::to_vec(&description).ok()
}

fn coded(cutouts: &Cutouts) -> Option<Vec<u8>> {
    let n_pixels = cutouts.side_px * cutouts.side_px;
    let mut bytes = Vec::with_capacity(8 * cutouts.frames.len() * n_pixels);
    for (view, _, code) in views(cutouts) {
        for stamp in cutouts.frames.iter().filter_map(|frame| frame.stamp(view)) {
            if stamp.pixels().len() != n_pixels {
                return None;
            }
            for value in stamp.pixels() {
                bytes.extend_from_slice(&code_of(*value, &code).to_le_bytes());
            }
        }
    }
    Some(bytes)
}

fn code_of(value: f32, code: &ViewCode) -> u16 {
    if !value.is_finite() {
        return 0;
    }
    let steps = (f64::from(value) - code.low) / code.step;
    // Clamped to the range of the codes just before.
    (steps.round().clamp(0.0, CODE_MAX - 1.0) + 1.0) as u16
}

/// What there is, as JSON.
pub(super) async fn description(
    state: State<Arc<Page>>,
    visitor: Visitor,
    path: Path<(String, String)>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    send(state, visitor, (path, query), ("json", "application/json", describe)).await
}

/// The pixels.
pub(super) async fn pixels(
    state: State<Arc<Page>>,
    visitor: Visitor,
    path: Path<(String, String)>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    send(state, visitor, (path, query), ("bin", "application/octet-stream", coded)).await
}

type Made = (&'static str, &'static str, fn(&Cutouts) -> Option<Vec<u8>>);

async fn send(
    State(page): State<Arc<Page>>,
    _visitor: Visitor,
    (Path((night, id)), RawQuery(query)): (Path<(String, String)>, RawQuery),
    (name, kind, make): Made,
) -> Result<Response, Refusal> {
    page.work(move |page| {
        let night = page.night(&night)?;
        let version = version(page, &night)?;
        let key = format!("stamps/{night}/{version}/{id}/{name}");
        let bytes = page
            .pictures
            .get(key, || make(&cutouts::load(page.store.products(), &night, &id)?))
            .ok_or_else(|| Refusal::NotFound("there are no cut-outs".to_owned()))?;
        let is_present = Fields::of_query(query.as_deref()).text("v") == version;
        Ok(answer(bytes, kind, is_present))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_the_range_and_what_is_missing() {
        let (low, step) = (-10.0, 0.5);
        let (black, soft, white) = (0.0, 1.0, 2.0);
        let code = ViewCode { name: "sky", centring: "sky", low, step, black, soft, white };
        assert_eq!(code_of(f32::NAN, &code), 0);
        assert_eq!(code_of(-10.0, &code), 1);
        // (0 - -10) / 0.5 + 1
        assert_eq!(code_of(0.0, &code), 21);
        assert_eq!(code_of(1e9, &code), 65_535);
        assert_eq!(code_of(f32::INFINITY, &code), 0);
    }
}

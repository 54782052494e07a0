//! Each step at which an object can be lost is told as that step.

use super::*;
use crate::pipeline::artifact::frame_record::WcsKeyword;
use crate::pipeline::artifact::removed::Removed;
use crate::pipeline::reduce::empty_record;

const STEP_D: f64 = 0.02;
/// An object at 30 arcsec/h to the east, from RA 10, Dec 5 deg.
const RATE_DEG_PER_D: f64 = 0.2;

fn record(k: usize, status: FrameStatus) -> FrameRecord {
    let real = |key: &str, value: f64| (key.to_owned(), WcsKeyword::Real(value));
    let text = |key: &str, value: &str| (key.to_owned(), WcsKeyword::Text(value.to_owned()));
    FrameRecord {
        mid_mjd_utc: Some(61_000.0 + STEP_D * k as f64),
        exposure_s: Some(60.0),
        limiting_mag: Some(20.0),
        fwhm_arcsec: Some(3.0),
        wcs: vec![
            text("CTYPE1", "RA---TAN"),
            text("CTYPE2", "DEC--TAN"),
            real("CRVAL1", 10.0),
            real("CRVAL2", 5.0),
            real("CRPIX1", 500.0),
            real("CRPIX2", 500.0),
            real("CD1_1", -1.0 / 3600.0),
            real("CD1_2", 0.0),
            real("CD2_1", 0.0),
            real("CD2_2", 1.0 / 3600.0),
        ],
        ..empty_record(&format!("f{k}.fits"), "00", status)
    }
}

fn place(k: usize) -> (f64, f64) {
    (10.0 + RATE_DEG_PER_D * STEP_D * k as f64 / 5.0_f64.to_radians().cos(), 5.0)
}

/// Five frames; `made` is what linking saw of the object in each.
fn night(
    made: impl Fn(usize) -> Option<(f64, Role, Option<&'static str>)>,
) -> (NightReport, Linking) {
    let mut linking = Linking::default();
    let source =
        |frame, (ra_deg, dec_deg), (mag, role, candidate): (f64, Role, Option<&str>)| SeenSource {
            frame,
            ra_deg,
            dec_deg,
            sigma_arcsec: 0.2,
            mag,
            snr: 10.0,
            role,
            candidate: candidate.map(str::to_owned),
        };
    for k in 0..5 {
        linking.frames.push(format!("f{k}.fits"));
        for corner in [(9.9, 4.9), (10.1, 5.1)] {
            linking.sources.push(source(k, corner, (15.0, Role::Star, None)));
        }
        linking.sources.extend(made(k).map(|seen| source(k, place(k), seen)));
    }
    let report = NightReport {
        night: "n".to_owned(),
        version: String::new(),
        instrument: String::new(),
        masters: Vec::new(),
        frames: (0..5).map(|k| record(k, FrameStatus::Ok)).collect(),
        candidates: Vec::new(),
        faint: Vec::new(),
        known: Vec::new(),
        removed: Vec::new(),
        joined: Vec::new(),
        not_done: Vec::new(),
    };
    (report, linking)
}

fn traced(report: &NightReport, linking: &Linking) -> Trace {
    let path = |frame: &FrameRecord| {
        let k = ((frame.mid_mjd_utc? - 61_000.0) / STEP_D).round() as usize;
        Some(place(k))
    };
    trace((report, linking), &path, 5.0, &LinkParams::default())
}

#[test]
fn frames_that_cannot_be_used_are_told() {
    let (mut report, linking) = night(|_| Some((18.0, Role::Free, None)));
    for record in &mut report.frames[..3] {
        record.status = FrameStatus::Failed;
    }
    let trace = traced(&report, &linking);
    assert_eq!((trace.lost_at, trace.frames.len(), trace.n_unusable), (Some("frames"), 2, 3));
}

#[test]
fn what_was_not_detected_is_told() {
    let (report, linking) = night(|k| (k < 2).then_some((18.0, Role::Free, None)));
    let trace = traced(&report, &linking);
    assert_eq!(trace.lost_at, Some("detection"));
    assert!(trace.told.starts_with("in 3 of 5 frames"), "{}", trace.told);
}

#[test]
fn what_was_taken_for_a_star_is_told() {
    let role = |k| if k < 2 { Role::Free } else { Role::Static };
    let (report, linking) = night(|k| Some((18.0, role(k), None)));
    let trace = traced(&report, &linking);
    assert_eq!(trace.lost_at, Some("stationary sky"));
    assert!(trace.told.contains("3 seen at the same place"), "{}", trace.told);
}

#[test]
fn a_motion_without_odds_is_told_with_its_numbers() {
    let (report, linking) = night(|k| Some((18.0, Role::Free, None)).filter(|_| k < 3));
    let trace = traced(&report, &linking);
    assert_eq!(trace.lost_at, Some("linking"));
    // 0.2 deg a day are 30 arcsec an hour.
    assert!(trace.told.contains("3 free detections there, 30.0\"/h"), "{}", trace.told);
}

#[test]
fn a_cut_and_a_candidate_are_told() {
    let (mut report, linking) = night(|_| Some((18.0, Role::Free, Some("ABC"))));
    report.removed.push(Removed {
        id: "ABC".to_owned(),
        filter: "pixel".to_owned(),
        why: "stays".to_owned(),
        n_detections: 5,
        ra_deg: 10.0,
        dec_deg: 5.0,
        mid_mjd_utc: 61_000.0,
        rate_arcsec_per_min: 0.5,
        pa_deg: 90.0,
        mag: None,
    });
    let trace = traced(&report, &linking);
    assert_eq!(trace.lost_at, Some("filter"));
    assert_eq!(trace.told, "linked, and removed by filter pixel: stays");
}

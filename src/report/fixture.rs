//! A small night for the tests of the report, with hostile names in it.

use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus, WcsKeyword};
use crate::pipeline::artifact::joined::{Joined, OtherNight};
use crate::pipeline::artifact::report::{NightReport, Note};

/// Start of the night [d, MJD UTC], 21:36.
const START_MJD_UTC: f64 = 61_100.9;
/// Time between frames [d], 8.64 minutes.
const STEP_D: f64 = 0.006;

/// A night of six frames, two of them lost, with a known and an unknown object.
pub(super) fn report() -> NightReport {
    let known = Identity::Known {
        name: "22767 <script>alert(1)</script>".to_owned(),
        separation_arcsec: 0.31,
    };
    NightReport {
        night: "2026-03-01".to_owned(),
        version: "0.1.0".to_owned(),
        instrument: "simulated camera, profile generic".to_owned(),
        masters: vec!["bias: median of 5 frames".to_owned(), "flat V: 6 frames".to_owned()],
        frames: frames(),
        candidates: vec![
            candidate("K1AAAA", known, 17.8),
            candidate("U2BBBB", Identity::Unknown, 19.2),
        ],
        faint: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        removed: Vec::new(),
        not_done: vec![Note {
            subject: "a&b.fits".to_owned(),
            text: "The file ends early: 1,440 of 2,880 bytes. It was left out; copy it again."
                .to_owned(),
        }],
    }
}

/// Frames in order of time, the unreadable one last.
fn frames() -> Vec<FrameRecord> {
    let mut frames: Vec<FrameRecord> = (0..5).map(good_frame).collect();
    frames[2].status = FrameStatus::Rejected;
    frames[2].reason = Some("cloud: 0.9 mag less than the night's best zero point".to_owned());
    frames[2].zero_point_mag = None;
    frames.push(FrameRecord {
        frame: "a&b.fits".to_owned(),
        content_hash: "ff".to_owned(),
        image: None,
        status: FrameStatus::Failed,
        reason: Some("truncated, <1 of 1> image".to_owned()),
        mid_mjd_utc: None,
        mid_err_s: None,
        is_simulated: false,
        exposure_s: None,
        filter: None,
        n_sources: None,
        n_reference: None,
        rms_arcsec: None,
        separation_arcsec: None,
        separation_fence_arcsec: None,
        zero_point_mag: None,
        zero_point_err_mag: None,
        colour_term: None,
        fwhm_arcsec: None,
        limiting_mag: None,
        sky_e: None,
        sky_stats: None,
        photometry: None,
        wcs: Vec::new(),
        ltv_px: None,
        steps: Vec::new(),
        notes: Vec::new(),
    });
    frames
}

/// A frame that was solved.
fn good_frame(number: u32) -> FrameRecord {
    let n = f64::from(number);
    let real = |key: &str, value: f64| (key.to_owned(), WcsKeyword::Real(value));
    let text = |key: &str, value: &str| (key.to_owned(), WcsKeyword::Text(value.to_owned()));
    let mut wcs = vec![
        text("CTYPE1", "RA---TAN-SIP"),
        text("CTYPE2", "DEC--TAN-SIP"),
        real("CRPIX1", 256.5),
        real("CRPIX2", 256.5),
        real("CRVAL1", 123.456_789_012_345 + n),
        real("CRVAL2", -5.25),
        real("CD1_1", -2.777_777_777_8e-4),
        real("CD1_2", 1.234_567_890_123e-8),
        real("CD2_1", 1.234_567_890_123e-8),
        real("CD2_2", 2.777_777_777_8e-4),
    ];
    if number > 0 {
        wcs.push(("A_ORDER".to_owned(), WcsKeyword::Integer(2)));
        wcs.push(real("A_2_0", 3.2e-7));
        wcs.push(("B_ORDER".to_owned(), WcsKeyword::Integer(2)));
        wcs.push(real("B_0_2", -1.1e-7));
    }
    FrameRecord {
        frame: format!("f{number}.fits"),
        content_hash: format!("0{number}"),
        image: None,
        status: FrameStatus::Ok,
        reason: None,
        mid_mjd_utc: Some(START_MJD_UTC + n * STEP_D),
        mid_err_s: None,
        is_simulated: false,
        exposure_s: Some(60.0),
        filter: Some("V".to_owned()),
        n_sources: Some(812),
        n_reference: Some(402),
        separation_arcsec: Some(0.041 + 0.002 * n),
        separation_fence_arcsec: None,
        rms_arcsec: Some(0.0514),
        zero_point_mag: Some(22.51 - 0.01 * n),
        zero_point_err_mag: Some(0.004),
        colour_term: Some(-0.03),
        fwhm_arcsec: Some(2.41 + 0.1 * n),
        limiting_mag: Some(20.13 - 0.02 * n),
        sky_e: Some(310.0),
        sky_stats: None,
        photometry: None,
        wcs,
        ltv_px: Some((-24.0, 0.0)),
        steps: vec!["bias".to_owned(), "flat".to_owned()],
        notes: Vec::new(),
    }
}

/// An object on four frames, one of them without a magnitude.
fn candidate(id: &str, identity: Identity, mag: f64) -> Candidate {
    let detection = |number: u32| {
        let n = f64::from(number);
        CandidateDetection {
            frame: format!("f{number}.fits"),
            mid_mjd_utc: START_MJD_UTC + n * STEP_D,
            ra_deg: 123.4 + 0.001 * n,
            dec_deg: -5.25 - 0.0005 * n,
            x_px: 200.0 + n,
            y_px: 210.0,
            position_err_arcsec: 0.11,
            residual_arcsec: (0.05, -0.04),
            mag: (number != 3).then_some(mag + 0.02 * n),
            mag_err: (number != 3).then_some(0.04),
            snr: 25.0,
            is_recovered: false,
            is_foreseen: false,
        }
    };
    Candidate {
        id: id.to_owned(),
        identity,
        false_alarms: 2e-4,
        rate_arcsec_per_min: 0.4512,
        rate_err_arcsec_per_min: 0.0123,
        pa_deg: 116.56,
        chi2_reduced: 0.94,
        rms_arcsec: 0.083,
        mag: Some(mag + 0.02),
        detections: [0, 1, 3, 4].map(detection).to_vec(),
        n_expected: 5,
        n_covered: 5,
        photometry: Vec::new(),
        rating: None,
    }
}

/// The word of another night on a candidate.
pub(super) fn joined(candidate_id: &str) -> Joined {
    Joined {
        candidate_id: candidate_id.to_owned(),
        key: "N4T2XPA".to_owned(),
        chance: 2e-5,
        chi2_reduced: 1.1,
        others: vec![OtherNight {
            night: "2026-03-02".to_owned(),
            candidate_id: "K7Q2MA".to_owned(),
        }],
    }
}

//! Candidates and cut-outs made up for tests.

use crate::ops::vetting::{Opinion, Vetted};
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::pipeline::artifact::cutouts::{Cutouts, FrameCutout};
use crate::pipeline::artifact::rating::Rating;
use crate::science::image::Image;
use crate::science::time::Epoch;
use crate::store::verdicts::Verdict;

/// Side of the stamps [px].
const SIDE_PX: usize = 31;

/// A candidate of five detections that nobody judged.
pub(super) fn open(id: &str) -> Vetted {
    let detection = |number: u32| CandidateDetection {
        frame: format!("frame-{number}.fits"),
        mid_mjd_utc: 61_100.1 + 0.01 * f64::from(number),
        ra_deg: 123.4,
        dec_deg: -5.6,
        x_px: 10.0,
        y_px: 20.0,
        position_err_arcsec: 0.1,
        residual_arcsec: (0.012, -0.034),
        mag: Some(19.2),
        mag_err: Some(0.08),
        snr: 12.3,
        is_recovered: false,
        is_foreseen: false,
    };
    let rating = Rating {
        chance_probability: 1e-9,
        real_score: 0.93,
        neo_rating: Some(12.0),
        reasons: vec!["looks like the stars of its frames".to_owned(), "no star near".to_owned()],
        ..Rating::default()
    };
    let candidate = Candidate {
        id: id.to_owned(),
        identity: Identity::Unknown,
        false_alarms: 1e-9,
        rate_arcsec_per_min: 0.512,
        rate_err_arcsec_per_min: 0.004,
        pa_deg: 271.3,
        chi2_reduced: 1.1,
        rms_arcsec: 0.09,
        mag: Some(19.2),
        detections: (0..5).map(detection).collect(),
        n_expected: 6,
        n_covered: 6,
        photometry: Vec::new(),
        rating: Some(rating),
    };
    Vetted { candidate, is_faint: false, opinions: Vec::new(), history: Vec::new(), joined: None }
}

/// The same after a verdict.
pub(super) fn judged(mut vetted: Vetted, who: &str, verdict: Verdict, at_min: f64) -> Vetted {
    let at = Epoch::from_mjd_utc(61_101.3).plus_seconds(at_min * 60.0);
    vetted.opinions.insert(0, Opinion { verdict, who: who.to_owned(), at, note: String::new() });
    vetted
}

/// A sequence of a moving point among three stars; seen in all frames but the last.
pub(super) fn cutouts(id: &str, n_frames: usize) -> Cutouts {
    let half = (SIDE_PX - 1) as f64 / 2.0;
    let stars = [(6.0, 24.0, 900.0), (24.0, 8.0, 400.0), (27.0, 27.0, 2500.0)];
    let stamp = |object: (f64, f64), shift: f64, has_stars: f64, seed: usize| {
        let mut image = Image::filled(SIDE_PX, SIDE_PX, 0.0_f32);
        for y in 0..SIDE_PX {
            for x in 0..SIDE_PX {
                let spot = |(sx, sy, peak): (f64, f64, f64)| {
                    let r2 = (x as f64 - sx).powi(2) + (y as f64 - sy).powi(2);
                    peak * (-r2 / (2.0 * 1.4 * 1.4)).exp()
                };
                let noise = ((x * 7919 + y * 104_729 + seed * 1299) % 97) as f64 / 97.0 - 0.5;
                let sky: f64 = stars.iter().map(|&(a, b, p)| spot((a - shift, b, p))).sum();
                let value = sky * has_stars + spot((object.0, object.1, 150.0)) + 25.0 * noise;
                image.row_mut(y)[x] = value as f32;
            }
        }
        image
    };
    let frames = (0..n_frames).map(|i| {
        let moved_px = 2.0 * (i as f64 - (n_frames as f64 - 1.0) / 2.0);
        FrameCutout {
            frame: format!("frame-{i}.fits"),
            mid_mjd_utc: 61_100.1 + 0.01 * i as f64,
            predicted_deg: (123.4 - moved_px / 3600.0, -5.6),
            detected_deg: (i + 1 < n_frames).then_some((123.4 - moved_px / 3600.0, -5.6)),
            on_object: stamp((half, half), moved_px, 1.0, i),
            on_object_subtracted: Some(stamp((half, half), moved_px, 0.0, i)),
            on_sky: stamp((half + moved_px, half), 0.0, 1.0, i),
            on_sky_subtracted: Some(stamp((half + moved_px, half), 0.0, 0.0, i)),
        }
    });
    Cutouts {
        candidate_id: id.to_owned(),
        side_px: SIDE_PX,
        scale_arcsec: 1.0,
        sky_centre_deg: (123.4, -5.6),
        frames: frames.collect(),
        neighbours: Vec::new(),
    }
}

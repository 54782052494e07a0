//! A night to be judged: a closed one with made-up candidates, cut-outs and a frame's picture.

use std::path::Path;

use autossos::formats::fits::{Header, write_image};
use autossos::ops::cutouts;
use autossos::ops::users::Users;
use autossos::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use autossos::pipeline::artifact::cutouts::{Cutouts, FrameCutout, Neighbour};
use autossos::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use autossos::pipeline::artifact::rating::Rating;
use autossos::pipeline::artifact::report::{NightReport, Note};
use autossos::science::image::Image;
use autossos::science::time::Epoch;
use autossos::store::nights::{Closing, ClosingMail, NightSource};
use autossos::store::stages::{NIGHT_SUBJECT, StageOutcome, StageRow};
use autossos::store::{NightId, ProductFile, ProductKind, Store};

/// Name of the night.
pub const NIGHT: &str = "2026-03-01";
/// Frames of the night; each candidate is on all of them but one.
pub const N_FRAMES: usize = 8;
/// Side of the stamps [px].
const SIDE_PX: usize = 63;
/// Scale of the stamps [arcsec/px].
const SCALE_ARCSEC: f64 = 1.0;
/// Passwords of the two people.
pub const ADA: (&str, &str) = ("ada", "correct horse 1");
pub const BOB: (&str, &str) = ("bob", "battery staple 2");

const START_MJD_UTC: f64 = 61_100.9;
const STEP_D: f64 = 0.006;

/// Identifier of the candidate of this number; in the order of the queue.
pub fn id(number: usize) -> String {
    format!("K{number:05}")
}

/// Fills a data folder.
///
/// * `n`: candidates; the first `n_pictures` have cut-outs.
pub fn fill(data: &Path, n: usize, n_pictures: usize) -> Store {
    let store = Store::open(data).expect("opened");
    let night = NightId::new(NIGHT).expect("a name");
    let at = Epoch::from_mjd_utc(61_101.3);
    store.begin_night(&night, &NightSource::only("/nowhere"), at).expect("begun");
    frame_product(&store, &night);
    let stage = stage(NIGHT_SUBJECT, "night", "{}");
    let closing = Closing { report: report(n), stage, listing: None, mail: ClosingMail::None };
    store.close_night(&night, closing, at).expect("closed");
    for number in 0..n_pictures.min(n) {
        cutouts::save(store.products(), &night, &stamps(number)).expect("kept");
    }
    store
}

/// Writes a users' file with both people.
pub fn users(path: &Path) {
    let mut users = Users::load(path).expect("a users' file");
    for (name, password) in [ADA, BOB] {
        users.set(name, password).expect("a user");
    }
    users.save(path).expect("written");
}

fn stage(subject: &str, stage: &str, payload: &str) -> StageRow {
    StageRow {
        subject: subject.to_owned(),
        stage: stage.to_owned(),
        version: 1,
        key: "k".to_owned(),
        outcome: StageOutcome::Done,
        product: None,
        payload: payload.to_owned(),
    }
}

/// Hash of a frame.
pub fn hash(number: usize) -> String {
    format!("{number:08x}abcdef")
}

/// A calibrated product of the first frame: a ramp with a star.
fn frame_product(store: &Store, night: &NightId) {
    let (nx, ny) = (900, 600);
    let value = |i: usize| (i % nx) as f32 * 0.01 + noise(i as u64) as f32;
    let mut image =
        Image::from_pixels(nx, ny, (0..nx * ny).map(value).collect()).expect("all pixels");
    image.row_mut(500)[100..104].fill(900.0);
    let kind = ProductKind::Calibrated;
    let relative = store.products().relative_path(night, kind, "f0.fits").expect("a name");
    let path = store.products().resolve(&relative).expect("inside");
    ProductFile::write(&path, |to| Ok(write_image(to, &image, &Header::default())?))
        .expect("written");
    let payload = serde_json::json!({ "products": { "calibrated": relative } }).to_string();
    store.record_stage(night, stage(&hash(0), "frame", &payload)).expect("kept");
}

fn report(n: usize) -> NightReport {
    NightReport {
        night: NIGHT.to_owned(),
        version: "0.1.0".to_owned(),
        instrument: "simulated camera".to_owned(),
        masters: vec!["bias: median of 5 frames".to_owned()],
        frames: (0..N_FRAMES + 1).map(frame).collect(),
        candidates: (0..n).map(candidate).collect(),
        faint: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        removed: Vec::new(),
        not_done: vec![Note {
            subject: "f8.fits".to_owned(),
            text: "<b>cloud</b> & dew: it was left out".to_owned(),
        }],
    }
}

fn frame(number: usize) -> FrameRecord {
    let is_lost = number == N_FRAMES;
    FrameRecord {
        frame: format!("f{number}.fits"),
        content_hash: hash(number),
        image: None,
        status: if is_lost { FrameStatus::Rejected } else { FrameStatus::Ok },
        reason: is_lost.then(|| "cloud: 1.9 mag less than the best zero point".to_owned()),
        mid_mjd_utc: Some(START_MJD_UTC + number as f64 * STEP_D),
        exposure_s: Some(60.0),
        filter: Some("V".to_owned()),
        n_sources: Some(812),
        n_reference: Some(402),
        separation_arcsec: None,
        separation_fence_arcsec: None,
        rms_arcsec: Some(0.0514),
        zero_point_mag: (!is_lost).then_some(22.51),
        zero_point_err_mag: Some(0.004),
        colour_term: Some(-0.03),
        fwhm_arcsec: Some(2.4),
        limiting_mag: Some(20.1),
        sky_e: Some(310.0),
        sky_stats: None,
        photometry: None,
        wcs: Vec::new(),
        ltv_px: None,
        steps: vec!["bias".to_owned(), "flat".to_owned()],
        notes: Vec::new(),
        mid_err_s: None,
        is_simulated: false,
    }
}

/// Where the object of this number is on a frame [deg]; 5 arcsec east and 2 north per frame.
fn place_deg(number: usize, frame: usize) -> (f64, f64) {
    let f = frame as f64;
    (120.0 + 0.02 * number as f64 + 5.0 * f / 3600.0, 0.5 * f / 3600.0 * 4.0)
}

fn candidate(number: usize) -> Candidate {
    let detection = |frame: usize| {
        let (ra_deg, dec_deg) = place_deg(number, frame);
        CandidateDetection {
            frame: format!("f{frame}.fits"),
            mid_mjd_utc: START_MJD_UTC + frame as f64 * STEP_D,
            ra_deg,
            dec_deg,
            x_px: 100.0 + 20.0 * number as f64 + 5.0 * frame as f64,
            y_px: 210.0,
            position_err_arcsec: 0.2,
            residual_arcsec: (0.1 * (frame as f64 - 3.5), -0.05),
            mag: Some(19.1 + 0.05 * (frame % 3) as f64),
            mag_err: Some(0.07),
            snr: 14.0,
            is_recovered: false,
            is_foreseen: false,
        }
    };
    let is_known = number % 7 == 6;
    Candidate {
        id: id(number),
        // All of one kind, so that the queue keeps the order of the odds.
        identity: Identity::Unknown,
        false_alarms: 1e-9 * (1.0 + number as f64),
        rate_arcsec_per_min: 0.62,
        rate_err_arcsec_per_min: 0.01,
        pa_deg: 68.2,
        chi2_reduced: 0.9,
        rms_arcsec: 0.1,
        mag: Some(19.15),
        detections: (0..N_FRAMES).filter(|frame| *frame != 5).map(detection).collect(),
        n_expected: N_FRAMES as u64,
        n_covered: N_FRAMES as u64,
        photometry: Vec::new(),
        rating: (!is_known).then(|| Rating {
            chance_probability: 1e-9,
            real_score: 0.93,
            neo_rating: Some(12.0),
            reasons: vec!["moves as the main belt does".to_owned()],
            ..Rating::default()
        }),
    }
}

/// The cut-outs of a candidate: five stars and a mover in noise.
fn stamps(number: usize) -> Cutouts {
    let middle = place_deg(number, N_FRAMES / 2);
    let stars: Vec<Neighbour> = (0..5)
        .map(|i| Neighbour {
            ra_deg: middle.0 + (f64::from(i) * 11.0 - 22.0) / 3600.0,
            dec_deg: middle.1 + (f64::from(i * i % 7) * 7.0 - 20.0) / 3600.0,
            g_mag: 14.0 + f64::from(i),
        })
        .collect();
    let mut cutouts = Cutouts {
        candidate_id: id(number),
        side_px: SIDE_PX,
        scale_arcsec: SCALE_ARCSEC,
        sky_centre_deg: middle,
        frames: Vec::new(),
        neighbours: stars,
    };
    for index in 0..N_FRAMES {
        let place = place_deg(number, index);
        let seed = (number * 100 + index) as u64;
        let draw = |centre, with_stars| stamp(&cutouts, centre, (place, with_stars), seed);
        let made = FrameCutout {
            frame: format!("f{index}.fits"),
            mid_mjd_utc: START_MJD_UTC + index as f64 * STEP_D,
            predicted_deg: place,
            detected_deg: (index != 5).then_some(place),
            on_object: draw(place, true),
            on_object_subtracted: Some(draw(place, false)),
            on_sky: draw(middle, true),
            on_sky_subtracted: Some(draw(middle, false)),
        };
        cutouts.frames.push(made);
    }
    cutouts
}

/// A stamp: Gaussian stars, the object and noise.
fn stamp(
    cutouts: &Cutouts,
    centre_deg: (f64, f64),
    (object_deg, with_stars): ((f64, f64), bool),
    seed: u64,
) -> Image<f32> {
    let mut sources = vec![(cutouts.place_px(centre_deg, object_deg), 60.0)];
    if with_stars {
        let star = |s: &Neighbour| {
            let place = cutouts.place_px(centre_deg, (s.ra_deg, s.dec_deg));
            (place, 400.0 * 10_f64.powf(0.4 * (16.0 - s.g_mag)))
        };
        sources.extend(cutouts.neighbours.iter().map(star));
    }
    let value = |i: usize| {
        let (x, y) = ((i % SIDE_PX) as f64, (i / SIDE_PX) as f64);
        let light: f64 = sources
            .iter()
            .map(|((sx, sy), peak)| peak * (-((x - sx).powi(2) + (y - sy).powi(2)) / 3.0).exp())
            .sum();
        (light + 8.0 * noise(seed * 10_000 + i as u64)) as f32
    };
    Image::from_pixels(SIDE_PX, SIDE_PX, (0..SIDE_PX * SIDE_PX).map(value).collect())
        .expect("all pixels")
}

/// Noise of about unit spread, the same for the same number (SplitMix64, Steele et al. 2014).
fn noise(number: u64) -> f64 {
    let mut sum = 0.0;
    for round in 1..=4 {
        let mut z = (number * 4 + round).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        sum += ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    }
    sum * 3.0_f64.sqrt()
}

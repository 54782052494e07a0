//! A small made-up night: stars that stand still, one object that moves, a frame that does not
//! show it, one turned by 180 degrees, one of half the light.

use super::*;
use crate::pipeline::artifact::candidate::{CandidateDetection, Identity};
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::pipeline::artifact::cutouts::{Centring, StaticSky, View};
use crate::science::image::mask::Mask;
use crate::science::reference::{MemoryCatalogue, ReferenceStar};
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::wcs::Wcs;

const SIDE: usize = 160;
const CENTRE_RAD: (f64, f64) = (1.0, 0.3);
const SIGMA_PX: f64 = 1.5;
const STAR_E: f64 = 40_000.0;
const OBJECT_E: f64 = 4_000.0;
/// Motion between frames, east and north [arcsec].
const STEP_ARCSEC: (f64, f64) = (-9.0, 5.0);
/// Frame whose object is not detected, the turned one, the one of half the light, one elsewhere.
const MISSED: usize = 3;
const TURNED: usize = 2;
const HALF: usize = 4;
const ELSEWHERE: usize = 7;

/// Stars on the plane [arcsec east, north]; in frame 1 the object is 3" from the second one.
const STARS: [(f64, f64); 4] = [(-22.0, -5.0), (12.0, -8.0), (-45.0, 25.0), (40.0, 45.0)];

struct Made {
    images: Vec<Image<f32>>,
}

impl PixelSource for Made {
    fn load(&self, frame: &NightFrame) -> Option<(Image<f32>, Mask)> {
        let number: usize = frame.name.parse().ok()?;
        Some((self.images[number].clone(), Mask::filled(SIDE, SIDE, MaskBits::GOOD)))
    }
}

fn sky(east_arcsec: f64, north_arcsec: f64) -> (f64, f64) {
    TangentPlane::at(CENTRE_RAD).deproject(east_arcsec * ARCSEC_RAD, north_arcsec * ARCSEC_RAD)
}

fn object(number: usize) -> (f64, f64) {
    sky(20.0 + STEP_ARCSEC.0 * number as f64, -10.0 + STEP_ARCSEC.1 * number as f64)
}

fn frame(number: usize) -> NightFrame {
    let sign = if number == TURNED { -1.0 } else { 1.0 };
    let drift = 0.37 * number as f64 + if number == ELSEWHERE { 500.0 } else { 0.0 };
    NightFrame {
        name: number.to_string(),
        content_hash: number.to_string(),
        chip: String::new(),
        mid_mjd_utc: 61_100.0 + number as f64 / 96.0,
        exposure_s: None,
        wcs: Wcs {
            crval_rad: CENTRE_RAD,
            crpix_px: (80.0 + drift, 79.0 - 0.21 * number as f64),
            cd_rad_per_px: [[-sign * ARCSEC_RAD, 0.0], [0.0, sign * ARCSEC_RAD]],
            sip: None,
        },
        nx: SIDE,
        ny: SIDE,
        is_turned: number == TURNED,
        limiting_mag: 20.0,
        fwhm_arcsec: 3.5,
        zero_point_err_mag: 0.01,
        // Half the light is 0.7526 mag brighter per electron.
        electron_mag: Some(if number == HALF { 25.0 - 0.752_575 } else { 25.0 }),
        filter: None,
        psf: None,
        catalogue: Catalogue::default(),
    }
}

fn image(number: usize) -> Image<f32> {
    let frame = frame(number);
    let mut image = Image::filled(SIDE, SIDE, 300.0_f32 + 10.0 * number as f32);
    let light = if number == HALF { 0.5 } else { 1.0 };
    let mut add = |(ra, dec): (f64, f64), flux: f64| {
        let Some((x0, y0)) = frame.wcs.to_pixel(ra, dec) else { return };
        let norm = light * flux / (2.0 * std::f64::consts::PI * SIGMA_PX * SIGMA_PX);
        for y in 0..SIDE {
            for (x, value) in image.row_mut(y).iter_mut().enumerate() {
                let r2 = (x as f64 - x0).powi(2) + (y as f64 - y0).powi(2);
                *value += (norm * (-r2 / (2.0 * SIGMA_PX * SIGMA_PX)).exp()) as f32;
            }
        }
    };
    for (east, north) in STARS {
        add(sky(east, north), STAR_E);
    }
    if number != MISSED {
        add(object(number), OBJECT_E);
    }
    image
}

fn candidate() -> Candidate {
    let detection = |number: usize| {
        let (ra, dec) = object(number);
        CandidateDetection {
            frame: number.to_string(),
            mid_mjd_utc: frame(number).mid_mjd_utc,
            ra_deg: ra / DEG_RAD,
            dec_deg: dec / DEG_RAD,
            x_px: 0.0,
            y_px: 0.0,
            position_err_arcsec: 0.1,
            residual_arcsec: (0.0, 0.0),
            mag: Some(19.0),
            mag_err: Some(0.1),
            snr: 20.0,
            is_recovered: false,
            is_foreseen: false,
        }
    };
    Candidate {
        id: "ABCDEFG".to_owned(),
        identity: Identity::Unchecked,
        false_alarms: 1e-9,
        rate_arcsec_per_min: 0.7,
        rate_err_arcsec_per_min: 0.01,
        pa_deg: 299.0,
        chi2_reduced: 1.0,
        rms_arcsec: 0.0,
        mag: Some(19.0),
        detections: (0..6).filter(|n| *n != MISSED).map(detection).collect(),
        n_expected: 6,
        n_covered: 7,
        photometry: Vec::new(),
        rating: None,
    }
}

fn stars() -> MemoryCatalogue {
    let star = |(id, (east, north)): (i64, (f64, f64))| ReferenceStar {
        g_mag: Some(12.0 + id as f64),
        ..ReferenceStar::at(id, sky(east, north), 2026.0)
    };
    let far = (99, (3000.0, 0.0));
    MemoryCatalogue::new((1..).zip(STARS).chain([far]).map(star).collect())
}

fn made(frames: &[NightFrame], params: &CutoutParams) -> Vec<Cutouts> {
    let pixels = Made { images: (0..8).map(image).collect() };
    let catalogue = stars();
    let inputs = CutoutInputs { frames, pixels: &pixels, sky: &catalogue };
    let candidate = candidate();
    let mut kept = Vec::new();
    let mut keep = |cutouts: Cutouts| -> Result<(), ()> {
        kept.push(cutouts);
        Ok(())
    };
    make_cutouts(&[&candidate], inputs, params, &mut keep).expect("nothing fails");
    kept
}

fn light(stamp: &Image<f32>, (x0, y0): (f64, f64)) -> f64 {
    let mut sum = 0.0;
    for y in 0..stamp.ny() {
        for (x, &value) in stamp.row(y).iter().enumerate() {
            if (x as f64 - x0).hypot(y as f64 - y0) < 5.0 {
                sum += f64::from(value);
            }
        }
    }
    sum
}

#[test]
fn the_object_stands_still_and_keeps_its_light() {
    // To a twentieth, beside a star of ten times its light too: that is 0.5 % of the star.
    let frames: Vec<NightFrame> = (0..8).map(frame).collect();
    let [cutouts] = made(&frames, &CutoutParams::default()).try_into().expect("one candidate");
    // Frames 0 to 6 cover the path (6 after the last detection), 7 looks elsewhere.
    assert_eq!(cutouts.frames.len(), 7);
    let detected: Vec<bool> = cutouts.frames.iter().map(|f| f.detected_deg.is_some()).collect();
    assert_eq!(detected, [true, true, true, false, true, true, false]);
    let centre = (31.0, 31.0);
    for (number, frame) in cutouts.frames.iter().enumerate() {
        let found = light(frame.on_object_subtracted.as_ref().expect("seven frames"), centre);
        let expected = if number == MISSED { 0.0 } else { OBJECT_E };
        assert!((found - expected).abs() < 0.05 * OBJECT_E, "frame {number}: {found}");
        let place = cutouts.predicted_px(frame, Centring::OnSky);
        let found = light(frame.on_sky_subtracted.as_ref().expect("seven frames"), place);
        assert!((found - expected).abs() < 0.05 * OBJECT_E, "frame {number} on the sky: {found}");
    }
}

#[test]
fn stars_stand_still_on_the_sky_and_go_with_it() {
    let frames: Vec<NightFrame> = (0..8).map(frame).collect();
    let [cutouts] = made(&frames, &CutoutParams::default()).try_into().expect("one candidate");
    let (ra, dec) = sky(STARS[0].0, STARS[0].1);
    let star = cutouts.place_px(cutouts.sky_centre_deg, (ra / DEG_RAD, dec / DEG_RAD));
    let peak_e = STAR_E / (2.0 * std::f64::consts::PI * SIGMA_PX * SIGMA_PX);
    for frame in &cutouts.frames {
        let found = light(&frame.on_sky, star);
        assert!((found / STAR_E - 1.0).abs() < 0.02, "{}: {found}", frame.frame);
        let left = frame.on_sky_subtracted.as_ref().expect("seven frames");
        let worst = left.pixels().iter().copied().filter(|v| v.is_finite()).fold(0.0, f32::max);
        // The object peaks at a tenth of a star.
        assert!(f64::from(worst) < 0.12 * peak_e, "{}: {worst}", frame.frame);
    }
    // The two brightest stars near the path and the third; the fourth is 45" away from both ends.
    let places: Vec<f64> = cutouts.neighbours.iter().map(|n| n.g_mag).collect();
    assert_eq!(places, [13.0, 14.0, 15.0]);
    assert!(cutouts.stays_on_sky_stamp());
}

#[test]
fn few_frames_have_no_static_sky_and_the_number_is_limited() {
    let few: Vec<NightFrame> = [0, 1, 5].into_iter().map(frame).collect();
    let [cutouts] = made(&few, &CutoutParams::default()).try_into().expect("one candidate");
    assert_eq!(cutouts.frames.len(), 3);
    let view = View::new(Centring::OnObject, StaticSky::Subtracted);
    assert!(cutouts.frames.iter().all(|frame| frame.stamp(view).is_none()));
    let frames: Vec<NightFrame> = (0..8).map(frame).collect();
    let params = CutoutParams { frames_max: 4, side_px: 21, scale_arcsec: Some(2.0) };
    let [cutouts] = made(&frames, &params).try_into().expect("one candidate");
    assert_eq!(cutouts.frames.len(), 4);
    let n_missed = cutouts.frames.iter().filter(|f| f.detected_deg.is_none()).count();
    assert_eq!(n_missed, 1, "a quarter for those without a detection");
    assert_eq!((cutouts.side_px, cutouts.frames[0].on_sky.nx()), (21, 21));
}

#[test]
fn the_order_of_files_does_not_matter() {
    let frames: Vec<NightFrame> = (0..8).map(frame).collect();
    let reversed: Vec<NightFrame> = (0..8).rev().map(frame).collect();
    let params = CutoutParams::default();
    assert_eq!(format!("{:?}", made(&frames, &params)), format!("{:?}", made(&reversed, &params)));
}

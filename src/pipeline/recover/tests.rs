//! A made-up field: stars, and a mover that passes one of them in one frame.

use super::*;
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::science::detect::psf_model::{Profile, Shape, Star};
use crate::science::image::mask::Mask;
use crate::science::movers::field::{DetectionId, PlaneDetection};
use crate::science::movers::score::Score;
use crate::science::sky::wcs::Wcs;

const SIDE: usize = 120;
pub(in crate::pipeline) const CENTRE_RAD: (f64, f64) = (1.0, 0.3);
pub(in crate::pipeline) const N_FRAMES: usize = 7;
pub(in crate::pipeline) const HIDDEN: usize = 3;
const SKY_E: f64 = 300.0;
const FWHM_PX: f64 = 3.2;
const BETA: f64 = 3.0;
/// Magnitude of one electron in all.
const ELECTRON_MAG: f64 = 28.0;
pub(in crate::pipeline) const MOVER_E: f64 = 5000.0;
/// Motion of the mover [arcsec/h], frames a quarter of an hour apart, an arcsecond a pixel.
const RATE: (f64, f64) = (-50.0, 24.0);
/// East, north [arcsec] and light; the mover is 2.3" from the first one in the frame `HIDDEN`.
pub(in crate::pipeline) const STARS: [((f64, f64), f64); 4] = [
    ((-37.5 + 1.8, 18.0 - 1.4), 40_000.0),
    ((20.0, -25.0), 90_000.0),
    ((-10.0, 40.0), 20_000.0),
    ((30.0, 30.0), 60_000.0),
];

pub(in crate::pipeline) struct Made(pub(in crate::pipeline) Vec<Image<f32>>);

impl PixelSource for Made {
    fn load(&self, frame: &NightFrame) -> Option<(Image<f32>, Mask)> {
        let number: usize = frame.name.parse().ok()?;
        Some((self.0[number].clone(), Mask::filled(SIDE, SIDE, MaskBits::GOOD)))
    }
}

fn t_h(number: usize) -> f64 {
    0.25 * number as f64
}

/// Dimmer by a tenth of a magnitude in every second frame.
fn electron_mag(number: usize) -> f64 {
    ELECTRON_MAG - if number % 2 == 1 { 0.1 } else { 0.0 }
}

pub(in crate::pipeline) fn frame(number: usize) -> NightFrame {
    NightFrame {
        name: number.to_string(),
        content_hash: number.to_string(),
        chip: String::new(),
        mid_mjd_utc: 61_100.0 + t_h(number) / 24.0,
        exposure_s: Some(60.0),
        wcs: Wcs {
            crval_rad: CENTRE_RAD,
            crpix_px: (60.0 + 0.37 * number as f64, 59.0 - 0.21 * number as f64),
            cd_rad_per_px: [[-ARCSEC_RAD, 0.0], [0.0, ARCSEC_RAD]],
            sip: None,
        },
        nx: SIDE,
        ny: SIDE,
        is_turned: false,
        limiting_mag: 20.2,
        fwhm_arcsec: FWHM_PX,
        zero_point_err_mag: 0.01,
        electron_mag: Some(electron_mag(number)),
        filter: Some("R".to_owned()),
        psf: Some(PsfModel::uniform(Shape::round(FWHM_PX, BETA), BETA, (SIDE, SIDE))),
        catalogue: Catalogue::default(),
    }
}

pub(in crate::pipeline) fn mover(number: usize) -> (f64, f64) {
    (RATE.0 * t_h(number), RATE.1 * t_h(number))
}

pub(in crate::pipeline) fn image(number: usize, mover_e: f64) -> Image<f32> {
    let frame = frame(number);
    let plane = TangentPlane::at(CENTRE_RAD);
    let profile = Profile::new(BETA, 40.0);
    let star = Star::new(&profile, Shape::round(FWHM_PX, BETA));
    let scale = 10_f64.powf(0.4 * (electron_mag(number) - ELECTRON_MAG));
    let lights: Vec<((f64, f64), f64)> = STARS
        .iter()
        .copied()
        .chain([(mover(number), mover_e)])
        .filter_map(|((east, north), light_e)| {
            let (ra, dec) = plane.deproject(east * ARCSEC_RAD, north * ARCSEC_RAD);
            Some((frame.wcs.to_pixel(ra, dec)?, scale * light_e))
        })
        .collect();
    let mut state = 77 + number as u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let mut image = Image::filled(SIDE, SIDE, 0.0);
    for (i, value) in image.pixels_mut().iter_mut().enumerate() {
        let (x, y) = ((i % SIDE) as f64, (i / SIDE) as f64);
        let light = |((u, v), e): &((f64, f64), f64)| e * star.light(x - u, y - v).share;
        let mean = SKY_E + lights.iter().map(light).sum::<f64>();
        let gauss = (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
        *value = (mean + mean.sqrt() * gauss) as f32;
    }
    image
}

/// The field with the mover's detections in all frames but the one where the star hides it.
pub(in crate::pipeline) fn field() -> Vec<FieldFrame> {
    let mag = ELECTRON_MAG - 2.5 * MOVER_E.log10();
    (0..N_FRAMES)
        .map(|k| {
            let (east_arcsec, north_arcsec) = mover(k);
            let jitter = 0.05 * (k as f64 * 2.3).sin();
            let seen = PlaneDetection {
                east_arcsec: east_arcsec + jitter,
                north_arcsec: north_arcsec - jitter,
                sigma_arcsec: 0.1,
                mag,
                snr: 20.0,
                ..PlaneDetection::example()
            };
            let star = PlaneDetection {
                east_arcsec: STARS[0].0.0,
                north_arcsec: STARS[0].0.1,
                mag: 16.5,
                role: crate::science::movers::field::Role::Star,
                ..seen
            };
            FieldFrame {
                t_h: t_h(k),
                limiting_mag: 20.2,
                exposure_h: 60.0 / 3600.0,
                fwhm_arcsec: FWHM_PX,
                outline_arcsec: [(-58., -58.), (58., -58.), (58., 58.), (-58., 58.)],
                detections: if k == HIDDEN { vec![star] } else { vec![seen] },
            }
        })
        .collect()
}

fn tracklet(field: &[FieldFrame]) -> Tracklet {
    let members: Vec<DetectionId> = (0..N_FRAMES as u32)
        .filter(|&frame| frame as usize != HIDDEN)
        .map(|frame| DetectionId { frame, index: 0 })
        .collect();
    let points: Vec<PlanePoint> =
        members.iter().map(|m| field[m.frame as usize].point(0)).collect();
    let mag = field[0].detections[0].mag;
    Tracklet {
        members,
        motion: Motion::fit(&points).expect("six places"),
        score: Score { log_odds: 10.0, mag, n_expected: 6, n_covered: 7 },
    }
}

/// What is recovered of a mover that is there, or not, in the hidden frame.
fn found(light_e: f64) -> (Vec<Recovered>, Tracklet, Tracklet) {
    let made = Made((0..N_FRAMES).map(|k| image(k, light_e)).collect());
    let frames: Vec<NightFrame> = (0..N_FRAMES).map(frame).collect();
    let frames: Vec<&NightFrame> = frames.iter().collect();
    let (field, plane) = (field(), TangentPlane::at(CENTRE_RAD));
    let view = FieldView { frames: &frames, field: &field, plane: &plane };
    let before = tracklet(&field);
    let found = recover(std::slice::from_ref(&before), view, &made).remove(0);
    let mut after = before.clone();
    adopt(&mut after, &found, &[], view);
    (found, before, after)
}

#[test]
fn a_mover_lost_on_a_star_is_found_there() {
    let (found, before, after) = found(MOVER_E);
    let [it] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(it.frame, HIDDEN);
    let (east, north) = mover(HIDDEN);
    let off = (it.point.east_arcsec - east).hypot(it.point.north_arcsec - north);
    // Two axes: 3 errors hold 99 %.
    assert!(off < 3.0 * it.point.sigma_arcsec && it.point.sigma_arcsec < 0.6, "{it:?} {off}");
    let mag = ELECTRON_MAG - 2.5 * MOVER_E.log10();
    assert!((it.mag - mag).abs() < 3.0 * it.mag_err && it.mag_err < 0.25, "{it:?} {mag}");
    assert!(after.score.log_odds > before.score.log_odds);
    assert_eq!((after.score.n_expected, after.score.n_covered), (7, 7));
    assert_eq!(after.motion.n, 7);
}

#[test]
fn where_nothing_is_nothing_is_found() {
    let (found, before, after) = found(0.0);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(before, after);
}

#[test]
fn a_widened_star_keeps_its_light() {
    let mut stamp = Image::filled(31, 31, 0.0);
    stamp.row_mut(15)[15] = 1000.0;
    let wide = widened(&stamp, 1.3);
    let sum: f64 = wide.pixels().iter().map(|v| f64::from(*v)).sum();
    assert!((sum - 1000.0).abs() < 0.5, "{sum}");
    // The second moment of the sampled Gaussian, cut at 4 px, is 1.3^2 within a percent.
    let moment: f64 = (0..31)
        .flat_map(|y| (0..31).map(move |x| (x, y)))
        .map(|(x, y)| (x as f64 - 15.0).powi(2) * f64::from(wide.at(x, y)))
        .sum::<f64>()
        / sum;
    assert!((moment - 1.69).abs() < 0.03, "{moment}");
}

//! The observing log before it happens: which frames, when, through which air, pointed where.

use super::projection::{CameraSide, FrameGeometry, TangentPlane};
use super::random::{Random, Stream};
use super::scenario::{Camera, Flip, Scenario};
use super::sky::Air;
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD, wrap_positive_rad, wrap_signed_rad};

/// Latitude of the simulated observatory [deg].
pub(super) const SITE_LATITUDE_DEG: f64 = 37.98;
/// Longitude of the simulated observatory, east positive [deg].
pub(super) const SITE_LONGITUDE_DEG: f64 = -2.57;
/// Level of the twilight flats, from and to [ADU].
const FLAT_LEVEL_ADU: (f64, f64) = (20_000.0, 31_000.0);
/// First exposure of the flats [s], and its growth from flat to flat.
const FLAT_EXPOSURE_S: (f64, f64) = (1.5, 1.35);
/// Longest flat [s].
const FLAT_EXPOSURE_MAX_S: f64 = 60.0;

/// One frame of the night.
#[derive(Debug, Clone)]
pub(super) struct FramePlan {
    /// File name.
    pub(super) name: String,
    /// Start of the exposure.
    pub(super) start: Epoch,
    /// Exposure [s].
    pub(super) exposure_s: f64,
    /// Chip temperature [C].
    pub(super) temperature_c: f64,
    /// What light falls on the detector.
    pub(super) light: Light,
}

/// What light falls on the detector.
#[derive(Debug, Clone)]
pub(super) enum Light {
    /// None, shutter closed, no time.
    Bias,
    /// None, shutter closed.
    Dark,
    /// The twilight sky, at this level [ADU].
    Flat {
        /// Light in the frame's centre [ADU].
        level_adu: f64,
    },
    /// The night sky.
    Science(Box<ScienceView>),
}

/// What a science frame sees.
#[derive(Debug, Clone)]
pub(super) struct ScienceView {
    /// Sky to pixels.
    pub(super) geometry: FrameGeometry,
    /// On which side of the pier the camera sits.
    pub(super) side: CameraSide,
    /// Gaia G of a source of BP-RP = 0.82 giving 1 e-/s in this frame [mag].
    pub(super) zero_point_e_mag: f64,
    /// Width of the stars in the centre [px].
    pub(super) fwhm_px: f64,
    /// Ellipticity along and across the detector's axes.
    pub(super) ellipticity: (f64, f64),
    /// Background in the centre [e-/s/px].
    pub(super) sky_e_per_s: f64,
    /// Direction in which the background grows [rad].
    pub(super) gradient_rad: f64,
    /// Scatter of places.
    pub(super) air: Air,
    /// Airmass.
    pub(super) airmass: f64,
}

impl FramePlan {
    /// The middle of the exposure.
    pub(super) fn mid(&self) -> Epoch {
        self.start.plus_seconds(0.5 * self.exposure_s)
    }
}

/// All frames of the night in order of time: biases, darks, flats, science.
pub(super) fn frames(scenario: &Scenario) -> Vec<FramePlan> {
    let mut frames = Vec::new();
    let mut calibration = |kind: &str, n: usize, first_s: f64, step_s: f64| {
        for i in 0..n {
            let mut random = Random::new(scenario.seed, Stream::Plan, 1 + frames.len(), 0);
            let temperature_c = temperature(&scenario.camera, &mut random);
            let growth = FLAT_EXPOSURE_S.1.powi(i.min(100) as i32);
            let (light, exposure_s) = match kind {
                "bias" => (Light::Bias, 0.0),
                "dark" => (Light::Dark, scenario.dark_exposure_s),
                _ => {
                    let level_adu = random.range(FLAT_LEVEL_ADU.0, FLAT_LEVEL_ADU.1);
                    let exposure_s = (FLAT_EXPOSURE_S.0 * growth).min(FLAT_EXPOSURE_MAX_S);
                    (Light::Flat { level_adu }, (exposure_s * 1e3).round() / 1e3)
                }
            };
            let start = scenario.start.plus_seconds(first_s + i as f64 * step_s);
            let name = format!("{kind}-{:03}.fits", i + 1);
            frames.push(FramePlan { name, start, exposure_s, temperature_c, light });
        }
    };
    let dark_step_s = scenario.dark_exposure_s + 8.0;
    calibration("bias", scenario.n_bias, -10_400.0, 8.0);
    calibration(
        "dark",
        scenario.n_dark,
        -10_000.0 - scenario.n_dark as f64 * dark_step_s,
        dark_step_s,
    );
    calibration("flat", scenario.n_flat, -6_800.0, 70.0);
    for i in 0..scenario.n_science {
        frames.push(science(scenario, i));
    }
    frames
}

fn temperature(camera: &Camera, random: &mut Random) -> f64 {
    ((camera.temperature_c + 0.03 * random.normal()) * 100.0).round() / 100.0
}

/// Plans one science frame.
fn science(scenario: &Scenario, i: usize) -> FramePlan {
    // Row 1 of the stream: independent of the number of calibration frames.
    let mut random = Random::new(scenario.seed, Stream::Plan, i, 1);
    let (camera, sky, seeing) = (&scenario.camera, &scenario.sky, &scenario.seeing);
    let slack_s = (scenario.step_s - scenario.exposure_s).min(20.0);
    let start_s = i as f64 * scenario.step_s + slack_s * random.uniform();
    let start = scenario.start.plus_seconds((start_s * 1e3).round() / 1e3);
    let temperature_c = temperature(camera, &mut random);
    let side = side(scenario.flip, i);
    let (ra_rad, dec_rad) = pointing(scenario, start_s, &mut random);
    let geometry = FrameGeometry::new(camera, TangentPlane::new(ra_rad, dec_rad), side);
    let airmass = airmass(ra_rad, dec_rad, start.plus_seconds(0.5 * scenario.exposure_s));
    let cloud_mag = sky.clouds_mag.get(i).copied().unwrap_or(0.0);
    let extinction_mag =
        sky.extinction_mag * airmass + sky.extinction_scatter_mag * random.normal() + cloud_mag;
    let scale = camera.scale_arcsec_per_px;
    let above = camera.zero_point_e_mag - sky.brightness_mag_per_arcsec2;
    let sky_e_per_s = scale * scale * 10_f64.powf(0.4 * above) * (1.0 + 0.01 * random.normal());
    let fwhm_px = seeing.fwhm_px * (seeing.fwhm_scatter * random.normal()).exp();
    let e = seeing.ellipticity * random.range(0.5, 1.5);
    let (e_sin, e_cos) = random.angle_rad().sin_cos();
    let view = ScienceView {
        geometry,
        side,
        zero_point_e_mag: camera.zero_point_e_mag - extinction_mag,
        fwhm_px: fwhm_px.max(1.6),
        ellipticity: (e * e_cos, e * e_sin),
        sky_e_per_s: sky_e_per_s.max(0.0),
        gradient_rad: 0.8 + 0.2 * i as f64 + 0.1 * random.normal(),
        air: Air::new(scenario.seed, i, sky.turbulence_mas),
        airmass,
    };
    FramePlan {
        name: format!("{}-{}-{:03}.fits", scenario.name, scenario.field, i + 1),
        start,
        exposure_s: scenario.exposure_s,
        temperature_c,
        light: Light::Science(Box::new(view)),
    }
}

fn side(flip: Flip, i: usize) -> CameraSide {
    match flip {
        Flip::SkyTurned { from_science_frame } if i >= from_science_frame => CameraSide::SkyTurned,
        Flip::ImageTurned { from_science_frame } if i >= from_science_frame => {
            CameraSide::ImageTurned
        }
        _ => CameraSide::Normal,
    }
}

/// The place [rad] on the optical axis: field, dither and drift.
fn pointing(scenario: &Scenario, since_start_s: f64, random: &mut Random) -> (f64, f64) {
    let model = &scenario.pointing;
    let mut direction = Random::new(scenario.seed, Stream::Plan, 0, 2);
    let (drift_sin, drift_cos) = direction.angle_rad().sin_cos();
    let drift = model.drift_arcsec_per_h * since_start_s / 3600.0;
    let east = model.dither_arcsec * random.normal() + drift * drift_sin;
    let north = model.dither_arcsec * random.normal() + drift * drift_cos;
    field_plane(scenario).deproject(east * ARCSEC_RAD, north * ARCSEC_RAD)
}

/// The place [rad] the headers give for every science frame.
pub(super) fn header_place_rad(scenario: &Scenario) -> (f64, f64) {
    let (sin, cos) = Random::new(scenario.seed, Stream::Plan, 0, 3).angle_rad().sin_cos();
    let error = (scenario.pointing.header_error_arcmin * 60.0 * ARCSEC_RAD).tan();
    field_plane(scenario).deproject(error * sin, error * cos)
}

fn field_plane(scenario: &Scenario) -> TangentPlane {
    TangentPlane::new(scenario.ra_deg * DEG_RAD, scenario.dec_deg * DEG_RAD)
}

/// Airmass at the site, at most 10 (also below the horizon).
///
/// Sidereal time: Meeus 1998, "Astronomical Algorithms", eq. 12.4 without small terms.
/// Airmass: Young & Irvine 1967, AJ 72, 945.
fn airmass(ra_rad: f64, dec_rad: f64, at: Epoch) -> f64 {
    let days = at.mjd_utc() - 51_544.5;
    let sidereal_deg = 280.460_618_37 + 360.985_647_366_29 * days + SITE_LONGITUDE_DEG;
    let hour_angle = wrap_signed_rad(wrap_positive_rad(sidereal_deg * DEG_RAD) - ra_rad);
    let (sin_lat, cos_lat) = (SITE_LATITUDE_DEG * DEG_RAD).sin_cos();
    let sin_alt = sin_lat * dec_rad.sin() + cos_lat * dec_rad.cos() * hour_angle.cos();
    let secant = 1.0 / sin_alt.max(0.095);
    (secant * (1.0 - 0.0012 * (secant * secant - 1.0))).clamp(1.0, 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn airmass_agrees_with_an_independent_simulator() {
        // Frame pocket-P1-001 of the shared set: 118.4 +21.1 at MJD 60695.84416, airmass 1.5939.
        let got = airmass(118.4 * DEG_RAD, 21.1 * DEG_RAD, Epoch::from_mjd_utc(60_695.844_163));
        assert!((got - 1.5939).abs() < 0.005, "{got}");
    }

    #[test]
    fn frames_come_in_order_of_time_without_overlap() {
        let scenario = Scenario { n_dark: 3, ..Scenario::demo(4) };
        let frames = frames(&scenario);
        assert_eq!(frames.len(), 5 + 3 + 5 + 7);
        let mut by_time = frames.clone();
        by_time.sort_by(|a, b| a.start.mjd_utc().total_cmp(&b.start.mjd_utc()));
        for pair in by_time.windows(2) {
            let end = pair[0].start.plus_seconds(pair[0].exposure_s);
            assert!(end.mjd_utc() < pair[1].start.mjd_utc(), "{}", pair[0].name);
        }
    }
}

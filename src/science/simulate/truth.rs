//! What a perfect pipeline would find, for tests and for the demo's closing lines.

use super::frame::ZERO_POINT_BP_RP_MAG;
use super::motion::Mover;
use super::plan::{FramePlan, Light, ScienceView};
use super::psf::Shape;
use super::scenario::Scenario;

/// Points per side of the grid of true places.
const GRID_SIDE: usize = 13;
/// Signal to noise at the limiting magnitude.
const LIMIT_SNR: f64 = 5.0;

/// The truth of a simulated night.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The moving objects.
    pub movers: Vec<TrueMover>,
    /// The science frames in order.
    pub frames: Vec<TrueFrame>,
}

/// A moving object as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct TrueMover {
    /// Identifier, unique in the night.
    pub id: String,
    /// Name in the list of known objects; `None` when it is not listed.
    pub name: Option<String>,
    /// Tells whether the list of known objects has it.
    pub known: bool,
    /// Mean Gaia G [mag].
    pub g_mag: f64,
    /// Speed in the middle of the night [arcsec/h].
    pub rate_arcsec_per_h: f64,
    /// Its place in every science frame, inside or not.
    pub places: Vec<TruePlace>,
}

/// Where a mover is in one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct TruePlace {
    /// File name of the frame.
    pub frame: String,
    /// Middle of the exposure [MJD, UTC].
    pub mjd_mid: f64,
    /// Right ascension, ICRS [deg].
    pub ra_deg: f64,
    /// Declination, ICRS [deg].
    pub dec_deg: f64,
    /// Column on the raw frame as written, without the air's scatter [px, 0-based].
    pub x_px: f64,
    /// Row on the raw frame as written [px, 0-based].
    pub y_px: f64,
    /// Gaia G of the moment [mag].
    pub g_mag: f64,
    /// Signal to noise of an ideal fit along the trail.
    pub snr: f64,
    /// Tells whether the place is on the frame.
    pub in_frame: bool,
}

/// A science frame as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct TrueFrame {
    /// File name.
    pub name: String,
    /// Middle of the exposure [MJD, UTC].
    pub mjd_mid: f64,
    /// Gaia G of a source of BP-RP = 0.82 whose total flux is 1 ADU/s after a perfect flat
    /// normalised to 1 at the frame's centre [mag].
    pub zero_point_adu_mag: f64,
    /// Full width at half maximum of the stars in the centre [px], before pixels blur it.
    pub fwhm_px: f64,
    /// Gaia G of a star with a signal to noise of 5 [mag].
    pub limiting_mag: f64,
    /// True places of 13 x 13 points: x, y [px, 0-based, frame as written], RA, Dec [deg].
    pub grid: Vec<(f64, f64, f64, f64)>,
    /// Tells whether the frame was taken after the meridian flip.
    pub flipped: bool,
}

/// Writes down the truth of a night.
pub(super) fn truth(scenario: &Scenario, frames: &[FramePlan], movers: &[Mover]) -> Truth {
    let science: Vec<(&FramePlan, &ScienceView)> = frames
        .iter()
        .filter_map(|plan| match &plan.light {
            Light::Science(view) => Some((plan, view.as_ref())),
            _ => None,
        })
        .collect();
    Truth {
        movers: movers.iter().map(|mover| true_mover(scenario, &science, mover)).collect(),
        frames: science.iter().map(|(plan, view)| true_frame(scenario, plan, view)).collect(),
    }
}

fn true_frame(scenario: &Scenario, plan: &FramePlan, view: &ScienceView) -> TrueFrame {
    let camera = &scenario.camera;
    let step = |i: usize, n: usize| i as f64 * (n as f64 - 1.0) / (GRID_SIDE as f64 - 1.0);
    let grid = (0..GRID_SIDE * GRID_SIDE)
        .map(|i| {
            let (x, y) = (step(i % GRID_SIDE, camera.nx), step(i / GRID_SIDE, camera.ny));
            let (ra, dec) = view.geometry.sky(x, y);
            (x, y, ra.to_degrees(), dec.to_degrees())
        })
        .collect();
    // flux / sqrt(flux + area * noise^2) = limit, solved for the flux.
    let noise2 = Noise::new(scenario, plan, view).of_point_e2();
    let half = 0.5 * LIMIT_SNR * LIMIT_SNR;
    let flux_e_per_s = (half + (half * half + 2.0 * half * noise2).sqrt()) / plan.exposure_s;
    TrueFrame {
        name: plan.name.clone(),
        mjd_mid: plan.mid().mjd_utc(),
        zero_point_adu_mag: view.zero_point_e_mag - 2.5 * camera.gain_e_per_adu.log10(),
        fwhm_px: view.fwhm_px,
        limiting_mag: view.zero_point_e_mag - 2.5 * flux_e_per_s.log10(),
        grid,
        flipped: view.side != super::projection::CameraSide::Normal,
    }
}

fn true_mover(
    scenario: &Scenario,
    science: &[(&FramePlan, &ScienceView)],
    mover: &Mover,
) -> TrueMover {
    let camera = &scenario.camera;
    let places = science.iter().map(|(plan, view)| {
        let mid = plan.mid();
        let (ra, dec) = mover.place_rad(mid);
        // The other hemisphere cannot happen for a path through the field; it would be off frame.
        let (x_px, y_px) = view.geometry.frame_px(ra, dec).unwrap_or((-1.0, -1.0));
        let (east, north) = mover.rates_arcsec_per_h(mid);
        let trail_arcsec = east.hypot(north) * plan.exposure_s / 3600.0;
        let g_mag = mover.g_mag_at(mid);
        let colour_mag = camera.colour_term * (mover.bp_rp_mag - ZERO_POINT_BP_RP_MAG);
        let below = view.zero_point_e_mag - g_mag - colour_mag;
        let flux_e = plan.exposure_s * 10_f64.powf(0.4 * below);
        let noise2 =
            Noise::new(scenario, plan, view).of_trail_e2(trail_arcsec / camera.scale_arcsec_per_px);
        TruePlace {
            frame: plan.name.clone(),
            mjd_mid: mid.mjd_utc(),
            ra_deg: ra.to_degrees(),
            dec_deg: dec.to_degrees(),
            x_px,
            y_px,
            g_mag,
            snr: flux_e / (flux_e + noise2).sqrt(),
            in_frame: view.geometry.contains((x_px, y_px)),
        }
    });
    let middle = science.get(science.len() / 2).map_or(scenario.start, |(plan, _)| plan.mid());
    let (east, north) = mover.rates_arcsec_per_h(middle);
    TrueMover {
        id: mover.id.clone(),
        name: mover.name(),
        known: mover.number.is_some(),
        g_mag: mover.g_mag,
        rate_arcsec_per_h: east.hypot(north),
        places: places.collect(),
    }
}

/// Noise of the background under a source.
struct Noise {
    per_px_e2: f64,
    area_px: f64,
}

impl Noise {
    fn new(scenario: &Scenario, plan: &FramePlan, view: &ScienceView) -> Self {
        let (camera, beta) = (&scenario.camera, scenario.seeing.beta);
        let light_e = (view.sky_e_per_s + camera.dark_e_per_s) * plan.exposure_s;
        let shape = Shape::of_seeing(view.fwhm_px, beta, view.ellipticity);
        Self {
            per_px_e2: light_e + camera.read_noise_e.powi(2),
            area_px: shape.noise_area_px(beta),
        }
    }

    /// Variance under a point source [e-^2].
    fn of_point_e2(&self) -> f64 {
        self.per_px_e2 * self.area_px
    }

    /// Variance under a trail [e-^2]: areas of point and of long trail added in quadrature.
    fn of_trail_e2(&self, length_px: f64) -> f64 {
        self.per_px_e2 * self.area_px.hypot(length_px * self.area_px.sqrt())
    }
}

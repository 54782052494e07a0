//! The light of one frame: background, galaxies, stars, movers, or twilight.

use super::detector::Detector;
use super::motion::Mover;
use super::plan::{FramePlan, Light, ScienceView};
use super::projection::CameraSide;
use super::psf::{Painter, Shape, Spot};
use super::random::{Random, Stream};
use super::scenario::{Camera, Scenario};
use super::sky::{Galaxy, Star};
use crate::science::image::Image;

/// BP-RP of the sources the zero point is defined for: the Sun's [mag].
pub(super) const ZERO_POINT_BP_RP_MAG: f64 = 0.82;

/// Everything on the sky.
#[derive(Debug, Clone)]
pub(super) struct SkyContent {
    /// Stars.
    pub(super) stars: Vec<Star>,
    /// Galaxies.
    pub(super) galaxies: Vec<Galaxy>,
    /// Moving objects.
    pub(super) movers: Vec<Mover>,
}

/// Takes one frame: its raw pixels, as written.
pub(super) fn take(
    scenario: &Scenario,
    detector: &Detector,
    content: &SkyContent,
    plan: &FramePlan,
    index: usize,
) -> Image<u16> {
    let (nx, ny) = (scenario.camera.nx, scenario.camera.ny);
    match &plan.light {
        Light::Bias | Light::Dark => {
            detector.expose(Image::filled(nx, ny, 0.0), plan.exposure_s, index)
        }
        Light::Flat { level_adu } => {
            let light = twilight(scenario, *level_adu, index);
            detector.expose(light, plan.exposure_s, index)
        }
        Light::Science(view) => {
            let raw =
                detector.expose(night_sky(scenario, content, plan, view), plan.exposure_s, index);
            if view.side == CameraSide::ImageTurned { raw.turned_180() } else { raw }
        }
    }
}

/// Expected electrons of a science frame, in detector pixels of response 1.
pub(super) fn night_sky(
    scenario: &Scenario,
    content: &SkyContent,
    plan: &FramePlan,
    view: &ScienceView,
) -> Image<f32> {
    let mut lens = Lens::new(scenario, plan, view);
    let epoch_yr = plan.mid().julian_year();
    for galaxy in &content.galaxies {
        lens.add_galaxy(galaxy);
    }
    for star in &content.stars {
        let (ra, dec) = star.place_rad(epoch_yr);
        let flux_e = lens.flux_e(star.g_mag, star.bp_rp_mag);
        if let Some((x_px, y_px)) = lens.place_px(ra, dec) {
            lens.add(Spot { x_px, y_px, flux_e }, (0.0, 0.0));
        }
    }
    for mover in &content.movers {
        lens.add_mover(mover, plan);
    }
    lens.painter.finish()
}

/// The telescope during one exposure.
struct Lens<'a> {
    camera: &'a Camera,
    scenario: &'a Scenario,
    view: &'a ScienceView,
    exposure_s: f64,
    painter: Painter,
}

impl<'a> Lens<'a> {
    fn new(scenario: &'a Scenario, plan: &FramePlan, view: &'a ScienceView) -> Self {
        let camera = &scenario.camera;
        let background = background(scenario, view, plan.exposure_s);
        let painter = Painter::new(background, scenario.seeing.beta);
        Self { camera, scenario, view, exposure_s: plan.exposure_s, painter }
    }

    /// All light of a source in this exposure [e-].
    fn flux_e(&self, g_mag: f64, bp_rp_mag: f64) -> f64 {
        let filter_mag = g_mag + self.camera.colour_term * (bp_rp_mag - ZERO_POINT_BP_RP_MAG);
        self.exposure_s * 10_f64.powf(-0.4 * (filter_mag - self.view.zero_point_e_mag))
    }

    /// Place on the detector through the air [px].
    fn place_px(&self, ra_rad: f64, dec_rad: f64) -> Option<(f64, f64)> {
        let geometry = &self.view.geometry;
        let standard = geometry.standard(ra_rad, dec_rad)?;
        Some(geometry.detector_px(self.view.air.shifted(standard)))
    }

    /// The point spread function at a place: wider and radially drawn towards the corners.
    fn shape_at(&self, x_px: f64, y_px: f64) -> Shape {
        let seeing = &self.scenario.seeing;
        let (x_mid, y_mid) = (0.5 * self.camera.nx as f64, 0.5 * self.camera.ny as f64);
        let (dx, dy) = (x_px - x_mid, y_px - y_mid);
        let corner2 = x_mid * x_mid + y_mid * y_mid;
        let r2 = ((dx * dx + dy * dy) / corner2).min(2.0);
        // e cos 2phi and e sin 2phi with phi the direction from the centre.
        let radial = seeing.ellipticity_field / corner2;
        let e1 = self.view.ellipticity.0 + radial * (dx * dx - dy * dy).clamp(-corner2, corner2);
        let e2 = self.view.ellipticity.1 + radial * (2.0 * dx * dy).clamp(-corner2, corner2);
        Shape::of_seeing(self.view.fwhm_px * (1.0 + seeing.fwhm_field * r2), seeing.beta, (e1, e2))
    }

    fn add(&mut self, spot: Spot, trail_px: (f64, f64)) {
        let shape = self.shape_at(spot.x_px, spot.y_px);
        self.painter.add_trail(&shape, spot, trail_px);
    }

    fn add_galaxy(&mut self, galaxy: &Galaxy) {
        let flux_e = self.flux_e(galaxy.g_mag, 1.3);
        let Some((x_px, y_px)) = self.place_px(galaxy.ra_rad, galaxy.dec_rad) else {
            return;
        };
        let radius_px = galaxy.half_light_arcsec / self.camera.scale_arcsec_per_px;
        // A meridian flip, a turn by 180 degrees, leaves an ellipse as it is.
        let beta = self.scenario.seeing.beta;
        let shape = self.shape_at(x_px, y_px).widened(radius_px, beta, galaxy.ellipticity);
        self.painter.add_spot(&shape, Spot { x_px, y_px, flux_e });
    }

    fn add_mover(&mut self, mover: &Mover, plan: &FramePlan) {
        let at = |seconds: f64| {
            let (ra, dec) = mover.place_rad(plan.start.plus_seconds(seconds));
            self.place_px(ra, dec)
        };
        let (Some(first), Some((x_px, y_px)), Some(last)) =
            (at(0.0), at(0.5 * self.exposure_s), at(self.exposure_s))
        else {
            return;
        };
        let flux_e = self.flux_e(mover.g_mag_at(plan.mid()), mover.bp_rp_mag);
        self.add(Spot { x_px, y_px, flux_e }, (last.0 - first.0, last.1 - first.1));
    }
}

/// The night sky without sources: level, gradient, and a third of it as curvature [e-].
fn background(scenario: &Scenario, view: &ScienceView, exposure_s: f64) -> Image<f32> {
    let (nx, ny) = (scenario.camera.nx, scenario.camera.ny);
    let (sin, cos) = view.gradient_rad.sin_cos();
    let gradient = scenario.sky.gradient;
    let level_e = view.sky_e_per_s * exposure_s;
    let mut image = Image::filled(nx, ny, 0.0_f32);
    for y in 0..ny {
        let v = (y as f64 + 0.5) / ny as f64 - 0.5;
        for (x, pixel) in image.row_mut(y).iter_mut().enumerate() {
            let u = (x as f64 + 0.5) / nx as f64 - 0.5;
            let change = gradient * (u * cos + v * sin + (u * u + v * v) / 3.0);
            *pixel = (level_e * (1.0 + change)).max(0.0) as f32;
        }
    }
    image
}

/// The twilight sky with a few stars drawn out by the standing telescope [e-].
fn twilight(scenario: &Scenario, level_adu: f64, index: usize) -> Image<f32> {
    let camera = &scenario.camera;
    let (nx, ny) = (camera.nx, camera.ny);
    let level_e = level_adu * camera.gain_e_per_adu;
    let mut image = Image::filled(nx, ny, 0.0_f32);
    for y in 0..ny {
        for (x, pixel) in image.row_mut(y).iter_mut().enumerate() {
            let u = (x as f64 + 0.5) / nx as f64 - 0.5;
            *pixel = (level_e * (1.0 + camera.flat_gradient * u)) as f32;
        }
    }
    let mut random = Random::new(scenario.seed, Stream::FlatTrails, index, 0);
    let mut painter = Painter::new(image, scenario.seeing.beta);
    let shape = Shape::of_seeing(scenario.seeing.fwhm_px, scenario.seeing.beta, (0.0, 0.0));
    let n = 2 + random.index(5);
    let length_px = random.range(0.0, 40.0);
    for _ in 0..n {
        let (x_px, y_px) = (random.range(0.0, nx as f64), random.range(0.0, ny as f64));
        let flux_e = 10_f64.powf(random.range(4.3, 5.5));
        painter.add_trail(&shape, Spot { x_px, y_px, flux_e }, (length_px, 0.1 * length_px));
    }
    painter.finish()
}

//! What stands still on the sky: stars, galaxies, and the air in front of them.
//!
//! Star counts rise by a constant number of dex per magnitude; colours redden and proper motions
//! shrink with magnitude roughly as in Gaia at high galactic latitude. Parallaxes are listed
//! but do not move the stars (below 2 mas).

use super::projection::TangentPlane;
use super::random::{Random, Stream};
use super::scenario::Scenario;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};
use std::f64::consts::TAU;

/// Epoch of the catalogue's places [Julian year].
pub(super) const CATALOGUE_EPOCH_YR: f64 = 2016.0;
/// One milliarcsecond [rad].
pub(super) const MAS_RAD: f64 = 1e-3 * ARCSEC_RAD;

/// A star as it is, not as the catalogue lists it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Star {
    /// Right ascension at 2016.0 [rad].
    pub(super) ra_rad: f64,
    /// Declination at 2016.0 [rad].
    pub(super) dec_rad: f64,
    /// Proper motion in RA times cos(Dec) [mas/yr].
    pub(super) pm_ra_mas_per_yr: f64,
    /// Proper motion in Dec [mas/yr].
    pub(super) pm_dec_mas_per_yr: f64,
    /// Parallax [mas].
    pub(super) parallax_mas: f64,
    /// Gaia G [mag].
    pub(super) g_mag: f64,
    /// Gaia BP-RP [mag].
    pub(super) bp_rp_mag: f64,
}

impl Star {
    /// Right ascension and declination [rad] in a Julian year.
    pub(super) fn place_rad(&self, epoch_yr: f64) -> (f64, f64) {
        let years = epoch_yr - CATALOGUE_EPOCH_YR;
        let d_ra = self.pm_ra_mas_per_yr * years * MAS_RAD / self.dec_rad.cos();
        let d_dec = self.pm_dec_mas_per_yr * years * MAS_RAD;
        (self.ra_rad + d_ra, self.dec_rad + d_dec)
    }
}

/// A faint galaxy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Galaxy {
    /// Right ascension [rad].
    pub(super) ra_rad: f64,
    /// Declination [rad].
    pub(super) dec_rad: f64,
    /// Total magnitude [G mag].
    pub(super) g_mag: f64,
    /// Radius of half the light [arcsec].
    pub(super) half_light_arcsec: f64,
    /// Elongation along and across the detector's axes.
    pub(super) ellipticity: (f64, f64),
}

/// Draws the stars of the filled area.
pub(super) fn stars(scenario: &Scenario) -> Vec<Star> {
    let mut random = Random::new(scenario.seed, Stream::Stars, 0, 0);
    let n = random.poisson(scenario.n_stars_mean()) as usize;
    let model = &scenario.stars;
    let slope = model.slope_dex_per_mag;
    let (low, high) = (10_f64.powf(slope * model.g_min_mag), 10_f64.powf(slope * model.g_max_mag));
    let place = AreaSampler::new(scenario);
    (0..n)
        .map(|_| {
            let (ra_rad, dec_rad) = place.draw(&mut random);
            let g_mag = random.range(low, high).log10() / slope;
            let (bp_rp_mag, pm_scale_mas) = colour_and_motion(g_mag, &mut random);
            Star {
                ra_rad,
                dec_rad,
                pm_ra_mas_per_yr: -1.5 + pm_scale_mas * random.normal(),
                pm_dec_mas_per_yr: -3.0 + pm_scale_mas * random.normal(),
                parallax_mas: 0.1 + 0.12 * pm_scale_mas * random.uniform(),
                g_mag,
                bp_rp_mag,
            }
        })
        .collect()
}

/// A colour [mag] and a scale of proper motion [mas/yr] for a magnitude.
fn colour_and_motion(g_mag: f64, random: &mut Random) -> (f64, f64) {
    let red_share = (0.1 + 0.08 * (g_mag - 12.0)).clamp(0.1, 0.6);
    let is_red = random.uniform() < red_share;
    let bp_rp_mag = if is_red {
        random.range(1.3, 2.5) + 0.15 * random.normal()
    } else {
        0.85 + 0.16 * random.normal()
    };
    // One star in fifty is near and fast.
    let fast = if random.uniform() < 0.02 { 10.0 } else { 1.0 };
    let scale_mas = fast * (10.0 - 0.4 * (g_mag - 10.0)).clamp(3.0, 12.0);
    (bp_rp_mag, scale_mas)
}

/// Draws the galaxies of the filled area.
pub(super) fn galaxies(scenario: &Scenario) -> Vec<Galaxy> {
    const G_RANGE_MAG: (f64, f64) = (18.5, 22.0);
    const SLOPE_DEX_PER_MAG: f64 = 0.4;
    let mut random = Random::new(scenario.seed, Stream::Galaxies, 0, 0);
    let n = random.poisson(scenario.stars.galaxies_per_deg2 * scenario.area_deg2()) as usize;
    let low = 10_f64.powf(SLOPE_DEX_PER_MAG * G_RANGE_MAG.0);
    let high = 10_f64.powf(SLOPE_DEX_PER_MAG * G_RANGE_MAG.1);
    let place = AreaSampler::new(scenario);
    (0..n)
        .map(|_| {
            let (ra_rad, dec_rad) = place.draw(&mut random);
            let g_mag = random.range(low, high).log10() / SLOPE_DEX_PER_MAG;
            let brighter = 10_f64.powf(0.15 * (20.0 - g_mag));
            let half_light_arcsec = (1.2 * brighter * (0.3 * random.normal()).exp()).min(15.0);
            let (sin, cos) = random.angle_rad().sin_cos();
            let e = random.range(0.05, 0.65);
            Galaxy { ra_rad, dec_rad, g_mag, half_light_arcsec, ellipticity: (e * cos, e * sin) }
        })
        .collect()
}

/// Draws places evenly from the filled square.
struct AreaSampler {
    plane: TangentPlane,
    half_rad: f64,
}

impl AreaSampler {
    fn new(scenario: &Scenario) -> Self {
        let plane = TangentPlane::new(scenario.ra_deg * DEG_RAD, scenario.dec_deg * DEG_RAD);
        Self { plane, half_rad: scenario.half_width_rad() }
    }

    fn draw(&self, random: &mut Random) -> (f64, f64) {
        let xi = random.range(-self.half_rad, self.half_rad);
        let eta = random.range(-self.half_rad, self.half_rad);
        self.plane.deproject(xi, eta)
    }
}

/// The air during one exposure: a smooth random shift of all places.
#[derive(Debug, Clone)]
pub(super) struct Air {
    waves: Vec<Wave>,
}

#[derive(Debug, Clone, Copy)]
struct Wave {
    k_per_rad: (f64, f64),
    phase_rad: f64,
    amplitude_rad: (f64, f64),
}

impl Air {
    /// Waves of 4 to 15 arcmin, `rms_mas` per axis in all.
    pub(super) fn new(seed: u64, frame: usize, rms_mas: f64) -> Self {
        const N_WAVES: usize = 10;
        let mut random = Random::new(seed, Stream::Air, frame, 0);
        // Each wave has random amplitudes of unit variance per axis; a cosine's mean square is 1/2.
        let scale = rms_mas * MAS_RAD * (2.0 / N_WAVES as f64).sqrt();
        let waves = (0..N_WAVES)
            .map(|_| {
                let k = TAU / (random.range(4.0, 15.0) * 60.0 * ARCSEC_RAD);
                let (sin, cos) = random.angle_rad().sin_cos();
                Wave {
                    k_per_rad: (k * cos, k * sin),
                    phase_rad: random.angle_rad(),
                    amplitude_rad: (scale * random.normal(), scale * random.normal()),
                }
            })
            .collect();
        Self { waves }
    }

    /// Standard coordinates [rad] after the air.
    pub(super) fn shifted(&self, (xi, eta): (f64, f64)) -> (f64, f64) {
        self.waves.iter().fold((xi, eta), |(x, y), wave| {
            let c = (wave.k_per_rad.0 * xi + wave.k_per_rad.1 * eta + wave.phase_rad).cos();
            (x + wave.amplitude_rad.0 * c, y + wave.amplitude_rad.1 * c)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_rise_by_the_slope() {
        let mut scenario = Scenario::demo(2);
        scenario.stars.density_per_deg2 = 100_000.0;
        let stars = stars(&scenario);
        let brighter = |g: f64| stars.iter().filter(|s| s.g_mag < g).count() as f64;
        let slope = (brighter(21.0) / brighter(17.0)).log10() / 4.0;
        assert!((slope - scenario.stars.slope_dex_per_mag).abs() < 0.01, "{slope}");
        let density = brighter(20.0) / scenario.area_deg2();
        assert!((density / 100_000.0 - 1.0).abs() < 0.03, "{density}");
    }

    #[test]
    fn air_scatters_as_asked_and_smoothly() {
        let (mut sum2, mut step2, n) = (0.0, 0.0, 400);
        for frame in 0..n {
            let air = Air::new(9, frame, 20.0);
            let near = air.shifted((0.0, 0.0)).0;
            let step = 10.0 * ARCSEC_RAD;
            sum2 += near * near;
            step2 += (air.shifted((step, 0.0)).0 - step - near).powi(2);
        }
        let rms_mas = (sum2 / n as f64).sqrt() / MAS_RAD;
        assert!((rms_mas - 20.0).abs() < 3.0, "{rms_mas}");
        assert!((step2 / n as f64).sqrt() / MAS_RAD < 3.0);
    }

    #[test]
    fn proper_motion_moves_along_the_sphere() {
        let star = Star {
            ra_rad: 1.0,
            dec_rad: 60.0 * DEG_RAD,
            pm_ra_mas_per_yr: 100.0,
            pm_dec_mas_per_yr: -50.0,
            parallax_mas: 0.0,
            g_mag: 15.0,
            bp_rp_mag: 1.0,
        };
        // Ten years: 1 arcsec east is 2 arcsec of right ascension at 60 degrees.
        let (ra, dec) = star.place_rad(2026.0);
        assert!((ra - 1.0 - 2.0 * ARCSEC_RAD).abs() < 1e-12);
        assert!((dec - star.dec_rad + 0.5 * ARCSEC_RAD).abs() < 1e-12);
    }
}

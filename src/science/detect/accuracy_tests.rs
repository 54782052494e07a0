//! Places, light and errors of drawn stars beside the Cramer-Rao bound of their photons.
//!
//! Stars of Gaussian and Moffat profiles are drawn by sub-pixels, not by the model that is fitted,
//! on a sky of known noise. The default run draws few frames; `AUTOSSOS_SLOW=1` enough of them to
//! see 1 mmag.

use super::tests::Sequence;
use super::*;

const SIDE: usize = 1024;
/// Variance of a sky pixel [e-^2].
const SKY_E2: f64 = 436.0;
/// Signal-to-noise ratios of the stars' light, in turn.
const SNRS: [f64; 6] = [10.0, 20.0, 50.0, 100.0, 200.0, 200.0];
/// Distance of the grid the stars lie near [px].
const SPACING_PX: f64 = 30.0;
/// Sub-pixels per axis.
const FINE: usize = 5;

/// A profile's light at a distance, of unit sum.
#[derive(Debug, Clone, Copy)]
enum Profile {
    Gaussian { sigma_px: f64 },
    Moffat { scale_px: f64, beta: f64 },
}

impl Profile {
    fn density(self, dx: f64, dy: f64) -> f64 {
        let r2 = dx * dx + dy * dy;
        match self {
            Self::Gaussian { sigma_px } => {
                let s2 = sigma_px * sigma_px;
                (-0.5 * r2 / s2).exp() / (std::f64::consts::TAU * s2)
            }
            Self::Moffat { scale_px, beta } => {
                let a2 = scale_px * scale_px;
                (beta - 1.0) / (std::f64::consts::PI * a2) * (1.0 + r2 / a2).powf(-beta)
            }
        }
    }

    /// Share of the light in the pixel at (dx, dy).
    fn share(self, dx: f64, dy: f64) -> f64 {
        let step = |k: usize| (k as f64 + 0.5) / FINE as f64 - 0.5;
        let mut sum = 0.0;
        for j in 0..FINE {
            for i in 0..FINE {
                sum += self.density(dx + step(i), dy + step(j));
            }
        }
        sum / (FINE * FINE) as f64
    }

    /// Least errors of light [e-] and of a place's axis [px] for a star in the middle of a pixel.
    fn bounds(self, flux_e: f64) -> (f64, f64) {
        const H: f64 = 0.01;
        let (mut of_light, mut of_place) = (0.0, 0.0);
        for y in -15..=15 {
            for x in -15..=15 {
                // An average place within a pixel.
                let (dx, dy) = (f64::from(x) + 0.25, f64::from(y) + 0.25);
                let share = self.share(dx, dy);
                let slope = (self.share(dx - H, dy) - self.share(dx + H, dy)) / (2.0 * H);
                let variance = SKY_E2 + flux_e * share;
                of_light += share * share / variance;
                of_place += (flux_e * slope).powi(2) / variance;
            }
        }
        (1.0 / of_light.sqrt(), 1.0 / of_place.sqrt())
    }

    /// Light of a star whose light has this signal-to-noise ratio [e-].
    fn flux_of_snr(self, snr: f64) -> f64 {
        let (mut low, mut high) = (1.0_f64, 1e8_f64);
        for _ in 0..60 {
            let middle = (low * high).sqrt();
            if middle / self.bounds(middle).0 < snr { low = middle } else { high = middle }
        }
        low
    }
}

/// A drawn star.
#[derive(Debug, Clone, Copy)]
struct Truth {
    x_px: f64,
    y_px: f64,
    flux_e: f64,
    /// Place in `SNRS`.
    class: usize,
}

/// A frame of stars near a grid, with noise.
fn drawn(profile: Profile, fluxes_e: &[f64], seed: u64) -> (Image<f32>, Image<f32>, Vec<Truth>) {
    let mut random = Sequence(seed);
    let mut ideal = vec![SKY_E2; SIDE * SIDE];
    let mut stars = Vec::new();
    let n = (SIDE as f64 / SPACING_PX) as usize - 1;
    for k in 0..n * n {
        let near = |i: usize, u: f64| (i as f64 + 1.0) * SPACING_PX + u;
        let (x_px, y_px) = (near(k % n, random.uniform()), near(k / n, random.uniform()));
        let class = k % fluxes_e.len();
        stars.push(Truth { x_px, y_px, flux_e: fluxes_e[class], class });
        for y in y_px as usize - 14..=y_px as usize + 15 {
            for x in x_px as usize - 14..=x_px as usize + 15 {
                let share = profile.share(x as f64 - x_px, y as f64 - y_px);
                ideal[y * SIDE + x] += fluxes_e[class] * share;
            }
        }
    }
    let pixels = ideal.iter().map(|v| (v + v.sqrt() * random.normal()) as f32).collect();
    let variance = ideal.iter().map(|v| *v as f32).collect();
    let square = "as many pixels as drawn";
    (
        Image::from_pixels(SIDE, SIDE, pixels).expect(square),
        Image::from_pixels(SIDE, SIDE, variance).expect(square),
        stars,
    )
}

/// Deviations of the stars of one signal-to-noise ratio.
#[derive(Debug, Clone, Default)]
struct Deviations {
    /// Of both axes in units of the bound, and of the quoted error.
    place: Vec<f64>,
    place_pull: Vec<f64>,
    /// Of the light in units of the bound and of the quoted error, and as a share of it.
    light: Vec<f64>,
    light_pull: Vec<f64>,
    share: Vec<f64>,
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// Adds the stars of one frame.
fn add_frame(profile: Profile, fluxes_e: &[f64], seed: u64, sums: &mut [Deviations]) {
    let (pixels, variance, stars) = drawn(profile, fluxes_e, seed);
    let mask = Image::filled(SIDE, SIDE, MaskBits::GOOD);
    let found = extract(&pixels, &variance, &mask, &ExtractParams::default()).expect("a sky");
    let s = &found.sources;
    let nearest = |star: &Truth| {
        let distance = |i: usize| (s.x_px[i] - star.x_px).hypot(s.y_px[i] - star.y_px);
        (0..s.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).expect("a source")
    };
    let pairs: Vec<(Truth, usize)> = stars.iter().map(|star| (*star, nearest(star))).collect();
    // The scale of the light is the bright stars': only differences to them are a bias.
    let bright: Vec<f64> = pairs
        .iter()
        .filter(|(star, _)| star.class >= 4)
        .map(|(star, i)| s.flux_psf_e[*i] / star.flux_e)
        .collect();
    let scale = mean(&bright);
    for (star, i) in pairs {
        let (light_bound_e, place_bound_px) = profile.bounds(star.flux_e);
        let sum = &mut sums[star.class.min(4)];
        let light = s.flux_psf_e[i] / scale - star.flux_e;
        sum.light.push(light / light_bound_e);
        sum.light_pull.push(light / (s.flux_psf_err_e[i] / scale));
        sum.share.push(light / star.flux_e);
        for (deviation, var) in
            [(s.x_px[i] - star.x_px, s.var_xx_px2[i]), (s.y_px[i] - star.y_px, s.var_yy_px2[i])]
        {
            sum.place.push(deviation / place_bound_px);
            sum.place_pull.push(deviation / var.sqrt());
        }
    }
}

/// Draws, extracts and holds the figures against their bars.
fn judge(name: &str, profile: Profile) {
    let n_frames = if std::env::var_os("AUTOSSOS_SLOW").is_some() { 12 } else { 2 };
    let fluxes_e = SNRS.map(|snr| profile.flux_of_snr(snr));
    let mut sums = vec![Deviations::default(); 5];
    for seed in 0..n_frames {
        add_frame(profile, &fluxes_e, 100 + seed, &mut sums);
    }
    for (snr, sum) in SNRS.iter().zip(&sums) {
        let n = sum.light.len() as f64;
        let bias_mmag = -1085.7 * mean(&sum.share);
        let bias_err_mmag = 1085.7 * deviation(&sum.share) / n.sqrt();
        let (place, light) = (deviation(&sum.place), deviation(&sum.light));
        let pulls = (deviation(&sum.place_pull), deviation(&sum.light_pull));
        println!(
            "{name} S/N {snr}: {n} stars, over the bound: place {place:.3}, light {light:.3}; \
             bias {bias_mmag:+.1} +- {bias_err_mmag:.1} mmag; pulls {:.3} {:.3}",
            pulls.0, pulls.1
        );
        // What the number of stars leaves open: three standard errors of a scatter.
        let open = 3.0 / (2.0 * n).sqrt();
        assert!(place < 1.15 + 0.7 * open, "{name} {snr}: place {place}");
        assert!(light < 1.15 + open, "{name} {snr}: light {light}");
        for pull in [pulls.0, pulls.1] {
            assert!((0.9 - open..1.1 + open).contains(&pull), "{name} {snr}: pull {pull}");
        }
        let is_judged = *snr >= 20.0;
        let limit = 3.0 + 3.0 * bias_err_mmag;
        assert!(!is_judged || bias_mmag.abs() < limit, "{name} {snr}: bias {bias_mmag} mmag");
    }
}

#[test]
fn gaussian_stars_are_measured_at_the_bound() {
    judge("Gaussian 3.0 px", Profile::Gaussian { sigma_px: 3.0 / 2.354_82 });
}

#[test]
fn moffat_stars_are_measured_at_the_bound() {
    let scale_px = 3.2 / (2.0 * (2.0_f64.powf(1.0 / 3.0) - 1.0).sqrt());
    judge("Moffat 3.2 px, beta 3", Profile::Moffat { scale_px, beta: 3.0 });
}

#[test]
fn narrow_stars_are_measured_at_the_bound() {
    judge("Gaussian 2.0 px", Profile::Gaussian { sigma_px: 2.0 / 2.354_82 });
}

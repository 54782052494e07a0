//! Aperture correction: which share of a star's light the photometric aperture holds.
//!
//! The mean brightness in rings around bright stars, other sources left out, gives each star's
//! light as a function of radius; the median over the stars is compared with the enclosed light
//! of a Moffat profile (Moffat 1969, A&A 3, 455), f(r) = 1 - (1 + r^2/alpha^2)^(1 - beta), whose
//! two parameters give the light out to infinity, which no real aperture reaches.

use crate::science::detect::aperture::Scene;
use crate::science::image::stats::{clipped_of_sorted, median_and_scatter};

/// Outer radii of the rings in units of the seeing.
const RADII_FWHM: [f64; N_RINGS] = [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0];
const N_RINGS: usize = 11;
/// The local sky is taken in this ring, in units of the seeing.
const SKY_FWHM: (f64, f64) = (5.0, 9.0);
/// Flattest and steepest believable profile.
const BETA_RANGE: (f64, f64) = (1.7, 7.0);
/// Typical 1 / beta of seeing and its spread.
const INVERSE_BETA_TYPICAL: (f64, f64) = (0.32, 0.07);
/// How far 1 / beta of a star's wings may lie from that of its core.
const INVERSE_BETA_CORE_SPREAD: f64 = 0.012;
/// Fewest stars a growth curve rests on.
const STARS_MIN: usize = 3;
/// Error of the enclosed light that no scatter shows, per squared radius in units of the seeing.
const FLOOR_PER_FWHM2: f64 = 6e-4;
/// A ring with less than this share of its pixels usable spoils the star.
const RING_SHARE_MIN: f64 = 0.3;

/// Aperture correction of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ApertureCorrection {
    /// Share of a star's light inside the aperture, 0..1.
    pub share: f64,
    /// Relative error of the share.
    pub share_err: f64,
    /// Exponent of the fitted profile.
    pub beta: f64,
    /// Number of stars it rests on.
    pub n_stars: usize,
}

/// A source as the growth curve sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Column [px].
    pub x_px: f64,
    /// Row [px].
    pub y_px: f64,
    /// Light in the aperture [e-].
    pub flux_e: f64,
}

/// Share of a Moffat star's light inside a circle; `r` and `alpha` in one unit.
pub fn moffat_share(r: f64, alpha: f64, beta: f64) -> f64 {
    1.0 - (1.0 + (r / alpha).powi(2)).powf(1.0 - beta)
}

/// Width parameter of a Moffat profile of a full width at half maximum.
fn alpha_of(fwhm: f64, beta: f64) -> f64 {
    fwhm / (2.0 * (2.0_f64.powf(1.0 / beta) - 1.0).sqrt())
}

/// Share of the aperture for a typical profile, where too few stars are there to measure it.
pub fn typical_share(aperture_fwhm: f64) -> f64 {
    let beta = 1.0 / INVERSE_BETA_TYPICAL.0;
    moffat_share(aperture_fwhm, alpha_of(1.0, beta), beta)
}

/// What is known of the stars before their growth curves are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seeing {
    /// Full width at half maximum [px].
    pub fwhm_px: f64,
    /// Exponent of the Moffat profile that fits the stars' cores, where it was measured.
    pub core_beta: Option<f64>,
}

impl Seeing {
    /// Expected 1 / beta and its spread, which hold the fit when stars are few.
    fn inverse_beta(&self) -> (f64, f64) {
        self.core_beta.map_or(INVERSE_BETA_TYPICAL, |beta| (1.0 / beta, INVERSE_BETA_CORE_SPREAD))
    }
}

/// Measures the aperture correction; `None` with fewer than three usable stars.
///
/// * `stars`: indices in `sources` of bright, unsaturated point sources.
/// * `sources`: all sources of the frame.
/// * `aperture_px`: radius of the photometric aperture.
pub fn aperture_correction(
    scene: Scene<'_>,
    stars: &[usize],
    sources: &[Neighbour],
    seeing: Seeing,
    aperture_px: f64,
) -> Option<ApertureCorrection> {
    let fwhm_px = seeing.fwhm_px;
    let curves: Vec<[f64; N_RINGS]> =
        stars.iter().filter_map(|&star| growth_curve(scene, star, sources, fwhm_px)).collect();
    if curves.len() < STARS_MIN {
        return None;
    }
    let mut points = Vec::with_capacity(N_RINGS);
    for (k, &radius) in RADII_FWHM.iter().enumerate() {
        let values: Vec<f64> = curves.iter().map(|c| c[k]).collect();
        let (middle, scatter) = median_and_scatter(&values)?;
        // 1.25: a median's error is that much larger than a mean's. The floor grows with the
        // area: undetected neighbours and the local sky's error are common to all rings.
        let floor = FLOOR_PER_FWHM2 * radius * radius;
        let err = (1.25 * scatter / (values.len() as f64).sqrt()).hypot(floor);
        points.push((radius * fwhm_px, middle, err));
    }
    let profile = fit_moffat(&points, seeing, aperture_px);
    Some(ApertureCorrection {
        share: profile.share,
        share_err: profile.share_err,
        beta: profile.beta,
        n_stars: curves.len(),
    })
}

/// Light inside each radius over the light inside twice the seeing.
fn growth_curve(
    scene: Scene<'_>,
    star: usize,
    sources: &[Neighbour],
    fwhm_px: f64,
) -> Option<[f64; N_RINGS]> {
    let centre = &sources[star];
    let reach = SKY_FWHM.1 * fwhm_px;
    let spoilers = spoilers(star, sources, reach, fwhm_px);
    let spoils = |x: f64, y: f64| {
        spoilers.iter().any(|&(sx, sy, radius2)| {
            let (dx, dy) = (sx - x, sy - y);
            dx * dx + dy * dy < radius2
        })
    };
    let mut rings = [Ring::default(); N_RINGS];
    let mut sky = Vec::new();
    let rows = bounds(centre.y_px, reach, scene.signal_e.ny())?;
    let columns = bounds(centre.x_px, reach, scene.signal_e.nx())?;
    for y in rows {
        for x in columns.clone() {
            let r = (x as f64 - centre.x_px).hypot(y as f64 - centre.y_px) / fwhm_px;
            if r > SKY_FWHM.1 {
                continue;
            }
            let ring = ring_of(r);
            let is_usable = scene.mask.at(x, y).is_good() && !spoils(x as f64, y as f64);
            let value = scene.signal_e.at(x, y);
            if let Some(k) = ring {
                rings[k].n_all += 1.0;
                if is_usable {
                    rings[k].n += 1.0;
                    rings[k].sum += f64::from(value);
                }
            } else if r >= SKY_FWHM.0 && is_usable {
                sky.push(value);
            }
        }
    }
    sky.sort_unstable_by(f32::total_cmp);
    // As mild as that of the rings, or undetected sources would count in one and not the other.
    let level = clipped_of_sorted(&sky, 6.0).filter(|s| s.n_kept > 50)?.mean;
    enclosed(&rings, level, fwhm_px)
}

/// Circles (x, y, radius squared) [px] that neighbours of a star spoil.
///
/// Each reaches out to where a bright neighbour's wings fall below the sky's noise.
fn spoilers(star: usize, sources: &[Neighbour], reach: f64, fwhm_px: f64) -> Vec<(f64, f64, f64)> {
    let centre = &sources[star];
    let far = reach + 6.0 * fwhm_px;
    sources
        .iter()
        .enumerate()
        .filter(|(i, s)| {
            let (dx, dy) = (s.x_px - centre.x_px, s.y_px - centre.y_px);
            *i != star && dx * dx + dy * dy < far * far
        })
        .map(|(_, s)| {
            let brightness = (s.flux_e / centre.flux_e).max(1e-3).log10() + 3.0;
            let radius = (1.5 + 0.7 * brightness) * fwhm_px;
            (s.x_px, s.y_px, radius * radius)
        })
        .collect()
}

#[derive(Clone, Copy, Default)]
struct Ring {
    n: f64,
    n_all: f64,
    sum: f64,
}

fn ring_of(r_fwhm: f64) -> Option<usize> {
    RADII_FWHM.iter().position(|&outer| r_fwhm < outer)
}

/// Pixels within reach of a place, all inside the frame.
fn bounds(centre: f64, reach: f64, n: usize) -> Option<std::ops::Range<usize>> {
    let (low, high) = ((centre - reach).ceil(), (centre + reach).floor() + 1.0);
    (low >= 0.0 && high <= n as f64).then_some(low as usize..high as usize)
}

/// Sums rings outwards, each by its mean brightness and true area.
fn enclosed(rings: &[Ring; N_RINGS], level: f64, fwhm_px: f64) -> Option<[f64; N_RINGS]> {
    const REFERENCE: usize = 6; // twice the seeing
    let mut curve = [0.0; N_RINGS];
    let (mut light, mut inner) = (0.0, 0.0);
    for (k, ring) in rings.iter().enumerate() {
        if ring.n < RING_SHARE_MIN * ring.n_all || ring.n < 1.0 {
            return None;
        }
        let outer = RADII_FWHM[k] * fwhm_px;
        // Inside, where the profile is steep, the pixels themselves; outside their mean.
        let area = if k < REFERENCE && ring.n >= ring.n_all {
            ring.n_all
        } else {
            std::f64::consts::PI * (outer * outer - inner * inner)
        };
        light += (ring.sum / ring.n - level) * area;
        inner = outer;
        curve[k] = light;
    }
    let reference = curve[REFERENCE];
    (reference > 0.0).then(|| curve.map(|v| v / reference))
}

/// What the growth curve says of the profile.
struct Profile {
    share: f64,
    share_err: f64,
    beta: f64,
}

/// Mean and spread of the aperture's share over all profiles, each weighted by its likelihood.
///
/// The curve and the profiles are normalised to their light inside twice the seeing.
fn fit_moffat(points: &[(f64, f64, f64)], seeing: Seeing, aperture_px: f64) -> Profile {
    const STEPS: i32 = 60;
    let fwhm_px = seeing.fwhm_px;
    let expected = seeing.inverse_beta();
    let chi2 = |alpha: f64, inverse: f64| -> f64 {
        let beta = 1.0 / inverse;
        let reference = moffat_share(2.0 * fwhm_px, alpha, beta);
        let prior = ((inverse - expected.0) / expected.1).powi(2);
        // The innermost rings have few pixels and say little about the wings.
        points
            .iter()
            .skip(2)
            .map(|&(r, y, err)| ((y - moffat_share(r, alpha, beta) / reference) / err).powi(2))
            .sum::<f64>()
            + prior
    };
    let (low, high) = (1.0 / BETA_RANGE.1, 1.0 / BETA_RANGE.0);
    let grid: Vec<(f64, f64, f64)> = (0..=STEPS)
        .flat_map(|i| (0..=STEPS).map(move |j| (i, j)))
        .map(|(i, j)| {
            // Pixels widen the star: the profile's own width is found between half and twice.
            let width = fwhm_px * 2.0_f64.powf(2.0 * f64::from(i) / f64::from(STEPS) - 1.0);
            let inverse = low + (high - low) * f64::from(j) / f64::from(STEPS);
            let alpha = alpha_of(width, 1.0 / inverse);
            (chi2(alpha, inverse), alpha, inverse)
        })
        .collect();
    let best = grid.iter().map(|g| g.0).fold(f64::INFINITY, f64::min);
    let (mut sum, mut share, mut squares, mut inverse_sum) = (0.0, 0.0, 0.0, 0.0);
    for &(value, alpha, inverse) in &grid {
        let weight = (-0.5 * (value - best)).exp();
        let s = moffat_share(aperture_px, alpha, 1.0 / inverse);
        sum += weight;
        share += weight * s;
        squares += weight * s * s;
        inverse_sum += weight * inverse;
    }
    let mean = share / sum;
    Profile {
        share: mean,
        share_err: (squares / sum - mean * mean).max(1e-6).sqrt(),
        beta: sum / inverse_sum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::detect::aperture::{Ellipse, sum_aperture};
    use crate::science::image::Image;
    use crate::science::image::mask::MaskBits;

    /// Mean over each pixel of Moffat stars (x, y, flux), by 5 x 5 sub-pixels.
    fn draw(n: usize, stars: &[(f64, f64, f64)], fwhm: f64, beta: f64) -> Image<f32> {
        let alpha = alpha_of(fwhm, beta);
        let sample = |r2: f64| {
            (beta - 1.0) / (std::f64::consts::PI * alpha * alpha)
                * (1.0 + r2 / (alpha * alpha)).powf(-beta)
        };
        let pixels = (0..n * n)
            .map(|i| {
                let mut sum = 0.0;
                for step in 0..25 {
                    let (dx, dy) =
                        (f64::from(step % 5) * 0.2 - 0.4, f64::from(step / 5) * 0.2 - 0.4);
                    let (x, y) = ((i % n) as f64 + dx, (i / n) as f64 + dy);
                    for star in stars {
                        sum += star.2 * sample((x - star.0).powi(2) + (y - star.1).powi(2)) / 25.0;
                    }
                }
                sum as f32
            })
            .collect();
        Image::from_pixels(n, n, pixels).expect("square")
    }

    fn share_of(stars: &[(f64, f64, f64)], measured: &[usize], beta: f64) -> (f64, f64) {
        let fwhm = 4.0;
        let seeing = Seeing { fwhm_px: fwhm, core_beta: None };
        let signal = draw(180, stars, fwhm, beta);
        let variance = Image::filled(180, 180, 1.0_f32);
        let mask = Image::filled(180, 180, MaskBits::GOOD);
        let scene = Scene { signal_e: &signal, variance_e2: &variance, mask: &mask };
        let sources: Vec<Neighbour> =
            stars.iter().map(|&(x_px, y_px, flux_e)| Neighbour { x_px, y_px, flux_e }).collect();
        let found =
            aperture_correction(scene, measured, &sources, seeing, 1.5 * fwhm).expect("stars");
        // What the same aperture holds of a lonely star of the same profile.
        let alone = draw(121, &[(60.2, 59.9, 1e6)], fwhm, beta);
        let variance = Image::filled(121, 121, 1.0_f32);
        let mask = Image::filled(121, 121, MaskBits::GOOD);
        let scene = Scene { signal_e: &alone, variance_e2: &variance, mask: &mask };
        let inside = sum_aperture(scene, &Ellipse::circle(60.2, 59.9, 1.5 * fwhm));
        (found.share, inside.flux_e / 1e6)
    }

    #[test]
    fn moffat_stars_give_their_own_share() {
        let stars =
            [(50.2, 49.9, 1e6), (130.4, 50.3, 8e5), (50.7, 131.0, 9e5), (130.0, 130.0, 7e5)];
        for beta in [2.6, 3.2, 4.0] {
            let (found, expected) = share_of(&stars, &[0, 1, 2, 3], beta);
            assert!((found / expected - 1.0).abs() < 0.005, "{beta}: {found} {expected}");
        }
    }

    #[test]
    fn neighbours_are_left_out() {
        let stars = [
            (50.2, 49.9, 1e6),
            (130.4, 50.3, 8e5),
            (50.7, 131.0, 9e5),
            (62.0, 55.0, 3e4),
            (125.0, 65.0, 5e4),
            (40.0, 140.0, 2e4),
        ];
        let (found, expected) = share_of(&stars, &[0, 1, 2], 3.2);
        assert!((found / expected - 1.0).abs() < 0.006, "{found} {expected}");
    }

    #[test]
    fn too_few_stars_give_no_correction() {
        let signal = Image::filled(50, 50, 0.0_f32);
        let variance = Image::filled(50, 50, 1.0_f32);
        let mask = Image::filled(50, 50, MaskBits::GOOD);
        let scene = Scene { signal_e: &signal, variance_e2: &variance, mask: &mask };
        let seeing = Seeing { fwhm_px: 3.0, core_beta: None };
        let source = Neighbour { x_px: 25.0, y_px: 25.0, flux_e: 1e4 };
        assert!(aperture_correction(scene, &[0], &[source], seeing, 4.5).is_none());
    }
}

//! Zero points of a night's frames with the colour term and the flat's error they share.
//!
//! Model per star i of frame f: G = Z_f + c (BP-RP - 0.82) + S(u, v) + m, slope one, with S a
//! polynomial of second order in the place on the detector whose mean over the detector is zero: it
//! stands for an error of the flat and for a point spread function that is not modelled well
//! towards the edges, which the aperture's share, itself a mean over the frame, does not see. A
//! frame's few stars tell c badly, and an error of c shifts Z by as much as the stars are redder
//! than the Sun; all frames together tell it well. Weighted least squares, each frame's Z
//! eliminated from the normal equations; weights after Huber (1964, Ann. Math. Stat. 35, 73) first,
//! then clipping. The scatter that no photon noise explains is found from the stars: the floor that
//! makes the robust scatter of the pulls one.

use super::zero_point::SOLAR_BP_RP_MAG;
use crate::science::image::stats::{median, median_and_scatter};
use crate::science::sky::least_squares::NormalEquations;

/// Terms of the polynomial in place.
pub const SPATIAL_TERMS: usize = 5;
/// Colour and place.
const N_SHARED: usize = 1 + SPATIAL_TERMS;
/// Rounds with Huber's weights, and with clipping.
const HUBER_ROUNDS: usize = 6;
const CLIP_ROUNDS: usize = 12;
const HUBER_SIGMA: f64 = 1.345;
/// Smallest floor that is looked for, the first guess, and the largest [mag].
const FLOOR_MAG: (f64, f64, f64) = (0.001, 0.02, 0.3);
/// Error of a colour that the catalogue does not give [mag].
const COLOUR_UNKNOWN_ERR_MAG: f64 = 0.5;
/// Weight of the night's scatter against a frame's own, in stars.
const SCATTER_PRIOR_STARS: f64 = 20.0;

/// Which stars are used and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharedParams {
    /// Stars below this signal-to-noise ratio are left out.
    pub snr_min: f64,
    /// Stars must be fainter than this [mag, Gaia G].
    pub min_mag: f64,
    /// Stars must be brighter than this [mag, Gaia G].
    pub max_mag: f64,
    /// Clipping limit [sigma].
    pub clip_sigma: f64,
    /// Fewest stars with a colour for a colour term.
    pub colour_stars_min: usize,
    /// Spread of believable colour terms about zero, which holds the fit when stars are few.
    pub colour_term_prior: f64,
    /// Fewest stars for a zero point.
    pub stars_min: usize,
    /// Whether the flat's error is looked for.
    pub is_spatial: bool,
}

impl Default for SharedParams {
    fn default() -> Self {
        Self {
            snr_min: 10.0,
            min_mag: -5.0,
            max_mag: 30.0,
            clip_sigma: 3.0,
            colour_stars_min: 8,
            colour_term_prior: 0.15,
            stars_min: 3,
            is_spatial: true,
        }
    }
}

/// A star as a frame saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharedStar {
    /// Gaia G [mag].
    pub g_mag: f64,
    /// Gaia BP-RP [mag].
    pub bp_rp_mag: Option<f64>,
    /// Instrumental magnitude, -2.5 log10(total flux per second); NaN when it has none [mag].
    pub instrumental_mag: f64,
    /// Its error [mag].
    pub instrumental_err_mag: f64,
    /// Place on the detector from its middle, -1..1 over each side.
    pub place: (f64, f64),
    /// Its number in the catalogue: the same star comes back in other frames.
    pub source_id: i64,
}

/// The polynomial in place: change of G for a source there [mag].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spatial {
    /// Coefficients of u, v, u^2 - 1/3, uv, v^2 - 1/3 [mag].
    pub terms_mag: [f64; SPATIAL_TERMS],
}

impl Spatial {
    /// Its value at a place on the detector, -1..1 over each side [mag].
    pub fn at(&self, place: (f64, f64)) -> f64 {
        self.terms_mag.iter().zip(basis(place)).map(|(c, b)| c * b).sum()
    }

    /// Root mean square over the detector [mag].
    pub fn rms_mag(&self) -> f64 {
        const STEPS: i32 = 10;
        let mut sum = 0.0;
        for i in -STEPS..=STEPS {
            for j in -STEPS..=STEPS {
                let place = (f64::from(i) / f64::from(STEPS), f64::from(j) / f64::from(STEPS));
                sum += self.at(place).powi(2);
            }
        }
        (sum / f64::from((2 * STEPS + 1).pow(2))).sqrt()
    }
}

fn basis((u, v): (f64, f64)) -> [f64; SPATIAL_TERMS] {
    // The mean of u^2 over -1..1 is a third.
    [u, v, u * u - 1.0 / 3.0, u * v, v * v - 1.0 / 3.0]
}

/// Zero point of one of the frames.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameZero {
    /// Gaia G of a source of solar colour of one flux unit per second, the detector's mean [mag].
    pub zero_point_mag: f64,
    /// Its error: formal, widened by the scatter of the frame's stars where that is larger.
    pub zero_point_err_mag: f64,
    /// Robust scatter of the stars kept [mag].
    pub scatter_mag: f64,
    /// Stars kept.
    pub n_used: usize,
    /// Whether each star was kept, in step with those given.
    pub is_used: Vec<bool>,
}

/// What the frames share, and each one's zero point.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SharedZeroPoints {
    /// Colour term [mag/mag]; zero when it could not be fitted.
    pub colour_term: f64,
    /// Its error; `None` when it could not be fitted.
    pub colour_term_err: Option<f64>,
    /// The flat's error; `None` when it is not significant.
    pub spatial: Option<Spatial>,
    /// Scatter of the stars that no photon noise explains [mag].
    pub floor_mag: f64,
    /// Frames in the order given; `None` with too few stars.
    pub frames: Vec<Option<FrameZero>>,
}

/// A star in the fit.
struct Row {
    basis: [f64; N_SHARED],
    difference: f64,
    /// Photon noise and unknown colour [mag].
    noise: f64,
    /// Where it stands in its frame's list, and its number in the catalogue.
    index: usize,
    source_id: i64,
    weight: f64,
}

/// Fits the frames of one camera and filter; `frames[f]` are the stars of frame f.
pub fn share_zero_points(frames: &[Vec<SharedStar>], params: &SharedParams) -> SharedZeroPoints {
    let colours: Vec<f64> = frames
        .iter()
        .flatten()
        .filter_map(|star| star.bp_rp_mag)
        .filter(|c| c.is_finite())
        .collect();
    let typical = median(&colours).unwrap_or(SOLAR_BP_RP_MAG);
    let mut rows: Vec<Vec<Row>> = frames.iter().map(|stars| rows(stars, typical, params)).collect();
    for frame in &mut rows {
        if frame.len() < params.stars_min {
            frame.clear();
        }
    }
    let has_colour = colours.len() >= params.colour_stars_min;
    let plain = Terms { has_colour, is_spatial: false };
    let mut fit = solve(&mut rows, plain, params);
    if params.is_spatial
        && let Some(before) = fit.take()
    {
        let scale = misfit(&rows, &before);
        let spatial = Terms { has_colour, is_spatial: true };
        let after = solve(&mut rows, spatial, params);
        let is_better =
            after.as_ref().is_some_and(|fit| is_significant(scale - misfit(&rows, fit), &rows));
        fit = if is_better { after } else { solve(&mut rows, plain, params) };
    }
    let Some(fit) = fit else {
        return SharedZeroPoints {
            frames: vec![None; frames.len()],
            ..SharedZeroPoints::default()
        };
    };
    let mut terms_mag = [0.0; SPATIAL_TERMS];
    terms_mag.copy_from_slice(&fit.shared[1..]);
    SharedZeroPoints {
        colour_term: fit.shared[0],
        colour_term_err: has_colour.then(|| fit.covariance[0].max(0.0).sqrt()),
        spatial: fit.terms.is_spatial.then_some(Spatial { terms_mag }),
        floor_mag: fit.floor,
        frames: rows
            .iter()
            .zip(frames)
            .enumerate()
            .map(|(f, (rows, stars))| frame_zero(rows, stars.len(), (f, &fit), params))
            .collect(),
    }
}

fn rows(stars: &[SharedStar], typical_colour: f64, params: &SharedParams) -> Vec<Row> {
    let err_max = 1.0857 / params.snr_min;
    let is_fit = |s: &SharedStar| {
        s.instrumental_mag.is_finite()
            && s.instrumental_err_mag <= err_max
            && s.g_mag > params.min_mag
            && s.g_mag < params.max_mag
    };
    stars
        .iter()
        .enumerate()
        .filter(|(_, star)| is_fit(star))
        .map(|(index, star)| {
            let known = star.bp_rp_mag.filter(|c| c.is_finite());
            let mut row = [0.0; N_SHARED];
            row[0] = known.unwrap_or(typical_colour) - SOLAR_BP_RP_MAG;
            row[1..].copy_from_slice(&basis(star.place));
            let unknown = if known.is_some() {
                0.0
            } else {
                COLOUR_UNKNOWN_ERR_MAG * 0.5 * params.colour_term_prior
            };
            Row {
                basis: row,
                difference: star.g_mag - star.instrumental_mag,
                noise: star.instrumental_err_mag.hypot(unknown),
                index,
                source_id: star.source_id,
                weight: 0.0,
            }
        })
        .collect()
}

/// Which shared terms are free.
#[derive(Clone, Copy, PartialEq)]
struct Terms {
    has_colour: bool,
    is_spatial: bool,
}

/// A solution.
struct Fit {
    terms: Terms,
    shared: [f64; N_SHARED],
    /// Of the shared terms, row by row.
    covariance: Vec<f64>,
    zeros: Vec<f64>,
    floor: f64,
}

impl Fit {
    fn residual(&self, f: usize, row: &Row) -> f64 {
        let shared: f64 = self.shared.iter().zip(&row.basis).map(|(c, b)| c * b).sum();
        row.difference - self.zeros[f] - shared
    }
}

/// Rounds of weights and solutions.
fn solve(rows: &mut [Vec<Row>], terms: Terms, params: &SharedParams) -> Option<Fit> {
    let mut floor = FLOOR_MAG.1;
    let mut zeros = Vec::with_capacity(rows.len());
    for frame in rows.iter_mut() {
        let differences: Vec<f64> = frame.iter().map(|r| r.difference).collect();
        zeros.push(median(&differences).unwrap_or(0.0));
    }
    let mut fit = Fit { terms, shared: [0.0; N_SHARED], covariance: Vec::new(), zeros, floor };
    for round in 0..HUBER_ROUNDS + CLIP_ROUNDS {
        for (f, frame) in rows.iter_mut().enumerate() {
            for row in frame {
                let sigma = row.noise.hypot(floor);
                let pull = fit.residual(f, row).abs() / sigma;
                let share = if round < HUBER_ROUNDS {
                    if pull > HUBER_SIGMA { HUBER_SIGMA / pull } else { 1.0 }
                } else {
                    f64::from(pull <= params.clip_sigma)
                };
                row.weight = share / (sigma * sigma);
            }
        }
        fit = Fit { floor, ..linear(rows, terms, params)? };
        floor = floor_of(rows, &fit);
    }
    Some(fit)
}

/// One weighted least-squares solution.
fn linear(rows: &[Vec<Row>], terms: Terms, params: &SharedParams) -> Option<Fit> {
    let mut normal = NormalEquations::new(N_SHARED);
    let mut means = Vec::with_capacity(rows.len());
    let mut has_any = false;
    for frame in rows {
        let mean = means_of(frame);
        for row in frame.iter().filter(|r| r.weight > 0.0) {
            has_any = true;
            let mut centred = row.basis;
            centred.iter_mut().zip(&mean.0).for_each(|(b, m)| *b -= m);
            normal.add(&centred, [row.difference - mean.1, 0.0], row.weight);
        }
        means.push(mean);
    }
    if !has_any {
        return None;
    }
    // A term that is not free is held at zero.
    const HELD: f64 = 1e12;
    let prior = if terms.has_colour { params.colour_term_prior.powi(-2) } else { HELD };
    normal.damp(0, prior);
    for i in 1..N_SHARED {
        // Flats are wrong by a few per cent at most.
        normal.damp(i, if terms.is_spatial { 0.05_f64.powi(-2) } else { HELD });
    }
    let covariance = normal.clone().covariance()?;
    let [solved, _] = normal.solve()?;
    let mut shared = [0.0; N_SHARED];
    shared.copy_from_slice(solved.get(..N_SHARED)?);
    let zero = |(mean, difference): &([f64; N_SHARED], f64)| {
        difference - mean.iter().zip(&shared).map(|(m, c)| m * c).sum::<f64>()
    };
    let zeros = means.iter().map(zero).collect();
    Some(Fit { terms, shared, covariance, zeros, floor: FLOOR_MAG.1 })
}

/// Weighted means of a frame's terms and differences.
fn means_of(frame: &[Row]) -> ([f64; N_SHARED], f64) {
    let (mut mean, mut difference, mut weight) = ([0.0; N_SHARED], 0.0, 0.0);
    for row in frame {
        weight += row.weight;
        difference += row.weight * row.difference;
        mean.iter_mut().zip(&row.basis).for_each(|(m, b)| *m += row.weight * b);
    }
    if weight > 0.0 {
        difference /= weight;
        mean.iter_mut().for_each(|m| *m /= weight);
    }
    (mean, difference)
}

/// The floor that makes the robust scatter of the pulls one, by bisection.
fn floor_of(rows: &[Vec<Row>], fit: &Fit) -> f64 {
    const STEPS: usize = 30;
    let residuals: Vec<(f64, f64)> = rows
        .iter()
        .enumerate()
        .flat_map(|(f, frame)| frame.iter().map(move |row| (fit.residual(f, row), row.noise)))
        .collect();
    let scatter = |floor: f64| {
        let pulls: Vec<f64> = residuals.iter().map(|(r, noise)| r / noise.hypot(floor)).collect();
        median_and_scatter(&pulls).map_or(0.0, |(_, scatter)| scatter)
    };
    let (mut low, _, mut high) = FLOOR_MAG;
    for _ in 0..STEPS {
        let middle = (low * high).sqrt();
        if scatter(middle) > 1.0 { low = middle } else { high = middle }
    }
    high
}

/// -2 ln of the likelihood, up to a constant; no star counts for more than at the clipping limit.
fn misfit(rows: &[Vec<Row>], fit: &Fit) -> f64 {
    const PULL_MAX: f64 = 3.0;
    let one = |f: usize, row: &Row| {
        let sigma = row.noise.hypot(fit.floor);
        (fit.residual(f, row).abs() / sigma).min(PULL_MAX).powi(2) + 2.0 * sigma.ln()
    };
    let of_frame =
        |(f, frame): (usize, &Vec<Row>)| frame.iter().map(|row| one(f, row)).sum::<f64>();
    rows.iter().enumerate().map(of_frame).sum()
}

/// Whether the polynomial is more than an accident of the stars, by Schwarz's criterion (1978, Ann.
/// Stat. 6, 461).
///
/// The same stars come back in every frame, and with them what the catalogue does not tell of
/// them: the gain counts once for each star.
fn is_significant(gain: f64, rows: &[Vec<Row>]) -> bool {
    const GAIN_MORE: f64 = 6.0;
    let mut stars: Vec<i64> = rows.iter().flatten().map(|row| row.source_id).collect();
    let n_rows = stars.len().max(1) as f64;
    stars.sort_unstable();
    stars.dedup();
    let n_stars = stars.len().max(1) as f64;
    gain * n_stars / n_rows > SPATIAL_TERMS as f64 * n_stars.ln() + GAIN_MORE
}

fn frame_zero(
    rows: &[Row],
    n_stars: usize,
    (f, fit): (usize, &Fit),
    params: &SharedParams,
) -> Option<FrameZero> {
    let kept: Vec<&Row> = rows.iter().filter(|row| row.weight > 0.0).collect();
    if kept.len() < params.stars_min {
        return None;
    }
    let residuals: Vec<f64> = kept.iter().map(|row| fit.residual(f, row)).collect();
    let pulls: Vec<f64> =
        kept.iter().zip(&residuals).map(|(row, r)| r / row.noise.hypot(fit.floor)).collect();
    let n = kept.len() as f64;
    let own = median_and_scatter(&pulls).map_or(1.0, |(_, scatter)| scatter);
    let scale2 = (SCATTER_PRIOR_STARS + n * own * own) / (SCATTER_PRIOR_STARS + n);
    let weight: f64 = kept.iter().map(|row| row.weight).sum();
    let (mean, _) = means_of(rows);
    let mut common = 0.0;
    for i in 0..N_SHARED {
        for j in 0..N_SHARED {
            common += mean[i] * fit.covariance[i * N_SHARED + j] * mean[j];
        }
    }
    let mut is_used = vec![false; n_stars];
    for row in &kept {
        is_used[row.index] = true;
    }
    Some(FrameZero {
        zero_point_mag: fit.zeros[f],
        zero_point_err_mag: (scale2.max(1.0) / weight + common.max(0.0)).sqrt(),
        scatter_mag: median_and_scatter(&residuals).map_or(0.0, |(_, scatter)| scatter),
        n_used: kept.len(),
        is_used,
    })
}

#[cfg(test)]
mod tests;

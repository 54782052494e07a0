//! Names moving objects after predicted places of known ones, on place and motion.
//!
//! For each pair of a mover and a known object the offsets observed minus predicted are taken in
//! all frames with a prediction, on the sphere. A pair is possible if the offsets are small enough
//! in most frames and the rates agree; its cost is a chi-square of mean offset, rate and brightness
//! plus the logarithm of the offset's variance, so that an object whose place is badly known does
//! not win by being close to everything. All pairs are then assigned together: one object is one
//! mover, and the sum of costs is smallest (Kuhn 1955; Jonker & Volgenant's shortest paths).

use super::super::image::stats::median;
use super::super::sky::vector::offset_rad;
use super::super::units::ARCSEC_RAD;
use super::known::KnownTrack;

/// Error of the observed rate below which it is not believed [arcsec/h].
const RATE_ERR_LEAST_ARCSEC_PER_H: f64 = 0.3;
/// Error of a predicted rate as a share of it.
const RATE_ERR_SHARE: f64 = 0.005;
/// Error of a predicted rate per error of the place: a place that is off by 1 arcsec was so for
/// months [1/h].
const RATE_ERR_PER_PLACE_ERR: f64 = 0.01;
/// Error of the frames' common system [arcsec].
const SYSTEM_ERR_ARCSEC: f64 = 0.3;
/// Gaia G minus V of a body of solar colour [mag].
const G_MINUS_V_MAG: f64 = -0.17;
/// Error of a predicted magnitude: rotation, phase, H [mag].
const MAG_ERR_MAG: f64 = 0.8;
/// Most that brightness may count against a pair.
const MAG_CHI2_MAX: f64 = 9.0;
/// Cost of leaving a mover without a name although one is possible.
const COST_OF_NONE: f64 = 1000.0;

/// Rules for taking a mover for a known object.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentifyParams {
    /// Separation always allowed [arcsec].
    pub radius_arcsec: f64,
    /// ... plus this many times the prediction's error.
    pub err_factor: f64,
    /// Largest error of a prediction that counts; a larger one is cut to it [arcsec].
    pub err_max_arcsec: f64,
    /// Largest difference of the rates [arcsec/h], besides a tenth of the rate.
    pub rate_difference_arcsec_per_h: f64,
}

impl Default for IdentifyParams {
    fn default() -> Self {
        Self {
            radius_arcsec: 5.0,
            err_factor: 3.0,
            err_max_arcsec: 20.0,
            rate_difference_arcsec_per_h: 8.0,
        }
    }
}

/// One detection of a mover.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// When [d, MJD UTC].
    pub mjd_utc: f64,
    /// Right ascension [rad].
    pub ra_rad: f64,
    /// Declination [rad].
    pub dec_rad: f64,
    /// Error of the place per axis [arcsec].
    pub err_arcsec: f64,
}

/// A mover that may be a known object.
#[derive(Debug, Clone, PartialEq)]
pub struct Mover {
    /// Its detections in order of time.
    pub seen: Vec<Seen>,
    /// Rates east and north [arcsec/h].
    pub rate_arcsec_per_h: (f64, f64),
    /// Error of the rate per axis [arcsec/h].
    pub rate_err_arcsec_per_h: f64,
    /// Magnitude [mag, Gaia G].
    pub g_mag: Option<f64>,
}

/// How well a known object fits a mover.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Index of the mover.
    pub mover: usize,
    /// Index of the known object.
    pub object: usize,
    /// Predicted place (RA, Dec) [rad] at each detection.
    pub predicted_rad: Vec<Option<(f64, f64)>>,
    /// Observed minus predicted, east and north [arcsec], at each detection.
    pub offsets_arcsec: Vec<Option<(f64, f64)>>,
    /// Median separation [arcsec].
    pub separation_arcsec: f64,
    /// Predicted rates east and north [arcsec/h], when the prediction has some.
    pub predicted_rate_arcsec_per_h: Option<(f64, f64)>,
    /// Chi-square of place, rate and brightness: five degrees of freedom at most.
    pub chi2: f64,
    cost: f64,
}

/// Which movers are which known objects.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assignment {
    /// The pairs, in order of the movers; each mover and each object at most once.
    pub pairs: Vec<Fit>,
    /// Movers without a name that fit an object which another one is: (mover, object).
    pub doubles: Vec<(usize, usize)>,
}

/// Compares a mover with a known object; `None` when they cannot be the same.
pub fn compare(mover: &Mover, object: &KnownTrack, params: &IdentifyParams) -> Option<Fit> {
    let rate = mover.rate_arcsec_per_h;
    let speed = rate.0.hypot(rate.1);
    let slack = params.rate_difference_arcsec_per_h + 0.1 * speed;
    let reach_max = params.radius_arcsec + params.err_factor * params.err_max_arcsec;
    let (mut predicted_rad, mut offsets) = (Vec::new(), Vec::new());
    let (mut inside, mut errors, mut rates) = (0, Vec::new(), Vec::new());
    for seen in &mover.seen {
        let at = object.at(seen.mjd_utc);
        predicted_rad.push(at.map(|at| (at.ra_rad, at.dec_rad)));
        let Some(at) = at else {
            offsets.push(None);
            continue;
        };
        let offset = offset_rad((at.ra_rad, at.dec_rad), (seen.ra_rad, seen.dec_rad));
        let offset = (offset.0 / ARCSEC_RAD, offset.1 / ARCSEC_RAD);
        let err = at.err_arcsec.clamp(0.0, params.err_max_arcsec);
        let separation = offset.0.hypot(offset.1);
        // Most objects end here: they are elsewhere in the field.
        if inside == 0 && separation > 20.0 * reach_max {
            return None;
        }
        inside += usize::from(separation <= params.radius_arcsec + params.err_factor * err);
        offsets.push(Some(offset));
        errors.push((err, seen.err_arcsec));
        rates.extend(at.rate_arcsec_per_h);
    }
    if errors.is_empty() || 2 * inside < errors.len().max(mover.seen.len()) {
        return None;
    }
    let middle = |values: Vec<f64>| median(&values);
    let predicted_rate = middle(rates.iter().map(|r| r.0).collect())
        .zip(middle(rates.iter().map(|r| r.1).collect()));
    let off_rate = predicted_rate.map_or(0.0, |p| (rate.0 - p.0).hypot(rate.1 - p.1));
    if off_rate > slack + 3.0 * mover.rate_err_arcsec_per_h.min(slack) {
        return None;
    }
    let measured: Vec<(f64, f64)> = offsets.iter().copied().flatten().collect();
    let separation_arcsec = middle(measured.iter().map(|o| o.0.hypot(o.1)).collect())?;
    let (chi2, width) = chi_square(mover, object, (&measured, &errors), (off_rate, speed))?;
    Some(Fit {
        mover: 0,
        object: 0,
        predicted_rad,
        offsets_arcsec: offsets,
        separation_arcsec,
        predicted_rate_arcsec_per_h: predicted_rate,
        chi2,
        cost: chi2 + 2.0 * width.ln(),
    })
}

/// Two numbers per detection: an offset east and north, or two errors [arcsec].
type Pair = (f64, f64);

/// Chi-square of a pair, and the variance of its mean offset in units of the least one.
fn chi_square(
    mover: &Mover,
    object: &KnownTrack,
    (offsets, errors): (&[Pair], &[Pair]),
    (off_rate, speed): (f64, f64),
) -> Option<(f64, f64)> {
    let n = offsets.len() as f64;
    let east = median(&offsets.iter().map(|o| o.0).collect::<Vec<_>>())?;
    let north = median(&offsets.iter().map(|o| o.1).collect::<Vec<_>>())?;
    let predicted_err = median(&errors.iter().map(|e| e.0).collect::<Vec<_>>())?;
    let seen_err = median(&errors.iter().map(|e| e.1).collect::<Vec<_>>())?;
    let variance = predicted_err.powi(2) + SYSTEM_ERR_ARCSEC.powi(2) + seen_err.powi(2) / n;
    let rate_err = mover
        .rate_err_arcsec_per_h
        .max(RATE_ERR_LEAST_ARCSEC_PER_H)
        .hypot(RATE_ERR_SHARE * speed)
        .hypot(RATE_ERR_PER_PLACE_ERR * predicted_err);
    let mag_chi2 = match (mover.g_mag, object.v_mag()) {
        (Some(g), Some(v)) => ((g - v - G_MINUS_V_MAG) / MAG_ERR_MAG).powi(2).min(MAG_CHI2_MAX),
        _ => 0.0,
    };
    let chi2 = (east * east + north * north) / variance + (off_rate / rate_err).powi(2) + mag_chi2;
    Some((chi2, variance / SYSTEM_ERR_ARCSEC.powi(2)))
}

/// Assigns known objects to movers: the likeliest pairs taken together.
pub fn assign(movers: &[Mover], objects: &[KnownTrack], params: &IdentifyParams) -> Assignment {
    let mut fits: Vec<Fit> = Vec::new();
    for (m, mover) in movers.iter().enumerate() {
        for (o, object) in objects.iter().enumerate() {
            if let Some(fit) = compare(mover, object, params) {
                fits.push(Fit { mover: m, object: o, ..fit });
            }
        }
    }
    let mut columns: Vec<usize> = fits.iter().map(|fit| fit.object).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut rows: Vec<usize> = fits.iter().map(|fit| fit.mover).collect();
    rows.dedup();
    // Beside the objects a column per mover: it stays without a name.
    let width = columns.len() + rows.len();
    let mut costs = vec![vec![COST_OF_NONE; width]; rows.len()];
    for row in &mut costs {
        row[..columns.len()].fill(2.0 * COST_OF_NONE);
    }
    let place = |all: &[usize], wanted: usize| all.binary_search(&wanted).ok();
    for fit in &fits {
        if let (Some(r), Some(c)) = (place(&rows, fit.mover), place(&columns, fit.object)) {
            costs[r][c] = fit.cost.min(COST_OF_NONE - 1.0);
        }
    }
    let chosen: Vec<(usize, usize)> = cheapest(&costs)
        .into_iter()
        .enumerate()
        .filter_map(|(r, c)| Some((rows[r], *columns.get(c)?)))
        .collect();
    let is_chosen = |fit: &Fit| chosen.contains(&(fit.mover, fit.object));
    let is_named = |mover: usize| chosen.iter().any(|pair| pair.0 == mover);
    let doubles = fits.iter().filter(|fit| !is_named(fit.mover));
    let doubles = doubles.map(|fit| (fit.mover, fit.object)).collect();
    fits.retain(is_chosen);
    Assignment { pairs: fits, doubles }
}

/// The column of each row such that no column is taken twice and the sum of costs is smallest.
///
/// * `costs`: at least as many columns as rows. Shortest augmenting paths with potentials.
fn cheapest(costs: &[Vec<f64>]) -> Vec<usize> {
    let width = costs.first().map_or(0, Vec::len);
    let mut row_of: Vec<Option<usize>> = vec![None; width];
    let (mut of_row, mut of_column) = (vec![0.0; costs.len()], vec![0.0; width]);
    for start in 0..costs.len() {
        let mut shortest = vec![f64::INFINITY; width];
        let mut came_from: Vec<Option<usize>> = vec![None; width];
        let mut is_done = vec![false; width];
        let (mut row, mut last) = (start, None);
        let end = loop {
            let mut next: Option<(usize, f64)> = None;
            for column in (0..width).filter(|c| !is_done[*c]) {
                let reduced = costs[row][column] - of_row[row] - of_column[column];
                if reduced < shortest[column] {
                    shortest[column] = reduced;
                    came_from[column] = last;
                }
                if next.is_none_or(|(_, least)| shortest[column] < least) {
                    next = Some((column, shortest[column]));
                }
            }
            // There is a free column as long as there are not more rows than columns.
            let Some((column, step)) = next else { return Vec::new() };
            of_row[start] += step;
            for done in (0..width).filter(|c| is_done[*c]) {
                of_column[done] -= step;
                if let Some(row) = row_of[done] {
                    of_row[row] += step;
                }
            }
            for open in (0..width).filter(|c| !is_done[*c]) {
                shortest[open] -= step;
            }
            is_done[column] = true;
            match row_of[column] {
                None => break column,
                Some(taken) => (row, last) = (taken, Some(column)),
            }
        };
        let mut column = end;
        while let Some(before) = came_from[column] {
            row_of[column] = row_of[before];
            column = before;
        }
        row_of[column] = Some(start);
    }
    let mut chosen = vec![usize::MAX; costs.len()];
    for (column, row) in row_of.into_iter().enumerate() {
        if let Some(row) = row {
            chosen[row] = column;
        }
    }
    chosen
}

#[cfg(test)]
mod tests;

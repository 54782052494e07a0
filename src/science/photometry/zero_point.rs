//! Zero point of a frame against Gaia G, with a linear colour term.
//!
//! Model per star: G = Z + c (BP-RP - 0.82) - 2.5 log10(flux / exposure), slope one. Weighted
//! least squares with a Huber start and 3 sigma clipping (Huber 1964, Ann. Math. Stat. 35, 73).

use crate::science::image::stats::{median, median_and_scatter};

/// BP-RP of the colour the zero point holds for: the Sun's (Casagrande & VandenBerg 2018,
/// MNRAS 479, L102).
pub const SOLAR_BP_RP_MAG: f64 = 0.82;

/// Which stars are used and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ZeroPointParams {
    /// Stars below this signal-to-noise ratio are left out.
    pub snr_min: f64,
    /// Scatter that no photon noise explains: flat field, variability [mag].
    pub scatter_floor_mag: f64,
    /// Clipping limit [sigma].
    pub clip_sigma: f64,
    /// Fewest stars with a colour for a colour term of the frame's own.
    pub colour_stars_min: usize,
    /// Spread of believable colour terms about zero, which holds the fit when stars are few.
    pub colour_term_prior: f64,
    /// Fewest stars for a zero point.
    pub stars_min: usize,
}

impl Default for ZeroPointParams {
    fn default() -> Self {
        Self {
            snr_min: 15.0,
            scatter_floor_mag: 0.01,
            clip_sigma: 3.0,
            colour_stars_min: 5,
            colour_term_prior: 0.15,
            stars_min: 3,
        }
    }
}

/// A star measured on the frame and listed in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhotometricStar {
    /// Gaia G [mag].
    pub g_mag: f64,
    /// Gaia BP-RP [mag].
    pub bp_rp_mag: Option<f64>,
    /// Instrumental magnitude, -2.5 log10(total flux per second).
    pub instrumental_mag: f64,
    /// Its error [mag].
    pub instrumental_err_mag: f64,
}

/// Zero point of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZeroPoint {
    /// Gaia G of a source of solar colour giving one flux unit per second [mag].
    pub zero_point_mag: f64,
    /// Error from the scatter of the stars [mag].
    pub zero_point_err_mag: f64,
    /// Colour term [mag/mag]; zero when it could not be fitted.
    pub colour_term: f64,
    /// Error of the colour term; `None` when it could not be fitted.
    pub colour_term_err: Option<f64>,
    /// Scatter of the stars about the fit [mag].
    pub scatter_mag: f64,
    /// Number of stars kept.
    pub n_stars: usize,
}

/// Fits zero point and colour term; `None` with too few stars.
///
/// Stars without a colour are used with the median colour of the others and a wider error; when
/// no star has one the colour term is zero.
pub fn fit_zero_point(stars: &[PhotometricStar], params: &ZeroPointParams) -> Option<ZeroPoint> {
    const COLOUR_UNKNOWN_ERR_MAG: f64 = 0.05;
    let err_max = 1.0857 / params.snr_min;
    let used: Vec<&PhotometricStar> = stars
        .iter()
        .filter(|s| s.instrumental_err_mag <= err_max && s.instrumental_mag.is_finite())
        .collect();
    let colours: Vec<f64> = used.iter().filter_map(|s| s.bp_rp_mag).collect();
    let typical_colour = median(&colours).unwrap_or(SOLAR_BP_RP_MAG);
    let rows: Vec<Row> = used
        .iter()
        .map(|s| {
            let extra = if s.bp_rp_mag.is_some() || colours.is_empty() {
                0.0
            } else {
                COLOUR_UNKNOWN_ERR_MAG
            };
            Row {
                colour: s.bp_rp_mag.unwrap_or(typical_colour) - SOLAR_BP_RP_MAG,
                difference: s.g_mag - s.instrumental_mag,
                sigma: s.instrumental_err_mag.hypot(params.scatter_floor_mag).hypot(extra),
            }
        })
        .collect();
    let has_colour = colours.len() >= params.colour_stars_min;
    robust_line(&rows, has_colour, params)
}

struct Row {
    colour: f64,
    difference: f64,
    sigma: f64,
}

fn robust_line(rows: &[Row], has_colour: bool, params: &ZeroPointParams) -> Option<ZeroPoint> {
    const ROUNDS: usize = 15;
    const HUBER_SIGMA: f64 = 1.345;
    if rows.len() < params.stars_min {
        return None;
    }
    let differences: Vec<f64> = rows.iter().map(|r| r.difference).collect();
    let (start, spread) = median_and_scatter(&differences)?;
    let (mut zero, mut slope) = (start, 0.0);
    let mut scale = (spread / 0.02).max(1.0);
    let mut weights = vec![1.0; rows.len()];
    let mut fit = Line::default();
    for round in 0..ROUNDS {
        for (weight, row) in weights.iter_mut().zip(rows) {
            let pull = (row.difference - zero - slope * row.colour).abs() / (scale * row.sigma);
            let robust = if round < 5 {
                if pull > HUBER_SIGMA { HUBER_SIGMA / pull } else { 1.0 }
            } else {
                f64::from(pull <= params.clip_sigma)
            };
            *weight = robust / (row.sigma * row.sigma);
        }
        let prior = has_colour.then_some(params.colour_term_prior);
        fit = weighted_line(rows, &weights, prior)?;
        (zero, slope) = (fit.zero, fit.slope);
        let pulls: Vec<f64> =
            rows.iter().map(|r| (r.difference - zero - slope * r.colour) / r.sigma).collect();
        scale = median_and_scatter(&pulls)?.1.max(0.5);
    }
    let kept = || rows.iter().zip(&weights).filter(|(_, w)| **w > 0.0).map(|(r, _)| r);
    let n_stars = kept().count();
    if n_stars < params.stars_min {
        return None;
    }
    let residuals: Vec<f64> = kept().map(|r| r.difference - zero - slope * r.colour).collect();
    let scatter_mag = median_and_scatter(&residuals)?.1;
    let inflation = scale.max(1.0);
    Some(ZeroPoint {
        zero_point_mag: zero,
        zero_point_err_mag: fit.zero_err * inflation,
        colour_term: slope,
        colour_term_err: has_colour.then_some(fit.slope_err * inflation),
        scatter_mag,
        n_stars,
    })
}

#[derive(Default)]
struct Line {
    zero: f64,
    zero_err: f64,
    slope: f64,
    slope_err: f64,
}

fn weighted_line(rows: &[Row], weights: &[f64], slope_prior: Option<f64>) -> Option<Line> {
    let (mut w, mut wx, mut wy, mut wxx, mut wxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (row, &weight) in rows.iter().zip(weights) {
        w += weight;
        wx += weight * row.colour;
        wy += weight * row.difference;
        wxx += weight * row.colour * row.colour;
        wxy += weight * row.colour * row.difference;
    }
    if w <= 0.0 {
        return None;
    }
    let Some(prior) = slope_prior else {
        return Some(Line { zero: wy / w, zero_err: (1.0 / w).sqrt(), slope: 0.0, slope_err: 0.0 });
    };
    wxx += 1.0 / (prior * prior);
    let determinant = w * wxx - wx * wx;
    Some(Line {
        zero: (wxx * wy - wx * wxy) / determinant,
        zero_err: (wxx / determinant).sqrt(),
        slope: (w * wxy - wx * wy) / determinant,
        slope_err: (w / determinant).sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stars on an exact line, with a few far off it.
    fn stars(n: usize, n_bad: usize) -> Vec<PhotometricStar> {
        (0..n)
            .map(|i| {
                let g = 13.0 + 0.05 * i as f64;
                let colour = 0.4 + 0.03 * ((i * 7) % 40) as f64;
                let bad = if i < n_bad { 0.6 } else { 0.0 };
                PhotometricStar {
                    g_mag: g,
                    bp_rp_mag: Some(colour),
                    instrumental_mag: g - 22.5 + 0.06 * (colour - 0.82) + bad,
                    instrumental_err_mag: 0.01,
                }
            })
            .collect()
    }

    #[test]
    fn zero_point_and_colour_term_survive_outliers() {
        let fit = fit_zero_point(&stars(60, 9), &ZeroPointParams::default()).expect("stars");
        assert!((fit.zero_point_mag - 22.5).abs() < 1e-4, "{fit:?}");
        assert!((fit.colour_term + 0.06).abs() < 1e-4, "{fit:?}");
        assert_eq!(fit.n_stars, 51);
    }

    #[test]
    fn exact_data_without_scatter_is_no_fault() {
        let fit = fit_zero_point(&stars(30, 0), &ZeroPointParams::default()).expect("stars");
        assert!((fit.zero_point_mag - 22.5).abs() < 1e-4 && fit.zero_point_err_mag > 0.0);
    }

    #[test]
    fn few_colours_give_no_colour_term_and_no_stars_no_zero_point() {
        let few = fit_zero_point(&stars(4, 0), &ZeroPointParams::default()).expect("four stars");
        assert!(few.colour_term_err.is_none());
        assert!(fit_zero_point(&[], &ZeroPointParams::default()).is_none());
    }
}

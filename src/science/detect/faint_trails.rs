//! Trails too faint for the point filter: nowhere on them does the light of one seeing disc stand
//! out of the noise, but along the line it adds up.
//!
//! The best linear detector of a trail is its correlation with a star drawn along the line. The
//! map of the matched filter is already correlated with the star, so what is left is its sum along
//! lines of a few lengths and directions ([`LENGTHS_FWHM`]). Sources that the map shows well are
//! taken out first. The map is smooth and may be binned; what a sum of its correlated values
//! scatters is computed, not measured. Summits above a threshold that pure noise passes
//! [`ALARMS_PER_MPX`] times are fitted as trails ([`super::trail`]) where light lies evenly along
//! the line, and must be explained much better by a trail than by a star anywhere on it.

use multiversion::multiversion;
use rayon::prelude::*;

use super::aperture::Scene;
use super::background::Background;
use super::line::stamp_along;
use super::psf_fit::fit_light;
use super::psf_model::PsfModel;
use super::segment::Segment;
use super::trail::{Belief, Trail, TrailGuess, fit_trail};
use crate::science::image::Image;
use crate::science::units::FWHM_PER_SIGMA;

/// Lengths of the lines in units of the seeing; between two the sum loses a twentieth.
const LENGTHS_FWHM: [f64; 3] = [2.5, 4.0, 6.5];
/// Accidents of pure noise that reach the fits, per million pixels.
const ALARMS_PER_MPX: f64 = 3.0;
/// Sources from this summit on are taken out: their wings would add up along any line.
const KNOWN_SNR: f32 = 7.0;
/// ... with this margin around their pixels, bright ones with that [FWHM].
const MARGIN_FWHM: f64 = 0.8;
const MARGIN_BRIGHT_FWHM: f64 = 2.0;
const BRIGHT_SNR: f32 = 50.0;
/// A single value of the map counts no more than this: what stands out alone is no trail.
const VALUE_MAX: f32 = 5.0;
/// The sum's square exceeds that of the highest value on the line by at least this.
const GAIN_MIN: f64 = 8.0;
/// Binned pixels per seeing disc that are enough.
const BINS_PER_FWHM: f64 = 1.5;
/// Most summits of a frame that are looked at, and most of them that are fitted; the highest stay.
const SUMMITS_MAX: usize = 500;
const FITTED_MAX: usize = 60;
/// Neighbouring cells and lines whose sums are nearly the same.
const ALIKE: f64 = 3.0;
/// A trail is even: values a seeing disc apart scatter about their mean with this variance at most.
const SCATTER_MAX: f64 = 3.0;
/// What is believed of a faint trail: chi-squared it saves, length in its errors and in the seeing.
const BELIEF: Belief = Belief { gain_chi2_min: 9.0, length_sigma_min: 2.5, length_fwhm_min: 1.5 };
/// In a crowd, more than one source in so many pixels, lines of faint stars are everywhere.
const CROWD_PX: usize = 300;
/// Least light of a trail in units of its error.
const LIGHT_SNR_MIN: f64 = 4.5;

/// A line to sum along, on the binned map.
struct LineFilter {
    length_px: f64,
    angle_rad: f64,
    /// Steps (columns, rows) from the middle.
    steps: Vec<(i32, i32)>,
    /// Brings the sum to unit noise.
    scale: f32,
}

/// A summit of the sums.
#[derive(Debug, Clone, Copy)]
struct Summit {
    snr: f32,
    column: usize,
    row: usize,
    filter: usize,
}

/// A faint trail with its pixels as a source.
pub(super) struct FaintTrail {
    /// Its pixels; the height is that of the sum along the line.
    pub(super) segment: Segment,
    /// The trail.
    pub(super) trail: Trail,
}

/// Finds faint trails.
///
/// * `snr`: the matched filter's map for a seeing of `fwhm_px`.
/// * `known`: the sources found on it; `trails`: those of them that are trails.
pub(super) fn faint_trails(
    scene: Scene<'_>,
    (sky, psf): (&Background, &PsfModel),
    (snr, fwhm_px): (&Image<f32>, f64),
    (known, trails): (&[Segment], &[Option<Trail>]),
) -> Vec<FaintTrail> {
    let bin = ((fwhm_px / BINS_PER_FWHM).round() as usize).clamp(2, 16);
    let (columns, rows) = (snr.nx() / bin, snr.ny() / bin);
    if columns < 8 || rows < 8 || known.len() > snr.pixels().len() / CROWD_PX {
        return Vec::new();
    }
    let binned = binned(snr, &kept_out(snr, known, fwhm_px), bin);
    let filters = bank(fwhm_px, bin);
    let n_trials = (columns * rows * filters.len()) as f64 / ALIKE;
    let threshold = threshold(n_trials, snr.pixels().len() as f64);
    let summits = summits(&binned, &filters, threshold);
    let known_lines: Vec<&Trail> = trails.iter().flatten().collect();
    let at = |cell: usize| (cell as f64 + 0.5) * bin as f64 - 0.5;
    let guesses: Vec<(TrailGuess, f32)> = summits
        .iter()
        .map(|summit| {
            let LineFilter { length_px, angle_rad, .. } = filters[summit.filter];
            let (x_px, y_px) = (at(summit.column), at(summit.row));
            (TrailGuess { x_px, y_px, length_px, angle_rad }, summit.snr)
        })
        .filter(|(guess, _)| is_even(snr, fwhm_px, guess))
        .take(FITTED_MAX)
        .collect();
    let found: Vec<Option<FaintTrail>> = guesses
        .par_iter()
        .map(|(guess, height)| fitted(scene, (sky, psf), (snr, fwhm_px), (guess, *height)))
        .collect();
    let mut trails: Vec<FaintTrail> = Vec::new();
    for one in found.into_iter().flatten() {
        let is_new = |other: &Trail| {
            let (dx, dy) = (one.trail.x_px - other.x_px, one.trail.y_px - other.y_px);
            dx.hypot(dy) > 0.5 * (one.trail.length_px + other.length_px).max(2.0 * fwhm_px)
        };
        if trails.iter().all(|t| is_new(&t.trail)) && known_lines.iter().all(|t| is_new(t)) {
            trails.push(one);
        }
    }
    trails
}

/// The pixels that well seen sources spoil.
fn kept_out(snr: &Image<f32>, known: &[Segment], fwhm_px: f64) -> Image<u8> {
    let (nx, ny) = (snr.nx(), snr.ny());
    let mut out = Image::filled(nx, ny, 0_u8);
    for segment in known.iter().filter(|s| s.peak_snr >= KNOWN_SNR) {
        let widths = if segment.peak_snr >= BRIGHT_SNR { MARGIN_BRIGHT_FWHM } else { MARGIN_FWHM };
        let margin = (widths * fwhm_px).ceil() as usize;
        // Runs of a row are widened at once.
        let mut places = segment.pixels.clone();
        places.sort_unstable();
        let mut rest = places.as_slice();
        while let Some(&first) = rest.first() {
            let (y, x) = (first as usize / nx, first as usize % nx);
            let run =
                rest.iter().enumerate().take_while(|(k, p)| **p as usize == first as usize + k);
            let n = run.count().min(nx - x);
            rest = &rest[n.max(1)..];
            let (low, high) = (x.saturating_sub(margin), (x + n + margin).min(nx));
            for row in y.saturating_sub(margin)..(y + margin + 1).min(ny) {
                out.row_mut(row)[low..high].fill(1);
            }
        }
    }
    out
}

/// Sums of the map over cells of `bin` x `bin` pixels; what is kept out counts as zero.
fn binned(snr: &Image<f32>, out: &Image<u8>, bin: usize) -> Image<f32> {
    let (columns, rows) = (snr.nx() / bin, snr.ny() / bin);
    let mut cells = Image::filled(columns, rows, 0.0_f32);
    cells.pixels_mut().par_chunks_mut(columns).enumerate().for_each(|(row, cells)| {
        for y in row * bin..(row + 1) * bin {
            let (values, out) = (snr.row(y), out.row(y));
            for (column, cell) in cells.iter_mut().enumerate() {
                for x in column * bin..(column + 1) * bin {
                    let value = if out[x] == 0 && values[x].is_finite() { values[x] } else { 0.0 };
                    *cell += value.clamp(-VALUE_MAX, VALUE_MAX);
                }
            }
        }
    });
    cells
}

/// Lines of all lengths and directions.
///
/// Two neighbouring directions lie a seeing disc apart at the line's ends.
fn bank(fwhm_px: f64, bin: usize) -> Vec<LineFilter> {
    let mut filters = Vec::new();
    for length_fwhm in LENGTHS_FWHM {
        let length_px = length_fwhm * fwhm_px;
        let n_angles = (0.5 * std::f64::consts::PI * length_fwhm).ceil() as usize;
        for k in 0..n_angles {
            let angle_rad = std::f64::consts::PI * k as f64 / n_angles as f64;
            let (sin, cos) = angle_rad.sin_cos();
            // One step a cell along the longer axis.
            let half = 0.5 * length_px / bin as f64;
            let n = (half * sin.abs().max(cos.abs())).round().max(1.0) as i32;
            let step = |i: i32| {
                let t = half * f64::from(i) / f64::from(n);
                ((t * cos).round() as i32, (t * sin).round() as i32)
            };
            let mut steps: Vec<(i32, i32)> = (-n..=n).map(step).collect();
            steps.dedup();
            let scale = 1.0 / sum_scatter(&steps, fwhm_px, bin) as f32;
            filters.push(LineFilter { length_px, angle_rad, steps, scale });
        }
    }
    filters
}

/// Scatter of the sum of cells of a map of unit noise smoothed with a Gaussian of the seeing.
///
/// Two values of such a map at a distance d correlate by exp(-d^2 / (4 sigma^2)).
fn sum_scatter(steps: &[(i32, i32)], fwhm_px: f64, bin: usize) -> f64 {
    let sigma = fwhm_px.clamp(0.8, 20.0) / FWHM_PER_SIGMA;
    let correlation = |d: f64| (-d * d / (4.0 * sigma * sigma)).exp();
    // Both axes separate: sums over the pixels of two cells, by their distance in cells.
    let pair = |cells: i32| -> f64 {
        let offset = f64::from(cells) * bin as f64;
        (0..bin)
            .flat_map(|i| (0..bin).map(move |j| i as f64 - j as f64))
            .map(|d| correlation(offset + d))
            .sum()
    };
    let span = steps.iter().flat_map(|a| steps.iter().map(move |b| (a.0 - b.0, a.1 - b.1)));
    let reach = span.clone().map(|(dx, dy)| dx.abs().max(dy.abs())).max().unwrap_or(0);
    let table: Vec<f64> = (0..=reach).map(pair).collect();
    let at = |d: i32| table[d.unsigned_abs() as usize];
    span.map(|(dx, dy)| at(dx) * at(dy)).sum::<f64>().sqrt()
}

/// The height that pure noise exceeds as often as allowed.
///
/// * `n_trials`: sums that are looked at. Neighbours are alike; counting all errs on the safe side.
fn threshold(n_trials: f64, n_pixels: f64) -> f32 {
    let wanted = (ALARMS_PER_MPX * n_pixels / 1e6).max(0.05) / n_trials;
    // Tail of a Gaussian, by bisection of phi(t) / t (1 - 1 / t^2).
    let tail = |t: f64| {
        (-0.5 * t * t).exp() / (t * (2.0 * std::f64::consts::PI).sqrt()) * (1.0 - 1.0 / (t * t))
    };
    let (mut low, mut high) = (3.0, 9.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if tail(middle) > wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    high as f32
}

/// Summits of the largest sums, highest first, none within another's line.
fn summits(binned: &Image<f32>, filters: &[LineFilter], threshold: f32) -> Vec<Summit> {
    let (columns, rows) = (binned.nx(), binned.ny());
    let found: Vec<Vec<Summit>> = (0..rows)
        .into_par_iter()
        .map_init(
            || (vec![0.0_f32; columns], vec![0.0_f32; columns]),
            |(sums, best), row| {
                best.fill(threshold);
                let mut summits: Vec<Summit> = Vec::new();
                for (filter, line) in filters.iter().enumerate() {
                    sums.fill(0.0);
                    for &(dx, dy) in &line.steps {
                        let Some(y) = row.checked_add_signed(dy as isize).filter(|y| *y < rows)
                        else {
                            continue;
                        };
                        let shift = dx.unsigned_abs() as usize;
                        if shift >= columns {
                            continue;
                        }
                        let values = binned.row(y);
                        if dx >= 0 {
                            add(&mut sums[..columns - shift], &values[shift..]);
                        } else {
                            add(&mut sums[shift..], &values[..columns - shift]);
                        }
                    }
                    if !exceeds(sums, best, line.scale) {
                        continue;
                    }
                    for (column, (sum, best)) in sums.iter().zip(best.iter_mut()).enumerate() {
                        let snr = sum * line.scale;
                        if snr > *best {
                            *best = snr;
                            summits.push(Summit { snr, column, row, filter });
                        }
                    }
                }
                summits
            },
        )
        .collect();
    let mut all: Vec<Summit> = found.into_iter().flatten().collect();
    all.sort_by(|a, b| {
        b.snr.total_cmp(&a.snr).then((a.row, a.column, a.filter).cmp(&(b.row, b.column, b.filter)))
    });
    // A frame full of light has summits everywhere.
    all.truncate(40 * SUMMITS_MAX);
    let mut kept: Vec<Summit> = Vec::new();
    for summit in all {
        let reach = |f: usize| filters[f].steps.len() as f64;
        let is_near = |other: &Summit| {
            let (dx, dy) =
                (summit.column as f64 - other.column as f64, summit.row as f64 - other.row as f64);
            dx.hypot(dy) <= 0.5 * (reach(summit.filter) + reach(other.filter))
        };
        if !kept.iter().any(is_near) {
            kept.push(summit);
            if kept.len() >= SUMMITS_MAX {
                break;
            }
        }
    }
    kept
}

/// Tells whether the light is spread along a line and not in two stars on it.
fn is_even(snr: &Image<f32>, fwhm_px: f64, line: &TrailGuess) -> bool {
    let (sin, cos) = line.angle_rad.sin_cos();
    let n = (line.length_px / fwhm_px).floor().max(2.0) as usize;
    let values: Vec<f64> = (0..=n)
        .filter_map(|k| {
            let t = line.length_px * (k as f64 / n as f64 - 0.5) * 0.9;
            let (x, y) = ((line.x_px + t * cos).round(), (line.y_px + t * sin).round());
            let is_inside = x >= 0.0 && y >= 0.0 && x < snr.nx() as f64 && y < snr.ny() as f64;
            is_inside.then(|| f64::from(snr.at(x as usize, y as usize)))
        })
        .filter(|v| v.is_finite())
        .collect();
    if values.len() < 3 {
        return false;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    squares <= SCATTER_MAX * (values.len() as f64 - 1.0)
}

/// Adds a row to another.
#[multiversion(targets("x86_64+avx2"))]
fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// Tells whether any sum exceeds the best so far.
#[multiversion(targets("x86_64+avx2"))]
fn exceeds(sums: &[f32], best: &[f32], scale: f32) -> bool {
    let mut n = 0_u32;
    for (sum, best) in sums.iter().zip(best) {
        n |= u32::from(sum * scale > *best);
    }
    n > 0
}

/// Fits a trail at a summit; `None` when there is none.
fn fitted(
    scene: Scene<'_>,
    (sky, psf): (&Background, &PsfModel),
    (snr, fwhm_px): (&Image<f32>, f64),
    (guess, height): (&TrailGuess, f32),
) -> Option<FaintTrail> {
    let (nx, ny) = (snr.nx(), snr.ny());
    let pixels = pixels_along(guess, (0.6 * fwhm_px).max(0.8), (nx, ny));
    let at = |place: &u32| snr.pixels()[*place as usize];
    let highest = pixels.iter().max_by(|a, b| at(a).total_cmp(&at(b)))?;
    let highest_snr = f64::from(at(highest));
    if f64::from(height).powi(2) < highest_snr.powi(2) + GAIN_MIN {
        return None;
    }
    let star = psf.star_at(guess.x_px, guess.y_px);
    let stamp = stamp_along(scene, (sky, psf), guess);
    let n = stamp.values_e.len() as f64;
    let summit_px = ((*highest as usize % nx) as f64, (*highest as usize / nx) as f64);
    let star_chi2 = [(guess.x_px, guess.y_px), summit_px]
        .into_iter()
        .filter_map(|place| fit_light(&stamp, &star, place))
        .map(|(_, _, chi2)| chi2 * (n - 1.0))
        .fold(f64::INFINITY, f64::min);
    let trail = fit_trail(&stamp, &star, fwhm_px, guess, (star_chi2, BELIEF))?;
    let is_on_frame = (0.0..nx as f64).contains(&trail.x_px)
        && (0.0..ny as f64).contains(&trail.y_px)
        && trail.flux_e >= LIGHT_SNR_MIN * trail.flux_err_e;
    if !is_on_frame {
        return None;
    }
    let line = TrailGuess {
        x_px: trail.x_px,
        y_px: trail.y_px,
        length_px: trail.length_px,
        angle_rad: trail.angle_rad,
    };
    let mut pixels = pixels_along(&line, (0.6 * fwhm_px).max(0.8), (nx, ny));
    pixels.retain(|place| at(place).is_finite());
    pixels.sort_by(|a, b| at(b).total_cmp(&at(a)).then(a.cmp(b)));
    let first = *pixels.first()? as usize;
    let segment = Segment {
        peak_x: first % nx,
        peak_y: first / nx,
        peak_snr: height,
        pixels,
        is_blended: false,
        doubted_by: None,
    };
    Some(FaintTrail { segment, trail })
}

/// Pixels within a distance of a line, as `y * nx + x`.
fn pixels_along(line: &TrailGuess, reach_px: f64, (nx, ny): (usize, usize)) -> Vec<u32> {
    let (sin, cos) = line.angle_rad.sin_cos();
    let half = 0.5 * line.length_px;
    let range = |centre: f64, along: f64, n: usize| {
        let reach = half * along.abs() + reach_px;
        let low = (centre - reach).ceil().max(0.0) as usize;
        low..((centre + reach).floor() + 1.0).clamp(0.0, n as f64) as usize
    };
    let mut pixels = Vec::new();
    for y in range(line.y_px, sin, ny) {
        for x in range(line.x_px, cos, nx) {
            let (dx, dy) = (x as f64 - line.x_px, y as f64 - line.y_px);
            let beyond = ((dx * cos + dy * sin).abs() - half).max(0.0);
            if beyond.hypot(dy * cos - dx * sin) <= reach_px {
                pixels.push((y * nx + x) as u32);
            }
        }
    }
    pixels
}

#[cfg(test)]
mod tests;

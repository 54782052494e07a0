//! The search for a frame's place on the sky.
//!
//! The sky is cut into regions the size of a frame; in each, triangles of the brightest
//! catalogue stars are looked up among those of the frame (see `region`). Order: the pointing of
//! the header with a scale near the nominal one, then with the full range of scales, then all
//! regions where the catalogue has stars; before these the whole-sky index (`blind`), where there
//! is one. Without a nominal scale, or when it fails, all from 0.1
//! to 60 arcsec/px are tried in steps. Work is bounded by counting hypotheses and regions;
//! regions are searched in parallel, but counted and accepted in order, so that the result does
//! not depend on threads.

use rayon::prelude::*;

use super::blind::Skies;
use super::blind::propose::search_blind;
use super::region::{Context, FrameStars, LEVELS, Outcome, REFERENCES_MIN, Region, search};
use super::regions;
use super::{Hint, ImageStar, NoSolution, Solution, SolveParams, StarField};
use crate::science::reference::tiles::{ReferenceError, ReferenceSky, is_place};
use crate::science::units::ARCSEC_RAD;

/// Fewer stars cannot reach the odds wanted.
const STARS_MIN: usize = 6;
/// Distance between the centres of neighbouring regions, in half-diagonals of the frame.
const STEP: f64 = 0.5;
/// Radius of a region, in half-diagonals.
const RADIUS: f64 = 0.95;
/// A pointing error below this many half-diagonals needs one region only.
const ONE_REGION: f64 = 0.6;
/// Most regions around the pointing.
const NEAR_REGIONS_MAX: usize = 400;
/// Part of the work after which the surroundings of the pointing are left for the rest.
const NEAR_SHARE: u64 = 2;
/// Regions searched at once; a fixed number keeps the result independent of threads.
const CHUNK: usize = 2;
/// The cheapest level.
const FIRST: std::ops::Range<usize> = 0..1;
/// The level after it.
const SECOND: std::ops::Range<usize> = 1..2;
/// Levels for a thorough one.
const THOROUGH: std::ops::Range<usize> = 2..LEVELS.len();
/// Scales tried without a nominal one [arcsec/px].
const SCALES_ARCSEC: (f64, f64) = (0.1, 60.0);
/// Likely scale of a small telescope, tried first [arcsec/px].
const SCALE_LIKELY_ARCSEC: f64 = 1.2;
/// Ratio of neighbouring scales in that search.
const SCALE_STEP: f64 = 1.5;
/// Range of scales around each of these.
const LADDER_RANGE: f64 = 0.25;
/// Largest range of scales that a hint may ask for.
const SCALE_RANGE_MAX: f64 = 9.0;
/// Largest range of scales that is tried in one pass.
const STEP_RANGE: f64 = 0.25;

/// Which part of the sky a pass of the search covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Near,
    Everywhere,
}

/// A range of scales [rad/px] and the scale that sets the size of regions.
#[derive(Debug, Clone, Copy)]
struct Scales {
    range: (f64, f64),
    nominal: f64,
}

impl Scales {
    /// Scales from `1 / (1 + range)` to `1 + range` times one [arcsec/px].
    fn around(arcsec: f64, range: f64) -> Self {
        let nominal = arcsec * ARCSEC_RAD;
        Self { range: (nominal / (1.0 + range), nominal * (1.0 + range)), nominal }
    }
}

/// One pass: where, how thorough, at which scales.
struct Pass {
    place: Where,
    levels: std::ops::Range<usize>,
    scales: Scales,
}

/// What the search knows so far.
struct Progress {
    n_hypotheses: u64,
    work: u64,
    n_regions: usize,
    n_references: usize,
    best: (usize, f64),
    unverified: Option<NoSolution>,
    is_cut_off: bool,
}

/// Finds the plate solution of a frame.
///
/// * `field`: stars brightest first; places off the frame or not finite are ignored.
/// * Neither rotation nor parity need be known; square pixels are assumed (to 6 %).
/// * Returns a solution only when its odds against chance reach `params.log_odds_min`, all
///   attempts counted, and stars kept out of the fit (where there are 20) agree with it.
///
/// Errors: [`NoSolution`] with what was found and tried.
pub fn solve(
    field: &StarField<'_>,
    hint: &Hint,
    sky: &dyn ReferenceSky,
    params: &SolveParams,
) -> Result<Solution, NoSolution> {
    solve_in(field, hint, &Skies::without_index(sky), params)
}

/// The same with a whole-sky index, which is asked when the frame is not where its header says.
pub fn solve_in(
    field: &StarField<'_>,
    hint: &Hint,
    skies: &Skies<'_>,
    params: &SolveParams,
) -> Result<Solution, NoSolution> {
    let sky = skies.reference;
    let size = field.size;
    let (kept, numbers): (Vec<ImageStar>, Vec<usize>) = field
        .stars
        .iter()
        .enumerate()
        .filter(|(_, s)| size.holds(s.x_px, s.y_px))
        .map(|(i, s)| (*s, i))
        .unzip();
    let frame = FrameStars::new(&kept, size);
    if frame.n_points() < STARS_MIN {
        return Err(NoSolution::TooFewStars { found: frame.n_points(), needed: STARS_MIN });
    }
    if sky.len() < REFERENCES_MIN && skies.blind.is_none() {
        return Err(NoSolution::NoReference { n_catalogue: sky.len(), needed: REFERENCES_MIN });
    }
    let context = Context {
        frame: &frame,
        sky,
        epoch_yr: field.epoch_yr,
        fwhm_px: field.fwhm_px,
        params,
        n_hypotheses_before: 0,
    };
    let mut progress = Progress {
        n_hypotheses: 0,
        work: 0,
        n_regions: 0,
        n_references: 0,
        best: (0, f64::NEG_INFINITY),
        unverified: None,
        is_cut_off: false,
    };
    let pointing = hint.pointing_rad.filter(|p| is_place(p.0, p.1));
    let mut blind = skies.blind;
    for pass in passes(hint, params, pointing.is_some()) {
        let mut found = None;
        if let Some(index) = blind.take_if(|_| pass.place == Where::Everywhere) {
            let context = Context { n_hypotheses_before: progress.n_hypotheses, ..context };
            found = progress.note(search_blind(&context, index)?);
        }
        if found.is_none() {
            found = run(&context, &pass, hint, pointing, &mut progress)?;
        }
        if let Some(mut solution) = found {
            for pair in &mut solution.pairs {
                pair.0 = numbers[pair.0];
            }
            solution.n_hypotheses = progress.n_hypotheses;
            return Ok(solution);
        }
        // The index is asked whatever the hinted search has cost.
        if progress.work >= params.hypotheses_max && blind.is_none() {
            break;
        }
    }
    Err(refusal(progress, skies))
}

/// The passes of a search in order.
fn passes(hint: &Hint, params: &SolveParams, has_pointing: bool) -> Vec<Pass> {
    let ladder: Vec<Scales> =
        scale_ladder().into_iter().map(|scale| Scales::around(scale, LADDER_RANGE)).collect();
    let steps = hint
        .scale_arcsec
        .filter(|scale| scale.is_finite() && *scale > 0.0)
        .map_or_else(|| ladder.clone(), |scale| scale_steps(scale, hint.scale_range, params));
    // The ladder also serves headers that forget the binning.
    [
        (Where::Near, FIRST, &steps),
        (Where::Near, SECOND, &steps),
        (Where::Near, FIRST, &ladder),
        (Where::Near, THOROUGH, &steps),
        (Where::Everywhere, FIRST, &steps),
        (Where::Everywhere, SECOND, &steps),
        (Where::Near, SECOND, &ladder),
        (Where::Everywhere, FIRST, &ladder),
        (Where::Everywhere, THOROUGH, &steps),
    ]
    .into_iter()
    .filter(|(place, _, _)| has_pointing || *place != Where::Near)
    .flat_map(|(place, levels, scales)| {
        scales.iter().map(move |s| Pass { place, levels: levels.clone(), scales: *s })
    })
    .collect()
}

/// The nominal scale with a narrow range first, then ranges side by side, nearest first.
///
/// A range is narrow, so that regions have the size of the frame whatever the true scale.
fn scale_steps(scale_arcsec: f64, range: f64, params: &SolveParams) -> Vec<Scales> {
    let first = params.scale_range_first;
    let full = if range.is_finite() { range.clamp(first, SCALE_RANGE_MAX) } else { first };
    let mut steps = vec![Scales::around(scale_arcsec, first)];
    // Steps of (1 + STEP_RANGE)^2 reach from 1 / (1 + full) to 1 + full.
    let width = (1.0 + STEP_RANGE).ln();
    let n = (((1.0 + full).ln() / width - 1.0) / 2.0 - 1e-6).ceil().clamp(0.0, 10.0) as i32;
    let width = (1.0 + full).ln() / f64::from(2 * n + 1);
    let factor = |k: i32| (2.0 * width * f64::from(k)).exp();
    let nearest_first = std::iter::once(0).chain((1..=n).flat_map(|k| [k, -k]));
    steps.extend(nearest_first.map(|k| Scales::around(scale_arcsec * factor(k), width.exp_m1())));
    steps
}

/// Scales from 0.1 to 60 arcsec/px, likely ones first.
fn scale_ladder() -> Vec<f64> {
    let mut ladder = vec![SCALE_LIKELY_ARCSEC];
    let (mut up, mut down) = (SCALE_LIKELY_ARCSEC, SCALE_LIKELY_ARCSEC);
    while up < SCALES_ARCSEC.1 || down > SCALES_ARCSEC.0 {
        up *= SCALE_STEP;
        down /= SCALE_STEP;
        // A step beyond the ends still covers them from outside.
        ladder.extend([up].into_iter().filter(|s| s / SCALE_STEP < SCALES_ARCSEC.1));
        ladder.extend([down].into_iter().filter(|s| s * SCALE_STEP > SCALES_ARCSEC.0));
    }
    ladder
}

/// Runs one pass: region after region, in chunks.
fn run(
    context: &Context<'_>,
    pass: &Pass,
    hint: &Hint,
    pointing: Option<(f64, f64)>,
    progress: &mut Progress,
) -> Result<Option<Solution>, NoSolution> {
    let (centres, radius_rad) = centres(context, pass, hint, pointing, progress);
    let limit = match pass.place {
        Where::Near => context.params.hypotheses_max / NEAR_SHARE,
        Where::Everywhere => context.params.hypotheses_max,
    };
    // The first region is the likeliest: alone it is not held up by its neighbours.
    let (first, others) = centres.split_at(1.min(centres.len()));
    for chunk in std::iter::once(first).chain(others.chunks(CHUNK)) {
        let context = Context { n_hypotheses_before: progress.n_hypotheses, ..*context };
        let outcomes: Vec<Result<Outcome, ReferenceError>> = chunk
            .par_iter()
            .map(|&centre_rad| {
                let scales_rad_per_px = pass.scales.range;
                let region = Region { centre_rad, radius_rad, scales_rad_per_px };
                search(&context, &region, pass.levels.clone())
            })
            .collect();
        for outcome in outcomes {
            if let Some(solution) = progress.note(outcome?) {
                return Ok(Some(solution));
            }
        }
        if progress.work >= limit {
            progress.is_cut_off = true;
            break;
        }
    }
    Ok(None)
}

/// Centres of a pass's regions and their radius [rad].
fn centres(
    context: &Context<'_>,
    pass: &Pass,
    hint: &Hint,
    pointing: Option<(f64, f64)>,
    progress: &mut Progress,
) -> (Vec<(f64, f64)>, f64) {
    let half_diagonal_rad = context.frame.size.half_diagonal_px() * pass.scales.nominal;
    let step_rad = STEP * half_diagonal_rad;
    let radius_rad = (RADIUS * half_diagonal_rad).min(1.0);
    match (pass.place, pointing) {
        (Where::Near, Some(from)) => {
            let error = hint.pointing_err_rad;
            let error_rad = if error.is_finite() { error.clamp(0.0, 0.5) } else { 0.0 };
            if error_rad <= ONE_REGION * half_diagonal_rad {
                return (vec![from], (radius_rad + 0.5 * error_rad).min(1.0));
            }
            let near = regions::around(from, error_rad, step_rad, NEAR_REGIONS_MAX);
            (near, radius_rad)
        }
        (Where::Near, None) => (Vec::new(), radius_rad),
        (Where::Everywhere, from) => {
            let cells = context.sky.cells_with_stars();
            let limit = context.params.regions_max;
            let (all, is_cut_off) = regions::everywhere(&cells, from, step_rad, limit);
            progress.is_cut_off |= is_cut_off;
            (all, radius_rad)
        }
    }
}

impl Progress {
    /// Adds what came of a region; gives its solution.
    fn note(&mut self, outcome: Outcome) -> Option<Solution> {
        self.n_hypotheses += outcome.n_hypotheses;
        self.work += outcome.work;
        self.n_regions += usize::from(outcome.n_references >= REFERENCES_MIN);
        self.n_references = self.n_references.max(outcome.n_references);
        if outcome.best_log_odds > self.best.1 {
            self.best = (outcome.best_matches, outcome.best_log_odds);
        }
        self.unverified = self.unverified.take().or(outcome.unverified);
        outcome.solution
    }
}

/// Why nothing was found.
fn refusal(progress: Progress, skies: &Skies<'_>) -> NoSolution {
    if let Some(unverified) = progress.unverified {
        return unverified;
    }
    if progress.n_references < REFERENCES_MIN && skies.blind.is_none() {
        return NoSolution::NoReference {
            n_catalogue: skies.reference.len(),
            needed: REFERENCES_MIN,
        };
    }
    NoSolution::NoMatch {
        best_matches: progress.best.0,
        best_log_odds: progress.best.1,
        n_hypotheses: progress.n_hypotheses,
        n_regions: progress.n_regions,
        is_cut_off: progress.is_cut_off,
    }
}

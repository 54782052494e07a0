//! All of it: periodogram, chances, rotation period, rivals and the verdict.

use super::alias::{Relation, always_told, relation};
use super::bootstrap::{chance, chance_peaks};
use super::gls::{highest, power};
use super::search::{Candidate, Found, Params, SAME_SHARE, evaluate, search};
use super::sine::{Sine, prewhiten};
use super::verdict::{Demands, Doubt, doubts};
use super::{Grid, PeriodError, Search, Series};

/// Seed of the bootstrap: fixed, so that the same points give the same chance.
const SEED: u64 = 0x5eed_0001;
/// Steps per 1/span of the periodogram, as GLS, and of the bootstrap.
const STEPS_PERIODOGRAM: f64 = 10.0;
const STEPS_BOOTSTRAP: f64 = 4.0;
/// Most frequencies of the periodogram and of the bootstrap; with more, the highest are left out.
const PERIODOGRAM_MAX: usize = 2_000_000;
const BOOTSTRAP_MAX: usize = 200_000;
/// Most rivals that are told of, beside those that always are.
const RIVALS_MAX: usize = 10;

/// What is wanted of an analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Iterations of prewhitening, 1 to 20.
    pub iterations: usize,
    /// Trials of the bootstrap; none for 0.
    pub trials: usize,
    /// The search for the rotation.
    pub search: Params,
    /// What a period must show.
    pub demands: Demands,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { iterations: 1, trials: 1000, search: Params::default(), demands: Demands::default() }
    }
}

/// A period beside others.
#[derive(Debug, Clone, PartialEq)]
pub struct Rival {
    /// The period and its curve.
    pub candidate: Candidate,
    /// How it lies to the first choice.
    pub relation: Relation,
    /// How many times less probable than the first choice: its odds against it.
    pub odds: f64,
}

/// The outcome.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// What the search found: points with scaled errors, candidates.
    pub found: Found,
    /// Grid of the periodogram.
    pub grid: Grid,
    /// Power at each frequency of it, for the scaled errors.
    pub power_share: Vec<f64>,
    /// What the powers mean.
    pub meaning: Search,
    /// Sines of the prewhitening, for the scaled errors.
    pub sines: Vec<Sine>,
    /// Chance of the highest power by theory: the larger of GLS's and Baluev's.
    pub chance_theory: f64,
    /// Chance by bootstrap; `None` when none was wanted.
    pub chance_bootstrap: Option<f64>,
    /// Highest powers of the bootstrap's trials, ascending.
    pub chance_power_shares: Vec<f64>,
    /// The first choice and its rivals, first choice first.
    pub rivals: Vec<Rival>,
    /// What speaks against publishing the first choice; nothing when it is published.
    pub doubts: Vec<Doubt>,
    /// Error of the first choice's frequency [1/h].
    pub frequency_err_per_h: Option<f64>,
}

impl Analysis {
    /// Whether the period may be published.
    pub fn is_published(&self) -> bool {
        self.doubts.is_empty()
    }

    /// The first choice.
    pub fn first(&self) -> Option<&Candidate> {
        self.found.candidates.first()
    }

    /// Error of the first choice's period [h].
    pub fn period_err_h(&self) -> Option<f64> {
        let f = self.first()?.curve.frequency_per_h;
        self.frequency_err_per_h.map(|e| e / (f * f))
    }
}

/// The grid of a periodogram: from 1/(2 span) to two points a cycle, at most `n_max` steps.
fn periodogram_grid(series: &Series, steps: f64, n_max: usize) -> Result<Grid, PeriodError> {
    let span = series.span_h();
    let step = 1.0 / (steps * span);
    let cadence = series.cadence_h().unwrap_or(span / series.len() as f64);
    let start = 0.5 / span;
    Grid::new(start, (0.5 / cadence).max(start + step).min(start + n_max as f64 * step), step)
}

/// Analyses a light curve.
///
/// Bounded: at most 2 million frequencies of the periodogram, half a million of the search.
pub fn analyse(series: &Series, wanted: &Wanted) -> Result<Analysis, PeriodError> {
    let found = search(series, &wanted.search)?;
    let grid = periodogram_grid(&found.series, STEPS_PERIODOGRAM, PERIODOGRAM_MAX)?;
    let powers = power(&found.series, grid);
    let peak = highest(&powers).map_or(0.0, |(_, p)| p);
    let meaning = Search::new(&found.series, grid, peak);
    let chance_theory = meaning.chance(peak).max(meaning.chance_bound(peak));
    let (mut chance_bootstrap, mut chance_powers) = (None, Vec::new());
    if wanted.trials > 0 {
        let coarse = periodogram_grid(&found.series, STEPS_BOOTSTRAP, BOOTSTRAP_MAX)?;
        let observed = highest(&power(&found.series, coarse)).map_or(0.0, |(_, p)| p);
        chance_powers = chance_peaks(&found.series, coarse, wanted.trials, SEED);
        chance_bootstrap = Some(chance(&chance_powers, observed));
    }
    // A bootstrap cannot tell less than one over its trials.
    let least = 1.0 / (1.0 + wanted.trials as f64);
    let chance_worst = match chance_bootstrap {
        Some(chance) if chance > 1.5 * least => chance_theory.max(chance),
        _ => chance_theory,
    };
    let doubts = doubts(&found, chance_worst, &wanted.demands);
    let first = found.candidates.first();
    let frequency_err_per_h = first.and_then(|c| c.curve.frequency_error_per_h(&found.series));
    Ok(Analysis {
        sines: prewhiten(&found.series, grid, wanted.iterations),
        rivals: rivals(&found),
        grid,
        power_share: powers,
        meaning,
        chance_theory,
        chance_bootstrap,
        chance_power_shares: chance_powers,
        doubts,
        frequency_err_per_h,
        found,
    })
}

/// The first choice, the most probable others, and half, double and day aliases in any case.
fn rivals(found: &Found) -> Vec<Rival> {
    let Some(first) = found.candidates.first() else { return Vec::new() };
    let f = first.curve.frequency_per_h;
    let reach = 0.5 / found.series.span_h();
    let tolerance = reach.max(SAME_SHARE * f);
    let odds = |candidate: &Candidate| match candidate.probability_share {
        share if share > 0.0 => share / first.probability_share,
        _ => (candidate.log_odds - first.log_odds).exp(),
    };
    let listed = found.candidates.iter().take(RIVALS_MAX).map(|candidate| Rival {
        relation: relation(candidate.curve.frequency_per_h, f, tolerance),
        odds: odds(candidate),
        candidate: candidate.clone(),
    });
    let mut rivals: Vec<Rival> = listed.collect();
    for (wanted, relation) in always_told(f) {
        if rivals.iter().any(|rival| rival.relation == relation) {
            continue;
        }
        let candidate = evaluate(found, wanted, 0.5 * tolerance);
        rivals.extend(candidate.map(|c| Rival { relation, odds: odds(&c), candidate: c }));
    }
    rivals[1..].sort_by(|a, b| b.odds.total_cmp(&a.odds));
    rivals
}

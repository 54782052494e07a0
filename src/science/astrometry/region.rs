//! The search of one region: hypotheses from triangles, tested, confirmed, refined.

use std::sync::OnceLock;

use super::accept::{Match, accept};
use super::asterism::{ShapeTable, Triangle, triangles};
use super::matching::{StarGrid, pair_up, thinned};
use super::similarity::{Point, Similarity};
use super::verify::{Raster, Taken, ln_binomial_tail};
use super::{FrameSize, ImageStar, NoSolution, Solution, SolveParams};
use crate::science::reference::motion::StarAtEpoch;
use crate::science::reference::tiles::{ReferenceError, ReferenceSky};
use crate::science::sky::tan::TangentPlane;

/// One way of making hypotheses.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Brightest stars of the frame that make triangles.
    n_image: usize,
    /// Brightest catalogue stars per area of a frame that make triangles.
    n_reference: usize,
    /// How much the ratios of sides may differ; 0.3 px of 100 px, or 0.3 % of distortion.
    tolerance: f32,
}

/// Levels of effort.
///
/// The first two suit good lists; the later ones poor places and lists of which few bright stars
/// are common: saturated stars, trails, a sparse catalogue.
pub const LEVELS: [Level; 5] = [
    Level { n_image: 25, n_reference: 25, tolerance: 0.003 },
    Level { n_image: 50, n_reference: 50, tolerance: 0.003 },
    Level { n_image: 30, n_reference: 90, tolerance: 0.005 },
    Level { n_image: 110, n_reference: 30, tolerance: 0.005 },
    Level { n_image: 160, n_reference: 22, tolerance: 0.005 },
];
/// Most catalogue stars that make triangles, when the region is larger than the frame.
const TRIANGLE_STARS_MAX: usize = 100;
/// Most stars of the frame in the tests.
const TEST_STARS: usize = 400;
/// Catalogue stars per frame in the tests.
const TEST_REFERENCES: usize = 200;
/// Least side of a triangle as a fraction of the frame's diagonal.
const SIDE_MIN: f64 = 0.12;
/// Radius within which a prediction counts, as a fraction of the diagonal; forgives distortion.
const RADIUS_FRACTION: f64 = 0.003;
/// Least such radius [px].
const RADIUS_MIN_PX: f64 = 3.0;
/// Fainter stars this near to a brighter one are left out, in units of that radius.
const THIN_RADII: f64 = 2.0;
/// Factor on the radius after the similarity was fitted to its pairs.
const CONFIRM_SHRINK: f64 = 0.7;
/// Log-odds of the sequential test that call for a closer look.
const CLOSER_LOOK: f64 = 5.0;
/// Log-odds, trials counted, from which a hypothesis is refined.
const REFINE_FROM: f64 = 4.0;
/// Hypotheses that are refined in a region, at most.
const REFINED_MAX: usize = 20;
/// Work of asking the catalogue for a region, in hypotheses.
const REGION_WORK: u64 = 300;
/// Work of refining a hypothesis, in hypotheses.
const REFINE_WORK: u64 = 8_000;
/// Triangles of catalogue stars that cost as much as a hypothesis.
const TRIANGLES_PER_WORK: u64 = 30;
/// Freedom that choosing radius and list lengths adds, as a number of trials.
const CHOICES: f64 = 20.0;
/// Trials that are counted at least.
const TRIALS_MIN: f64 = 1000.0;
/// Hypotheses per region and level, at most.
const HYPOTHESES_MAX: u64 = 100_000;
/// Catalogue stars without which a region is passed over.
pub const REFERENCES_MIN: usize = 5;

/// The stars of a frame, prepared for many hypotheses.
#[derive(Debug)]
pub struct FrameStars<'a> {
    /// All stars, brightest first.
    pub stars: &'a [ImageStar],
    /// Size of the frame.
    pub size: FrameSize,
    /// Bright stars without close companions, brightest first.
    pub points: Vec<Point>,
    /// Radius within which a prediction counts at first [px].
    pub radius_px: f64,
    grid: StarGrid,
    raster: Raster,
    tables: [OnceLock<ShapeTable>; LEVELS.len()],
}

impl<'a> FrameStars<'a> {
    /// Prepares stars that lie on the frame, brightest first.
    pub fn new(stars: &'a [ImageStar], size: FrameSize) -> Self {
        let radius_px = (RADIUS_FRACTION * 2.0 * size.half_diagonal_px()).max(RADIUS_MIN_PX);
        let places: Vec<Point> = stars.iter().map(|s| (s.x_px, s.y_px)).collect();
        let kept = thinned(&places, size, THIN_RADII * radius_px);
        let points: Vec<Point> = kept.into_iter().map(|i| places[i]).take(TEST_STARS).collect();
        Self {
            stars,
            size,
            grid: StarGrid::new(&points, size),
            raster: Raster::new(&points, size, radius_px),
            points,
            radius_px,
            tables: std::array::from_fn(|_| OnceLock::new()),
        }
    }

    /// Number of stars that are no close companions.
    pub fn n_points(&self) -> usize {
        self.points.len()
    }

    fn table(&self, level: usize) -> &ShapeTable {
        self.tables[level].get_or_init(|| {
            let side_min = SIDE_MIN * 2.0 * self.size.half_diagonal_px();
            ShapeTable::new(triangles(&self.points, LEVELS[level].n_image, side_min))
        })
    }
}

/// A part of the sky and the scales to try there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Centre (RA, Dec) [rad].
    pub centre_rad: (f64, f64),
    /// Radius [rad].
    pub radius_rad: f64,
    /// Smallest and largest scale [rad/px].
    pub scales_rad_per_px: (f64, f64),
}

/// What all regions of a search share.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The frame.
    pub frame: &'a FrameStars<'a>,
    /// The catalogue.
    pub sky: &'a dyn ReferenceSky,
    /// Epoch of the frame [Julian year].
    pub epoch_yr: f64,
    /// Seeing [px].
    pub fwhm_px: Option<f64>,
    /// Limits.
    pub params: &'a SolveParams,
    /// Hypotheses tested in earlier regions.
    pub n_hypotheses_before: u64,
}

/// What came of one region.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The solution, if the frame lies here.
    pub solution: Option<Solution>,
    /// A match that did not hold for stars kept out.
    pub unverified: Option<NoSolution>,
    /// Number of hypotheses tested.
    pub n_hypotheses: u64,
    /// Work done, in hypotheses.
    pub work: u64,
    /// Number of hypotheses refined.
    pub n_refined: usize,
    /// Matches of the best hypothesis.
    pub best_matches: usize,
    /// Log-odds of the best hypothesis, trials counted.
    pub best_log_odds: f64,
    /// Number of catalogue stars in the region that could be used.
    pub n_references: usize,
}

/// The catalogue stars of a region on its tangent plane, brightest first.
pub struct Local {
    /// Places on the plane [rad].
    pub points: Vec<Point>,
    /// The stars.
    pub stars: Vec<StarAtEpoch>,
    /// The plane.
    pub plane: TangentPlane,
    /// Area of the region in areas of a frame.
    per_frame: f64,
}

impl Local {
    /// Stars of one frame's area, brightest first.
    pub fn new(mut stars: Vec<StarAtEpoch>, plane: TangentPlane) -> Self {
        stars.retain(|s| plane.project(s.ra_rad, s.dec_rad).is_some());
        let points = stars.iter().filter_map(|s| plane.project(s.ra_rad, s.dec_rad)).collect();
        Self { points, stars, plane, per_frame: 1.0 }
    }
}

/// A map that some pairs of stars propose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// From the plane to pixels.
    pub map: Similarity,
    /// Number of pairs that made it.
    pub n_makers: usize,
}

/// Searches one region with some of the [`LEVELS`].
pub fn search(
    context: &Context<'_>,
    region: &Region,
    levels: std::ops::Range<usize>,
) -> Result<Outcome, ReferenceError> {
    let local = local(context, region)?;
    let mut outcome = Outcome {
        n_references: local.points.len(),
        best_log_odds: f64::NEG_INFINITY,
        work: REGION_WORK,
        ..Outcome::default()
    };
    if local.points.len() < REFERENCES_MIN {
        return Ok(outcome);
    }
    for level in levels {
        if is_repetition(context.frame, &local, level) {
            continue;
        }
        search_level(context, region, &local, level, &mut outcome)?;
        if outcome.solution.is_some() {
            break;
        }
    }
    Ok(outcome)
}

/// Tells whether an earlier level had the same stars, as lists are short.
fn is_repetition(frame: &FrameStars<'_>, local: &Local, level: usize) -> bool {
    let lengths = |level: usize| {
        (LEVELS[level].n_image.min(frame.points.len()), triangle_stars(local, level))
    };
    let (n_image, n_reference) = lengths(level);
    (0..level).any(|earlier| {
        let (i, r) = lengths(earlier);
        i >= n_image && r >= n_reference && LEVELS[earlier].tolerance >= LEVELS[level].tolerance
    })
}

/// Number of catalogue stars that make triangles at a level.
fn triangle_stars(local: &Local, level: usize) -> usize {
    let wanted = (LEVELS[level].n_reference as f64 * local.per_frame) as usize;
    wanted.min(TRIANGLE_STARS_MAX.max(LEVELS[level].n_reference)).min(local.points.len())
}

fn local(context: &Context<'_>, region: &Region) -> Result<Local, ReferenceError> {
    let size = context.frame.size;
    let scale = (region.scales_rad_per_px.0 * region.scales_rad_per_px.1).sqrt();
    let frame_area = size.area_px() * scale * scale;
    let circle_area = std::f64::consts::PI * region.radius_rad * region.radius_rad;
    let per_frame = (circle_area / frame_area).clamp(1.0, 4.0);
    let limit = (TEST_REFERENCES as f64 * per_frame) as usize;
    let (centre, radius) = (region.centre_rad, region.radius_rad);
    let stars = context.sky.brightest_in_cone(centre, radius, context.epoch_yr, limit)?;
    Ok(Local { per_frame, ..Local::new(stars, TangentPlane::at(centre)) })
}

fn search_level(
    context: &Context<'_>,
    region: &Region,
    local: &Local,
    level: usize,
    outcome: &mut Outcome,
) -> Result<(), ReferenceError> {
    let frame = context.frame;
    let table = frame.table(level);
    let diagonal_px = 2.0 * frame.size.half_diagonal_px();
    let (scale_min, scale_max) = region.scales_rad_per_px;
    let side_min = SIDE_MIN * diagonal_px * scale_min;
    let mut taken = Taken::new(frame.points.len());
    let stop_at = outcome.n_hypotheses + HYPOTHESES_MAX;
    let made_here = triangles(&local.points, triangle_stars(local, level), side_min);
    outcome.work += made_here.len() as u64 / TRIANGLES_PER_WORK;
    for made in made_here {
        let longest = f64::from(made.longest);
        if longest > 1.05 * diagonal_px * scale_max {
            continue;
        }
        // The scale lies within the range when the side in the frame does.
        let sides = (longest / scale_max, longest / scale_min);
        for seen in table.similar(made.shape, LEVELS[level].tolerance) {
            let side = f64::from(seen.longest);
            if side < sides.0 || side > sides.1 {
                continue;
            }
            outcome.n_hypotheses += 1;
            outcome.work += 1;
            let Some(map) = hypothesis(frame, local, &made, seen) else {
                continue;
            };
            let others = local.points.iter().enumerate();
            let others =
                others.filter(|(k, _)| made.vertices.iter().all(|&v| usize::from(v) != *k));
            let pixels = others.map(|(_, place)| map.to_pixel(*place));
            let score = frame.raster.score(pixels, &seen.vertices, &mut taken);
            if score.log_odds >= CLOSER_LOOK {
                look_closer(context, region, local, map, outcome)?;
                if outcome.solution.is_some() {
                    return Ok(());
                }
            }
        }
        if outcome.n_hypotheses > stop_at {
            break;
        }
    }
    Ok(())
}

/// The map that two similar triangles propose.
fn hypothesis(
    frame: &FrameStars<'_>,
    local: &Local,
    made: &Triangle,
    seen: &Triangle,
) -> Option<Similarity> {
    let pair = |k: usize| {
        let reference = local.points[usize::from(made.vertices[k])];
        (reference, frame.points[usize::from(seen.vertices[k])])
    };
    Similarity::fit(&[pair(0), pair(1), pair(2)], made.is_anticlockwise != seen.is_anticlockwise)
}

/// Counts again with care; refines when that is good.
fn look_closer(
    context: &Context<'_>,
    region: &Region,
    local: &Local,
    map: Similarity,
    outcome: &mut Outcome,
) -> Result<(), ReferenceError> {
    let proposal = Proposal { map, n_makers: 3 };
    let Some(found) = confirm(context, local, &proposal, outcome) else { return Ok(()) };
    if outcome.n_refined >= REFINED_MAX {
        return Ok(());
    }
    outcome.n_refined += 1;
    outcome.work += REFINE_WORK;
    accept(context, region, &found, outcome)
}

/// Fits the map to all its pairs and counts again in a smaller radius; a match when that is good.
pub fn confirm<'a>(
    context: &Context<'_>,
    local: &'a Local,
    proposal: &Proposal,
    outcome: &mut Outcome,
) -> Option<Match<'a>> {
    let frame = context.frame;
    let trials = (context.n_hypotheses_before + outcome.n_hypotheses) as f64;
    let ln_trials = (trials.max(TRIALS_MIN) * CHOICES).ln();
    let n_makers = proposal.n_makers;
    let mut map = proposal.map;
    let mut pairs = Vec::new();
    for shrink in [1.0, 1.0, CONFIRM_SHRINK] {
        pairs = pairs_of(frame, local, &map, shrink * frame.radius_px);
        let places: Vec<(Point, Point)> =
            pairs.iter().map(|&(r, i)| (local.points[r], frame.points[i])).collect();
        map = Similarity::fit(&places, map.is_conjugate())?;
    }
    let inside: Vec<usize> = (0..local.points.len())
        .filter(|&r| {
            let (x, y) = map.to_pixel(local.points[r]);
            frame.size.holds(x, y)
        })
        .collect();
    let radius_px = CONFIRM_SHRINK * frame.radius_px;
    let log_odds = -best_tail(frame, &inside, (&pairs, n_makers), radius_px) - ln_trials;
    if log_odds > outcome.best_log_odds {
        (outcome.best_log_odds, outcome.best_matches) = (log_odds, pairs.len());
    }
    (log_odds >= REFINE_FROM).then_some(Match { local, map, pairs, ln_trials, n_makers })
}

/// Pairs (catalogue, frame) of the test lists under a map.
fn pairs_of(
    frame: &FrameStars<'_>,
    local: &Local,
    map: &Similarity,
    radius_px: f64,
) -> Vec<(usize, usize)> {
    let predictions: Vec<Point> = local.points.iter().map(|&p| map.to_pixel(p)).collect();
    let mut pairs = pair_up(&predictions, &frame.grid, radius_px);
    pairs.retain(|&(r, _)| frame.size.holds(predictions[r].0, predictions[r].1));
    pairs
}

/// Smallest logarithm of the chance over some lengths of both lists; as many pairs as made the
/// map are not counted.
fn best_tail(
    frame: &FrameStars<'_>,
    inside: &[usize],
    (pairs, n_makers): (&[(usize, usize)], usize),
    radius_px: f64,
) -> f64 {
    let disc = std::f64::consts::PI * radius_px * radius_px / frame.size.area_px();
    let mut best = 0.0_f64;
    for n_image in [12, 40, 120, TEST_STARS] {
        for n_reference in [12, 40, 120, inside.len()] {
            let (n_image, n_reference) =
                (n_image.min(frame.points.len()), n_reference.min(inside.len()));
            let Some(&last) = n_reference.checked_sub(1).and_then(|k| inside.get(k)) else {
                continue;
            };
            let matched = pairs.iter().filter(|&&(r, i)| r <= last && i < n_image).count();
            let chance = (n_image as f64 * disc).min(0.5);
            let (n, k) = (n_reference.saturating_sub(n_makers), matched.saturating_sub(n_makers));
            best = best.min(ln_binomial_tail(n, k, chance));
        }
    }
    best
}

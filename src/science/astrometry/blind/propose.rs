//! Hypotheses about a frame from the whole-sky table, and their judgement.
//!
//! Quadrilaterals of the frame's bright stars, the brightest first, are looked up in either parity.
//! A likeness proposes a map; the table's other stars around test it in a moment, those that
//! stand are counted, refined and accepted as in a hinted search, with the reference stars of the
//! place where there are any, else with the index's own. The stars of the quadrilateral never
//! count for it. Shapes are looked up in parallel and judged in order.

use rayon::prelude::*;

use super::super::accept::accept;
use super::super::region::{Context, Local, Outcome, Proposal, Region, confirm};
use super::super::similarity::{Point, Similarity};
use super::super::verify::{Raster, Taken};
use super::super::{FrameSize, StarSource};
use super::BlindSky;
use super::code::{mirrored, of_points};
use super::table::QuadTable;
use crate::science::reference::motion::StarAtEpoch;
use crate::science::reference::tiles::ReferenceError;
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::ra_dec_rad;
use crate::science::units::ARCSEC_RAD;

/// Brightest stars of the frame that make quadrilaterals.
const STARS_MAX: usize = 38;
/// Brightest stars of the frame in the quick test.
const TEST_STARS: usize = 100;
/// Stars of the table on the frame that are wanted for the quick test.
const TEST_PLACES: f64 = 40.0;
/// Least distance of A and B as a fraction of the frame's diagonal.
const LONGEST_MIN: f64 = 0.12;
/// Scales that a frame may have [arcsec/px].
const SCALES_ARCSEC: (f64, f64) = (0.05, 300.0);
/// Half width of the range of scales around a hypothesis, as a share.
const SCALE_MARGIN: f64 = 0.1;
/// Log-odds of the quick test that call for a closer look.
const CLOSER_LOOK: f64 = 5.0;
/// Stars of the table on the frame that are counted in a closer look.
const LOCAL_STARS: f64 = 200.0;
/// Largest half diagonal of a frame [rad]; the table has no larger shapes.
const HALF_DIAGONAL_MAX_RAD: f64 = 0.5;
/// Error of the table's places [mas].
const PLACE_ERR_MAS: f64 = 100.0;
/// Hypotheses, at most.
const HYPOTHESES_MAX: u64 = 1_000_000;
/// Hypotheses that get a closer look, at most.
const LOOKS_MAX: usize = 2_000;
/// Hypotheses that are refined, at most.
const REFINED_MAX: usize = 40;
/// Stars that make a hypothesis.
const MAKERS: usize = 4;

/// A likeness of a frame's shape and one of the table.
struct Likeness {
    stars: [u32; 4],
    points: [Point; 4],
    is_conjugate: bool,
}

/// What came of the shapes of some stars.
#[derive(Default)]
struct Looked {
    n_hypotheses: u64,
    worth: Vec<Likeness>,
}

/// Looks for a frame on the whole sky.
pub fn search_blind(
    context: &Context<'_>,
    blind: &dyn BlindSky,
) -> Result<Outcome, ReferenceError> {
    let table = blind.quads()?;
    let frame = context.frame;
    let n_tested = frame.points.len().min(TEST_STARS);
    let test = QuickTest {
        table,
        points: &frame.points,
        raster: Raster::new(&frame.points[..n_tested], frame.size, frame.radius_px),
        size: frame.size,
    };
    let mut outcome = Outcome { best_log_odds: f64::NEG_INFINITY, ..Outcome::default() };
    let mut n_looks = 0;
    for faintest in 3..frame.points.len().min(STARS_MAX) {
        let looked: Vec<Looked> =
            (0..faintest).into_par_iter().map(|first| test.shapes(first, faintest)).collect();
        outcome.n_hypotheses += looked.iter().map(|l| l.n_hypotheses).sum::<u64>();
        for likeness in looked.into_iter().flat_map(|l| l.worth) {
            n_looks += 1;
            look_closer(context, (blind, table), &likeness, &mut outcome)?;
            if outcome.solution.is_some() {
                return Ok(outcome);
            }
        }
        let is_over = outcome.n_hypotheses > HYPOTHESES_MAX
            || n_looks > LOOKS_MAX
            || outcome.n_refined > REFINED_MAX;
        if is_over {
            break;
        }
    }
    Ok(outcome)
}

/// The frame and the table in the quick test.
struct QuickTest<'a> {
    table: &'a QuadTable,
    points: &'a [Point],
    raster: Raster,
    size: FrameSize,
}

impl QuickTest<'_> {
    /// Likenesses of all shapes of which these stars are the brightest and the faintest.
    fn shapes(&self, first: usize, faintest: usize) -> Looked {
        let mut looked = Looked::default();
        let mut taken = Taken::new(self.raster.n_stars());
        for second in first + 1..faintest {
            for third in second + 1..faintest {
                self.look_up([first, second, third, faintest], &mut taken, &mut looked);
            }
        }
        looked
    }

    fn look_up(&self, ranks: [usize; 4], taken: &mut Taken, looked: &mut Looked) {
        let points = ranks.map(|rank| self.points[rank]);
        let Some(found) = of_points(points) else { return };
        if found.longest < LONGEST_MIN * 2.0 * self.size.half_diagonal_px() {
            return;
        }
        let points = found.order.map(|k| points[k]);
        // The raster holds 100 stars.
        let makers = found.order.map(|k| ranks[k] as u16);
        for is_conjugate in [false, true] {
            let code = if is_conjugate { mirrored(found.code) } else { found.code };
            self.table.for_each_like(&code, |stars| {
                looked.n_hypotheses += 1;
                let likeness = Likeness { stars: *stars, points, is_conjugate };
                if self.log_odds(&likeness, found.longest, makers, taken) >= CLOSER_LOOK {
                    looked.worth.push(likeness);
                }
            });
        }
    }

    /// The quick test: do the table's stars around fall on stars of the frame?
    fn log_odds(
        &self,
        likeness: &Likeness,
        longest_px: f64,
        makers: [u16; 4],
        taken: &mut Taken,
    ) -> f64 {
        let vectors = likeness.stars.map(|k| self.table.vector(k));
        let [a, b, ..] = vectors;
        let middle = ra_dec_rad(std::array::from_fn(|k| a[k] + b[k]));
        let chord = (0..3).map(|k| (a[k] - b[k]) * (a[k] - b[k])).sum::<f64>().sqrt();
        let scale = chord / longest_px;
        if self.size.half_diagonal_px() * scale > HALF_DIAGONAL_MAX_RAD {
            return f64::NEG_INFINITY;
        }
        let range = (SCALES_ARCSEC.0 * ARCSEC_RAD, SCALES_ARCSEC.1 * ARCSEC_RAD);
        if scale < range.0 || scale > range.1 {
            return f64::NEG_INFINITY;
        }
        let plane = TangentPlane::at(middle);
        let Some(map) = likeness.map(&plane, self.table) else { return f64::NEG_INFINITY };
        let reach_rad = self.size.half_diagonal_px() * scale;
        let area_sr = self.size.area_px() * scale * scale;
        let around = self.table.around(middle, reach_rad, area_sr, TEST_PLACES);
        let pixels = around
            .into_iter()
            .filter(|k| !likeness.stars.contains(k))
            .filter_map(|k| plane.project_vector(self.table.vector(k)))
            .map(|place| map.to_pixel(place));
        self.raster.score(pixels, &makers, taken).log_odds
    }
}

impl Likeness {
    /// The map from a plane to pixels.
    fn map(&self, plane: &TangentPlane, table: &QuadTable) -> Option<Similarity> {
        let mut pairs = [((0.0, 0.0), (0.0, 0.0)); 4];
        for (pair, (&star, &point)) in pairs.iter_mut().zip(self.stars.iter().zip(&self.points)) {
            *pair = (plane.project_vector(table.vector(star))?, point);
        }
        Similarity::fit(&pairs, self.is_conjugate)
    }
}

/// A star of the table as one of the catalogue.
fn star(table: &QuadTable, number: u32) -> StarAtEpoch {
    let (ra_rad, dec_rad) = ra_dec_rad(table.vector(number));
    let mag = f64::from(table.places()[number as usize].mag);
    StarAtEpoch {
        source_id: i64::from(number),
        ra_rad,
        dec_rad,
        position_err_mas: PLACE_ERR_MAS,
        g_mag: Some(mag).filter(|mag| mag.is_finite()),
        bp_rp_mag: None,
    }
}

/// Counts with the table's stars around; accepts with the reference stars or with these.
fn look_closer(
    context: &Context<'_>,
    (blind, table): (&dyn BlindSky, &QuadTable),
    likeness: &Likeness,
    outcome: &mut Outcome,
) -> Result<(), ReferenceError> {
    let size = context.frame.size;
    let [a, b, ..] = likeness.stars.map(|k| table.vector(k));
    let near = TangentPlane::at(ra_dec_rad(std::array::from_fn(|k| a[k] + b[k])));
    let Some(map) = likeness.map(&near, table) else { return Ok(()) };
    let middle = map.to_plane(size.centre_px());
    let centre_rad = near.deproject(middle.0, middle.1);
    let [[c00, c01], [c10, c11]] = map.matrix_rad_per_px();
    let scale = (c00 * c11 - c01 * c10).abs().sqrt();
    let radius_rad = 1.05 * size.half_diagonal_px() * scale;
    let area_sr = size.area_px() * scale * scale;
    let plane = TangentPlane::at(centre_rad);
    let around = table.around(centre_rad, radius_rad, area_sr, LOCAL_STARS);
    let stars = around.into_iter().map(|number| star(table, number)).collect();
    let Some(map) = likeness.map(&plane, table) else { return Ok(()) };
    let local = Local::new(stars, plane);
    let proposal = Proposal { map, n_makers: MAKERS };
    let Some(found) = confirm(context, &local, &proposal, outcome) else { return Ok(()) };
    let scales_rad_per_px = (scale * (1.0 - SCALE_MARGIN), scale * (1.0 + SCALE_MARGIN));
    let region = Region { centre_rad, radius_rad, scales_rad_per_px };
    outcome.n_refined += 1;
    let skies = [(context.sky, StarSource::Reference), (blind.stars(), StarSource::BlindIndex)];
    for (sky, source) in skies.into_iter().filter(|(sky, _)| !sky.is_empty()) {
        accept(&Context { sky, ..*context }, &region, &found, outcome)?;
        if let Some(solution) = &mut outcome.solution {
            solution.star_source = source;
            break;
        }
    }
    Ok(())
}

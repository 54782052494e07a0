//! The static sky of a stamp: the median of other frames at the same place.

use super::plan::{Plan, STATIC_FRAMES_MAX, STATIC_FRAMES_MIN};
use crate::science::image::Image;
use crate::science::image::resample::SkyGrid;
use crate::science::sky::tan::TangentPlane;
use crate::science::units::ARCSEC_RAD;

/// A stamp without the static sky; `None` with too few other frames.
///
/// * `others`: stamps on the same grid, with the number of the frame of the plan they are from.
///
/// A pixel of another frame that lies under the object there is left out, unless too few would be
/// left: an object that hardly moves is then dimmed, not surrounded by holes.
pub(super) fn subtracted(
    stamp: &Image<f32>,
    others: &[(usize, &Image<f32>)],
    plan: &Plan<'_>,
    grid: &SkyGrid,
) -> Option<Image<f32>> {
    if others.len() < STATIC_FRAMES_MIN {
        return None;
    }
    let objects: Vec<Option<(f64, f64)>> =
        others.iter().map(|(from, _)| place_px(grid, plan.frames[*from].predicted_rad)).collect();
    let clear2 = (plan.clear_arcsec / grid.scale_arcsec).powi(2);
    let mut result = stamp.clone();
    for y in 0..stamp.ny() {
        for (x, value) in result.row_mut(y).iter_mut().enumerate() {
            let is_clear = |object: &Option<(f64, f64)>| match object {
                Some((u, v)) => (x as f64 - u).powi(2) + (y as f64 - v).powi(2) > clear2,
                None => true,
            };
            let all = || others.iter().zip(&objects).filter(|((_, o), _)| o.at(x, y).is_finite());
            let (mut clear, mut n_clear) = ([0.0; STATIC_FRAMES_MAX], 0);
            for ((_, other), _) in all().filter(|(_, object)| is_clear(object)) {
                clear[n_clear] = other.at(x, y);
                n_clear += 1;
            }
            if n_clear < STATIC_FRAMES_MIN {
                n_clear = 0;
                for ((_, other), _) in all() {
                    clear[n_clear] = other.at(x, y);
                    n_clear += 1;
                }
            }
            *value -= median(&mut clear[..n_clear]);
        }
    }
    Some(result)
}

/// Median of a few values; NaN of none.
fn median(values: &mut [f32]) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    match values {
        [] => f32::NAN,
        _ if values.len() % 2 == 1 => values[values.len() / 2],
        _ => 0.5 * (values[values.len() / 2 - 1] + values[values.len() / 2]),
    }
}

/// Place of a direction on a grid [px].
fn place_px(grid: &SkyGrid, (ra, dec): (f64, f64)) -> Option<(f64, f64)> {
    let (east, north) = TangentPlane::at(grid.centre_rad).project(ra, dec)?;
    let half = (grid.side_px as f64 - 1.0) / 2.0;
    let step = grid.scale_arcsec * ARCSEC_RAD;
    Some((half - east / step, half + north / step))
}

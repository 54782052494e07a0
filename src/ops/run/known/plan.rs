//! Which cones a night's frames need: one per field and half hour.
//!
//! Centres and times lie on fixed grids, so that another frame of a field needs nothing new, and a
//! night done again asks nothing twice. Between the half hours places are interpolated
//! (`science::movers::known`).

use crate::ops::run::frames::FrameResult;
use std::collections::BTreeMap;

use crate::formats::skybot::{ConeRequest, SkybotObserver};

/// Instants per day: places are asked for every half hour.
const INSTANTS_PER_DAY: f64 = 48.0;
/// What a cone is larger than its frames by, for motion within half an hour and badly known places
/// [arcsec].
const MARGIN_ARCSEC: f64 = 120.0;
/// Radii are rounded up to multiples of this [arcsec].
const RADIUS_STEP_ARCSEC: f64 = 60.0;
/// Largest cone [arcsec].
const RADIUS_MAX_ARCSEC: f64 = 36_000.0;
/// Requests of a night.
const REQUESTS_MAX: usize = 1000;

/// Where a frame looked.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ops::run) struct Look {
    /// Name of the frame.
    pub(in crate::ops::run) frame: String,
    /// Middle of its exposure [d, MJD UTC].
    pub(in crate::ops::run) mjd_utc: f64,
    /// Its centre (RA, Dec) [deg].
    pub(in crate::ops::run) centre_deg: (f64, f64),
    /// Half its diagonal [deg].
    pub(in crate::ops::run) half_diagonal_deg: f64,
}

impl Look {
    /// Where a solved frame looked.
    pub(in crate::ops::run) fn of(result: &FrameResult) -> Option<Self> {
        let outline = result.record.outline_deg()?;
        let diagonal_px = (result.nx as f64).hypot(result.ny as f64);
        Some(Self {
            frame: result.record.frame.clone(),
            mjd_utc: result.record.mid_mjd_utc?,
            centre_deg: outline.centre_deg,
            half_diagonal_deg: 0.5 * diagonal_px * outline.pixel_deg,
        })
    }
}

/// What is to be asked for a night.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::ops::run) struct Plan {
    /// The requests, in order.
    pub(super) requests: Vec<ConeRequest>,
    /// The frames, each with the requests around its time.
    pub(super) frames: Vec<(String, [usize; 2])>,
    /// Frames that were left out as there are too many requests.
    pub(super) left_out: Vec<String>,
}

/// Plans the requests for some frames.
pub(in crate::ops::run) fn plan(looks: &[Look], observer: &SkybotObserver) -> Plan {
    // Keyed by whole numbers: cell of the sky, radius, instant.
    let mut places: BTreeMap<(i64, [i64; 3]), usize> = BTreeMap::new();
    let mut plan = Plan::default();
    let mut order: Vec<&Look> = looks.iter().collect();
    order.sort_by(|a, b| a.mjd_utc.total_cmp(&b.mjd_utc).then_with(|| a.frame.cmp(&b.frame)));
    for look in order {
        let before = (look.mjd_utc * INSTANTS_PER_DAY).floor() as i64;
        let cone = Cone::around(look);
        let mut number = |instant: i64| {
            if let Some(known) = places.get(&(instant, cone.key)) {
                return Some(*known);
            }
            if plan.requests.len() >= REQUESTS_MAX {
                return None;
            }
            plan.requests.push(ConeRequest {
                mjd_utc: instant as f64 / INSTANTS_PER_DAY,
                ra_deg: cone.ra_deg,
                dec_deg: cone.dec_deg,
                radius_arcsec: cone.radius_arcsec,
                observer: observer.clone(),
            });
            places.insert((instant, cone.key), plan.requests.len() - 1);
            Some(plan.requests.len() - 1)
        };
        match number(before).zip(number(before + 1)) {
            Some((a, b)) => plan.frames.push((look.frame.clone(), [a, b])),
            None => plan.left_out.push(look.frame.clone()),
        }
    }
    plan
}

/// A cone on the grid that holds a frame.
struct Cone {
    ra_deg: f64,
    dec_deg: f64,
    radius_arcsec: f64,
    key: [i64; 3],
}

impl Cone {
    fn around(look: &Look) -> Self {
        // Cells are half to a whole half diagonal wide: a power of two, so that it does not change
        // with a slightly other scale.
        let cell_deg = look.half_diagonal_deg.clamp(0.01, 4.0).log2().floor().exp2();
        let row = (look.centre_deg.1 / cell_deg).round();
        let dec_deg = (row * cell_deg).clamp(-90.0, 90.0);
        let n_columns = (360.0 * dec_deg.to_radians().cos() / cell_deg).ceil().max(1.0);
        let column = (look.centre_deg.0.rem_euclid(360.0) / 360.0 * n_columns).round() % n_columns;
        let ra_deg = column / n_columns * 360.0;
        let reach_deg = look.half_diagonal_deg + std::f64::consts::FRAC_1_SQRT_2 * cell_deg;
        let steps = ((3600.0 * reach_deg + MARGIN_ARCSEC) / RADIUS_STEP_ARCSEC).ceil();
        let radius_arcsec = (steps * RADIUS_STEP_ARCSEC).min(RADIUS_MAX_ARCSEC);
        let key = [row as i64, column as i64, radius_arcsec as i64];
        Self { ra_deg, dec_deg, radius_arcsec, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::sky::vector::separation_rad;

    fn look(frame: &str, mjd_utc: f64, centre_deg: (f64, f64)) -> Look {
        Look { frame: frame.to_owned(), mjd_utc, centre_deg, half_diagonal_deg: 0.3 }
    }

    #[test]
    fn frames_of_a_field_share_their_requests() {
        let looks: Vec<Look> = (0..40)
            .map(|i| {
                let shift = 0.002 * f64::from(i % 5);
                look(&format!("f{i:02}"), 60_000.01 + 0.001 * f64::from(i), (12.6 + shift, 6.1))
            })
            .collect();
        let plan = plan(&looks, &SkybotObserver::Code("688".to_owned()));
        // 0.010 to 0.049 d: between the half hours 0 and 3 (0.0625 d).
        assert_eq!(plan.requests.len(), 4);
        assert_eq!((plan.frames.len(), plan.left_out.len()), (40, 0));
        for (frame, around) in &plan.frames {
            let look = looks.iter().find(|look| look.frame == *frame).expect("its look");
            let [a, b] = around.map(|i| plan.requests[i].mjd_utc);
            assert!(a <= look.mjd_utc && look.mjd_utc < b && b - a < 0.021);
        }
        // The same night without its last frames asks nothing else.
        let fewer = super::plan(&looks[..30], &SkybotObserver::Code("688".to_owned()));
        assert!(fewer.requests.iter().all(|request| plan.requests.contains(request)));
    }

    #[test]
    fn a_cone_holds_its_frame_everywhere_on_the_sky() {
        for dec in [-90.0, -89.9, -45.3, 0.0, 21.1, 60.02, 89.99, 90.0] {
            for ra in [0.0, 0.01, 123.4, 359.99] {
                let one = plan(&[look("f", 60_000.0, (ra, dec))], &SkybotObserver::Geocentre);
                let cone = &one.requests[0];
                let off = separation_rad(
                    (ra.to_radians(), dec.to_radians()),
                    (cone.ra_deg.to_radians(), cone.dec_deg.to_radians()),
                );
                let needed = 3600.0 * (off.to_degrees() + 0.3);
                assert!(cone.radius_arcsec >= needed, "{ra} {dec}: {needed}");
                assert!((0.0..360.0).contains(&cone.ra_deg));
                assert!(cone.radius_arcsec < 2500.0);
            }
        }
    }

    #[test]
    fn too_many_fields_are_told() {
        let looks: Vec<Look> = (0..1200)
            .map(|i| look(&format!("f{i}"), 60_000.0 + 0.5 * f64::from(i), (10.0, 0.0)))
            .collect();
        let plan = plan(&looks, &SkybotObserver::Geocentre);
        assert_eq!((plan.requests.len(), plan.left_out.len()), (REQUESTS_MAX, 700));
    }
}

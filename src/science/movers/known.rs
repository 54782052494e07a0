//! Predicted places of known objects, and where they are between the times they are predicted for.
//!
//! A prediction belongs to one frame, or to an instant that several frames lie around. Between
//! instants a place is interpolated on the tangent plane: a polynomial through up to four of them
//! (Lagrange); through two by their rates too (Hermite). With half an hour between them the
//! parallax of the turning Earth, 8.8 arcsec at 1 au, is met within 1e-4 arcsec; it is by far the
//! fastest change of an object's motion.

use super::super::sky::tan::TangentPlane;
use super::super::units::{ARCSEC_RAD, DEG_RAD};

/// Longest time between two instants that are interpolated between [h].
const GAP_MAX_H: f64 = 2.1;
/// Longest time over which a place is moved on by its rates alone [h].
const REACH_MAX_H: f64 = 0.6;
/// A prediction is for an instant if it is nearer than this [h].
const SAME_INSTANT_H: f64 = 5.0 / 3600.0;
/// Step of the numeric derivative [h].
const STEP_H: f64 = 1.0 / 120.0;
/// Rates that lead past the next place by more than this are not used [arcsec/h].
const RATE_OFF_ARCSEC_PER_H: f64 = 0.1;
/// Hours per day.
const H_PER_D: f64 = 24.0;
/// Error of a place when a source does not tell it [arcsec].
pub const UNTOLD_ERR_ARCSEC: f64 = 1.0;

/// A predicted place of a known object.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownPlace {
    /// File the prediction is for, when the source says so.
    pub file: Option<String>,
    /// Instant of the prediction [d, MJD UTC], when the source says so.
    pub mid_mjd_utc: Option<f64>,
    /// Number and name, e.g. `22767 Sim22767`.
    pub designation: String,
    /// Class of its orbit in the source's words, e.g. `MB>Inner`.
    pub class: Option<String>,
    /// Right ascension, ICRS, astrometric [deg].
    pub ra_deg: f64,
    /// Declination [deg].
    pub dec_deg: f64,
    /// Error of the place [arcsec].
    pub err_arcsec: f64,
    /// Rates in RA (with cos(Dec)) and Dec [arcsec/h], when the source gives them.
    pub rate_arcsec_per_h: Option<(f64, f64)>,
    /// Apparent magnitude [mag, V].
    pub v_mag: Option<f64>,
}

/// Where a known object is at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlaceAt {
    /// Right ascension [rad].
    pub ra_rad: f64,
    /// Declination [rad].
    pub dec_rad: f64,
    /// Error of the place [arcsec].
    pub err_arcsec: f64,
    /// Rates east and north [arcsec/h], when they can be told.
    pub rate_arcsec_per_h: Option<(f64, f64)>,
}

/// The predicted places of one object in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownTrack {
    nodes: Vec<(f64, KnownPlace)>,
}

impl KnownTrack {
    /// The track of an object through its places, each with its instant [d, MJD UTC].
    ///
    /// Of several predictions for one instant the first one counts. `None` without places.
    pub fn new(mut nodes: Vec<(f64, KnownPlace)>) -> Option<Self> {
        nodes.retain(|node| node.0.is_finite());
        nodes.sort_by(|a, b| a.0.total_cmp(&b.0));
        nodes.dedup_by(|later, kept| H_PER_D * (later.0 - kept.0) < 0.2 * SAME_INSTANT_H);
        (!nodes.is_empty()).then_some(Self { nodes })
    }

    /// Number and name.
    pub fn designation(&self) -> &str {
        &self.nodes[0].1.designation
    }

    /// Class of its orbit.
    pub fn class(&self) -> Option<&str> {
        self.nodes.iter().find_map(|node| node.1.class.as_deref())
    }

    /// Magnitude [V]; it changes little in a night.
    pub fn v_mag(&self) -> Option<f64> {
        self.nodes.iter().find_map(|node| node.1.v_mag)
    }

    /// Where the object is at an instant [d, MJD UTC]; `None` too far from all predictions.
    pub fn at(&self, mjd_utc: f64) -> Option<PlaceAt> {
        let hours = |i: usize| H_PER_D * (self.nodes[i].0 - mjd_utc);
        let after = self.nodes.partition_point(|node| node.0 < mjd_utc);
        let sides = [after.checked_sub(1), Some(after).filter(|i| *i < self.nodes.len())];
        let nearest = sides
            .into_iter()
            .flatten()
            .min_by(|a, b| hours(*a).abs().total_cmp(&hours(*b).abs()))?;
        let is_between = |a, b| hours(b) - hours(a) <= GAP_MAX_H;
        if hours(nearest).abs() > SAME_INSTANT_H
            && let [Some(before), Some(behind)] = sides
            && is_between(before, behind)
        {
            let mut range = before..behind + 1;
            if before > 0 && is_between(before - 1, before) {
                range.start -= 1;
            }
            if behind + 1 < self.nodes.len() && is_between(behind, behind + 1) {
                range.end += 1;
            }
            return self.through(range, nearest, mjd_utc);
        }
        self.moved_on(nearest, mjd_utc)
    }

    /// The place of one prediction, moved on by its rates.
    fn moved_on(&self, i: usize, mjd_utc: f64) -> Option<PlaceAt> {
        let (node_mjd, place) = &self.nodes[i];
        let dt_h = H_PER_D * (mjd_utc - node_mjd);
        let (mut ra_rad, mut dec_rad) = (place.ra_deg * DEG_RAD, place.dec_deg * DEG_RAD);
        match place.rate_arcsec_per_h {
            Some((east, north)) if dt_h.abs() <= REACH_MAX_H => {
                let step = dt_h * ARCSEC_RAD;
                (ra_rad, dec_rad) =
                    TangentPlane::at((ra_rad, dec_rad)).deproject(east * step, north * step);
            }
            _ if dt_h.abs() <= SAME_INSTANT_H => {}
            _ => return None,
        }
        let (err_arcsec, rate_arcsec_per_h) = (place.err_arcsec, place.rate_arcsec_per_h);
        Some(PlaceAt { ra_rad, dec_rad, err_arcsec, rate_arcsec_per_h })
    }

    /// The place between predictions.
    fn through(
        &self,
        range: std::ops::Range<usize>,
        nearest: usize,
        mjd_utc: f64,
    ) -> Option<PlaceAt> {
        let centre = &self.nodes[nearest].1;
        let plane = TangentPlane::at((centre.ra_deg * DEG_RAD, centre.dec_deg * DEG_RAD));
        let mut points = Vec::with_capacity(range.len());
        for (node_mjd, place) in &self.nodes[range] {
            let (xi, eta) = plane.project(place.ra_deg * DEG_RAD, place.dec_deg * DEG_RAD)?;
            let rate = place.rate_arcsec_per_h;
            points.push(Node { t_h: H_PER_D * (node_mjd - mjd_utc), at_rad: (xi, eta), rate });
        }
        let now = curve(&points, 0.0);
        let (ra_rad, dec_rad) = plane.deproject(now.0, now.1);
        let (late, early) = (curve(&points, STEP_H), curve(&points, -STEP_H));
        let slope = |late: f64, early: f64| (late - early) / (2.0 * STEP_H * ARCSEC_RAD);
        Some(PlaceAt {
            ra_rad,
            dec_rad,
            err_arcsec: centre.err_arcsec,
            rate_arcsec_per_h: Some((slope(late.0, early.0), slope(late.1, early.1))),
        })
    }
}

/// A place on the plane [rad] at a time [h] with its rates [arcsec/h].
struct Node {
    t_h: f64,
    at_rad: (f64, f64),
    rate: Option<(f64, f64)>,
}

/// The value of the curve through some nodes at a time [h].
fn curve(nodes: &[Node], t_h: f64) -> (f64, f64) {
    if let [a, b] = nodes
        && let (Some(rate_a), Some(rate_b)) = (a.rate, b.rate)
        && are_right(a, b, (rate_a, rate_b))
    {
        let h = b.t_h - a.t_h;
        let u = (t_h - a.t_h) / h;
        let (start, end) = ((1.0 + 2.0 * u) * (1.0 - u).powi(2), u * u * (3.0 - 2.0 * u));
        let (leave, arrive) = (u * (1.0 - u).powi(2), u * u * (u - 1.0));
        let scale = h * ARCSEC_RAD;
        let value =
            |p: f64, q: f64, v: f64, w: f64| start * p + end * q + scale * (leave * v + arrive * w);
        return (
            value(a.at_rad.0, b.at_rad.0, rate_a.0, rate_b.0),
            value(a.at_rad.1, b.at_rad.1, rate_a.1, rate_b.1),
        );
    }
    let mut sum = (0.0, 0.0);
    for (i, node) in nodes.iter().enumerate() {
        let others = nodes.iter().enumerate().filter(|(j, _)| *j != i);
        let weight: f64 =
            others.map(|(_, other)| (t_h - other.t_h) / (node.t_h - other.t_h)).product();
        sum = (sum.0 + weight * node.at_rad.0, sum.1 + weight * node.at_rad.1);
    }
    sum
}

/// Whether the rates at two places lead from one to the other; those for the Earth's centre beside
/// places for an observer on its surface do not.
fn are_right(a: &Node, b: &Node, rates: ((f64, f64), (f64, f64))) -> bool {
    let scale = (b.t_h - a.t_h) * ARCSEC_RAD;
    let off = |from: f64, to: f64, v: f64, w: f64| (to - from) / scale - 0.5 * (v + w);
    let east = off(a.at_rad.0, b.at_rad.0, rates.0.0, rates.1.0);
    let north = off(a.at_rad.1, b.at_rad.1, rates.0.1, rates.1.1);
    let change = (rates.0.0 - rates.1.0).hypot(rates.0.1 - rates.1.1);
    east.hypot(north) <= RATE_OFF_ARCSEC_PER_H + 0.5 * change
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object that moves on the sky by -30 and 12 arcsec/h and swings by 8.8 arcsec a day, as
    /// one at 1 au does for an observer on the equator; seen at RA 0h, Dec 60 degrees.
    fn truth(hours: f64) -> (f64, f64) {
        let phase = std::f64::consts::TAU * hours / 24.0;
        let (east, north) = (-30.0 * hours + 8.8 * phase.sin(), 12.0 * hours + 4.0 * phase.cos());
        TangentPlane::at((0.0, 60.0 * DEG_RAD)).deproject(east * ARCSEC_RAD, north * ARCSEC_RAD)
    }

    fn place(hours: f64, rate: Option<(f64, f64)>) -> (f64, KnownPlace) {
        let (ra, dec) = truth(hours);
        let place = KnownPlace {
            file: None,
            mid_mjd_utc: None,
            designation: "1 Ceres".to_owned(),
            class: None,
            ra_deg: ra / DEG_RAD,
            dec_deg: dec / DEG_RAD,
            err_arcsec: 0.1,
            rate_arcsec_per_h: rate,
            v_mag: Some(8.0),
        };
        (60_000.0 + hours / 24.0, place)
    }

    /// Distance to the truth [arcsec].
    fn off(track: &KnownTrack, hours: f64) -> f64 {
        let at = track.at(60_000.0 + hours / 24.0).expect("a place");
        let distance =
            crate::science::sky::vector::separation_rad((at.ra_rad, at.dec_rad), truth(hours));
        distance / ARCSEC_RAD
    }

    #[test]
    fn places_between_half_hours_are_met_within_a_tenth_of_a_milliarcsecond() {
        let nodes = (-4..=4).map(|i| place(0.5 * f64::from(i), None)).collect();
        let track = KnownTrack::new(nodes).expect("a track");
        // Cubic through four nodes, h = 0.5 h: (9/384) h^4 8.8 (2 pi / 24)^4 = 6e-5 arcsec; at the
        // ends three nodes leave h^3/15.6 8.8 (2 pi/24)^3 = 1.3e-3.
        for i in -130..=130 {
            let hours = f64::from(i) / 100.0;
            assert!(off(&track, hours) < 1e-4, "{hours} h: {}", off(&track, hours));
        }
        assert!(off(&track, 1.8) < 2e-3);
        let rate = track.at(60_000.01).and_then(|at| at.rate_arcsec_per_h).expect("rates");
        // -30 + 8.8 (2 pi / 24) cos(2 pi 0.01) = -27.701 arcsec/h.
        assert!((rate.0 + 27.701).abs() < 2e-3, "{rate:?}");
    }

    #[test]
    fn two_places_need_their_rates_and_one_is_moved_on() {
        let speed = |hours: f64| {
            let phase = std::f64::consts::TAU * hours / 24.0;
            let swing = std::f64::consts::TAU / 24.0;
            Some((-30.0 + 8.8 * swing * phase.cos(), 12.0 - 4.0 * swing * phase.sin()))
        };
        let both = vec![place(-0.5, speed(-0.5)), place(0.5, speed(0.5))];
        let track = KnownTrack::new(both).expect("a track");
        // Rates east differ by 5e-4 from those on the sky: the plane is not the object's own.
        assert!(off(&track, 0.2) < 1e-3, "{}", off(&track, 0.2));
        let one = KnownTrack::new(vec![place(0.0, speed(0.0))]).expect("a track");
        assert!(off(&one, 0.5) < 0.08);
        assert_eq!(one.at(60_000.0 + 0.7 / 24.0), None);
        let none = KnownTrack::new(vec![place(0.0, None)]).expect("a track");
        assert_eq!(none.at(60_000.0 + 0.1 / 24.0), None);
        assert!(none.at(60_000.0 + 1.0 / 86_400.0).is_some());
    }

    #[test]
    fn far_gaps_are_not_bridged() {
        let track = KnownTrack::new(vec![place(0.0, None), place(3.0, None)]).expect("a track");
        assert_eq!(track.at(60_000.0 + 1.5 / 24.0), None);
        assert_eq!(KnownTrack::new(Vec::new()), None);
        assert_eq!(KnownTrack::new(vec![(f64::NAN, place(0.0, None).1)]), None);
    }
}

//! The shape of four stars as four numbers.
//!
//! A and B are the two stars farthest apart; in the frame in which A is (0, 0) and B is (1, 0) the
//! places of C and D are the code. A is the one that makes xC + xD < 1, C the one with the smaller
//! x. A mirror negates both y. Four stars whose order noise could change have no code.

use super::super::similarity::Point;
use crate::science::sky::vector::{UnitVector, cross, dot};

/// Largest difference of a number between a frame and the table.
///
/// Centroids give 0.001 (0.3 px of 300 px), distortion of 0.5 % and the curved sky the rest.
pub const TOLERANCE: f64 = 0.006;
/// Two stars must be this much farther apart than any others, as a share.
const LONGEST_SHARE: f64 = 0.985;
/// Margin of both rules of order in the table; twice the tolerance.
const ORDER_MARGIN: f64 = 2.0 * TOLERANCE;
/// Least distance of C or D from A and B, and from each other, in units of that of A and B.
const NEAR_MIN: f64 = 0.05;

/// Places of C and D: xC, yC, xD, yD.
pub type Code = [f64; 4];

/// Four stars in the order of their code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ordered {
    /// Which of the four given stars are A, B, C, D.
    pub order: [usize; 4],
    /// The shape.
    pub code: Code,
    /// Distance of A and B, in the unit given.
    pub(super) longest: f64,
}

/// How careful the order must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// For the table: nothing that noise could change.
    Margin,
    /// For a frame, whose stars near a tie are in no table.
    None,
}

const PAIRS: [(usize, usize); 6] = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];

/// The two ends, farthest apart, and the two others; `None` when others are as far.
fn ends(square: impl Fn(usize, usize) -> f64) -> Option<([usize; 4], f64)> {
    let squares = PAIRS.map(|(i, j)| square(i, j));
    let (mut longest, mut second, mut at) = (-1.0, -1.0, 0);
    let mut shortest = f64::INFINITY;
    for (k, value) in squares.into_iter().enumerate() {
        shortest = value.min(shortest);
        if value > longest {
            (second, longest, at) = (longest, value, k);
        } else if value > second {
            second = value;
        }
    }
    let is_clear = longest.is_finite()
        && second <= LONGEST_SHARE * LONGEST_SHARE * longest
        && shortest >= NEAR_MIN * NEAR_MIN * longest;
    let (a, b) = PAIRS[at];
    let (c, d) = PAIRS[PAIRS.len() - 1 - at];
    is_clear.then_some(([a, b, c, d], longest))
}

/// The code of four points of a plane.
pub fn of_points(points: [Point; 4]) -> Option<Ordered> {
    let square = |i: usize, j: usize| {
        let (dx, dy) = (points[i].0 - points[j].0, points[i].1 - points[j].1);
        dx * dx + dy * dy
    };
    let (order, longest_square) = ends(square)?;
    let [a, b, c, d] = order.map(|k| points[k]);
    let side = (b.0 - a.0, b.1 - a.1);
    let place = |p: Point| {
        let (dx, dy) = (p.0 - a.0, p.1 - a.1);
        ((dx * side.0 + dy * side.1) / longest_square, (dy * side.0 - dx * side.1) / longest_square)
    };
    ordered(order, (place(c), place(d)), longest_square.sqrt(), Care::None)
}

/// The code of four directions, on the plane that touches midway between A and B; `longest` is
/// their chord [rad].
pub fn of_directions(v: [UnitVector; 4], care: Care) -> Option<Ordered> {
    let difference =
        |p: UnitVector, q: UnitVector| -> UnitVector { std::array::from_fn(|k| p[k] - q[k]) };
    let square = |i: usize, j: usize| {
        let d = difference(v[i], v[j]);
        dot(d, d)
    };
    let (order, longest_square) = ends(square)?;
    let [a, b, c, d] = order.map(|k| v[k]);
    let longest = longest_square.sqrt();
    let along = difference(b, a).map(|x| x / longest);
    let middle: UnitVector = std::array::from_fn(|k| a[k] + b[k]);
    let across = cross(middle, along);
    // Middle and across are too long by the same factor, which falls out below.
    let half = dot(b, along) / dot(b, middle);
    let place = |p: UnitVector| {
        let depth = dot(p, middle) * half;
        let norm = dot(middle, middle).sqrt();
        (0.5 * (dot(p, along) / depth + 1.0), 0.5 * dot(p, across) / norm / depth)
    };
    ordered(order, (place(c), place(d)), longest, care)
}

fn ordered(
    mut order: [usize; 4],
    (mut c, mut d): (Point, Point),
    longest: f64,
    care: Care,
) -> Option<Ordered> {
    let sum = c.0 + d.0 - 1.0;
    if sum > 0.0 {
        order.swap(0, 1);
        (c, d) = ((1.0 - c.0, -c.1), (1.0 - d.0, -d.1));
    }
    let difference = d.0 - c.0;
    if difference < 0.0 {
        order.swap(2, 3);
        (c, d) = (d, c);
    }
    let is_sure =
        care == Care::None || (sum.abs() >= ORDER_MARGIN && difference.abs() >= ORDER_MARGIN);
    let code = [c.0, c.1, d.0, d.1];
    (is_sure && code.iter().all(|x| x.is_finite())).then_some(Ordered { order, code, longest })
}

/// The code of the mirrored shape.
pub fn mirrored([xc, yc, xd, yd]: Code) -> Code {
    [xc, -yc, xd, -yd]
}

/// Tells whether two codes are alike.
pub fn is_like(a: &Code, b: &Code) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::sky::tan::TangentPlane;
    use crate::science::sky::vector::{ra_dec_rad, unit_vector};

    #[test]
    fn places_of_c_and_d_are_the_code() {
        // A (0, 0), B (10, 0); C (2, 1), D (5, -3): xC + xD = 0.7, xC < xD.
        let points = [(5.0, -3.0), (10.0, 0.0), (2.0, 1.0), (0.0, 0.0)];
        let found = of_points(points).expect("a code");
        assert_eq!(found.order, [3, 1, 2, 0]);
        let expected = [0.2, 0.1, 0.5, -0.3];
        assert!(found.code.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
        // Turned by a right angle, three times as large, and shifted.
        let moved = points.map(|(x, y)| (7.0 - 3.0 * y, 3.0 * x - 1.0));
        assert!(is_like(&of_points(moved).expect("a code").code, &found.code));
        // Mirrored: other stars are A and B, or y is negated.
        let flipped = of_points(points.map(|(x, y)| (x, -y))).expect("a code");
        assert!(is_like(&mirrored(flipped.code), &found.code));
        assert_eq!(flipped.order, found.order);
    }

    #[test]
    fn the_sky_gives_the_code_of_its_tangent_plane() {
        let plane = TangentPlane::at((2.0, 1.1));
        // A square of 2 deg, far from the middle of nothing: the midpoint of A and B is the origin.
        let points = [(-0.02, 0.0), (0.02, 0.0), (-0.01, 0.008), (0.006, -0.013)];
        let stars = points.map(|(xi, eta)| {
            let (ra, dec) = plane.deproject(xi, eta);
            unit_vector(ra, dec)
        });
        let on_plane = of_points(points).expect("a code");
        let on_sky = of_directions(stars, Care::Margin).expect("a code");
        assert_eq!(on_plane.order, on_sky.order);
        for (a, b) in on_plane.code.iter().zip(on_sky.code) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
        // The chord of 2 atan(0.02).
        assert!((on_sky.longest - 2.0 * 0.02_f64.atan().sin()).abs() < 1e-12);
        let middle: UnitVector = std::array::from_fn(|k| stars[0][k] + stars[1][k]);
        let middle = ra_dec_rad(middle);
        assert!((middle.1 - 1.1).abs() < 1e-12);
    }

    #[test]
    fn ties_neighbours_and_lost_places_have_no_code() {
        // A square: both diagonals are the longest.
        assert!(of_points([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]).is_none());
        assert!(of_points([(0.0, 0.0), (1.0, 0.0), (0.5, 0.3), (0.5, 0.3)]).is_none());
        assert!(of_points([(0.0, 0.0), (1.0, 0.0), (0.5, f64::NAN), (0.2, 0.3)]).is_none());
        assert!(of_points([(1.0, 1.0); 4]).is_none());
    }
}

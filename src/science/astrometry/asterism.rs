//! Triangles of stars and a table to look them up by shape.
//!
//! The shape is the ratio of the middle and the shortest to the longest side; it does not change
//! by shift, turn, scale or mirror. The order of the sides tells which vertex is which, the
//! sense of rotation the parity. Method: Groth 1986, AJ 91, 1244, with a grid instead of a
//! sorted list.

use super::similarity::Point;

/// Width of a bin of shapes.
const BIN: f64 = 0.003;
/// Smallest ratio of shortest to longest side; flatter ones fix the turn badly.
const SHORTEST_MIN: f64 = 0.10;
/// Smallest area as a fraction of the longest side squared; flatter ones have no sure parity.
const AREA_MIN: f64 = 0.03;
/// Bins per axis of the table; ratios reach 1.
const BINS: usize = 334;

/// Three stars, in the order of the sides opposite to them: longest, middle, shortest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Triangle {
    /// Numbers of the stars in their list.
    pub vertices: [u16; 3],
    /// Middle and shortest side over the longest.
    pub shape: (f32, f32),
    /// The longest side, in the unit of the points.
    pub longest: f32,
    /// Whether the vertices run anticlockwise.
    pub is_anticlockwise: bool,
}

/// All usable triangles of the first `n` points whose longest side is at least `side_min`.
pub fn triangles(points: &[Point], n: usize, side_min: f64) -> Vec<Triangle> {
    let n = n.min(points.len()).min(usize::from(u16::MAX));
    let mut found = Vec::new();
    for i in 0..n {
        for j in i + 1..n {
            for k in j + 1..n {
                found.extend(triangle(points, [i, j, k], side_min));
            }
        }
    }
    found
}

fn triangle(points: &[Point], corners: [usize; 3], side_min: f64) -> Option<Triangle> {
    let [p, q, r] = corners.map(|c| points[c]);
    let square = |a: Point, b: Point| (a.0 - b.0) * (a.0 - b.0) + (a.1 - b.1) * (a.1 - b.1);
    let mut sides =
        [(square(q, r), corners[0]), (square(r, p), corners[1]), (square(p, q), corners[2])];
    sides.sort_by(|a, b| b.0.total_cmp(&a.0));
    let longest_square = sides[0].0;
    let is_large = longest_square >= side_min * side_min && longest_square > 0.0;
    if !is_large || sides[2].0 < SHORTEST_MIN * SHORTEST_MIN * longest_square {
        return None;
    }
    let [a, b, c] = sides.map(|(_, corner)| points[corner]);
    let twice_area = (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
    if twice_area.abs() < 2.0 * AREA_MIN * longest_square {
        return None;
    }
    Some(Triangle {
        // `triangles` keeps the numbers below 65,536.
        vertices: sides.map(|(_, corner)| corner as u16),
        shape: (
            (sides[1].0 / longest_square).sqrt() as f32,
            (sides[2].0 / longest_square).sqrt() as f32,
        ),
        longest: longest_square.sqrt() as f32,
        is_anticlockwise: twice_area > 0.0,
    })
}

/// Triangles sorted into bins of shape.
#[derive(Debug, Clone)]
pub struct ShapeTable {
    triangles: Vec<Triangle>,
    starts: Vec<u32>,
}

impl ShapeTable {
    /// The table of these triangles.
    pub fn new(mut triangles: Vec<Triangle>) -> Self {
        triangles.sort_by_key(|t| bin_of(t.shape));
        let mut starts = vec![0_u32; BINS * BINS + 1];
        for triangle in &triangles {
            starts[bin_of(triangle.shape) + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        Self { triangles, starts }
    }

    /// Number of triangles.
    pub fn len(&self) -> usize {
        self.triangles.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.triangles.is_empty()
    }

    /// The triangles of nearly this shape: both ratios within a tolerance.
    pub fn similar(&self, shape: (f32, f32), tolerance: f32) -> impl Iterator<Item = &Triangle> {
        let bin = bin_of(shape);
        let (row, column) = (bin / BINS, bin % BINS);
        let reach = (f64::from(tolerance) / BIN).ceil() as usize;
        let columns = (column.saturating_sub(reach), (column + reach).min(BINS - 1));
        (row.saturating_sub(reach)..=(row + reach).min(BINS - 1))
            .flat_map(move |r| {
                let first = self.starts[r * BINS + columns.0] as usize;
                let last = self.starts[r * BINS + columns.1 + 1] as usize;
                &self.triangles[first..last]
            })
            .filter(move |t| {
                (t.shape.0 - shape.0).abs() < tolerance && (t.shape.1 - shape.1).abs() < tolerance
            })
    }
}

/// The bin of a shape; ratios lie in [0, 1].
fn bin_of(shape: (f32, f32)) -> usize {
    let bin = |ratio: f32| ((f64::from(ratio) / BIN) as usize).min(BINS - 1);
    bin(shape.0) * BINS + bin(shape.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_3_4_5_triangle_has_its_ratios() {
        // Sides 3, 4, 5: the right angle lies opposite to the longest.
        let points = [(0.0, 0.0), (3.0, 0.0), (0.0, 4.0)];
        let found = triangles(&points, 3, 1.0);
        assert_eq!(found.len(), 1);
        assert!((found[0].shape.0 - 0.8).abs() < 1e-6 && (found[0].shape.1 - 0.6).abs() < 1e-6);
        assert!((found[0].longest - 5.0).abs() < 1e-6);
        assert_eq!(found[0].vertices, [0, 1, 2]);
        assert!(found[0].is_anticlockwise);
        assert!(triangles(&points, 3, 5.1).is_empty());
    }

    #[test]
    fn table_finds_what_a_scan_finds() {
        let points: Vec<Point> =
            (0..40).map(|i| (f64::from(i * 37 % 101), f64::from(i * i * 13 % 97))).collect();
        let all = triangles(&points, 40, 5.0);
        let table = ShapeTable::new(all.clone());
        let tolerance = 0.005;
        for query in all.iter().step_by(97) {
            let scan = all.iter().filter(|t| {
                (t.shape.0 - query.shape.0).abs() < tolerance
                    && (t.shape.1 - query.shape.1).abs() < tolerance
            });
            assert_eq!(table.similar(query.shape, tolerance).count(), scan.count());
        }
    }

    #[test]
    fn equal_points_and_lines_make_no_triangle() {
        assert!(triangles(&[(1.0, 1.0); 5], 5, 0.0).is_empty());
        assert!(triangles(&[(0.0, 0.0), (1.0, 1.0), (3.0, 3.0)], 3, 0.0).is_empty());
        assert!(ShapeTable::new(Vec::new()).similar((0.5, 0.5), 0.01).next().is_none());
    }
}

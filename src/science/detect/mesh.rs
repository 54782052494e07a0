//! The mesh of a frame's sky: cells, their healing, and the surface drawn through them.
//!
//! SExtractor filters the mesh by a median and draws a bicubic spline (Bertin & Arnouts 1996,
//! A&AS 117, 393, sec. 5). Here only cells that stand out are replaced, and the surface has the
//! cells' averages, so that a curved sky (moonlight, a reflection) is followed over its crests.

use multiversion::multiversion;

use crate::science::image::stats::median_in_place;

/// Equal division of a frame into about square cells.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// Frame [px].
    pub(super) nx: usize,
    pub(super) ny: usize,
    /// Cells.
    pub(super) n_x: usize,
    pub(super) n_y: usize,
    step_x: f64,
    step_y: f64,
}

impl Grid {
    /// A division of an `nx` x `ny` frame.
    pub(super) fn over(nx: usize, ny: usize, cell_px: usize) -> Self {
        let n_x = ((nx as f64 / cell_px as f64).round() as usize).max(1);
        let n_y = ((ny as f64 / cell_px as f64).round() as usize).max(1);
        Self { nx, ny, n_x, n_y, step_x: nx as f64 / n_x as f64, step_y: ny as f64 / n_y as f64 }
    }

    /// Columns of cells in place `i` of their row.
    pub(super) fn columns(&self, i: usize) -> std::ops::Range<usize> {
        (i as f64 * self.step_x).round() as usize..((i + 1) as f64 * self.step_x).round() as usize
    }

    /// Rows of cells in place `j` of their column.
    pub(super) fn rows(&self, j: usize) -> std::ops::Range<usize> {
        (j as f64 * self.step_y).round() as usize..((j + 1) as f64 * self.step_y).round() as usize
    }

    /// Cell index and weight of the next cell; beyond the outer centres the weight leaves 0..1.
    fn place(i: usize, n_cells: usize, step: f64) -> (usize, f64) {
        let place = (i as f64 + 0.5) / step - 0.5;
        let low = (place.floor().max(0.0) as usize).min(n_cells.saturating_sub(2));
        (low, if n_cells == 1 { 0.0 } else { place - low as f64 })
    }

    /// Linear interpolation at a pixel.
    pub(super) fn linear(&self, cells: &[f64], x: usize, y: usize) -> f64 {
        let (i, u) = Self::place(x, self.n_x, self.step_x);
        let (j, v) = Self::place(y, self.n_y, self.step_y);
        let (right, upper) = ((i + 1).min(self.n_x - 1), (j + 1).min(self.n_y - 1));
        let along =
            |row: usize| (1.0 - u) * cells[row * self.n_x + i] + u * cells[row * self.n_x + right];
        (1.0 - v) * along(j) + v * along(upper)
    }

    /// The same along a whole row: a straight line between two cell centres each.
    pub(super) fn linear_row(&self, cells: &[f64], y: usize, row: &mut [f32]) {
        let (j, v) = Self::place(y, self.n_y, self.step_y);
        let upper = (j + 1).min(self.n_y - 1);
        let at = |i: usize| (1.0 - v) * cells[j * self.n_x + i] + v * cells[upper * self.n_x + i];
        let n = row.len();
        let pieces = self.n_x.saturating_sub(1).max(1);
        let mut start = 0;
        for i in 0..pieces {
            // The last piece runs to the frame's edge, the first begins there.
            let next_centre = ((i as f64 + 1.5) * self.step_x - 0.5).ceil().max(0.0) as usize;
            let end = if i + 1 == pieces { n } else { next_centre.min(n) };
            let slope = (at((i + 1).min(self.n_x - 1)) - at(i)) / self.step_x;
            let first = at(i) + slope * (start as f64 + 0.5 - (i as f64 + 0.5) * self.step_x);
            let (first, slope) = (first as f32, slope as f32);
            write_line(&mut row[start..end], first, slope);
            start = end;
        }
    }

    /// Cubic interpolation at a pixel.
    pub(super) fn cubic(&self, cells: &[f64], x: usize, y: usize) -> f64 {
        let across = self.down(cells, y);
        let place = (x as f64 + 0.5) / self.step_x - 0.5;
        let piece = (place.floor() as i64).clamp(-1, self.n_x as i64 - 1);
        horner(piece_of(&across, piece), place - piece as f64)
    }

    /// The same along a whole row.
    pub(super) fn cubic_row(&self, cells: &[f64], y: usize, row: &mut [f32]) {
        let across = self.down(cells, y);
        let mut start = 0;
        for piece in -1..self.n_x as i64 {
            let next_centre = ((piece as f64 + 1.5) * self.step_x - 0.5).ceil().max(0.0) as usize;
            let is_last = piece + 1 == self.n_x as i64;
            let end = if is_last { row.len() } else { next_centre.min(row.len()) };
            // The polynomial in pixels from the piece's first one, so that single precision does.
            let t = (start as f64 + 0.5) / self.step_x - 0.5 - piece as f64;
            let [a, b, c, d] = piece_of(&across, piece);
            let h = 1.0 / self.step_x;
            let shifted = [
                a + t * (b + t * (c + t * d)),
                (b + t * (2.0 * c + t * 3.0 * d)) * h,
                (c + 3.0 * d * t) * h * h,
                d * h * h * h,
            ];
            write_cubic(&mut row[start..end], shifted.map(|v| v as f32));
            start = end;
        }
    }

    /// Values of the columns of the cells at row `y` of the frame.
    fn down(&self, cells: &[f64], y: usize) -> Vec<f64> {
        let place = (y as f64 + 0.5) / self.step_y - 0.5;
        let piece = (place.floor() as i64).clamp(-1, self.n_y as i64 - 1);
        let at = |i: usize, j: i64| along(|j| cells[j * self.n_x + i], self.n_y, j);
        let nodes = |i| [at(i, piece - 1), at(i, piece), at(i, piece + 1), at(i, piece + 2)];
        (0..self.n_x).map(|i| horner(cubic_of(nodes(i)), place - piece as f64)).collect()
    }
}

/// Writes `first + slope k` for pixel `k`.
#[multiversion(targets("x86_64+avx2"))]
fn write_line(pixels: &mut [f32], first: f32, slope: f32) {
    for (k, pixel) in pixels.iter_mut().enumerate() {
        // By way of 32 bits, which processors turn into floats side by side.
        *pixel = first + slope * (k as i32 as f32);
    }
}

/// Writes the cubic polynomial of pixel number `k`.
#[multiversion(targets("x86_64+avx2"))]
fn write_cubic(pixels: &mut [f32], coefficients: [f32; 4]) {
    let [a, b, c, d] = coefficients;
    for (k, pixel) in pixels.iter_mut().enumerate() {
        let k = k as i32 as f32;
        *pixel = a + k * (b + k * (c + k * d));
    }
}

/// A line of `n` cells, continued straight beyond its ends.
fn along(cell: impl Fn(usize) -> f64, n: usize, i: i64) -> f64 {
    let last = n as i64 - 1;
    let slope = |a: usize, b: usize| if n > 1 { cell(a) - cell(b) } else { 0.0 };
    if i < 0 {
        cell(0) + i as f64 * slope(1, 0)
    } else if i > last {
        cell(n - 1) + (i - last) as f64 * slope(n - 1, n.saturating_sub(2))
    } else {
        cell(i as usize)
    }
}

/// Polynomial between cells `i` and `i + 1` of a line, in 0..1.
fn piece_of(cells: &[f64], i: i64) -> [f64; 4] {
    let at = |k: i64| along(|k| cells[k], cells.len(), k);
    cubic_of([at(i - 1), at(i), at(i + 1), at(i + 2)])
}

/// Cubic through the middle two of four even nodes, with the slopes of their neighbours.
///
/// Source: Catmull & Rom 1974, in Computer Aided Geometric Design, 317. Exact for parabolas.
fn cubic_of([before, left, right, after]: [f64; 4]) -> [f64; 4] {
    let (m0, m1) = (0.5 * (right - before), 0.5 * (after - left));
    let rise = right - left;
    [left, m0, 3.0 * rise - 2.0 * m0 - m1, m0 + m1 - 2.0 * rise]
}

fn horner([a, b, c, d]: [f64; 4], t: f64) -> f64 {
    a + t * (b + t * (c + t * d))
}

/// Values at the cells' centres of a surface with these averages over the cells.
///
/// The average of a parabola over a cell differs from its middle by a 24th of the second
/// difference; without this the crests of a curved sky come out low and the troughs high.
pub(super) fn of_averages(cells: &[f64], grid: &Grid) -> Vec<f64> {
    let bend = |i: usize, n: usize, at: &dyn Fn(usize) -> f64| {
        if i > 0 && i + 1 < n { at(i - 1) - 2.0 * at(i) + at(i + 1) } else { 0.0 }
    };
    (0..cells.len())
        .map(|k| {
            let (x, y) = (k % grid.n_x, k / grid.n_x);
            let across = bend(x, grid.n_x, &|i| cells[y * grid.n_x + i]);
            let down = bend(y, grid.n_y, &|j| cells[j * grid.n_x + x]);
            cells[k] - (across + down) / 24.0
        })
        .collect()
}

/// Replaces levels that stand out of their surroundings, as under a bright star, by a median.
///
/// A cell stands out when it lies outside what the pairs of opposite neighbours (across, down and
/// both diagonals) say of it, whose mean follows a plane and, along one of them, a crest: a plain
/// median would cut crests and fill troughs.
pub(super) fn outliers_replaced(
    levels: &[f64],
    noises: &[f64],
    grid: &Grid,
    side: usize,
) -> Vec<f64> {
    /// Deviation that a cell's own error explains, in units of its pixels' noise.
    const TOLERANCE_SIGMA: f64 = 0.06;
    let medians = median_filtered(levels, grid, side);
    let opposite = |k: usize| {
        let (x, y) = ((k % grid.n_x) as i64, (k / grid.n_x) as i64);
        let inside =
            |x: i64, y: i64| (0..grid.n_x as i64).contains(&x) && (0..grid.n_y as i64).contains(&y);
        let at = move |x: i64, y: i64| levels[(y * grid.n_x as i64 + x) as usize];
        [(1, 0), (0, 1), (1, 1), (1, -1)]
            .into_iter()
            .filter(move |&(dx, dy)| inside(x - dx, y - dy) && inside(x + dx, y + dy))
            .map(move |(dx, dy)| 0.5 * (at(x - dx, y - dy) + at(x + dx, y + dy)))
    };
    (0..levels.len())
        .map(|k| {
            let low = opposite(k).fold(f64::INFINITY, f64::min);
            let high = opposite(k).fold(f64::NEG_INFINITY, f64::max);
            let reach = TOLERANCE_SIGMA * noises[k];
            let follows = low - reach <= levels[k] && levels[k] <= high + reach;
            if follows { levels[k] } else { medians[k] }
        })
        .collect()
}

/// Fills empty cells with the mean of their nearest filled ones, ring by ring.
pub(super) fn filled(cells: &[Option<f64>], grid: &Grid) -> Option<Vec<f64>> {
    if cells.iter().all(Option::is_none) {
        return None;
    }
    let rings = grid.n_x.max(grid.n_y);
    let fill = |i: usize| -> f64 {
        if let Some(value) = cells[i] {
            return value;
        }
        let (cx, cy) = ((i % grid.n_x) as i64, (i / grid.n_x) as i64);
        for ring in 1..=rings as i64 {
            let (mut sum, mut n) = (0.0, 0);
            for (k, cell) in cells.iter().enumerate() {
                let (x, y) = ((k % grid.n_x) as i64, (k / grid.n_x) as i64);
                if let Some(value) = cell
                    && (x - cx).abs().max((y - cy).abs()) == ring
                {
                    sum += value;
                    n += 1;
                }
            }
            if n > 0 {
                return sum / f64::from(n);
            }
        }
        0.0
    };
    Some((0..cells.len()).map(fill).collect())
}

/// Median over `side` x `side` cells.
pub(super) fn median_filtered(cells: &[f64], grid: &Grid, side: usize) -> Vec<f64> {
    let reach = side.max(1) / 2;
    let at = |x: usize, y: usize| cells[y * grid.n_x + x];
    let mut out = Vec::with_capacity(cells.len());
    for y in 0..grid.n_y {
        for x in 0..grid.n_x {
            let mut near = Vec::with_capacity(side * side);
            for yy in y.saturating_sub(reach)..(y + reach + 1).min(grid.n_y) {
                for xx in x.saturating_sub(reach)..(x + reach + 1).min(grid.n_x) {
                    near.push(at(xx, yy));
                }
            }
            let is_inner = near.len() == (2 * reach + 1).pow(2);
            let median = median_in_place(&mut near).unwrap_or_else(|| at(x, y));
            // At the rim a median pulls a sloping sky inwards; there only outliers are replaced.
            let is_outlier = (at(x, y) - median).abs() > 0.2 * median.abs().max(1.0);
            out.push(if is_inner || is_outlier { median } else { at(x, y) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(grid: &Grid, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        (0..grid.n_x * grid.n_y)
            .map(|k| {
                let (i, j) = ((k % grid.n_x) as f64, (k / grid.n_x) as f64);
                f((i + 0.5) * grid.step_x - 0.5, (j + 0.5) * grid.step_y - 0.5)
            })
            .collect()
    }

    #[test]
    fn a_parabola_is_drawn_exactly_between_inner_cells() {
        let grid = Grid::over(331, 200, 40);
        let sky = |x: f64, y: f64| 900.0 + 0.3 * x - 0.1 * y + 4e-3 * x * x - 2e-3 * y * y;
        let middles = cells(&grid, sky);
        let mut row = vec![0.0_f32; 331];
        for y in [65, 100, 130] {
            grid.cubic_row(&middles, y, &mut row);
            for (x, &got) in row.iter().enumerate().take(260).skip(70) {
                let expected = sky(x as f64, y as f64);
                assert!((f64::from(got) - expected).abs() < 2e-3, "{x} {y}");
                assert!((grid.cubic(&middles, x, y) - expected).abs() < 1e-9, "{x} {y}");
            }
        }
    }

    #[test]
    fn a_row_is_its_pixels_to_the_edges() {
        for (nx, ny) in [(331, 200), (70, 60), (30, 20)] {
            let grid = Grid::over(nx, ny, 40);
            let values = cells(&grid, |x, y| (0.1 * x).sin() * 50.0 + y);
            let mut row = vec![0.0_f32; nx];
            for y in 0..ny {
                grid.cubic_row(&values, y, &mut row);
                for (x, &v) in row.iter().enumerate() {
                    assert!((f64::from(v) - grid.cubic(&values, x, y)).abs() < 1e-3, "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn averages_become_middles() {
        let grid = Grid::over(400, 400, 40);
        let bend = 3e-3;
        let middles = cells(&grid, |x, _| bend * x * x);
        // The mean of x^2 over a cell of side h lies h^2 / 12 above its middle's.
        let averages: Vec<f64> = middles.iter().map(|m| m + bend * 1600.0 / 12.0).collect();
        let found = of_averages(&averages, &grid);
        for k in 0..found.len() {
            let is_inner = (1..9).contains(&(k % 10));
            assert!(!is_inner || (found[k] - middles[k]).abs() < 1e-9, "{k}");
        }
    }

    #[test]
    fn a_star_is_taken_out_and_a_crest_is_kept() {
        let grid = Grid::over(640, 640, 64);
        let crest = |x: f64| 1000.0 + 200.0 * (-((x - 350.0) / 90.0).powi(2)).exp();
        let sky = cells(&grid, |x, _| crest(x));
        let mut starred = sky.clone();
        starred[5 * 10 + 2] += 80.0;
        let noises = vec![30.0; 100];
        let healed = outliers_replaced(&starred, &noises, &grid, 3);
        let plain = median_filtered(&starred, &grid, 3);
        for k in 0..100 {
            let is_inner = (1..9).contains(&(k % 10)) && (1..9).contains(&(k / 10));
            assert!(!is_inner || (healed[k] - sky[k]).abs() < 25.0, "{k}: {}", healed[k]);
        }
        assert!((plain[5 * 10 + 5] - sky[5 * 10 + 5]).abs() > 10.0, "a median cuts the crest");
        assert!((healed[5 * 10 + 5] - sky[5 * 10 + 5]).abs() < 1e-9);
    }
}

//! Nearest neighbours among the stars of a frame, and one-to-one pairs.

use super::FrameSize;
use super::similarity::Point;

/// Stars in a cell of the grid, on average.
const STARS_PER_CELL: f64 = 2.0;
/// Most cells along an axis.
const CELLS_MAX: f64 = 512.0;

/// Places on a frame, sorted into cells.
#[derive(Debug, Clone)]
pub struct StarGrid {
    cell_px: f64,
    columns: usize,
    rows: usize,
    starts: Vec<u32>,
    numbers: Vec<u32>,
    places: Vec<Point>,
}

impl StarGrid {
    /// The grid of these places [px]; those off the frame go to the nearest cell of its rim.
    pub fn new(places: &[Point], size: FrameSize) -> Self {
        let longer = size.nx.max(size.ny) as f64;
        let wanted = (size.area_px() * STARS_PER_CELL / places.len().max(1) as f64).sqrt();
        let cell_px = wanted.max(longer / CELLS_MAX).max(1.0);
        let count = |n: usize| ((n as f64 / cell_px).ceil() as usize).max(1);
        let (columns, rows) = (count(size.nx), count(size.ny));
        let mut grid = Self {
            cell_px,
            columns,
            rows,
            starts: vec![0; columns * rows + 1],
            numbers: vec![0; places.len()],
            places: places.to_vec(),
        };
        let cells: Vec<usize> = places.iter().map(|&p| grid.cell(p)).collect();
        for &cell in &cells {
            grid.starts[cell + 1] += 1;
        }
        for i in 1..grid.starts.len() {
            grid.starts[i] += grid.starts[i - 1];
        }
        let mut next = grid.starts.clone();
        for (number, &cell) in cells.iter().enumerate() {
            grid.numbers[next[cell] as usize] = number as u32;
            next[cell] += 1;
        }
        grid
    }

    fn cell(&self, (x, y): Point) -> usize {
        self.row(y) * self.columns + self.column(x)
    }

    /// Casts of negative numbers and NaN saturate at 0.
    fn column(&self, x: f64) -> usize {
        ((x / self.cell_px) as usize).min(self.columns - 1)
    }

    fn row(&self, y: f64) -> usize {
        ((y / self.cell_px) as usize).min(self.rows - 1)
    }

    /// Numbers and distances [px] of the places within a radius of a point.
    pub fn within(&self, (x, y): Point, radius_px: f64) -> impl Iterator<Item = (usize, f64)> {
        let (first, last) = (self.column(x - radius_px), self.column(x + radius_px));
        (self.row(y - radius_px)..=self.row(y + radius_px))
            .flat_map(move |row| {
                let start = self.starts[row * self.columns + first] as usize;
                let end = self.starts[row * self.columns + last + 1] as usize;
                &self.numbers[start..end]
            })
            .map(move |&number| {
                let (dx, dy) =
                    (self.places[number as usize].0 - x, self.places[number as usize].1 - y);
                (number as usize, dx * dx + dy * dy)
            })
            .filter(move |(_, square)| *square <= radius_px * radius_px)
            .map(|(number, square)| (number, square.sqrt()))
    }

    /// The place nearest to a point, within a radius [px].
    pub fn nearest(&self, point: Point, radius_px: f64) -> Option<(usize, f64)> {
        self.within(point, radius_px).min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
    }
}

/// Pairs each prediction with its nearest star within a radius, one to one, closest pairs first.
///
/// Returns (number of the prediction, number of the star) by rising number of the prediction.
pub fn pair_up(predictions: &[Point], stars: &StarGrid, radius_px: f64) -> Vec<(usize, usize)> {
    let mut found: Vec<(f64, usize, usize)> = predictions
        .iter()
        .enumerate()
        .filter_map(|(p, &point)| stars.nearest(point, radius_px).map(|(s, d)| (d, p, s)))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut is_taken = vec![false; stars.places.len()];
    let mut pairs: Vec<(usize, usize)> = Vec::with_capacity(found.len());
    for (_, prediction, star) in found {
        if !std::mem::replace(&mut is_taken[star], true) {
            pairs.push((prediction, star));
        }
    }
    pairs.sort_unstable();
    pairs
}

/// Numbers of the places that have no earlier (brighter) place within a radius [px].
pub fn thinned(places: &[Point], size: FrameSize, radius_px: f64) -> Vec<usize> {
    let grid = StarGrid::new(places, size);
    let mut is_kept = vec![false; places.len()];
    for (i, &place) in places.iter().enumerate() {
        is_kept[i] = !grid.within(place, radius_px).any(|(j, _)| j < i && is_kept[j]);
    }
    (0..places.len()).filter(|&i| is_kept[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: FrameSize = FrameSize { nx: 200, ny: 100 };

    fn places() -> Vec<Point> {
        (0..300).map(|i| (f64::from(i * 37 % 200), f64::from(i * i % 101))).collect()
    }

    #[test]
    fn grid_finds_what_a_scan_finds() {
        let places = places();
        let grid = StarGrid::new(&places, SIZE);
        for point in [(0.0, 0.0), (199.0, 99.0), (50.5, 40.2), (-30.0, 120.0)] {
            let scan =
                places.iter().filter(|p| (p.0 - point.0).hypot(p.1 - point.1) <= 25.0).count();
            assert_eq!(grid.within(point, 25.0).count(), scan);
        }
    }

    #[test]
    fn pairs_are_one_to_one_and_closest_first() {
        let grid = StarGrid::new(&[(10.0, 10.0), (50.0, 50.0)], SIZE);
        let pairs = pair_up(&[(12.0, 10.0), (10.5, 10.0), (90.0, 90.0)], &grid, 5.0);
        assert_eq!(pairs, vec![(1, 0)]);
        assert!(pair_up(&[(f64::NAN, 1.0)], &grid, 5.0).is_empty());
    }

    #[test]
    fn thinning_keeps_the_brighter() {
        let kept = thinned(&[(10.0, 10.0), (12.0, 10.0), (14.5, 10.0), (90.0, 20.0)], SIZE, 3.0);
        assert_eq!(kept, vec![0, 2, 3]);
    }
}

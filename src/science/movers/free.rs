//! The free detections of a frame, packed and sorted into cells of the plane.
//!
//! Linking asks millions of times what lies near a place: rows of cells lie one after another in
//! memory, so that an answer reads a few short runs.

use super::field::{FieldFrame, Role, Streak};

/// Detections per cell that are aimed at.
const PER_CELL: f64 = 2.0;
/// Most cells of a frame per axis.
const CELLS_MAX: usize = 1024;

/// A free detection as the search needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FreePoint {
    /// East on the plane [arcsec].
    pub east_arcsec: f64,
    /// North on the plane [arcsec].
    pub north_arcsec: f64,
    /// Error per axis [arcsec].
    pub sigma_arcsec: f64,
    /// Magnitude [mag].
    pub mag: f64,
    /// Error of the magnitude from its signal-to-noise ratio [mag].
    pub mag_sigma: f64,
    /// Signal-to-noise ratio.
    pub snr: f64,
    /// The line it is drawn out to, when it is.
    pub streak: Option<Streak>,
    /// Index in the frame.
    pub index: u32,
}

/// The free detections of one frame.
#[derive(Debug, Clone)]
pub struct FreeFrame {
    /// Middle of the exposure from the field's reference instant [h].
    pub t_h: f64,
    points: Vec<FreePoint>,
    /// Where each cell's points begin, row by row; one more than there are cells.
    starts: Vec<u32>,
    origin_arcsec: (f64, f64),
    cell_arcsec: f64,
    columns: usize,
    rows: usize,
    sigma_max_arcsec: f64,
    per_arcsec2: f64,
}

impl FreeFrame {
    /// Packs the free detections of a frame.
    pub fn of(frame: &FieldFrame) -> Self {
        Self::with(frame, |_| true)
    }

    /// Packs those free detections of a frame whose index passes.
    pub fn with(frame: &FieldFrame, is_wanted: impl Fn(u32) -> bool) -> Self {
        let free = frame.detections.iter().zip(0_u32..).filter(|(d, _)| d.role == Role::Free);
        let unsorted: Vec<FreePoint> = free
            .filter(|(_, index)| is_wanted(*index))
            .map(|(d, index)| FreePoint {
                east_arcsec: d.east_arcsec,
                north_arcsec: d.north_arcsec,
                sigma_arcsec: d.sigma_arcsec,
                mag: d.mag,
                mag_sigma: 1.0857 / d.snr.max(1.0),
                snr: d.snr,
                streak: d.streak,
                index,
            })
            .collect();
        let range = |of: fn(&FreePoint) -> f64| {
            let least = unsorted.iter().map(of).fold(f64::INFINITY, f64::min);
            let most = unsorted.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
            if least <= most { (least, most - least) } else { (0.0, 0.0) }
        };
        let (east, width) = range(|p| p.east_arcsec);
        let (north, height) = range(|p| p.north_arcsec);
        let wanted = (width * height * PER_CELL / unsorted.len().max(1) as f64).sqrt();
        let cell_arcsec = wanted.max(width.max(height) / (CELLS_MAX - 1) as f64).max(1.0);
        let mut packed = Self {
            t_h: frame.t_h,
            points: Vec::with_capacity(unsorted.len()),
            starts: Vec::new(),
            origin_arcsec: (east, north),
            cell_arcsec,
            columns: (width / cell_arcsec) as usize + 1,
            rows: (height / cell_arcsec) as usize + 1,
            per_arcsec2: unsorted.len() as f64 / frame.area_arcsec2().max(1.0),
            sigma_max_arcsec: unsorted.iter().map(|p| p.sigma_arcsec).fold(0.0, f64::max),
        };
        packed.fill(&unsorted);
        packed
    }

    /// Sorts points into the cells by counting.
    fn fill(&mut self, unsorted: &[FreePoint]) {
        let cells: Vec<usize> = unsorted
            .iter()
            .map(|p| {
                let column = (p.east_arcsec - self.origin_arcsec.0) / self.cell_arcsec;
                let row = (p.north_arcsec - self.origin_arcsec.1) / self.cell_arcsec;
                (row as usize).min(self.rows - 1) * self.columns
                    + (column as usize).min(self.columns - 1)
            })
            .collect();
        let mut starts = vec![0_u32; self.columns * self.rows + 1];
        for &cell in &cells {
            starts[cell + 1] += 1;
        }
        for cell in 1..starts.len() {
            starts[cell] += starts[cell - 1];
        }
        let mut order: Vec<usize> = (0..unsorted.len()).collect();
        order.sort_by_key(|&i| cells[i]);
        self.points.extend(order.into_iter().map(|i| unsorted[i]));
        self.starts = starts;
    }

    /// All its points.
    pub fn points(&self) -> &[FreePoint] {
        &self.points
    }

    /// Density of its points [1/arcsec^2].
    pub fn per_arcsec2(&self) -> f64 {
        self.per_arcsec2
    }

    /// Largest error of a place per axis [arcsec].
    pub fn sigma_max_arcsec(&self) -> f64 {
        self.sigma_max_arcsec
    }

    /// Points within a radius of a place.
    pub fn near(
        &self,
        east_arcsec: f64,
        north_arcsec: f64,
        radius_arcsec: f64,
    ) -> impl Iterator<Item = &FreePoint> {
        let range = |centre: f64, n: usize| {
            // Casts of negative numbers give zero, of large ones the largest.
            let first = ((centre - radius_arcsec) / self.cell_arcsec) as usize;
            let end = ((centre + radius_arcsec) / self.cell_arcsec + 1.0).max(0.0) as usize;
            first..end.min(n)
        };
        let columns = range(east_arcsec - self.origin_arcsec.0, self.columns);
        let rows = range(north_arcsec - self.origin_arcsec.1, self.rows);
        let runs = rows.filter(move |_| columns.start < columns.end).map({
            let columns = range(east_arcsec - self.origin_arcsec.0, self.columns);
            move |row| {
                let first = self.starts[row * self.columns + columns.start] as usize;
                let end = self.starts[row * self.columns + columns.end] as usize;
                &self.points[first..end]
            }
        });
        let radius2 = radius_arcsec * radius_arcsec;
        runs.flatten().filter(move |p| {
            let (de, dn) = (p.east_arcsec - east_arcsec, p.north_arcsec - north_arcsec);
            de * de + dn * dn <= radius2
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::movers::field::PlaneDetection;

    fn frame(n: usize) -> FieldFrame {
        let mut state = 7_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let detections = (0..n)
            .map(|i| PlaneDetection {
                east_arcsec: 900.0 * uniform() - 300.0,
                north_arcsec: 500.0 * uniform() - 400.0,
                role: if i % 5 == 0 { Role::Star } else { Role::Free },
                ..PlaneDetection::example()
            })
            .collect();
        FieldFrame { detections, ..FieldFrame::example() }
    }

    #[test]
    fn near_gives_what_a_full_scan_gives() {
        let frame = frame(700);
        let packed = FreeFrame::of(&frame);
        assert_eq!(packed.points().len(), frame.n_free());
        let places = [(0.0, 0.0, 50.0), (-301.0, -399.0, 20.0), (599.0, 99.0, 300.0)];
        let far = [(5000.0, 0.0, 100.0), (-5000.0, 3.0, 100.0), (0.0, 0.0, 1e7), (7.0, 7.0, 0.0)];
        for (east, north, radius) in places.into_iter().chain(far) {
            let mut found: Vec<u32> = packed.near(east, north, radius).map(|p| p.index).collect();
            found.sort_unstable();
            let scanned: Vec<u32> = (0_u32..)
                .zip(&frame.detections)
                .filter(|(_, d)| d.role == Role::Free)
                .filter(|(_, d)| (d.east_arcsec - east).hypot(d.north_arcsec - north) <= radius)
                .map(|(i, _)| i)
                .collect();
            assert_eq!(found, scanned, "{east} {north} {radius}");
        }
    }

    #[test]
    fn no_detections_are_near_nothing() {
        let packed = FreeFrame::of(&frame(0));
        assert_eq!(packed.near(0.0, 0.0, 1e9).count(), 0);
    }
}

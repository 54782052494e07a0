//! Weighted linear least squares for a few unknowns and two right-hand sides.
//!
//! Normal equations solved by Cholesky's method; with unknowns scaled to order one (pixel
//! coordinates divided by the half-width of the frame) the loss of digits does not matter here.

/// Largest number of unknowns, that of a polynomial of order 9 in two variables.
const UNKNOWNS_MAX: usize = 55;
/// Smallest pivot relative to its diagonal element; below it the equations are degenerate.
const PIVOT_MIN: f64 = 1e-13;

/// Normal equations that two data columns share.
#[derive(Debug, Clone)]
pub struct NormalEquations {
    n: usize,
    matrix: Vec<f64>,
    rhs: [Vec<f64>; 2],
}

impl NormalEquations {
    /// Empty equations for `n` unknowns (at most 55).
    pub fn new(n: usize) -> Self {
        let n = n.min(UNKNOWNS_MAX);
        Self { n, matrix: vec![0.0; n * n], rhs: [vec![0.0; n], vec![0.0; n]] }
    }

    /// Equations whose matrix is known: `cell(i, j)` plus `damping` on the diagonal, and the
    /// right-hand sides (at least `n` long).
    pub fn of(
        n: usize,
        cell: impl Fn(usize, usize) -> f64,
        rhs: [&[f64]; 2],
        damping: f64,
    ) -> Self {
        let mut equations = Self::new(n);
        let n = equations.n;
        for i in 0..n {
            for j in 0..n {
                let own = if i == j { damping } else { 0.0 };
                equations.matrix[i * n + j] = cell(i, j) + own;
            }
            for (column, values) in equations.rhs.iter_mut().zip(rhs) {
                column[i] = values.get(i).copied().unwrap_or(0.0);
            }
        }
        equations
    }

    /// Adds one observation: the derivatives `row`, the two values and the weight 1/sigma^2.
    pub fn add(&mut self, row: &[f64], values: [f64; 2], weight: f64) {
        for (i, &a) in row.iter().enumerate().take(self.n) {
            let weighted = a * weight;
            let cells = &mut self.matrix[i * self.n..=i * self.n + i];
            for (cell, b) in cells.iter_mut().zip(row) {
                *cell += weighted * b;
            }
            for (rhs, value) in self.rhs.iter_mut().zip(values) {
                rhs[i] += weighted * value;
            }
        }
    }

    /// Adds the prior knowledge that unknown `i` is 0 with weight 1/sigma^2 (Tikhonov's damping).
    pub fn damp(&mut self, i: usize, weight: f64) {
        if let Some(cell) = self.matrix.get_mut(i * self.n + i) {
            *cell += weight;
        }
    }

    /// Diagonal element `i` of the matrix; 0 beyond it.
    pub fn diagonal(&self, i: usize) -> f64 {
        self.matrix.get(i * self.n + i).copied().unwrap_or(0.0)
    }

    /// The inverse of the matrix, row by row: the unknowns' covariance; `None` when degenerate.
    pub fn covariance(mut self) -> Option<Vec<f64>> {
        self.factorise()?;
        let n = self.n;
        let mut inverse = vec![0.0; n * n];
        for (i, row) in inverse.chunks_mut(n).enumerate() {
            row[i] = 1.0;
            self.substitute(row);
        }
        inverse.iter().all(|v| v.is_finite()).then_some(inverse)
    }

    /// Solves for both right-hand sides; `None` when the equations are degenerate.
    pub fn solve(mut self) -> Option<[Vec<f64>; 2]> {
        self.factorise()?;
        let mut rhs = std::mem::take(&mut self.rhs);
        for column in &mut rhs {
            self.substitute(column);
        }
        rhs.iter().flatten().all(|v| v.is_finite()).then_some(rhs)
    }

    /// Replaces the lower triangle by Cholesky's factor L with L L^T = the matrix.
    fn factorise(&mut self) -> Option<()> {
        let n = self.n;
        for i in 0..n {
            for j in 0..=i {
                let diagonal = self.matrix[i * n + i];
                let mut sum = self.matrix[i * n + j];
                for k in 0..j {
                    sum -= self.matrix[i * n + k] * self.matrix[j * n + k];
                }
                if i != j {
                    self.matrix[i * n + j] = sum / self.matrix[j * n + j];
                    continue;
                }
                // `diagonal` is still the untouched element here; NaN fails the comparison.
                let usable = sum > PIVOT_MIN * diagonal && sum > 0.0;
                if !usable {
                    return None;
                }
                self.matrix[i * n + i] = sum.sqrt();
            }
        }
        Some(())
    }

    /// Solves L L^T x = b in place.
    fn substitute(&self, b: &mut [f64]) {
        let n = self.n;
        for i in 0..n {
            for k in 0..i {
                b[i] -= self.matrix[i * n + k] * b[k];
            }
            b[i] /= self.matrix[i * n + i];
        }
        for i in (0..n).rev() {
            for k in i + 1..n {
                b[i] -= self.matrix[k * n + i] * b[k];
            }
            b[i] /= self.matrix[i * n + i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_through_weighted_points() {
        // Points (0, 1), (1, 3), (2, 5) lie on 1 + 2 t; the second column on 4 - t.
        let mut equations = NormalEquations::new(2);
        for (t, weight) in [(0.0, 1.0), (1.0, 4.0), (2.0, 0.5)] {
            equations.add(&[1.0, t], [1.0 + 2.0 * t, 4.0 - t], weight);
        }
        let [a, b] = equations.solve().expect("regular");
        assert!((a[0] - 1.0).abs() < 1e-12 && (a[1] - 2.0).abs() < 1e-12);
        assert!((b[0] - 4.0).abs() < 1e-12 && (b[1] + 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_covariance_is_the_inverse() {
        let mut equations = NormalEquations::new(2);
        equations.add(&[2.0, 0.0], [0.0; 2], 1.0);
        equations.add(&[1.0, 1.0], [0.0; 2], 3.0);
        // Matrix [[7, 3], [3, 3]], determinant 12.
        assert!((equations.diagonal(0) - 7.0).abs() < 1e-12);
        let found = equations.covariance().expect("regular");
        for (got, expected) in found.iter().zip([3.0 / 12.0, -3.0 / 12.0, -3.0 / 12.0, 7.0 / 12.0])
        {
            assert!((got - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn too_few_observations_are_degenerate() {
        let mut equations = NormalEquations::new(3);
        equations.add(&[1.0, 2.0, 4.0], [1.0, 1.0], 1.0);
        assert!(equations.clone().solve().is_none());
        equations.add(&[f64::NAN, 0.0, 0.0], [0.0, 0.0], 1.0);
        assert!(equations.solve().is_none());
    }

    #[test]
    fn damping_chooses_the_small_solution() {
        // One equation a + b = 2 with equal damping: a = b = 2 / (2 + w), here w = 0.002.
        let mut equations = NormalEquations::new(2);
        equations.add(&[1.0, 1.0], [2.0, 0.0], 1.0);
        equations.damp(0, 0.002);
        equations.damp(1, 0.002);
        let [a, _] = equations.solve().expect("damped");
        assert!((a[0] - 2.0 / 2.002).abs() < 1e-9 && (a[1] - a[0]).abs() < 1e-9);
    }
}

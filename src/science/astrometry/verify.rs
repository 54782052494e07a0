//! The verdict on a hypothesis: how many catalogue stars fall on stars of the frame, and how
//! probable that is by chance.
//!
//! First a quick sequential test against a raster of painted discs (Wald 1945, Ann. Math. Stat.
//! 16, 117), then a binomial tail. The bright stars of the frame are thinned before, so that
//! trails, haloes and clumps do not count as many.

use super::FrameSize;
use super::similarity::Point;

/// Most cells of the raster along an axis.
const RASTER_MAX: f64 = 512.0;
/// Cells of the raster per radius of a disc.
const CELLS_PER_RADIUS: f64 = 2.0;
/// Fraction of catalogue stars that a true hypothesis finds, at least.
const TRUE_FRACTION: f64 = 0.25;
/// Log-odds at which a hypothesis is given up: 13 bright stars missed in a row.
const GIVE_UP: f64 = -3.5;
/// Most terms of a binomial tail that are added.
const TAIL_TERMS: usize = 400;
/// Mark of a raster cell without a star.
const NOBODY: u16 = u16::MAX;

/// Discs around the stars of a frame, painted on a coarse raster.
#[derive(Debug, Clone)]
pub struct Raster {
    cell_px: f64,
    columns: usize,
    rows: usize,
    owner: Vec<u16>,
    n_stars: usize,
    size: FrameSize,
    chance: f64,
}

/// Result of the sequential test of one hypothesis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Highest log-odds on the way.
    pub log_odds: f64,
    /// Catalogue stars that fell on a star of the frame.
    pub n_matches: usize,
}

/// A set of star numbers that is emptied in no time.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    stamps: Vec<u32>,
    now: u32,
}

impl Taken {
    /// An empty set for numbers below `n`.
    pub fn new(n: usize) -> Self {
        Self { stamps: vec![0; n], now: 1 }
    }

    fn clear(&mut self) {
        if self.now == u32::MAX {
            self.stamps.fill(0);
            self.now = 0;
        }
        self.now += 1;
    }

    /// Adds a number; false when it was there already.
    #[inline]
    fn insert(&mut self, number: usize) -> bool {
        match self.stamps.get_mut(number) {
            Some(stamp) if *stamp != self.now => {
                *stamp = self.now;
                true
            }
            _ => false,
        }
    }
}

impl Raster {
    /// Paints discs of a radius around the stars [px]; brighter stars (first) win.
    pub fn new(stars: &[Point], size: FrameSize, radius_px: f64) -> Self {
        let longer = size.nx.max(size.ny) as f64;
        let cell_px = (radius_px / CELLS_PER_RADIUS).max(longer / RASTER_MAX);
        let count = |n: usize| ((n as f64 / cell_px).ceil() as usize).max(1);
        let (columns, rows) = (count(size.nx), count(size.ny));
        let mut owner = vec![NOBODY; columns * rows];
        let stars = &stars[..stars.len().min(usize::from(NOBODY))];
        for (number, &(x, y)) in stars.iter().enumerate() {
            let span = |at: f64, n: usize| {
                let first = ((at - radius_px) / cell_px) as usize;
                first..(((at + radius_px) / cell_px) as usize + 1).min(n)
            };
            for row in span(y + 0.5, rows) {
                for column in span(x + 0.5, columns) {
                    let dx = (column as f64 + 0.5) * cell_px - 0.5 - x;
                    let dy = (row as f64 + 0.5) * cell_px - 0.5 - y;
                    let cell = &mut owner[row * columns + column];
                    if dx.hypot(dy) <= radius_px && *cell == NOBODY {
                        *cell = number as u16;
                    }
                }
            }
        }
        let painted = owner.iter().filter(|o| **o != NOBODY).count();
        let chance = (painted as f64 / owner.len() as f64).clamp(1e-6, 0.5);
        Self { cell_px, columns, rows, owner, n_stars: stars.len(), size, chance }
    }

    /// Number of stars painted.
    pub fn n_stars(&self) -> usize {
        self.n_stars
    }

    /// Number of the star whose disc covers a pixel.
    #[inline]
    pub fn star_at(&self, (x, y): Point) -> Option<usize> {
        let column = ((x + 0.5) / self.cell_px) as usize;
        let row = ((y + 0.5) / self.cell_px) as usize;
        if column >= self.columns || row >= self.rows {
            return None;
        }
        let owner = self.owner[row * self.columns + column];
        (owner != NOBODY).then_some(usize::from(owner))
    }

    /// Tests a hypothesis on the pixels of catalogue stars, brightest first; those that made it
    /// must not be among them.
    ///
    /// `makers`: numbers of the frame's stars that made it.
    pub fn score(
        &self,
        pixels: impl Iterator<Item = Point>,
        makers: &[u16],
        taken: &mut Taken,
    ) -> Score {
        let gain = (TRUE_FRACTION / self.chance).ln().max(0.1);
        let loss = ((1.0 - TRUE_FRACTION) / (1.0 - self.chance)).ln().min(-0.01);
        taken.clear();
        for star in makers {
            taken.insert(usize::from(*star));
        }
        let (mut sum, mut best) = (0.0_f64, Score { log_odds: 0.0, n_matches: 0 });
        let mut n_matches = 0;
        for pixel in pixels {
            if !self.size.holds(pixel.0, pixel.1) {
                continue;
            }
            if self.star_at(pixel).is_some_and(|star| taken.insert(star)) {
                n_matches += 1;
                sum += gain;
                if sum > best.log_odds {
                    best = Score { log_odds: sum, n_matches };
                }
                continue;
            }
            sum += loss;
            if sum < GIVE_UP {
                break;
            }
        }
        best
    }
}

/// Natural logarithm of the probability of `k` or more hits in `n` trials of chance `p`.
///
/// Terms are added from k upwards; 400 of them hold the sum for any n met here.
pub fn ln_binomial_tail(n: usize, k: usize, p: f64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    if k > n || p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let (nf, kf) = (n as f64, k as f64);
    let first = ln_factorial(nf) - ln_factorial(kf) - ln_factorial(nf - kf)
        + kf * p.ln()
        + (nf - kf) * (-p).ln_1p();
    let ratio = p / (1.0 - p);
    let (mut term, mut sum) = (1.0_f64, 1.0_f64);
    for j in k..n.min(k + TAIL_TERMS) {
        term *= (n - j) as f64 / (j + 1) as f64 * ratio;
        sum += term;
        if term < 1e-12 * sum {
            break;
        }
    }
    (first + sum.ln()).min(0.0)
}

/// ln(n!) by Stirling's series (Abramowitz & Stegun 6.1.41); exact below 10.
fn ln_factorial(n: f64) -> f64 {
    if n < 10.0 {
        let mut product = 1.0;
        let mut factor = 2.0;
        while factor <= n {
            product *= factor;
            factor += 1.0;
        }
        return f64::ln(product);
    }
    let z = n + 1.0;
    (z - 0.5) * z.ln() - z + 0.5 * std::f64::consts::TAU.ln() + 1.0 / (12.0 * z)
        - 1.0 / (360.0 * z.powi(3))
        + 1.0 / (1260.0 * z.powi(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomial_tail_of_coins_and_rare_events() {
        // 8 or more heads of 10: (45 + 10 + 1) / 1024.
        assert!((ln_binomial_tail(10, 8, 0.5) - (56.0_f64 / 1024.0).ln()).abs() < 1e-9);
        // All of 20 at p = 0.01: 20 ln(0.01).
        assert!((ln_binomial_tail(20, 20, 0.01) - 20.0 * 0.01_f64.ln()).abs() < 1e-9);
        // At least one of 100 at p = 0.001: 1 - 0.999^100.
        let expected = (1.0 - 0.999_f64.powi(100)).ln();
        assert!((ln_binomial_tail(100, 1, 0.001) - expected).abs() < 1e-9);
        assert!(ln_binomial_tail(3, 4, 0.5) < -1e9 && ln_binomial_tail(3, 0, 0.5).abs() < 1e-12);
    }

    #[test]
    fn raster_covers_the_discs_area() {
        let size = FrameSize { nx: 1000, ny: 800 };
        let raster = Raster::new(&[(300.0, 200.0), (-500.0, 10.0), (700.0, 790.0)], size, 8.0);
        assert_eq!(raster.star_at((303.0, 204.0)), Some(0));
        assert_eq!(raster.star_at((703.0, 796.0)), Some(2));
        assert_eq!(raster.star_at((320.0, 200.0)), None);
        assert_eq!(raster.star_at((2000.0, 1.0)), None);
        // Two discs of pi 64 px in 800,000 px, the coarse cells cost some per cent.
        let expected = 2.0 * std::f64::consts::PI * 64.0 / 800_000.0;
        assert!((raster.chance / expected - 1.0).abs() < 0.1);
    }
}

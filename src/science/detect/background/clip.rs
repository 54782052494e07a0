//! Clipped statistics of a cell's pixels, by a histogram instead of sorting.
//!
//! The bins are 1/170 of the noise wide, which is as good as sorting; rounds of clipping take the
//! tails' sums off the whole's, so that a round costs no more than what it removes. All sums are
//! of whole numbers: no result depends on their order or on the width of the registers.

use multiversion::multiversion;

use crate::science::image::stats::{ClippedStats, clipped_of_sorted};

/// Bins of the histogram, which reaches six times the first guess of the noise to each side.
const BINS: usize = 2048;
const REACH_SIGMA: f32 = 6.0;

/// Work space of a cell: its values and their histogram.
#[derive(Default)]
pub(super) struct Bins {
    /// Values of the cell.
    pub(super) values: Vec<f32>,
    sample: Vec<i32>,
    counts: Vec<u32>,
}

impl Bins {
    /// Clipped statistics of the values; few or nearly equal ones are sorted instead.
    pub(super) fn clipped(&mut self, n_sigma: f64) -> Option<ClippedStats> {
        const SAMPLE_STEP: usize = 4;
        self.sample.clear();
        self.sample.extend(self.values.iter().step_by(SAMPLE_STEP).map(|v| key_of(*v)));
        let n = self.sample.len();
        let low = value_of(nth(&self.sample, n / 6)?);
        let high = value_of(nth(&self.sample, n - 1 - n / 6)?);
        let middle = 0.5 * (low + high);
        // Two thirds of a Gaussian lie within 0.97 sigma.
        let reach = REACH_SIGMA * 0.5 * (high - low);
        let per_value = BINS as f32 / (2.0 * reach);
        if n < 64 || !(per_value.is_finite() && reach > 1e-5 * middle.abs()) {
            self.values.sort_unstable_by(f32::total_cmp);
            return clipped_of_sorted(&self.values, n_sigma);
        }
        self.counts.clear();
        self.counts.resize(BINS + 2, 0);
        let start = middle - reach;
        count(&mut self.counts, &self.values, start, per_value);
        clipped_of_bins(&self.counts, n_sigma).map(|s| {
            let width = 1.0 / f64::from(per_value);
            let value = |bin: f64| f64::from(start) + (bin - 1.0) * width;
            let (mean, median) = (value(s.mean), value(s.median));
            ClippedStats { mean, median, sigma: s.sigma * width, n_kept: s.n_kept }
        })
    }
}

/// Adds the values to the histogram; the first and the last bin take what lies outside.
#[multiversion(targets("x86_64+avx2"))]
fn count(counts: &mut [u32], values: &[f32], start: f32, per_value: f32) {
    const LANES: usize = 64;
    let last = (BINS + 1) as f32;
    for piece in values.chunks(LANES) {
        // Side by side first, one by one then.
        let mut places = [0_i32; LANES];
        for (place, &value) in places.iter_mut().zip(piece) {
            *place = whole(((value - start) * per_value + 1.0).clamp(0.0, last));
        }
        for &place in &places[..piece.len()] {
            if let Some(count) = counts.get_mut(place as usize) {
                *count += 1;
            }
        }
    }
}

/// The whole part of a number in 0..=2^22; `as` would not run side by side.
#[inline(always)]
fn whole(value: f32) -> i32 {
    // Here the fraction's bits count whole numbers.
    const SHIFT: f32 = 8_388_608.0;
    let nearest = ((value + SHIFT).to_bits() & 0x007f_ffff) as i32;
    nearest - i32::from(nearest as f32 > value)
}

/// A whole number that sorts as the value does under `total_cmp`.
fn key_of(value: f32) -> i32 {
    let bits = value.to_bits() as i32;
    bits ^ (bits >> 31) & i32::MAX
}

fn value_of(key: i32) -> f32 {
    f32::from_bits((key ^ (key >> 31) & i32::MAX) as u32)
}

/// The key in place `n` of the sorted ones, found by counting; `None` when there are fewer.
///
/// The limits close in on it by the share of keys between them and by halves in turn: processors
/// count faster than they move.
fn nth(keys: &[i32], n: usize) -> Option<i32> {
    let n = Some(n).filter(|n| *n < keys.len())? as i64;
    let (least, greatest) = extremes(keys);
    // At most n keys are at or below the lower limit, more than n at or below the upper.
    let (mut low, mut high) = (i64::from(least) - 1, i64::from(greatest));
    let (mut n_low, mut n_high) = (0, keys.len() as i64);
    let mut halve = false;
    while high - low > 1 {
        let share = (high - low) * (2 * (n - n_low) + 1) / (2 * (n_high - n_low));
        let step = if halve { (high - low) / 2 } else { share };
        let middle = low + step.clamp(1, high - low - 1);
        let n_middle = at_most(keys, middle as i32) as i64;
        if n_middle == n {
            return Some(next_above(keys, middle as i32));
        } else if n_middle < n {
            (low, n_low) = (middle, n_middle);
        } else {
            (high, n_high) = (middle, n_middle);
        }
        halve = !halve;
    }
    Some(high as i32)
}

// Loops are written out where they run side by side: what is called inside is compiled for the
// plain processor.

#[multiversion(targets("x86_64+avx2"))]
fn extremes(keys: &[i32]) -> (i32, i32) {
    let (mut least, mut greatest) = (i32::MAX, i32::MIN);
    for &key in keys {
        least = if key < least { key } else { least };
        greatest = if key > greatest { key } else { greatest };
    }
    (least, greatest)
}

#[multiversion(targets("x86_64+avx2"))]
fn at_most(keys: &[i32], limit: i32) -> u32 {
    let mut n = 0;
    for &key in keys {
        n += u32::from(key <= limit);
    }
    n
}

/// Least key above the limit.
#[multiversion(targets("x86_64+avx2"))]
fn next_above(keys: &[i32], limit: i32) -> i32 {
    let mut next = i32::MAX;
    for &key in keys {
        let candidate = if key > limit { key } else { i32::MAX };
        next = if candidate < next { candidate } else { next };
    }
    next
}

/// Number of counts, and sums of their bins' numbers and of the squares.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    n: u64,
    first: u64,
    second: u64,
}

impl Sums {
    fn less(self, other: Self) -> Self {
        Self {
            n: self.n - other.n,
            first: self.first - other.first,
            second: self.second - other.second,
        }
    }
}

/// Sums over bins, the first of which has number `start`.
#[multiversion(targets("x86_64+avx2"))]
fn sums(counts: &[u32], start: usize) -> Sums {
    let mut sums = Sums::default();
    for (i, &count) in counts.iter().enumerate() {
        let bin = (start + i) as u32;
        sums.n += u64::from(count);
        sums.first += u64::from(bin) * u64::from(count);
        sums.second += u64::from(bin * bin) * u64::from(count);
    }
    sums
}

/// Clips a histogram around its median; results in bins, bin `i` holding i..i+1.
fn clipped_of_bins(counts: &[u32], n_sigma: f64) -> Option<ClippedStats> {
    const ROUNDS_MAX: usize = 20;
    let (mut low, mut high) = (1, counts.len() - 1);
    let mut kept = sums(&counts[low..high], low);
    let mut middle = Middle { bin: low, below: 0 };
    let mut stats = None;
    for _ in 0..ROUNDS_MAX {
        if kept.n < 2 {
            break;
        }
        let (n, from) = (kept.n as f64, low as u64);
        // Counted from the lowest bin on, where the sums are small.
        let first = kept.first - from * kept.n;
        let second = kept.second + from * from * kept.n - 2 * from * kept.first;
        let mean = first as f64 / n;
        let sigma = (second as f64 / n - mean * mean).max(0.0).sqrt();
        let median = middle.find(counts, low, kept.n);
        stats = Some(ClippedStats {
            mean: low as f64 + mean + 0.5,
            median,
            sigma,
            n_kept: kept.n as usize,
        });
        let new_low = ((median - n_sigma * sigma).round().max(1.0) as usize).max(low);
        let new_high = ((median + n_sigma * sigma).round() as usize).min(high);
        if (new_low, new_high) == (low, high) || new_high <= new_low {
            break;
        }
        middle.keep(counts, low, (new_low, new_high));
        kept = kept
            .less(sums(&counts[low..new_low], low))
            .less(sums(&counts[new_high..high], new_high));
        (low, high) = (new_low, new_high);
    }
    stats
}

/// The bin that holds the middle of the counts kept, and how many of these lie below it.
struct Middle {
    bin: usize,
    below: u64,
}

impl Middle {
    /// Takes off what lies outside the new limits; `low` is the old lower one.
    fn keep(&mut self, counts: &[u32], low: usize, (new_low, new_high): (usize, usize)) {
        let bin = self.bin.clamp(new_low, new_high);
        let sum = |bins: &[u32]| bins.iter().map(|&c| u64::from(c)).sum::<u64>();
        let upto_new = if bin < self.bin {
            self.below - sum(&counts[bin..self.bin])
        } else {
            self.below + sum(&counts[self.bin..bin])
        };
        *self = Self { bin, below: upto_new - sum(&counts[low..new_low]) };
    }

    /// Place of the middle of `n` counts from bin `low` on, evenly spread within each bin.
    fn find(&mut self, counts: &[u32], low: usize, n: u64) -> f64 {
        while self.bin > low && 2 * self.below >= n {
            self.bin -= 1;
            self.below -= u64::from(counts[self.bin]);
        }
        while self.bin + 1 < counts.len() && 2 * (self.below + u64::from(counts[self.bin])) < n {
            self.below += u64::from(counts[self.bin]);
            self.bin += 1;
        }
        let inside = (0.5 * n as f64 - self.below as f64) / f64::from(counts[self.bin]);
        low as f64 + ((self.bin - low) as f64 + inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 40) as f64 / (1_u64 << 24) as f64
        }
    }

    #[test]
    fn the_histogram_clips_as_sorting_does() {
        let mut random = Random(7);
        for tail in [0.0, 0.02, 0.2] {
            let mut values: Vec<f32> = (0..4096)
                .map(|_| {
                    let noise: f64 = (0..6).map(|_| random.next() - 0.5).sum();
                    let star = if random.next() < tail { 30.0 * random.next() } else { 0.0 };
                    (500.0 + 5.0 * noise + star) as f32
                })
                .collect();
            let mut bins = Bins { values: values.clone(), ..Bins::default() };
            let fast = bins.clipped(3.0).expect("values");
            values.sort_unstable_by(f32::total_cmp);
            let slow = clipped_of_sorted(&values, 3.0).expect("values");
            // A value at the limit may fall to either side: its weight is 3 sigma / n.
            let near = |a: f64, b: f64| (a - b).abs() < 0.01 * slow.sigma;
            assert!(near(fast.mean, slow.mean) && near(fast.median, slow.median), "{tail}");
            assert!(near(fast.sigma, slow.sigma), "{} {}", fast.sigma, slow.sigma);
        }
    }

    #[test]
    fn counting_finds_the_places_of_a_sorted_list() {
        let mut random = Random(11);
        for round in 0..200 {
            let n = 1 + (random.next() * 300.0) as usize;
            let mut values: Vec<f32> = (0..n)
                .map(|_| match round % 4 {
                    0 => (random.next() - 0.5) as f32,
                    1 => (4.0 * random.next()).floor() as f32 - 2.0,
                    2 => f32::from_bits((random.next() * 4e9) as u32),
                    _ => 7.0,
                })
                .collect();
            let keys: Vec<i32> = values.iter().map(|&v| key_of(v)).collect();
            values.sort_unstable_by(f32::total_cmp);
            for place in [0, n / 6, n / 2, n - 1 - n / 6, n - 1] {
                let found = value_of(nth(&keys, place).expect("inside"));
                assert_eq!(found.to_bits(), values[place].to_bits(), "{round} {place} of {n}");
            }
            assert_eq!(nth(&keys, n), None);
        }
    }

    #[test]
    fn a_value_is_counted_in_the_bin_below_it() {
        let values: Vec<f32> = (0..300).map(|i| (i * i % 977) as f32 * 3.0 - 400.0).collect();
        let (start, per_value) = (-100.0_f32, 1.37_f32);
        let mut counts = vec![0; BINS + 2];
        count(&mut counts, &values, start, per_value);
        for (bin, &found) in counts.iter().enumerate() {
            let holds = |v: f32| {
                let place = ((v - start) * per_value + 1.0).floor();
                (place.max(0.0) as usize).min(BINS + 1) == bin
            };
            assert_eq!(found as usize, values.iter().filter(|v| holds(**v)).count(), "{bin}");
        }
    }

    #[test]
    fn whole_parts_are_those_of_the_language() {
        for i in 0..20_000 {
            let value = i as f32 * 0.103_7;
            for value in [value, value.floor(), value.floor().next_down().max(0.0)] {
                assert_eq!(whole(value), value as i32, "{value}");
            }
        }
    }

    /// Clips as `clipped_of_bins` does, summing all kept bins in every round.
    fn clipped_plainly(counts: &[u32], n_sigma: f64) -> Option<ClippedStats> {
        let (mut low, mut high, mut stats) = (1, counts.len() - 1, None);
        for _ in 0..20 {
            let sum = |power: u32| -> f64 {
                let of = |(i, &c): (usize, &u32)| (i as u64).pow(power) * u64::from(c);
                counts[low..high].iter().enumerate().map(of).sum::<u64>() as f64
            };
            let n = sum(0);
            if n < 2.0 {
                break;
            }
            let mean = sum(1) / n;
            let sigma = (sum(2) / n - mean * mean).max(0.0).sqrt();
            let mut below = 0.0;
            let mut median = low as f64;
            for (i, &c) in counts[low..high].iter().enumerate() {
                if c > 0 && below + f64::from(c) >= 0.5 * n {
                    median += i as f64 + (0.5 * n - below) / f64::from(c);
                    break;
                }
                below += f64::from(c);
            }
            stats =
                Some(ClippedStats { mean: low as f64 + mean + 0.5, median, sigma, n_kept: n as _ });
            let new_low = ((median - n_sigma * sigma).round().max(1.0) as usize).max(low);
            let new_high = ((median + n_sigma * sigma).round() as usize).min(high);
            if (new_low, new_high) == (low, high) || new_high <= new_low {
                break;
            }
            (low, high) = (new_low, new_high);
        }
        stats
    }

    #[test]
    fn taking_off_tails_is_summing_again() {
        let mut random = Random(13);
        for round in 0..400 {
            let n_values = [3, 40, 4096][round % 3];
            let width = 1.0 + 900.0 * random.next() * random.next() * random.next();
            let centre = 2050.0 * random.next();
            let mut counts = vec![0_u32; BINS + 2];
            for _ in 0..n_values {
                let noise = (0..4).map(|_| random.next() - 0.5).sum::<f64>();
                let stray = if random.next() < 0.1 { 2000.0 * random.next() } else { 0.0 };
                let bin = (centre + width * noise + stray).clamp(0.0, (BINS + 1) as f64);
                counts[bin as usize] += 1;
            }
            let n_sigma = 0.2 + 3.0 * random.next();
            let (found, expected) =
                (clipped_of_bins(&counts, n_sigma), clipped_plainly(&counts, n_sigma));
            assert_eq!(found, expected, "{round}: {n_sigma}");
        }
    }
}

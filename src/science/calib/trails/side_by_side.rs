//! Medians of 32 numbers for many lines side by side.
//!
//! A sorting network (Batcher 1968, AFIPS 32, 307: odd-even merge sort) compares the same places
//! of all lines at once, so that the compiler has whole registers to compare; select on one line
//! after the other takes some twenty times as long.

/// Numbers per line.
pub(super) const LENGTH: usize = 32;
/// Lines side by side.
pub(super) const LANES: usize = 16;
/// Comparators of the network.
const N_PAIRS: usize = 191;

/// The network: places (lower, upper) that are put in order, one pair after the other.
const PAIRS: [(u8, u8); N_PAIRS] = network();

/// By row of the network the numbers of all lines.
pub(super) type Block = [[f32; LANES]; LENGTH];

const fn network() -> [(u8, u8); N_PAIRS] {
    let mut pairs = [(0, 0); N_PAIRS];
    let mut n = 0;
    let mut merged = 1;
    while merged < LENGTH {
        let mut step = merged;
        while step >= 1 {
            let mut from = step % merged;
            while from + step < LENGTH {
                let mut i = 0;
                while i < step && from + i + step < LENGTH {
                    let (low, high) = (from + i, from + i + step);
                    if low / (2 * merged) == high / (2 * merged) {
                        pairs[n] = (low as u8, high as u8);
                        n += 1;
                    }
                    i += 1;
                }
                from += 2 * step;
            }
            step /= 2;
        }
        merged *= 2;
    }
    assert!(n == N_PAIRS);
    pairs
}

/// Median of each line, the mean of the two middle numbers; the block is sorted.
pub(super) fn medians(block: &mut Block) -> [f64; LANES] {
    for (low, high) in PAIRS {
        let (low, high) = (usize::from(low), usize::from(high));
        let (a, b) = (block[low], block[high]);
        for lane in 0..LANES {
            let is_ordered = a[lane] <= b[lane];
            block[low][lane] = if is_ordered { a[lane] } else { b[lane] };
            block[high][lane] = if is_ordered { b[lane] } else { a[lane] };
        }
    }
    let (lower, upper) = (block[LENGTH / 2 - 1], block[LENGTH / 2]);
    std::array::from_fn(|lane| 0.5 * (f64::from(lower[lane]) + f64::from(upper[lane])))
}

#[cfg(test)]
mod tests {
    use super::super::super::median_of;
    use super::*;

    #[test]
    fn medians_are_those_of_each_line() {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Few values, so that many are equal.
            ((state >> 40) % 61) as f32 - 30.0
        };
        for _ in 0..200 {
            let mut block: Block = std::array::from_fn(|_| std::array::from_fn(|_| next()));
            let lines: Vec<Vec<f32>> =
                (0..LANES).map(|lane| block.iter().map(|row| row[lane]).collect()).collect();
            let found = medians(&mut block);
            for (mut line, found) in lines.into_iter().zip(found) {
                assert_eq!(found.to_bits(), median_of(&mut line).to_bits());
            }
        }
    }
}

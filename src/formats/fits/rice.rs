//! Rice decoder of tile-compressed images, bounded by its input.
//!
//! Own code because the decoder of cfitsio (3.49, `ricecomp.c`) looks for the end of its input
//! only after a whole tile and so reads beyond it when the data are damaged.
//! Method: White, Seaman, Pence et al., "Tiled image convention", FITS standard 4.0, section
//! 10.4.1: the first value raw, then blocks of differences to the pixel before, folded to
//! whole numbers (0, -1, 1, -2 ...), each as a unary high part and `fs` low bits.

/// Width of the numbers in a Rice stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Width {
    /// Unsigned bytes.
    One,
    /// Signed 16 bits.
    Two,
    /// Signed 32 bits.
    Four,
}

impl Width {
    /// From `BYTEPIX`.
    pub(super) fn from_bytes(bytes: i64) -> Option<Self> {
        match bytes {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            4 => Some(Self::Four),
            _ => None,
        }
    }

    /// Bits of the block's code, code of a raw block, bits of a raw number.
    const fn codes(self) -> (u32, u32, u32) {
        match self {
            Self::One => (3, 6, 8),
            Self::Two => (4, 14, 16),
            Self::Four => (5, 25, 32),
        }
    }

    /// The low bits as a number of this width.
    fn number(self, bits: u32) -> i32 {
        match self {
            Self::One => i32::from(bits as u8),
            Self::Two => i32::from(bits as u16 as i16),
            Self::Four => bits as i32,
        }
    }
}

/// Decodes one tile into `out`; `None` when the stream ends too early or is impossible.
pub(super) fn decode(bytes: &[u8], width: Width, block_px: usize, out: &mut [i32]) -> Option<()> {
    let (code_bits, code_raw, raw_bits) = width.codes();
    let mut bits = Bits { bytes, next: 0, held: 0, count: 0 };
    let mut last = bits.take(raw_bits)?;
    for block in out.chunks_mut(block_px.max(1)) {
        let code = bits.take(code_bits)?;
        if code == 0 {
            block.fill(width.number(last));
            continue;
        }
        let low_bits = code - 1;
        if low_bits > code_raw {
            return None;
        }
        for value in block {
            let folded = if low_bits == code_raw {
                bits.take(raw_bits)?
            } else {
                let high = bits.take_zeros()?;
                if high > u32::MAX >> low_bits {
                    return None;
                }
                (high << low_bits) | bits.take(low_bits)?
            };
            let difference = if folded & 1 == 0 { folded >> 1 } else { !(folded >> 1) };
            last = last.wrapping_add(difference);
            *value = width.number(last);
        }
    }
    Some(())
}

/// Bits from the highest of each byte on. `held` has the next `count` bits at its top.
struct Bits<'a> {
    bytes: &'a [u8],
    next: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// Takes up more bytes, to at least 56 bits where the input has them.
    fn refill(&mut self) {
        let ahead = self.bytes.get(self.next..).and_then(|rest| rest.first_chunk::<8>());
        if let Some(group) = ahead {
            // Bits beyond `count` are the true ones too: putting them again changes nothing.
            self.held |= u64::from_be_bytes(*group) >> self.count;
            self.next += ((63 - self.count) / 8) as usize;
            self.count |= 56;
            return;
        }
        while self.count < 56 && self.next < self.bytes.len() {
            self.held |= u64::from(self.bytes[self.next]) << (56 - self.count);
            self.next += 1;
            self.count += 8;
        }
    }

    /// Takes `n` <= 32 bits.
    fn take(&mut self, n: u32) -> Option<u32> {
        if self.count < n {
            self.refill();
            if self.count < n {
                return None;
            }
        }
        // Two shifts, as a shift by 64 (for n = 0) is none.
        let value = (self.held >> 1) >> (63 - n);
        self.held <<= n;
        self.count -= n;
        Some(value as u32)
    }

    /// Takes zeros up to and with the next one; the number of zeros.
    fn take_zeros(&mut self) -> Option<u32> {
        let mut zeros = 0_u32;
        loop {
            let run = self.held.leading_zeros().min(self.count);
            zeros = zeros.checked_add(run)?;
            if run < self.count {
                self.held <<= run + 1;
                self.count -= run + 1;
                return Some(zeros);
            }
            self.held <<= run;
            self.count = 0;
            self.refill();
            if self.count == 0 {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes bits given as text of zeros and ones, filled up with zeros.
    fn packed(bits: &str) -> Vec<u8> {
        let digits: Vec<u8> = bits.bytes().filter(|b| b"01".contains(b)).collect();
        let byte = |group: &[u8]| {
            group.iter().enumerate().fold(0, |byte, (i, &d)| byte | ((d - b'0') << (7 - i)))
        };
        digits.chunks(8).map(byte).collect()
    }

    #[test]
    fn the_three_kinds_of_blocks_decode_by_hand() {
        // First value 5; block of two equal (code 0); block with one low bit (code 2):
        // +1 folds to 2 = high 1, low 0 = 01 0; -2 folds to 3 = high 1, low 1 = 01 1;
        // raw block (code 15): +10 folds to 20.
        let bytes = packed("0000000000000101 0000 0010 010 011 1111 0000000000010100");
        let mut out = [0; 5];
        assert_eq!(decode(&bytes, Width::Two, 2, &mut out), Some(()));
        assert_eq!(out, [5, 5, 6, 4, 14]);
    }

    #[test]
    fn a_cut_or_endless_stream_is_refused() {
        let bytes = packed("0000000000000101 0010 010 011");
        let mut out = [0; 64];
        assert_eq!(decode(&bytes, Width::Two, 32, &mut out), None);
        // Zeros without end after a code that wants a one.
        let mut zeros = packed("00000000 010");
        zeros.extend([0; 1000]);
        assert_eq!(decode(&zeros, Width::One, 32, &mut out), None);
        assert_eq!(decode(&[], Width::Four, 32, &mut out), None);
        // Codes above that of raw blocks do not exist for four bytes.
        assert_eq!(decode(&[0, 0, 0, 0, 0xff, 0, 0, 0], Width::Four, 32, &mut out), None);
    }

    #[test]
    fn sixteen_bits_wrap_around() {
        // 32767 + 1 is -32768: folded 2 in a raw block.
        let bytes = packed("0111111111111111 1111 0000000000000010");
        let mut out = [0];
        assert_eq!(decode(&bytes, Width::Two, 32, &mut out), Some(()));
        assert_eq!(out, [-32768]);
    }
}

//! Big-endian pixels to physical values: the hot path of every plain frame.
//!
//! physical = BZERO + BSCALE * stored (FITS standard 4.0, section 4.4.2.5), once and only here.

use super::error::FitsError;
use super::header::Header;

/// How stored numbers become physical values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// Physical value per stored unit.
    pub(super) bscale: f64,
    /// Physical value of a stored zero.
    pub(super) bzero: f64,
    /// Stored integer that means "no value".
    pub(super) blank: Option<i64>,
}

impl Scale {
    /// Takes `BSCALE`, `BZERO` and, for integers, `BLANK` of a header.
    pub(super) fn of(header: &Header, bitpix: i32) -> Result<Self, FitsError> {
        let number = |key, or: f64| match header.value(key) {
            None => Ok(or),
            Some(_) => header.real(key).ok_or(FitsError::BadKeyword { key }),
        };
        let (bscale, bzero) = (number("BSCALE", 1.0)?, number("BZERO", 0.0)?);
        if bscale.abs() <= 0.0 {
            return Err(FitsError::BadKeyword { key: "BSCALE" });
        }
        let blank = if bitpix > 0 { header.integer("BLANK") } else { None };
        Ok(Self { bscale, bzero, blank })
    }

    /// The whole number to add where nothing else is to do and f32 holds every sum exactly.
    fn offset(&self) -> Option<i32> {
        /// f32 holds every whole number up to 2^24.
        const OFFSET_MAX: f64 = 8_388_608.0;
        let is_unit = self.bscale.to_bits() == 1.0_f64.to_bits();
        let is_whole = self.bzero.fract().abs() <= 0.0 && self.bzero.abs() <= OFFSET_MAX;
        (is_unit && is_whole && self.blank.is_none()).then_some(self.bzero as i32)
    }

    /// Tells whether stored and physical values are the same.
    fn is_none(&self) -> bool {
        self.offset() == Some(0)
    }

    /// The physical value of a stored whole number; NaN where blank.
    pub(super) fn whole(&self, stored: i64) -> f32 {
        if self.blank == Some(stored) {
            return f32::NAN;
        }
        self.real(stored as f64)
    }

    /// The physical value of a stored number.
    pub(super) fn real(&self, stored: f64) -> f32 {
        (self.bzero + self.bscale * stored) as f32
    }
}

/// Bytes of one pixel; `None` for a `BITPIX` that FITS does not know.
pub(super) fn pixel_bytes(bitpix: i64) -> Option<u64> {
    match bitpix {
        8 => Some(1),
        16 => Some(2),
        32 | -32 => Some(4),
        64 | -64 => Some(8),
        _ => None,
    }
}

/// Converts as many pixels as `bytes` and `out` both hold.
pub(super) fn decode(bytes: &[u8], bitpix: i32, scale: &Scale, out: &mut [f32]) {
    let offset = scale.offset();
    match (bitpix, offset) {
        (8, Some(add)) => map(bytes, out, |b| (i32::from(u8::from_be_bytes(b)) + add) as f32),
        (16, Some(add)) => map(bytes, out, |b| (i32::from(i16::from_be_bytes(b)) + add) as f32),
        (8, None) => map(bytes, out, |b| scale.whole(u8::from_be_bytes(b).into())),
        (16, None) => map(bytes, out, |b| scale.whole(i16::from_be_bytes(b).into())),
        (32, _) => map(bytes, out, |b| scale.whole(i32::from_be_bytes(b).into())),
        (64, _) => map(bytes, out, |b| scale.whole(i64::from_be_bytes(b))),
        (-32, _) if scale.is_none() => map(bytes, out, f32::from_be_bytes),
        (-32, _) => map(bytes, out, |b| scale.real(f32::from_be_bytes(b).into())),
        // -64; other values do not pass the probe.
        _ => map(bytes, out, |b| scale.real(f64::from_be_bytes(b))),
    }
}

/// Applies `value_of` to each group of N bytes.
fn map<const N: usize>(bytes: &[u8], out: &mut [f32], value_of: impl Fn([u8; N]) -> f32) {
    for (value, group) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *value = value_of(*group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Scale {
        /// The stored numbers are the values.
        const NONE: Self = Self { bscale: 1.0, bzero: 0.0, blank: None };
    }

    fn decoded<const N: usize>(bytes: &[u8], bitpix: i32, scale: &Scale) -> [f32; N] {
        let mut out = [0.0; N];
        decode(bytes, bitpix, scale, &mut out);
        out
    }

    #[test]
    fn unsigned_16_bit_range_is_exact() {
        let scale = Scale { bzero: 32768.0, ..Scale::NONE };
        let out = decoded::<3>(&[0x80, 0x00, 0x00, 0x00, 0x7f, 0xff], 16, &scale);
        assert_eq!(out.map(|v| v as i32), [0, 32768, 65535]);
    }

    #[test]
    fn blank_is_nan_and_scaling_follows_the_standard() {
        let scale = Scale { bscale: 0.5, bzero: 10.0, blank: Some(-1) };
        let out = decoded::<2>(&[0xff, 0xff, 0x00, 0x04], 16, &scale);
        assert!(out[0].is_nan() && (out[1] - 12.0).abs() < 1e-6);
    }

    #[test]
    fn every_type_reads_its_own_bytes() {
        let none = Scale::NONE;
        assert_eq!(decoded::<1>(&[200], 8, &none).map(|v| v as i32), [200]);
        assert_eq!(decoded::<1>(&(-7_i32).to_be_bytes(), 32, &none).map(|v| v as i32), [-7]);
        assert_eq!(decoded::<1>(&(-7_i64).to_be_bytes(), 64, &none).map(|v| v as i32), [-7]);
        assert!((decoded::<1>(&1.5_f32.to_be_bytes(), -32, &none)[0] - 1.5).abs() < 1e-9);
        assert!((decoded::<1>(&1.5_f64.to_be_bytes(), -64, &none)[0] - 1.5).abs() < 1e-9);
        assert!(decoded::<1>(&f32::NAN.to_be_bytes(), -32, &none)[0].is_nan());
    }
}

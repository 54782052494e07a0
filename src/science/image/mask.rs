//! What is wrong with a pixel, as a set of bits.

use super::Image;

/// The mask of a frame: one set of bits per pixel.
pub type Mask = Image<MaskBits>;

/// Set of reasons not to trust a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaskBits(u8);

impl MaskBits {
    /// Nothing is wrong.
    pub const GOOD: Self = Self(0);
    /// Dead, hot or badly responding pixel of the detector.
    pub const BAD: Self = Self(1);
    /// At or above the saturation level of the raw frame, or bleeding from there.
    pub const SATURATED: Self = Self(2);
    /// No usable value: not finite in the file or outside the illuminated area.
    pub const NO_DATA: Self = Self(4);
    /// Hit by a cosmic ray.
    pub const COSMIC: Self = Self(8);
    /// Under the trail of a satellite or aircraft.
    pub const TRAIL: Self = Self(16);

    /// The bits as a number, as written into FITS masks.
    #[inline]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set with this number.
    #[inline]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Tells whether any of the reasons holds.
    #[inline]
    pub const fn is_any(self, reasons: Self) -> bool {
        self.0 & reasons.0 != 0
    }

    /// Tells whether nothing is wrong.
    #[inline]
    pub const fn is_good(self) -> bool {
        self.0 == 0
    }

    /// The union with other reasons.
    #[must_use]
    #[inline]
    pub const fn with(self, reasons: Self) -> Self {
        Self(self.0 | reasons.0)
    }
}

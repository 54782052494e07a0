//! How much a file may claim before we stop believing it.

/// Bounds on what a FITS file may contain. Each is checked before memory is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest file [bytes], as stored and after gunzip.
    pub file_bytes_max: u64,
    /// Most pixels of an image, most cells of a table.
    pub pixels_max: u64,
    /// Most cards of one header.
    pub header_cards_max: usize,
    /// Most HDUs looked at.
    pub hdus_max: usize,
    /// Largest ratio of expanded to stored bytes, of gzip and of tile compression.
    ///
    /// Rice leaves 4 bits of a block of 32 equal pixels: at most 128 for 16-bit frames.
    pub compression_ratio_max: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes_max: 1 << 30,
            pixels_max: 1 << 27,
            header_cards_max: 10_000,
            hdus_max: 128,
            compression_ratio_max: 200.0,
        }
    }
}

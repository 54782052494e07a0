//! Plain FITS images, written in one pass. The caller names a temporary file, syncs it and puts
//! it in place.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::card::{self, CARD_BYTES};
use super::error::FitsError;
use super::hdu::BLOCK_BYTES;
use super::header::{Header, is_structural};
use crate::science::image::Image;
use crate::science::image::mask::Mask;

/// Bytes collected before they go to the file.
const BUFFER_BYTES: usize = 1 << 18;

/// Writes values as 32-bit floats, NaN included.
///
/// The header's cards follow in order; the layout's keywords and `BSCALE`, `BZERO`, `BLANK`
/// among them are left out, as this writer makes its own.
pub fn write_image(path: &Path, image: &Image<f32>, header: &Header) -> Result<(), FitsError> {
    write_pixels(path, image, &image_header(image, -32, header), f32::to_be_bytes)
}

/// Writes unsigned 16-bit numbers as cameras do: signed ones with `BZERO` 32768.
pub fn write_image_u16(path: &Path, image: &Image<u16>, header: &Header) -> Result<(), FitsError> {
    let mut whole = image_header(image, 16, header);
    whole.set("BSCALE", 1_i64, "");
    whole.set("BZERO", 32_768_i64, "offset of unsigned numbers");
    // Flipping the highest bit subtracts 32768.
    write_pixels(path, image, &whole, |value| (value ^ 0x8000).to_be_bytes())
}

/// Writes the bits of a mask as bytes.
pub fn write_mask(path: &Path, mask: &Mask, header: &Header) -> Result<(), FitsError> {
    write_pixels(path, mask, &image_header(mask, 8, header), |bits| [bits.bits()])
}

/// The header of a primary image.
fn image_header<T>(image: &Image<T>, bitpix: i64, header: &Header) -> Header {
    header_of((image.nx(), image.ny()), bitpix, header)
}

/// The header of a primary image of so many columns and rows.
pub(super) fn header_of((nx, ny): (usize, usize), bitpix: i64, header: &Header) -> Header {
    let mut whole = Header::new();
    whole.set("SIMPLE", true, "FITS standard 4.0");
    whole.set("BITPIX", bitpix, "type of the pixels");
    whole.set("NAXIS", 2_i64, "number of axes");
    whole.set("NAXIS1", nx as i64, "columns");
    whole.set("NAXIS2", ny as i64, "rows");
    append(&mut whole, header);
    whole
}

/// The header of a primary HDU without pixels; `what` says what stands behind it.
pub(super) fn empty_primary(what: &str, header: &Header) -> Header {
    let mut primary = Header::new();
    primary.set("SIMPLE", true, "FITS standard 4.0");
    primary.set("BITPIX", 8_i64, "");
    primary.set("NAXIS", 0_i64, "no image here");
    primary.set("EXTEND", true, what);
    append(&mut primary, header);
    primary
}

/// Appends the cards that describe the observation, not a layout.
pub(super) fn append(whole: &mut Header, header: &Header) {
    for card in header.cards() {
        let is_scale = matches!(card.key.as_str(), "BSCALE" | "BZERO" | "BLANK");
        if !is_scale && !is_structural(&card.key) {
            whole.push(card.clone());
        }
    }
}

/// A header as whole blocks.
pub(super) fn header_block(header: &Header) -> Vec<u8> {
    let mut lines = Vec::with_capacity((header.cards().len() + 1) * CARD_BYTES);
    for card in header.cards() {
        card::write(card, &mut lines);
    }
    card::push_line(&mut lines, b"END");
    lines.resize(lines.len().next_multiple_of(BLOCK_BYTES), b' ');
    lines
}

/// A file being written.
pub(super) struct Sink<'a> {
    path: &'a Path,
    file: BufWriter<File>,
    written: usize,
}

impl<'a> Sink<'a> {
    /// Makes or empties the file.
    #[expect(clippy::disallowed_methods, reason = "the caller hands over a temporary name")]
    pub(super) fn create(path: &'a Path) -> Result<Self, FitsError> {
        let file = File::create(path)
            .map_err(|source| FitsError::Write { path: path.to_owned(), source })?;
        Ok(Self { path, file: BufWriter::with_capacity(BUFFER_BYTES, file), written: 0 })
    }

    /// Appends bytes.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), FitsError> {
        let result = self.file.write_all(bytes);
        self.written += bytes.len();
        self.checked(result)
    }

    /// Fills the last block with zeros.
    pub(super) fn pad(&mut self) -> Result<(), FitsError> {
        let padding = self.written.next_multiple_of(BLOCK_BYTES) - self.written;
        self.put(&[0; BLOCK_BYTES][..padding])
    }

    /// Fills the last block with zeros and flushes.
    pub(super) fn finish(mut self) -> Result<(), FitsError> {
        self.pad()?;
        let result = self.file.flush();
        self.checked(result)
    }

    fn checked(&self, result: io::Result<()>) -> Result<(), FitsError> {
        result.map_err(|source| FitsError::Write { path: self.path.to_owned(), source })
    }
}

/// Writes a header and an image.
fn write_pixels<T: Copy, const N: usize>(
    path: &Path,
    image: &Image<T>,
    header: &Header,
    bytes_of: impl Fn(T) -> [u8; N],
) -> Result<(), FitsError> {
    let mut sink = Sink::create(path)?;
    sink.put(&header_block(header))?;
    put_pixels(&mut sink, image, bytes_of)?;
    sink.finish()
}

/// Appends pixels, row by row.
pub(super) fn put_pixels<T: Copy, const N: usize>(
    sink: &mut Sink<'_>,
    image: &Image<T>,
    bytes_of: impl Fn(T) -> [u8; N],
) -> Result<(), FitsError> {
    const CHUNK_PX: usize = 1 << 14;
    let mut buffer = vec![0; N * CHUNK_PX.min(image.pixels().len())];
    for part in image.pixels().chunks(CHUNK_PX) {
        let bytes = &mut buffer[..N * part.len()];
        for (group, &value) in bytes.as_chunks_mut::<N>().0.iter_mut().zip(part) {
            *group = bytes_of(value);
        }
        sink.put(bytes)?;
    }
    Ok(())
}

//! Pixels as physical values.

use std::path::Path;

use super::error::FitsError;
use super::probe::{ImageInfo, Storage, locate};
use super::source::Source;
use super::{pixels, tiles};
use crate::science::image::Image;

/// Pixels converted at a time: their bytes stay in the cache of one core.
const CHUNK_PX: usize = 1 << 16;

/// Reads the pixels of a probed image as physical values; undefined ones are NaN.
///
/// The headers are read again, so a file replaced since the probe is `Changed`, never
/// misread. f32 holds 16-bit values exactly, larger ones to 24 bits.
pub fn read_pixels(path: &Path, info: &ImageInfo) -> Result<Image<f32>, FitsError> {
    let mut source = Source::open(path, &info.limits)?;
    let found = locate(&mut source, &info.limits, info.hdu)?;
    let shape = |image: &ImageInfo| (image.hdu, image.nx, image.ny, image.bitpix);
    let is_same = shape(&found) == shape(info);
    if !is_same || found.storage != info.storage {
        return Err(FitsError::Changed);
    }
    let count = found.nx * found.ny;
    let values = match &found.storage {
        Storage::Plain { scale, .. } => {
            let mut values = vec![0.0; count];
            // Whole: the pixels' size is the product of both counts.
            let unit = found.implied_bytes as usize / count;
            let mut buffer = vec![0; unit * CHUNK_PX.min(count)];
            let end = source.position() + found.implied_bytes;
            for part in values.chunks_mut(CHUNK_PX) {
                let bytes = &mut buffer[..unit * part.len()];
                source.read_exact(bytes).map_err(|error| announced(error, end))?;
                pixels::decode(bytes, found.bitpix, scale, part);
            }
            values
        }
        Storage::Tiled(table) => {
            let data = source.read_block(table.data_bytes)?;
            let mut values = vec![0.0; count];
            tiles::read(table, &data, &mut values)?;
            values
        }
    };
    Image::from_pixels(found.nx, found.ny, values).ok_or(FitsError::Changed)
}

/// Names the end of all the data, not of the chunk, in a `Truncated`.
fn announced(error: FitsError, expected_bytes: u64) -> FitsError {
    match error {
        FitsError::Truncated { found_bytes, .. } => {
            FitsError::Truncated { expected_bytes, found_bytes }
        }
        other => other,
    }
}

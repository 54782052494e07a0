//! FITS files: frames in, frames and tables out.
//!
//! Every header is read and checked by our own code, against `Limits`, before anything is
//! believed: `source` gives bytes (gunzipped on the way), `card` and `header` make headers of
//! them, `hdu` measures, `probe` finds the image, `read` turns pixels into values. Plain frames
//! and tile-compressed whole numbers are decoded here; only quantised floats see cfitsio, as
//! a file in memory (`cfitsio`). File names never reach its extended syntax.
//! Source: FITS standard 4.0 (IAU, 2018).

mod card;
mod cfitsio;
mod completeness;
mod error;
mod extensions;
mod hdu;
mod header;
mod ldac;
mod limits;
mod name;
mod pixels;
mod probe;
mod read;
mod rice;
mod source;
mod table;
mod tile_table;
mod tiles;
mod wcs;
mod write;

pub use completeness::{Completeness, completeness};
pub use error::FitsError;
pub use extensions::{ImageHdu, read_extensions, write_extensions};
pub use header::{Card, Header, Value};
pub use ldac::{LdacPart, header_text, write_ldac};
pub use limits::Limits;
pub use name::is_frame_name;
pub use probe::{ImageInfo, probe, probe_from, probe_images};
pub use read::read_pixels;
pub use table::{Column, ColumnData, read_table, write_table};
pub use wcs::read_wcs;
pub use write::{write_image, write_image_u16, write_mask};

#[cfg(test)]
mod tests;

//! Finds the images of a file, plain or tile-compressed, with two axes (further axes of length 1
//! are ignored). The image of a file is that of the primary HDU, else the first extension's.

use std::collections::HashSet;
use std::path::Path;

use super::error::FitsError;
use super::hdu::{self, Hdu};
use super::header::{Header, Value, is_structural};
use super::limits::Limits;
use super::pixels::{Scale, pixel_bytes};
use super::source::Source;
use super::tile_table::TileTable;

/// What a file holds, known from its headers alone.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageInfo {
    /// Cards of the primary HDU and of the image's extension, the extension's win.
    ///
    /// The layout's keywords are gone but for `BITPIX`, `NAXIS`, `NAXIS1`, `NAXIS2`, which
    /// describe the image after decompression, and `BSCALE`, `BZERO`, `BLANK`.
    pub header: Header,
    /// Number of its HDU; the primary one is 0.
    pub hdu: usize,
    /// Columns [px].
    pub nx: usize,
    /// Rows [px].
    pub ny: usize,
    /// Type of the stored pixels, as in FITS.
    pub bitpix: i32,
    /// Size of the pixels after decompression [bytes].
    pub implied_bytes: u64,
    /// Where and how the pixels lie.
    pub(super) storage: Storage,
    /// What was allowed.
    pub(super) limits: Limits,
}

/// Where and how pixels lie.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Storage {
    /// Big-endian numbers from `data_start` on.
    Plain {
        /// Place [bytes].
        data_start: u64,
        /// From numbers to values.
        scale: Scale,
    },
    /// A tile-compressed image.
    Tiled(Box<TileTable>),
}

/// Reads the headers of a file up to its image and checks them against the limits.
///
/// Errors: anything of `FitsError` that can be seen without the pixels; a plain file that is
/// too short is `Truncated`, a gzip file that is too short is noticed by `read_pixels`.
pub fn probe(path: &Path, limits: &Limits) -> Result<ImageInfo, FitsError> {
    probe_from(path, limits, 0)
}

/// The same for the first image from an HDU on; the primary one is 0.
pub fn probe_from(path: &Path, limits: &Limits, hdu: usize) -> Result<ImageInfo, FitsError> {
    locate(&mut Source::open(path, limits)?, limits, hdu)
}

/// Reads all headers of a file and gives its images in order.
///
/// A header is the image's own with what it inherits of the primary HDU's. Errors: as `probe`, of
/// any HDU; a file whose last HDU is cut off has none of its images read.
pub fn probe_images(path: &Path, limits: &Limits) -> Result<Vec<ImageInfo>, FitsError> {
    let mut source = Source::open(path, limits)?;
    let mut primary: Option<Header> = None;
    let mut images = Vec::new();
    for hdus in 0..limits.hdus_max {
        let Some(hdu) = hdu::next(&mut source, limits)? else {
            return if images.is_empty() { Err(FitsError::NoImage { hdus }) } else { Ok(images) };
        };
        if let Some(found) = image_of(&hdu, limits)? {
            images.push(found.with_header(primary.as_ref(), &hdu.header, (hdus, limits)));
        }
        hdu::skip(&mut source, &hdu)?;
        primary.get_or_insert(hdu.header);
    }
    Err(FitsError::TooManyHdus { allowed_hdus: limits.hdus_max })
}

/// Finds the first image from an HDU on and leaves the source at its data.
pub(super) fn locate(
    source: &mut Source,
    limits: &Limits,
    from: usize,
) -> Result<ImageInfo, FitsError> {
    let mut primary: Option<Header> = None;
    for hdus in 0..limits.hdus_max {
        let Some(hdu) = hdu::next(source, limits)? else {
            return Err(FitsError::NoImage { hdus });
        };
        let found = if hdus >= from { image_of(&hdu, limits)? } else { None };
        if let Some(found) = found {
            source.expect(hdu.data_bytes)?;
            return Ok(found.with_header(primary.as_ref(), &hdu.header, (hdus, limits)));
        }
        hdu::skip(source, &hdu)?;
        primary.get_or_insert(hdu.header);
    }
    Err(FitsError::TooManyHdus { allowed_hdus: limits.hdus_max })
}

/// An image within one HDU.
struct Found {
    nx: usize,
    ny: usize,
    bitpix: i32,
    implied_bytes: u64,
    storage: Storage,
}

/// The image of an HDU; `None` where there is none.
fn image_of(hdu: &Hdu, limits: &Limits) -> Result<Option<Found>, FitsError> {
    match hdu.header.text("XTENSION") {
        None | Some("IMAGE") => plain_image(hdu, limits),
        Some("BINTABLE") if hdu.header.logical("ZIMAGE") == Some(true) => tiled_image(hdu, limits),
        Some(_) => Ok(None),
    }
}

fn plain_image(hdu: &Hdu, limits: &Limits) -> Result<Option<Found>, FitsError> {
    let Some((nx, ny)) = shape(&hdu::axes(&hdu.header, "NAXIS")?) else {
        return Ok(None);
    };
    let bitpix = hdu::required(&hdu.header, "BITPIX")?;
    let (nx, ny, bitpix, implied_bytes) = checked_size(nx, ny, bitpix, limits)?;
    if implied_bytes != hdu.data_bytes {
        return Err(FitsError::BadKeyword { key: "PCOUNT" });
    }
    let scale = Scale::of(&hdu.header, bitpix)?;
    let storage = Storage::Plain { data_start: hdu.data_start, scale };
    Ok(Some(Found { nx, ny, bitpix, implied_bytes, storage }))
}

fn tiled_image(hdu: &Hdu, limits: &Limits) -> Result<Option<Found>, FitsError> {
    let axes = hdu::axes(&hdu.header, "ZNAXIS")?;
    let Some((nx, ny)) = shape(&axes) else {
        return Ok(None);
    };
    let bitpix = hdu::required(&hdu.header, "ZBITPIX")?;
    let (nx, ny, bitpix, implied_bytes) = checked_size(nx, ny, bitpix, limits)?;
    if implied_bytes as f64 > hdu.data_bytes as f64 * limits.compression_ratio_max {
        return Err(FitsError::RatioTooHigh {
            expanded_bytes: implied_bytes,
            stored_bytes: hdu.data_bytes,
            allowed_ratio: limits.compression_ratio_max,
        });
    }
    let table = TileTable::of(hdu, (nx, ny), axes.len(), bitpix)?;
    let storage = Storage::Tiled(Box::new(table));
    Ok(Some(Found { nx, ny, bitpix, implied_bytes, storage }))
}

/// Columns and rows of axes that describe a picture.
fn shape(axes: &[u64]) -> Option<(u64, u64)> {
    match axes {
        [nx, ny, rest @ ..] if *nx > 0 && *ny > 0 && rest.iter().all(|&n| n == 1) => {
            Some((*nx, *ny))
        }
        _ => None,
    }
}

/// Columns, rows, pixel type and size of an image that is not too large.
fn checked_size(
    nx: u64,
    ny: u64,
    bitpix: i64,
    limits: &Limits,
) -> Result<(usize, usize, i32, u64), FitsError> {
    let too_many = FitsError::TooManyPixels { nx, ny, allowed: limits.pixels_max };
    let pixels = nx.checked_mul(ny).filter(|&pixels| pixels <= limits.pixels_max);
    let bad_type = FitsError::BadKeyword { key: "BITPIX" };
    let (Some(unit), Ok(bitpix)) = (pixel_bytes(bitpix), i32::try_from(bitpix)) else {
        return Err(bad_type);
    };
    let bytes = pixels.and_then(|pixels| pixels.checked_mul(unit));
    match (usize::try_from(nx), usize::try_from(ny), bytes) {
        (Ok(nx), Ok(ny), Some(bytes)) if usize::try_from(bytes).is_ok() => {
            Ok((nx, ny, bitpix, bytes))
        }
        _ => Err(too_many),
    }
}

impl Found {
    /// Adds the cards that describe the observation.
    fn with_header(
        self,
        primary: Option<&Header>,
        own: &Header,
        (hdu, limits): (usize, &Limits),
    ) -> ImageInfo {
        let mut header = Header::new();
        header.set("BITPIX", i64::from(self.bitpix), "type of the stored pixels");
        header.set("NAXIS", 2_i64, "number of axes");
        header.set("NAXIS1", self.nx as i64, "columns");
        header.set("NAXIS2", self.ny as i64, "rows");
        let is_tiled = matches!(self.storage, Storage::Tiled(_));
        // Also where INHERIT = F: cameras write that beside a DATE-OBS of the primary HDU alone.
        append_observation(&mut header, primary, own, is_tiled);
        let Self { nx, ny, bitpix, implied_bytes, storage } = self;
        ImageInfo { header, hdu, nx, ny, bitpix, implied_bytes, storage, limits: *limits }
    }
}

/// Appends the extension's own cards and those of the primary HDU that it does not have.
pub(super) fn append_observation(
    header: &mut Header,
    primary: Option<&Header>,
    own: &Header,
    is_tiled: bool,
) {
    let name_of_table = Some(&Value::from("COMPRESSED_IMAGE"));
    for card in own.cards() {
        let is_name = is_tiled && card.key == "EXTNAME" && card.value.as_ref() == name_of_table;
        if !is_structural(&card.key) && !is_name {
            header.push(card.clone());
        }
    }
    let Some(primary) = primary else { return };
    let own_keys: HashSet<&str> = own.cards().iter().map(|card| card.key.as_str()).collect();
    for card in primary.cards() {
        // Names and scales of the primary HDU say nothing about the extension.
        let is_local = matches!(card.key.as_str(), "EXTNAME" | "BSCALE" | "BZERO" | "BLANK");
        let is_new = card.is_remark() || !own_keys.contains(card.key.as_str());
        if is_new && !is_local && !is_structural(&card.key) {
            header.push(card.clone());
        }
    }
}

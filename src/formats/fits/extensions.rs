//! Files of many small images: an empty primary HDU, an image extension each, a table at the end.
//!
//! Images are 32-bit floats, NaN included, so that what is read equals what was written.

use std::path::Path;

use super::error::FitsError;
use super::hdu;
use super::header::{Header, is_structural};
use super::limits::Limits;
use super::pixels::{self, Scale, pixel_bytes};
use super::source::Source;
use super::table::{Column, put_table};
use super::write::{self, Sink};
use crate::science::image::Image;

/// An image with the cards that describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageHdu {
    /// Its cards; those of the layout are left out.
    pub header: Header,
    /// Its pixels.
    pub image: Image<f32>,
}

/// Writes image extensions behind an empty primary HDU, and a table of this name behind them.
pub fn write_extensions(
    path: &Path,
    primary: &Header,
    images: &[ImageHdu],
    (table, extname): (&[Column], &str),
) -> Result<(), FitsError> {
    let mut sink = Sink::create(path)?;
    sink.put(&write::header_block(&write::empty_primary("images follow", primary)))?;
    for hdu in images {
        let mut header = Header::new();
        header.set("XTENSION", "IMAGE", "image extension");
        header.set("BITPIX", -32_i64, "type of the pixels");
        header.set("NAXIS", 2_i64, "number of axes");
        header.set("NAXIS1", hdu.image.nx() as i64, "columns");
        header.set("NAXIS2", hdu.image.ny() as i64, "rows");
        header.set("PCOUNT", 0_i64, "");
        header.set("GCOUNT", 1_i64, "");
        write::append(&mut header, &hdu.header);
        sink.put(&write::header_block(&header))?;
        write::put_pixels(&mut sink, &hdu.image, f32::to_be_bytes)?;
        sink.pad()?;
    }
    put_table(&mut sink, table, extname)?;
    sink.finish()
}

/// Reads the primary header and all plain image extensions of a file, each with its own cards;
/// other extensions are passed over.
///
/// Errors: as `probe`; `TooManyHdus` beyond the limit.
pub fn read_extensions(path: &Path, limits: &Limits) -> Result<(Header, Vec<ImageHdu>), FitsError> {
    let mut source = Source::open(path, limits)?;
    let mut primary: Option<Header> = None;
    let mut images = Vec::new();
    for _ in 0..limits.hdus_max {
        let Some(found) = hdu::next(&mut source, limits)? else {
            return Ok((primary.unwrap_or_default(), images));
        };
        let is_image = found.header.text("XTENSION") == Some("IMAGE");
        if is_image && let &[nx, ny] = hdu::axes(&found.header, "NAXIS")?.as_slice() {
            let image = read_image(&mut source, &found, (nx, ny), limits)?;
            images.push(ImageHdu { header: described(&found.header), image });
        } else {
            hdu::skip(&mut source, &found)?;
        }
        if primary.is_none() {
            primary = Some(described(&found.header));
        }
    }
    Err(FitsError::TooManyHdus { allowed_hdus: limits.hdus_max })
}

/// The cards that are not about the layout.
fn described(header: &Header) -> Header {
    let mut kept = Header::new();
    for card in header.cards().iter().filter(|card| !is_structural(&card.key)) {
        kept.push(card.clone());
    }
    kept
}

/// Reads the pixels of an extension and goes to the next header.
fn read_image(
    source: &mut Source,
    found: &hdu::Hdu,
    (nx, ny): (u64, u64),
    limits: &Limits,
) -> Result<Image<f32>, FitsError> {
    let too_many = || FitsError::TooManyPixels { nx, ny, allowed: limits.pixels_max };
    let count = nx.checked_mul(ny).filter(|&n| n <= limits.pixels_max).ok_or_else(too_many)?;
    let bitpix = hdu::required(&found.header, "BITPIX")?;
    let bad_type = FitsError::BadKeyword { key: "BITPIX" };
    let (Some(unit), Ok(short)) = (pixel_bytes(bitpix), i32::try_from(bitpix)) else {
        return Err(bad_type);
    };
    // At most `pixels_max` times 8.
    let size_bytes = count * unit;
    if size_bytes != found.data_bytes {
        return Err(FitsError::BadKeyword { key: "PCOUNT" });
    }
    let scale = Scale::of(&found.header, short)?;
    let bytes = source.read_block(size_bytes)?;
    hdu::skip_padding(source, found)?;
    let mut values = vec![0.0; usize::try_from(count).map_err(|_| too_many())?];
    pixels::decode(&bytes, short, &scale, &mut values);
    let side = |n: u64| usize::try_from(n).map_err(|_| too_many());
    Image::from_pixels(side(nx)?, side(ny)?, values).ok_or_else(too_many)
}

#[cfg(test)]
mod tests {
    use super::super::{ColumnData, read_table};
    use super::*;

    fn hdu(name: &str, start: f32) -> ImageHdu {
        let mut header = Header::new();
        header.set("EXTNAME", name, "");
        let mut values: Vec<f32> = (0..12_u8).map(|i| start + f32::from(i)).collect();
        values[5] = f32::NAN;
        ImageHdu { header, image: Image::from_pixels(4, 3, values).expect("12 pixels") }
    }

    #[test]
    fn images_and_table_come_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.fits");
        let mut primary = Header::new();
        primary.set("OBJECT", "ABC", "");
        let column = Column {
            name: "RA".to_owned(),
            unit: "deg".to_owned(),
            data: ColumnData::F64(vec![1.5, 2.5]),
        };
        let table = [column];
        let images = [hdu("A", 0.0), hdu("B", 100.0)];
        write_extensions(&path, &primary, &images, (&table, "STARS")).expect("written");
        let (read, found) = read_extensions(&path, &Limits::default()).expect("read");
        assert_eq!(read.text("OBJECT"), Some("ABC"));
        assert_eq!(found.len(), 2);
        for (a, b) in images.iter().zip(&found) {
            assert_eq!(a.header, b.header);
            let bits = |h: &ImageHdu| -> Vec<u32> {
                h.image.pixels().iter().map(|v| v.to_bits()).collect()
            };
            assert_eq!(bits(a), bits(b));
        }
        let (_, columns) = read_table(&path, &Limits::default()).expect("a table");
        assert_eq!(columns, table);
        // cfitsio's own opinion.
        let mut file = fitsio::FitsFile::open(&path).expect("cfitsio opens it");
        let second = file.hdu("B").expect("cfitsio finds it by its name");
        let pixels: Vec<f32> = second.read_image(&mut file).expect("cfitsio reads it");
        assert_eq!(pixels.iter().filter(|v| v.is_nan()).count(), 1);
        assert!((pixels[11] - 111.0).abs() < 1e-6);
        let few = Limits { hdus_max: 2, ..Limits::default() };
        assert!(matches!(read_extensions(&path, &few), Err(FitsError::TooManyHdus { .. })));
        let small = Limits { pixels_max: 11, ..Limits::default() };
        assert!(matches!(read_extensions(&path, &small), Err(FitsError::TooManyPixels { .. })));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
    fn a_file_cut_anywhere_is_an_error_or_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.fits");
        write_extensions(&path, &Header::new(), &[hdu("A", 0.0)], (&[], "NONE")).expect("written");
        let bytes = std::fs::read(&path).expect("read");
        for length in (0..bytes.len()).step_by(97) {
            std::fs::write(&path, &bytes[..length]).expect("cut");
            let read = read_extensions(&path, &Limits::default());
            // After the image's data nothing is needed any more.
            assert!(read.is_err() || length >= 2 * 2880 + 48, "{length}: {read:?}");
        }
    }
}

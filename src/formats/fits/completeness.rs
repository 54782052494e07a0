//! Whether a file is as long as its headers say: is it whole, or still being written?
//!
//! All HDUs are walked over by their headers; data are not read. The last block's padding may be
//! missing, and whatever follows the last HDU does not count. Of what is no FITS file, or has
//! a header that cannot be measured, no length is known: such a file counts as whole, and
//! reading it will tell what is wrong. A gzip stream is whole when it ends with its check sum.

use std::path::Path;

use super::error::FitsError;
use super::hdu::{self, Hdu};
use super::limits::Limits;
use super::source::{GzipEnd, Source};

/// Larger gzip files are not unpacked only to see whether they end properly [bytes].
const GZIP_CHECKED_BYTES_MAX: u64 = 64 << 20;

/// Whether a file holds what it announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing announced is missing.
    Complete,
    /// The file ends too early.
    Short {
        /// Size up to the end of the announced data; `None` where no header tells it.
        expected_bytes: Option<u64>,
        /// Size of the file.
        found_bytes: u64,
    },
}

/// Tells whether a file is as long as its headers say.
///
/// Errors: `Open`, `NotAFile` and `Read` only; damage is for the readers of pixels to tell.
pub fn completeness(path: &Path, limits: &Limits) -> Result<Completeness, FitsError> {
    let mut source = match Source::open(path, limits) {
        Ok(source) => source,
        Err(FitsError::Empty) => {
            return Ok(Completeness::Short { expected_bytes: None, found_bytes: 0 });
        }
        Err(error) => return judge(error),
    };
    let found_bytes = source.stored_bytes();
    let short = |expected_bytes| Ok(Completeness::Short { expected_bytes, found_bytes });
    if source.is_gzip() {
        if found_bytes > GZIP_CHECKED_BYTES_MAX {
            return Ok(Completeness::Complete);
        }
        return match source.gzip_end() {
            Ok(GzipEnd::Missing) => short(None),
            Ok(GzipEnd::Proper | GzipEnd::TooFar) => Ok(Completeness::Complete),
            Err(error) => judge(error),
        };
    }
    match walk(&mut source, limits) {
        Ok(completeness) => Ok(completeness),
        Err(FitsError::Truncated { expected_bytes, .. }) => short(Some(expected_bytes)),
        Err(FitsError::NoEnd { .. } | FitsError::Empty) => short(None),
        Err(FitsError::NotFits) if begins_with_zeros(path, limits)? => short(None),
        Err(error) => judge(error),
    }
}

/// Walks over the HDUs; `Truncated` or `NoEnd` where the file ends too early.
fn walk(source: &mut Source, limits: &Limits) -> Result<Completeness, FitsError> {
    for hdus in 0..limits.hdus_max {
        let Some(hdu) = hdu::next(source, limits)? else {
            break;
        };
        hdu::skip(source, &hdu)?;
        let is_last = source.position() >= source.stored_bytes();
        // A primary HDU without data promises an extension: nobody takes a picture of nothing.
        if hdus == 0 && is_last && holds_nothing(&hdu) {
            let found_bytes = source.stored_bytes();
            return Ok(Completeness::Short { expected_bytes: None, found_bytes });
        }
    }
    Ok(Completeness::Complete)
}

fn holds_nothing(hdu: &Hdu) -> bool {
    hdu.data_bytes == 0
}

/// Tells of space taken before anything was written (Windows copies through Samba do so).
fn begins_with_zeros(path: &Path, limits: &Limits) -> Result<bool, FitsError> {
    let mut bytes = [1; hdu::BLOCK_BYTES];
    let count = Source::open(path, limits)?.read_up_to(&mut bytes)?;
    Ok(bytes[..count].iter().all(|&byte| byte == 0))
}

/// Failures of the system are errors; what the content says is for the readers to tell.
fn judge(error: FitsError) -> Result<Completeness, FitsError> {
    match error {
        FitsError::Open { .. } | FitsError::NotAFile { .. } | FitsError::Read { .. } => Err(error),
        _ => Ok(Completeness::Complete),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use super::*;
    use std::io::Write;

    const BLOCK: usize = hdu::BLOCK_BYTES;

    fn header(lines: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in lines.iter().chain(&["END"]) {
            bytes.extend(format!("{line:80}").into_bytes());
        }
        bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
        bytes
    }

    fn look(bytes: &[u8]) -> Completeness {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.fits");
        std::fs::write(&path, bytes).expect("a file");
        completeness(&path, &Limits::default()).expect("a readable file")
    }

    fn short(expected_bytes: Option<usize>, found_bytes: usize) -> Completeness {
        let expected_bytes = expected_bytes.map(|bytes| bytes as u64);
        Completeness::Short { expected_bytes, found_bytes: found_bytes as u64 }
    }

    /// 100 x 30 pixels of 16 bit: 6000 bytes of data behind one block of header.
    fn picture() -> Vec<u8> {
        let mut bytes = header(&[
            "SIMPLE  =                    T",
            "BITPIX  =                   16",
            "NAXIS   =                    2",
            "NAXIS1  =                  100",
            "NAXIS2  =                   30",
        ]);
        bytes.resize(BLOCK + 6000, 7);
        bytes
    }

    #[test]
    fn a_plain_file_is_as_long_as_its_header_says() {
        let bytes = picture();
        assert_eq!(look(&bytes), Completeness::Complete, "without padding");
        let mut longer = bytes.clone();
        longer.resize(BLOCK + 3 * BLOCK + 17, 0);
        assert_eq!(look(&longer), Completeness::Complete, "with padding and a tail");
        for length in [BLOCK, BLOCK + 1, BLOCK + 5999] {
            assert_eq!(look(&bytes[..length]), short(Some(BLOCK + 6000), length));
        }
        for length in [9, 500, BLOCK - 1] {
            assert_eq!(look(&bytes[..length]), short(None, length), "inside the header");
        }
        assert_eq!(look(&[]), short(None, 0));
        assert_eq!(look(&vec![0; 4 * BLOCK]), short(None, 4 * BLOCK), "space taken in advance");
    }

    #[test]
    fn extensions_count_as_soon_as_they_begin() {
        let mut bytes = header(&["SIMPLE  =  T", "BITPIX  =  8", "NAXIS   =  0", "EXTEND  =  T"]);
        assert_eq!(look(&bytes), short(None, BLOCK), "no picture yet");
        // A tile-compressed image is a table with a heap: 8 bytes x 30 rows + 4000 = 4240.
        bytes.extend(header(&[
            "XTENSION= 'BINTABLE'",
            "BITPIX  =                    8",
            "NAXIS   =                    2",
            "NAXIS1  =                    8",
            "NAXIS2  =                   30",
            "PCOUNT  =                 4000",
            "GCOUNT  =                    1",
        ]));
        bytes.resize(2 * BLOCK + 4240, 1);
        assert_eq!(look(&bytes), Completeness::Complete);
        let end = 2 * BLOCK + 4240;
        assert_eq!(look(&bytes[..end - 1]), short(Some(end), end - 1));
        assert_eq!(look(&bytes[..BLOCK + 200]), short(None, BLOCK + 200));
        // A second extension behind the primary picture.
        let mut two = picture();
        two.resize(4 * BLOCK, 0);
        two.extend(&bytes[BLOCK..end - 1]);
        assert_eq!(look(&two), short(Some(4 * BLOCK + end - BLOCK), two.len()));
    }

    #[test]
    fn what_is_no_fits_file_is_left_to_its_reader() {
        assert_eq!(look(b"a text under a wrong name"), Completeness::Complete);
        let bad = header(&["SIMPLE  =  T", "BITPIX  =  17", "NAXIS   =  0"]);
        assert_eq!(look(&bad), Completeness::Complete);
        let nowhere = completeness(Path::new("/does/not/exist.fits"), &Limits::default());
        assert!(matches!(nowhere, Err(FitsError::Open { .. })));
        let folder = tempfile::tempdir().expect("a folder");
        let folder = completeness(folder.path(), &Limits::default());
        assert!(matches!(folder, Err(FitsError::NotAFile { .. })));
    }

    #[test]
    fn a_gzip_stream_must_end() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&picture()).expect("packed");
        let packed = encoder.finish().expect("packed");
        assert_eq!(look(&packed), Completeness::Complete);
        for length in [5, packed.len() / 2, packed.len() - 8, packed.len() - 1] {
            assert_eq!(look(&packed[..length]), short(None, length));
        }
        let mut damaged = packed.clone();
        let last = damaged.len() - 6;
        damaged[last] ^= 0x55;
        assert_eq!(look(&damaged), Completeness::Complete, "damage is for the reader to tell");
        // 40 MB of nothing in 40 kB: beyond the ratio, for the reader to refuse.
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; 40 << 20]).expect("packed");
        assert_eq!(look(&encoder.finish().expect("packed")), Completeness::Complete);
    }
}

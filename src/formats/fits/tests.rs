//! Whole files: round trips, a second reader's opinion, and hostile input.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;
use crate::science::image::Image;
use crate::science::image::mask::MaskBits;

const BLOCK: usize = 2880;

fn header_bytes(lines: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines.iter().chain(&["END"]) {
        bytes.extend(format!("{line:80}").into_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
    bytes
}

fn plain(axes: [&str; 2], bitpix: &str, data_bytes: usize) -> Vec<u8> {
    let (nx, ny) = (format!("NAXIS1  = {}", axes[0]), format!("NAXIS2  = {}", axes[1]));
    let bitpix = format!("BITPIX  = {bitpix}");
    let mut file = header_bytes(&["SIMPLE  =  T", &bitpix, "NAXIS   = 2", &nx, &ny]);
    file.resize(file.len() + data_bytes, 0);
    file
}

/// A file in a folder that goes away with the test.
struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a scratch folder") }
    }

    fn path(&self) -> PathBuf {
        // A name that cfitsio would take apart.
        self.folder.path().join("a+b[1:2,*](x).fits")
    }

    fn put(&self, bytes: &[u8]) -> PathBuf {
        // A new file each time: some file systems flush a file that is emptied and refilled.
        if self.path().exists() {
            std::fs::remove_file(self.path()).expect("our own file");
        }
        std::fs::write(self.path(), bytes).expect("a scratch file");
        self.path()
    }
}

fn probe_bytes(bytes: &[u8]) -> Result<ImageInfo, FitsError> {
    let scratch = Scratch::new();
    probe(&scratch.put(bytes), &Limits::default())
}

fn read(path: &Path) -> Result<(ImageInfo, Image<f32>), FitsError> {
    let info = probe(path, &Limits::default())?;
    let image = read_pixels(path, &info)?;
    Ok((info, image))
}

fn sample_header() -> Header {
    let mut header = Header::new();
    header.set("OBJECT", "(319) Leona", "target");
    header.set("BZERO", 5.0, "must not survive");
    header.set("NAXIS1", 99_i64, "must not survive");
    header.set("LONG", "x".repeat(200), "");
    header.push_history("made by a test");
    header
}

#[test]
fn floats_survive_a_round_trip() {
    let scratch = Scratch::new();
    let pixels: Vec<f32> = (0..200 * 7).map(|i| i as f32 * 0.3 - 7.0).collect();
    let mut image = Image::from_pixels(200, 7, pixels).expect("counted");
    image.pixels_mut()[3] = f32::NAN;
    write_image(&scratch.path(), &image, &sample_header()).expect("written");
    let (info, back) = read(&scratch.path()).expect("read");
    assert_eq!((info.nx, info.ny, info.bitpix, info.implied_bytes), (200, 7, -32, 5600));
    assert!(back.pixels()[3].is_nan());
    assert_eq!(back.pixels()[4..], image.pixels()[4..]);
    assert_eq!(info.header.text("LONG").map(str::len), Some(200));
    assert_eq!(info.header.integer("NAXIS1"), Some(200));
    assert!(!info.header.contains("BZERO"));
    // cfitsio's own opinion; its extended file names would take our scratch name apart.
    let plain = scratch.folder.path().join("plain.fits");
    std::fs::copy(scratch.path(), &plain).expect("a copy");
    let mut second = fitsio::FitsFile::open(&plain).expect("cfitsio opens it");
    let hdu = second.primary_hdu().expect("a primary image");
    let pixels: Vec<f32> = hdu.read_image(&mut second).expect("cfitsio reads it");
    assert!(pixels[4..].iter().zip(&image.pixels()[4..]).all(|(a, b)| a.to_bits() == b.to_bits()));
    let target: String = hdu.read_key(&mut second, "OBJECT").expect("cfitsio reads the card");
    assert_eq!(target, "(319) Leona");
}

#[test]
fn unsigned_numbers_and_masks_survive() {
    let scratch = Scratch::new();
    let image = Image::from_pixels(3, 1, vec![0_u16, 40_000, 65_535]).expect("counted");
    write_image_u16(&scratch.path(), &image, &sample_header()).expect("written");
    let (info, back) = read(&scratch.path()).expect("read");
    assert_eq!(info.bitpix, 16);
    assert_eq!(back.pixels().iter().map(|&v| v as u16).collect::<Vec<_>>(), image.pixels());
    let mask = Image::filled(5, 4, MaskBits::SATURATED);
    write_mask(&scratch.path(), &mask, &Header::new()).expect("written");
    let (_, back) = read(&scratch.path()).expect("read");
    assert!(back.pixels().iter().all(|&v| v as u8 == MaskBits::SATURATED.bits()));
}

#[test]
fn gzipped_files_are_read_by_content() {
    let scratch = Scratch::new();
    let pixels = (0..64 * 64).map(|i| (i * 2_654_435_761_u64 % 65_521) as u16).collect();
    let image = Image::from_pixels(64, 64, pixels).expect("counted");
    write_image_u16(&scratch.path(), &image, &Header::new()).expect("written");
    let bytes = std::fs::read(scratch.path()).expect("written");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&bytes).expect("in memory");
    let packed = encoder.finish().expect("in memory");
    let (_, back) = read(&scratch.put(&packed)).expect("read");
    assert_eq!(back.pixels().iter().map(|&v| v as u16).collect::<Vec<_>>(), image.pixels());
    // Cut: the probe sees a good header, the pixels are not there.
    let path = scratch.put(&packed[..packed.len() / 2]);
    let info = probe(&path, &Limits::default()).expect("the header is whole");
    let error = read_pixels(&path, &info).expect_err("cut");
    let expected = BLOCK as u64 + 64 * 64 * 2;
    assert!(
        matches!(error, FitsError::Truncated { expected_bytes, .. } if expected_bytes == expected)
    );
}

#[test]
fn a_gzip_bomb_is_refused_by_its_ratio() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&plain(["10000", "1000"], "8", 10_000_000)).expect("in memory");
    let packed = encoder.finish().expect("in memory");
    assert!(matches!(probe_bytes(&packed), Err(FitsError::RatioTooHigh { .. })));
}

#[test]
fn cut_and_empty_files_are_named_with_numbers() {
    assert!(matches!(probe_bytes(&[]), Err(FitsError::Empty)));
    let found = probe_bytes(&plain(["100", "50"], "16", 4000));
    let (expected_bytes, found_bytes) = (2880 + 10_000, 2880 + 4000);
    assert!(matches!(found, Err(FitsError::Truncated { expected_bytes: e, found_bytes: f })
            if (e, f) == (expected_bytes, found_bytes)));
    // Data without the padding of the last block are whole.
    assert!(probe_bytes(&plain(["100", "50"], "16", 10_000)).is_ok());
}

#[test]
fn absurd_sizes_are_errors() {
    for nx in ["-1", "9223372036854775807", "99999999999999999999", "'10'", "1.5", "T"] {
        let found = probe_bytes(&plain([nx, "2"], "16", 0));
        assert!(matches!(found, Err(FitsError::BadKeyword { .. })), "{nx}");
    }
    let found = probe_bytes(&plain(["100000", "100000"], "16", 0));
    assert!(matches!(found, Err(FitsError::TooManyPixels { nx: 100_000, .. })));
    for bitpix in ["0", "7", "-8", "128"] {
        let found = probe_bytes(&plain(["1", "1"], bitpix, 8));
        assert!(matches!(found, Err(FitsError::BadKeyword { key: "BITPIX" })), "{bitpix}");
    }
    for naxis in ["-1", "1000", "9223372036854775807"] {
        let lines = ["SIMPLE  = T", "BITPIX  = 8", &format!("NAXIS   = {naxis}")];
        let found = probe_bytes(&header_bytes(&lines));
        assert!(matches!(found, Err(FitsError::BadKeyword { key: "NAXIS" })), "{naxis}");
    }
}

#[test]
fn headers_without_end_or_of_endless_length_are_errors() {
    let whole = plain(["1", "1"], "8", 0);
    let at = whole.windows(4).position(|w| w == b"END ").expect("it has an END");
    let mut endless = whole.clone();
    endless[at] = b'X';
    assert!(matches!(probe_bytes(&endless), Err(FitsError::NoEnd { found_bytes: 2880 })));
    let mut long = endless;
    long.extend(b"COMMENT ".iter().cycle().take(1_000_000 * 80));
    assert!(matches!(probe_bytes(&long), Err(FitsError::HeaderTooLong { .. })));
    assert!(matches!(probe_bytes(&whole[..500]), Err(FitsError::NoEnd { .. })));
    assert!(matches!(probe_bytes(b"hello"), Err(FitsError::NotFits)));
    assert!(matches!(probe_bytes(&[0; 5760]), Err(FitsError::NotFits)));
}

#[test]
fn files_without_image_and_with_too_many_hdus_are_errors() {
    let primary = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0"];
    let mut file = header_bytes(&primary);
    assert!(matches!(probe_bytes(&file), Err(FitsError::NoImage { hdus: 1 })));
    for _ in 0..Limits::default().hdus_max {
        file.extend(header_bytes(&["XTENSION= 'IMAGE'", "BITPIX  = 8", "NAXIS   = 0"]));
    }
    assert!(matches!(probe_bytes(&file), Err(FitsError::TooManyHdus { .. })));
}

#[test]
fn the_extension_wins_over_the_primary_header() {
    let primary = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0", "OBJECT  = 'a'", "GAIN    = 2.5"];
    let mut file = header_bytes(&primary);
    let lines = ["XTENSION= 'IMAGE'", "BITPIX  = 8", "NAXIS   = 3", "NAXIS1  = 2"];
    let more = ["NAXIS2  = 1", "NAXIS3  = 1", "OBJECT  = 'b'"];
    file.extend(header_bytes(&[&lines[..], &more[..]].concat()));
    file.extend([7, 8]);
    let scratch = Scratch::new();
    let (info, image) = read(&scratch.put(&file)).expect("read");
    assert_eq!((info.header.text("OBJECT"), info.header.real("GAIN")), (Some("b"), Some(2.5)));
    assert_eq!(image.pixels().iter().map(|&v| v as u8).collect::<Vec<_>>(), [7, 8]);
}

#[test]
fn a_replaced_file_is_noticed() {
    let scratch = Scratch::new();
    let path = scratch.put(&plain(["10", "10"], "16", 2880));
    let info = probe(&path, &Limits::default()).expect("good");
    scratch.put(&plain(["9", "10"], "16", 2880));
    assert!(matches!(read_pixels(&path, &info), Err(FitsError::Changed)));
    assert!(matches!(
        probe(scratch.folder.path(), &Limits::default()),
        Err(FitsError::NotAFile { .. })
    ));
}

#[test]
fn tables_survive_a_round_trip() {
    let scratch = Scratch::new();
    let column =
        |name: &str, unit: &str, data| Column { name: name.into(), unit: unit.into(), data };
    let columns = [
        column("id", "", ColumnData::I64(vec![1, i64::MAX])),
        column("n", "", ColumnData::I32(vec![-5, 6])),
        column("ra", "deg", ColumnData::F64(vec![0.1, f64::MIN_POSITIVE])),
        column("flux", "adu", ColumnData::F32(vec![1.5, -2.5])),
        column("name", "", ColumnData::Text(vec!["a".into(), "2023 MQ5".into()])),
        column("none", "", ColumnData::Text(vec![String::new(), String::new()])),
    ];
    write_table(&scratch.path(), &columns, &sample_header(), "SOURCES").expect("written");
    let (header, back) = read_table(&scratch.path(), &Limits::default()).expect("read");
    assert_eq!(back, columns);
    assert_eq!(header.text("OBJECT"), Some("(319) Leona"));
    assert_eq!(header.text("EXTNAME"), Some("SOURCES"));
    let empty = [column("x", "px", ColumnData::F64(Vec::new()))];
    write_table(&scratch.path(), &empty, &Header::new(), "NONE").expect("written");
    assert_eq!(read_table(&scratch.path(), &Limits::default()).expect("read").1, empty);
    let uneven = [columns[0].clone(), empty[0].clone()];
    let result = write_table(&scratch.path(), &uneven, &Header::new(), "BAD");
    assert!(matches!(result, Err(FitsError::ColumnLength { column: 1, .. })));
}

mod hostile_tiles;

#[test]
fn every_image_of_a_file_is_found_with_what_it_inherits() {
    let scratch = Scratch::new();
    let hdu = |filter: &str, value: f32| {
        let mut header = Header::new();
        header.set("FILTER", filter, "");
        ImageHdu { header, image: Image::filled(5, 4, value) }
    };
    let mut primary = Header::new();
    primary.set("FILTER", "none", "of the primary HDU");
    primary.set("EXPTIME", 30.0, "");
    let path = scratch.path();
    write_extensions(&path, &primary, &[hdu("R", 1.0), hdu("V", 2.0)], (&[], "LOG"))
        .expect("written");
    let limits = Limits::default();
    let images = probe_images(&path, &limits).expect("two images");
    let told: Vec<(usize, Option<&str>, Option<f64>)> =
        images.iter().map(|i| (i.hdu, i.header.text("FILTER"), i.header.real("EXPTIME"))).collect();
    assert_eq!(told, [(1, Some("R"), Some(30.0)), (2, Some("V"), Some(30.0))]);
    for (image, value) in images.iter().zip([1.0, 2.0]) {
        let pixels = read_pixels(&path, image).expect("pixels");
        assert!(pixels.pixels().iter().all(|v| (v - value).abs() < f32::EPSILON));
    }
    assert_eq!(probe(&path, &limits).expect("the first"), images[0]);
    assert_eq!(probe_from(&path, &limits, 2).expect("the second"), images[1]);
    assert!(matches!(probe_from(&path, &limits, 3), Err(FitsError::NoImage { hdus: 4 })));
    // Cut after ten bytes of the second image: headers take a block each, and the first image.
    let bytes = std::fs::read(&path).expect("a file");
    let cut = scratch.put(&bytes[..4 * BLOCK + 10]);
    let cut_result = probe_images(&cut, &limits);
    assert!(cut_result.is_err(), "{cut_result:?}");
}

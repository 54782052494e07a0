//! Tile-compressed files whose table contradicts itself, and good ones by hand.

use super::*;

/// Header lines of a 64 x 2 image of 16 bits in two Rice tiles.
const GOOD: [&str; 23] = [
    "XTENSION= 'BINTABLE'",
    "BITPIX  = 8",
    "NAXIS   = 2",
    "NAXIS1  = 8",
    "NAXIS2  = 2",
    "PCOUNT  = 6",
    "GCOUNT  = 1",
    "TFIELDS = 1",
    "TTYPE1  = 'COMPRESSED_DATA'",
    "TFORM1  = '1PB(3)'",
    "ZIMAGE  = T",
    "ZBITPIX = 16",
    "ZNAXIS  = 2",
    "ZNAXIS1 = 64",
    "ZNAXIS2 = 2",
    "ZTILE1  = 64",
    "ZTILE2  = 1",
    "ZCMPTYPE= 'RICE_1'",
    "ZNAME1  = 'BLOCKSIZE'",
    "ZVAL1   = 32",
    "ZNAME2  = 'BYTEPIX'",
    "ZVAL2   = 2",
    "BZERO   = 32768",
];

/// The file with one header line replaced (same keyword) or added, and these descriptors.
fn file(change: &str, descriptors: [(u32, u32); 2]) -> Vec<u8> {
    let mut lines = GOOD.to_vec();
    let same = |line: &&&str| line.as_bytes().get(..8) == change.as_bytes().get(..8);
    match GOOD.iter().find(same) {
        Some(old) => lines.iter_mut().filter(|line| line == &old).for_each(|line| *line = change),
        None if change.is_empty() => {}
        None => lines.push(change),
    }
    let mut bytes = header_bytes(&["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0", "OBJECT  = 'o'"]);
    bytes.extend(header_bytes(&lines));
    for (count, place) in descriptors {
        bytes.extend(count.to_be_bytes());
        bytes.extend(place.to_be_bytes());
    }
    // A first value and two blocks of zero differences: 16 + 4 + 4 bits.
    bytes.extend([0x00, 0x05, 0x00, 0x80, 0x00, 0x00]);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

const PLACES: [(u32, u32); 2] = [(3, 0), (3, 3)];

#[test]
fn several_compressed_images_are_found_and_read() {
    let scratch = Scratch::new();
    let first = file("EXTNAME = 'CHIP1'", PLACES);
    let second = file("EXTNAME = 'CHIP2'", PLACES);
    let mut both = first.clone();
    // Without its primary HDU, which is one block.
    both.extend(&second[BLOCK..]);
    let path = scratch.put(&both);
    let images = probe_images(&path, &Limits::default()).expect("two images");
    let names: Vec<Option<&str>> = images.iter().map(|i| i.header.text("EXTNAME")).collect();
    assert_eq!(names, [Some("CHIP1"), Some("CHIP2")]);
    assert_eq!((images[0].hdu, images[1].hdu), (1, 2));
    for image in &images {
        let pixels = read_pixels(&path, image).expect("pixels");
        assert!(pixels.row(0).iter().all(|&v| v as i32 == 32_773));
        assert!(pixels.row(1).iter().all(|&v| v as i32 == 0));
    }
}

#[test]
fn the_good_file_reads() {
    let scratch = Scratch::new();
    let (info, image) = read(&scratch.put(&file("", PLACES))).expect("read");
    assert_eq!((info.nx, info.ny, info.bitpix, info.implied_bytes), (64, 2, 16, 256));
    assert_eq!(info.header.text("OBJECT"), Some("o"));
    assert!(!info.header.contains("ZIMAGE") && !info.header.contains("TFORM1"));
    assert!(image.row(0).iter().all(|&v| v as i32 == 32_773));
    assert!(image.row(1).iter().all(|&v| v as i32 == 0));
}

#[test]
fn quantised_floats_are_scaled_once() {
    let mut lines = GOOD.to_vec();
    let is_replaced = |line: &str| {
        ["PCOUNT", "NAXIS1", "TFIELDS", "Z"].iter().any(|start| line.starts_with(start))
    };
    lines.retain(|line| !is_replaced(line));
    lines.extend(["NAXIS1  = 24", "TFIELDS = 3", "TTYPE2  = 'ZSCALE'", "TFORM2  = '1D'"]);
    lines.extend(["TTYPE3  = 'ZZERO'", "TFORM3  = '1D'"]);
    lines.extend(["PCOUNT  = 12", "ZIMAGE  = T", "ZBITPIX = -32", "ZCMPTYPE= 'RICE_1'"]);
    lines.extend(["ZNAXIS  = 2", "ZNAXIS1 = 64", "ZNAXIS2 = 2", "ZTILE1  = 64", "ZTILE2  = 1"]);
    lines.extend(["ZBLANK  = -2147483648", "ZQUANTIZ= 'NO_DITHER'"]);
    let mut bytes = header_bytes(&["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0"]);
    bytes.extend(header_bytes(&lines));
    for place in [0_u32, 6] {
        bytes.extend([6_u32.to_be_bytes(), place.to_be_bytes()].concat());
        bytes.extend([0.5_f64.to_be_bytes(), 10.0_f64.to_be_bytes()].concat());
    }
    // A first value and two blocks of zero differences: 32 + 5 + 5 bits.
    for first in [4_i32, i32::MIN] {
        bytes.extend(first.to_be_bytes());
        bytes.extend([0, 0]);
    }
    let scratch = Scratch::new();
    let (info, image) = read(&scratch.put(&bytes)).expect("read");
    assert_eq!(info.bitpix, -32);
    // 32768 + (10 + 0.5 * 4), and the blank.
    assert!(image.row(0).iter().all(|&v| (v - 32_780.0).abs() < 1e-3), "{:?}", image.row(0));
    assert!(image.row(1).iter().all(|v| v.is_nan()), "{:?}", image.row(1));
    // One missing byte in the heap is found before cfitsio is asked.
    let place = bytes.len() - 12 - 24;
    bytes[place..place + 4].copy_from_slice(&5_u32.to_be_bytes());
    let found = read(&scratch.put(&bytes));
    assert!(matches!(found, Err(FitsError::TileData { .. })), "{found:?}");
}

#[test]
fn contradictions_in_the_header_are_errors() {
    let changes = [
        "NAXIS1  = 7",
        "NAXIS2  = 3",
        "PCOUNT  = 9000000",
        "PCOUNT  = -1",
        "GCOUNT  = 2",
        "TFIELDS = 0",
        "TFIELDS = 2",
        "TFIELDS = 99999999",
        "TTYPE1  = 'OTHER'",
        "TFORM1  = '1PI(3)'",
        "TFORM1  = '2PB(3)'",
        "TFORM1  = '%s%n'",
        "THEAP   = 0",
        "THEAP   = 9223372036854775807",
        "ZBITPIX = 17",
        "ZBITPIX = -32",
        "ZNAXIS  = 1",
        "ZNAXIS  = 999",
        "ZNAXIS1 = 63",
        "ZNAXIS1 = -64",
        "ZNAXIS1 = 9223372036854775807",
        "ZNAXIS2 = 100000000",
        "ZTILE1  = 0",
        "ZTILE1  = -64",
        "ZTILE1  = 9223372036854775807",
        "ZTILE1  = 'x'",
        "ZTILE2  = 2",
        "ZTILE2  = 2147483648",
        "ZCMPTYPE= 'HCOMPRESS_1'",
        "ZCMPTYPE= 'PLIO_1'",
        "ZCMPTYPE= 'whatever'",
        "ZVAL1   = 0",
        "ZVAL1   = -32",
        "ZVAL1   = 9223372036854775807",
        "ZVAL2   = 3",
        "ZVAL2   = 9223372036854775807",
        "ZSCALE  = 2.0",
        "ZZERO   = 2.0",
        "BSCALE  = 0.0",
        "BZERO   = 'abc'",
    ];
    for change in changes {
        assert!(probe_bytes(&file(change, PLACES)).is_err(), "{change}");
    }
    let huge = file("ZNAXIS2 = 1000000", PLACES);
    assert!(matches!(probe_bytes(&huge), Err(FitsError::RatioTooHigh { .. })));
}

#[test]
fn descriptors_outside_the_heap_are_errors() {
    let scratch = Scratch::new();
    let bad = [(3, 4), (4, 3), (u32::MAX, 0), (3, u32::MAX), (0, 0), (2, 0), (1 << 31, 1 << 31)];
    for second in bad {
        let found = read(&scratch.put(&file("", [PLACES[0], second])));
        assert!(matches!(found, Err(FitsError::TileData { tile: 1 })), "{second:?}");
    }
}

#[test]
fn every_single_byte_may_be_wrong() {
    let good = file("", PLACES);
    let scratch = Scratch::new();
    for at in (0..80 * 28).map(|i| i + BLOCK).chain(2 * BLOCK..2 * BLOCK + 22) {
        for byte in [0, b' ', b'9', b'\'', 0xff] {
            let mut bytes = good.clone();
            bytes[at] = byte;
            // Error or not: no panic, and never more pixels than the file can hold.
            if let Ok((_, image)) = read(&scratch.put(&bytes)) {
                assert!(image.pixels().len() <= 64 * 99);
            }
        }
    }
}

#[test]
fn cut_compressed_files_are_truncated() {
    let good = file("", PLACES);
    let found = probe_bytes(&good[..2 * BLOCK + 20]);
    assert!(matches!(found, Err(FitsError::Truncated { expected_bytes: 5782, found_bytes: 5780 })));
}

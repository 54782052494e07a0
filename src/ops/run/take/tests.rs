//! Files with several images: which frames they give, by which names, rules and pointings.

use super::*;
use crate::formats::fits::{ImageHdu, write_extensions};
use crate::pipeline::ingest::{ExtensionName, FrameRules};

/// A file of a science exposure with extensions of these names, each with a plate solution.
fn file(folder: &Path, names: &[&str]) -> NightFile {
    let path = folder.join("m.fits");
    let mut primary = Header::new();
    for (key, value) in [("IMAGETYP", "Light Frame"), ("DATE-OBS", "2026-03-01T23:00:00")] {
        primary.set(key, value, "");
    }
    for (key, value) in [("EXPTIME", 60.0), ("RA", 150.0), ("DEC", 20.0)] {
        primary.set(key, value, "");
    }
    let hdu = |(k, name): (usize, &&str)| {
        let mut header = Header::new();
        header.set("EXTNAME", *name, "");
        for (key, value) in [("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN")] {
            header.set(key, value, "");
        }
        // The mosaic's middle, of which the chips lie 1000 px apart.
        let step_deg = 1e-4;
        for (key, value) in [("CRVAL1", 150.0), ("CRVAL2", 20.0), ("CD1_1", -step_deg)] {
            header.set(key, value, "");
        }
        for (key, value) in [("CD2_2", step_deg), ("CRPIX1", 3.0), ("CRPIX2", 2.5)] {
            let shift = if key == "CRPIX2" { 1000.0 * k as f64 } else { 0.0 };
            header.set(key, value - shift, "");
        }
        ImageHdu { header, image: Image::filled(5, 4, 7.0) }
    };
    let hdus: Vec<ImageHdu> = names.iter().enumerate().map(hdu).collect();
    write_extensions(&path, &primary, &hdus, (&[], "LOG")).expect("a file");
    let stamp = FileStamp::read(&path).expect("a stamp");
    NightFile { path, name: "sub/m.fits".to_owned(), stamp }
}

fn told(found: &[Found]) -> Vec<String> {
    found
        .iter()
        .map(|found| match found {
            Found::Frame(frame) => format!("{} {}", frame.file.name, frame.hdu),
            Found::Failed(record) => {
                format!("{} failed: {}", record.frame, record.reason.clone().unwrap_or_default())
            }
            Found::Skipped(note) => format!("{} skipped", note.subject),
        })
        .collect()
}

#[test]
fn each_image_is_a_frame_with_a_name_and_an_identity_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(folder.path(), &["CHIP1", "DQ1", "CHIP2"]);
    let config = Config::default();
    let found = look_at(&file, "abc", ("n1", &config));
    assert_eq!(told(&found), ["sub/m.fits[1] 1", "sub/m.fits[3] 3"]);
    let frames: Vec<&Arc<ScannedFrame>> = found
        .iter()
        .filter_map(|found| if let Found::Frame(frame) = found { Some(frame) } else { None })
        .collect();
    assert_ne!(frames[0].content_hash, frames[1].content_hash);
    assert!(frames.iter().all(|f| f.content_hash.bytes().all(|b| b.is_ascii_hexdigit())));
    // The pointing is that of each chip's middle: the second lies 2000 px of 1e-4 deg north.
    let declinations: Vec<f64> =
        frames.iter().map(|f| f.info.pointing_rad.expect("a pointing").1.to_degrees()).collect();
    assert!((declinations[0] - 20.0).abs() < 1e-5, "{declinations:?}");
    assert!((declinations[1] - 20.2).abs() < 1e-5, "{declinations:?}");
    let (pixels, header) = frames[1].read(&config.fits_limits()).expect("pixels");
    assert_eq!((pixels.nx(), header.text("EXTNAME")), (5, Some("CHIP2")));
    // When the file is gone its frames are found again by what is known of them.
    let known: Vec<FrameRecord> = frames
        .iter()
        .map(|f| FrameRecord {
            image: f.info.image.clone(),
            ..empty_record(&f.file.name, &f.content_hash, FrameStatus::Ok)
        })
        .collect();
    let gone = [("sub/m.fits".to_owned(), "abc".to_owned())];
    let names: Vec<&str> = frames_of(&gone, &known).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["sub/m.fits", "sub/m.fits[1]", "sub/m.fits[3]"]);
}

#[test]
fn lists_and_rules_choose_and_what_is_not_there_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(folder.path(), &["CHIP1", "CHIP2"]);
    let mut config = Config::default();
    config.instrument.extensions =
        ["2", "CHIP9"].map(|t| ExtensionName::parse(t).expect("a name")).into();
    let found = told(&look_at(&file, "abc", ("n1", &config)));
    assert_eq!(found[0], "sub/m.fits[2] 2");
    assert!(found[1].starts_with("sub/m.fits[CHIP9] failed: "), "{found:?}");
    assert!(found[1].contains("1 (CHIP1), 2 (CHIP2)"), "{found:?}");
    config.instrument.extensions.clear();
    let rules = "[[rule]]\nfiles = [\"m.fits\"]\nkind = \"flat\"\n\
                 [[rule]]\nfiles = [\"m.fits[2]\"]\nignore = true\n";
    config.instrument.rules = FrameRules::parse(rules).expect("rules");
    let found = look_at(&file, "abc", ("n1", &config));
    assert_eq!(told(&found), ["sub/m.fits[1] 1", "sub/m.fits[2] skipped"]);
    let Found::Frame(first) = &found[0] else { panic!("a frame") };
    assert_eq!(first.info.kind, FrameKind::Flat, "a rule for the file holds for its parts");
    // A file of nothing but a table.
    let path = folder.path().join("t.fits");
    write_extensions(&path, &Header::new(), &[], (&[], "LOG")).expect("a file");
    let stamp = FileStamp::read(&path).expect("a stamp");
    let table = NightFile { path, name: "t.fits".to_owned(), stamp };
    let found = told(&look_at(&table, "abc", ("n1", &config)));
    assert!(found[0].starts_with("t.fits failed: none of the 2 HDUs holds"), "{found:?}");
}

//! Files with several images: two chips in one file, each a frame of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use autossos::config::Config;
use autossos::formats::fits::{Header, ImageHdu, write_extensions};
use autossos::ops::Silent;
use autossos::ops::export::{ExportFormat, export};
use autossos::ops::run::{RunRequest, run_night};
use autossos::science::image::Image;
use autossos::science::simulate::{
    Scenario, SimulatedFrame, SimulatedNight, SimulatedValue, Truth,
};

use crate::simulated::{mover_of, n_visible, small, told, used_frames, wcs_error_arcsec};

/// From the first chip's field to the second's [deg]; a chip is 0.25 deg wide at most.
const APART_DEG: f64 = 0.6;
/// Signal to noise from which a mover should be seen in a frame, and in how many.
const SEEN: (f64, usize) = (7.0, 5);

/// A camera of two chips: two nights of one log, of other detectors and other fields.
fn chips() -> [SimulatedNight; 2] {
    let first = small(11);
    let second = Scenario { seed: 12, ra_deg: first.ra_deg + APART_DEG, ..first.clone() };
    [first, second].map(|scenario| SimulatedNight::new(&scenario))
}

fn header(frame: &SimulatedFrame, is_wanted: &dyn Fn(&str) -> bool) -> Header {
    let mut header = Header::new();
    for (key, value, comment) in frame.cards.iter().filter(|(key, ..)| is_wanted(key)) {
        match value {
            SimulatedValue::Text(v) => header.set(key, v.as_str(), comment),
            SimulatedValue::Integer(v) => header.set(key, *v, comment),
            SimulatedValue::Real(v) => header.set(key, *v, comment),
        }
    }
    header
}

/// Writes both frames as one file: what they share in the primary header, the rest beside each
/// image, a table at the end.
fn write_file(path: &Path, frames: &[SimulatedFrame; 2]) {
    let value = |frame: &SimulatedFrame, key: &str| {
        frame.cards.iter().find(|card| card.0 == key).map(|card| card.1.clone())
    };
    let is_shared = |key: &str| value(&frames[0], key) == value(&frames[1], key);
    let images: Vec<ImageHdu> = (1..)
        .zip(frames)
        .map(|(number, frame)| {
            let mut header = header(frame, &|key| !is_shared(key));
            header.set("EXTNAME", format!("CHIP{number}"), "");
            let pixels = frame.pixels.pixels().iter().map(|v| f32::from(*v)).collect();
            let image = Image::from_pixels(frame.pixels.nx(), frame.pixels.ny(), pixels);
            ImageHdu { header, image: image.expect("a frame") }
        })
        .collect();
    let primary = header(&frames[0], &is_shared);
    write_extensions(path, &primary, &images, (&[], "TELEMETRY")).expect("a file");
}

/// The truth of a chip, its frames called as they are found.
fn truth(night: &SimulatedNight, hdu: usize) -> Truth {
    let mut truth = night.truth().clone();
    let places = truth.movers.iter_mut().flat_map(|mover| &mut mover.places);
    let names = places.map(|place| &mut place.frame);
    for name in names.chain(truth.frames.iter_mut().map(|frame| &mut frame.name)) {
        name.push_str(&format!("[{hdu}]"));
    }
    truth
}

#[test]
fn each_chip_of_a_file_is_a_frame_with_masters_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = folder.path().join("raw");
    std::fs::create_dir(&raw).expect("a folder");
    let nights = chips();
    for i in 0..nights[0].n_frames() {
        let frames = [nights[0].frame(i), nights[1].frame(i)];
        write_file(&raw.join(&frames[0].name), &frames);
    }
    let reference = [0, 1].map(|chip| {
        let path = folder.path().join(format!("gaia{chip}.csv"));
        std::fs::write(&path, nights[chip].reference_csv()).expect("a catalogue");
        path
    });
    let request = RunRequest {
        night_dir: raw,
        night: Some("mosaic".to_owned()),
        data_dir: folder.path().join("data"),
        reference: reference.to_vec(),
        known: Vec::new(),
    };
    let summary = run_night(&request, &Config::default(), &Silent).expect("the night");
    let report = &summary.report;
    let used = used_frames(report);
    assert_eq!(used.len(), 10, "{}", told(report));
    // Kinds and masters: of each chip its own, of frames of this chip alone.
    assert_eq!(report.masters.len(), 4, "{:?}", report.masters);
    for master in &report.masters {
        let parts = [master.contains("[1]"), master.contains("[2]")];
        assert!(parts[0] != parts[1], "of one chip: {master}");
    }
    for frame in &report.frames {
        let image = frame.image.as_ref().expect("a part of a file");
        assert_eq!(image.chip, format!("CHIP{}", image.hdu));
        assert_eq!(frame.frame, format!("{}[{}]", frame.file_name(), image.hdu));
        let used = frame.steps.join("\n");
        assert!(used.contains(&image.suffix()), "{}: {used}", frame.frame);
    }
    // The sky of each chip, and what moves there.
    for (night, hdu) in nights.iter().zip(1..) {
        let truth = truth(night, hdu);
        let suffix = format!("[{hdu}]");
        let frames = report.frames.iter().filter(|frame| frame.frame.ends_with(&suffix));
        for frame in frames {
            let off_arcsec = wcs_error_arcsec(frame, &truth);
            assert!(off_arcsec < 0.2, "{}: {off_arcsec} arcsec", frame.frame);
        }
        let found: BTreeSet<&str> = report
            .candidates
            .iter()
            .filter_map(|candidate| mover_of(candidate, &truth))
            .map(|mover| mover.id.as_str())
            .collect();
        let seen = truth.movers.iter().filter(|m| n_visible(m, &used, SEEN.0) >= SEEN.1);
        let seen: BTreeSet<&str> = seen.map(|mover| mover.id.as_str()).collect();
        assert!(!seen.is_empty(), "the night must test something");
        assert!(found.is_superset(&seen), "chip {hdu}: {found:?} of {seen:?}");
    }
    assert_table(&request, folder.path());
    let again = run_night(&request, &Config::default(), &Silent).expect("the night again");
    assert_eq!(again.n_reduced, 0, "what is done is done");
    assert_eq!(&again.report, report);
}

/// In the table of ssos file and extension tell the frame, and so does its number.
fn assert_table(request: &RunRequest, folder: &Path) {
    let path = folder.join("ssos.csv");
    export(&request.data_dir, "mosaic", ExportFormat::Ssos, &path).expect("a table");
    let mut table = csv::Reader::from_path(&path).expect("a table");
    let headers = table.headers().expect("a header").clone();
    let at = |name: &str| headers.iter().position(|header| header == name).expect("a column");
    let columns = ["CATALOG_NUMBER", "IMAGE_FILENAME", "EXTENSION", "EPOCH"].map(at);
    let mut frames: BTreeMap<u32, BTreeSet<[String; 3]>> = BTreeMap::new();
    for row in table.records() {
        let row = row.expect("a row");
        let number = row[columns[0]].parse().expect("a number");
        let named = [1, 2, 3].map(|k| row[columns[k]].to_owned());
        frames.entry(number).or_default().insert(named);
    }
    let all: BTreeSet<[String; 3]> = frames.values().flatten().cloned().collect();
    assert!(frames.values().all(|named| named.len() == 1), "one frame each: {frames:?}");
    let files: BTreeSet<(&str, &str)> =
        all.iter().map(|[file, number, _]| (file.as_str(), number.as_str())).collect();
    assert_eq!(files.len(), frames.len(), "{frames:?}");
    assert!(files.iter().all(|(file, _)| file.ends_with(".fits")), "{files:?}");
    let extensions: BTreeSet<&str> = files.iter().map(|(_, number)| *number).collect();
    assert_eq!(extensions, BTreeSet::from(["1", "2"]));
}

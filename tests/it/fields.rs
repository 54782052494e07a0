//! Nights of several fields and of several filters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use autossos::config::Config;
use autossos::formats::fits::{Header, Limits, Value, probe, read_pixels, write_image};
use autossos::ops::Silent;
use autossos::ops::demo::write_night;
use autossos::ops::export::{ExportFormat, export};
use autossos::ops::light_curve::light_curve;
use autossos::ops::run::{RunRequest, RunSummary, run_night};
use autossos::science::image::Image;
use autossos::science::orbit::observer::Observer;
use autossos::science::simulate::{Scenario, SimulatedNight, Truth};
use autossos::store::Reader;
use tempfile::TempDir;

use crate::simulated::{mover_of, n_visible, small, told, used_frames};

/// Signal to noise from which a mover should be seen in a frame.
const SNR_SEEN: f64 = 7.0;
/// A mover this near to an edge need not be found [px].
const EDGE_PX: f64 = 20.0;

/// A night's folder, put together from simulated ones.
struct Mixed {
    folder: TempDir,
    references: Vec<std::path::PathBuf>,
}

impl Mixed {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("raw")).expect("a folder");
        Self { folder, references: Vec::new() }
    }

    /// Takes files of a night under the names that are given for them.
    fn add(&mut self, night: &SimulatedNight, part: &str, name: &dyn Fn(&str) -> Option<String>) {
        let files = write_night(night, &self.folder.path().join(part)).expect("a night");
        for entry in std::fs::read_dir(&files.raw).expect("files") {
            let path = entry.expect("a file").path();
            let own = path.file_name().expect("a name").to_string_lossy().into_owned();
            if let Some(name) = name(&own) {
                std::fs::copy(&path, self.folder.path().join("raw").join(name)).expect("copied");
            }
        }
        self.references.push(files.reference);
    }

    fn request(&self) -> RunRequest {
        RunRequest {
            night_dir: self.folder.path().join("raw"),
            night: Some("mixed".to_owned()),
            data_dir: self.folder.path().join("data"),
            reference: self.references.clone(),
            known: Vec::new(),
        }
    }

    fn run(&self, config: &Config) -> RunSummary {
        run_night(&self.request(), config, &Silent).expect("the night")
    }

    /// A table of the night: its columns and rows.
    fn table(&self, format: ExportFormat) -> Vec<BTreeMap<String, String>> {
        let path = self.folder.path().join("table.csv");
        export(&self.request().data_dir, "mixed", format, &path).expect("a table");
        let mut reader = csv::Reader::from_path(&path).expect("a table");
        let headers = reader.headers().expect("a header").clone();
        let row = |row: csv::StringRecord| {
            headers.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
        };
        reader.records().map(|r| row(r.expect("a row"))).collect()
    }
}

fn is_calibration(name: &str) -> bool {
    ["bias", "dark", "flat"].iter().any(|kind| name.starts_with(kind))
}

/// Identifiers of the movers of a truth that were found, and of those that should have been.
fn found_and_seen(
    summary: &RunSummary,
    truth: &Truth,
    n_seen: usize,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let report = &summary.report;
    let found = report.candidates.iter().filter_map(|candidate| mover_of(candidate, truth));
    let used = used_frames(report);
    let seen = truth.movers.iter().filter(|m| n_visible(m, &used, SNR_SEEN) >= n_seen);
    (found.map(|m| m.id.clone()).collect(), seen.map(|m| m.id.clone()).collect())
}

/// Each number of the table of ssos is one frame, and the numbers are in order of time.
fn assert_numbers(rows: &[BTreeMap<String, String>]) {
    let mut named: BTreeMap<u32, BTreeSet<(String, String)>> = BTreeMap::new();
    let mut times: BTreeMap<u32, f64> = BTreeMap::new();
    for row in rows {
        let number = row["CATALOG_NUMBER"].parse().expect("a number");
        let frame = (row["IMAGE_FILENAME"].clone(), row["EXTENSION"].clone());
        named.entry(number).or_default().insert(frame);
        times.insert(number, row["MID_EXPOSURE_MJD"].parse().expect("a time"));
    }
    assert!(named.values().all(|frames| frames.len() == 1), "{named:?}");
    let all: BTreeSet<_> = named.values().flatten().collect();
    assert_eq!(all.len(), named.len(), "a frame has one number: {named:?}");
    let times: Vec<f64> = times.into_values().collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{times:?}");
}

#[test]
fn two_fields_far_apart_are_linked_each() {
    let first = small(21);
    let second = Scenario {
        field: "OTHER".to_owned(),
        ra_deg: first.ra_deg + 5.0,
        start: first.start.plus_seconds(0.5 * first.step_s),
        ..first.clone()
    };
    let nights = [&first, &second].map(SimulatedNight::new);
    let mut mixed = Mixed::new();
    mixed.add(&nights[0], "a", &|name| Some(name.to_owned()));
    mixed.add(&nights[1], "b", &|name| (!is_calibration(name)).then(|| name.to_owned()));
    let summary = mixed.run(&Config::default());
    assert_eq!(used_frames(&summary.report).len(), 10, "{}", told(&summary.report));
    for night in &nights {
        let (found, seen) = found_and_seen(&summary, night.truth(), 5);
        assert!(!seen.is_empty(), "the night must test something");
        assert!(found.is_superset(&seen), "{found:?} of {seen:?}");
    }
    let fields: [BTreeSet<&str>; 2] = [&nights[0], &nights[1]]
        .map(|night| night.truth().frames.iter().map(|f| f.name.as_str()).collect());
    for candidate in &summary.report.candidates {
        let frames = candidate.detections.iter().map(|d| d.frame.as_str());
        let frames: BTreeSet<&str> = frames.collect();
        assert!(fields.iter().any(|field| field.is_superset(&frames)), "of one field: {frames:?}");
    }
    assert_numbers(&mixed.table(ExportFormat::Ssos));
    let coefficients = mixed.table(ExportFormat::CoeffFit);
    assert_eq!(coefficients.len(), 10, "a row for each frame of both fields");
}

/// Cuts a part out of a raw frame, as another camera took it.
fn crop(path: &Path, columns: std::ops::Range<usize>, camera: &str, to: &Path) {
    let info = probe(path, &Limits::default()).expect("a frame");
    let pixels = read_pixels(path, &info).expect("pixels");
    let part: Image<f32> = pixels.window(columns.start, columns.end, 0, pixels.ny());
    let mut header: Header = info.header.clone();
    header.set("INSTRUME", Value::Text(camera.to_owned()), "");
    write_image(to, &part, &header).expect("a part");
}

#[test]
fn overlapping_fields_are_linked_each() {
    let mut scenario = small(22);
    (scenario.camera.nx, scenario.n_science) = (640, 10);
    let night = SimulatedNight::new(&scenario);
    let mut mixed = Mixed::new();
    mixed.add(&night, "whole", &|_| None);
    let (whole, raw) = (mixed.folder.path().join("whole/raw"), mixed.folder.path().join("raw"));
    // Each exposure shows the left or the right part; a tenth of the sky is in both.
    let parts = [("L", 0..352), ("R", 288..640)];
    for entry in std::fs::read_dir(&whole).expect("files") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let number: usize =
            name.trim_end_matches(".fits").rsplit('-').next().expect("a number").parse().expect("");
        for (k, (camera, columns)) in parts.iter().enumerate() {
            if is_calibration(&name) || number % 2 == k {
                let to = raw.join(format!("{camera}-{name}"));
                crop(&path, columns.clone(), &format!("CAM{camera}"), &to);
            }
        }
    }
    let summary = mixed.run(&Config::default());
    let report = &summary.report;
    assert_eq!(used_frames(report).len(), 10, "{}", told(report));
    assert_eq!(report.masters.len(), 4, "{:?}", report.masters);
    for (k, (camera, columns)) in parts.iter().enumerate() {
        // The truth of the part's frames, by the names and pixels that these have.
        let mut truth = night.truth().clone();
        for mover in &mut truth.movers {
            let mut number = 0;
            mover.places.retain(|_| {
                number += 1;
                number % 2 == k
            });
            for place in &mut mover.places {
                place.frame = format!("{camera}-{}", place.frame);
                let x = place.x_px - columns.start as f64;
                let (right, top) = (columns.len() as f64 - EDGE_PX, 384.0 - EDGE_PX);
                place.in_frame &= (EDGE_PX..right).contains(&x);
                place.in_frame &= (EDGE_PX..top).contains(&place.y_px);
            }
        }
        let (found, seen) = found_and_seen(&summary, &truth, 5);
        println!("{camera}: {found:?} of {seen:?}");
        assert!(!seen.is_empty(), "the night must test something");
        assert!(found.is_superset(&seen), "{camera}: {found:?} of {seen:?}");
    }
    assert_numbers(&mixed.table(ExportFormat::Ssos));
}

#[test]
fn filters_of_one_field_are_linked_together_and_give_colours() {
    // The same night through two filters of opposite colour terms, in turn.
    let mut scenario = small(23);
    (scenario.n_science, scenario.movers.amplitude_max_mag) = (8, 0.0);
    scenario.movers.g_max_mag = scenario.movers.g_min_mag + 1.5;
    let through = |filter: &str, colour_term: f64| {
        let mut own = scenario.clone();
        own.camera.filter = filter.to_owned();
        own.camera.colour_term = colour_term;
        SimulatedNight::new(&own)
    };
    let nights = [through("R", -0.3), through("V", 0.3)];
    let mut mixed = Mixed::new();
    for (k, night) in nights.iter().enumerate() {
        let name = |name: &str| -> Option<String> {
            if is_calibration(name) {
                let is_flat = name.starts_with("flat");
                return (is_flat || k == 0).then(|| format!("{k}-{name}"));
            }
            let number = name.trim_end_matches(".fits").rsplit('-').next()?;
            (number.parse::<usize>().ok()? % 2 == k).then(|| name.to_owned())
        };
        mixed.add(night, &k.to_string(), &name);
    }
    mixed.references.truncate(1);
    let mut config = Config::default();
    config.photometry.is_aperture_fixed = true;
    config.photometry.reference_filters = vec!["V".to_owned()];
    let summary = mixed.run(&config);
    let report = &summary.report;
    assert_eq!(used_frames(report).len(), 8, "{}", told(report));
    let (found, seen) = found_and_seen(&summary, nights[0].truth(), 7);
    assert!(!seen.is_empty() && found.is_superset(&seen), "{found:?} of {seen:?}");
    assert_numbers(&mixed.table(ExportFormat::Ssos));
    assert_apertures(&mixed.table(ExportFormat::Ssos));
    let reader = Reader::open(&mixed.request().data_dir).expect("the data folder");
    let mut n_colours = 0;
    for candidate in &report.candidates {
        let asked = (candidate.id.as_str(), &[][..]);
        let curve = light_curve(&reader, &mixed.request().data_dir, asked, &Observer::GEOCENTRE);
        let curve = curve.expect("a light curve");
        assert!(curve.light_curve().sessions.len() <= 2, "a session for each filter");
        for colour in &curve.colours {
            println!(
                "{} {:?} {:+.3} +- {:.3}",
                candidate.id, colour.filters, colour.mag, colour.err_mag
            );
            // Movers have BP-RP of 0.85 +- 0.06, the Sun 0.82; the terms differ by 0.6. Stars, 0.4
            // redder than the Sun, would give 0.24.
            assert!(colour.mag.abs() < 0.1 + 3.0 * colour.err_mag, "{curve:?}");
            n_colours += usize::from(colour.err_mag < 0.05);
        }
    }
    assert!(n_colours >= 2, "the night must test something: {n_colours}");
}

/// Each object has one reference, in V, and light through its aperture wherever it was measured.
fn assert_apertures(rows: &[BTreeMap<String, String>]) {
    let mut references: BTreeMap<&str, usize> = BTreeMap::new();
    let mut n_measured = 0;
    for row in rows {
        let flags: u32 = row["FLAGS_SSOS"].parse().expect("flags");
        let object = references.entry(&row["SOURCE_NUMBER"]).or_default();
        if flags == 2 {
            *object += 1;
            assert_eq!(row["FILTER"], "V", "{row:?}");
        }
        let number = |name: &str| row[name].parse::<f64>().ok();
        // Kron's light has that of neighbours in it.
        if row["FLAGS_EXTRACTION"] != "0" {
            continue;
        }
        if let (Some(mag), Some(aperture)) = (number("MAG"), number("MAG_APER")) {
            n_measured += 1;
            // Kron's light and all light: alike to a tenth, and the noise.
            let err = number("MAG_APER_ERR").expect("an error");
            assert!((mag - aperture).abs() < 0.3 + 4.0 * err, "{row:?}");
            assert!(number("FLUX_APER").is_some_and(|flux| flux > 0.0), "{row:?}");
        }
    }
    assert!(references.values().all(|n| *n == 1), "{references:?}");
    assert!(n_measured * 2 > rows.len(), "{n_measured} of {}", rows.len());
}

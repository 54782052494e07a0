//! Zero points and magnitudes of movers against the truth of the shared nights.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use autossos::config::Config;
use autossos::formats::fits::{Limits, read_table};
use autossos::ops::Silent;
use autossos::ops::run::{RunRequest, run_night};
use autossos::pipeline::artifact::frame_record::FrameStatus;
use autossos::pipeline::artifact::photometry_table::PhotometryTable;
use autossos::pipeline::artifact::report::NightReport;
use autossos::pipeline::share_photometry::{SharePhotometryParams, refit};
use autossos::science::image::stats::{median, median_and_scatter};
use autossos::science::sky::vector::separation_rad;
use autossos::science::units::{ARCSEC_RAD, DEG_RAD};

/// A detection this near to a true place is that object, trails not counted [arcsec].
const SAME_PLACE_ARCSEC: f64 = 2.0;

/// The rows of a truth table by column name.
fn rows(night: &str, table: &str) -> Option<Vec<BTreeMap<String, String>>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/nights");
    let text = std::fs::read_to_string(folder.join(night).join("truth").join(table)).ok()?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().expect("a header").clone();
    let row = |record: csv::Result<csv::StringRecord>| {
        let record = record.expect("a row");
        names.iter().zip(record.iter()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    };
    Some(reader.records().map(row).collect())
}

fn number(row: &BTreeMap<String, String>, name: &str) -> f64 {
    row[name].parse().expect("a number")
}

/// The night's report and the table of its stars; `None` without the shared data.
fn processed(night: &str) -> Option<(NightReport, PhotometryTable)> {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/nights").join(night);
    if !folder.is_dir() {
        println!("skipped: no ../shared/data/nights/{night}");
        return None;
    }
    let data = tempfile::tempdir().expect("a folder");
    let request = RunRequest {
        night_dir: folder.join("raw"),
        night: Some(night.to_owned()),
        data_dir: data.path().to_owned(),
        reference: vec![folder.join("inputs/gaia.csv")],
        known: vec![folder.join("inputs/known.csv")],
    };
    let done = run_night(&request, &Config::default(), &Silent).expect("the night is processed");
    let table = done.html_path.with_file_name("photometry.fits");
    let (header, columns) = read_table(&table, &Limits::default()).expect("the table of stars");
    let table = PhotometryTable::from_table(&header, &columns).expect("the table of stars");
    Some((done.report, table))
}

fn stem(name: &str) -> &str {
    name.split_once(".fits").map_or(name, |(stem, _)| stem)
}

/// Errors of the zero points of clear frames and those quoted [mmag].
fn zero_points(night: &str, report: &NightReport) -> Vec<(f64, f64)> {
    const CLEAR_MAG: f64 = 0.05;
    let truth = rows(night, "frames.csv").expect("the truth");
    let used = report.frames.iter().filter(|f| f.status == FrameStatus::Ok);
    let mut found = Vec::new();
    for frame in used {
        let of_frame = |row: &&BTreeMap<String, String>| stem(&row["file"]) == stem(&frame.frame);
        let row = truth.iter().find(of_frame).expect("a true frame");
        let error = 1e3 * (frame.zero_point_mag.expect("used") - number(row, "zp_adu"));
        let quoted = 1e3 * frame.zero_point_err_mag.expect("used");
        println!("{}: zero point {error:+.1} +- {quoted:.1} mmag", frame.frame);
        if number(row, "cloud_mag") < CLEAR_MAG {
            found.push((error, quoted));
        }
    }
    found
}

/// A mover's magnitude: error, quoted error and photon noise [mag], and whether it is clean.
struct Measured {
    snr: f64,
    error: f64,
    quoted: f64,
    is_clean: bool,
}

fn movers(night: &str, report: &NightReport) -> Vec<Measured> {
    let truth = rows(night, "ephem.csv").expect("the truth");
    let mut found = Vec::new();
    let points = report.candidates.iter().flat_map(|c| &c.photometry);
    for point in points.filter(|p| p.is_detected && p.photometry_valid) {
        let here = (point.ra_deg * DEG_RAD, point.dec_deg * DEG_RAD);
        let is_it = |row: &&BTreeMap<String, String>| {
            let there = (number(row, "ra") * DEG_RAD, number(row, "dec") * DEG_RAD);
            stem(&row["file"]) == stem(&point.frame)
                && separation_rad(here, there) < SAME_PLACE_ARCSEC * ARCSEC_RAD
        };
        let (Some(row), Some((mag, quoted))) =
            (truth.iter().find(is_it), point.mag.zip(point.mag_err))
        else {
            continue;
        };
        let (snr, error) = (number(row, "snr"), mag - number(row, "mag"));
        found.push(Measured { snr, error, quoted, is_clean: !point.is_contaminated });
    }
    found
}

/// Bias [mmag], robust scatter over the photon noise, and scatter of the pulls.
fn told(night: &str, what: &str, movers: &[&Measured]) -> (f64, f64, f64) {
    let errors: Vec<f64> = movers.iter().map(|m| m.error).collect();
    let bias = 1e3 * median(&errors).expect("movers");
    let centred = |of: fn(&Measured) -> f64| -> f64 {
        let values: Vec<f64> = movers.iter().map(|m| (m.error - 1e-3 * bias) / of(m)).collect();
        median_and_scatter(&values).expect("movers").1
    };
    let (scatter, pulls) = (centred(|m| 1.0857 / m.snr), centred(|m| m.quoted));
    let n = movers.len();
    println!(
        "{night}, {what}: {n} magnitudes, bias {bias:+.1} mmag, scatter {scatter:.2} of the photon \
         noise, pulls {pulls:.2}"
    );
    (bias, scatter, pulls)
}

fn agrees_with_the_truth(night: &str) {
    let Some((report, mut table)) = processed(night) else { return };
    let zeros = zero_points(night, &report);
    let rms = |of: &dyn Fn(&(f64, f64)) -> f64| {
        (zeros.iter().map(|z| of(z).powi(2)).sum::<f64>() / zeros.len() as f64).sqrt()
    };
    let (error, pull) = (rms(&|z| z.0), rms(&|z| z.0 / z.1));
    println!(
        "{night}: zero points of {} clear frames: {error:.1} mmag, pulls {pull:.2}",
        zeros.len()
    );
    assert!(error < 5.0, "{night}: zero points are wrong by {error:.1} mmag");
    assert!((0.7..1.3).contains(&pull), "{night}: pulls of the zero points {pull:.2}");
    let all = movers(night, &report);
    let of = |low: f64, high: f64| -> Vec<&Measured> {
        all.iter().filter(|m| m.is_clean && (low..high).contains(&m.snr)).collect()
    };
    let (bias, scatter, pulls) = told(night, "S/N 20 to 100, no star beside", &of(20.0, 100.0));
    assert!(bias.abs() < 10.0 && scatter < 1.3, "{night}: {bias:.1} mmag, {scatter:.2}");
    assert!((0.75..1.2).contains(&pulls), "{night}: pulls {pulls:.2}");
    let every: Vec<&Measured> = all.iter().filter(|m| (20.0..100.0).contains(&m.snr)).collect();
    told(night, "S/N 20 to 100, all", &every);
    if of(100.0, 1e9).len() > 5 {
        told(night, "S/N above 100", &of(100.0, 1e9));
    }
    let limits = report.candidates.iter().flat_map(|c| &c.photometry).filter(|p| !p.is_detected);
    println!("{night}: {} forced measurements and limits", limits.count());
    let began = Instant::now();
    let before = table.clone();
    let (solutions, _) = refit(&mut table, &SharePhotometryParams::default());
    println!("{night}: refit in {:.3} s", began.elapsed().as_secs_f64());
    assert_eq!(table, before, "the table alone gives the same stars");
    assert!(solutions.iter().all(Option::is_some));
}

#[test]
fn zero_points_and_movers_of_pocket_agree_with_the_truth() {
    agrees_with_the_truth("pocket");
}

#[test]
fn zero_points_and_movers_of_wide_agree_with_the_truth() {
    agrees_with_the_truth("wide");
}

//! Parts of a night made again, and nothing else; the check of its astrometry; a quiet program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use autossos::config::{Config, load};
use autossos::ops::Silent;
use autossos::ops::orders::whole_night_from;
use autossos::ops::run::{KeptFrames, RunAgain, RunSummary, run_night_again};

use crate::simulated::{NightOnDisk, contents, small};

/// Times of change of a night's products whose path has a part.
fn times(data: &Path, part: &str) -> BTreeMap<PathBuf, SystemTime> {
    let products = data.join("products");
    let all = contents(&products).into_keys().filter(|p| p.to_string_lossy().contains(part));
    all.map(|path| {
        let time = std::fs::metadata(products.join(&path)).and_then(|file| file.modified());
        (path, time.expect("a time"))
    })
    .collect()
}

fn run(night: &NightOnDisk, again: &RunAgain, config: &Config) -> RunSummary {
    run_night_again(&night.request("data"), again, config, &Silent).expect("a night")
}

#[test]
fn stages_are_made_again_and_nothing_else() {
    let night = NightOnDisk::new(&small(21));
    let data = night.data("data");
    let usual = Config::default();
    let from = |stage: &str| RunAgain {
        forget: Some(whole_night_from(stage).expect("a stage")),
        kept: KeptFrames::Current,
    };
    // A night that was never begun is simply processed.
    let first = run(&night, &from("solve"), &usual);
    let n = first.report.frames.len();
    assert_eq!((first.n_reduced, n), (5, 5));
    let (frames, page) = (times(&data, "calibrated"), times(&data, "report.html"));
    assert!(frames.len() >= n && page.len() == 1, "{frames:?}");

    let linked = run(&night, &from("link"), &usual);
    assert_eq!(linked.n_reduced, 0, "no frame is reduced for the night's stages");
    assert_eq!(linked.report.candidates, first.report.candidates);
    assert_eq!(times(&data, "calibrated"), frames, "calibrated frames are not touched");
    assert_ne!(times(&data, "report.html"), page, "the page is written again");

    let set = ["extract.threshold_sigma=6".to_owned()];
    let strict = load(None, &set, std::iter::empty()).expect("a configuration");
    let kept = RunAgain { kept: KeptFrames::Any, ..RunAgain::default() };
    let skipped = run(&night, &kept, &strict);
    assert_eq!(skipped.n_reduced, 0, "reduced frames are taken as they are");
    assert_eq!(times(&data, "calibrated"), frames);
    let all = run(&night, &RunAgain::default(), &strict);
    assert_eq!(all.n_reduced, n, "without that word they are not: the parameters changed");
    let sources = |s: &RunSummary| s.report.frames.iter().filter_map(|f| f.n_sources).sum::<u64>();
    assert!(sources(&all) < sources(&skipped), "fewer sources above a higher threshold");
    assert_eq!(run(&night, &from("extract"), &strict).n_reduced, n, "and again when asked for");
    assert!(whole_night_from("sleep").is_err());
}

/// Runs `autossosctl`: exit code, stdout, stderr.
fn ctl(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let program = env!("CARGO_BIN_EXE_autossosctl");
    let output = Command::new(program).args(words).current_dir(folder).output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_check_tells_outliers_by_its_exit_code_and_quiet_says_nothing() {
    let night = NightOnDisk::new(&small(22));
    let raw = night.files.raw.to_string_lossy().into_owned();
    let reference = night.files.reference.to_string_lossy().into_owned();
    let common = ["--night", "test", "--reference", &reference, "--skip", "identify"];
    let (code, told, error) = ctl(
        night.folder.path(),
        &[&["-q", "run", &raw], &common[..], &["--from", "link"]].concat(),
    );
    assert_eq!((code, told.as_str(), error.as_str()), (Some(0), "", ""));

    let (code, told, error) = ctl(night.folder.path(), &["check", "test"]);
    assert_eq!(code, Some(0), "{told}{error}");
    assert!(told.contains("Median separation of the night 0."), "{told}");
    assert!(told.contains("0 outliers, 0 frames not solved of 5 frames"), "{told}");
    assert_eq!(ctl(night.folder.path(), &["check", "test", "--quiet"]).1, "");

    // A frame without stars is not solved.
    let bias = night.files.raw.join("bias-001.fits");
    let blank = night.files.raw.join("blank.fits");
    let bytes = std::fs::read(bias).expect("a bias");
    let as_light = String::from_utf8_lossy(&bytes[..2880 * 2]).into_owned();
    let at = as_light.find("'Bias Frame").expect("a type");
    let mut changed = bytes.clone();
    changed[at..at + 13].copy_from_slice(b"'Light Frame'");
    let exposure = as_light.find("EXPTIME =").expect("an exposure time");
    changed[exposure..exposure + 30].copy_from_slice(b"EXPTIME =                 60.0");
    std::fs::write(blank, changed).expect("a file");
    let (code, told, error) = ctl(night.folder.path(), &[&["run", &raw], &common[..]].concat());
    assert_eq!(code, Some(0), "{told}{error}");
    let (code, told, error) = ctl(night.folder.path(), &["check", "test", "--json", "-q"]);
    assert_eq!(code, Some(4), "{told}{error}");
    let json: serde_json::Value = serde_json::from_str(&told).expect("JSON, though quiet");
    assert_eq!((json["n_not_solved"].as_u64(), json["n_outliers"].as_u64()), (Some(1), Some(0)));
    assert_eq!(json["frames"].as_array().map(Vec::len), Some(6));
    assert!(json["quartiles"]["median_arcsec"].as_f64().is_some_and(|s| s > 0.0 && s < 1.0));
}

#[test]
fn messages_are_told_from_a_level_on() {
    let folder = tempfile::tempdir().expect("a folder");
    for level in ["DEBUG", "info", "Warning", "error", "CRITICAL"] {
        let (code, _, error) = ctl(folder.path(), &["config", "check", "-l", level]);
        assert_eq!(code, Some(0), "{level}: {error}");
    }
    let (code, _, error) = ctl(folder.path(), &["config", "check", "--log", "loud"]);
    assert_eq!(code, Some(2), "{error}");
    let (code, told, error) = ctl(folder.path(), &["--quiet", "config", "check"]);
    assert_eq!((code, told.as_str(), error.as_str()), (Some(0), "", ""));
    let (code, told, error) = ctl(folder.path(), &["--quiet", "night", "list"]);
    assert_eq!((code, told.as_str()), (Some(1), ""), "errors are told: {error}");
    assert!(!error.is_empty());
}

//! `autossosctl frame list|show|remove` on a small night.

use std::path::Path;
use std::process::Command;

use crate::simulated::{NightOnDisk, small};

/// Runs `autossosctl frame`: exit code, stdout, stderr.
fn frame(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let program = env!("CARGO_BIN_EXE_autossosctl");
    let output = Command::new(program)
        .arg("frame")
        .args(words)
        .args(["--data", "data"])
        .current_dir(folder)
        .output()
        .expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// What a verb prints when it is done.
fn told(folder: &Path, words: &[&str]) -> String {
    let (code, told, error) = frame(folder, words);
    assert_eq!(code, Some(0), "{words:?}: {error}");
    told
}

/// The names of a list.
fn names(folder: &Path, words: &[&str]) -> Vec<String> {
    let line = told(folder, &[&["list"], words, &["--form", "line"]].concat());
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn frames_are_listed_by_kind_condition_and_order() {
    let night = NightOnDisk::new(&small(23));
    let folder = night.folder.path();
    let raw = night.files.raw.to_string_lossy().into_owned();
    assert_eq!(names(folder, &[&raw]).len(), 11, "a folder that was never processed");
    night.run("data");
    let n = |words: &[&str]| names(folder, words).len();
    assert_eq!((n(&[]), n(&["test"]), n(&["--all"])), (11, 11, 11));
    assert_eq!((n(&["--kind", "bias"]), n(&["--kind", "flat"]), n(&["--kind", "dark"])), (3, 3, 0));
    assert_eq!(n(&["test", "--kind", "science", "--status", "ok"]), 5);
    assert_eq!(n(&["--filter", "kind == 'science' and fwhm_arcsec > 0 and EXPTIME >= 1"]), 5);
    assert_eq!(n(&["--filter", "name ~ 'bias*' or exposure_s > 1e6"]), 3);
    let sorted = names(folder, &["--kind", "science", "--sort", "-mjd_mid"]);
    let mut by_name = sorted.clone();
    by_name.sort();
    by_name.reverse();
    assert_eq!(sorted, by_name, "science frames are numbered in order of time");
    let (code, _, error) = frame(folder, &["list", "--filter", "exposure > 1"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("no column `exposure`") && error.contains("exposure_s"), "{error}");

    let csv = told(
        folder,
        &["list", "--kind", "science", "--csv", "--keys", "exposure_s,EGAIN", "--digits", "2"],
    );
    assert!(csv.starts_with("name,exposure_s,EGAIN\n"), "{csv}");
    assert!(
        csv.lines().skip(1).all(|line| line.split(',').nth(1).is_some_and(|n| {
            n.parse::<f64>().is_ok_and(|s| s > 0.0)
                && n.split('.').nth(1).is_some_and(|d| d.len() == 2)
        })),
        "{csv}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&told(folder, &["list", "--json", "--kind", "bias"])).expect("JSON");
    assert_eq!(json[0]["kind"], "bias");
    assert_eq!(json[0]["exposure_s"], 0.0);
    assert!(told(folder, &["list", "--form", "long"]).contains("limiting_mag"));
    assert!(told(folder, &["list"]).contains("11 frames."));

    let masters = names(folder, &["--products", "--kind", "flat"]);
    assert!(!masters.is_empty(), "a master flat");
    assert_eq!(n(&["--products", "--kind", "science"]), 5);
    let json: serde_json::Value = serde_json::from_str(&told(
        folder,
        &["list", "--products", "--kind", "bias", "--json", "--keys", "name,path,NCOMBINE"],
    ))
    .expect("JSON");
    assert_eq!(json[0]["NCOMBINE"], 3.0);
    let path = json[0]["path"].as_str().expect("a path");
    let file = Path::new(path).file_name().expect("a name").to_string_lossy().into_owned();
    let shown = told(folder, &["show", &file]);
    for name in ["bias-001.fits", "bias-002.fits", "bias-003.fits"] {
        assert!(shown.contains(name), "{shown}");
    }
    assert!(!shown.contains("flat-001.fits"), "{shown}");
}

#[test]
fn a_frame_is_taken_away_and_left_alone() {
    let night = NightOnDisk::new(&small(24));
    let folder = night.folder.path();
    let first = night.run("data");
    let name = first.report.frames[1].frame.clone();
    let products = |word: &str| -> Vec<String> {
        names(folder, &["--products", "--kind", "science", "--filter", word])
    };
    let this = format!("name == '{name}'");
    assert_eq!(products(&this).len(), 1);

    let listed = told(folder, &["remove", &name]);
    assert!(listed.contains("calibrated") && listed.contains("--yes"), "{listed}");
    assert_eq!(products(&this).len(), 1, "nothing goes without a yes");
    told(folder, &["remove", &name, "--yes"]);
    assert_eq!(products(&this).len(), 0);
    assert!(night.files.raw.join(&name).is_file(), "raw files stay");
    let again = night.run("data");
    assert_eq!(again.n_reduced, 1, "it alone is made again");
    assert_eq!(again.report.frames, first.report.frames);

    // A master goes and comes back.
    let master = names(folder, &["--products", "--kind", "bias", "--filter", "status == 'ok'"]);
    assert!(!master.is_empty());
    let json: serde_json::Value = serde_json::from_str(&told(
        folder,
        &["list", "--products", "--kind", "bias", "--json", "--keys", "path"],
    ))
    .expect("JSON");
    let path = json[0]["path"].as_str().expect("a path").to_owned();
    told(folder, &["remove", &path, "--yes"]);
    assert!(!folder.join("data").join(&path).exists());
    night.run("data");
    assert!(folder.join("data").join(&path).is_file(), "made again");

    let (code, _, error) = frame(folder, &["remove", &name, "--yes", "--exclude", "a cloud"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("instrument.rules_files"), "{error}");
    std::fs::write(folder.join("rules.toml"), "# Rules\n").expect("a file");
    let config = "[instrument]\nrules_files = [\"rules.toml\"]\n";
    std::fs::write(folder.join("autossos.toml"), config).expect("a file");
    let words = ["remove", &name, "--yes", "--exclude", "a cloud", "--config", "autossos.toml"];
    told(folder, &words);
    let rules = std::fs::read_to_string(folder.join("rules.toml")).expect("rules");
    assert!(rules.contains("# a cloud\n") && rules.contains(&name), "{rules}");
    let config =
        autossos::config::load(Some(&folder.join("autossos.toml")), &[], std::iter::empty())
            .expect("a configuration");
    let last =
        autossos::ops::run::run_night(&night.request("data"), &config, &autossos::ops::Silent)
            .expect("a night");
    assert!(last.report.frames.iter().all(|frame| frame.frame != name), "it is left alone");
    assert_eq!(last.report.frames.len(), first.report.frames.len() - 1);
}

//! The care of the database from the command line: check, backup, restore, prune.

use std::path::Path;
use std::process::{Command, Output};

use autossos::science::time::Epoch;
use autossos::store::nights::NightSource;
use autossos::store::{DATABASE_NAME, NightId, Reader, Store};
use serde_json::Value;

fn ctl(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_autossosctl"))
        .args(words)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

/// What a successful call printed on stdout.
fn out(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a failed call printed on stderr.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&out(output)).expect("the output is JSON")
}

/// A data folder `data` with some nights.
fn data_with_nights(folder: &Path, n_nights: u32) -> Store {
    let store = Store::open(&folder.join("data")).expect("opened");
    for i in 0..n_nights {
        let night = NightId::new(&format!("night {i}")).expect("a good name");
        let at = Epoch::from_mjd_utc(61_100.0 + f64::from(i));
        store.begin_night(&night, &NightSource::only("/raw"), at).expect("begun");
    }
    store
}

#[test]
fn a_damaged_database_is_found_and_replaced_by_its_backup() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let store = data_with_nights(here, 3);
    let data = ["--data", "data"];
    let with = |words: &[&'static str]| ctl(here, &[words, &data].concat());

    // While the service runs: check and backup go, a restoration does not.
    assert!(out(&with(&["db", "check"])).contains("is whole"));
    assert_eq!(json(&with(&["db", "check", "--full", "--json"]))["is_whole"], true);
    let made = json(&with(&["db", "backup", "--json"]));
    let backup = made["backup"].as_str().expect("a path").to_owned();
    assert!(backup.starts_with("data/backups/autossos-2"), "{backup}");
    assert!(made["size_bytes"].as_u64().expect("a size") > 10_000);
    let in_use = refused(&with(&["db", "restore"]));
    assert!(in_use.contains("in use"), "{in_use}");
    store.close_cleanly().expect("closed");

    let database = here.join("data").join(DATABASE_NAME);
    let length = std::fs::metadata(&database).expect("a database").len();
    let mut bytes = std::fs::read(&database).expect("read");
    bytes[4096..].fill(0xA5);
    std::fs::write(&database, bytes).expect("damaged");
    assert!(length > 20_000);
    let found = with(&["db", "check"]);
    assert_eq!(found.status.code(), Some(1));
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(text.contains("damaged") && text.contains("db restore --data data"), "{text}");
    let found = with(&["db", "check", "--json"]);
    let found: Value = serde_json::from_slice(&found.stdout).expect("the output is JSON");
    assert_eq!(found["is_whole"], false);
    let failed = refused(&with(&["db", "backup"]));
    assert!(failed.contains("autossosctl db restore --data data"), "{failed}");

    let text = out(&with(&["db", "restore"]));
    assert!(text.contains(&backup), "{text}");
    let old = text.split_whitespace().find(|word| word.contains(".damaged-")).expect("its place");
    assert!(here.join(old.trim_end_matches('.')).exists(), "{text}");
    assert!(out(&with(&["db", "check", "--full"])).contains("is whole"));
    assert_eq!(Reader::open(&here.join("data")).expect("opened").nights().expect("read").len(), 3);
    assert!(out(&with(&["status"])).contains("night 2"));
}

#[test]
fn a_named_backup_is_put_in_place_and_the_data_folder_is_found_by_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    data_with_nights(here, 1).close_cleanly().expect("closed");
    std::fs::write(here.join("a.toml"), "[daemon]\ndata = \"data\"\n[keep]\nbackups = 2\n")
        .expect("written");
    let config = ["--config", "a.toml", "--json"];
    let with = |words: &[&str]| ctl(here, &[words, &config].concat());
    let made = json(&with(&["db", "backup", "--to", "usb"]));
    let backup = made["backup"].as_str().expect("a path");
    assert!(backup.starts_with("usb/autossos-"), "{backup}");
    data_with_nights(here, 2).close_cleanly().expect("closed");

    // A run of backups in the folder of the daily ones: two stay. Their names have seconds.
    std::fs::create_dir_all(here.join("data/backups")).expect("a folder");
    for day in 1..5 {
        let name = format!("data/backups/autossos-2020-01-0{day}T000000.sqlite");
        std::fs::write(here.join(name), b"").expect("written");
    }
    let made = json(&with(&["db", "backup"]));
    assert_eq!(made["deleted"].as_array().map(Vec::len), Some(3), "{made}");

    let done = json(&with(&["db", "restore", backup]));
    assert_eq!(done["backup"], backup);
    assert!(done["old"].as_str().is_some_and(|old| here.join(old).exists()), "{done}");
    let nights = Reader::open(&here.join("data")).expect("opened").nights().expect("read");
    assert_eq!(nights.len(), 1, "as it was when the copy was made");
    let missing = refused(&with(&["db", "restore", "no-such-file"]));
    assert!(missing.contains("no-such-file"), "{missing}");
    let text = refused(&with(&["db", "restore", "a.toml"]));
    assert!(text.contains("a.toml") && text.contains("no database"), "{text}");
}

#[test]
fn prune_lists_and_takes_away_and_needs_a_data_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let missing = refused(&ctl(here, &["prune", "--data", "data"]));
    assert!(missing.contains("no database"), "{missing}");
    assert!(!here.join("data").exists(), "a wrong word makes no folder");

    let demo = ctl(here, &["demo", "--json", "--data", "data"]);
    assert_eq!(demo.status.code(), Some(0), "{}", String::from_utf8_lossy(&demo.stderr));
    let calibrated = here.join("data/products/demo/calibrated");
    let count = || std::fs::read_dir(&calibrated).expect("a folder").count();
    let n_before = count();
    assert!(n_before > 2);
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    let stray = calibrated.join("stray.fits");
    std::fs::write(&stray, [0; 5000]).expect("written");
    for entry in std::fs::read_dir(&calibrated).expect("a folder") {
        let path = entry.expect("an entry").path();
        let file = std::fs::File::options().write(true).open(path).expect("opened");
        file.set_modified(long_ago).expect("set");
    }
    let words = |more: &[&'static str]| {
        let place = ["prune", "--data", "data", "--json", "--set", "keep.calibrated_days=30"];
        json(&ctl(here, &[&place, more].concat()))
    };
    // The night was closed just now: only what no row of the real run names may go.
    let listed = words(&["--dry-run"]);
    assert_eq!(listed["files"].as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed["files"][0]["path"], "products/demo/calibrated/stray.fits");
    assert_eq!(listed["files"][0]["reason"], "unnamed");
    assert_eq!(listed["size_bytes"], 5000);
    assert!(stray.exists());
    assert_eq!(words(&[]), listed);
    assert!(!stray.exists());
    assert_eq!(count(), n_before);
    let text = out(&ctl(here, &["prune", "--data", "data"]));
    assert_eq!(text.trim(), "0 product files taken away (0.0 MiB).");
}

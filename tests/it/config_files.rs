//! The example configurations, and `autossosctl config` on real files.

use std::path::Path;
use std::process::Command;

use autossos::config::{Config, DEFAULT_TOML, MailTime, load};

use crate::tree::{files, root};

#[test]
fn each_example_is_accepted() {
    let examples = files(&["config/examples"], &["toml"]);
    assert!(examples.len() >= 3, "no examples below {}", root().display());
    for example in examples {
        if let Err(error) = load(Some(&root().join(&example.path)), &[], std::iter::empty()) {
            panic!("{}: {error}", example.path);
        }
        assert!(example.text.starts_with("# "), "{} does not say whom it is for", example.path);
    }
}

#[test]
fn each_key_of_an_example_differs_from_the_built_in_value() {
    // An example that repeats a default will be wrong when the default changes.
    let shipped: Vec<&str> = DEFAULT_TOML.lines().filter(|l| l.contains(" = ")).collect();
    for example in files(&["config/examples"], &["toml"]) {
        for line in example.text.lines().filter(|l| l.contains(" = ") && !l.starts_with('#')) {
            assert!(!shipped.contains(&line), "{}: {line}", example.path);
        }
    }
}

fn example(name: &str) -> Config {
    let path = root().join("config/examples").join(name);
    load(Some(&path), &[], std::iter::empty()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_examples_say_what_they_promise() {
    let small = example("small-scope.toml");
    assert_eq!(small.telescopes().len(), 1);
    assert_eq!(small.mail.when, MailTime::AtClose);
    assert!(small.mail.smtp_host.is_some() && small.mail.password_credential.is_some());

    let survey = example("survey.toml");
    let names: Vec<String> = survey.telescopes().into_iter().map(|t| t.name).collect();
    assert_eq!(names, ["north", "south"]);
    assert!(survey.telescopes().iter().all(|t| t.site == survey.site));
    assert_eq!(survey.mail.when, MailTime::At { hour: 7, minute: 30 });
    assert!(survey.keep.backups > 0 && survey.keep.backup_folder.is_some());

    let offline = example("offline.toml");
    assert!(offline.mail.spool.is_some() && offline.mail.smtp_host.is_none());
    assert!(offline.daemon.heartbeat_url.is_none() && offline.daemon.metrics_listen.is_none());
}

/// Runs `autossosctl config` in a folder: exit code, stdout, stderr.
fn ctl_config(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_autossosctl"))
        .arg("config")
        .args(words)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_configuration_is_begun_checked_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, told, error) = ctl_config(folder.path(), &["init"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(told.contains("autossos.toml"), "{told}");
    let (code, _, error) = ctl_config(folder.path(), &["init", "autossos.toml"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("stays as it is"), "{error}");
    let (code, _, error) = ctl_config(folder.path(), &["init"]);
    assert_eq!(code, Some(1), "all three are there: {error}");
    assert!(error.contains("frame-rules.toml") && error.contains("stays as it is"), "{error}");
    std::fs::remove_file(folder.path().join("profile-template.toml")).expect("it was written");
    let (code, told, error) = ctl_config(folder.path(), &["init", "."]);
    assert_eq!(code, Some(0), "{error}");
    assert!(told.contains("profile-template.toml is written") && told.contains("stays"), "{told}");
    let (code, _, error) = ctl_config(folder.path(), &["init", "new/place"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(folder.path().join("new/place/autossos.toml").is_file());

    let (code, told, error) = ctl_config(folder.path(), &["check", "--config", "autossos.toml"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(told.contains("fine") && told.contains("No incoming folder"), "{told}");

    std::fs::create_dir_all(folder.path().join("in/north")).expect("a folder");
    let text = "[run]\nworkers = 2\n[[telescope]]\nname = \"north\"\nincoming = \"in/north\"\n\
                [[telescope]]\nname = \"south\"\nincoming = \"in/south\"\n";
    let file = folder.path().join("two.toml");
    std::fs::write(&file, text).expect("a file");
    let check = ["check", "--config", "two.toml", "--set", "reference.files=gaia.csv"];
    let (code, _, error) = ctl_config(folder.path(), &check);
    assert_eq!(code, Some(78), "{error}");
    for told in ["\"south\": ", "in/south", "gaia.csv", "No such file"] {
        assert!(error.contains(told), "{told} is not in:\n{error}");
    }
    std::fs::create_dir_all(folder.path().join("in/south")).expect("a folder");
    let (code, told, error) = ctl_config(folder.path(), &check[..3]);
    assert_eq!(code, Some(0), "{error}");
    assert!(told.contains("fine") && told.contains("  north: "), "{told}");
    assert!(told.contains("  south: ") && told.contains("in/south, nights {name}"), "{told}");

    let show = ["show", "--config", "two.toml", "--set", "link.detections_min=4"];
    let (code, told, error) = ctl_config(folder.path(), &show);
    assert_eq!(code, Some(0), "{error}");
    for line in [
        "workers = 2  # two.toml:2:1",
        "detections_min = 4  # --set link.detections_min=4",
        "threshold_sigma = 4.0  # built-in configuration",
    ] {
        assert!(told.lines().any(|told| told == line), "{line} is not in:\n{told}");
    }
    let (code, told, error) = ctl_config(folder.path(), &[&show[..], &["--json"]].concat());
    assert_eq!(code, Some(0), "{error}");
    let json: serde_json::Value = serde_json::from_str(&told).expect("the output is JSON");
    assert_eq!(json["link"]["detections_min"]["value"], 4);
    assert_eq!(json["telescope"][1]["name"]["value"], "south");
    assert_eq!(json["telescope"][1]["name"]["from"], "two.toml:7:1");
}

#[test]
fn every_mistake_of_a_file_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[run]\nworker = 2\n[extract]\nthreshold_sigma = \"4\"\n";
    std::fs::write(folder.path().join("a.toml"), text).expect("a file");
    for verb in ["check", "show"] {
        let (code, _, error) = ctl_config(folder.path(), &[verb, "--config", "a.toml"]);
        assert_eq!(code, Some(78), "{error}");
        assert!(error.contains("a.toml:2:1") && error.contains("a.toml:4:1"), "{error}");
    }
}

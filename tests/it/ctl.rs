//! The command line program itself: words, exit codes, output.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use autossos::ops::users::Users;
use serde_json::Value;

/// Runs `autossosctl` in a folder.
fn ctl(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_autossosctl"))
        .args(words)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn help_and_version_are_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = ctl(folder.path(), &["--help"]);
    assert_eq!(code(&help), Some(0));
    for word in ["run", "demo", "export", "status", "night", "reprocess", "log", "Exit codes"] {
        assert!(out(&help).contains(word), "{word} is not in:\n{}", out(&help));
    }
    let version = ctl(folder.path(), &["--version"]);
    assert_eq!(code(&version), Some(0));
    assert_eq!(out(&version).trim(), concat!("autossosctl ", env!("CARGO_PKG_VERSION")));
    assert_eq!(code(&ctl(folder.path(), &["observe"])), Some(2), "no such command");
}

#[test]
fn failures_have_their_exit_codes_and_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = ctl(folder.path(), &["run", "no-such-night"]);
    assert_eq!(code(&missing), Some(1), "{}", err(&missing));
    assert!(err(&missing).contains("no-such-night"), "{}", err(&missing));

    std::fs::create_dir(folder.path().join("bare")).expect("a folder");
    let bare = ctl(folder.path(), &["run", "bare"]);
    assert_eq!(code(&bare), Some(1), "{}", err(&bare));
    assert!(err(&bare).contains("no FITS file"), "{}", err(&bare));

    let wrong = ctl(folder.path(), &["run", "bare", "--set", "extract.treshold_sigma=5"]);
    assert_eq!(code(&wrong), Some(78), "{}", err(&wrong));
    assert!(err(&wrong).contains("threshold_sigma"), "a hint:\n{}", err(&wrong));

    let no_file = ctl(folder.path(), &["run", "bare", "--config", "none.toml"]);
    assert_eq!(code(&no_file), Some(78), "{}", err(&no_file));
    assert!(err(&no_file).contains("none.toml"), "{}", err(&no_file));

    let export = ["export", "2025-02-14", "--format", "frames", "-o", "f.csv"];
    let without_data = ctl(folder.path(), &export);
    assert_eq!(code(&without_data), Some(1), "{}", err(&without_data));
}

#[test]
fn the_demo_runs_and_its_night_can_be_listed_and_exported() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = ctl(folder.path(), &["demo", "--json", "--data", "data"]);
    assert_eq!(code(&demo), Some(0), "{}", err(&demo));
    let report: Value = serde_json::from_slice(&demo.stdout).expect("the output is JSON");
    assert_eq!(report["night"], "demo");
    let n_candidates = report["candidates"].as_array().map_or(0, Vec::len);
    assert!(n_candidates >= 3, "{n_candidates} candidates");

    let status = ctl(folder.path(), &["status", "--data", "data"]);
    assert_eq!(code(&status), Some(0), "{}", err(&status));
    let told = out(&status);
    assert!(
        told.contains("demo") && told.contains("closed") && told.contains("No socket"),
        "{told}"
    );
    let status = ctl(folder.path(), &["status", "--data", "data", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("the output is JSON");
    assert_eq!(status["data"]["nights"][0]["night"], "demo");
    assert!(status["is_running"].is_null() && status["service"].is_null(), "{status}");
    let nights = ctl(folder.path(), &["night", "list", "--data", "data", "--json"]);
    let nights: Value = serde_json::from_slice(&nights.stdout).expect("the output is JSON");
    assert_eq!(nights[0]["night"], "demo");
    assert_eq!(nights[0]["n_frames"], 7);
    assert_eq!(nights[0]["n_candidates"], n_candidates);
    the_night_and_its_frames_are_shown(folder.path(), &report);

    let words =
        |night, format| ["export", night, "--data", "data", "--format", format, "-o", "t.csv"];
    for (format, n_rows_min) in [("frames", 7), ("detections", 3 * n_candidates)] {
        let export = ctl(folder.path(), &words("demo", format));
        assert_eq!(code(&export), Some(0), "{}", err(&export));
        let table = std::fs::read_to_string(folder.path().join("t.csv")).expect("a table");
        assert!(table.lines().count() > n_rows_min, "{format}:\n{table}");
    }
    let unknown = ctl(folder.path(), &words("2025-02-14", "frames"));
    assert_eq!(code(&unknown), Some(1), "{}", err(&unknown));
    assert!(err(&unknown).contains("2025-02-14"), "{}", err(&unknown));
}

/// `night show` and `frame show` on the night of the demo.
fn the_night_and_its_frames_are_shown(folder: &Path, report: &Value) {
    let with_data = |words: &[&str]| ctl(folder, &[words, &["--data", "data"]].concat());
    let frames = report["frames"].as_array().expect("a list");
    let night = with_data(&["night", "show", "demo"]);
    assert_eq!(code(&night), Some(0), "{}", err(&night));
    for frame in frames {
        let name = frame["frame"].as_str().expect("a name");
        assert!(out(&night).contains(name), "{name} is not in:\n{}", out(&night));
    }
    let json = with_data(&["night", "show", "demo", "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("the output is JSON");
    assert_eq!(json["frames"], report["frames"]);
    assert_eq!(json["candidates"], report["candidates"]);

    let (name, hash) = (&frames[0]["frame"], &frames[0]["content_hash"]);
    let hash = hash.as_str().expect("a hash");
    let digits = hash.get(..8).expect("a long hash");
    let shown = with_data(&["frame", "show", digits]);
    assert_eq!(code(&shown), Some(0), "{}", err(&shown));
    for word in [name.as_str().expect("a name"), hash, "arcsec", "mag", "CRVAL1", ".cat.fits"] {
        assert!(out(&shown).contains(word), "{word} is not in:\n{}", out(&shown));
    }
    let json = with_data(&["frame", "show", digits, "--night", "demo", "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("the output is JSON");
    assert_eq!(json["record"], frames[0]);
    let product = json["products"][0].as_str().expect("a product");
    assert!(folder.join("data").join(product).is_file(), "{product}");
    let unknown = with_data(&["frame", "show", "nothing.fits", "--night", "demo"]);
    assert_eq!(code(&unknown), Some(1), "{}", err(&unknown));

    // Without a service the order goes into the database: the next run makes one frame anew.
    let again = with_data(&["reprocess", "demo", "--frame", digits, "--from", "solve"]);
    assert_eq!(code(&again), Some(0), "{}", err(&again));
    assert!(out(&again).contains("not running"), "{}", out(&again));
    let json = with_data(&["frame", "show", digits, "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("the output is JSON");
    assert_eq!(json["products"].as_array().map(Vec::len), Some(0), "its result is forgotten");
    assert_eq!(json["record"], frames[0], "the last report's words stay until the next");
    let nights = with_data(&["night", "list"]);
    assert!(out(&nights).contains("open"), "{}", out(&nights));
    let wrong = with_data(&["reprocess", "demo", "--from", "slove"]);
    assert_eq!(code(&wrong), Some(2), "{}", err(&wrong));
    assert!(err(&wrong).contains("calibrate-flux"), "{}", err(&wrong));
}

#[test]
fn users_of_the_page_are_added_listed_and_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("data")).expect("a folder");
    let add = |name: &str, password: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_autossosctl"))
            .args(["user", "add", name, "--password-stdin", "--data", "data"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A refused name may end the program before it reads.
        stdin.write_all(password.as_bytes()).ok();
        drop(stdin);
        child.wait_with_output().expect("the program ends")
    };
    let added = add("ada", "correct horse\n");
    assert_eq!(code(&added), Some(0), "{}", err(&added));
    assert_eq!(code(&add("bob", "battery staple")), Some(0));
    let short = add("eve", "short");
    assert!(code(&short) == Some(1) && err(&short).contains("8 to 256"), "{}", err(&short));
    assert_eq!(code(&add("a/b", "battery staple")), Some(1));
    let file = folder.path().join("data/web-users");
    let users = Users::load(&file).expect("a users' file");
    assert!(users.is_right("ada", "correct horse") && !users.is_right("ada", "correct horse\n"));
    let with_data = |words: &[&str]| ctl(folder.path(), &[words, &["--data", "data"]].concat());
    assert_eq!(out(&with_data(&["user", "list"])), "ada\nbob\n");
    assert_eq!(code(&with_data(&["user", "remove", "bob"])), Some(0));
    assert_eq!(code(&with_data(&["user", "remove", "bob"])), Some(1));
    assert_eq!(out(&with_data(&["user", "list", "--json"])), "[\"ada\"]\n");
    let without_terminal = with_data(&["user", "add", "eve"]);
    assert!(err(&without_terminal).contains("--password-stdin"), "{}", err(&without_terminal));
}

#[test]
fn a_light_curve_has_its_period_told_and_written() {
    let folder = tempfile::tempdir().expect("a folder");
    // Three nights of a curve with two maxima, 5 h, of zero points 0.3 mag apart.
    let mut text = String::from("mjd,mag,mag_err,session\n");
    for i in 0..180_u32 {
        let hours = 24.0 * f64::from(i / 60) + 0.11 * f64::from(i % 60);
        let angle = std::f64::consts::TAU * hours / 5.0;
        let noise = 0.02 * (f64::from(i * i).sin());
        let mag = 15.0 + 0.3 * f64::from(i / 60) + 0.2 * (2.0 * angle).cos() + 0.05 * angle.sin();
        text.push_str(&format!("{},{},0.02,{}\n", 60_000.0 + hours / 24.0, mag + noise, i / 60));
    }
    std::fs::write(folder.path().join("curve.csv"), &text).expect("a file");
    let words = ["period", "curve.csv", "Some Thing", "--trials", "0", "--to", "out", "--json"];
    std::fs::create_dir(folder.path().join("out")).expect("a folder");
    let told = ctl(folder.path(), &words);
    assert_eq!(code(&told), Some(0), "{}", err(&told));
    let json: Value = serde_json::from_str(&out(&told)).expect("JSON");
    assert_eq!(json["is_published"], Value::Bool(true), "{json}");
    let period = json["period_h"].as_f64().expect("a period");
    assert!((period / 5.0 - 1.0).abs() < 0.005, "{period}");
    for end in ["period.txt", "period.json", "points.csv", "points.alcdef"] {
        assert!(folder.path().join(format!("out/Some_Thing_{end}")).exists(), "{end}");
    }
    for chart in ["periodogram", "curve", "residuals"] {
        let read =
            |end: &str| std::fs::read(folder.path().join(format!("out/Some_Thing_{chart}.{end}")));
        assert!(read("png").expect("a picture").starts_with(b"\x89PNG"));
        assert!(read("svg").expect("a drawing").starts_with(b"<svg"));
    }
    let lines =
        std::fs::read_to_string(folder.path().join("out/Some_Thing_period.txt")).expect("text");
    // The best sine is half a rotation, within its error of 0.0015 h.
    let best = lines.split(" Iteration:1\nBest period: ").nth(1).expect("an iteration");
    let sine_h: f64 = best.split(' ').next().expect("a number").parse().expect("a number");
    assert!((sine_h - 2.5).abs() < 0.005 && lines.contains(" hours\n"), "{lines}");
    let again = ctl(folder.path(), &["period", "out/Some_Thing_points.alcdef", "--trials", "0"]);
    let told = out(&again);
    let rotation = told.split("Rotation period: ").nth(1).and_then(|rest| rest.split(' ').next());
    let rotation_h: f64 = rotation.and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
    assert!((rotation_h / 5.0 - 1.0).abs() < 0.001, "{told}{}", err(&again));
    let missing = ctl(folder.path(), &["period", "none.csv"]);
    assert_eq!(code(&missing), Some(1));
    assert!(err(&missing).contains("none.csv"), "{}", err(&missing));
}

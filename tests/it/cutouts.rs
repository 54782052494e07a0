//! Cut-outs of a simulated night: every candidate has them, the object is in their middle, and
//! the program exports them.

use std::path::Path;
use std::process::Command;

use autossos::config::Config;
use autossos::ops::cutouts::load;
use autossos::ops::run::run_night;
use autossos::ops::{OpsError, Silent};
use autossos::pipeline::artifact::cutouts::{Centring, Cutouts, StaticSky, View};
use autossos::science::image::Image;
use autossos::store::{NightId, Reader};

use crate::simulated::{NightOnDisk, contents, small};

/// Mean of a stamp's pixels within a radius of its middle, in units of the scatter of the others.
fn signal(stamp: &Image<f32>) -> f64 {
    let half = stamp.nx() as f64 / 2.0 - 0.5;
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for y in 0..stamp.ny() {
        for (x, &value) in stamp.row(y).iter().enumerate().filter(|(_, v)| v.is_finite()) {
            let distance = (x as f64 - half).hypot(y as f64 - half);
            if distance < 2.0 { inside.push(f64::from(value)) } else { outside.push(value) }
        }
    }
    outside.sort_by(f32::total_cmp);
    let at = |share: f64| f64::from(outside[(share * (outside.len() - 1) as f64) as usize]);
    let sigma = (at(0.84) - at(0.16)) / 2.0;
    inside.iter().sum::<f64>() / inside.len() as f64 / sigma
}

fn assert_whole(cutouts: &Cutouts, frames_max: usize) {
    let side = cutouts.side_px;
    assert_eq!(side, 63);
    assert!((1..=frames_max).contains(&cutouts.frames.len()), "{}", cutouts.frames.len());
    assert!(cutouts.frames.is_sorted_by(|a, b| a.mid_mjd_utc <= b.mid_mjd_utc));
    for frame in &cutouts.frames {
        for stamp in View::ALL.into_iter().filter_map(|view| frame.stamp(view)) {
            assert_eq!((stamp.nx(), stamp.ny()), (side, side));
        }
        let (x, y) = cutouts.predicted_px(frame, Centring::OnObject);
        assert!((x - 31.0).abs() < 1e-6 && (y - 31.0).abs() < 1e-6);
    }
}

#[test]
fn every_candidate_has_cut_outs_with_the_object_in_the_middle() {
    let night = NightOnDisk::new(&small(11));
    let report = night.run("data").report;
    let id = NightId::new("test").expect("a name");
    let reader = Reader::open(&night.data("data")).expect("a database");
    let mut signals = Vec::new();
    for candidate in report.candidates.iter().chain(&report.faint) {
        let cutouts = load(reader.products(), &id, &candidate.id).expect("cut-outs");
        assert_eq!(cutouts.candidate_id, candidate.id);
        assert_whole(&cutouts, 5);
        let n_detected = cutouts.frames.iter().filter(|f| f.detected_deg.is_some()).count();
        assert_eq!(n_detected, candidate.detections.len());
        let view = View::new(Centring::OnObject, StaticSky::Kept);
        for frame in cutouts.frames.iter().filter(|f| f.detected_deg.is_some()) {
            signals.push(signal(frame.stamp(view).expect("always there")));
        }
    }
    signals.sort_by(f64::total_cmp);
    println!("{} stamps, signal {signals:.1?} sigma per pixel", signals.len());
    assert!(signals.len() >= 5, "a night without objects tests little");
    // A detection of 4 sigma has about 1.5 sigma in each pixel of its core.
    assert!(signals[0] > 1.0 && signals[signals.len() / 2] > 2.0, "{signals:.1?}");
}

#[test]
fn cut_outs_of_vanished_candidates_go_and_the_rest_stays_the_same() -> Result<(), OpsError> {
    let night = NightOnDisk::new(&small(11));
    night.run("data");
    let folder = night.data("data").join("products/test/cutouts");
    let before = contents(&folder);
    assert!(!before.is_empty());
    let any = before.keys().next().expect("one");
    std::fs::copy(folder.join(any), folder.join("GONEAWY.fits")).expect("copied");
    std::fs::remove_file(folder.join(any)).expect("removed");
    // Another key of the night: it is closed again, its frames are not reduced again.
    let mut config = Config::default();
    config.report.blink_ms += 1;
    let again = run_night(&night.request("data"), &config, &Silent)?;
    assert_eq!(again.n_reduced, 0);
    assert!(before == contents(&folder), "the same files with the same bytes");
    config.cutouts.side_px = 31;
    run_night(&night.request("data"), &config, &Silent)?;
    let smaller = contents(&folder);
    assert!(before.keys().eq(smaller.keys()) && before != smaller, "made anew");
    Ok(())
}

fn ctl(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_autossosctl"))
        .args(words)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn the_program_writes_strips_animations_and_fits() {
    let night = NightOnDisk::new(&small(11));
    let report = night.run("data").report;
    let folder = night.folder.path();
    let first = report.candidates[0].id.as_str();
    let starts: [(&str, &[u8]); 4] = [
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("apng", b"\x89PNG\r\n\x1a\n"),
        ("gif", b"GIF89a"),
        ("fits", b"SIMPLE  ="),
    ];
    for (format, start) in starts {
        let words = ["cutouts", "test", first, "--data", "data", "--to", "out", "--format", format];
        let (code, text) = ctl(folder, &words);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("1 file written to out"), "{text}");
        let written = contents(&folder.join("out"));
        let (path, bytes) = written
            .iter()
            .find(|(path, _)| path.extension().is_some_and(|e| e == format))
            .expect("one of this kind");
        assert!(bytes.starts_with(start), "{}", path.display());
    }
    let (code, text) = ctl(folder, &["cutouts", "test", "--data", "data", "--to", "all"]);
    assert_eq!(code, Some(0), "{text}");
    let n = report.candidates.len() + report.faint.len();
    assert_eq!(contents(&folder.join("all")).len(), n);
    let (code, text) = ctl(folder, &["cutouts", "test", "NOSUCH", "--data", "data", "--to", "x"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("night show test"), "{text}");
}

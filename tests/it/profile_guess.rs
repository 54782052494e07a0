//! Profiles guessed from real headers read every file as the shipped profile of the camera does.

use std::path::{Path, PathBuf};
use std::process::Command;

use autossos::formats::fits::{self, Limits};
use autossos::ops::profile::propose;
use autossos::pipeline::artifact::frame_info::FrameInfo;
use autossos::pipeline::ingest::{IngestRefusal, Profile, choose_profile, interpret, shipped};

/// FITS files of a folder of the shared data, in order; none when it is not there.
fn files_of(folder: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        assert!(std::env::var("AUTOSSOS_E2E").as_deref() != Ok("1"), "no {}", folder.display());
        println!("skipped: no {}", folder.display());
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let is_whole = |path: &PathBuf| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        fits::is_frame_name(&name) && fits::probe(path, &Limits::default()).is_ok()
    };
    let mut files: Vec<PathBuf> = paths.filter(is_whole).collect();
    files.sort();
    files
}

fn read(path: &Path, profile: Option<&Profile>) -> Result<FrameInfo, IngestRefusal> {
    let image = fits::probe(path, &Limits::default()).expect("a header");
    let profile = profile.unwrap_or_else(|| choose_profile(&image.header, shipped()));
    interpret(&image.header, image.nx, image.ny, profile)
}

/// Compares the guess with the shipped profile, frame by frame; gives what was guessed.
fn same_as_shipped(folder: &str) -> Option<(Profile, Vec<FrameInfo>)> {
    let files = files_of(folder);
    if files.is_empty() {
        return None;
    }
    let guess = propose(&files, "guessed").expect("a profile").guess;
    let profile = Profile::parse(&guess.toml).expect("a profile");
    assert!(guess.shipped.is_some(), "a shipped profile reads {folder}");
    let mut infos = Vec::new();
    for file in &files {
        let name = file.display();
        let expected = match read(file, None) {
            Ok(expected) => expected,
            Err(refusal) => {
                let told = read(file, Some(&profile)).expect_err("refused as well");
                assert_eq!(told, refusal, "{name}");
                continue;
            }
        };
        let info = read(file, Some(&profile)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(info.kind, expected.kind, "{name}");
        assert_eq!(info.mid, expected.mid, "{name}");
        assert_eq!(info.filter, expected.filter, "{name}");
        assert_eq!(info.pointing_rad, expected.pointing_rad, "{name}");
        assert_eq!(info.object, expected.object, "{name}");
        assert_eq!(info.binning, expected.binning, "{name}");
        assert_eq!((info.overscan, info.trim), (expected.overscan, expected.trim), "{name}");
        assert_eq!(info.gain_e_per_adu, expected.gain_e_per_adu, "{name}");
        assert_eq!(info.read_noise_e, expected.read_noise_e, "{name}");
        assert_eq!(info.saturation_adu, expected.saturation_adu, "{name}");
        assert_eq!(info.temperature_c, expected.temperature_c, "{name}");
        assert_eq!(info.flip, expected.flip, "{name}");
        assert_eq!(info.site, expected.site, "{name}");
        assert!((info.exposure_s - expected.exposure_s).abs() < 1e-9, "{name}");
        infos.push(info);
    }
    Some((profile, infos))
}

#[test]
fn lowells_night_is_read_by_a_guessed_profile() {
    let Some((profile, infos)) = same_as_shipped("lowell-20190326/raw") else { return };
    assert_eq!(infos.len(), 34);
    // Half of what UTCEND - UTCSTART exceeds EXPTIME by: 1.47 s.
    assert!((profile.time.uncertainty_s - 0.7).abs() < 1e-9, "{}", profile.time.uncertainty_s);
    // The header's scale, 3 x 0.327, is ten per cent off: near enough for the search.
    let scale = infos[20].pixel_scale_arcsec.expect("a scale");
    assert!((scale - 0.981).abs() < 1e-9, "{scale}");
    let text = propose(&files_of("lowell-20190326/raw"), "guessed").expect("a profile").guess.toml;
    assert!(text.contains("LST-OBS agrees with date, time and longitude"), "{text}");
}

#[test]
fn simulated_nights_are_read_by_guessed_profiles() {
    for folder in ["pocket", "rough", "wide"] {
        let told = same_as_shipped(&format!("nights/{folder}/raw"));
        assert!(told.is_none_or(|(_, infos)| infos.len() > 20), "{folder}");
    }
}

#[test]
fn the_program_writes_a_profile_that_the_configuration_takes() {
    let files = files_of("nights/pocket/raw");
    if files.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let ctl = |words: &[&str]| {
        let program = env!("CARGO_BIN_EXE_autossosctl");
        let output = Command::new(program)
            .args(words)
            .current_dir(folder.path())
            .output()
            .expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let night = files[0].parent().expect("a folder").to_string_lossy().into_owned();
    let words = ["profile", "guess", &night, "--name", "mine", "--to", "mine.toml"];
    let (code, told, error) = ctl(&words);
    assert_eq!(code, Some(0), "{error}");
    assert!(told.contains("9 bias, 7 flat, 7 science") && told.contains("profile_files"), "{told}");
    let (code, _, error) = ctl(&words);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("stays as it is"), "{error}");
    let set = ["--set", "instrument.profile_files=mine.toml", "--set", "instrument.profile=mine"];
    let (code, _, error) = ctl(&[&["config", "check"], &set[..]].concat());
    assert_eq!(code, Some(0), "{error}");
    let (code, told, error) = ctl(&["profile", "guess", &night]);
    assert_eq!(code, Some(0), "{error}");
    assert!(Profile::parse(&told).is_ok(), "what is printed is a profile: {told}");
    assert!(error.contains("shipped profile \"maxim\""), "{error}");
    let (code, _, error) = ctl(&["profile", "guess", "nothing.fits"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("nothing.fits"), "{error}");
}

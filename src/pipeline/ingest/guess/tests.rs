//! Profiles guessed from headers of several kinds of cameras.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::super::interpret;
use super::*;
use crate::formats::fits::{Header, Value};
use crate::pipeline::artifact::frame_info::{FrameInfo, FrameKind};
use crate::science::units::DEG_RAD;

/// A header from `KEY = value / comment` lines.
fn sample(name: &str, cards: &str) -> Sample {
    let mut header = Header::new();
    for line in cards.lines().filter(|line| !line.trim().is_empty()) {
        let (key, rest) = line.split_once('=').unwrap();
        let (value, comment) = rest.split_once(" / ").unwrap_or((rest, ""));
        let value = value.trim();
        let value = if value.starts_with('\'') {
            Value::Text(value.trim_matches('\'').trim().to_owned())
        } else {
            value.parse().map_or_else(|_| Value::Real(value.parse().unwrap()), Value::Integer)
        };
        header.set(key.trim(), value, comment.trim());
    }
    Sample { name: name.to_owned(), header, nx: 1024, ny: 1024 }
}

/// The guess and what it makes of each header.
fn read(samples: &[Sample]) -> (Guess, Vec<FrameInfo>) {
    let guess = guess(samples, "mine").unwrap();
    let profile = Profile::parse(&guess.toml).unwrap();
    let infos = samples.iter().map(|s| interpret(&s.header, s.nx, s.ny, &profile).unwrap());
    let infos = infos.collect();
    (guess, infos)
}

/// A camera whose keywords no shipped profile knows all of.
const OWN: &str = "
CAMNAME = 'Blue-7'
TELNAME = 'Dome 2'
PICTTYPE= 'Object' / type of exposure
CLRBAND = 'g'
UT-DATE = '2024-03-01'
UT-TIME = '20:10:05.0' / UTC at the end of exposure
EXPTIME = 10.0
TEL_RA  = 8.5 / right ascension in hours
TEL_DEC = -20.25
LST     = '06:52:10'
LATITUDE= -30.0
LONGITUD= -15.0 / west longitude is positive
GAIN    = 120 / setting of the camera
BITPIX  = 16
BZERO   = 32768
";

#[test]
fn a_camera_of_other_keywords_is_read() {
    let bias = OWN.replace("Object", "Zero").replace("EXPTIME = 10.0", "EXPTIME = 0.0");
    let (guess, infos) = read(&[sample("a", OWN), sample("b", &bias)]);
    assert_eq!((infos[0].kind, infos[1].kind), (FrameKind::Science, FrameKind::Bias));
    assert_eq!((infos[0].instrument.as_str(), infos[0].filter.as_str()), ("Blue-7", "g"));
    // The end, 20:10:05, less half of 10 s.
    assert_eq!(infos[0].mid.unwrap().to_iso(), "2024-03-01T20:10:00.000");
    let (ra_rad, dec_rad) = infos[0].pointing_rad.unwrap();
    // 8.5 h are 127.5 deg.
    assert!((ra_rad / DEG_RAD - 127.5).abs() < 1e-9, "{}", guess.toml);
    assert!((dec_rad / DEG_RAD + 20.25).abs() < 1e-9);
    assert!((infos[0].site.unwrap().longitude_deg - 15.0).abs() < 1e-9, "west was positive");
    assert_eq!(infos[0].gain_e_per_adu, None, "a setting is no gain");
    assert!(guess.toml.contains("120") && guess.toml.contains("setting of the camera"));
    assert_eq!(infos[0].saturation_adu, Some(60_000.0));
    assert_eq!(guess.shipped, None);
    assert_eq!((guess.counts.science, guess.counts.bias), (1, 1));
    assert_eq!(guess.n_doubts, guess.toml.lines().filter(|l| l.starts_with("# ? ")).count());
}

#[test]
fn the_guess_is_chosen_before_the_shipped_profile_that_fits_as_well() {
    let cards = "LCAMMOD = 'nasa42'\nLTELMOD = 'hall'\nLOISVERS= '5'\nOBSTYPE = 'BIAS'\n\
                 EXPTIME = 0.0\nDATE-OBS= '2019-03-26'\nUTCSTART= '02:00:00'";
    let samples = [sample("a", cards)];
    let (guess, _) = read(&samples);
    assert_eq!(guess.shipped.as_deref(), Some("lowell-nasa42"));
    assert!(guess.toml.contains("\"lowell-nasa42\" reads all these files already"));
    let mut profiles = vec![Profile::parse(&guess.toml).unwrap()];
    profiles.extend(super::super::shipped().iter().cloned());
    assert_eq!(super::super::choose_profile(&samples[0].header, &profiles).name, "mine");
}

#[test]
fn sidereal_time_proves_clock_and_longitude() {
    // 2024-03-01T20:09:55: GMST 6.8249 h (equation 12.4 of Meeus by hand: 60370.840220 - 51544.5
    // = 8826.340220 d; 280.46061837 + 360.98564736629 x 8826.340220 = 102.37 deg).
    let days: f64 = 60_370.0 + (20.0 * 3600.0 + 9.0 * 60.0 + 55.0) / 86_400.0 - 51_544.5;
    let gmst_h = (280.460_618_37 + 360.985_647_366_29 * days).rem_euclid(360.0) / 15.0;
    let clock = |hours: f64| {
        let hours = hours.rem_euclid(24.0);
        format!("'{:02}:{:02}:00'", hours as u32, (hours.fract() * 60.0) as u32)
    };
    let with = |hours: f64| OWN.replace("'06:52:10'", &clock(hours));
    // 15 deg east are an hour.
    let right = guess(&[sample("a", &with(gmst_h + 1.0))], "mine").unwrap();
    assert!(right.toml.contains("LST agrees with date, time and longitude"), "{}", right.toml);
    let wrong = guess(&[sample("a", &with(gmst_h - 1.0))], "mine").unwrap();
    assert!(wrong.toml.contains("# ? LST differs by 2.0"), "{}", wrong.toml);
}

#[test]
fn start_and_end_tell_the_uncertainty() {
    let cards = "IMAGETYP= 'light'\nDATE-OBS= '2024-03-01'\nUT= '23:59:50'\n\
                 UTEND= '00:01:53.2'\nEXPTIME = 120.0\nINSTRUME= 'A b'";
    let (guess, infos) = read(&[sample("a", cards)]);
    // 123.2 s - 120 s = 3.2 s, half of it.
    assert!((infos[0].mid_err_s - 1.6).abs() < 1e-9, "{}", guess.toml);
    assert_eq!(infos[0].mid.unwrap().to_iso(), "2024-03-02T00:00:50.000");
}

#[test]
fn a_middle_proves_the_start_and_camera_settings_are_no_gain() {
    let cards = "IMAGETYP= 'LIGHT'\nINSTRUME= 'CMOS'\nEXPOSURE= 60.0\nGAIN= 100 / Sensor gain\n\
                 EGAIN= 0.25\nDATE-OBS= '2024-03-01T23:59:50' / Time of observation (UTC)\n\
                 DATE-AVG= '2024-03-02T00:00:20' / Averaged midpoint time (UTC)";
    let (guess, infos) = read(&[sample("a", cards)]);
    assert!(guess.toml.contains("middle lies half an exposure later"), "{}", guess.toml);
    assert_eq!(infos[0].mid.unwrap().to_iso(), "2024-03-02T00:00:20.000");
    assert_eq!(infos[0].gain_e_per_adu, Some(0.25));
    let (guess, _) = read(&[sample("a", &cards.replace("00:00:20", "23:59:50"))]);
    assert!(guess.toml.contains("# ? Nothing says which instant"), "{}", guess.toml);
}

#[test]
fn keywords_of_more_than_eight_characters_are_known() {
    let cards = "INSTRUME= 'EFOSC'\nESO DPR TYPE= 'FLAT,SKY'\nESO INS FILT1 NAME= 'R#642'\n\
                 ESO DET OUT1 CONAD= 0.91\nESO DET OUT1 RON= 9.2\nESO DET WIN1 BINX= 2\n\
                 ESO DET WIN1 BINY= 2\nESO TEL GEOLAT= -29.2584\nESO TEL GEOLON= -70.7345\n\
                 ESO TEL GEOELEV= 2375.0\nEXPTIME= 3.0\nMJD-OBS= 60370.25 / Obs start\n\
                 DATE-OBS= '2024-03-01T06:00:00.000'";
    let (guess, infos) = read(&[sample("a", cards)]);
    let info = &infos[0];
    assert_eq!((info.kind, info.filter.as_str()), (FrameKind::Flat, "R#642"), "{}", guess.toml);
    assert_eq!((info.gain_e_per_adu, info.read_noise_e), (Some(0.91), Some(9.2)));
    assert_eq!(info.binning, (2, 2));
    assert!(info.site.is_some_and(|site| (site.height_m - 2375.0).abs() < 1e-9));
    assert!(guess.toml.contains("Its comment says which instant"), "{}", guess.toml);
}

#[test]
fn types_are_told_by_the_target_where_nothing_else_does() {
    let frame = |object: &str| {
        sample(
            object,
            &format!(
                "OBJECT= '{object}'\nIMAGETYP= 'object'\nEXPTIME= 1.0\n\
                                 DATE-OBS= '2024-03-01T20:00:00'"
            ),
        )
    };
    let (guess, infos) = read(&[frame("flat V"), frame("M 31"), frame("bias")]);
    let kinds: Vec<FrameKind> = infos.iter().map(|info| info.kind).collect();
    assert_eq!(kinds, [FrameKind::Flat, FrameKind::Science, FrameKind::Bias], "{}", guess.toml);
    assert!(guess.toml.contains("# ? Only the target's name"));
}

#[test]
fn an_unknown_type_is_told_and_hostile_values_are_no_harm() {
    let cards = "IMAGETYP= 'sky\"\\*'\nINSTRUME= 'a*b\"'\nEXPTIME= 1.0\n\
                 DATE-OBS= '2024-03-01T20:00:00'\nTELESCOP= 'x'\nOBSTYPE= 'light'";
    let (guess, _) = read(&[sample("a", cards)]);
    assert!(guess.toml.contains("a?b"), "{}", guess.toml);
    let bare = super::guess(&[sample("a", "BITPIX= 16")], "mine").unwrap();
    assert!(bare.counts.unusable == 1 && bare.n_doubts > 5, "{}", bare.toml);
    assert!(matches!(super::guess(&[], "mine"), Err(GuessError::NoHeaders)));
    assert!(matches!(super::guess(&[sample("a", cards)], "auto"), Err(GuessError::Profile { .. })));
}

//! Headers as the shipped profiles meet them, and hostile ones.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::formats::fits::{Header, Value};
use crate::pipeline::artifact::frame_info::{FlipState, FrameInfo, FrameKind, Section};
use crate::science::units::DEG_RAD;

/// A header from `KEY = value` lines; quotes make text, a point a real, T and F a logical.
fn header(cards: &str) -> Header {
    let mut header = Header::new();
    for line in cards.lines().filter(|line| !line.trim().is_empty()) {
        let (key, value) = line.split_once('=').unwrap();
        let value = value.trim();
        let value = match value {
            "T" => Value::Logical(true),
            "F" => Value::Logical(false),
            _ if value.starts_with('\'') => Value::Text(value.trim_matches('\'').to_owned()),
            _ => value.parse().map_or_else(|_| Value::Real(value.parse().unwrap()), Value::Integer),
        };
        header.set(key.trim(), value, "");
    }
    header
}

fn read(cards: &str) -> FrameInfo {
    let header = header(cards);
    interpret(&header, 1024, 1024, choose_profile(&header, shipped())).unwrap()
}

fn mid(cards: &str) -> Option<String> {
    read(cards).mid.map(crate::science::time::Epoch::to_iso)
}

fn close(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 1e-6 * b.abs().max(1.0))
}

const MAXIM: &str = "
SWCREATE= 'CamControl 6.21'
IMAGETYP= 'Light Frame'
OBJECT  = 'R1      '
DATE-OBS= '2024-04-11T23:50:10.397'
EXPTIME = 60.0
XPIXSZ  = 9.0
FOCALLEN= 1160.2
SITELAT = '+37 58 48'
SITELONG= '-02 34 12'
EGAIN   = 1.5
RDNOISE = 8.0
SATURATE= 62000
CCD-TEMP= -9.96
XBINNING= 1
YBINNING= 1
FILTER  = 'R       '
INSTRUME= 'SIMCAM'
OBJCTRA = '13 40 14.64'
OBJCTDEC= '-08 16 05.6'
FLIPSTAT= 'FLIP/Mirror'
";

#[test]
fn maxim_style() {
    let info = read(MAXIM);
    assert_eq!((info.profile.as_str(), info.kind), ("maxim", FrameKind::Science));
    // The start at 23:50:10.397 and half of 60 s.
    assert_eq!(info.mid.unwrap().to_iso(), "2024-04-11T23:50:40.397");
    let (ra, dec) = info.pointing_rad.unwrap();
    assert!((ra / DEG_RAD - 205.061).abs() < 1e-6 && (dec / DEG_RAD + 8.268_222).abs() < 1e-6);
    // 9 um / 1160.2 mm = 7.7573e-6 rad = 1.600062 arcsec.
    assert!((info.pixel_scale_arcsec.unwrap() - 1.600_062).abs() < 1e-5);
    assert_eq!((info.filter.as_str(), info.flip), ("R", FlipState::Turned180));
    let site = info.site.unwrap();
    assert!((site.latitude_deg - 37.98).abs() < 1e-9 && (site.longitude_deg + 2.57).abs() < 1e-9);
    assert!(close(info.gain_e_per_adu, 1.5) && close(info.saturation_adu, 62_000.0));
    assert_eq!(info.remarks.len(), 1, "only the missing height: {:?}", info.remarks);
}

#[test]
fn a_missing_filter_is_none_and_a_dark_of_zero_exposure_a_bias() {
    let cards = MAXIM.replace("FILTER", "NOFILT").replace("Light", "Dark").replace("60.0", "0.0");
    let info = read(&cards);
    assert_eq!((info.filter.as_str(), info.kind), ("NONE", FrameKind::Bias));
}

#[test]
fn ing_style() {
    let cards = "
OBSTYPE = 'TARGET  '
UTSTART = '23:25:15.793'
DATE-OBS= '2024-10-03T23:25:15.793'
EXPTIME = 60.0
LATITUDE= 37.98
LONGITUD= -2.57
HEIGHT  = 1530.0
RA      = '00:50:29.88'
DEC     = '+05:54:20.2'
CAT-EQUI= 'J2000.00'
";
    let info = read(cards);
    assert_eq!((info.profile.as_str(), info.kind), ("ing", FrameKind::Science));
    assert_eq!(info.mid.unwrap().to_iso(), "2024-10-03T23:25:45.793");
    // 0 h 50 m 29.88 s = 12.6245 deg.
    assert!((info.pointing_rad.unwrap().0 / DEG_RAD - 12.6245).abs() < 1e-9);
    assert_eq!(read(&cards.replace("TARGET", "SKY")).kind, FrameKind::Flat);
}

const LOWELL: &str = "
LCAMMOD = 'nasa42'
LTELMOD = 'hall'
LOISVERS= '5.0.RC1'
OBSTYPE = 'OBJECT'
IMAGETYP= 'OBJECT'
DATE-OBS= '2019-03-26'
UTCSTART= '02:27:31.13'
UTCEND  = '02:32:32.60'
EXPTIME = 300.0
TRIMSEC = '[18:1000,1:1024]'
BIASSEC = '[1004:1024,1:1024]'
CCDSUM  = '3 3'
AAMP_01 = 1
AAMP_02 = 0
AGAIN_01= 4.95
ARDNS_01= 9.3
PIXSIZE = 15.0
PIXSCAL = 0.327
RA      = '08:18:29.9'
DEC     = '+25:19:59'
EQUINOX = '2000.0'
FILTNAME= 'VR'
";

#[test]
fn lowell_style() {
    let info = read(LOWELL);
    assert_eq!((info.profile.as_str(), info.kind), ("lowell-nasa42", FrameKind::Science));
    assert_eq!(info.mid.unwrap().to_iso(), "2019-03-26T02:30:01.130");
    assert_eq!((info.binning, info.filter.as_str()), ((3, 3), "VR"));
    assert_eq!(info.trim, Some(Section { x0: 17, x1: 1000, y0: 0, y1: 1024 }));
    assert_eq!(info.overscan, Some(Section { x0: 1003, x1: 1024, y0: 0, y1: 1024 }));
    // What the header says; photon transfer on the night's flats and biases corrects it.
    assert!(close(info.gain_e_per_adu, 4.95) && close(info.read_noise_e, 9.3));
    assert!(info.allowed.is_measured_gain_used && info.allowed.is_measured_noise_used);
    // 3 x 15 um / 8534 mm = 5.27302e-6 rad = 1.08764 arcsec.
    assert!((info.pixel_scale_arcsec.unwrap() - 1.08764).abs() < 1e-4);
}

#[test]
fn the_amplifier_in_use_gives_the_gain() {
    let mut profile = choose_profile(&header(LOWELL), shipped()).clone();
    profile.gain_e_per_adu.measured = Some(3.8);
    let info = interpret(&header(LOWELL), 1024, 1024, &profile).unwrap();
    // The owner's number wins, also over photon transfer.
    assert!(close(info.gain_e_per_adu, 3.8) && !info.allowed.is_measured_gain_used);
    assert!(info.remarks.iter().any(|remark| remark.contains("4.95")), "{:?}", info.remarks);
    profile.gain_e_per_adu.measured = None;
    let info = interpret(&header(LOWELL), 1024, 1024, &profile).unwrap();
    assert!(close(info.gain_e_per_adu, 4.95));
    let both = LOWELL.replace("AAMP_02 = 0", "AAMP_02 = 1");
    assert_eq!(interpret(&header(&both), 1024, 1024, &profile).unwrap().gain_e_per_adu, None);
}

#[test]
fn a_date_apart_rolls_over_at_0h() {
    let night = LOWELL.replace("02:27:31.13", "23:58:00").replace("02:32:32.60", "00:03:01.47");
    // The date of the start: 23:58 + 150 s is 00:00:30 of the next day.
    assert_eq!(mid(&night).unwrap(), "2019-03-27T00:00:30.000");
    let mut profile = choose_profile(&header(&night), shipped()).clone();
    profile.time.stamps[0].date_of = profile::DateOf::End;
    let info = interpret(&header(&night), 1024, 1024, &profile).unwrap();
    assert_eq!(info.mid.unwrap().to_iso(), "2019-03-26T00:00:30.000");
}

#[test]
fn mjd_settles_the_day_of_a_date_apart() {
    // 2024-03-01T23:59:00 is MJD 60370.99931; the date was written after midnight.
    let cards = "EXPTIME=10.0\nDATE-OBS='2024-03-02'\nUT='23:59:00'\nMJD-OBS=60370.99931";
    assert_eq!(mid(cards).unwrap(), "2024-03-01T23:59:05.000");
}

#[test]
fn generic_times() {
    let with = |cards: &str| mid(&format!("EXPTIME = 10.0\n{cards}"));
    let wanted = Some("2024-03-01T20:10:10.000".to_owned());
    for cards in [
        "DATE-OBS='2024-03-01T20:10:05'",
        "DATE-OBS='2024-03-01T22:10:05+02:00'",
        "DATE-OBS='2024/03/01 20:10:05Z'",
        "DATE-OBS='2024-03-01'\nTIME-OBS='20:10:05.0'",
        "DATE-OBS='01/03/24'\nUT='20:10:05.0'",
        "DATE-OBS='2024-03-01T00:00:00'\nUT='20:10:05'",
        "DATE-OBS='2024-03-01T22:10:05'\nUTCOFFSET=2",
        "DATE-OBS='2024-03-01T22:10:05'\nTIMESYS='UTC+2'",
        "DATE-OBS='2024-03-01T13:10:05'\nTIMESYS='LOCAL'\nTIMEZONE=-7",
        "DATE-OBS='2024-03-02T01:40:05'\nTIMESYS='LOCAL'\nTIMEZONE='+05:30'",
        "DATE-OBS='2024-03-01T20:10:05'\nTIMEZONE=-7",
        "DATE-OBS='2024-03-01T20:10:05'\nUTCOFFSET=-7\nTIMESYS='UTC'",
        "DATE-OBS='2024-03-01T20:10:05'\nUTCOFFSET=-7\nUT='20:10:05'",
        "DATE-AVG='2024-03-01T20:10:10'",
        "DATE-END='2024-03-01T20:10:15'",
        "DATE-OBS='rubbish'\nMJD-OBS=60370.840335648",
        "JD=2460371.340335648",
    ] {
        assert_eq!(with(cards), wanted, "{cards}");
    }
    for cards in [
        "",
        "DATE-OBS='2024-03-01'",
        "DATE-OBS=5",
        "MJD-OBS=1e300",
        "DATE-OBS='2024-03-01T20:10:05'\nTIMESYS='TAI'",
        "DATE-OBS='2024-03-01T20:10:05'\nTIMESYS='LOCAL'",
    ] {
        assert_eq!(with(cards), None, "{cards}");
    }
}

#[test]
fn types_of_frames() {
    let kind = |cards: &str| {
        let header = header(&format!("EXPTIME = 1.0\n{cards}"));
        interpret(&header, 8, 8, generic()).map(|info| info.kind)
    };
    assert_eq!(kind("").unwrap(), FrameKind::Science);
    assert_eq!(kind("IMAGETYP='zero'").unwrap(), FrameKind::Bias);
    assert_eq!(kind("OBSTYPE='DOMEFLAT'").unwrap(), FrameKind::Flat);
    assert_eq!(kind("IMAGETYP='Dark Flat'").unwrap(), FrameKind::Dark);
    assert_eq!(kind("IMAGETYP='LIGHT'").unwrap(), FrameKind::Science);
    assert_eq!(kind("IMAGETYP='whatever'").unwrap(), FrameKind::Science);
    assert!(matches!(kind("IMAGETYP='Focus 3'"), Err(IngestRefusal::Ignored { .. })));
}

#[test]
fn a_science_frame_without_exposure_is_refused() {
    for cards in ["", "EXPTIME=-5.0", "EXPTIME='abc'", "EXPTIME=NaN", "EXPTIME=T"] {
        let refusal = interpret(&header(&format!("IMAGETYP='light'\n{cards}")), 8, 8, generic());
        let fault = HeaderFault::NoExposure;
        assert_eq!(refusal, Err(IngestRefusal::Unusable { fault }), "{cards}");
    }
}

#[test]
fn absurd_values_are_missing_with_a_remark() {
    let info = read(
        "EXPTIME='60'\nRA='12:00:00'\nDEC='+95:00:00'\nGAIN=100\nXBINNING='two'\nCCD-TEMP='cold'
TRIMSEC='[1:2000,1:10]'\nBIASSEC='nonsense'\nSATURATE=0\nPIXSCALE=-1.0\nSITELAT='99'\nFLIPSTAT=7
EQUINOX=T\nFILTER=3\nRDNOISE=NaN",
    );
    assert!((info.exposure_s - 60.0).abs() < 1e-12);
    assert_eq!((info.pointing_rad, info.gain_e_per_adu, info.temperature_c), (None, None, None));
    assert_eq!((info.trim, info.overscan, info.saturation_adu), (None, None, None));
    assert_eq!((info.pixel_scale_arcsec, info.site, info.binning), (None, None, (1, 1)));
    assert_eq!((info.filter.as_str(), info.read_noise_e), ("3", None));
    for keyword in [
        "DEC", "GAIN", "XBINNING", "CCD-TEMP", "TRIMSEC", "BIASSEC", "SATURATE", "PIXSCALE",
        "SITELAT",
    ] {
        assert!(info.remarks.iter().any(|remark| remark.contains(keyword)), "{keyword}");
    }
}

#[test]
fn every_keyword_with_every_kind_of_value_does_not_panic() {
    let values =
        ["''", "'é\u{0}'", "'[:,:]'", "'-'", "':'", "'9e99'", "T", "-1", "0", "1e308", "NaN"];
    for profile in shipped() {
        let text = format!("{profile:?}");
        // The quoted words of the profile include all its keywords.
        for keyword in text.split('"').skip(1).step_by(2) {
            for value in values {
                let header = header(&format!("EXPTIME=1.0\n{keyword}={value}"));
                drop(interpret(&header, 16, 16, profile));
            }
        }
    }
}

#[test]
fn the_most_specific_profile_wins_and_generic_is_last() {
    let name = |cards: &str| choose_profile(&header(cards), shipped()).name.clone();
    assert_eq!(name(""), "generic");
    assert_eq!(name(LOWELL), "lowell-nasa42");
    assert_eq!(name("SWCREATE='MaxIm DL Version 6'\nIMAGETYP='LIGHT'"), "maxim");
    assert_eq!(choose_profile(&header(MAXIM), &[]).name, "generic");
    let own =
        Profile::parse("name='own'\n[[matches]]\nall=[{keyword='SWCREATE'},{keyword='IMAGETYP'}]");
    let mut all = vec![own.unwrap()];
    all.extend_from_slice(shipped());
    assert_eq!(choose_profile(&header(MAXIM), &all).name, "own");
}

//! Trees of nights in which little or nothing was: they are written, and say what is missing.

use super::*;
use crate::formats::fits::{Header, write_table};
use crate::ops::Silent;
use crate::ops::vetting::fixture::{close_as, report};
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus, WcsKeyword};
use crate::pipeline::reduce::empty_record;
use crate::science::sky::keywords::KeywordValue;
use crate::science::sky::wcs::Wcs;
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};
use crate::store::files::frame_product_name;
use crate::store::nights::NightSource;
use crate::store::{ProductKind, Store};

/// A solved frame of 100 px that looks at a place on the equator.
fn solved(name: &str, ra_deg: f64, mid_mjd_utc: f64) -> FrameRecord {
    let wcs = Wcs {
        crval_rad: (ra_deg * DEG_RAD, 0.0),
        crpix_px: (49.5, 49.5),
        cd_rad_per_px: [[-ARCSEC_RAD, 0.0], [0.0, ARCSEC_RAD]],
        sip: None,
    };
    let keyword = |(key, value)| {
        let value = match value {
            KeywordValue::Integer(v) => WcsKeyword::Integer(v),
            KeywordValue::Real(v) => WcsKeyword::Real(v),
            KeywordValue::Text(v) => WcsKeyword::Text(v),
        };
        (key, value)
    };
    FrameRecord {
        mid_mjd_utc: Some(mid_mjd_utc),
        exposure_s: Some(60.0),
        wcs: wcs.fits_keywords().into_iter().map(keyword).collect(),
        ..empty_record(name, name, FrameStatus::Ok)
    }
}

/// Closes a night of these frames.
fn night(store: &Store, name: &str, frames: Vec<FrameRecord>) -> NightId {
    let night = NightId::new(name).expect("a name");
    let at = Epoch::from_mjd_utc(61_200.0);
    store.begin_night(&night, &NightSource::only("/raw"), at).expect("begun");
    close_as(store, &night, NightReport { frames, ..report(&night) }, at);
    night
}

#[test]
fn a_night_without_anything_is_exported() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    night(&store, "n1", Vec::new());
    let to = folder.path().join("out");
    for format in [TreeFormat::Seeds, TreeFormat::Ldac, TreeFormat::Ds9] {
        let done = export_tree(folder.path(), "n1", format, &to, &Silent).expect("written");
        assert!(done.n_files > 0 || format == TreeFormat::Ldac, "{format:?}");
        assert!(!done.notes.is_empty(), "{format:?} says what is missing");
    }
    let text = std::fs::read_to_string(to.join("night.reg")).expect("the last one stands");
    assert!(text.ends_with("icrs\n"), "{text}");
    let unknown = export_tree(folder.path(), "n2", TreeFormat::Seeds, &to, &Silent);
    assert!(matches!(unknown, Err(OpsError::UnknownNight { .. })));
    assert!(to.join("night.reg").is_file(), "what was there stays");
}

#[test]
fn fields_have_catalogues_of_their_own_and_lost_frames_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let frames = vec![
        solved("a.fits", 10.0, 60_000.1),
        solved("b.fits", 50.0, 60_000.2),
        solved("a2.fits", 10.0, 60_000.3),
        FrameRecord {
            mid_mjd_utc: Some(60_000.4),
            ..empty_record("lost.fits", "lost", FrameStatus::Rejected)
        },
    ];
    let id = night(&store, "n1", frames.clone());
    for frame in &frames[..2] {
        let name = frame_product_name(&frame.frame, &frame.content_hash, "cat.fits");
        let products = store.products();
        let path = products.relative_path(&id, ProductKind::Catalogue, &name).expect("a name");
        ProductFile::write(&products.resolve(&path).expect("inside"), |path| {
            Ok(write_table(path, &Catalogue::default().to_columns(), &Header::new(), "SOURCES")?)
        })
        .expect("written");
    }
    let to = folder.path().join("out");
    let done = export_tree(folder.path(), "n1", TreeFormat::Seeds, &to, &Silent).expect("written");
    let text = |name: &str| std::fs::read_to_string(to.join(name)).unwrap_or_default();
    assert!(text("SSOS/cats/a.head").contains("FGROUPNO=                    1"));
    assert!(text("SSOS/cats/b.head").contains("FGROUPNO=                    2"));
    for name in ["full_1.cat", "full_2.cat", "merged_2.cat", "match_full_2.cat"] {
        assert!(to.join("SSOS/cats").join(name).is_file(), "{name}");
    }
    assert!(done.notes.iter().any(|note| note.starts_with("a2.fits: ")), "{:?}", done.notes);
    let list = text("list_notsolved.csv");
    assert_eq!(list, "Night,Images\nn1,['science-imaging_lost_red']\n");
    assert!(text("list_outliers.csv").contains("NaN science-imaging_a_red"));
    // The exposure's start: half of 60 s before its middle.
    let start = text("SSOS/cats/a.ahead");
    let number = start.split(&['=', '/'][..]).nth(1).and_then(|t| t.trim().parse::<f64>().ok());
    assert!(number.is_some_and(|mjd| (mjd - 60_000.1 + 30.0 / 86_400.0).abs() < 1e-9), "{start}");
}

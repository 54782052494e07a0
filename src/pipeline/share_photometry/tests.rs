//! A night of known zero points is found again, and again from its table alone.

use super::*;
use crate::pipeline::artifact::frame_record::FrameStatus;
use crate::pipeline::reduce::empty_record;
use crate::science::sky::wcs::Wcs;

const SIDE_PX: usize = 600;
const SHARE: f64 = 0.9;
const COLOUR_TERM: f64 = 0.05;
const EXPOSURE_S: f64 = 30.0;
const GAIN: f64 = 2.0;

fn wcs() -> Wcs {
    let scale = ARCSEC_RAD;
    Wcs {
        crval_rad: (1.0, 0.3),
        crpix_px: (299.5, 299.5),
        cd_rad_per_px: [[-scale, 0.0], [0.0, scale]],
        sip: None,
    }
}

fn colour(i: usize) -> f64 {
    0.6 + 0.05 * ((i * 7) % 30) as f64
}

fn g_mag(i: usize) -> f64 {
    12.5 + 0.04 * i as f64
}

fn place_px(i: usize) -> (f64, f64) {
    (30.0 + 50.0 * (i % 11) as f64, 30.0 + 60.0 * (i / 11) as f64)
}

const N_STARS: usize = 88;

fn stars() -> Vec<StarAtEpoch> {
    (0..N_STARS)
        .map(|i| {
            let (ra_rad, dec_rad) = wcs().to_sky(place_px(i).0, place_px(i).1);
            StarAtEpoch {
                source_id: i as i64,
                ra_rad,
                dec_rad,
                position_err_mas: 1.0,
                g_mag: Some(g_mag(i)),
                bp_rp_mag: Some(colour(i)),
            }
        })
        .collect()
}

/// A frame of a zero point [mag for e-/s]; star 5 is half a magnitude too faint.
fn frame(k: usize, zero: f64) -> NightFrame {
    let mut catalogue = Catalogue::default();
    let s = &mut catalogue.sources;
    for i in 0..N_STARS {
        let fault = if i == 5 { 0.5 } else { 0.0 };
        let mag = g_mag(i) - zero - COLOUR_TERM * (colour(i) - 0.82) + fault;
        let wave = 0.004 * ((i * 13 + k * 5) as f64).sin();
        let flux_e = SHARE * EXPOSURE_S * 10.0_f64.powf(-0.4 * (mag + wave));
        s.x_px.push(place_px(i).0);
        s.y_px.push(place_px(i).1);
        s.flux_e.push(flux_e);
        s.flux_err_e.push(0.003 * flux_e);
        s.flux_psf_e.push(flux_e);
        s.flux_psf_err_e.push(0.003 * flux_e);
        s.star_chance.push(1.0);
        s.trail_length_px.push(f64::NAN);
        s.snr.push(300.0);
        s.flags.push(SourceFlags::default());
    }
    (catalogue.mag, catalogue.mag_err) = (vec![0.0; N_STARS], vec![0.0; N_STARS]);
    catalogue.filter_mag = vec![0.0; N_STARS];
    NightFrame {
        name: format!("f{k}.fits"),
        content_hash: format!("0{k}"),
        chip: String::new(),
        mid_mjd_utc: 60_000.0 + 0.01 * k as f64,
        exposure_s: Some(EXPOSURE_S),
        wcs: wcs(),
        nx: SIDE_PX,
        ny: SIDE_PX,
        is_turned: false,
        limiting_mag: 20.0,
        fwhm_arcsec: 3.0,
        zero_point_err_mag: 0.01,
        electron_mag: None,
        filter: None,
        psf: None,
        catalogue,
    }
}

fn record(frame: &NightFrame, filter: &str) -> FrameRecord {
    let photometry = FramePhotometry {
        gain_e_per_adu: GAIN,
        aperture_px: 4.5,
        share: SHARE,
        share_err: 0.004,
        circle_share: 0.95,
        fwhm_px: 3.0,
        ..FramePhotometry::default()
    };
    FrameRecord {
        filter: Some(filter.to_owned()),
        exposure_s: frame.exposure_s,
        zero_point_mag: Some(21.0),
        limiting_mag: Some(20.0),
        photometry: Some(Box::new(photometry)),
        ..empty_record(&frame.name, &frame.content_hash, FrameStatus::Ok)
    }
}

const ZEROS: [f64; 4] = [22.0, 22.1, 21.9, 23.0];

fn night(params: &SharePhotometryParams) -> (Vec<NightFrame>, Vec<FrameRecord>, SharedPhotometry) {
    let frames: Vec<NightFrame> =
        ZEROS.iter().enumerate().map(|(k, zero)| frame(k, *zero)).collect();
    let filter = |k: usize| if k == 3 { "V" } else { "R" };
    let records: Vec<FrameRecord> =
        frames.iter().enumerate().map(|(k, f)| record(f, filter(k))).collect();
    let borrowed: Vec<&FrameRecord> = records.iter().collect();
    let shared = share_photometry(&frames, &borrowed, &|_, _, _| stars(), params);
    (frames, records, shared)
}

fn zero_of(shared: &SharedPhotometry, k: usize) -> f64 {
    let scale = shared.frames[k].as_ref().expect("stars");
    scale.solution.as_ref().expect("a solution").zero_point_mag
}

#[test]
fn each_frame_gets_its_zero_point_and_the_faulty_star_is_clipped() {
    let (_, _, shared) = night(&SharePhotometryParams::default());
    for (k, zero) in ZEROS.iter().enumerate() {
        assert!((zero_of(&shared, k) - zero).abs() < 0.002, "{k}: {}", zero_of(&shared, k));
    }
    assert_eq!(shared.notes.len(), 2, "{:?}", shared.notes);
    let groups: Vec<usize> = shared.table.frames.iter().map(|f| f.group).collect();
    assert!(groups[0] == groups[2] && groups[0] != groups[3]);
    let of_star = |id: i64| shared.table.stars.iter().filter(move |s| s.source_id == id);
    assert_eq!(of_star(5).filter(|s| s.state == StarUse::Clipped).count(), 4);
    assert_eq!(of_star(6).filter(|s| s.state == StarUse::Used).count(), 4);
}

#[test]
fn the_table_alone_gives_the_same_zero_points_and_others_with_other_limits() {
    let params = SharePhotometryParams::default();
    let (_, _, shared) = night(&params);
    let (columns, header) = shared.table.to_table();
    let mut table = PhotometryTable::from_table(&header, &columns).expect("a table");
    let (solutions, _) = refit(&mut table, &params);
    for (again, scale) in solutions.iter().zip(&shared.frames) {
        assert_eq!(again, &scale.as_ref().expect("stars").solution);
    }
    assert_eq!(table, shared.table);
    let regression = SharePhotometryParams {
        method: PhotometryMethod::Regression,
        regression: RegressionParams { max_mag: 14.0, ..RegressionParams::default() },
        ..params
    };
    let (solutions, _) = refit(&mut table, &regression);
    let line = solutions[0].as_ref().and_then(|s| s.line).expect("a line");
    // Of the stars between 12.5 and 14 the faulty one goes at least.
    assert!((37..=38).contains(&line.n_in_range), "{line:?}");
    assert!(line.n_used < line.n_in_range, "{line:?}");
    assert!((line.slope - 1.0).abs() < 0.03 && line.r2 > 0.99, "{line:?}");
}

#[test]
fn records_and_catalogues_take_the_scale_once_and_again() {
    let (mut frames, records, shared) = night(&SharePhotometryParams::default());
    let mut record = records[1].clone();
    take(&mut record, shared.frames[1].clone().expect("stars"));
    let per_adu = record.zero_point_mag.expect("taken");
    assert!((per_adu - (22.1 - 2.5 * GAIN.log10())).abs() < 0.002, "{per_adu}");
    // The frame's own zero point said 21.0: magnitudes change by as much.
    assert!((record.limiting_mag.expect("taken") - 20.0 - (per_adu - 21.0)).abs() < 1e-9);
    let shape = (SIDE_PX, SIDE_PX, false);
    apply(&mut frames[1].catalogue, &record, shape);
    let once = frames[1].catalogue.clone();
    for i in [0, 30, 80] {
        let expected = g_mag(i) - COLOUR_TERM * (colour(i) - 0.82);
        assert!((once.mag[i] - expected).abs() < 0.008, "{i}: {} {expected}", once.mag[i]);
    }
    apply(&mut frames[1].catalogue, &record, shape);
    let again = &frames[1].catalogue;
    assert!(again.mag == once.mag && again.filter_mag == once.filter_mag);
}

#[test]
fn light_of_unseen_stars_is_taken_off() {
    // A star four magnitudes fainter, one full width away, which no source shows.
    let mut listed = stars();
    let near = {
        let (x, y) = place_px(40);
        let (ra_rad, dec_rad) = wcs().to_sky(x + 3.0, y);
        StarAtEpoch { source_id: 1000, ra_rad, dec_rad, g_mag: Some(g_mag(40) + 4.2), ..listed[40] }
    };
    let frame = frame(0, 22.0);
    let record = record(&frame, "R");
    let measure = |listed: &[StarAtEpoch]| {
        let shared = share_photometry(
            std::slice::from_ref(&frame),
            &[&record],
            &|_, _, _| listed.to_vec(),
            &SharePhotometryParams::default(),
        );
        let star = shared.table.stars.iter().find(|s| s.source_id == 40).cloned();
        star.expect("measured").instrumental_mag
    };
    let alone = measure(&listed);
    listed.push(near);
    // A quarter to a third of 10^(-0.4 * 4.2) = 0.021.
    let change = measure(&listed) - alone;
    assert!((0.004..0.009).contains(&change), "{change}");
}

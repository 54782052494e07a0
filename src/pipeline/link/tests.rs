//! Five sources in a row: a mover, unless they are stars of the catalogue where these are by now.

use super::*;

const SCALE_ARCSEC: f64 = 1.0;
const SIDE_PX: usize = 600;
/// Time between frames [d], and how far the row of sources goes on meanwhile [px].
const STEP_D: f64 = 0.01;
const STEP_PX: (f64, f64) = (9.0, 4.0);
const START_MJD: f64 = 61_100.0;
const N_FRAMES: usize = 5;
/// Proper motion of the stars [arcsec/yr] to the north, and the epoch of their catalogue [d, MJD].
const PROPER_ARCSEC: f64 = 3.0;
const CATALOGUE_MJD: f64 = 57_388.5;

fn wcs() -> Wcs {
    Wcs {
        crval_rad: (2.0, 0.2),
        crpix_px: (300.0, 300.0),
        cd_rad_per_px: [[-SCALE_ARCSEC * ARCSEC_RAD, 0.0], [0.0, SCALE_ARCSEC * ARCSEC_RAD]],
        sip: None,
    }
}

fn place_px(k: usize) -> (f64, f64) {
    (250.3 + STEP_PX.0 * k as f64, 280.8 + STEP_PX.1 * k as f64)
}

/// A frame with one source.
fn frame(k: usize) -> NightFrame {
    let (x, y) = place_px(k);
    let (ra, dec) = wcs().to_sky(x, y);
    let mut catalogue = Catalogue::default();
    let s = &mut catalogue.sources;
    (s.x_px, s.y_px, s.position_err_px) = (vec![x], vec![y], vec![0.05]);
    (s.a_px, s.b_px, s.theta_rad) = (vec![1.3], vec![1.3], vec![0.0]);
    (s.snr, s.flags) = (vec![30.0], vec![SourceFlags::default()]);
    (catalogue.ra_rad, catalogue.dec_rad) = (vec![ra], vec![dec]);
    (catalogue.mag, catalogue.mag_err) = (vec![17.5], vec![0.03]);
    catalogue.filter_mag = vec![17.5];
    NightFrame {
        name: format!("f{k}.fits"),
        content_hash: format!("0{k}"),
        chip: String::new(),
        mid_mjd_utc: START_MJD + STEP_D * k as f64,
        exposure_s: Some(60.0),
        wcs: wcs(),
        nx: SIDE_PX,
        ny: SIDE_PX,
        is_turned: false,
        limiting_mag: 19.5,
        fwhm_arcsec: 3.0,
        zero_point_err_mag: 0.01,
        electron_mag: None,
        filter: None,
        psf: None,
        catalogue,
    }
}

struct NoPixels;

impl PixelSource for NoPixels {
    fn load(
        &self,
        _frame: &NightFrame,
    ) -> Option<(crate::science::image::Image<f32>, crate::science::image::mask::Mask)> {
        None
    }
}

/// A star for each source that is there in the night, and lay elsewhere at the catalogue's epoch.
fn stars_at(mjd: f64) -> Vec<StarAtEpoch> {
    let moved_rad = |mjd: f64| PROPER_ARCSEC * ARCSEC_RAD * (mjd - CATALOGUE_MJD) / 365.25;
    let star = |k: usize| {
        let (x, y) = place_px(k);
        let (ra_rad, dec_rad) = wcs().to_sky(x, y);
        StarAtEpoch {
            source_id: k as i64,
            ra_rad,
            dec_rad: dec_rad - moved_rad(START_MJD) + moved_rad(mjd),
            position_err_mas: 1.0,
            g_mag: Some(17.5),
            bp_rp_mag: Some(0.8),
        }
    };
    (0..N_FRAMES).map(star).collect()
}

#[test]
fn stars_of_the_catalogue_are_never_linked_whatever_their_proper_motion() {
    let frames: Vec<NightFrame> = (0..N_FRAMES).map(frame).collect();
    let of = |stars: &dyn Fn(f64) -> Vec<StarAtEpoch>| {
        let around = |_: (f64, f64), _: f64, mjd: f64| stars(mjd);
        link_night(&frames, &around, &NoPixels, &NightParams::default())
    };
    let linked = of(&|_| Vec::new());
    assert_eq!(linked.candidates.len(), 1, "five sources in a row are a mover");
    assert_eq!(linked.candidates[0].detections.len(), N_FRAMES);
    // Two-pass removal of ssos (REMOVE_REF_SOURCES), before anything is linked.
    let linked = of(&stars_at);
    assert!(linked.candidates.is_empty(), "{:?}", linked.candidates);
    let roles: Vec<Role> = linked.linking.sources.iter().map(|s| s.role).collect();
    assert_eq!(roles, [Role::Star; N_FRAMES]);
    // At the catalogue's own epoch the stars lay half an arcminute away: that would not do.
    let linked = of(&|_| stars_at(CATALOGUE_MJD));
    assert_eq!(linked.candidates.len(), 1);
}

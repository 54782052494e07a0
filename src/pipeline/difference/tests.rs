//! The made-up field of [`super::super::recover`]: a mover that passes a star in one frame.

use super::*;
use crate::pipeline::recover::tests::{
    CENTRE_RAD, HIDDEN, MOVER_E, Made, N_FRAMES, STARS, field, frame, image, mover,
};
use crate::science::movers::field::{FieldFrame, PlaneDetection};
use crate::science::sky::tan::TangentPlane;

/// The field with all stars in all frames and the mover where no star hides it.
fn with_stars() -> Vec<FieldFrame> {
    let mut field = field();
    for (k, frame) in field.iter_mut().enumerate() {
        let like = frame.detections[0];
        if k == HIDDEN {
            frame.detections.clear();
        }
        frame.detections.extend(STARS.iter().map(|((east, north), _)| {
            let (detector_x_px, detector_y_px) = (0.0, 0.0);
            PlaneDetection {
                east_arcsec: *east,
                north_arcsec: *north,
                snr: 100.0,
                role: Role::Star,
                detector_x_px,
                detector_y_px,
                ..like
            }
        }));
        frame.detections.sort_by(|a, b| a.east_arcsec.total_cmp(&b.east_arcsec));
    }
    field
}

/// What the frames hold beyond the static sky when the mover gives this light.
fn found(light_e: f64) -> Vec<Vec<Recovered>> {
    let made = Made((0..N_FRAMES).map(|k| image(k, light_e)).collect());
    let frames: Vec<NightFrame> = (0..N_FRAMES).map(frame).collect();
    let frames: Vec<&NightFrame> = frames.iter().collect();
    let (mut field, plane) = (with_stars(), TangentPlane::at(CENTRE_RAD));
    for (seen, frame) in field.iter_mut().zip(&frames) {
        for d in &mut seen.detections {
            let (ra, dec) =
                plane.deproject(d.east_arcsec * ARCSEC_RAD, d.north_arcsec * ARCSEC_RAD);
            (d.detector_x_px, d.detector_y_px) = frame.wcs.to_pixel(ra, dec).expect("inside");
        }
    }
    let view = FieldView { frames: &frames, field: &field, plane: &plane };
    differences(view, &StationaryParams::default(), &made)
}

#[test]
fn a_mover_in_a_blend_is_told_once_and_nothing_else() {
    let found = found(MOVER_E);
    let all: Vec<&Recovered> = found.iter().flatten().collect();
    let [it] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(it.frame, HIDDEN);
    let (east, north) = mover(HIDDEN);
    let off = (it.point.east_arcsec - east).hypot(it.point.north_arcsec - north);
    // Two axes: 3 errors hold 99 %.
    assert!(off < 3.0 * it.point.sigma_arcsec && it.point.sigma_arcsec < 0.6, "{it:?} {off}");
    assert!(it.snr > 5.0 && it.mag_err < 0.25, "{it:?}");
}

#[test]
fn stars_alone_give_nothing() {
    assert!(found(0.0).iter().all(Vec::is_empty));
}

#[test]
fn what_is_seen_again_at_another_time_stands_still() {
    let frames: Vec<NightFrame> = (0..N_FRAMES).map(frame).collect();
    let frames: Vec<&NightFrame> = frames.iter().collect();
    let (field, plane) = (with_stars(), TangentPlane::at(CENTRE_RAD));
    let view = FieldView { frames: &frames, field: &field, plane: &plane };
    let at = |frame: usize, east_arcsec: f64| Recovered {
        frame,
        place_px: (60.0, 60.0),
        sky_rad: CENTRE_RAD,
        point: PlanePoint {
            t_h: field[frame].t_h,
            east_arcsec,
            north_arcsec: 0.0,
            sigma_arcsec: 0.2,
        },
        mag: 19.0,
        mag_err: 0.1,
        snr: 8.0,
    };
    let mut found: Vec<Vec<Recovered>> = vec![Vec::new(); N_FRAMES];
    // A variable star, bright in two frames, and two places of a mover.
    found[0] = vec![at(0, 10.0), at(0, -30.0)];
    found[6] = vec![at(6, 10.3), at(6, 30.0)];
    drop_still(&mut found, view, &StationaryParams::default());
    let left: Vec<f64> = found.iter().flatten().map(|r| r.point.east_arcsec).collect();
    assert_eq!(left.len(), 2);
    assert!(left[0] < -29.0 && left[1] > 29.0, "{left:?}");
}

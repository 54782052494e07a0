//! A field's detections: those of the frames' catalogues and those of their differences.

use super::{FieldFrame, NightFrame};
use crate::pipeline::recover::Recovered;
use crate::science::movers::field::{DetectionId, PlaneDetection, Role};
use crate::science::movers::link::Tracklet;
use crate::science::movers::motion::{Motion, PlanePoint};

/// Detections of catalogues that foretell where to measure the others.
const FORETELLING_MIN: usize = 3;

/// Where a detection on the plane comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Row of the frame's catalogue.
    Catalogue(usize),
    /// Row of what the frame holds beyond the static sky.
    Difference(usize),
}

/// Takes the sources of a frame's difference into its detections, which stay in order.
pub(super) fn unite(
    field: &mut FieldFrame,
    origins: &mut Vec<Origin>,
    (frame, beyond): (&NightFrame, &[Recovered]),
) {
    if beyond.is_empty() {
        return;
    }
    let mut rows: Vec<(PlaneDetection, Origin)> =
        field.detections.drain(..).zip(origins.drain(..)).collect();
    rows.extend(beyond.iter().enumerate().map(|(i, r)| {
        let (detector_x_px, detector_y_px) = frame.on_detector(r.place_px.0, r.place_px.1);
        let detection = PlaneDetection {
            east_arcsec: r.point.east_arcsec,
            north_arcsec: r.point.north_arcsec,
            sigma_arcsec: r.point.sigma_arcsec,
            mag: r.mag,
            snr: r.snr,
            detector_x_px,
            detector_y_px,
            streak: None,
            role: Role::Free,
        };
        (detection, Origin::Difference(i))
    }));
    // The sort is stable: what lies at one place keeps the catalogue's order.
    rows.sort_by(|a, b| a.0.east_arcsec.total_cmp(&b.0.east_arcsec));
    (field.detections, *origins) = rows.into_iter().unzip();
}

/// Takes the members from differences out of a tracklet that foretells them without; gives them.
///
/// Where a mover is known to be its light is measured better, on the frame's own pixels, than where
/// it was stumbled upon.
pub(super) fn set_aside(
    tracklet: &mut Tracklet,
    origins: &[Vec<Origin>],
    field: &[FieldFrame],
) -> Vec<DetectionId> {
    let is_difference = |m: &DetectionId| {
        matches!(origins[m.frame as usize][m.index as usize], Origin::Difference(_))
    };
    let (aside, kept): (Vec<DetectionId>, Vec<DetectionId>) =
        tracklet.members.iter().copied().partition(is_difference);
    let points: Vec<PlanePoint> =
        kept.iter().map(|m| field[m.frame as usize].point(m.index as usize)).collect();
    if aside.is_empty() || kept.len() < FORETELLING_MIN {
        return Vec::new();
    }
    let Some(motion) = Motion::fit(&points) else { return Vec::new() };
    (tracklet.members, tracklet.motion) = (kept, motion);
    aside
}

/// Puts those back in whose frames gave nothing; gives the frames of all.
pub(super) fn take_back(
    tracklet: &mut Tracklet,
    aside: Vec<DetectionId>,
    found: &[Recovered],
) -> Vec<usize> {
    let frames = aside.iter().map(|m| m.frame as usize).collect();
    let is_found = |m: &DetectionId| found.iter().any(|r| r.frame == m.frame as usize);
    tracklet.members.extend(aside.into_iter().filter(|m| !is_found(m)));
    tracklet.members.sort_by_key(|m| m.frame);
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::movers::score::Score;

    /// A frame with a detection on a straight way, a second from a difference.
    fn frame(k: u32) -> FieldFrame {
        let detection =
            PlaneDetection { east_arcsec: 10.0 * f64::from(k), ..PlaneDetection::example() };
        FieldFrame { t_h: f64::from(k), detections: vec![detection], ..FieldFrame::example() }
    }

    #[test]
    fn members_of_differences_are_measured_again_where_others_foretell_them() {
        let field: Vec<FieldFrame> = (0..5).map(frame).collect();
        let members: Vec<DetectionId> =
            (0..5).map(|frame| DetectionId { frame, index: 0 }).collect();
        let points: Vec<PlanePoint> = field.iter().map(|f| f.point(0)).collect();
        let tracklet = Tracklet {
            members: members.clone(),
            motion: Motion::fit(&points).expect("five places"),
            score: Score { log_odds: 9.0, mag: 19.0, n_expected: 5, n_covered: 5 },
        };
        let origin = |is_difference: bool| match is_difference {
            true => vec![Origin::Difference(0)],
            false => vec![Origin::Catalogue(0)],
        };
        let origins: Vec<Vec<Origin>> =
            [false, true, false, true, false].map(origin).into_iter().collect();
        let mut stripped = tracklet.clone();
        let aside = set_aside(&mut stripped, &origins, &field);
        assert_eq!(aside, [members[1], members[3]]);
        assert_eq!(stripped.members, [members[0], members[2], members[4]]);
        let found = Recovered {
            frame: 3,
            place_px: (0.0, 0.0),
            sky_rad: (0.0, 0.0),
            point: points[3],
            mag: 19.0,
            mag_err: 0.1,
            snr: 8.0,
        };
        assert_eq!(take_back(&mut stripped, aside, &[found]), [1, 3]);
        assert_eq!(stripped.members, [members[0], members[1], members[2], members[4]]);
        // Two of catalogues foretell nothing.
        let mut kept = tracklet.clone();
        let origins: Vec<Vec<Origin>> =
            [true, true, false, true, false].map(origin).into_iter().collect();
        assert!(set_aside(&mut kept, &origins, &field).is_empty());
        assert_eq!(kept, tracklet);
    }
}

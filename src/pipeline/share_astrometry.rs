//! The night's last word on astrometry: frames of one camera share its distortion.
//!
//! A function of the night's solved frames alone: each frame brings its sources and its own
//! solution as they were when it was reduced, whenever that was. See `astrometry::shared`.

use super::link::NightFrame;
use super::solve::{HintParams, image_stars};
use crate::science::astrometry::crowding::{Neighbour, pulls_px};
use crate::science::astrometry::fit::PairedStar;
use crate::science::astrometry::matching::{StarGrid, pair_up};
use crate::science::astrometry::shared::{ShareParams, SharedFrame, share};
use crate::science::astrometry::{FrameSize, ImageStar, SolveParams};
use crate::science::reference::StarAtEpoch;
use crate::science::sky::keywords::Convention;
use crate::science::sky::wcs::Wcs;
use crate::science::units::ARCSEC_RAD;

/// Frames whose scales differ by more than this share are not of one camera.
const SCALE_SAME: f64 = 0.005;
/// Sources this near to where a catalogue star should be are taken for it [px]...
const RADIUS_PX: f64 = 1.5;
/// ... or this near in units of their own error, where that is more.
const RADIUS_SIGMA: f64 = 4.0;
/// Largest radius [px].
const RADIUS_MAX_PX: f64 = 3.0;

/// Parameters of the shared solution.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShareAstrometryParams {
    /// How sources become stars.
    pub hint: HintParams,
    /// Floor of the errors and highest order.
    pub solve: SolveParams,
    /// How distortion is written.
    pub convention: Convention,
}

/// The better solution of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedSolution {
    /// Number of the frame.
    pub frame: usize,
    /// From pixels to the sky.
    pub wcs: Wcs,
    /// Residual of the used stars per axis [arcsec].
    pub rms_arcsec: f64,
    /// Number of stars used.
    pub n_used: usize,
}

/// Better solutions and what is to be said of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SharedAstrometry {
    /// Solutions of the frames that share; the others keep their own.
    pub solutions: Vec<SharedSolution>,
    /// A line for each camera.
    pub notes: Vec<String>,
}

/// Finds the distortion that frames of a camera share; frames must be in a fixed order.
///
/// `stars`: the catalogue around a centre [rad] within a radius [rad] at an epoch [d, MJD UTC].
pub fn share_astrometry(
    frames: &[NightFrame],
    stars: &dyn Fn((f64, f64), f64, f64) -> Vec<StarAtEpoch>,
    params: &ShareAstrometryParams,
) -> SharedAstrometry {
    let mut found = SharedAstrometry::default();
    for members in cameras(frames) {
        let size = size(&frames[members[0]]);
        let own: Vec<SharedFrame> =
            members.iter().map(|&i| shared_frame(&frames[i], stars, params)).collect();
        let share_params = ShareParams {
            size,
            order_max: params.solve.shared_order_max,
            floor_mas: params.solve.floor_mas,
        };
        let shared = share(&own, &share_params);
        let Some(distortion) = &shared.distortion else { continue };
        let n_before = found.solutions.len();
        for (&frame, fit) in members.iter().zip(shared.fits) {
            let Some(fit) = fit else { continue };
            found.solutions.push(SharedSolution {
                frame,
                n_used: fit.is_used.iter().filter(|used| **used).count(),
                rms_arcsec: fit.rms_arcsec,
                wcs: fit.wcs,
            });
        }
        found.notes.push(format!(
            "a distortion of order {} is shared by {} of {} frames of {} x {} px",
            distortion.order,
            found.solutions.len() - n_before,
            members.len(),
            size.nx,
            size.ny
        ));
    }
    found
}

pub(super) fn size(frame: &NightFrame) -> FrameSize {
    FrameSize { nx: frame.nx, ny: frame.ny }
}

/// Frames of the same size, scale and parity.
pub(super) fn cameras(frames: &[NightFrame]) -> Vec<Vec<usize>> {
    let mut cameras: Vec<Vec<usize>> = Vec::new();
    for (i, frame) in frames.iter().enumerate() {
        let is_same = |camera: &&mut Vec<usize>| {
            let first = &frames[camera[0]];
            let ratio = first.wcs.pixel_scale_arcsec() / frame.wcs.pixel_scale_arcsec();
            size(first) == size(frame)
                && (ratio - 1.0).abs() < SCALE_SAME
                && first.wcs.is_mirrored() == frame.wcs.is_mirrored()
        };
        match cameras.iter_mut().find(is_same) {
            Some(camera) => camera.push(i),
            None => cameras.push(vec![i]),
        }
    }
    cameras
}

/// A frame with its stars paired anew by its own solution.
fn shared_frame(
    frame: &NightFrame,
    stars: &dyn Fn((f64, f64), f64, f64) -> Vec<StarAtEpoch>,
    params: &ShareAstrometryParams,
) -> SharedFrame {
    let size = size(frame);
    let centre = size.centre_px();
    let scale_arcsec = frame.wcs.pixel_scale_arcsec();
    let radius_rad = 1.05 * size.half_diagonal_px() * scale_arcsec * ARCSEC_RAD;
    let references = stars(frame.wcs.to_sky(centre.0, centre.1), radius_rad, frame.mid_mjd_utc);
    let on_frame: Vec<(StarAtEpoch, (f64, f64))> = references
        .into_iter()
        .filter_map(|star| frame.wcs.to_pixel(star.ra_rad, star.dec_rad).map(|p| (star, p)))
        .filter(|(_, p)| size.holds(p.0, p.1))
        .take(params.solve.fit_stars_max)
        .collect();
    let neighbour = |(star, place_px): &(StarAtEpoch, (f64, f64))| Neighbour {
        place_px: *place_px,
        mag: star.g_mag,
    };
    let neighbours: Vec<Neighbour> = on_frame.iter().map(neighbour).collect();
    let pulls = pulls_px(&neighbours, size, frame.fwhm_arcsec / scale_arcsec);
    let (sources, _) = image_stars(&frame.catalogue.sources, &params.hint);
    let places: Vec<(f64, f64)> = sources.iter().map(|s| (s.x_px, s.y_px)).collect();
    let predictions: Vec<(f64, f64)> = on_frame.iter().map(|(_, p)| *p).collect();
    let pairs = pair_up(&predictions, &StarGrid::new(&places, size), RADIUS_MAX_PX)
        .into_iter()
        .filter_map(|(r, s)| {
            let err = sources[s].position_err_px;
            let (dx, dy) = (places[s].0 - predictions[r].0, places[s].1 - predictions[r].1);
            let is_near = dx.hypot(dy) <= RADIUS_PX.max(RADIUS_SIGMA * err);
            let image = ImageStar { position_err_px: err.hypot(pulls[r]), ..sources[s] };
            is_near.then_some(PairedStar { image, star: on_frame[r].0 })
        })
        .collect();
    SharedFrame {
        pairs,
        wcs: frame.wcs.clone(),
        mid_mjd: frame.mid_mjd_utc,
        is_turned: frame.is_turned,
    }
}

//! The night's last word on astrometry: frames of one camera share its distortion.
//!
//! A function of the night's solved frames alone: each frame brings its sources and its own
//! solution as they were when it was reduced, whenever that was. See `astrometry::shared`.

use super::link::NightFrame;
use super::solve::{HintParams, image_stars};
use crate::science::astrometry::crowding::{Neighbour, pulls_px};
use crate::science::astrometry::fit::{Fit, PairedStar};
use crate::science::astrometry::matching::{StarGrid, pair_up};
use crate::science::astrometry::shared::{ShareParams, SharedFrame, share};
use crate::science::astrometry::trends::{Slope, StarResidual, Trends, trends};
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
/// Scatter of places that no error explains, in the weights of the slopes [mas].
const PLACE_FLOOR_MAS: f64 = 10.0;
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

/// Finds the distortion that frames of a camera share; the order of the frames is of no matter.
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
        let mut residuals = Vec::new();
        for ((&frame, fit), paired) in members.iter().zip(shared.fits).zip(&own) {
            let Some(fit) = fit else { continue };
            residuals.extend(star_residuals(paired, &fit));
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
        found.notes.extend(trends(&residuals).map(|trends| told(&trends)));
    }
    found.solutions.sort_by_key(|solution| solution.frame);
    found
}

/// Residuals of a frame's used stars along the detector's axes.
fn star_residuals(frame: &SharedFrame, fit: &Fit) -> Vec<StarResidual> {
    let scale_mas = 1000.0 * fit.wcs.pixel_scale_arcsec();
    let [[c00, c01], [c10, c11]] = fit.wcs.cd_rad_per_px;
    let determinant = (c00 * c11 - c01 * c10) / ARCSEC_RAD;
    let sign = if frame.is_turned { -1.0 } else { 1.0 };
    let all = frame.pairs.iter().zip(&fit.residuals_arcsec).zip(&fit.is_used);
    all.filter(|(_, used)| **used)
        .filter_map(|((pair, (east, north)), _)| {
            let x_px = (c11 * east - c01 * north) / determinant;
            let y_px = (c00 * north - c10 * east) / determinant;
            let err_mas = pair.image.position_err_px * scale_mas;
            Some(StarResidual {
                residual_mas: (sign * x_px * scale_mas, sign * y_px * scale_mas),
                err_mas: err_mas.hypot(pair.star.position_err_mas).hypot(PLACE_FLOOR_MAS),
                mag: pair.star.g_mag?,
                colour_mag: pair.star.bp_rp_mag?,
            })
        })
        .collect()
}

/// The slopes in words.
fn told(trends: &Trends) -> String {
    let slope = |slope: &Slope| {
        let (value, err) = (slope.mas_per_mag, slope.err_mas_per_mag);
        format!("x {:+.2} +- {:.2}, y {:+.2} +- {:.2} mas/mag", value.0, err.0, value.1, err.1)
    };
    format!(
        "places change with magnitude G by {} and with colour BP-RP by {} ({} stars, along the \
         detector's columns and rows; measured, not applied)",
        slope(&trends.magnitude),
        slope(&trends.colour),
        trends.n_stars
    )
}

pub(super) fn size(frame: &NightFrame) -> FrameSize {
    FrameSize { nx: frame.nx, ny: frame.ny }
}

/// Frames of the same part of a detector, size, scale and parity.
pub(super) fn cameras(frames: &[NightFrame]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..frames.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&frames[a], &frames[b]);
        a.mid_mjd_utc.total_cmp(&b.mid_mjd_utc).then_with(|| a.content_hash.cmp(&b.content_hash))
    });
    let mut cameras: Vec<Vec<usize>> = Vec::new();
    for i in order {
        let frame = &frames[i];
        let is_same = |camera: &&mut Vec<usize>| {
            let first = &frames[camera[0]];
            let ratio = first.wcs.pixel_scale_arcsec() / frame.wcs.pixel_scale_arcsec();
            first.chip == frame.chip
                && size(first) == size(frame)
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

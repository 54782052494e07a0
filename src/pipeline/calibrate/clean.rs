//! What does not belong to the sky: columns that shine by themselves, trails, cosmic rays.

use super::Calibrated;
use crate::pipeline::artifact::frame_info::FrameInfo;
use crate::science::calib::columns::mark_bad_columns;
use crate::science::calib::cosmic::{CosmicParams, CosmicRays, mark_cosmic_rays};
use crate::science::calib::trails::{TrailParams, mark_trails};

/// A trail must be longer than the fastest object's by this factor.
const LENGTH_FACTOR: f64 = 1.5;

/// Bad columns side by side that are no trail for certain [px].
const NARROW_PX: usize = 2;

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct CleanParams {
    /// Cosmic rays; `None` = not looked for.
    pub cosmic_rays: Option<CosmicParams>,
    /// Trails of satellites and aircraft; `None` = not looked for.
    pub trails: Option<TrailParams>,
    /// Fastest object whose trail is never taken for a satellite's [arcsec/h].
    pub rate_max_arcsec_per_h: f64,
}

impl Default for CleanParams {
    fn default() -> Self {
        Self {
            cosmic_rays: Some(CosmicParams::default()),
            trails: Some(TrailParams::default()),
            rate_max_arcsec_per_h: 2400.0,
        }
    }
}

/// Marks what does not belong to the sky; says in the steps and notes what was found.
pub fn clean(frame: &mut Calibrated, info: &FrameInfo, params: &CleanParams) {
    let narrow = mark_bad_columns(&mut frame.pixels, NARROW_PX);
    if let Some(trails) = &params.trails {
        let trails = for_frame(trails, info, params.rate_max_arcsec_per_h);
        for trail in mark_trails(&mut frame.pixels, &trails) {
            let ((x0, y0), (x1, y1)) = (trail.from_px, trail.to_px);
            frame.notes.push(format!(
                "trail of a satellite or aircraft masked: ({x0:.0}, {y0:.0}) to \
                 ({x1:.0}, {y1:.0}), {:.0} px wide",
                trail.width_px
            ));
        }
    }
    let mut n_columns = narrow.n_marked;
    if narrow.n_left > 0 {
        // Those that were no trail.
        n_columns += mark_bad_columns(&mut frame.pixels, usize::MAX).n_marked;
    }
    if n_columns > 0 {
        frame.steps.push(format!("{n_columns} columns off their neighbours marked bad"));
    }
    if let Some(cosmic) = &params.cosmic_rays {
        match mark_cosmic_rays(&mut frame.pixels, cosmic) {
            CosmicRays::Marked { n_pixels: 0 } => {}
            CosmicRays::Marked { n_pixels } => {
                frame.steps.push(format!("{n_pixels} pixels hit by cosmic rays masked"));
            }
            CosmicRays::GivenUp => {
                frame.notes.push("cosmic rays not masked: the frame is too rough".to_owned());
            }
        }
    }
}

/// A trail that begins or ends inside must be longer than any object's of this exposure.
fn for_frame(params: &TrailParams, info: &FrameInfo, rate_max_arcsec_per_h: f64) -> TrailParams {
    let mut params = params.clone();
    if let Some(scale_arcsec) = info.pixel_scale_arcsec.filter(|s| *s > 0.0) {
        let longest_px = rate_max_arcsec_per_h * info.exposure_s / 3600.0 / scale_arcsec;
        let least_px = &mut params.inside_length_min_px;
        *least_px = least_px.max(LENGTH_FACTOR * longest_px);
    }
    params
}

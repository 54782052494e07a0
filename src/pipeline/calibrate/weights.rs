//! What a map of weights does to a frame: dead pixels are masked before anything is done, and the
//! variance of the others follows the map.
//!
//! A map has the shape of the raw frame, or that of the calibrated one, and lies as the raw file.
//! One of another shape is not used, and the frame's notes say so.

use std::sync::Arc;

use super::Calibrated;
use crate::pipeline::artifact::frame_info::FrameInfo;
use crate::pipeline::masters::prepare::trim_window;
use crate::pipeline::masters::select::MasterSet;
use crate::science::calib::defects::add_mask;
use crate::science::calib::weights::{RelativeNoise, relative_noise};
use crate::science::image::Image;

/// The weights of a frame, or why there are none.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameWeights(Result<RelativeNoise, String>);

impl FrameWeights {
    /// Fits a map to a frame.
    pub fn new(weights: &Image<f32>, info: &FrameInfo) -> Self {
        let window = trim_window(info);
        let (columns, rows) = (window.columns, window.rows);
        let shape = (weights.nx(), weights.ny());
        let fitting = if shape == (info.nx, info.ny) {
            relative_noise(&weights.window(columns.start, columns.end, rows.start, rows.end))
        } else if shape == (columns.len(), rows.len()) {
            relative_noise(weights)
        } else {
            return Self(Err(format!(
                "WARNING: the map of weights has {} x {} px and not the frame's {} x {}: not used",
                shape.0, shape.1, info.nx, info.ny
            )));
        };
        let empty = || "WARNING: the map of weights has no positive weight: not used".to_owned();
        Self(fitting.ok_or_else(empty))
    }

    /// The masters with the dead pixels added to the bad ones.
    pub fn with_dead(&self, masters: &MasterSet) -> MasterSet {
        let mut masters = masters.clone();
        let Ok(noise) = &self.0 else { return masters };
        let mut dead = noise.dead.clone();
        if let Some(bad) = masters.bad.as_ref().filter(|bad| bad.same_shape(&dead)) {
            add_mask(&mut dead, bad);
        }
        masters.bad = Some(Arc::new(dead));
        masters
    }

    /// Makes the frame's variance follow the map.
    pub fn apply(self, frame: &mut Calibrated) {
        let noise = match self.0 {
            Ok(noise) => noise,
            Err(why) => return frame.notes.push(why),
        };
        let variance = frame.pixels.variance_e2.pixels_mut().iter_mut();
        for (variance, ratio) in variance.zip(noise.ratio.pixels()) {
            *variance *= ratio * ratio;
        }
        frame.steps.push(format!("variance by a map of weights, {} px without one", noise.n_dead));
        frame.noise_ratio = Some(noise.ratio);
    }
}

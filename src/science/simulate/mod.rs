//! A whole night out of nothing but numbers, for `autossosctl demo` and the end-to-end tests.
//!
//! [`Scenario`] says what the night is like; [`SimulatedNight`] draws sky, camera and observing
//! log from its seed once, and renders each frame when asked, so memory holds one frame per
//! caller. The same seed gives the same pixels on any number of threads. Nothing here is
//! shared with calibration, detection or astrometry: an error there cannot hide here.
//!
//! Light goes the way it goes in nature: `sky` and `motion` say what is where, `plan` when
//! and through which air it is seen, `projection` on which pixel it falls, `psf` how it spreads,
//! `detector` what is read out. `truth` keeps what a perfect pipeline would find.
//!
//! Left out: refraction, differential aberration, parallax, pixel areas (below 0.1 %),
//! colour-dependent extinction, fringes, shutter effects, satellites.

mod catalogue;
mod detector;
mod frame;
mod header;
mod limits;
mod motion;
mod plan;
mod projection;
mod psf;
mod random;
mod scenario;
mod sky;
#[cfg(test)]
mod tests;
mod truth;

pub use header::{SimulatedCard, SimulatedValue};
pub use limits::ScenarioError;
pub use scenario::{
    Camera, Flip, MoverModel, PointingModel, Scenario, Seeing, SkyModel, StarModel,
};
pub use truth::{TrueFrame, TrueMover, TruePlace, Truth};

use crate::science::image::Image;

/// A simulated night, ready to be taken frame by frame.
#[derive(Debug, Clone)]
pub struct SimulatedNight {
    scenario: Scenario,
    detector: detector::Detector,
    content: frame::SkyContent,
    frames: Vec<plan::FramePlan>,
    header_place_rad: (f64, f64),
    truth: Truth,
}

/// One raw frame of the night.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedFrame {
    /// File name, with `.fits`.
    pub name: String,
    /// Header cards without the structural ones (SIMPLE, BITPIX, NAXISn, BSCALE, BZERO).
    pub cards: Vec<SimulatedCard>,
    /// Raw pixels [ADU], to be written as 16 bits with BZERO = 32768; first row is y = 0.
    pub pixels: Image<u16>,
}

impl SimulatedNight {
    /// Draws the night of a scenario.
    ///
    /// Panics when [`Scenario::check`] refuses the scenario.
    pub fn new(scenario: &Scenario) -> Self {
        if let Err(error) = scenario.check() {
            panic!("the caller checks the scenario: {error}");
        }
        let frames = plan::frames(scenario);
        let movers = motion::movers(scenario);
        let truth = truth::truth(scenario, &frames, &movers);
        let (stars, galaxies) = (sky::stars(scenario), sky::galaxies(scenario));
        Self {
            scenario: scenario.clone(),
            detector: detector::Detector::new(scenario),
            content: frame::SkyContent { stars, galaxies, movers },
            frames,
            header_place_rad: plan::header_place_rad(scenario),
            truth,
        }
    }

    /// Number of frames: biases, darks, flats and science frames.
    pub fn n_frames(&self) -> usize {
        self.frames.len()
    }

    /// Takes frame `i` of `0..n_frames()`; panics beyond.
    ///
    /// The order is biases, darks, flats, science frames. Uses rayon over the frame's rows; may
    /// itself be called from several threads.
    pub fn frame(&self, i: usize) -> SimulatedFrame {
        let plan = &self.frames[i];
        let pixels = frame::take(&self.scenario, &self.detector, &self.content, plan, i);
        let cards = header::cards(&self.scenario, plan, self.header_place_rad);
        SimulatedFrame { name: plan.name.clone(), cards, pixels }
    }

    /// The reference catalogue as CSV with the Gaia archive's columns, places of 2016.0.
    pub fn reference_csv(&self) -> String {
        catalogue::reference_csv(&self.scenario, &self.content.stars)
    }

    /// The predicted places of the known movers as CSV, a row per science frame and mover.
    pub fn known_csv(&self) -> String {
        catalogue::known_csv(&self.content.movers, &self.frames)
    }

    /// What a perfect pipeline would find.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }
}

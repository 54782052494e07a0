//! Finds and separates sources on a signal-to-noise map.
//!
//! Sources lie on islands of pixels above a threshold; each island is separated by itself. Its
//! pixels are taken from the brightest downwards and join the source of a neighbour already
//! taken. Where two sources meet, the fainter survives as a source of its own when its summit
//! stands high enough above the pass between them (topological persistence; the same decision
//! SExtractor takes with its multi-threshold tree, but exact and without levels).

mod flood;
mod islands;

use rayon::prelude::*;

use crate::science::image::Image;
use flood::Flood;
use islands::{islands_of, key};

/// Which summits count as sources.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentParams {
    /// Lowest signal-to-noise ratio of a pixel that belongs to a source.
    pub pixel_snr_min: f64,
    /// Lowest signal-to-noise ratio of a source's summit.
    pub peak_snr_min: f64,
    /// Lowest height of a summit above the pass to a brighter one, in units of local noise.
    pub prominence_sigma_min: f64,
    /// Above this height the summit is in doubt: a source of its own until fits decide.
    pub doubt_sigma_min: f64,
    /// Lowest height of a summit above the pass, as a share of the brighter summit.
    pub prominence_share_min: f64,
    /// Fewest pixels of a source.
    pub pixels_min: usize,
    /// Most pixels that are looked at; the brightest stay.
    pub pixels_max: usize,
}

impl Default for SegmentParams {
    fn default() -> Self {
        Self {
            pixel_snr_min: 2.5,
            peak_snr_min: 4.0,
            prominence_sigma_min: 2.5,
            doubt_sigma_min: 1.5,
            prominence_share_min: 0.004,
            pixels_min: 1,
            pixels_max: 6_000_000,
        }
    }
}

/// Pixels of one source on the signal-to-noise map.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Column of the summit [px].
    pub peak_x: usize,
    /// Row of the summit [px].
    pub peak_y: usize,
    /// Signal-to-noise ratio of the summit.
    pub peak_snr: f32,
    /// Places of all pixels, as `y * nx + x`, brightest first.
    pub pixels: Vec<u32>,
    /// Whether it touches another source.
    pub is_blended: bool,
    /// Summit, as `y * nx + x`, of the brighter source it may be a mere bump of.
    pub doubted_by: Option<u32>,
}

/// What the map itself does not tell about a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ground {
    /// Standard deviation in units of the sky's, at least 1: a source's own photons add noise.
    pub noise_growth: f32,
    /// Whether everything that meets here is one source: a saturated star has false summits.
    pub is_one_source: bool,
}

/// Separates the sources of a map, in order of their summits' height.
///
/// * `snr`: signal-to-noise ratio per pixel; values that are not finite are left out.
/// * `ground`: noise and nature of a pixel, by its index in the map.
pub fn find_segments(
    snr: &Image<f32>,
    ground: impl Fn(usize) -> Ground + Sync,
    params: &SegmentParams,
) -> Vec<Segment> {
    let islands = islands_of(snr, params);
    let mut segments: Vec<Segment> = (0..islands.len())
        .into_par_iter()
        .map_init(Flood::default, |flood, i| {
            flood.segments(snr.nx(), islands.island(i), &ground, params)
        })
        .flatten_iter()
        .collect();
    // Equal summits go by place, so that the result is the same on every machine.
    segments.sort_by_key(|s| key(s.peak_snr, (s.peak_y * snr.nx() + s.peak_x) as u32));
    segments
}

#[cfg(test)]
mod tests;

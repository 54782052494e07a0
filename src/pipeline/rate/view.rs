//! A frame's catalogue as rating asks it: the source at a place, and sources of its brightness.
//!
//! What a faint star looks like depends on its brightness: its shape is measured on the few pixels
//! above the threshold. So a detection is compared with the sources next to it in signal-to-noise
//! ratio, in the same frame; in a field of stars nearly all of them are stars.

use crate::pipeline::link::NightFrame;
use crate::science::detect::sources::SourceFlags;
use crate::science::image::stats::{median, median_and_scatter};

/// A source is looked for this far from a detection's place [px].
const SAME_PX: f64 = 0.5;
/// Neighbours in brightness, on either side.
const NEIGHBOURS: usize = 40;
/// Fewest clean ones to compare with.
const CLEAN_MIN: usize = 8;

/// Remarks that spoil a shape.
const SPOILED: SourceFlags = SourceFlags::BLENDED
    .with(SourceFlags::SATURATED)
    .with(SourceFlags::EDGE)
    .with(SourceFlags::MASKED)
    .with(SourceFlags::SHARP)
    .with(SourceFlags::TRAIL);

/// A frame with its sources in two orders.
pub(super) struct FrameView<'a> {
    pub(super) frame: &'a NightFrame,
    by_column: Vec<usize>,
    by_snr: Vec<usize>,
}

/// What sources of one brightness look like.
pub(super) struct Likes {
    /// Median semi-major axis [px].
    pub(super) a_px: f64,
    /// Median semi-minor axis [px].
    pub(super) b_px: f64,
    /// Scatter of ln b.
    pub(super) width_scatter: f64,
    /// Median elongation.
    pub(super) elongation: f64,
    /// Its scatter.
    pub(super) elongation_scatter: f64,
    /// Share of sources with a remark.
    pub(super) flagged_share: f64,
}

impl<'a> FrameView<'a> {
    pub(super) fn new(frame: &'a NightFrame) -> Self {
        let sources = &frame.catalogue.sources;
        let order = |values: &[f64]| {
            let mut order: Vec<usize> = (0..sources.len()).collect();
            order.sort_by(|&i, &j| values[i].total_cmp(&values[j]).then(i.cmp(&j)));
            order
        };
        Self { frame, by_column: order(&sources.x_px), by_snr: order(&sources.snr) }
    }

    /// Index of the source at a place [px].
    pub(super) fn source_at(&self, x_px: f64, y_px: f64) -> Option<usize> {
        let sources = &self.frame.catalogue.sources;
        let first = self.by_column.partition_point(|&i| sources.x_px[i] < x_px - SAME_PX);
        let distance = |i: usize| (sources.x_px[i] - x_px).hypot(sources.y_px[i] - y_px);
        self.by_column[first..]
            .iter()
            .copied()
            .take_while(|&i| sources.x_px[i] <= x_px + SAME_PX)
            .filter(|&i| distance(i) <= SAME_PX)
            .min_by(|&i, &j| distance(i).total_cmp(&distance(j)))
    }

    /// Whether a source has a remark that may explain it away.
    pub(super) fn is_flagged(&self, source: usize) -> bool {
        self.frame.catalogue.sources.flags[source].is_any(SPOILED)
    }

    /// What sources as bright as this one look like; `None` with too few of them.
    pub(super) fn likes_of(&self, source: usize) -> Option<Likes> {
        let sources = &self.frame.catalogue.sources;
        let snr = sources.snr[source];
        let place = self.by_snr.partition_point(|&i| sources.snr[i] < snr);
        let first = place.saturating_sub(NEIGHBOURS);
        let last = (place + NEIGHBOURS + 1).min(self.by_snr.len());
        let around: Vec<usize> =
            self.by_snr[first..last].iter().copied().filter(|&i| i != source).collect();
        let clean: Vec<usize> = around
            .iter()
            .copied()
            .filter(|&i| !self.is_flagged(i) && is_shaped(sources, i))
            .collect();
        if clean.len() < CLEAN_MIN {
            return None;
        }
        let of = |value: &dyn Fn(usize) -> f64| -> Vec<f64> {
            clean.iter().map(|&i| value(i)).collect()
        };
        let (ln_b, width_scatter) = median_and_scatter(&of(&|i| sources.b_px[i].ln()))?;
        let (elongation, elongation_scatter) =
            median_and_scatter(&of(&|i| 1.0 - sources.b_px[i] / sources.a_px[i]))?;
        let n_flagged = around.iter().filter(|&&i| self.is_flagged(i)).count();
        Some(Likes {
            a_px: median(&of(&|i| sources.a_px[i]))?,
            b_px: ln_b.exp(),
            width_scatter,
            elongation,
            elongation_scatter,
            flagged_share: n_flagged as f64 / around.len() as f64,
        })
    }

    /// Direction of a position angle on the frame, from +x towards +y [rad].
    pub(super) fn direction_rad(&self, place_rad: (f64, f64), pa_rad: f64) -> Option<f64> {
        use crate::science::sky::vector::displaced;
        use crate::science::units::ARCSEC_RAD;
        let wcs = &self.frame.wcs;
        let from = wcs.to_pixel(place_rad.0, place_rad.1)?;
        let ahead = displaced(place_rad, 10.0 * ARCSEC_RAD, pa_rad);
        let to = wcs.to_pixel(ahead.0, ahead.1)?;
        Some((to.1 - from.1).atan2(to.0 - from.0))
    }
}

fn is_shaped(sources: &crate::science::detect::sources::Sources, i: usize) -> bool {
    sources.a_px[i].is_finite() && sources.b_px[i] > 0.0 && sources.a_px[i] >= sources.b_px[i]
}

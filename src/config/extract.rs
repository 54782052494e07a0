//! Section `[extract]`: finding and measuring sources.
//!
//! The numbers are those of SExtractor's configuration under names that say what they do; the
//! shipped file names SExtractor's own beside each.

use super::check::Checker;
use super::error::ConfigError;
use super::raw::RawExtract;
use crate::science::detect::ExtractParams;

/// Finding and measuring sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Extract {
    /// Detection threshold [sigma of the filtered background].
    pub threshold_sigma: f64,
    /// Threshold of a source's pixels [sigma of the filtered background].
    pub analysis_sigma: f64,
    /// Fewest pixels of a source.
    pub pixels_min: usize,
    /// Lowest height of a blended source above the pass to its neighbour [local sigma].
    pub deblend_sigma: f64,
    /// The same as a share of the neighbour's height.
    pub deblend_share: f64,
    /// Least signal-to-noise ratio of a blended source's own light.
    pub clean_sigma: f64,
    /// Kron ellipse in units of the first moment.
    pub kron_factor: f64,
    /// Smallest Kron ellipse in units of the source's axes.
    pub kron_factor_min: f64,
    /// Side of a cell of the sky's mesh [px].
    pub background_cell_px: usize,
    /// Cells on a side of the median over the mesh.
    pub background_filter_cells: usize,
}

impl Default for Extract {
    fn default() -> Self {
        let params = ExtractParams::default();
        Self {
            threshold_sigma: params.segment.peak_snr_min,
            analysis_sigma: params.segment.pixel_snr_min,
            pixels_min: params.segment.pixels_min,
            deblend_sigma: params.segment.prominence_sigma_min,
            deblend_share: params.segment.prominence_share_min,
            clean_sigma: params.clean_snr_min,
            kron_factor: params.kron_factor,
            kron_factor_min: params.kron_factor_min,
            background_cell_px: params.background.cell_px,
            background_filter_cells: params.background.filter_cells,
        }
    }
}

impl Extract {
    /// The numbers as extraction takes them.
    pub(super) fn write_to(&self, params: &mut ExtractParams) {
        let segment = &mut params.segment;
        segment.peak_snr_min = self.threshold_sigma;
        segment.pixel_snr_min = self.analysis_sigma.min(self.threshold_sigma);
        segment.pixels_min = self.pixels_min;
        segment.prominence_sigma_min = self.deblend_sigma;
        segment.prominence_share_min = self.deblend_share;
        params.clean_snr_min = self.clean_sigma;
        params.kron_factor = self.kron_factor;
        params.kron_factor_min = self.kron_factor_min;
        params.background.cell_px = self.background_cell_px;
        params.background.filter_cells = self.background_filter_cells;
    }
}

pub(super) fn extract(raw: &RawExtract, checker: &Checker<'_>) -> Result<Extract, ConfigError> {
    let default = Extract::default();
    let number = |key, value, default, range| checker.number(key, value, default, range);
    let whole = |key, value, default, range| checker.whole(key, value, default, range);
    let threshold = (raw.threshold_sigma, default.threshold_sigma);
    let analysis = (raw.analysis_sigma, default.analysis_sigma);
    let contrast = (raw.deblend_share, default.deblend_share);
    let kron_min = (raw.kron_factor_min, default.kron_factor_min);
    let cell = (raw.background_cell_px, default.background_cell_px);
    let cells = (raw.background_filter_cells, default.background_filter_cells);
    Ok(Extract {
        threshold_sigma: number("extract.threshold_sigma", threshold.0, threshold.1, 1.0..=100.0)?,
        analysis_sigma: number("extract.analysis_sigma", analysis.0, analysis.1, 0.5..=100.0)?,
        pixels_min: whole("extract.pixels_min", raw.pixels_min, default.pixels_min, 1..=10_000)?,
        deblend_sigma: number(
            "extract.deblend_sigma",
            raw.deblend_sigma,
            default.deblend_sigma,
            0.0..=100.0,
        )?,
        deblend_share: number("extract.deblend_share", contrast.0, contrast.1, 0.0..=1.0)?,
        clean_sigma: number(
            "extract.clean_sigma",
            raw.clean_sigma,
            default.clean_sigma,
            0.0..=100.0,
        )?,
        kron_factor: number(
            "extract.kron_factor",
            raw.kron_factor,
            default.kron_factor,
            0.5..=10.0,
        )?,
        kron_factor_min: number("extract.kron_factor_min", kron_min.0, kron_min.1, 0.0..=20.0)?,
        background_cell_px: whole("extract.background_cell_px", cell.0, cell.1, 8..=4096)?,
        background_filter_cells: whole(
            "extract.background_filter_cells",
            cells.0,
            cells.1,
            1..=15,
        )?,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::tests::load_text;
    use super::*;

    #[test]
    fn every_key_reaches_the_extraction() {
        let text = "[extract]\nthreshold_sigma = 6.0\nanalysis_sigma = 7.0\npixels_min = 5\n\
            deblend_sigma = 1.0\ndeblend_share = 0.05\nclean_sigma = 2.0\nkron_factor = 1.5\n\
            kron_factor_min = 0.8\nbackground_cell_px = 32\nbackground_filter_cells = 5\n";
        let params = load_text(text).unwrap().frame_params().extract;
        // The pixels' threshold never lies above the summit's.
        assert_eq!((params.segment.peak_snr_min, params.segment.pixel_snr_min), (6.0, 6.0));
        assert_eq!(params.segment.pixels_min, 5);
        let deblend = (params.segment.prominence_sigma_min, params.segment.prominence_share_min);
        assert_eq!(deblend, (1.0, 0.05));
        let own = (params.clean_snr_min, params.kron_factor, params.kron_factor_min);
        assert_eq!(own, (2.0, 1.5, 0.8));
        assert_eq!((params.background.cell_px, params.background.filter_cells), (32, 5));
    }

    #[test]
    fn without_a_word_the_extraction_keeps_its_own_numbers() {
        let mut params = ExtractParams::default();
        Extract::default().write_to(&mut params);
        assert_eq!(params, ExtractParams::default());
    }
}

//! From configuration keys to the parameters that the algorithms own.

use super::resolved::Config;
use crate::formats::fits::Limits as FitsLimits;
use crate::pipeline::calibrate::clean::CleanParams;
use crate::pipeline::judge_astrometry::JudgeAstrometryParams;
use crate::pipeline::judge_photometry::JudgePhotometryParams;
use crate::pipeline::link::NightParams as LinkNightParams;
use crate::pipeline::masters::MasterParams;
use crate::pipeline::measure_movers::FixedApertures;
use crate::pipeline::reduce::FrameParams;
use crate::pipeline::share_astrometry::ShareAstrometryParams;
use crate::pipeline::share_photometry::SharePhotometryParams;
use crate::pipeline::solve::HintParams;
use crate::pipeline::summarize::QualityParams;
use crate::science::calib::cosmic::CosmicParams;
use crate::science::calib::trails::TrailParams;
use crate::science::movers::filters::Filter;
use crate::science::movers::identify::IdentifyParams;

/// Parameters of the night's stages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NightParams {
    /// The distortion that frames share.
    pub share: ShareAstrometryParams,
    /// Frames of bad astrometry.
    pub judge: JudgeAstrometryParams,
    /// Zero points.
    pub photometry: SharePhotometryParams,
    /// One aperture for each object in all its frames, where that is wanted.
    pub fixed_apertures: Option<FixedApertures>,
    /// Frames of bad photometry.
    pub judge_photometry: JudgePhotometryParams,
    /// Linking.
    pub link_night: LinkNightParams,
    /// Cuts on tracklets.
    pub filters: Vec<Filter>,
    /// Comparison with known objects.
    pub identify: IdentifyParams,
    /// Frames that are not used for linking.
    pub quality: QualityParams,
}

impl Config {
    /// Bounds on FITS files.
    pub fn fits_limits(&self) -> FitsLimits {
        FitsLimits {
            file_bytes_max: self.limits.file_size_max_bytes(),
            pixels_max: self.limits.pixels_max(),
            header_cards_max: self.limits.header_cards_max,
            compression_ratio_max: self.limits.compression_ratio_max as f64,
            ..FitsLimits::default()
        }
    }

    /// Parameters of a frame's stages.
    pub fn frame_params(&self) -> FrameParams {
        let mut params = FrameParams { clean: self.clean_params(), ..FrameParams::default() };
        self.extract.write_to(&mut params.extract);
        params.extract.aperture_fwhm = self.photometry.aperture_fwhm;
        params.hint.pointing_err_deg = self.astrometry.pointing_err_deg;
        params.hint.scale_range = self.astrometry.scale_range;
        params.convention = self.astrometry.convention;
        params.extract.sources_max = self.limits.detections_per_frame_max;
        params
    }

    /// What frames are cleaned of.
    fn clean_params(&self) -> CleanParams {
        let wanted = &self.calibrate;
        let cosmic = CosmicParams {
            threshold_sigma: wanted.cosmic_threshold_sigma,
            ..CosmicParams::default()
        };
        CleanParams {
            cosmic_rays: wanted.is_cosmic_masked.then_some(cosmic),
            trails: wanted.is_trail_masked.then(TrailParams::default),
            rate_max_arcsec_per_h: self.link.rate_max_arcsec_per_h,
        }
    }

    /// Parameters of masters.
    pub fn master_params(&self) -> MasterParams {
        MasterParams::default()
    }

    /// Parameters of the night's stages.
    pub fn night_params(&self) -> NightParams {
        let mut params = NightParams::default();
        let frame = self.frame_params();
        // The floor of the errors is found from the stars themselves.
        let hint = HintParams { centroid_floor_px: 0.0, ..frame.hint.clone() };
        params.share =
            ShareAstrometryParams { hint, solve: frame.solve, convention: frame.convention };
        params.judge = JudgeAstrometryParams {
            is_solved_anew: self.astrometry.is_recalibrated,
            rule: self.astrometry.outliers,
            hint: frame.hint,
            solve: frame.solve,
        };
        params.photometry = self.photometry.zero_points;
        params.fixed_apertures = self.photometry.fixed_apertures();
        params.judge_photometry.r2_min = self.photometry.zero_points.regression.r2_min;
        params.filters.clone_from(&self.filters);
        params.identify.radius_arcsec = self.known.radius_arcsec;
        params.identify.rate_difference_arcsec_per_h = self.known.rate_difference_arcsec_per_h;
        let link = &mut params.link_night.link;
        link.score.snr_half = self.extract.threshold_sigma;
        link.score.rate_max_arcsec_per_h = self.link.rate_max_arcsec_per_h;
        link.rate_min_arcsec_per_h = self.link.rate_min_arcsec_per_h;
        link.detections_min = self.link.detections_min;
        link.chance_odds_max = self.link.chance_odds_max;
        params
    }
}

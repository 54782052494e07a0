//! One science frame through all its stages: the chain as one plain function.

use super::artifact::catalogue::Catalogue;
use super::artifact::frame_info::FrameInfo;
use super::artifact::frame_photometry::SkyStats;
use super::artifact::frame_record::{FrameRecord, FrameStatus, WcsKeyword};
use super::calibrate::clean::{CleanParams, clean};
use super::calibrate::weights::FrameWeights;
use super::calibrate::{CalibrateParams, Calibrated, calibrate};
use super::calibrate_flux::{FluxScale, calibrate_flux};
use super::extract::extract_sources;
use super::masters::select::MasterSet;
use super::solve::{HintParams, solve_frame};
use super::stage::{Outcome, Refusal};
use crate::science::astrometry::{Skies, Solution, SolveParams, StarSource};
use crate::science::detect::psf_model::PsfModel;
use crate::science::detect::{ExtractParams, Extraction};
use crate::science::image::Image;
use crate::science::photometry::sky_stats::sky_statistics;
use crate::science::photometry::zero_point::ZeroPointParams;
use crate::science::sky::keywords::{Convention, KeywordValue};
use crate::science::sky::wcs::Wcs;
use crate::science::units::DEG_RAD;

/// A raw science frame with its identity.
#[derive(Debug, Clone)]
pub struct RawFrame {
    /// The file's name on disk.
    pub name: String,
    /// Content hash of the file, hexadecimal.
    pub content_hash: String,
    /// What its header says.
    pub info: FrameInfo,
    /// Pixels [ADU].
    pub pixels: Image<f32>,
    /// Relative inverse variances of its pixels, of a map of weights.
    pub weights: Option<Image<f32>>,
}

/// Parameters of all stages of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameParams {
    /// Calibration.
    pub calibrate: CalibrateParams,
    /// Bad columns, cosmic rays, trails.
    pub clean: CleanParams,
    /// Extraction.
    pub extract: ExtractParams,
    /// Trust in the header.
    pub hint: HintParams,
    /// Plate solution.
    pub solve: SolveParams,
    /// How distortion is written.
    pub convention: Convention,
    /// Zero point.
    pub zero_point: ZeroPointParams,
    /// A frame whose stars are more elongated than this, 1 - b/a, is not used.
    pub ellipticity_max: f64,
}

impl Default for FrameParams {
    fn default() -> Self {
        Self {
            calibrate: CalibrateParams::default(),
            clean: CleanParams::default(),
            extract: ExtractParams::default(),
            hint: HintParams::default(),
            solve: SolveParams::default(),
            convention: Convention::default(),
            zero_point: ZeroPointParams::default(),
            ellipticity_max: 0.35,
        }
    }
}

/// What a frame became.
#[derive(Debug, Clone)]
pub struct ReducedFrame {
    /// Its row in the frame table.
    pub record: FrameRecord,
    /// Calibrated pixels, when it came that far.
    pub calibrated: Option<Calibrated>,
    /// Its sources on the sky, when it came that far.
    pub catalogue: Option<Catalogue>,
    /// Its stars' shape, when it came that far.
    pub psf: Option<PsfModel>,
}

/// A frame whose time was over before its stages were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue;

/// Takes a raw science frame through calibration, extraction, solution and zero point.
///
/// * `is_overdue`: asked between the stages; when it says so, the frame is given up.
pub fn reduce_frame(
    raw: RawFrame,
    masters: &MasterSet,
    skies: &Skies<'_>,
    params: &FrameParams,
    is_overdue: &dyn Fn() -> bool,
) -> Result<ReducedFrame, Overdue> {
    let mut record = started_record(&raw.name, &raw.content_hash, &raw.info);
    let info = raw.info;
    let weights = raw.weights.as_ref().map(|weights| FrameWeights::new(weights, &info));
    let weighted = weights.as_ref().map(|weights| weights.with_dead(masters));
    let masters = weighted.as_ref().unwrap_or(masters);
    let mut calibrated = match calibrate(&raw.pixels, &info, masters, &params.calibrate) {
        Ok(calibrated) => calibrated,
        Err(why) => {
            record.reason = Some(Refusal::NotCalibrated { why }.to_string());
            return Ok(ReducedFrame { record, calibrated: None, catalogue: None, psf: None });
        }
    };
    drop(raw.pixels);
    if let Some(weights) = weights {
        weights.apply(&mut calibrated);
    }
    clean(&mut calibrated, &info, &params.clean);
    record.ltv_px = Some(calibrated.ltv_px);
    record.sky_stats = sky_stats(&calibrated);
    record.steps.clone_from(&calibrated.steps);
    record.notes.extend(calibrated.notes.iter().cloned());
    let stages = Stages { skies, params, is_overdue };
    let mut psf = None;
    match stages.measure(&calibrated, &info, (&mut record, &mut psf)) {
        Ok(catalogue) => {
            record.status = FrameStatus::Ok;
            let (calibrated, catalogue) = (Some(calibrated), Some(catalogue));
            Ok(ReducedFrame { record, calibrated, catalogue, psf })
        }
        Err(Refusal::Overdue) => Err(Overdue),
        Err(refusal) => {
            record.reason = Some(refusal.to_string());
            Ok(ReducedFrame { record, calibrated: Some(calibrated), catalogue: None, psf })
        }
    }
}

/// Statistics of a calibrated frame's sky.
fn sky_stats(frame: &Calibrated) -> Option<SkyStats> {
    let found = sky_statistics(&frame.pixels.pixels_e, &frame.pixels.mask)?;
    let per_adu = frame.gain_e_per_adu;
    Some(SkyStats {
        mean_adu: found.mean / per_adu,
        sd_adu: found.sd / per_adu,
        median_adu: found.median / per_adu,
        mad_adu: found.mad / per_adu,
        masked_share: found.masked_share,
    })
}

/// A record that knows only what the header says; rejected until more is known.
pub fn started_record(name: &str, content_hash: &str, info: &FrameInfo) -> FrameRecord {
    FrameRecord {
        mid_mjd_utc: info.mid.map(|t| t.mjd_utc()),
        mid_err_s: Some(info.mid_err_s).filter(|s| *s > 0.0),
        is_simulated: info.is_simulated,
        exposure_s: Some(info.exposure_s),
        filter: Some(info.filter.clone()),
        image: info.image.clone(),
        notes: info.remarks.clone(),
        ..empty_record(name, content_hash, FrameStatus::Rejected)
    }
}

/// A record that knows nothing but the file.
pub fn empty_record(name: &str, content_hash: &str, status: FrameStatus) -> FrameRecord {
    FrameRecord {
        frame: name.to_owned(),
        content_hash: content_hash.to_owned(),
        image: None,
        status,
        reason: None,
        mid_mjd_utc: None,
        mid_err_s: None,
        is_simulated: false,
        exposure_s: None,
        filter: None,
        n_sources: None,
        n_reference: None,
        rms_arcsec: None,
        separation_arcsec: None,
        separation_fence_arcsec: None,
        zero_point_mag: None,
        zero_point_err_mag: None,
        colour_term: None,
        fwhm_arcsec: None,
        limiting_mag: None,
        sky_e: None,
        sky_stats: None,
        photometry: None,
        wcs: Vec::new(),
        ltv_px: None,
        steps: Vec::new(),
        notes: Vec::new(),
    }
}

/// What the stages after calibration need besides the frame.
struct Stages<'a> {
    skies: &'a Skies<'a>,
    params: &'a FrameParams,
    is_overdue: &'a dyn Fn() -> bool,
}

impl Stages<'_> {
    fn in_time(&self) -> Outcome<()> {
        if (self.is_overdue)() { Err(Refusal::Overdue) } else { Ok(()) }
    }

    /// The stages after calibration; fills record and stars' shape as far as they come.
    fn measure(
        &self,
        calibrated: &Calibrated,
        info: &FrameInfo,
        (record, psf): (&mut FrameRecord, &mut Option<PsfModel>),
    ) -> Outcome<Catalogue> {
        let params = self.params;
        let mid = info.mid.ok_or(Refusal::NoTime)?;
        self.in_time()?;
        let extraction = extract_sources(calibrated, &params.extract)?;
        *psf = Some(extraction.psf_model.clone());
        record.n_sources = Some(extraction.sources.len() as u64);
        record.sky_e = Some(extraction.sky_e);
        if extraction.n_found > params.extract.sources_max {
            record.notes.push(format!(
                "{} sources found, the limit keeps the brightest {}",
                extraction.n_found,
                extraction.sources.len()
            ));
        }
        self.in_time()?;
        let solution =
            solve_frame(&extraction, info, mid, self.skies, (&params.hint, &params.solve))?;
        record.wcs = wcs_keywords(&solution.wcs, params.convention);
        note_solution(&solution, &extraction, info, record);
        self.in_time()?;
        let scale = calibrate_flux(
            calibrated,
            &extraction,
            &solution.pairs,
            (info.exposure_s, &params.zero_point),
        )?;
        note_flux_scale(&scale, calibrated.gain_e_per_adu, record);
        // Solved and measured all the same: the numbers stand in the table.
        if let Some(ellipticity) = extraction.ellipticity.filter(|e| *e > params.ellipticity_max) {
            let ellipticity_max = params.ellipticity_max;
            return Err(Refusal::Trailed { ellipticity, ellipticity_max });
        }
        Ok(catalogue(extraction, &solution, &scale))
    }
}

/// A plate solution as keywords of a record.
pub fn wcs_keywords(wcs: &Wcs, convention: Convention) -> Vec<(String, WcsKeyword)> {
    let keyword = |(key, value)| match value {
        KeywordValue::Integer(v) => (key, WcsKeyword::Integer(v)),
        KeywordValue::Real(v) => (key, WcsKeyword::Real(v)),
        KeywordValue::Text(v) => (key, WcsKeyword::Text(v)),
    };
    wcs.fits_keywords_as(convention).into_iter().map(keyword).collect()
}

fn note_solution(
    solution: &Solution,
    extraction: &Extraction,
    info: &FrameInfo,
    record: &mut FrameRecord,
) {
    let scale_arcsec = solution.wcs.pixel_scale_arcsec();
    record.n_reference = Some(solution.pairs.len() as u64);
    record.rms_arcsec = Some(solution.rms_arcsec);
    record.fwhm_arcsec = extraction.psf.map(|p| p.fwhm_px * scale_arcsec);
    if solution.star_source == StarSource::BlindIndex {
        record.notes.push(
            "solved on the bright stars of the whole-sky index: no reference stars here".to_owned(),
        );
    }
    /// A header scale further off than this is worth a remark.
    const SCALE_REMARK: f64 = 0.03;
    if let Some(nominal) = info.pixel_scale_arcsec
        && (nominal / scale_arcsec - 1.0).abs() > SCALE_REMARK
    {
        record.notes.push(format!(
            "the header's pixel scale {nominal:.3}\" is wrong by {:.0} %: \
             {scale_arcsec:.3}\" measured",
            100.0 * (nominal / scale_arcsec - 1.0).abs()
        ));
    }
    /// A header pointing further off than this is worth a remark [deg].
    const POINTING_REMARK_DEG: f64 = 0.5;
    let shape = (extraction.signal_e.nx() as f64, extraction.signal_e.ny() as f64);
    let centre = solution.wcs.to_sky(0.5 * (shape.0 - 1.0), 0.5 * (shape.1 - 1.0));
    if let Some(nominal) = info.pointing_rad {
        let off_deg = crate::science::sky::vector::separation_rad(nominal, centre) / DEG_RAD;
        if off_deg > POINTING_REMARK_DEG {
            record.notes.push(format!("the header's pointing is wrong by {off_deg:.1} deg"));
        }
    }
}

fn note_flux_scale(scale: &FluxScale, gain_e_per_adu: f64, record: &mut FrameRecord) {
    // One electron is 1/gain ADU: the zero point for ADU is brighter by that factor.
    let per_adu = scale.zero_point.zero_point_mag - 2.5 * gain_e_per_adu.log10();
    record.zero_point_mag = Some(per_adu);
    record.zero_point_err_mag = Some(
        scale
            .zero_point
            .zero_point_err_mag
            .hypot(scale.aperture.map_or(0.02, |a| 1.0857 * a.share_err)),
    );
    record.photometry = Some(Box::new(scale.kept(gain_e_per_adu)));
    record.colour_term = scale.zero_point.colour_term_err.map(|_| scale.zero_point.colour_term);
    record.limiting_mag = Some(scale.limiting_mag());
    if scale.zero_point.colour_term_err.is_none() {
        record.notes.push("no colour term: too few reference stars with BP-RP".to_owned());
    }
    if let Some(aperture) = scale.aperture {
        record.steps.push(format!(
            "aperture holds {:.1} +- {:.1} % of a star's light ({} stars, Moffat beta {:.1}); \
             {} stars in the zero point, scatter {:.3} mag",
            100.0 * aperture.share,
            100.0 * aperture.share_err,
            aperture.n_stars,
            aperture.beta,
            scale.zero_point.n_stars,
            scale.zero_point.scatter_mag,
        ));
    } else {
        record.notes.push("no growth curve: a typical aperture correction assumed".to_owned());
    }
}

fn catalogue(extraction: Extraction, solution: &Solution, scale: &FluxScale) -> Catalogue {
    let sources = extraction.sources;
    let n = sources.len();
    let mut out = Catalogue::default();
    for i in 0..n {
        let (ra, dec) = solution.wcs.to_sky(sources.x_px[i], sources.y_px[i]);
        out.ra_rad.push(ra);
        out.dec_rad.push(dec);
        let (flux_e, flux_err_e) = sources.light_e(i);
        out.mag.push(scale.mag(flux_e));
        out.mag_err.push(scale.mag_err(flux_e, flux_err_e));
        out.filter_mag.push(scale.filter_mag(sources.snr[i]));
    }
    out.sources = sources;
    out
}

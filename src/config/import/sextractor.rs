//! SExtractor's settings, columns and filter (seeds.md 1.18, 2.4; SExtractor manual 2.25).

use super::rules::{Row, Rule, key, translate as by_table};
use super::syntax::{Word, words};
use super::{Fate, ImportedKey};

const CATALOGUE: &str = "catalogues are written beside the database; `export` writes tables";
const HEADER: &str = "is read from the header by the instrument profile, or measured";
const SKY: &str = "the sky is always a mesh with sources masked";
const MEMORY: &str = "memory is bounded by [run]";
const WEIGHT: &str = "noise is followed pixel by pixel from detector and masters";
const PICTURE: &str = "frames, skies and cut-outs are seen on the night's page";
const ASSOC: &str = "sources are matched with the reference catalogue by the plate solution";
const UNUSED: &str = "is used by no step";
const SIZE: &str = "a source needs one pixel: noise is kept out by the threshold's meaning";

pub(super) const RULES: &[Row] = &[
    ("CATALOG_NAME", Rule::Idle(CATALOGUE)),
    ("CATALOG_TYPE", Rule::Idle(CATALOGUE)),
    ("PARAMETERS_NAME", Rule::Idle("all columns are always measured")),
    ("DETECT_TYPE", Rule::Only("CCD", "frames are of CCD or CMOS", "photographs are not reduced")),
    ("DETECT_MINAREA", Rule::Idle(SIZE)),
    ("DETECT_MAXAREA", Rule::Idle("trails and bleeding are masked by their form")),
    (
        "THRESH_TYPE",
        Rule::Only(
            "RELATIVE",
            "thresholds are in sigma",
            "absolute thresholds cannot be taken: set extract.threshold_sigma",
        ),
    ),
    (
        "ANALYSIS_THRESH",
        Rule::Idle("extract.analysis_sigma is in sigma of the filtered frame; 2.5 is built in"),
    ),
    ("FILTER", Rule::Idle("frames are always filtered with their own point spread function")),
    ("FILTER_NAME", Rule::Idle("the filter is the frame's own point spread function")),
    ("FILTER_THRESH", Rule::Idle(UNUSED)),
    ("DEBLEND_NTHRESH", Rule::Idle("blends are parted at every pixel's level")),
    ("DEBLEND_MINCONT", Rule::Number("extract.deblend_share")),
    ("CLEAN", Rule::Idle("sources in the light of others are always tested")),
    ("CLEAN_PARAM", Rule::Idle("extract.clean_sigma is a signal-to-noise ratio instead")),
    ("MASK_TYPE", Rule::Idle("what belongs to neighbours is left out of apertures")),
    ("WEIGHT_TYPE", Rule::Idle(WEIGHT)),
    ("WEIGHT_IMAGE", Rule::Idle(WEIGHT)),
    ("WEIGHT_GAIN", Rule::Idle(WEIGHT)),
    ("WEIGHT_THRESH", Rule::Idle(WEIGHT)),
    ("RESCALE_WEIGHTS", Rule::Idle(WEIGHT)),
    ("FLAG_IMAGE", Rule::Idle("bad pixels are masked by calibration")),
    ("FLAG_TYPE", Rule::Idle("bad pixels are masked by calibration")),
    ("PHOT_APERTURES", Rule::Idle("the aperture follows the seeing: photometry.aperture_fwhm")),
    ("PHOT_PETROPARAMS", Rule::Idle("Petrosian magnitudes are not measured")),
    ("PHOT_AUTOAPERS", Rule::Idle(UNUSED)),
    ("PHOT_FLUXFRAC", Rule::Idle("the half-light radius is measured")),
    ("SATUR_LEVEL", Rule::Idle(HEADER)),
    ("SATUR_KEY", Rule::Idle(HEADER)),
    ("MAG_ZEROPOINT", Rule::Idle("is measured against Gaia in each frame")),
    ("MAG_GAMMA", Rule::Idle("is of photographs only")),
    ("GAIN", Rule::Idle(HEADER)),
    ("GAIN_KEY", Rule::Idle(HEADER)),
    ("PIXEL_SCALE", Rule::Idle("is that of the plate solution")),
    ("SEEING_FWHM", Rule::Idle("is measured in each frame")),
    ("STARNNW_NAME", Rule::Idle("stars are told by the frame's own point spread function")),
    ("PSF_NAME", Rule::Idle("the point spread function is measured in each frame")),
    ("PSF_NMAX", Rule::Idle(UNUSED)),
    (
        "BACK_TYPE",
        Rule::Only("AUTO", SKY, "a sky of a given level cannot be taken: it is measured"),
    ),
    ("BACK_VALUE", Rule::Idle(SKY)),
    ("BACK_SIZE", Rule::Whole("extract.background_cell_px")),
    ("BACK_FILTERSIZE", Rule::Whole("extract.background_filter_cells")),
    ("BACK_FILTTHRESH", Rule::Idle(SKY)),
    ("BACKPHOTO_TYPE", Rule::Idle(SKY)),
    ("BACKPHOTO_THICK", Rule::Idle(SKY)),
    ("CHECKIMAGE_TYPE", Rule::Idle(PICTURE)),
    ("CHECKIMAGE_NAME", Rule::Idle(PICTURE)),
    ("MEMORY_OBJSTACK", Rule::Idle(MEMORY)),
    ("MEMORY_PIXSTACK", Rule::Idle(MEMORY)),
    ("MEMORY_BUFSIZE", Rule::Idle(MEMORY)),
    ("INTERP_TYPE", Rule::Idle("bad pixels are left out, not filled")),
    ("INTERP_MAXXLAG", Rule::Idle("bad pixels are left out, not filled")),
    ("INTERP_MAXYLAG", Rule::Idle("bad pixels are left out, not filled")),
    ("ASSOC_NAME", Rule::Idle(ASSOC)),
    ("ASSOC_DATA", Rule::Idle(ASSOC)),
    ("ASSOC_PARAMS", Rule::Idle(ASSOC)),
    ("ASSOC_RADIUS", Rule::Idle(ASSOC)),
    ("ASSOC_TYPE", Rule::Idle(ASSOC)),
    ("ASSOCSELEC_TYPE", Rule::Idle(ASSOC)),
    ("ASSOCCOORD_TYPE", Rule::Idle(ASSOC)),
    ("VERBOSE_TYPE", Rule::Idle("see log.level")),
    ("HEADER_SUFFIX", Rule::Idle("plate solutions lie in the database and in the products")),
    ("WRITE_XML", Rule::Idle("reports are pages, JSON and tables")),
    ("XML_NAME", Rule::Idle("reports are pages, JSON and tables")),
    ("XSL_URL", Rule::Idle("reports are pages, JSON and tables")),
    ("NTHREADS", Rule::Idle("see run.workers: a frame per core is built in")),
    ("FITS_UNSIGNED", Rule::Idle("numbers are read as the header says")),
    ("SOM_NAME", Rule::Idle(UNUSED)),
];

/// All keys; `kernel` is the effective number of pixels of the filter given beside them.
pub(super) fn translate(words: &[Word<'_>], kernel: Option<f64>) -> Vec<ImportedKey> {
    let value = |name: &str| {
        words.iter().rev().find(|word| word.key.eq_ignore_ascii_case(name)).map(|word| word.value)
    };
    let is_filtered = value("FILTER").is_none_or(|v| v.eq_ignore_ascii_case("Y"));
    let pixels = if is_filtered { kernel } else { Some(1.0) };
    words
        .iter()
        .map(|word| match word.key {
            "DETECT_THRESH" => key(*word, vec![threshold(word.value, pixels)]),
            "PHOT_AUTOPARAMS" => key(*word, kron(word.value)),
            _ => by_table(std::slice::from_ref(word), RULES).remove(0),
        })
        .collect()
}

/// A threshold of SExtractor is in sigma of unfiltered pixels; ours in sigma of the filtered frame,
/// larger by the square root of the filter's effective number of pixels.
fn threshold(value: &str, pixels: Option<f64>) -> Fate {
    let first = value.split(',').next().and_then(|v| v.trim().parse::<f64>().ok());
    let told = match (first, pixels) {
        (Some(sigma), Some(pixels)) => format!(
            "{sigma} sigma of pixels before this filter is {:.1} sigma of the filtered frame, the \
             unit of extract.threshold_sigma: set it to work as before; the built-in 4 goes deeper",
            sigma * pixels.sqrt()
        ),
        _ => {
            "extract.threshold_sigma is in sigma of the filtered frame: the built-in 4 finds what \
              1.5 finds with the usual filters, and fainter"
                .to_owned()
        }
    };
    Fate::NotNeeded(told)
}

/// `PHOT_AUTOPARAMS 2.5,3.5`.
fn kron(value: &str) -> Vec<Fate> {
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    let [factor, least] = parts[..] else {
        return vec![Fate::Refused("is no pair of numbers".to_owned())];
    };
    vec![
        Rule::Number("extract.kron_factor").fate(factor),
        Rule::Number("extract.kron_factor_min").fate(least),
    ]
}

/// Effective number of pixels of a `.conv` file: (sum k)^2 / sum k^2; `None` for other files.
pub(super) fn kernel_pixels(text: &str) -> Option<f64> {
    let rest = text.trim_start().strip_prefix("CONV")?;
    let lines = rest.lines().skip(1).filter(|line| !line.trim_start().starts_with('#'));
    let values: Vec<f64> =
        lines.flat_map(str::split_whitespace).filter_map(|word| word.parse().ok()).collect();
    let (sum, squares) = values.iter().fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
    (squares > 0.0).then(|| sum * sum / squares)
}

/// Columns that are measured under the same or another name.
const MEASURED: [&str; 60] = [
    "NUMBER",
    "FLUX_AUTO",
    "FLUXERR_AUTO",
    "MAG_AUTO",
    "MAGERR_AUTO",
    "FLUX_APER",
    "FLUXERR_APER",
    "MAG_APER",
    "MAGERR_APER",
    "FLUX_ISO",
    "FLUXERR_ISO",
    "FLUX_PSF",
    "FLUXERR_PSF",
    "MAG_PSF",
    "MAGERR_PSF",
    "FLUX_MAX",
    "FLUX_RADIUS",
    "SNR_WIN",
    "XWIN_IMAGE",
    "YWIN_IMAGE",
    "X_IMAGE",
    "Y_IMAGE",
    "XWIN_WORLD",
    "YWIN_WORLD",
    "X_WORLD",
    "Y_WORLD",
    "ALPHAWIN_J2000",
    "DELTAWIN_J2000",
    "ALPHA_J2000",
    "DELTA_J2000",
    "X2WIN_IMAGE",
    "Y2WIN_IMAGE",
    "XYWIN_IMAGE",
    "X2WIN_WORLD",
    "Y2WIN_WORLD",
    "XYWIN_WORLD",
    "AWIN_IMAGE",
    "BWIN_IMAGE",
    "THETAWIN_IMAGE",
    "AWIN_WORLD",
    "BWIN_WORLD",
    "THETAWIN_WORLD",
    "THETAWIN_J2000",
    "ERRX2WIN_IMAGE",
    "ERRY2WIN_IMAGE",
    "ERRXYWIN_IMAGE",
    "ERRX2WIN_WORLD",
    "ERRY2WIN_WORLD",
    "ERRXYWIN_WORLD",
    "ERRAWIN_IMAGE",
    "ERRBWIN_IMAGE",
    "ERRTHETAWIN_IMAGE",
    "ERRAWIN_WORLD",
    "ERRBWIN_WORLD",
    "ERRTHETAWIN_WORLD",
    "ERRTHETAWIN_J2000",
    "FLAGS",
    "FLAGS_WEIGHT",
    "FLAGS_WIN",
    "FWHM_IMAGE",
];
const SHAPES: [&str; 10] = [
    "A_IMAGE",
    "B_IMAGE",
    "THETA_IMAGE",
    "ELONGATION",
    "ELLIPTICITY",
    "CLASS_STAR",
    "BACKGROUND",
    "KRON_RADIUS",
    "THRESHOLD",
    "ISOAREA_IMAGE",
];

/// The columns a `.param` file asks for.
pub(super) fn columns(text: &str) -> Vec<ImportedKey> {
    words(text)
        .into_iter()
        .map(|word| {
            let name = word.key.split('(').next().unwrap_or(word.key);
            let fate = if MEASURED.contains(&name) || SHAPES.contains(&name) {
                Fate::NotNeeded("is measured, or follows from what is".to_owned())
            } else {
                Fate::Refused("is not measured".to_owned())
            };
            key(word, vec![fate])
        })
        .collect()
}

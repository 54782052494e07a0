//! SCAMP's settings (seeds.md 1.18, 2.5; SCAMP manual 2.10).

use super::Fate;
use super::rules::{Row, Rule};
use super::syntax::{quoted, real};

const FIELD: &str = "the field is recognised whatever its angle and parity";
const MOSAIC: &str = "a file has one detector's image";
const LINKING: &str = "motions are found by linking: see [link]";
const NIGHT: &str = "frames of one night and size share a distortion of the order they support";
const FROM_HEADER: &str = "is read from the header by the instrument profile";
const MEASURED: &str = "is judged from each source's own errors";
const WRITTEN: &str = "solutions lie in the database and in the products";
const CHARTS: &str = "charts are on the night's page";
const ZERO_POINT: &str = "zero points are found against Gaia in each frame: see [photometry]";
const SERVER: &str = "see reference.source and reference.urls";

/// Its keys.
pub(super) const RULES: &[Row] = &[
    ("FGROUP_RADIUS", Rule::Idle("frames of one field are found by their centres")),
    ("REF_SERVER", Rule::Idle(SERVER)),
    ("REF_PORT", Rule::Idle(SERVER)),
    ("REF_TIMEOUT", Rule::Number("reference.timeout_s")),
    ("CDSCLIENT_EXEC", Rule::Idle(SERVER)),
    ("ASTREF_CATALOG", Rule::By(catalogue)),
    (
        "ASTREF_BAND",
        Rule::Only("DEFAULT", "magnitudes are Gaia G", "magnitudes are Gaia G: no other band"),
    ),
    ("ASTREFCAT_NAME", Rule::Idle("see reference.files")),
    ("ASTREFCENT_KEYS", Rule::Idle("see reference.files: columns as the Gaia archive names them")),
    ("ASTREFERR_KEYS", Rule::Idle("see reference.files: columns as the Gaia archive names them")),
    ("ASTREFMAG_KEY", Rule::Idle("see reference.files: columns as the Gaia archive names them")),
    ("ASTREFMAGERR_KEY", Rule::Idle("see reference.files")),
    ("ASTREFOBSDATE_KEY", Rule::Idle("see reference.files")),
    ("ASTREFPROPMOTION_KEYS", Rule::Idle("see reference.files")),
    ("ASTREFMAG_LIMITS", Rule::By(limits)),
    ("SAVE_REFCATALOG", Rule::Idle("fetched tiles are always kept")),
    ("REFOUT_CATPATH", Rule::Idle("fetched tiles are kept in the data folder")),
    ("SAVE_DGEOMAP", Rule::Idle(CHARTS)),
    ("DGEOMAP_NAME", Rule::Idle(CHARTS)),
    ("DGEOMAP_STEP", Rule::Idle(CHARTS)),
    ("DGEOMAP_NNEAREST", Rule::Idle(CHARTS)),
    ("MERGEDOUTCAT_NAME", Rule::Idle(WRITTEN)),
    ("MERGEDOUTCAT_TYPE", Rule::Idle(WRITTEN)),
    ("FULLOUTCAT_NAME", Rule::Idle(WRITTEN)),
    ("FULLOUTCAT_TYPE", Rule::Idle(WRITTEN)),
    ("MATCH", Rule::Idle("a header's solution is checked and used where it is right")),
    ("MATCH_NMAX", Rule::Idle(FIELD)),
    ("PIXSCALE_MAXERR", Rule::By(scale)),
    ("POSANGLE_MAXERR", Rule::Idle(FIELD)),
    ("POSITION_MAXERR", Rule::Scaled("astrometry.pointing_err_deg", 1.0 / 60.0)),
    ("MATCH_RESOL", Rule::Idle(FIELD)),
    ("MATCH_FLIPPED", Rule::Idle(FIELD)),
    ("FIXFOCALPLANE_NMIN", Rule::Idle(MOSAIC)),
    ("MOSAIC_TYPE", Rule::Idle(MOSAIC)),
    ("CROSSID_RADIUS", Rule::Idle(LINKING)),
    ("SOLVE_ASTROM", Rule::Idle("every frame is solved")),
    ("PROJECTION_TYPE", Rule::Idle("see astrometry.convention")),
    ("ASTRINSTRU_KEY", Rule::Idle(NIGHT)),
    ("STABILITY_TYPE", Rule::Idle(NIGHT)),
    ("CENTROID_KEYS", Rule::Idle("windowed centroids")),
    ("CENTROIDERR_KEYS", Rule::Idle("windowed centroids")),
    ("DISTORT_KEYS", Rule::Idle(NIGHT)),
    ("DISTORT_GROUPS", Rule::Idle(NIGHT)),
    ("DISTORT_DEGREES", Rule::Idle(NIGHT)),
    ("FOCDISTORT_DEGREE", Rule::Idle(MOSAIC)),
    ("ASTREF_WEIGHT", Rule::Idle(MEASURED)),
    ("ASTRACCURACY_TYPE", Rule::Idle(MEASURED)),
    ("ASTRACCURACY_KEY", Rule::Idle(MEASURED)),
    ("ASTR_ACCURACY", Rule::Idle(MEASURED)),
    ("ASTRCLIP_NSIGMA", Rule::Idle(MEASURED)),
    ("COMPUTE_PARALLAXES", Rule::Idle(LINKING)),
    ("COMPUTE_PROPERMOTIONS", Rule::Idle(LINKING)),
    ("CORRECT_COLOURSHIFTS", Rule::Idle("colour's pull on places is measured and told")),
    ("INCLUDE_ASTREFCATALOG", Rule::Idle(LINKING)),
    ("ASTR_FLAGSMASK", Rule::Idle("saturated and cut sources are never used")),
    ("ASTR_IMAFLAGSMASK", Rule::Idle("saturated and cut sources are never used")),
    ("FLAGS_MASK", Rule::Idle("saturated and cut sources are never linked")),
    ("WEIGHTFLAGS_MASK", Rule::Idle("saturated and cut sources are never linked")),
    ("IMAFLAGS_MASK", Rule::Idle("saturated and cut sources are never linked")),
    ("SOLVE_PHOTOM", Rule::Idle(ZERO_POINT)),
    ("MAGZERO_OUT", Rule::Idle(ZERO_POINT)),
    ("MAGZERO_INTERR", Rule::Idle(ZERO_POINT)),
    ("MAGZERO_REFERR", Rule::Idle(ZERO_POINT)),
    ("PHOTINSTRU_KEY", Rule::Idle(ZERO_POINT)),
    ("MAGZERO_KEY", Rule::Idle(ZERO_POINT)),
    ("EXPOTIME_KEY", Rule::Idle(FROM_HEADER)),
    ("AIRMASS_KEY", Rule::Idle(ZERO_POINT)),
    ("EXTINCT_KEY", Rule::Idle(ZERO_POINT)),
    ("PHOTOMFLAG_KEY", Rule::Idle(ZERO_POINT)),
    ("PHOTFLUX_KEY", Rule::Idle(ZERO_POINT)),
    ("PHOTFLUXERR_KEY", Rule::Idle(ZERO_POINT)),
    ("PHOTCLIP_NSIGMA", Rule::Idle(ZERO_POINT)),
    ("PHOT_ACCURACY", Rule::Idle(ZERO_POINT)),
    ("CHECKPLOT_CKEY", Rule::Idle(CHARTS)),
    ("CHECKPLOT_DEV", Rule::Idle(CHARTS)),
    ("CHECKPLOT_RES", Rule::Idle(CHARTS)),
    ("CHECKPLOT_ANTIALIAS", Rule::Idle(CHARTS)),
    ("CHECKPLOT_TYPE", Rule::Idle(CHARTS)),
    ("CHECKPLOT_NAME", Rule::Idle(CHARTS)),
    ("CHECKIMAGE_TYPE", Rule::Idle(CHARTS)),
    ("CHECKIMAGE_NAME", Rule::Idle(CHARTS)),
    ("SN_THRESHOLDS", Rule::Idle(MEASURED)),
    ("FWHM_THRESHOLDS", Rule::Idle(MEASURED)),
    ("ELLIPTICITY_MAX", Rule::Idle("frames with drawn-out stars are refused as a whole")),
    ("AHEADER_GLOBAL", Rule::Idle(WRITTEN)),
    ("AHEADER_NAME", Rule::Idle(WRITTEN)),
    ("AHEADER_SUFFIX", Rule::Idle(WRITTEN)),
    ("HEADER_NAME", Rule::Idle(WRITTEN)),
    ("HEADER_SUFFIX", Rule::Idle(WRITTEN)),
    ("HEADER_TYPE", Rule::Idle("see astrometry.convention: \"tpv\" is what SCAMP writes")),
    ("VERBOSE_TYPE", Rule::Idle("see log.level")),
    ("WRITE_XML", Rule::Idle("reports are pages, JSON and tables")),
    ("XML_NAME", Rule::Idle("reports are pages, JSON and tables")),
    ("XSL_URL", Rule::Idle("reports are pages, JSON and tables")),
    ("NTHREADS", Rule::Idle("see run.workers: a frame per core is built in")),
];

fn catalogue(value: &str) -> Fate {
    let release = match value.to_ascii_uppercase().as_str() {
        "GAIA-DR2" => "gaia-dr2",
        "GAIA-EDR3" | "GAIA-DR3" => "gaia-dr3",
        "FILE" => return Fate::NotNeeded("name the file under reference.files".to_owned()),
        "NONE" => return Fate::Refused("a reference catalogue is always needed".to_owned()),
        _ => {
            return Fate::Refused(
                "only releases of Gaia are used: gaia-dr3 is built in".to_owned(),
            );
        }
    };
    Fate::Set { key: "reference.release", value: quoted(release) }
}

/// `ASTREFMAG_LIMITS -99,99`.
fn limits(value: &str) -> Fate {
    match value.split(',').nth(1).and_then(|v| v.trim().parse::<f64>().ok()) {
        None => Fate::Refused("is no pair of magnitudes".to_owned()),
        Some(faintest) if faintest > 21.5 => {
            Fate::NotNeeded("no limit: reference.magnitude_max is 19 when it is not set".to_owned())
        }
        Some(faintest) => Fate::Set { key: "reference.magnitude_max", value: real(faintest) },
    }
}

/// `PIXSCALE_MAXERR 1.2` is a factor.
fn scale(value: &str) -> Fate {
    match value.parse::<f64>().ok().filter(|v| (1.01..=2.0).contains(v)) {
        Some(factor) => {
            // To four digits: 1.2 is no 0.19999.
            let range = ((factor - 1.0) * 1e4).round() / 1e4;
            Fate::Set { key: "astrometry.scale_range", value: real(range) }
        }
        None => Fate::Refused("is no factor from 1.01 to 2: set astrometry.scale_range".to_owned()),
    }
}

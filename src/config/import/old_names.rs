//! Which keys of the old programs live on under which new name, for the manual.
//!
//! The tables that translate are asked; what they leave to functions is listed here, and a test
//! compares the list with what an import of the shipped files sets.

use super::rules::{Row, Rule};
use super::{OldKind, automatic, filabres, scamp, sextractor, ssos};

/// A key of an old program and what it is called now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldName {
    /// Which file held it.
    pub kind: OldKind,
    /// Its old name.
    pub old: &'static str,
    /// Section and name, as `link.rate_max_arcsec_per_h`.
    pub key: &'static str,
}

/// Names that functions translate.
const BY_FUNCTION: [(OldKind, &str, &str); 20] = [
    (OldKind::Autossos, "INSTRUMENT", "instrument.profile"),
    (OldKind::Ssos, "SCI_EXTENSION", "instrument.extensions"),
    (OldKind::Ssos, "WEIGHT_IMAGES", "calibrate.weight_dir"),
    (OldKind::Ssos, "REFERENCE_FILTER", "photometry.reference_filters"),
    (OldKind::Ssos, "CROSSMATCH_SKYBOT", "known.source"),
    (OldKind::Ssos, "OBSERVATORY_CODE", "site.mpc_code"),
    (OldKind::Ssos, "EXTRACT_CUTOUTS", "cutouts.candidates_max"),
    (OldKind::Ssos, "CUTOUT_SIZE", "cutouts.side_px"),
    (OldKind::Ssos, "OUTLIER_THRESHOLD", "filter.gap_factor"),
    (OldKind::Ssos, "MAG_LIMITS", "filter.bright_mag_min"),
    (OldKind::Ssos, "MAG_LIMITS", "filter.bright_mag_max"),
    (OldKind::Sextractor, "DETECT_THRESH", "extract.threshold_sigma"),
    (OldKind::Sextractor, "PHOT_AUTOPARAMS", "extract.kron_factor"),
    (OldKind::Sextractor, "PHOT_AUTOPARAMS", "extract.kron_factor_min"),
    (OldKind::Scamp, "ASTREF_CATALOG", "reference.release"),
    (OldKind::Scamp, "ASTREFMAG_LIMITS", "reference.magnitude_max"),
    (OldKind::Scamp, "PIXSCALE_MAXERR", "astrometry.scale_range"),
    (OldKind::FilabresSetup, "instrument", "instrument.profile"),
    (OldKind::FilabresSetup, "gaiadr_source", "reference.release"),
    (OldKind::FilabresInstrument, "instname", "instrument.profile"),
];

/// All names that live on, in the order of the programs.
pub fn old_names() -> Vec<OldName> {
    let tables: [(OldKind, &[Row]); 5] = [
        (OldKind::Autossos, automatic::RULES),
        (OldKind::Ssos, ssos::RULES),
        (OldKind::Sextractor, sextractor::RULES),
        (OldKind::Scamp, scamp::RULES),
        (OldKind::FilabresSetup, filabres::SETUP),
    ];
    let of_table = |(kind, rows): (OldKind, &'static [Row])| {
        rows.iter().filter_map(move |(old, rule)| rule.key().map(|key| OldName { kind, old, key }))
    };
    let listed = BY_FUNCTION.iter().map(|&(kind, old, key)| OldName { kind, old, key });
    tables.into_iter().flat_map(of_table).chain(listed).collect()
}

impl Rule {
    /// The setting that the rule gives a value, when the table says which.
    const fn key(&self) -> Option<&'static str> {
        match self {
            Self::Number(key)
            | Self::Whole(key)
            | Self::Scaled(key, _)
            | Self::Flag(key)
            | Self::Text(key) => Some(key),
            Self::Cut(_) => Some("filter.chain"),
            Self::Idle(_) | Self::Only(..) | Self::By(_) => None,
        }
    }
}

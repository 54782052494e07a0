//! `config.autossos` (seeds.md 1.3).

use super::Fate;
use super::rules::{Row, Rule};
use super::syntax::quoted;
use crate::pipeline::ingest::shipped;

/// Its keys.
pub(super) const RULES: &[Row] = &[
    ("INSTRUMENT", Rule::By(instrument)),
    ("FLIPSTAT", Rule::Idle("a turned frame is known by its header, and gets its masters turned")),
    ("RECALIB", Rule::Flag("astrometry.recalibrate")),
    ("MAX_MAG", Rule::Number("photometry.regression_mag_max")),
    ("MIN_MAG", Rule::Number("photometry.regression_mag_min")),
    ("MAX_MAGERR", Rule::Number("photometry.regression_err_max_mag")),
    ("SIGM", Rule::Number("photometry.regression_sigma")),
    ("R2", Rule::Number("photometry.r2_ratio_min")),
];

/// An instrument of Filabres: a shipped profile, or one to import.
pub(super) fn instrument(value: &str) -> Fate {
    let name = value.to_ascii_lowercase();
    if shipped().iter().any(|profile| profile.name == name) {
        return Fate::Set { key: "instrument.profile", value: quoted(&name) };
    }
    Fate::Refused(format!(
        "there is no shipped profile {name}: import Filabres' definition of it as well, or write \
         one with `autossosctl profile guess`"
    ))
}

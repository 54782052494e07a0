//! What goes to the Minor Planet Center: chosen from what people judged real, held back with a
//! reason where a rule says so, written to a file after a recorded human yes. Nothing is sent.
//!
//! [`plan()`] chooses (`select`, by the reasons in [`hold`]), `line` and `header` put it into
//! words, `track` names unknown objects, [`write()`] records and writes (`file`, where the order of
//! steps is told), [`draft()`] makes the attachment of the morning mail.

mod draft;
mod file;
mod header;
pub mod hold;
mod line;
mod select;
mod track;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use draft::draft;
pub use file::{FOLDER, finish, write};
pub use hold::Hold;
pub use line::TrackId;
pub use select::{Going, Held, Plan, plan};

use super::orders::OrderError;
use super::vetting::VettingError;
use crate::formats::ades::AdesError;
use crate::store::files::FilesError;
use crate::store::{NightId, StoreError};

/// Longest name of a person [characters], as for verdicts.
const WHO_LENGTH_MAX: usize = 64;

/// Form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubmitFormat {
    /// ADES, pipe-separated values.
    Psv,
    /// ADES, XML.
    Xml,
    /// Lines of 80 columns.
    Obs80,
}

impl SubmitFormat {
    /// Ending of the file's name.
    const fn ending(self) -> &'static str {
        match self {
            Self::Psv => "psv",
            Self::Xml => "xml",
            Self::Obs80 => "txt",
        }
    }
}

/// A human yes to a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmitAsk {
    /// Name of the night.
    pub night: String,
    /// Form of the file.
    pub format: SubmitFormat,
    /// Who said yes.
    pub who: String,
    /// Digest of what they saw ([`Plan::digest`]): anything else is not written.
    pub digest: String,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitDone {
    /// Number of the batch.
    pub id: i64,
    /// The file.
    pub path: PathBuf,
    /// How many objects it holds.
    pub n_objects: usize,
    /// How many observations.
    pub n_observations: usize,
}

/// Why nothing was written; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The night is not known.
    #[error(transparent)]
    Night(#[from] OrderError),
    /// Its candidates cannot be read.
    #[error(transparent)]
    Vetting(#[from] VettingError),
    /// Its telescope is not in the configuration.
    #[error(
        "night {night} is of telescope {telescope}, which the configuration does not list: give \
         the service's configuration with --config"
    )]
    UnknownTelescope {
        /// The night.
        night: NightId,
        /// The telescope.
        telescope: String,
    },
    /// No sky was seen.
    #[error(
        "night {night} is simulated: its candidates are no observations and can never be submitted"
    )]
    Simulated {
        /// The night.
        night: NightId,
    },
    /// The configuration does not say who and what.
    #[error("not written: the configuration must say {} first", keys.join(", "))]
    Incomplete {
        /// The keys.
        keys: Vec<&'static str>,
    },
    /// Nothing is left to go.
    #[error(
        "nothing of night {night} can go: `autossosctl submit {night} --check` tells why each \
         candidate is held back"
    )]
    Nothing {
        /// The night.
        night: NightId,
    },
    /// What would be written is not what the person saw.
    #[error(
        "not written: the batch is no longer the one that was looked at (a verdict, the \
         configuration or the night has changed): look at it again with `autossosctl submit \
         {night} --check`"
    )]
    Changed {
        /// The night.
        night: NightId,
    },
    /// The person has no name.
    #[error("the name of the person who says yes must have 1 to {allowed} characters, no controls")]
    BadWho {
        /// The limit.
        allowed: usize,
    },
    /// The header or an observation does not fit the format.
    #[error("not written: the batch does not fit the format")]
    Format(#[from] AdesError),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The folder of submissions could not be read.
    #[error("cannot use the folder {path}: check its owner and permissions")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests;

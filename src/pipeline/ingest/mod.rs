//! Ingest: what a raw frame's header says, by the rules of its instrument's profile.
//!
//! [`Profile`] holds the rules, [`shipped`] the built-in ones, [`choose_profile`] picks one by
//! the header, [`interpret`] applies it. The rest are the single rules: `time`, `pointing`,
//! `section`, `detector`, `site`, on top of `lookup`, `angle` and `datetime`.

mod angle;
mod choose;
mod datetime;
mod detector;
mod extensions;
mod frame_rules;
pub mod guess;
mod interpret;
mod lookup;
mod pointing;
pub mod profile;
mod section;
mod shipped;
mod simulated;
mod site;
mod time;

use thiserror::Error;

pub use choose::{choose_profile, pattern_fits};
pub use extensions::{Chosen, ExtensionName, choose_images};
pub use frame_rules::{CardValue, FRAME_RULES_TOML, ForcedKind, FrameRule, FrameRules, Ruled};
pub use interpret::{interpret, interpret_as};
pub use profile::Profile;
pub use section::parse_section;
pub use shipped::{GENERIC_TOML, ProfileError, TEMPLATE_TOML, generic, shipped};
pub use simulated::names_simulator;

/// Why a header is not turned into a frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IngestRefusal {
    /// The profile wants this type of frame left alone (focus, acquisition, junk).
    #[error("{keyword} = '{value}' is a type of frame that the profile ignores")]
    Ignored {
        /// Keyword of the image type.
        keyword: String,
        /// Its value.
        value: String,
    },
    /// The frame cannot be used.
    #[error(transparent)]
    Unusable {
        /// What is wrong.
        #[from]
        fault: HeaderFault,
    },
}

/// What makes a header unusable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderFault {
    /// A dark or science frame has no exposure time above zero.
    #[error("no usable exposure time")]
    NoExposure,
    /// A strict profile does not know the image type.
    #[error("{keyword} = '{value}' is an unknown type of frame")]
    UnknownKind {
        /// Keyword of the image type.
        keyword: String,
        /// Its value.
        value: String,
    },
    /// A strict profile finds no image type.
    #[error("no image type")]
    NoKind,
}

#[cfg(test)]
mod tests;

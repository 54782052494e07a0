//! What can be wrong with a configuration, said so that it can be mended: where it stands, what
//! is allowed, and a hint.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::keys::{Kind, known_sections, names_in};
use crate::pipeline::ingest::ProfileError;

/// Where a setting was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// An argument `--set`, as it was given.
    Set {
        /// The argument.
        argument: String,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        name: String,
    },
    /// Nowhere: the built-in value.
    BuiltIn,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Set { argument } => write!(f, "--set {argument}"),
            Self::Environment { name } => write!(f, "environment variable {name}"),
            Self::BuiltIn => f.write_str("built-in configuration"),
        }
    }
}

/// Why a configuration is refused; shown to the operator, exit code 78.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file cannot be opened or read.
    #[error("{}: the file cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A file is too large to be a configuration.
    #[error("{}: larger than {max_bytes} bytes, so it is no configuration", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Limit [bytes].
        max_bytes: u64,
    },
    /// The text is not TOML.
    #[error("{place}: not TOML: {}", cause.message())]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says; shown above, so no `source`.
        cause: Box<toml::de::Error>,
    },
    /// A section that does not exist.
    #[error(
        "{place}: unknown section [{section}]\n  allowed: {}{}",
        known_sections().join(", "),
        Hint(hint)
    )]
    UnknownSection {
        /// Where.
        place: Place,
        /// As written.
        section: String,
        /// The likeliest one.
        hint: Option<String>,
    },
    /// A key that does not exist.
    #[error(
        "{place}: unknown key `{key}` in [{section}]\n  allowed: {}{}",
        names_in(section).join(", "),
        Hint(hint)
    )]
    UnknownKey {
        /// Where.
        place: Place,
        /// Section.
        section: String,
        /// As written.
        key: String,
        /// The likeliest one.
        hint: Option<String>,
    },
    /// A value stands where a section should.
    #[error("{place}: `{section}` is a section: write [{section}] and its keys below")]
    NotASection {
        /// Where.
        place: Place,
        /// The section.
        section: String,
    },
    /// A value of the wrong kind.
    #[error("{place}: `{key}` is {found}; allowed: {expected}")]
    WrongKind {
        /// Where.
        place: Place,
        /// Section and key.
        key: String,
        /// What it must be.
        expected: Kind,
        /// What it is.
        found: &'static str,
    },
    /// A number outside its range.
    #[error("{place}: `{key}` is {value}; allowed: {min} to {max}")]
    OutOfRange {
        /// Where.
        place: Place,
        /// Section and key.
        key: &'static str,
        /// The value.
        value: f64,
        /// Least allowed value.
        min: f64,
        /// Greatest allowed value.
        max: f64,
    },
    /// A text of the wrong form.
    #[error("{place}: `{key}` is \"{value}\"; allowed: {expected}")]
    WrongText {
        /// Where.
        place: Place,
        /// Section and key.
        key: &'static str,
        /// The value.
        value: String,
        /// What it must look like.
        expected: &'static str,
    },
    /// One key is given and another that it needs is not.
    #[error("{place}: `{key}` needs `{missing}` beside it")]
    Incomplete {
        /// Where.
        place: Place,
        /// The key that is given.
        key: &'static str,
        /// The key that is missing.
        missing: &'static str,
    },
    /// A `--set` or environment variable of the wrong form.
    #[error("{place}: allowed: {form}")]
    BadOverride {
        /// Which.
        place: Place,
        /// The right form.
        form: &'static str,
    },
    /// The chosen profile is not among the known ones.
    #[error(
        "{place}: unknown profile \"{name}\"\n  allowed: auto, {}{}",
        known.join(", "),
        Hint(hint)
    )]
    UnknownProfile {
        /// Where.
        place: Place,
        /// The name.
        name: String,
        /// Names of the profiles.
        known: Vec<String>,
        /// The likeliest one.
        hint: Option<String>,
    },
    /// A profile file is no profile.
    #[error("{}: the instrument profile is refused", path.display())]
    Profile {
        /// The file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: ProfileError,
    },
    /// The checked settings do not fit the raw structs: a defect of this program.
    #[error("the checked settings could not be read")]
    Decode {
        /// Cause.
        #[source]
        source: Box<toml::de::Error>,
    },
}

/// A hint on a line of its own, or nothing.
struct Hint<'a>(&'a Option<String>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |hint| write!(f, "\n  hint: did you mean {hint}?"))
    }
}

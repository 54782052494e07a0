//! What can be wrong with a configuration, said so that it can be mended: where it stands, what
//! is allowed, and a hint.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::keys::{Kind, heading, known_sections, names_in};
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
        "{place}: unknown key `{key}` in {}\n  allowed: {}{}",
        heading(section),
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
        section: &'static str,
    },
    /// A section or value stands where a list of sections should.
    #[error(
        "{place}: `{section}` is a list: write [[{section}]] and its keys below, once for each"
    )]
    NotAList {
        /// Where.
        place: Place,
        /// The section.
        section: &'static str,
    },
    /// A list of sections with too many entries.
    #[error("{place}: more than {max} [[{section}]]")]
    TooMany {
        /// Where.
        place: Place,
        /// The section.
        section: &'static str,
        /// Most that are allowed.
        max: usize,
    },
    /// The environment or `--set` names a list of sections.
    #[error("{place}: [[{section}]] can only be written in the configuration file")]
    OnlyInFile {
        /// Which.
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
    /// A text that is none of a few words.
    #[error(
        "{place}: `{key}` is \"{value}\"; allowed: {}{}",
        allowed.join(", "),
        Hint(&quoted(*hint))
    )]
    WrongWord {
        /// Where.
        place: Place,
        /// Section and key.
        key: &'static str,
        /// The value.
        value: String,
        /// The words.
        allowed: Vec<&'static str>,
        /// The likeliest one.
        hint: Option<&'static str>,
    },
    /// An entry of a list of sections lacks a key.
    #[error("{place}: this [[{section}]] needs `{missing}`")]
    IncompleteEntry {
        /// Where the entry begins.
        place: Place,
        /// The section.
        section: &'static str,
        /// The key.
        missing: &'static str,
    },
    /// Two keys that exclude each other.
    #[error("{place}: `{key}` cannot stand beside {other}: {advice}")]
    Contradiction {
        /// Where.
        place: Place,
        /// Section and key.
        key: &'static str,
        /// What it contradicts.
        other: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Two telescopes with one name.
    #[error("{place}: there is a telescope \"{name}\" already, at {first}")]
    SameName {
        /// Where.
        place: Place,
        /// The name.
        name: String,
        /// Where the other one is named.
        first: Place,
    },
    /// Two telescopes whose incoming folders share files.
    #[error(
        "{place}: `telescope.incoming` and that at {other} are one folder or lie in each other: \
         give each telescope a folder of its own"
    )]
    SharedFolder {
        /// Where.
        place: Place,
        /// Where the other folder is named.
        other: Place,
    },
    /// An address with a user's name or password in it; they are not repeated here.
    #[error("{place}: `{key}` holds a user's name or password (before @): take them out")]
    Secret {
        /// Where.
        place: Place,
        /// Section and key.
        key: &'static str,
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
    /// A rules file holds no rules.
    #[error("{}: the rules for frames are refused", path.display())]
    FrameRules {
        /// The file.
        path: PathBuf,
        /// Line, column and cause.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The checked settings do not fit the raw structs: a defect of this program.
    #[error("the checked settings could not be read")]
    Decode {
        /// Cause.
        #[source]
        source: Box<toml::de::Error>,
    },
}

/// A word in quotes.
fn quoted(word: Option<&str>) -> Option<String> {
    word.map(|word| format!("\"{word}\""))
}

/// A hint on a line of its own, or nothing.
struct Hint<'a>(&'a Option<String>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |hint| write!(f, "\n  hint: did you mean {hint}?"))
    }
}

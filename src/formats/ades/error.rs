//! Why a text is no ADES file, or a value none of its fields.

/// A value or a file that is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdesError {
    /// The file is too large.
    #[error("the file has {found} bytes, at most {allowed} are read")]
    TooLarge {
        /// Its size [bytes].
        found: usize,
        /// The limit [bytes].
        allowed: usize,
    },
    /// The file has too many observations.
    #[error("the file has more than {allowed} observations")]
    TooMany {
        /// The limit.
        allowed: usize,
    },
    /// The file is no UTF-8.
    #[error("the file is no text in UTF-8")]
    NoText {
        /// Where it ends to be.
        source: std::str::Utf8Error,
    },
    /// The version is not told, or not known.
    #[error("line {line}: the version must be told first and be 2017 or 2022")]
    Version {
        /// Line, from 1.
        line: usize,
    },
    /// A group of the header is not known.
    #[error("line {line}: no such part of the header")]
    UnknownGroup {
        /// Line, from 1.
        line: usize,
    },
    /// A line of the header is not known, or belongs to no group.
    #[error("line {line}: no such line in this part of the header")]
    UnknownHeaderLine {
        /// Line, from 1.
        line: usize,
    },
    /// A header line that can stand once stands twice.
    #[error("`{group}/{tag}` is there twice")]
    HeaderTwice {
        /// Its group.
        group: &'static str,
        /// Its name.
        tag: &'static str,
    },
    /// A header line must be there.
    #[error("`{group}/{tag}` is missing in the header")]
    NoHeaderLine {
        /// Its group.
        group: &'static str,
        /// Its name.
        tag: &'static str,
    },
    /// Observations come before the names of their columns.
    #[error("line {line}: the names of the columns must come before the observations")]
    NoColumns {
        /// Line, from 1.
        line: usize,
    },
    /// A column or element of an observation is not known.
    #[error("line {line}: no such field of an optical observation")]
    UnknownField {
        /// Line, from 1.
        line: usize,
    },
    /// A field is there twice.
    #[error("line {line}: `{tag}` is there twice")]
    FieldTwice {
        /// Line, from 1.
        line: usize,
        /// Its name.
        tag: &'static str,
    },
    /// A row has more or fewer cells than there are columns.
    #[error("line {line}: {found} cells for {expected} columns")]
    Cells {
        /// Line, from 1.
        line: usize,
        /// Cells of the row.
        found: usize,
        /// Columns.
        expected: usize,
    },
    /// A value is not what its field holds.
    #[error("the value of `{tag}` is refused; allowed: {expected}")]
    Value {
        /// Name of the field.
        tag: &'static str,
        /// What is allowed.
        expected: &'static str,
    },
    /// A part of an observation must be there.
    #[error("observation {observation} has no `{tag}`")]
    NoField {
        /// Name of the field.
        tag: &'static str,
        /// Which observation, from 1.
        observation: usize,
    },
    /// There is no observation.
    #[error("the file holds no observation")]
    NoObservation,
    /// There is a second block.
    #[error("line {line}: a second block of observations; one file, one block")]
    SecondBlock {
        /// Line, from 1.
        line: usize,
    },
    /// The XML is broken.
    #[error("line {line}: the XML is broken")]
    Xml {
        /// Line, from 1.
        line: usize,
        /// What the parser says.
        source: quick_xml::Error,
    },
    /// An element stands where it may not.
    #[error("line {line}: this element or text may not stand here")]
    Misplaced {
        /// Line, from 1.
        line: usize,
    },
}

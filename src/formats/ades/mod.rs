//! ADES, the exchange format for astrometry: values to PSV and XML and back.
//!
//! Source: IAU "Astrometry Data Exchange Standard", version 2022, and the schema `submit.xsd` by
//! which the Minor Planet Center judges what it gets. [`field`] and [`header`] are that schema as
//! tables: names, order, what a value may be. A value is kept as the text that will be written,
//! because its decimals say how well it is known; [`number`] makes such texts. What is in an
//! [`Observation`] or a [`Header`] has passed its rule, so writing cannot fail. One file holds
//! one block: a station's header and its observations. Optical and occultation observations
//! are known, radar and offsets are not.

pub mod error;
pub mod field;
pub mod header;
pub mod number;
mod psv;
mod rule;
#[cfg(test)]
mod tests;
mod xml;

pub use error::AdesError;
pub use field::{Field, Observation};
pub use header::{Header, HeaderKey};

/// Version that is written.
pub const VERSION: &str = "2022";
/// Versions that are read.
const VERSIONS_READ: [&str; 2] = ["2017", VERSION];
/// Largest file that is read [bytes].
const SIZE_MAX_BYTES: usize = 16 << 20;
/// Most observations that are read.
const OBSERVATIONS_MAX: usize = 100_000;

/// A station's header and its observations: one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Submission {
    /// Who observed with what.
    pub header: Header,
    /// What was observed, in the file's order.
    pub observations: Vec<Observation>,
}

impl Submission {
    /// Tells what the file lacks: header lines that must be there, parts of observations.
    pub fn check(&self) -> Result<(), AdesError> {
        if let Some(key) = self.header.missing().first() {
            return Err(AdesError::NoHeaderLine { group: key.group(), tag: key.tag() });
        }
        if self.observations.is_empty() {
            return Err(AdesError::NoObservation);
        }
        for (number, observation) in self.observations.iter().enumerate() {
            if let Some(field) = observation.missing() {
                return Err(AdesError::NoField { tag: field.tag(), observation: number + 1 });
            }
        }
        Ok(())
    }

    /// The file in the form of pipe-separated values.
    pub fn to_psv(&self) -> String {
        psv::write(self)
    }

    /// The file in the form of XML.
    pub fn to_xml(&self) -> String {
        xml::write(self)
    }

    /// Reads a file of pipe-separated values.
    pub fn from_psv(bytes: &[u8]) -> Result<Self, AdesError> {
        psv::read(text_of(bytes)?)
    }

    /// Reads an XML file.
    pub fn from_xml(bytes: &[u8]) -> Result<Self, AdesError> {
        xml::read(text_of(bytes)?)
    }

    /// Adds an observation that was read.
    fn push(&mut self, observation: Observation) -> Result<(), AdesError> {
        if self.observations.len() >= OBSERVATIONS_MAX {
            return Err(AdesError::TooMany { allowed: OBSERVATIONS_MAX });
        }
        self.observations.push(observation);
        Ok(())
    }
}

/// The file as text, when it is one of a bearable size.
fn text_of(bytes: &[u8]) -> Result<&str, AdesError> {
    if bytes.len() > SIZE_MAX_BYTES {
        return Err(AdesError::TooLarge { found: bytes.len(), allowed: SIZE_MAX_BYTES });
    }
    let text = std::str::from_utf8(bytes).map_err(|source| AdesError::NoText { source })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

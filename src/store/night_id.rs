//! The name of a night, safe to be a folder's name.

use std::fmt;

/// Longest name of a night [bytes]; file systems allow 255.
const LENGTH_MAX: usize = 120;

/// A night's identifier, usually the name of its folder.
///
/// It is one component of a path: not empty, no separators, no control or direction marks, no
/// leading dot. Any other Unicode is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NightId(String);

/// Why a text cannot name a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NightIdError {
    /// Nothing or only blanks.
    #[error("The night's name is empty: give one with --night.")]
    Empty,
    /// `.`, `..` or a hidden name.
    #[error("The night's name starts with a dot: give another one with --night.")]
    LeadingDot,
    /// A character that cannot be part of a file's name.
    #[error(
        "The night's name holds a separator, control or direction character (number {0}): \
         give another one with --night."
    )]
    Character(usize),
    /// Longer than file systems like.
    #[error("The night's name has {0} bytes, at most 120 are allowed: give one with --night.")]
    TooLong(usize),
}

impl NightId {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, NightIdError> {
        check_component(name, LENGTH_MAX)?;
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NightId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks that a text can be one component of a path of at most `length_max` bytes.
pub(super) fn check_component(name: &str, length_max: usize) -> Result<(), NightIdError> {
    if name.trim().is_empty() {
        return Err(NightIdError::Empty);
    }
    if name.starts_with('.') {
        return Err(NightIdError::LeadingDot);
    }
    if let Some(place) = name.chars().position(is_refused) {
        return Err(NightIdError::Character(place + 1));
    }
    if name.len() > length_max {
        return Err(NightIdError::TooLong(name.len()));
    }
    Ok(())
}

/// Separators, control characters and marks that turn the direction of reading.
fn is_refused(c: char) -> bool {
    matches!(c, '/' | '\\' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_and_unicode_names_are_kept() {
        for name in ["2026-03-01", "lowell-20190326", "Nacht vom 1. März", "夜1", "a..b"] {
            assert_eq!(NightId::new(name).expect("a good name").as_str(), name);
        }
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        assert_eq!(NightId::new(""), Err(NightIdError::Empty));
        assert_eq!(NightId::new("  "), Err(NightIdError::Empty));
        assert_eq!(NightId::new("."), Err(NightIdError::LeadingDot));
        assert_eq!(NightId::new(".."), Err(NightIdError::LeadingDot));
        assert_eq!(NightId::new("a/b"), Err(NightIdError::Character(2)));
        assert_eq!(NightId::new("a\\b"), Err(NightIdError::Character(2)));
        assert_eq!(NightId::new("ab\u{0}"), Err(NightIdError::Character(3)));
        assert_eq!(NightId::new("a\u{202e}"), Err(NightIdError::Character(2)));
        assert_eq!(NightId::new(&"x".repeat(121)), Err(NightIdError::TooLong(121)));
    }
}

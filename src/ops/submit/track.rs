//! Names of unknown objects: made from night and candidate, never given twice by a station.
//!
//! A name has seven letters and digits, so that it fits both the exchange format (8) and the
//! 80-column line (7); it begins with two letters, so that it looks like no packed designation.

use std::collections::BTreeMap;

use crate::store::submissions::TrackName;

/// Letters of a name's beginning: those that are not taken for digits.
const LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPQRSTUVWXY";
/// Letters and digits of the rest.
const SIGNS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Length of a name [characters].
const LENGTH: usize = 7;
/// Names that are tried before it is given up.
pub(super) const TRIES_MAX: u32 = 64;

/// The names that a station gave, and those that this batch will give.
#[derive(Debug, Default)]
pub(super) struct TrackNames {
    /// Night and candidate of each name.
    owners: BTreeMap<String, (String, String)>,
}

impl TrackNames {
    pub(super) fn new(given: Vec<TrackName>) -> Self {
        let owner = |name: TrackName| (name.trk_sub, (name.night, name.candidate_id));
        Self { owners: given.into_iter().map(owner).collect() }
    }

    /// The name that an object has.
    pub(super) fn of(&self, night: &str, candidate: &str) -> Option<&str> {
        let mut all = self.owners.iter();
        all.find(|(_, owner)| owner.0 == night && owner.1 == candidate).map(|(name, _)| &**name)
    }

    /// The name that an object has or gets; `None` when all tries are others' names.
    pub(super) fn give(&mut self, night: &str, candidate: &str) -> Option<String> {
        if let Some(name) = self.of(night, candidate) {
            return Some(name.to_owned());
        }
        let mut tries = (0..TRIES_MAX).map(|n| made(night, candidate, n));
        // Whoever reads them without regard to case must not mix them up either.
        let is_free =
            |name: &String| !self.owners.keys().any(|given| given.eq_ignore_ascii_case(name));
        let name = tries.find(is_free)?;
        self.owners.insert(name.clone(), (night.to_owned(), candidate.to_owned()));
        Some(name)
    }
}

/// The nth name that an object may get.
pub(super) fn made(night: &str, candidate: &str, n: u32) -> String {
    let hash = blake3::hash(format!("{night}\n{candidate}\n{n}").as_bytes());
    let pick = |(place, byte): (usize, &u8)| {
        let signs: &[u8] = if place < 2 { LETTERS } else { SIGNS };
        char::from(signs[usize::from(*byte) % signs.len()])
    };
    hash.as_bytes().iter().take(LENGTH).enumerate().map(pick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::ades::{Field, Observation};
    use crate::formats::designation::Designation;

    #[test]
    fn names_fit_both_formats_and_are_no_designations() {
        for n in 0..500 {
            let name = made("2026-03-01", &format!("K{n}"), 0);
            Observation::default().set(Field::TrkSub, &name).expect("fits");
            assert!(name.len() == 7 && name.bytes().all(|c| c.is_ascii_alphanumeric()), "{name}");
            assert_eq!(Designation::from_packed(&name), None, "{name}");
            assert_eq!(Designation::from_name(&name), None, "{name}");
        }
    }

    #[test]
    fn an_object_keeps_its_name_and_no_other_gets_it() {
        let mut names = TrackNames::default();
        let first = names.give("a", "K1").expect("free");
        assert_eq!(names.give("a", "K1"), Some(first.clone()));
        // Another station's tool, or an older version, gave the first name to another object.
        let given = TrackName {
            trk_sub: first.to_lowercase(),
            night: "b".to_owned(),
            candidate_id: "K9".to_owned(),
        };
        let mut names = TrackNames::new(vec![given]);
        assert_eq!(names.give("a", "K1"), Some(made("a", "K1", 1)));
        let taken = |n| TrackName {
            trk_sub: made("a", "K1", n),
            night: "b".to_owned(),
            candidate_id: format!("K{n}"),
        };
        let mut full = TrackNames::new((0..TRIES_MAX).map(taken).collect());
        assert_eq!(full.give("a", "K1"), None);
        assert!(full.give("a", "K2").is_some());
    }
}

//! Names of objects without a name: `UNK_n` and `AST_n`, as Automatic-SSOs gives them, by object.
//!
//! A night's unnamed candidates get numbers when the night is closed, in order of the time they
//! were first seen. A number is never given to another object: a night done again keeps those of
//! objects that are still there (the same identifier, or half of the same detections) and goes on
//! counting. The number becomes a name once a person has said what the object is: `AST_n` for an
//! asteroid, `UNK_n` for what cannot be told. One number serves both, so that a changed mind
//! changes three letters. An object seen in several nights has its key
//! ([`crate::store::night_objects`]) in the place of the number, so that it is called the same in
//! all of them.

use std::collections::BTreeMap;

use super::error::OpsError;
use super::vetting::{About, Vetted};
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::report::NightReport;
use crate::store::object_numbers::ObjectNumber;
use crate::store::verdicts::Verdict;
use crate::store::{NightId, Reader, Store};

/// The numbers of a night's unnamed objects by the candidates' identifiers.
pub type Numbers = BTreeMap<String, u32>;

/// Gives numbers to the unnamed objects of a report; doing it again changes nothing.
pub(super) fn number_objects(
    store: &Store,
    night: &NightId,
    report: &NightReport,
) -> Result<(), OpsError> {
    let kept = store.read().object_numbers(night)?;
    let fresh = assigned(&report.candidates.iter().chain(&report.faint).collect::<Vec<_>>(), &kept);
    if !fresh.is_empty() {
        store.keep_object_numbers(night, fresh)?;
    }
    Ok(())
}

/// Rows that are new or whose candidate has another identifier now.
fn assigned(candidates: &[&Candidate], kept: &[ObjectNumber]) -> Vec<ObjectNumber> {
    let is_unnamed = |c: &&&Candidate| !matches!(c.identity, Identity::Known { .. });
    let mut unnamed: Vec<&Candidate> = candidates.iter().filter(is_unnamed).copied().collect();
    unnamed.sort_by(|a, b| {
        let first = |c: &Candidate| {
            c.detections.first().map_or((f64::INFINITY, 0.0), |d| (d.mid_mjd_utc, d.ra_deg))
        };
        let ((time_a, ra_a), (time_b, ra_b)) = (first(a), first(b));
        time_a.total_cmp(&time_b).then(ra_a.total_cmp(&ra_b)).then_with(|| a.id.cmp(&b.id))
    });
    let is_there = |id: &str| candidates.iter().any(|candidate| candidate.id == id);
    let mut vanished: Vec<&ObjectNumber> =
        kept.iter().filter(|row| !is_there(&row.candidate_id)).collect();
    let mut next = kept.iter().map(|row| row.number).max().unwrap_or(0) + 1;
    let mut rows = Vec::new();
    for candidate in unnamed {
        if kept.iter().any(|row| row.candidate_id == candidate.id) {
            continue;
        }
        let is_it = |row: &&ObjectNumber| {
            serde_json::from_str::<About>(&row.about).is_ok_and(|about| about.is_of(candidate))
        };
        let number = match vanished.iter().position(is_it) {
            Some(i) => vanished.remove(i).number,
            None => {
                next += 1;
                next - 1
            }
        };
        rows.push(ObjectNumber {
            number,
            candidate_id: candidate.id.clone(),
            about: serde_json::to_string(&About::new(candidate)).unwrap_or_default(),
        });
    }
    rows
}

/// The numbers of a night.
pub fn numbers(reader: &Reader, night: &NightId) -> Result<Numbers, OpsError> {
    let rows = reader.object_numbers(night)?;
    Ok(rows.into_iter().map(|row| (row.candidate_id, row.number)).collect())
}

/// The name of an object: of the list of known ones, or by its number and what people say.
pub fn name(vetted: &Vetted, numbers: &Numbers) -> Option<String> {
    if let Identity::Known { name, .. } = &vetted.candidate.identity {
        return Some(name.clone());
    }
    // An object of several nights has one key in all of them; its numbers differ.
    let number = match &vetted.joined {
        Some(joined) => joined.key.clone(),
        None => numbers.get(&vetted.candidate.id)?.to_string(),
    };
    match vetted.verdict()? {
        Verdict::Real => Some(format!("AST_{number}")),
        Verdict::Unsure => Some(format!("UNK_{number}")),
        Verdict::False => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::vetting::fixture::candidate;
    use super::*;

    fn kept(rows: &[ObjectNumber]) -> Vec<(u32, &str)> {
        rows.iter().map(|row| (row.number, row.candidate_id.as_str())).collect()
    }

    #[test]
    fn numbers_belong_to_objects_and_not_to_rows() {
        let named = Identity::Known { name: "433 Eros".to_owned(), separation_arcsec: 0.1 };
        let a = candidate("AAA", 10.0);
        let b = candidate("BBB", 50.0);
        let known = Candidate { identity: named, ..candidate("CCC", 90.0) };
        let first = assigned(&[&b, &known, &a], &[]);
        assert_eq!(first.len(), 2);
        // In any order of the rows the same.
        assert_eq!(kept(&assigned(&[&a, &b, &known], &[])), kept(&first));
        assert!(assigned(&[&known, &a, &b], &first).is_empty());
        // One changes its identifier, one goes, one comes.
        let again = Candidate { id: "AA2".to_owned(), ..a.clone() };
        let new = candidate("NEW", 130.0);
        let second = assigned(&[&new, &again], &first);
        let number_a = first.iter().find(|row| row.candidate_id == "AAA").expect("a").number;
        let mut rows = kept(&second);
        rows.sort_unstable();
        assert_eq!(rows, [(number_a, "AA2"), (3, "NEW")]);
    }
}

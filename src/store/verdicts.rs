//! What people said of candidates: a history, the newest entry counts.

use rusqlite::params;

use crate::science::time::Epoch;

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::{Reader, Store};

/// A human's opinion of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A moving object.
    Real,
    /// Not an object.
    False,
    /// Cannot be told.
    Unsure,
}

impl Verdict {
    /// The word of the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::False => "false",
            Self::Unsure => "unsure",
        }
    }

    /// The verdict of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Real, Self::False, Self::Unsure].into_iter().find(|verdict| verdict.word() == word)
    }
}

/// One entry of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictRow {
    /// Identifier of the candidate.
    pub candidate_id: String,
    /// The opinion.
    pub verdict: Verdict,
    /// Whose it is.
    pub who: String,
    /// When it was given.
    pub at: Epoch,
    /// Why, in their words; may be empty.
    pub note: String,
}

impl Store {
    /// Adds a verdict to the history; the same one again changes nothing.
    pub fn record_verdict(&self, night: &NightId, row: VerdictRow) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "INSERT INTO verdict (night, candidate_id, verdict, who, at_mjd_utc, note) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                     ON CONFLICT (night, candidate_id, who, at_mjd_utc) DO NOTHING",
                    params![
                        night,
                        row.candidate_id,
                        row.verdict.word(),
                        row.who,
                        row.at.mjd_utc(),
                        row.note
                    ],
                )
                .map_err(during("keep a verdict"))?;
            Ok(())
        })
    }
}

impl Reader {
    /// All verdicts of a night, oldest first.
    pub fn verdicts(&self, night: &NightId) -> Result<Vec<VerdictRow>, StoreError> {
        self.rows(
            "read the verdicts of a night",
            "SELECT candidate_id, verdict, who, at_mjd_utc, note FROM verdict \
             WHERE night = ?1 ORDER BY at_mjd_utc, id",
            &[&night.as_str()],
            |row| {
                let word: String = row.get(1)?;
                Ok(VerdictRow {
                    candidate_id: row.get(0)?,
                    // The table's CHECK admits these words only.
                    verdict: Verdict::from_word(&word).unwrap_or(Verdict::Unsure),
                    who: row.get(2)?,
                    at: Epoch::from_mjd_utc(row.get(3)?),
                    note: row.get(4)?,
                })
            },
        )
    }
}

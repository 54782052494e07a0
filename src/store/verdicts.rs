//! What people said of candidates: a history that only grows; `ops::vetting` reads it.

use rusqlite::{Row, params};

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

/// What a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Gave an opinion.
    Judge(Verdict),
    /// Took back the last opinion of their own on this candidate.
    Undo,
    /// Wrote a note and no opinion.
    Note,
}

impl Act {
    /// All acts.
    pub const ALL: [Self; 5] = [
        Self::Judge(Verdict::Real),
        Self::Judge(Verdict::False),
        Self::Judge(Verdict::Unsure),
        Self::Undo,
        Self::Note,
    ];

    /// The word of the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Judge(Verdict::Real) => "real",
            Self::Judge(Verdict::False) => "false",
            Self::Judge(Verdict::Unsure) => "unsure",
            Self::Undo => "undo",
            Self::Note => "note",
        }
    }

    /// The act of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }
}

/// One entry of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictRow {
    /// Identifier of the candidate.
    pub candidate_id: String,
    /// What was done.
    pub act: Act,
    /// By whom.
    pub who: String,
    /// When.
    pub at: Epoch,
    /// Why, in their words; may be empty.
    pub note: String,
    /// Names this act: the same one again changes nothing.
    pub token: String,
    /// What was looked at, as JSON of `ops::vetting`; may be empty.
    pub about: String,
}

impl Store {
    /// Adds to the history; tells whether it is new. It is on disk when this returns.
    pub fn record_verdict(&self, night: &NightId, row: VerdictRow) -> Result<bool, StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            let n_rows = transaction
                .execute(
                    "INSERT INTO verdict \
                     (night, candidate_id, verdict, who, at_mjd_utc, note, token, about) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (token) DO NOTHING",
                    params![
                        night,
                        row.candidate_id,
                        row.act.word(),
                        row.who,
                        row.at.mjd_utc(),
                        row.note,
                        row.token,
                        row.about
                    ],
                )
                .map_err(during("keep a verdict"))?;
            Ok(n_rows > 0)
        })
    }
}

impl Reader {
    /// All that was said of a night's candidates, oldest first.
    pub fn verdicts(&self, night: &NightId) -> Result<Vec<VerdictRow>, StoreError> {
        self.rows(
            "read the verdicts of a night",
            "SELECT candidate_id, verdict, who, at_mjd_utc, note, token, about FROM verdict \
             WHERE night = ?1 ORDER BY id",
            &[&night.as_str()],
            made,
        )
    }

    /// All that was ever said, with its night; nights in order of their names, oldest first.
    pub fn all_verdicts(&self) -> Result<Vec<(String, VerdictRow)>, StoreError> {
        self.rows(
            "read all verdicts",
            "SELECT candidate_id, verdict, who, at_mjd_utc, note, token, about, night FROM verdict \
             ORDER BY night, id",
            &[],
            |row| Ok((row.get(7)?, made(row)?)),
        )
    }
}

fn made(row: &Row<'_>) -> rusqlite::Result<VerdictRow> {
    let word: String = row.get(1)?;
    Ok(VerdictRow {
        candidate_id: row.get(0)?,
        // The table's CHECK admits these words only.
        act: Act::from_word(&word).unwrap_or(Act::Note),
        who: row.get(2)?,
        at: Epoch::from_mjd_utc(row.get(3)?),
        note: row.get(4)?,
        token: row.get(5)?,
        about: row.get(6)?,
    })
}

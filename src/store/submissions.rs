//! What went to the Minor Planet Center: batches, observations written once, names given once.
//!
//! A batch, its observations and its new names are one transaction ([`Store::record_submission`]):
//! either all of them are on record or none. What is on record is never taken away.

use rusqlite::{Row, Transaction, params};

use crate::science::time::Epoch;

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::{Reader, Store};

/// A name that an unknown object was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackName {
    /// The name.
    pub trk_sub: String,
    /// Night of the object.
    pub night: String,
    /// Its identifier there.
    pub candidate_id: String,
}

/// An observation of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenObservation {
    /// Content hash of its frame.
    pub content_hash: String,
    /// Instant and place, as `ops::submit` writes them.
    pub observation: String,
    /// Its night.
    pub night: String,
    /// Its object's identifier there.
    pub candidate_id: String,
}

/// A batch that a person said yes to.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmissionRow {
    /// Its number.
    pub id: i64,
    /// Code of the station.
    pub station: String,
    /// Who said yes.
    pub approved_by: String,
    /// When.
    pub at: Epoch,
    /// Its file, relative to the data folder.
    pub path: String,
    /// Hash of the file's bytes, hexadecimal.
    pub content_hash: String,
}

/// A batch to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSubmission {
    /// Code of the station.
    pub station: String,
    /// Who said yes.
    pub approved_by: String,
    /// When.
    pub at: Epoch,
    /// Its file, relative to the data folder.
    pub path: String,
    /// Hash of the file's bytes.
    pub content_hash: String,
    /// Names of its unknown objects, also those on record.
    pub names: Vec<TrackName>,
    /// Its observations.
    pub observations: Vec<WrittenObservation>,
}

impl Store {
    /// Records a batch; returns its number. On disk when it returns.
    ///
    /// Errors: [`StoreError::SubmissionClash`] when an observation or the file is on record, or a
    /// name belongs to another object; nothing is recorded then.
    pub fn record_submission(&self, new: NewSubmission) -> Result<i64, StoreError> {
        self.writer().transact(move |transaction| {
            let id: Option<i64> = transaction
                .query_row(
                    "INSERT INTO submission \
                     (station, approved_by, at_mjd_utc, path, content_hash) \
                     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING RETURNING id",
                    params![
                        new.station,
                        new.approved_by,
                        new.at.mjd_utc(),
                        new.path,
                        new.content_hash
                    ],
                    |row| row.get(0),
                )
                .map(Some)
                .or_else(|error| match error {
                    rusqlite::Error::QueryReturnedNoRows => Ok(None),
                    other => Err(other),
                })
                .map_err(during("record a submission"))?;
            let id = id.ok_or(StoreError::SubmissionClash)?;
            write_names(transaction, &new)?;
            write_observations(transaction, &new, id)?;
            Ok(id)
        })
    }
}

fn write_names(transaction: &Transaction<'_>, new: &NewSubmission) -> Result<(), StoreError> {
    for name in &new.names {
        let known: i64 = transaction
            .query_row(
                "SELECT count(*) FROM track_name \
                 WHERE station = ?1 AND trk_sub = ?2 AND night = ?3 AND candidate_id = ?4",
                params![new.station, name.trk_sub, name.night, name.candidate_id],
                |row| row.get(0),
            )
            .map_err(during("look for a track's name"))?;
        if known > 0 {
            continue;
        }
        let n_rows = transaction
            .execute(
                "INSERT INTO track_name (station, trk_sub, night, candidate_id) \
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                params![new.station, name.trk_sub, name.night, name.candidate_id],
            )
            .map_err(during("record a track's name"))?;
        if n_rows == 0 {
            return Err(StoreError::SubmissionClash);
        }
    }
    Ok(())
}

fn write_observations(
    transaction: &Transaction<'_>,
    new: &NewSubmission,
    id: i64,
) -> Result<(), StoreError> {
    for row in &new.observations {
        let n_rows = transaction
            .prepare_cached(
                "INSERT INTO submitted_observation \
                 (station, content_hash, observation, night, candidate_id, submission) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    new.station,
                    row.content_hash,
                    row.observation,
                    row.night,
                    row.candidate_id,
                    id
                ])
            })
            .map_err(during("record a submitted observation"))?;
        if n_rows == 0 {
            return Err(StoreError::SubmissionClash);
        }
    }
    Ok(())
}

impl Reader {
    /// All names that a station gave.
    pub fn track_names(&self, station: &str) -> Result<Vec<TrackName>, StoreError> {
        self.rows(
            "read the names of tracks",
            "SELECT trk_sub, night, candidate_id FROM track_name WHERE station = ?1 \
             ORDER BY trk_sub",
            &[&station],
            |row| {
                Ok(TrackName {
                    trk_sub: row.get(0)?,
                    night: row.get(1)?,
                    candidate_id: row.get(2)?,
                })
            },
        )
    }

    /// Observations that a station wrote of a night, or of frames with the content of its frames.
    pub fn written_observations(
        &self,
        station: &str,
        night: &NightId,
    ) -> Result<Vec<WrittenObservation>, StoreError> {
        self.rows(
            "read the submitted observations",
            "SELECT content_hash, observation, night, candidate_id FROM submitted_observation \
             WHERE station = ?1 AND (night = ?2 OR content_hash IN \
             (SELECT content_hash FROM frame WHERE night = ?2)) ORDER BY submission, observation",
            &[&station, &night.as_str()],
            |row| {
                Ok(WrittenObservation {
                    content_hash: row.get(0)?,
                    observation: row.get(1)?,
                    night: row.get(2)?,
                    candidate_id: row.get(3)?,
                })
            },
        )
    }

    /// All batches, oldest first.
    pub fn submissions(&self) -> Result<Vec<SubmissionRow>, StoreError> {
        self.rows(
            "read the submissions",
            "SELECT id, station, approved_by, at_mjd_utc, path, content_hash FROM submission \
             ORDER BY id",
            &[],
            made,
        )
    }
}

fn made(row: &Row<'_>) -> rusqlite::Result<SubmissionRow> {
    Ok(SubmissionRow {
        id: row.get(0)?,
        station: row.get(1)?,
        approved_by: row.get(2)?,
        at: Epoch::from_mjd_utc(row.get(3)?),
        path: row.get(4)?,
        content_hash: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(hash: &str, name: &str, candidate: &str, place: &str) -> NewSubmission {
        let night = "2026-03-01".to_owned();
        NewSubmission {
            station: "J75".to_owned(),
            approved_by: "ana".to_owned(),
            at: Epoch::from_mjd_utc(61_101.0),
            path: format!("submissions/{hash}.psv"),
            content_hash: hash.to_owned(),
            names: vec![TrackName {
                trk_sub: name.to_owned(),
                night: night.clone(),
                candidate_id: candidate.to_owned(),
            }],
            observations: vec![WrittenObservation {
                content_hash: "f1".to_owned(),
                observation: place.to_owned(),
                night,
                candidate_id: candidate.to_owned(),
            }],
        }
    }

    #[test]
    fn a_batch_is_recorded_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path()).expect("opened");
        let night = NightId::new("2026-03-01").expect("a good name");
        store.record_submission(batch("h1", "AB1", "K1", "place 1")).expect("recorded");
        for (clash, why) in [
            (batch("h1", "AB2", "K2", "place 2"), "the same file"),
            (batch("h2", "AB1", "K2", "place 2"), "the name of another object"),
            (batch("h2", "AB2", "K1", "place 2"), "a second name of one object"),
            (batch("h2", "AB2", "K2", "place 1"), "an observation on record"),
        ] {
            let refused = store.record_submission(clash);
            assert!(matches!(refused, Err(StoreError::SubmissionClash)), "{why}");
        }
        let reader = store.read();
        assert_eq!(reader.submissions().expect("read").len(), 1);
        assert_eq!(reader.track_names("J75").expect("read").len(), 1);
        assert_eq!(reader.written_observations("J75", &night).expect("read").len(), 1);
        assert!(reader.track_names("J76").expect("read").is_empty(), "names are the station's own");
        // Another observation of the same object goes under its name.
        store.record_submission(batch("h3", "AB1", "K1", "place 3")).expect("recorded");
        assert_eq!(store.read().track_names("J75").expect("read").len(), 1);
    }
}

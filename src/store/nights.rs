//! Nights and the files found in them.

use std::path::{Path, PathBuf};

use rusqlite::{Row, Transaction, params};

use crate::pipeline::artifact::report::NightReport;
use crate::science::time::Epoch;

use super::candidates::write_candidates;
use super::error::{StoreError, during};
use super::frames::write_frames;
use super::night_id::NightId;
use super::outbox::{OutboxMessage, enqueue};
use super::payload::{decode, encode};
use super::{Reader, Store};

/// A night as listings show it.
#[derive(Debug, Clone, PartialEq)]
pub struct NightRow {
    /// Its name.
    pub id: String,
    /// Where its raw files lay.
    pub folder: PathBuf,
    /// Whether its report is written.
    pub is_closed: bool,
    /// When it was first opened [d, MJD UTC].
    pub opened_mjd_utc: f64,
    /// When its present report was written [d, MJD UTC].
    pub closed_mjd_utc: Option<f64>,
    /// Number of science files.
    pub n_frames: u64,
    /// Number of science files solved and used.
    pub n_frames_ok: u64,
    /// Number of moving objects.
    pub n_candidates: u64,
}

/// A file found in a night's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Its name on disk.
    pub name: String,
    /// Its content hash, hexadecimal.
    pub content_hash: String,
    /// Its size [bytes].
    pub size_bytes: u64,
}

/// What was known of a file before it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whether this content was never seen before.
    pub is_new: bool,
    /// Content hash of a former file of the same name in the same night, when it was another.
    pub replaced: Option<String>,
    /// Other places of the same content: (night, name).
    pub elsewhere: Vec<(String, String)>,
}

impl Store {
    /// Opens a night or comes back to it; returns its former folder when that was another one.
    pub fn begin_night(
        &self,
        night: &NightId,
        folder: &Path,
        at: Epoch,
    ) -> Result<Option<PathBuf>, StoreError> {
        let former = self.read().night_folder(night)?;
        let (id, text) = (night.to_string(), folder.to_string_lossy().into_owned());
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "INSERT INTO night (id, folder, state, opened_mjd_utc) \
                     VALUES (?1, ?2, 'open', ?3) \
                     ON CONFLICT (id) DO UPDATE SET folder = excluded.folder",
                    params![id, text, at.mjd_utc()],
                )
                .map_err(during("open a night"))
        })?;
        Ok(former.filter(|former| former != folder))
    }

    /// Records a file of a night and tells what was known of it.
    ///
    /// The same name in two nights is no conflict; the same content elsewhere is told.
    pub fn record_file(
        &self,
        night: &NightId,
        file: &FoundFile,
        at: Epoch,
    ) -> Result<Sighting, StoreError> {
        let (night, file) = (night.to_string(), file.clone());
        self.writer().transact(move |transaction| {
            write_file(transaction, &night, &file, at).map_err(during("record a file"))
        })
    }

    /// Closes a night in one transaction: frames, candidates, report and the mail about it.
    ///
    /// The frames and candidates of the report replace the night's. A message whose key is in the
    /// outbox already is not queued again. The same report again changes nothing.
    pub fn close_night(
        &self,
        night: &NightId,
        report: &NightReport,
        message: Option<OutboxMessage>,
        at: Epoch,
    ) -> Result<(), StoreError> {
        if report.night != night.as_str() {
            let (expected, found) = (night.to_string(), report.night.clone());
            return Err(StoreError::WrongNight { expected, found });
        }
        let text = encode("night report", report)?;
        let (night, report) = (night.to_string(), report.clone());
        self.writer().transact(move |transaction| {
            transaction
                .execute("DELETE FROM frame WHERE night = ?1", [&night])
                .map_err(during("replace the frames of a night"))?;
            write_frames(transaction, &night, &report.frames)?;
            write_candidates(transaction, &night, &report.candidates)?;
            if let Some(message) = message {
                enqueue(transaction, &message, at)?;
            }
            transaction
                .execute(
                    "UPDATE night SET state = 'closed', closed_mjd_utc = ?2, report = ?3 \
                     WHERE id = ?1 AND (state <> 'closed' OR report IS NOT ?3)",
                    params![night, at.mjd_utc(), text],
                )
                .map_err(during("close a night"))?;
            Ok(())
        })
    }
}

impl Reader {
    /// All nights in order of their names.
    pub fn nights(&self) -> Result<Vec<NightRow>, StoreError> {
        self.rows(
            "list the nights",
            "SELECT id, folder, state = 'closed', opened_mjd_utc, closed_mjd_utc, \
             (SELECT count(*) FROM frame WHERE frame.night = night.id), \
             (SELECT count(*) FROM frame WHERE frame.night = night.id AND status = 'ok'), \
             (SELECT count(*) FROM candidate WHERE candidate.night = night.id) \
             FROM night ORDER BY id",
            &[],
            |row| {
                Ok(NightRow {
                    id: row.get(0)?,
                    folder: PathBuf::from(row.get::<_, String>(1)?),
                    is_closed: row.get(2)?,
                    opened_mjd_utc: row.get(3)?,
                    closed_mjd_utc: row.get(4)?,
                    n_frames: count(row, 5)?,
                    n_frames_ok: count(row, 6)?,
                    n_candidates: count(row, 7)?,
                })
            },
        )
    }

    /// Where a night's raw files lay when it was last begun.
    pub fn night_folder(&self, night: &NightId) -> Result<Option<PathBuf>, StoreError> {
        let folder: Option<String> = self.row(
            "look up a night",
            "SELECT folder FROM night WHERE id = ?1",
            &[&night.as_str()],
            |row| row.get(0),
        )?;
        Ok(folder.map(PathBuf::from))
    }

    /// Files recorded for a night, by name.
    pub fn files(&self, night: &NightId) -> Result<Vec<FoundFile>, StoreError> {
        self.rows(
            "list the files of a night",
            "SELECT name, content_hash, size_bytes FROM night_file WHERE night = ?1 ORDER BY name",
            &[&night.as_str()],
            |row| {
                Ok(FoundFile {
                    name: row.get(0)?,
                    content_hash: row.get(1)?,
                    size_bytes: count(row, 2)?,
                })
            },
        )
    }

    /// A night's report; `None` while it was never closed.
    pub fn report(&self, night: &NightId) -> Result<Option<NightReport>, StoreError> {
        let text: Option<Option<String>> = self.row(
            "read a night's report",
            "SELECT report FROM night WHERE id = ?1",
            &[&night.as_str()],
            |row| row.get(0),
        )?;
        text.flatten().map(|text| decode("night report", &text)).transpose()
    }
}

/// Records a file; the answer tells what was there before.
fn write_file(
    transaction: &Transaction<'_>,
    night: &str,
    file: &FoundFile,
    at: Epoch,
) -> rusqlite::Result<Sighting> {
    // SQLite's integers end at 2^63 - 1; no file system holds a larger file.
    let size_bytes = i64::try_from(file.size_bytes).unwrap_or(i64::MAX);
    let former: Option<String> = transaction
        .prepare_cached("SELECT content_hash FROM night_file WHERE night = ?1 AND name = ?2")?
        .query_map(params![night, file.name], |row| row.get(0))?
        .next()
        .transpose()?;
    let n_new = transaction.execute(
        "INSERT INTO file (content_hash, size_bytes, first_seen_mjd_utc) VALUES (?1, ?2, ?3) \
         ON CONFLICT (content_hash) DO NOTHING",
        params![file.content_hash, size_bytes, at.mjd_utc()],
    )?;
    transaction.execute(
        "INSERT INTO night_file (night, name, content_hash, size_bytes) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (night, name) DO UPDATE SET content_hash = excluded.content_hash, \
         size_bytes = excluded.size_bytes",
        params![night, file.name, file.content_hash, size_bytes],
    )?;
    let elsewhere = transaction
        .prepare_cached(
            "SELECT night, name FROM night_file \
             WHERE content_hash = ?1 AND NOT (night = ?2 AND name = ?3) ORDER BY night, name",
        )?
        .query_map(params![file.content_hash, night, file.name], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let replaced = former.filter(|former| *former != file.content_hash);
    Ok(Sighting { is_new: n_new > 0, replaced, elsewhere })
}

/// A column that counts; a negative number, which nobody wrote, reads as 0.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

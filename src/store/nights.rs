//! Nights and the files found in them.

use std::path::PathBuf;

use rusqlite::{Row, Transaction, params};

use crate::pipeline::artifact::report::NightReport;
use crate::science::time::Epoch;

use super::candidates::write_candidates;
use super::error::{StoreError, during};
use super::frames::write_frames;
use super::night_id::NightId;
use super::outbox::{OutboxMessage, enqueue};
use super::payload::{decode, encode};
use super::report_due::mark_due;
use super::stages::{StageRow, write_stage};
use super::{Reader, Store};

/// A night as listings show it.
#[derive(Debug, Clone, PartialEq)]
pub struct NightRow {
    /// Its name.
    pub id: String,
    /// Name of its telescope; empty for the only one.
    pub telescope: String,
    /// Where its raw files lay.
    pub folder: PathBuf,
    /// Whether its report is written and nothing came since.
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
    /// Size, time of change and inode as a text, when the content was hashed.
    pub stamp: Option<String>,
}

/// Where a night's files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightSource {
    /// Folder of the raw files.
    pub folder: PathBuf,
    /// Name of the telescope; empty for the only one.
    pub telescope: String,
}

impl NightSource {
    /// A folder of the only telescope.
    pub fn only(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), telescope: String::new() }
    }
}

/// How a report leaves the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosingMail {
    /// Not at all.
    None,
    /// As this message.
    Now(OutboxMessage),
    /// With the others at the mail's clock time.
    Due,
}

/// What closes a night.
#[derive(Debug, Clone, PartialEq)]
pub struct Closing {
    /// The night's report.
    pub report: NightReport,
    /// The result of the night's stages, with its key.
    pub stage: StageRow,
    /// Hash of the listing of the files that were there, when the service watches them.
    pub listing: Option<String>,
    /// What becomes of the report.
    pub mail: ClosingMail,
}

#[cfg(test)]
impl Closing {
    /// A closing that nobody is told of.
    pub(crate) fn plain(report: NightReport) -> Self {
        let stage = StageRow {
            subject: super::stages::NIGHT_SUBJECT.to_owned(),
            stage: "night".to_owned(),
            version: 1,
            key: "k".to_owned(),
            outcome: super::stages::StageOutcome::Done,
            product: None,
            payload: "{}".to_owned(),
        };
        Self { report, stage, listing: None, mail: ClosingMail::None }
    }
}

impl Store {
    /// Opens a night or comes back to it; returns its former folder when that was another one.
    pub fn begin_night(
        &self,
        night: &NightId,
        source: &NightSource,
        at: Epoch,
    ) -> Result<Option<PathBuf>, StoreError> {
        let former = self.read().night_folder(night)?;
        let (id, text) = (night.to_string(), source.folder.to_string_lossy().into_owned());
        let telescope = source.telescope.clone();
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "INSERT INTO night (id, folder, telescope, state, opened_mjd_utc) \
                     VALUES (?1, ?2, ?3, 'open', ?4) ON CONFLICT (id) DO UPDATE \
                     SET folder = excluded.folder, telescope = excluded.telescope",
                    params![id, text, telescope, at.mjd_utc()],
                )
                .map_err(during("open a night"))
        })?;
        Ok(former.filter(|former| *former != source.folder))
    }

    /// Marks a night as open: something came that its report does not hold.
    pub fn mark_open(&self, night: &NightId) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            transaction
                .execute("UPDATE night SET state = 'open', listing = NULL WHERE id = ?1", [&night])
                .map_err(during("open a night again"))?;
            Ok(())
        })
    }

    /// Notes that a night's report still holds, with the files as they are listed now.
    pub fn confirm_closed(
        &self,
        night: &NightId,
        listing: Option<String>,
    ) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "UPDATE night SET state = 'closed', listing = ?2, request = NULL \
                     WHERE id = ?1 AND report IS NOT NULL",
                    params![night, listing],
                )
                .map_err(during("close a night again"))?;
            Ok(())
        })
    }

    /// Records files of a night in one transaction.
    ///
    /// A file is its content: the same name in two nights is no conflict, a name that has another
    /// content now is the new one.
    pub fn record_files(
        &self,
        night: &NightId,
        files: Vec<FoundFile>,
        at: Epoch,
    ) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            for file in &files {
                write_file(transaction, &night, file, at).map_err(during("record files"))?;
            }
            Ok(())
        })
    }

    /// Forgets names of files that are no longer in the night's folder.
    pub fn forget_names(&self, night: &NightId, names: Vec<String>) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            for name in &names {
                transaction
                    .prepare_cached("DELETE FROM night_file WHERE night = ?1 AND name = ?2")
                    .and_then(|mut statement| statement.execute(params![night, name]))
                    .map_err(during("forget a file's name"))?;
            }
            Ok(())
        })
    }

    /// Closes a night in one transaction: frames, candidates, report and the mail about it.
    ///
    /// The frames and candidates of the report replace the night's. A message whose key is in the
    /// outbox already is not queued again. The same report again changes nothing.
    pub fn close_night(
        &self,
        night: &NightId,
        mut closing: Closing,
        at: Epoch,
    ) -> Result<(), StoreError> {
        if closing.report.night != night.as_str() {
            let (expected, found) = (night.to_string(), closing.report.night);
            return Err(StoreError::WrongNight { expected, found });
        }
        closing.report.joined.clear();
        let text = encode("night report", &closing.report)?;
        let night = night.to_string();
        self.writer()
            .transact(move |transaction| write_closing(transaction, &night, closing, (&text, at)))
    }
}

/// Writes all that a closing changes.
fn write_closing(
    transaction: &Transaction<'_>,
    night: &str,
    closing: Closing,
    (text, at): (&str, Epoch),
) -> Result<(), StoreError> {
    transaction
        .execute("DELETE FROM frame WHERE night = ?1", [night])
        .map_err(during("replace the frames of a night"))?;
    write_frames(transaction, night, &closing.report.frames)?;
    write_candidates(transaction, night, &closing.report.candidates)?;
    write_stage(transaction, night, &closing.stage)?;
    match closing.mail {
        ClosingMail::None => {}
        ClosingMail::Now(message) => drop(enqueue(transaction, &message, at)?),
        ClosingMail::Due => mark_due(transaction, night)?,
    }
    transaction
        .execute("DELETE FROM attempt WHERE night = ?1", [night])
        .map_err(during("end the tries of a night"))?;
    transaction
        .execute(
            "UPDATE night SET listing = ?2, request = NULL WHERE id = ?1",
            params![night, closing.listing],
        )
        .map_err(during("note the files of a night"))?;
    transaction
        .execute(
            "UPDATE night SET state = 'closed', closed_mjd_utc = ?2, report = ?3 \
             WHERE id = ?1 AND (state <> 'closed' OR report IS NOT ?3)",
            params![night, at.mjd_utc(), text],
        )
        .map_err(during("close a night"))?;
    Ok(())
}

impl Reader {
    /// All nights in order of their names.
    pub fn nights(&self) -> Result<Vec<NightRow>, StoreError> {
        self.rows(
            "list the nights",
            "SELECT id, folder, state = 'closed', opened_mjd_utc, closed_mjd_utc, telescope, \
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
                    telescope: row.get(5)?,
                    n_frames: count(row, 6)?,
                    n_frames_ok: count(row, 7)?,
                    n_candidates: count(row, 8)?,
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
            "SELECT name, content_hash, size_bytes, stamp FROM night_file WHERE night = ?1 \
             ORDER BY name",
            &[&night.as_str()],
            |row| {
                Ok(FoundFile {
                    name: row.get(0)?,
                    content_hash: row.get(1)?,
                    size_bytes: count(row, 2)?,
                    stamp: row.get(3)?,
                })
            },
        )
    }

    /// The nights that were ever closed, with the hash of the listing of their files unless
    /// something came since.
    pub fn closed_listings(&self) -> Result<Vec<(String, Option<String>)>, StoreError> {
        self.rows(
            "list the closed nights",
            "SELECT id, CASE state WHEN 'closed' THEN listing END FROM night \
             WHERE closed_mjd_utc IS NOT NULL",
            &[],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Files of a night whose content lies in another night too: (name, other night, name there).
    pub fn shared_files(
        &self,
        night: &NightId,
    ) -> Result<Vec<(String, String, String)>, StoreError> {
        self.rows(
            "look for files of other nights",
            "SELECT here.name, there.night, there.name FROM night_file here \
             JOIN night_file there USING (content_hash) \
             WHERE here.night = ?1 AND there.night <> ?1 ORDER BY 1, 2, 3",
            &[&night.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    }

    /// When the newest file of a telescope was first seen.
    pub fn newest_file(&self, telescope: &str) -> Result<Option<Epoch>, StoreError> {
        let found: Option<Option<f64>> = self.row(
            "look for the newest file",
            "SELECT max(first_seen_mjd_utc) FROM file JOIN night_file USING (content_hash) \
             JOIN night ON night.id = night_file.night WHERE night.telescope = ?1",
            &[&telescope],
            |row| row.get(0),
        )?;
        Ok(found.flatten().map(Epoch::from_mjd_utc))
    }

    /// A night's report, with what other nights say by now; `None` while it was never closed.
    pub fn report(&self, night: &NightId) -> Result<Option<NightReport>, StoreError> {
        let text: Option<Option<String>> = self.row(
            "read a night's report",
            "SELECT report FROM night WHERE id = ?1",
            &[&night.as_str()],
            |row| row.get(0),
        )?;
        let report = text.flatten().map(|text| decode("night report", &text)).transpose()?;
        let Some(report) = report else { return Ok(None) };
        Ok(Some(NightReport { joined: self.joined(night)?, ..report }))
    }
}

/// Records a file under its content and its name.
fn write_file(
    transaction: &Transaction<'_>,
    night: &str,
    file: &FoundFile,
    at: Epoch,
) -> rusqlite::Result<()> {
    // SQLite's integers end at 2^63 - 1; no file system holds a larger file.
    let size_bytes = i64::try_from(file.size_bytes).unwrap_or(i64::MAX);
    transaction
        .prepare_cached(
            "INSERT INTO file (content_hash, size_bytes, first_seen_mjd_utc) VALUES (?1, ?2, ?3) \
             ON CONFLICT (content_hash) DO NOTHING",
        )?
        .execute(params![file.content_hash, size_bytes, at.mjd_utc()])?;
    transaction
        .prepare_cached(
            "INSERT INTO night_file (night, name, content_hash, size_bytes, stamp) \
             VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (night, name) DO UPDATE SET content_hash = excluded.content_hash, \
             size_bytes = excluded.size_bytes, stamp = excluded.stamp",
        )?
        .execute(params![night, file.name, file.content_hash, size_bytes, file.stamp])?;
    Ok(())
}

/// A column that counts; a negative number, which nobody wrote, reads as 0.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

//! What each stage made of each subject, so that nothing is made twice.
//!
//! A result counts as long as its key is the same: the key is a hash of the stage's name and
//! version, its parameters and the hashes of its inputs, and its product lies where it was put.

use std::path::PathBuf;

use rusqlite::{Transaction, params};

use crate::pipeline::artifact::frame_record::FrameRecord;

use super::error::{StoreError, during};
use super::frames::write_frames;
use super::night_id::NightId;
use super::{Reader, Store};

/// Subject of the stages that work on a whole night.
pub const NIGHT_SUBJECT: &str = "night";

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageOutcome {
    /// With a result.
    Done,
    /// With a reason why there is none.
    Quarantine,
}

/// The result of a stage on one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRow {
    /// Content hash of the frame, or [`NIGHT_SUBJECT`].
    pub subject: String,
    /// Name of the stage.
    pub stage: String,
    /// Version of the stage.
    pub version: u32,
    /// Hash of all that decides the result, from [`stage_key`].
    pub key: String,
    /// How it ended.
    pub outcome: StageOutcome,
    /// Its product, relative to the data folder.
    pub product: Option<PathBuf>,
    /// Its other results or its reason, JSON of the stage's own making.
    pub payload: String,
}

/// Hash of all that decides a stage's result, hexadecimal.
///
/// * `parameters`: the stage's parameters as a text, e.g. their `Debug` form.
/// * `inputs`: content hashes or keys of what it reads, in order.
pub fn stage_key(name: &str, version: u32, parameters: &str, inputs: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    let version = version.to_string();
    for part in [name, &version, parameters].into_iter().chain(inputs.iter().copied()) {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

impl Store {
    /// Keeps the result of a stage; replaces the former one of the same subject and stage.
    pub fn record_stage(&self, night: &NightId, row: StageRow) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| write_stage(transaction, &night, &row))
    }

    /// Keeps what a frame's stages made, its row in the frame table, and that no try is open.
    pub fn record_frame(
        &self,
        night: &NightId,
        row: StageRow,
        frame: FrameRecord,
    ) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            write_stage(transaction, &night, &row)?;
            write_frames(transaction, &night, std::slice::from_ref(&frame))?;
            transaction
                .prepare_cached("DELETE FROM attempt WHERE night = ?1 AND content_hash = ?2")
                .and_then(|mut statement| statement.execute(params![night, row.subject]))
                .map_err(during("end a try"))?;
            Ok(())
        })
    }
}

/// Writes the result of a stage.
pub(super) fn write_stage(
    transaction: &Transaction<'_>,
    night: &str,
    row: &StageRow,
) -> Result<(), StoreError> {
    let outcome = match row.outcome {
        StageOutcome::Done => "done",
        StageOutcome::Quarantine => "quarantine",
    };
    let product = row.product.as_ref().map(|path| path.to_string_lossy().into_owned());
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO stage_result \
             (night, subject, stage, version, key, outcome, product, payload) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                night,
                row.subject,
                row.stage,
                row.version,
                row.key,
                outcome,
                product,
                row.payload
            ])
        })
        .map_err(during("keep a stage's result"))?;
    Ok(())
}

impl Reader {
    /// The result of a stage, when it was made with this key and its product still lies there.
    pub fn stage_done(
        &self,
        night: &NightId,
        subject: &str,
        stage: &str,
        key: &str,
    ) -> Result<Option<StageRow>, StoreError> {
        Ok(self.stage_row(night, subject, stage)?.filter(|row| row.key == key))
    }

    /// The result of a stage, whatever it was made with, when its product still lies there.
    pub fn stage_row(
        &self,
        night: &NightId,
        subject: &str,
        stage: &str,
    ) -> Result<Option<StageRow>, StoreError> {
        let found = self.row(
            "look up a stage's result",
            "SELECT subject, stage, version, key, outcome = 'done', product, payload \
             FROM stage_result WHERE night = ?1 AND subject = ?2 AND stage = ?3",
            &[&night.as_str(), &subject, &stage],
            |row| {
                let is_done: bool = row.get(4)?;
                Ok(StageRow {
                    subject: row.get(0)?,
                    stage: row.get(1)?,
                    version: row.get(2)?,
                    key: row.get(3)?,
                    outcome: if is_done { StageOutcome::Done } else { StageOutcome::Quarantine },
                    product: row.get::<_, Option<String>>(5)?.map(PathBuf::from),
                    payload: row.get(6)?,
                })
            },
        )?;
        let is_there = |row: &StageRow| match &row.product {
            Some(product) => self.products().resolve(product).is_ok_and(|path| path.is_file()),
            None => true,
        };
        Ok(found.filter(is_there))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_changes_with_each_part() {
        let key = stage_key("solve", 1, "p", &["a", "bc"]);
        assert_eq!(key, stage_key("solve", 1, "p", &["a", "bc"]));
        for other in [
            stage_key("extract", 1, "p", &["a", "bc"]),
            stage_key("solve", 2, "p", &["a", "bc"]),
            stage_key("solve", 1, "q", &["a", "bc"]),
            stage_key("solve", 1, "p", &["ab", "c"]),
            stage_key("solve", 1, "p", &["bc", "a"]),
        ] {
            assert_ne!(key, other);
        }
    }
}

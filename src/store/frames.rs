//! The frame table: one row per science file of a night.

use rusqlite::{Transaction, params};

use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::payload::{decode, encode};
use super::{Reader, Store};

impl Reader {
    /// The science files of a night in order of time, those without a time last.
    pub fn frames(&self, night: &NightId) -> Result<Vec<FrameRecord>, StoreError> {
        let texts: Vec<String> = self.rows(
            "read the frames of a night",
            "SELECT record FROM frame WHERE night = ?1 \
             ORDER BY mid_mjd_utc IS NULL, mid_mjd_utc, name",
            &[&night.as_str()],
            |row| row.get(0),
        )?;
        texts.iter().map(|text| decode("frame record", text)).collect()
    }
}

impl Store {
    /// Takes the row of a science file away.
    pub fn forget_frame(&self, night: &NightId, name: &str) -> Result<(), StoreError> {
        let (night, name) = (night.to_string(), name.to_owned());
        self.writer().transact(move |transaction| {
            transaction
                .execute("DELETE FROM frame WHERE night = ?1 AND name = ?2", params![night, name])
                .map_err(during("forget a frame"))?;
            Ok(())
        })
    }
}

/// Writes frames of a night.
pub(super) fn write_frames(
    transaction: &Transaction<'_>,
    night: &str,
    frames: &[FrameRecord],
) -> Result<(), StoreError> {
    for frame in frames {
        let record = encode("frame record", frame)?;
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO frame (night, name, content_hash, status, mid_mjd_utc, \
                 filter, zero_point_mag, fwhm_arcsec, limiting_mag, record) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    night,
                    frame.frame,
                    frame.content_hash,
                    status_text(frame.status),
                    frame.mid_mjd_utc,
                    frame.filter,
                    frame.zero_point_mag,
                    frame.fwhm_arcsec,
                    frame.limiting_mag,
                    record,
                ])
            })
            .map_err(during("keep a frame"))?;
    }
    Ok(())
}

/// The word the table uses for a status.
fn status_text(status: FrameStatus) -> &'static str {
    match status {
        FrameStatus::Ok => "ok",
        FrameStatus::Rejected => "rejected",
        FrameStatus::Failed => "failed",
    }
}

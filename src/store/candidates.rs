//! The moving objects of a night and their detections.

use rusqlite::{Transaction, params};

use crate::pipeline::artifact::candidate::{Candidate, Identity};

use super::Reader;
use super::error::{StoreError, during};
use super::night_id::NightId;
use super::payload::{decode, encode};

impl Reader {
    /// The moving objects of a night, in the order they were given.
    pub fn candidates(&self, night: &NightId) -> Result<Vec<Candidate>, StoreError> {
        let texts: Vec<String> = self.rows(
            "read the candidates of a night",
            "SELECT payload FROM candidate WHERE night = ?1 ORDER BY rank",
            &[&night.as_str()],
            |row| row.get(0),
        )?;
        texts.iter().map(|text| decode("candidate", text)).collect()
    }
}

/// Replaces the candidates of a night.
pub(super) fn write_candidates(
    transaction: &Transaction<'_>,
    night: &str,
    candidates: &[Candidate],
) -> Result<(), StoreError> {
    transaction
        .execute("DELETE FROM candidate WHERE night = ?1", [night])
        .map_err(during("replace the candidates of a night"))?;
    for (rank, candidate) in (0_i64..).zip(candidates) {
        let payload = encode("candidate", candidate)?;
        write_candidate(transaction, (night, rank), candidate, &payload)
            .map_err(during("keep a candidate"))?;
    }
    Ok(())
}

/// Writes one candidate at its place (night, rank).
fn write_candidate(
    transaction: &Transaction<'_>,
    (night, rank): (&str, i64),
    candidate: &Candidate,
    payload: &str,
) -> rusqlite::Result<()> {
    let (is_known, name) = match &candidate.identity {
        Identity::Known { name, .. } => (Some(true), Some(name)),
        Identity::Unknown => (Some(false), None),
        Identity::Unchecked => (None, None),
    };
    transaction
        .prepare_cached(
            "INSERT INTO candidate (night, id, rank, is_known, name, mag, payload) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![night, candidate.id, rank, is_known, name, candidate.mag, payload])?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO candidate_detection \
         (night, candidate_id, number, frame, mid_mjd_utc, ra_deg, dec_deg, mag, mag_err) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (number, detection) in (0_i64..).zip(&candidate.detections) {
        statement.execute(params![
            night,
            candidate.id,
            number,
            detection.frame,
            detection.mid_mjd_utc,
            detection.ra_deg,
            detection.dec_deg,
            detection.mag,
            detection.mag_err
        ])?;
    }
    Ok(())
}

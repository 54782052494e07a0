//! What the database says: the nights, one night, one frame. Works whether the service runs or not.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::OpsError;
use super::orders::PAUSED_KEY;
use crate::pipeline::artifact::candidate::Candidate;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::joined::Joined;
use crate::pipeline::artifact::report::Note;
use crate::report::verdict::verdict;
use crate::store::lookup::FoundFrame;
use crate::store::{NightId, Reader, filesystem};

/// Nights that a status shows.
const NIGHTS_SHOWN: usize = 5;

/// A night as listings show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NightLine {
    /// Its name.
    pub night: String,
    /// Its telescope; empty for the only one.
    pub telescope: String,
    /// Whether its report is written.
    pub is_closed: bool,
    /// What a person asked for and was not yet done: `close`, `reopen`.
    pub request: Option<String>,
    /// Where its raw files lie.
    pub folder: String,
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

/// What the database says of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataStatus {
    /// The data folder.
    pub folder: String,
    /// The last few nights, newest first.
    pub nights: Vec<NightLine>,
    /// The night that was closed last, in one line.
    pub verdict: Option<String>,
    /// Number of open nights.
    pub n_nights_open: usize,
    /// Number of messages that wait to be sent.
    pub n_outbox_pending: u64,
    /// When the first of them was queued [d, MJD UTC].
    pub outbox_since_mjd_utc: Option<f64>,
    /// Why its last try failed.
    pub outbox_error: Option<String>,
    /// Why work is paused; `None` when it is not.
    pub paused: Option<String>,
    /// Free space on the data folder's disk [bytes].
    pub disk_free_bytes: Option<u64>,
}

/// One night in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NightView {
    /// As in the list.
    #[serde(flatten)]
    pub line: NightLine,
    /// Its result in one line; `None` while it was never closed.
    pub verdict: Option<String>,
    /// Its science files in order of time.
    pub frames: Vec<FrameRecord>,
    /// Its moving objects.
    pub candidates: Vec<CandidateLine>,
    /// What was not done, and why.
    pub not_done: Vec<Note>,
}

/// A moving object of a night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateLine {
    /// As the night has it.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// What other nights say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Joined>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also_seen: Option<String>,
}

/// One frame in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameView {
    /// Its night.
    pub night: String,
    /// What is known of it; `None` when it was begun and has no result.
    pub record: Option<FrameRecord>,
    /// Its products, relative to the data folder.
    pub products: Vec<String>,
}

/// The nights in order of their names; of one telescope when it is named.
pub fn nights(reader: &Reader, telescope: Option<&str>) -> Result<Vec<NightLine>, OpsError> {
    let mut marks = reader.night_marks()?;
    let lines = reader.nights()?.into_iter().map(|row| {
        let mark = marks.remove(&row.id).unwrap_or_default();
        NightLine {
            night: row.id,
            telescope: mark.telescope,
            is_closed: row.is_closed,
            request: mark.request,
            folder: row.folder.to_string_lossy().into_owned(),
            opened_mjd_utc: row.opened_mjd_utc,
            closed_mjd_utc: row.closed_mjd_utc,
            n_frames: row.n_frames,
            n_frames_ok: row.n_frames_ok,
            n_candidates: row.n_candidates,
        }
    });
    Ok(lines.filter(|line| telescope.is_none_or(|name| line.telescope == name)).collect())
}

/// The whole in a few lines.
///
/// * `data_dir`: where the reader's database lies.
pub fn data_status(reader: &Reader, data_dir: &Path) -> Result<DataStatus, OpsError> {
    let mut nights = nights(reader, None)?;
    let n_nights_open = nights.iter().filter(|night| !night.is_closed).count();
    let closed = nights.iter().filter(|night| night.is_closed);
    let last = closed.max_by(|a, b| {
        let time = |night: &NightLine| night.closed_mjd_utc.unwrap_or(f64::NEG_INFINITY);
        time(a).total_cmp(&time(b))
    });
    let report = match last.map(|night| NightId::new(&night.night)) {
        Some(Ok(night)) => reader.report(&night)?,
        _ => None,
    };
    nights.sort_by(|a, b| b.opened_mjd_utc.total_cmp(&a.opened_mjd_utc));
    nights.truncate(NIGHTS_SHOWN);
    let (outbox_since_mjd_utc, outbox_error) = match reader.outbox_oldest()? {
        Some((since, error)) => (Some(since), error),
        None => (None, None),
    };
    Ok(DataStatus {
        folder: data_dir.to_string_lossy().into_owned(),
        nights,
        verdict: report.as_ref().map(verdict),
        n_nights_open,
        n_outbox_pending: reader.outbox_pending()?,
        outbox_since_mjd_utc,
        outbox_error,
        paused: reader.service_value(PAUSED_KEY)?,
        disk_free_bytes: filesystem::free_bytes(data_dir).ok(),
    })
}

/// One night in full; `None` when there is none of that name.
///
/// A night that is open shows the frames that are done and the last report's remarks, if any.
pub fn night(reader: &Reader, night: &NightId) -> Result<Option<NightView>, OpsError> {
    let Some(line) = nights(reader, None)?.into_iter().find(|l| l.night == night.as_str()) else {
        return Ok(None);
    };
    let report = reader.report(night)?;
    let mut frames = reader.frames(night)?;
    if !line.is_closed {
        add_done(reader, night, &mut frames)?;
    }
    Ok(Some(NightView {
        line,
        verdict: report.as_ref().map(verdict),
        frames,
        candidates: candidate_lines(reader, night)?,
        not_done: report.map(|report| report.not_done).unwrap_or_default(),
    }))
}

/// The moving objects with what other nights say of them.
fn candidate_lines(reader: &Reader, night: &NightId) -> Result<Vec<CandidateLine>, OpsError> {
    let joined = reader.joined(night)?;
    let line = |candidate: Candidate| {
        let object = joined.iter().find(|joined| joined.candidate_id == candidate.id).cloned();
        CandidateLine { also_seen: object.as_ref().map(Joined::words), object, candidate }
    };
    Ok(reader.candidates(night)?.into_iter().map(line).collect())
}

/// Adds the frames of an open night that are reduced and have no row yet.
fn add_done(
    reader: &Reader,
    night: &NightId,
    frames: &mut Vec<FrameRecord>,
) -> Result<(), OpsError> {
    for kept in reader.frame_results(night, None)? {
        let is_there = frames.iter().any(|frame| frame.content_hash == kept.subject);
        if let Some(record) = Kept::of(&kept.payload).record.filter(|_| !is_there) {
            frames.push(record);
        }
    }
    let time = |frame: &FrameRecord| frame.mid_mjd_utc.unwrap_or(f64::INFINITY);
    frames.sort_by(|a, b| time(a).total_cmp(&time(b)).then_with(|| a.frame.cmp(&b.frame)));
    Ok(())
}

/// One frame in full.
pub fn frame(reader: &Reader, found: &FoundFrame) -> Result<FrameView, OpsError> {
    let night = NightId::new(&found.night)
        .map_err(|source| OpsError::NightName { path: found.night.clone().into(), source })?;
    let row = reader.frames(&night)?.into_iter().find(|frame| frame.frame == found.name);
    let kept = reader.frame_results(&night, Some(&found.content_hash))?;
    let kept = kept.first().map(|kept| Kept::of(&kept.payload)).unwrap_or_default();
    Ok(FrameView {
        night: found.night.clone(),
        record: row.or(kept.record),
        products: kept.products,
    })
}

/// What can be understood of a frame's kept result without being its maker.
#[derive(Default)]
struct Kept {
    record: Option<FrameRecord>,
    products: Vec<String>,
}

impl Kept {
    fn of(payload: &str) -> Self {
        let Ok(mut value) = serde_json::from_str::<serde_json::Value>(payload) else {
            return Self::default();
        };
        let products = value.get("products").and_then(|products| products.as_object());
        let paths = products.into_iter().flatten().filter_map(|(_, path)| path.as_str());
        let products = paths.map(str::to_owned).collect();
        let record = value.get_mut("record").map(serde_json::Value::take);
        Self { record: record.and_then(|r| serde_json::from_value(r).ok()), products }
    }
}

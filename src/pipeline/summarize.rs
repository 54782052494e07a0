//! The night's report from its frames and candidates.

use super::artifact::candidate::{Candidate, Identity};
use super::artifact::frame_record::{FrameRecord, FrameStatus};
use super::artifact::known::KnownObject;
use super::artifact::removed::Removed;
use super::artifact::report::{NightReport, Note};
use super::stage::Refusal;
use crate::science::image::stats::median;

/// Limits for frames that were solved but would spoil the linking.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityParams {
    /// A frame whose seeing is above this multiple of the night's median is not used.
    pub fwhm_ratio_max: f64,
}

impl Default for QualityParams {
    fn default() -> Self {
        Self { fwhm_ratio_max: 2.0 }
    }
}

/// Rejects solved frames that are much less sharp than the night.
pub fn reject_blurred(records: &mut [FrameRecord], params: &QualityParams) {
    let widths: Vec<f64> = records
        .iter()
        .filter(|r| r.status == FrameStatus::Ok)
        .filter_map(|r| r.fwhm_arcsec)
        .collect();
    let Some(night_arcsec) = median(&widths) else {
        return;
    };
    for record in records.iter_mut().filter(|r| r.status == FrameStatus::Ok) {
        if let Some(fwhm_arcsec) = record.fwhm_arcsec
            && fwhm_arcsec > params.fwhm_ratio_max * night_arcsec
        {
            record.status = FrameStatus::Rejected;
            record.reason = Some(Refusal::Blurred { fwhm_arcsec, night_arcsec }.to_string());
        }
    }
}

/// What a night brought beside its frames.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Finds {
    /// Moving objects.
    pub candidates: Vec<Candidate>,
    /// What cuts took away.
    pub removed: Vec<Removed>,
    /// Known objects in the frames.
    pub known: Vec<KnownObject>,
    /// Remarks.
    pub not_done: Vec<Note>,
}

/// Puts a night's results in the order of the report.
pub fn summarize(
    night: &str,
    version: &str,
    (instrument, masters): (String, Vec<String>),
    mut frames: Vec<FrameRecord>,
    finds: Finds,
) -> NightReport {
    let Finds { mut candidates, removed, known, not_done } = finds;
    frames.sort_by(|a, b| {
        let time = |r: &FrameRecord| r.mid_mjd_utc.unwrap_or(f64::INFINITY);
        time(a).total_cmp(&time(b)).then_with(|| a.frame.cmp(&b.frame))
    });
    candidates.sort_by(|a, b| {
        let is_known = |c: &Candidate| matches!(c.identity, Identity::Known { .. });
        let mag = |c: &Candidate| c.mag.unwrap_or(f64::INFINITY);
        is_known(b).cmp(&is_known(a)).then(mag(a).total_cmp(&mag(b))).then_with(|| a.id.cmp(&b.id))
    });
    let (candidates, faint) = candidates.into_iter().partition(Candidate::is_steady);
    NightReport {
        night: night.to_owned(),
        version: version.to_owned(),
        instrument,
        masters,
        frames,
        candidates,
        faint,
        removed,
        known,
        joined: Vec::new(),
        not_done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::reduce::empty_record;

    #[test]
    fn a_frame_twice_as_blurred_as_the_night_is_rejected_with_its_numbers() {
        let mut records: Vec<FrameRecord> = [3.0, 3.2, 3.1, 9.0]
            .into_iter()
            .map(|fwhm| FrameRecord {
                fwhm_arcsec: Some(fwhm),
                ..empty_record("f.fits", "00", FrameStatus::Ok)
            })
            .collect();
        reject_blurred(&mut records, &QualityParams::default());
        assert_eq!(records[3].status, FrameStatus::Rejected);
        assert!(records[3].reason.as_deref().is_some_and(|r| r.contains("9.0")));
        assert!(records[..3].iter().all(|r| r.status == FrameStatus::Ok));
    }
}

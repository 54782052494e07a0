//! The check of a night's astrometry: how far each frame's sources lie from the catalogue, which
//! frames are outliers of the night, and which were not solved (`autossos -check`).
//!
//! The numbers are those of the night's last closing (`pipeline::judge_astrometry`).

use serde::Serialize;

use super::error::OpsError;
use super::overview;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::science::box_plot::BoxPlot;
use crate::store::{NightId, Reader};

/// What the check says of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Astrometry {
    /// As good as the night's others.
    Fine,
    /// Far worse than the night's others, or without any star of the catalogue.
    Outlier,
    /// Without a plate solution.
    NotSolved,
    /// Solved, but not compared yet: the night was not closed since.
    NotChecked,
}

/// A science file's astrometry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckedFrame {
    /// Name of the file.
    pub frame: String,
    /// What the check says.
    pub astrometry: Astrometry,
    /// Median distance of its sources from their catalogue stars [arcsec].
    pub separation_arcsec: Option<f64>,
    /// Stars of its plate solution.
    pub n_reference: Option<u64>,
    /// Why it is not used, or was not solved.
    pub reason: Option<String>,
}

/// Quartiles of the frames' separations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quartiles {
    /// A quarter lie below [arcsec].
    pub q1_arcsec: f64,
    /// Half lie below [arcsec].
    pub median_arcsec: f64,
    /// Three quarters lie below [arcsec].
    pub q3_arcsec: f64,
    /// Frames above are outliers: q3 + 1.5 (q3 - q1) [arcsec].
    pub fence_arcsec: f64,
}

/// The check of a night.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AstrometryCheck {
    /// Name of the night.
    pub night: String,
    /// Its science files in order of time.
    pub frames: Vec<CheckedFrame>,
    /// Quartiles of all frames; `None` when none was compared. Cameras are judged apart.
    pub quartiles: Option<Quartiles>,
    /// Number of outliers.
    pub n_outliers: usize,
    /// Number of frames without a solution.
    pub n_not_solved: usize,
}

impl AstrometryCheck {
    /// Whether every frame is solved and none is an outlier.
    pub fn is_fine(&self) -> bool {
        self.n_outliers + self.n_not_solved == 0
    }
}

/// Checks a night; `None` when there is none of that name.
pub fn check(reader: &Reader, night: &NightId) -> Result<Option<AstrometryCheck>, OpsError> {
    let view = overview::night(reader, night)?;
    Ok(view.map(|view| of_frames(&view.line.night, &view.frames)))
}

fn of_frames(night: &str, records: &[FrameRecord]) -> AstrometryCheck {
    let frames: Vec<CheckedFrame> = records.iter().map(checked).collect();
    let separations = frames.iter().filter_map(|frame| frame.separation_arcsec);
    let quartiles = BoxPlot::of(separations).map(|plot| Quartiles {
        q1_arcsec: plot.lower_quartile(),
        median_arcsec: plot.median(),
        q3_arcsec: plot.upper_quartile(),
        fence_arcsec: plot.upper_fence(),
    });
    let n = |what| frames.iter().filter(|frame| frame.astrometry == what).count();
    AstrometryCheck {
        night: night.to_owned(),
        n_outliers: n(Astrometry::Outlier),
        n_not_solved: n(Astrometry::NotSolved),
        frames,
        quartiles,
    }
}

fn checked(record: &FrameRecord) -> CheckedFrame {
    let astrometry = if record.wcs.is_empty() {
        Astrometry::NotSolved
    } else if record.separation_fence_arcsec.is_some() {
        Astrometry::Outlier
    } else if record.separation_arcsec.is_some() {
        Astrometry::Fine
    } else {
        Astrometry::NotChecked
    };
    CheckedFrame {
        frame: record.frame.clone(),
        astrometry,
        separation_arcsec: record.separation_arcsec,
        n_reference: record.n_reference,
        reason: record.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::artifact::frame_record::{FrameStatus, WcsKeyword};
    use crate::pipeline::reduce::empty_record;

    #[test]
    fn outliers_and_unsolved_frames_are_told_apart() {
        let record = |name: &str, separation: Option<f64>, fence: Option<f64>| FrameRecord {
            separation_arcsec: separation,
            separation_fence_arcsec: fence,
            wcs: vec![("CRVAL1".to_owned(), WcsKeyword::Real(1.0))],
            ..empty_record(name, name, FrameStatus::Ok)
        };
        let mut records: Vec<FrameRecord> =
            [0.1, 0.2, 0.3, 0.4].map(|s| record("a", Some(s), None)).into();
        records.push(record("b", Some(3.0), Some(0.7)));
        records.push(record("c", None, None));
        records.push(empty_record("d", "d", FrameStatus::Rejected));
        let check = of_frames("n", &records);
        let kinds: Vec<Astrometry> = check.frames.iter().map(|frame| frame.astrometry).collect();
        assert_eq!(
            kinds[3..],
            [Astrometry::Fine, Astrometry::Outlier, Astrometry::NotChecked, Astrometry::NotSolved]
        );
        assert_eq!((check.n_outliers, check.n_not_solved, check.is_fine()), (1, 1, false));
        // 0.1 0.2 0.3 0.4 3.0: quartiles 0.2, 0.3, 0.4; fence 0.4 + 1.5 x 0.2.
        let quartiles = check.quartiles.expect("quartiles");
        assert!((quartiles.q1_arcsec - 0.2).abs() < 1e-12);
        assert!((quartiles.median_arcsec - 0.3).abs() < 1e-12);
        assert!((quartiles.fence_arcsec - 0.7).abs() < 1e-12);
        assert!(of_frames("n", &records[..4]).is_fine());
    }
}

//! A night in one line.

use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::frame_record::FrameStatus;
use crate::pipeline::artifact::report::NightReport;

use super::words::{plural, printable};

/// The numbers one wants to see first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Moving objects that no list explains.
    pub n_unknown: usize,
    /// Moving objects of a list.
    pub n_known: usize,
    /// Moving objects that could not be compared with a list.
    pub n_unchecked: usize,
    /// Science files not solved and used.
    pub n_lost: usize,
    /// Science files.
    pub n_frames: usize,
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(nights: I) -> Self {
        nights.fold(Self::default(), |sum, night| Self {
            n_unknown: sum.n_unknown + night.n_unknown,
            n_known: sum.n_known + night.n_known,
            n_unchecked: sum.n_unchecked + night.n_unchecked,
            n_lost: sum.n_lost + night.n_lost,
            n_frames: sum.n_frames + night.n_frames,
        })
    }
}

/// Counts objects and frames.
pub fn counts(report: &NightReport) -> Counts {
    let n_with = |is_it: fn(&Candidate) -> bool| {
        report.candidates.iter().filter(|candidate| is_it(candidate)).count()
    };
    Counts {
        n_unknown: n_with(|c| matches!(c.identity, Identity::Unknown)),
        n_known: n_with(|c| matches!(c.identity, Identity::Known { .. })),
        n_unchecked: n_with(|c| matches!(c.identity, Identity::Unchecked)),
        n_lost: report.frames.iter().filter(|frame| frame.status != FrameStatus::Ok).count(),
        n_frames: report.frames.len(),
    }
}

/// The night's heading, e.g. `2026-03-01: 3 unknown, 41 known, 2 of 180 frames lost`.
pub fn verdict(report: &NightReport) -> String {
    format!("{}: {}", printable(&report.night), in_words(&counts(report)))
}

/// Numbers as the heading has them, e.g. `3 unknown, 41 known, 2 of 180 frames lost`.
pub fn in_words(counts: &Counts) -> String {
    let mut objects = Vec::new();
    if counts.n_unchecked > 0 {
        let moving = plural(counts.n_unchecked, "moving object", "moving objects");
        objects.push(format!("{moving} not compared with a list"));
    }
    if counts.n_unchecked == 0 || counts.n_unknown + counts.n_known > 0 {
        objects.push(format!("{} unknown, {} known", counts.n_unknown, counts.n_known));
    }
    let frames = match counts.n_frames {
        0 => "no science frames".to_owned(),
        n => format!("{} of {} lost", counts.n_lost, plural(n, "frame", "frames")),
    };
    format!("{}, {frames}", objects.join(", "))
}

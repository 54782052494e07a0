//! Passes tracklets through the configured cuts; each removal keeps its reason.

use std::collections::HashMap;

use super::artifact::candidate::{Candidate, CandidateDetection};
use super::artifact::removed::Removed;
use super::link::NightFrame;
use crate::science::movers::filters::{BrightStars, Filter, FilterPoint, FilterTracklet};
use crate::science::units::DEG_RAD;

/// What is left, and what was taken away.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filtered {
    /// Candidates that passed all filters.
    pub candidates: Vec<Candidate>,
    /// The others, in order of filters.
    pub removed: Vec<Removed>,
    /// How many each filter removed, in words.
    pub notes: Vec<String>,
}

/// Passes candidates through a chain of filters, in its order.
pub fn filter(
    candidates: Vec<Candidate>,
    frames: &[NightFrame],
    chain: &[Filter],
    stars: &BrightStars<'_>,
) -> Filtered {
    let by_name: HashMap<&str, &NightFrame> = frames.iter().map(|f| (f.name.as_str(), f)).collect();
    let mut filtered = Filtered { candidates, ..Filtered::default() };
    for filter in chain {
        let before = filtered.candidates.len();
        let mut kept = Vec::with_capacity(before);
        for candidate in filtered.candidates {
            match filter.objection(&tracklet(&candidate, &by_name), stars) {
                Some(why) => filtered.removed.extend(removed(&candidate, filter.name(), why)),
                None => kept.push(candidate),
            }
        }
        let n_removed = before - kept.len();
        filtered.candidates = kept;
        if n_removed > 0 {
            filtered.notes.push(format!(
                "filter {}: {n_removed} of {before} tracklets removed; `autossosctl export \
                 --format removed` lists them",
                filter.name()
            ));
        }
    }
    filtered
}

fn tracklet(candidate: &Candidate, frames: &HashMap<&str, &NightFrame>) -> FilterTracklet {
    let point = |d: &CandidateDetection| {
        let frame = frames.get(d.frame.as_str());
        let (x_px, y_px) = frame.map_or((d.x_px, d.y_px), |f| f.on_detector(d.x_px, d.y_px));
        let source = frame.and_then(|f| Some((f, source_at(f, (d.x_px, d.y_px))?)));
        let scale_arcsec = frame.map_or(1.0, |f| f.wcs.pixel_scale_arcsec());
        FilterPoint {
            t_d: d.mid_mjd_utc,
            ra_rad: d.ra_deg * DEG_RAD,
            dec_rad: d.dec_deg * DEG_RAD,
            sigma_arcsec: d.position_err_arcsec,
            x_px,
            y_px,
            axes_px: source.map(|(f, i)| {
                let sources = &f.catalogue.sources;
                (sources.a_px[i], sources.b_px[i])
            }),
            place_err_px: d.position_err_arcsec / scale_arcsec,
        }
    };
    FilterTracklet {
        points: candidate.detections.iter().map(point).collect(),
        rate_arcsec_per_h: 60.0 * candidate.rate_arcsec_per_min,
        rate_err_arcsec_per_h: 60.0 * candidate.rate_err_arcsec_per_min,
    }
}

/// The source at a place [px].
fn source_at(frame: &NightFrame, (x_px, y_px): (f64, f64)) -> Option<usize> {
    const SAME_PX: f64 = 0.5;
    let sources = &frame.catalogue.sources;
    let distance = |i: usize| (sources.x_px[i] - x_px).hypot(sources.y_px[i] - y_px);
    let nearest =
        (0..sources.len()).min_by(|&i, &j| distance(i).total_cmp(&distance(j)).then(i.cmp(&j)));
    nearest.filter(|&i| distance(i) <= SAME_PX)
}

fn removed(candidate: &Candidate, filter: &str, why: String) -> Option<Removed> {
    let first = candidate.detections.first()?;
    Some(Removed {
        id: candidate.id.clone(),
        filter: filter.to_owned(),
        why,
        n_detections: candidate.detections.len() as u64,
        ra_deg: first.ra_deg,
        dec_deg: first.dec_deg,
        mid_mjd_utc: first.mid_mjd_utc,
        rate_arcsec_per_min: candidate.rate_arcsec_per_min,
        pa_deg: candidate.pa_deg,
        mag: candidate.mag,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::artifact::candidate::Identity;

    fn candidate(id: &str, n: usize) -> Candidate {
        let detection = |k: usize| CandidateDetection {
            frame: format!("f{k}.fits"),
            mid_mjd_utc: 60_000.0 + 0.01 * k as f64,
            ra_deg: 10.0 + 0.002 * k as f64,
            dec_deg: -5.0,
            x_px: 100.0 + 3.0 * k as f64,
            y_px: 50.0,
            position_err_arcsec: 0.2,
            residual_arcsec: (0.0, 0.0),
            mag: Some(18.0),
            mag_err: Some(0.1),
            snr: 10.0,
            is_recovered: false,
            is_foreseen: false,
        };
        Candidate {
            id: id.to_owned(),
            identity: Identity::Unchecked,
            false_alarms: 1e-4,
            rate_arcsec_per_min: 0.5,
            rate_err_arcsec_per_min: 0.005,
            pa_deg: 90.0,
            chi2_reduced: 1.0,
            rms_arcsec: 0.2,
            mag: Some(18.0),
            detections: (0..n).map(detection).collect(),
            n_expected: n as u64,
            n_covered: n as u64,
            photometry: Vec::new(),
            rating: None,
        }
    }

    #[test]
    fn each_filter_takes_its_own_and_says_so() {
        let candidates = vec![candidate("A", 3), candidate("B", 4), candidate("C", 6)];
        let chain = [
            Filter::Detections { unwanted: vec![1, 2, 3] },
            Filter::Pixel { shift_min_px: 10.0 },
            Filter::Pixel { shift_min_px: 1.0 },
        ];
        let filtered = filter(candidates, &[], &chain, &|_, _, _| Vec::new());
        let ids: Vec<&str> = filtered.candidates.iter().map(|c| c.id.as_str()).collect();
        assert_eq!(ids, ["C"]);
        let removed: Vec<(&str, &str)> =
            filtered.removed.iter().map(|r| (r.id.as_str(), r.filter.as_str())).collect();
        assert_eq!(removed, [("A", "detections"), ("B", "pixel")]);
        assert_eq!(filtered.notes.len(), 2);
        assert!(filtered.notes[1].starts_with("filter pixel: 1 of 2"), "{:?}", filtered.notes);
    }
}

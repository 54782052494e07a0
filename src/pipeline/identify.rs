//! Names candidates after a list of predicted places.

use std::collections::HashMap;

use super::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::formats::known_csv::KnownPlace;
use crate::science::movers::identify::{IdentifyParams, Offset, best_match};
use crate::science::sky::vector::separation_rad;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// A prediction without a file name belongs to the frames within this time of it [d].
const SAME_INSTANT_D: f64 = 5.0 / 86_400.0;

/// Names each candidate that follows a listed object; the others become unknown.
///
/// An object names one candidate at most, the one nearest to its places. An empty list leaves
/// candidates [`Identity::Unchecked`].
pub fn identify(candidates: &mut [Candidate], known: &[KnownPlace], params: &IdentifyParams) {
    if known.is_empty() {
        return;
    }
    let list = Predictions::of(known);
    let mut matches: Vec<(f64, usize, usize)> = Vec::new();
    for (c, candidate) in candidates.iter_mut().enumerate() {
        candidate.identity = Identity::Unknown;
        let rate = 60.0 * candidate.rate_arcsec_per_min;
        let pa = candidate.pa_deg * DEG_RAD;
        let motion = (rate * pa.sin(), rate * pa.cos());
        let offsets: Vec<Vec<Offset>> = candidate
            .detections
            .iter()
            .map(|d| list.near(d, motion))
            .filter(|o| o.is_predicted)
            .map(|o| o.offsets)
            .collect();
        if let Some((object, separation)) = best_match(&offsets, rate, params) {
            matches.push((separation, c, object));
        }
    }
    matches.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut taken = Vec::new();
    for (separation_arcsec, c, object) in matches {
        if !taken.contains(&object) {
            taken.push(object);
            candidates[c].identity =
                Identity::Known { name: list.names[object].to_owned(), separation_arcsec };
        }
    }
}

/// Predictions ordered so that those of one frame are found at once.
struct Predictions<'a> {
    names: Vec<&'a str>,
    by_file: HashMap<&'a str, Vec<(usize, &'a KnownPlace)>>,
    by_time: Vec<(f64, usize, &'a KnownPlace)>,
}

struct Near {
    is_predicted: bool,
    offsets: Vec<Offset>,
}

impl<'a> Predictions<'a> {
    fn of(known: &'a [KnownPlace]) -> Self {
        let mut index: HashMap<&str, usize> = HashMap::new();
        let mut list = Self { names: Vec::new(), by_file: HashMap::new(), by_time: Vec::new() };
        for place in known {
            let name = place.designation.as_str();
            let object = *index.entry(name).or_insert_with(|| {
                list.names.push(name);
                list.names.len() - 1
            });
            if let Some(file) = &place.file {
                list.by_file.entry(stem(file)).or_default().push((object, place));
            } else if let Some(time) = place.mid_mjd_utc {
                list.by_time.push((time, object, place));
            }
        }
        list.by_time.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        list
    }

    /// Predictions for a detection's frame within reach of its place.
    fn near(&self, d: &CandidateDetection, motion_arcsec_per_h: (f64, f64)) -> Near {
        const REACH_ARCSEC: f64 = 300.0;
        let mut near = Near { is_predicted: false, offsets: Vec::new() };
        let first = self.by_time.partition_point(|p| p.0 < d.mid_mjd_utc - SAME_INSTANT_D);
        let timed = self.by_time[first..]
            .iter()
            .take_while(|p| p.0 <= d.mid_mjd_utc + SAME_INSTANT_D)
            .map(|p| (p.1, p.2));
        let named = self.by_file.get(stem(&d.frame)).into_iter().flatten().copied();
        for (object, place) in named.chain(timed) {
            near.is_predicted = true;
            let predicted = (place.ra_deg * DEG_RAD, place.dec_deg * DEG_RAD);
            let found = (d.ra_deg * DEG_RAD, d.dec_deg * DEG_RAD);
            let separation_arcsec = separation_rad(found, predicted) / ARCSEC_RAD;
            if separation_arcsec <= REACH_ARCSEC {
                let rate = place.rate_arcsec_per_h.unwrap_or(motion_arcsec_per_h);
                near.offsets.push(Offset {
                    object,
                    separation_arcsec,
                    err_arcsec: place.err_arcsec,
                    rate_difference_arcsec_per_h: (rate.0 - motion_arcsec_per_h.0)
                        .hypot(rate.1 - motion_arcsec_per_h.1),
                });
            }
        }
        near
    }
}

/// A file's name without its FITS endings, so that `a.fits` and `a.fits.fz` are one frame.
fn stem(name: &str) -> &str {
    let mut stem = name.rsplit('/').next().unwrap_or(name);
    for ending in [".fz", ".gz", ".fits", ".fit", ".fts"] {
        let cut = stem.len().saturating_sub(ending.len());
        if let (Some(head), Some(tail)) = (stem.get(..cut), stem.get(cut..))
            && tail.eq_ignore_ascii_case(ending)
        {
            stem = head;
        }
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_ignore_endings_and_folders() {
        assert_eq!(stem("raw/rough-R1-001.fits.fz"), "rough-R1-001");
        assert_eq!(stem("20190326.0126.FITS"), "20190326.0126");
        assert_eq!(stem("plain"), "plain");
    }
}

//! Names candidates after predicted places of known objects, and tells which were not found.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::artifact::candidate::{Candidate, Identity};
use super::artifact::known::{KnownFit, KnownObject};
use super::link::NightFrame;
use crate::formats::designation::Designation;
use crate::science::image::stats::median;
use crate::science::movers::identify::{Fit, IdentifyParams, Mover, Seen, assign};
use crate::science::movers::known::{KnownPlace, KnownTrack, PlaceAt};
use crate::science::sky::vector::separation_rad;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Gaia G minus V of a body of solar colour [mag].
const G_MINUS_V_MAG: f64 = -0.17;
/// How much brighter than a frame's limit an object must be to be missed [mag].
const MARGIN_MAG: f64 = 0.5;
/// Objects kept beside the candidates: the brightest.
const OBJECTS_MAX: usize = 5000;

/// What is known of the sky that a night looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KnownSky {
    /// Predicted places; of several predictions of an object for an instant the first counts.
    pub places: Vec<KnownPlace>,
    /// Names of frames for which nothing could be asked: what moves there stays unchecked.
    pub unasked: BTreeSet<String>,
    /// Whether anything was asked at all.
    pub is_asked: bool,
}

impl KnownSky {
    /// The places of lists; without a place nothing was asked.
    pub fn of_lists(places: Vec<KnownPlace>) -> Self {
        Self { is_asked: !places.is_empty(), places, unasked: BTreeSet::new() }
    }
}

/// What naming the candidates gave beside their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Identified {
    /// Known objects inside the frames: found ones first, then by brightness.
    pub objects: Vec<KnownObject>,
    /// Their places in each frame that they are in.
    pub places: Vec<KnownPlace>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// Names each candidate that is a known object; the others become unknown.
///
/// An object is one candidate at most, and the pairs are the likeliest ones taken together (see
/// `science::movers::identify`). Candidates in frames for which nothing could be asked stay
/// [`Identity::Unchecked`].
pub fn identify(
    candidates: &mut [Candidate],
    frames: &[NightFrame],
    known: &KnownSky,
    params: &IdentifyParams,
) -> Identified {
    if !known.is_asked {
        return Identified::default();
    }
    for candidate in candidates.iter_mut() {
        let n_unasked =
            candidate.detections.iter().filter(|d| known.unasked.contains(&d.frame)).count();
        let is_asked = 2 * n_unasked < candidate.detections.len();
        candidate.identity = if is_asked { Identity::Unknown } else { Identity::Unchecked };
    }
    let tracks = tracks(&known.places, frames);
    let movers: Vec<Mover> = candidates.iter().map(mover).collect();
    let assigned = assign(&movers, &tracks, params);
    let mut found: BTreeMap<usize, KnownFit> = BTreeMap::new();
    for fit in assigned.pairs {
        let name = tracks[fit.object].designation().to_owned();
        let separation_arcsec = fit.separation_arcsec;
        candidates[fit.mover].identity = Identity::Known { name, separation_arcsec };
        let (object, mover) = (fit.object, fit.mover);
        found.insert(object, kept(fit, &movers[mover], &candidates[mover].id));
    }
    let mut identified = predicted(&tracks, frames, &mut found);
    for (mover, object) in assigned.doubles {
        let other = candidates.iter().find(|c| match &c.identity {
            Identity::Known { name, .. } => name == tracks[object].designation(),
            _ => false,
        });
        identified.notes.push(format!(
            "candidate {} fits {} as well, which {} is: it may be a second piece of its track",
            candidates[mover].id,
            tracks[object].designation(),
            other.map_or("another one", |c| c.id.as_str()),
        ));
    }
    identified
}

/// The key that tells objects apart: sources write the same name differently.
pub fn object_key(designation: &str) -> String {
    let found = Designation::from_name(designation).map(|d| d.to_string());
    found.unwrap_or_else(|| designation.trim().to_ascii_lowercase())
}

/// The places of each object along time; those for a file get the instant of its frame.
fn tracks(places: &[KnownPlace], frames: &[NightFrame]) -> Vec<KnownTrack> {
    let times: HashMap<&str, f64> =
        frames.iter().map(|frame| (stem(&frame.name), frame.mid_mjd_utc)).collect();
    let mut order: HashMap<String, usize> = HashMap::new();
    let mut objects: Vec<Vec<(f64, KnownPlace)>> = Vec::new();
    for place in places {
        let time = match &place.file {
            Some(file) => times.get(stem(file)).copied(),
            None => place.mid_mjd_utc,
        };
        let Some(time) = time else { continue };
        let object = *order.entry(object_key(&place.designation)).or_insert_with(|| {
            objects.push(Vec::new());
            objects.len() - 1
        });
        objects[object].push((time, place.clone()));
    }
    objects.into_iter().filter_map(KnownTrack::new).collect()
}

fn mover(candidate: &Candidate) -> Mover {
    let seen = candidate.detections.iter().map(|d| Seen {
        mjd_utc: d.mid_mjd_utc,
        ra_rad: d.ra_deg * DEG_RAD,
        dec_rad: d.dec_deg * DEG_RAD,
        err_arcsec: d.position_err_arcsec,
    });
    let speed = 60.0 * candidate.rate_arcsec_per_min;
    let pa_rad = candidate.pa_deg * DEG_RAD;
    Mover {
        seen: seen.collect(),
        rate_arcsec_per_h: (speed * pa_rad.sin(), speed * pa_rad.cos()),
        rate_err_arcsec_per_h: 60.0 * candidate.rate_err_arcsec_per_min,
        g_mag: candidate.mag,
    }
}

fn kept(fit: Fit, mover: &Mover, candidate: &str) -> KnownFit {
    let middle = |part: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = fit.offsets_arcsec.iter().flatten().map(part).collect();
        median(&values).unwrap_or(0.0)
    };
    let rate = mover.rate_arcsec_per_h;
    let degrees = |at: &Option<(f64, f64)>| at.map(|(ra, dec)| (ra / DEG_RAD, dec / DEG_RAD));
    KnownFit {
        candidate: candidate.to_owned(),
        separation_arcsec: fit.separation_arcsec,
        offset_arcsec: (middle(|o| o.0), middle(|o| o.1)),
        predicted_rate_arcsec_per_h: fit.predicted_rate_arcsec_per_h,
        rate_arcsec_per_h_difference: fit
            .predicted_rate_arcsec_per_h
            .map(|p| (rate.0 - p.0, rate.1 - p.1)),
        chi2: fit.chi2,
        predicted_deg: fit.predicted_rad.iter().map(degrees).collect(),
        offsets_arcsec: fit.offsets_arcsec,
    }
}

/// Which objects are inside which frames, with what was found of them.
fn predicted(
    tracks: &[KnownTrack],
    frames: &[NightFrame],
    found: &mut BTreeMap<usize, KnownFit>,
) -> Identified {
    let mut identified = Identified::default();
    let reaches: Vec<_> = frames.iter().map(reach).collect();
    for (t, track) in tracks.iter().enumerate() {
        let (mut inside, mut n_bright) = (Vec::new(), 0);
        for (frame, reach) in frames.iter().zip(&reaches) {
            let Some(at) = track.at(frame.mid_mjd_utc) else { continue };
            if !is_inside(frame, *reach, &at) {
                continue;
            }
            let is_bright =
                track.v_mag().is_some_and(|v| v + G_MINUS_V_MAG < frame.limiting_mag - MARGIN_MAG);
            n_bright += u64::from(is_bright);
            inside.push((frame, at));
        }
        let fit = found.remove(&t);
        let Some((middle, at)) = inside.get(inside.len() / 2).copied() else { continue };
        identified.objects.push(KnownObject {
            name: track.designation().to_owned(),
            class: track.class().map(str::to_owned),
            v_mag: track.v_mag(),
            err_arcsec: at.err_arcsec,
            mid_mjd_utc: middle.mid_mjd_utc,
            ra_deg: at.ra_rad / DEG_RAD,
            dec_deg: at.dec_rad / DEG_RAD,
            rate_arcsec_per_h: at.rate_arcsec_per_h,
            n_frames: inside.len() as u64,
            n_bright,
            found: fit,
        });
        identified.places.extend(inside.iter().map(|(frame, at)| in_frame(track, frame, at)));
    }
    identified.objects.sort_by(|a, b| {
        let mag = |o: &KnownObject| o.v_mag.unwrap_or(f64::INFINITY);
        let is_found = b.found.is_some().cmp(&a.found.is_some());
        is_found.then(mag(a).total_cmp(&mag(b))).then_with(|| a.name.cmp(&b.name))
    });
    identified.objects.truncate(OBJECTS_MAX);
    identified.places.sort_by(|a, b| {
        let time = |p: &KnownPlace| p.mid_mjd_utc.unwrap_or(0.0);
        time(a).total_cmp(&time(b)).then_with(|| a.file.cmp(&b.file))
    });
    identified
}

/// Centre of a frame [rad] and the radius of the circle around it [rad].
fn reach(frame: &NightFrame) -> ((f64, f64), f64) {
    let (nx, ny) = (frame.nx as f64, frame.ny as f64);
    let half_px = 0.5 * nx.hypot(ny);
    let centre = frame.wcs.to_sky(0.5 * nx - 0.5, 0.5 * ny - 0.5);
    (centre, 1.1 * half_px * frame.wcs.pixel_scale_arcsec() * ARCSEC_RAD)
}

fn is_inside(frame: &NightFrame, (centre, radius): ((f64, f64), f64), at: &PlaceAt) -> bool {
    if separation_rad(centre, (at.ra_rad, at.dec_rad)) > radius {
        return false;
    }
    let is_on = |(x, y): (f64, f64)| {
        let (right, top) = (frame.nx as f64 - 0.5, frame.ny as f64 - 0.5);
        (-0.5..right).contains(&x) && (-0.5..top).contains(&y)
    };
    frame.wcs.to_pixel(at.ra_rad, at.dec_rad).is_some_and(is_on)
}

fn in_frame(track: &KnownTrack, frame: &NightFrame, at: &PlaceAt) -> KnownPlace {
    KnownPlace {
        file: Some(frame.name.clone()),
        mid_mjd_utc: Some(frame.mid_mjd_utc),
        designation: track.designation().to_owned(),
        class: track.class().map(str::to_owned),
        ra_deg: at.ra_rad / DEG_RAD,
        dec_deg: at.dec_rad / DEG_RAD,
        err_arcsec: at.err_arcsec,
        rate_arcsec_per_h: at.rate_arcsec_per_h,
        v_mag: track.v_mag(),
    }
}

/// A file's name without its FITS endings, so that `a.fits` and `a.fits.fz` are one frame.
pub fn stem(name: &str) -> &str {
    let mut stem = name.rsplit('/').next().unwrap_or(name);
    // A part of a file: what is listed for the file is for all of them.
    let part = stem.strip_suffix(']').and_then(|name| name.rsplit_once('['));
    if let Some((file, _)) = part.filter(|(_, hdu)| hdu.bytes().all(|b| b.is_ascii_digit())) {
        stem = file;
    }
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
        assert_eq!((stem("x/mosaic.fits[12]"), stem("a[b].fits")), ("mosaic", "a[b]"));
    }

    #[test]
    fn one_object_has_one_key_however_it_is_written() {
        assert_eq!(object_key("433 Eros"), object_key("(433) Eros"));
        assert_eq!(object_key("433 Eros"), object_key("433"));
        assert_eq!(object_key("2014 AA"), "2014 AA");
        assert_ne!(object_key("2040 P-L"), object_key("2040"));
        assert_eq!(object_key(" Strange Thing"), object_key("strange thing"));
    }
}

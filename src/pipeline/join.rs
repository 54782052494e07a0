//! Unknown candidates of several nights that are one object.
//!
//! For each pair of nights that are near in time, each candidate is predicted into the later night:
//! by a rough test of both motions first, then by the sheet of orbits that its night allows
//! ([`crate::science::orbit::vaisala`]). Where another candidate lies on the sheet with place and
//! rate, one orbit is fitted through both nights; when it fits, [`chance`] says how many unrelated
//! candidates would have done as well. The likeliest pairs are joined first; a candidate belongs to
//! one object, an object has one candidate a night, and each join over three nights and more is
//! confirmed by one orbit through all of them.

mod chance;
mod pairs;

use crate::science::orbit::arc_fit::{ArcFit, Attributable, Free, NightSights, Pull, is_bound};
use crate::science::orbit::observer::Observer;
use crate::science::orbit::planets::{Planets, SpanError};
use crate::science::orbit::short_arc::{Motion, Sighting};
use pairs::{Pair, Track, pairs};

/// A part of the sky that a night looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// Its middle (RA, Dec) [rad].
    pub centre_rad: (f64, f64),
    /// Half its diagonal [rad].
    pub radius_rad: f64,
    /// Its area [rad^2].
    pub area_sr: f64,
}

/// A candidate without a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Unnamed {
    /// Its identifier.
    pub id: String,
    /// Its places in order of time.
    pub sightings: Vec<Sighting>,
    /// Magnitude [mag].
    pub mag: Option<f64>,
}

/// A night as joining sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinNight {
    /// Its name.
    pub night: String,
    /// Where it looked; fields seen more than once may stand here more than once.
    pub fields: Vec<Field>,
    /// Its candidates without a name.
    pub unnamed: Vec<Unnamed>,
}

/// Limits of joining.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinParams {
    /// Nights further apart are not compared [d].
    pub nights_apart_max_d: f64,
    /// Two nights are joined when fewer unrelated candidates than this are expected.
    pub chance_max: f64,
    /// The same for what joins an object that is known from two nights already.
    pub chance_third_max: f64,
    /// Largest difference of the magnitudes, for the object's rotation and its phase [mag].
    pub mag_difference_max: f64,
    /// Candidates of a night that are compared: the first ones.
    pub unnamed_max: usize,
}

impl Default for JoinParams {
    fn default() -> Self {
        Self {
            nights_apart_max_d: 5.5,
            chance_max: 1e-3,
            chance_third_max: 0.02,
            mag_difference_max: 1.5,
            unnamed_max: 500,
        }
    }
}

/// An object seen in several nights.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinedObject {
    /// Places of night and candidate in what was given, in order of time.
    pub members: Vec<(usize, usize)>,
    /// Expected number of unrelated candidates that would have been joined as well.
    pub chance: f64,
    /// Reduced chi-square of one orbit through all nights.
    pub chi2_reduced: f64,
}

/// What all nights share.
#[derive(Clone, Copy)]
struct Sky<'a> {
    nights: &'a [JoinNight],
    observer: &'a Observer,
    planets: &'a Planets,
    params: &'a JoinParams,
}

/// Joins the candidates of some nights, given in any order.
///
/// Errors: [`SpanError`] when the nights are not between 1852 and 2148.
pub fn join(
    nights: &[JoinNight],
    observer: &Observer,
    params: &JoinParams,
) -> Result<Vec<JoinedObject>, SpanError> {
    let times = nights.iter().flat_map(|n| &n.unnamed).flat_map(|c| &c.sightings);
    let times = times.filter(|s| s.is_usable()).map(|s| s.mid_mjd_utc);
    let (first, last) =
        times.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), t| (low.min(t), high.max(t)));
    if first >= last || !first.is_finite() {
        return Ok(Vec::new());
    }
    // The light of the farthest orbits is some hours old.
    let planets = Planets::covering(first - 2.0, last + 2.0)?;
    let sky = Sky { nights, observer, planets: &planets, params };
    let tracks = pairs::tracks(&sky);
    let mut found = pairs(&tracks, &sky);
    found.sort_by(|a, b| {
        let ids = |p: &Pair| (tracks[p.tracks.0].id, tracks[p.tracks.1].id);
        a.odds.total_cmp(&b.odds).then_with(|| ids(a).cmp(&ids(b)))
    });
    Ok(objects(&tracks, found, &sky))
}

/// An object in the making.
#[derive(Debug, Clone)]
struct Group {
    /// Places among the tracks.
    tracks: Vec<usize>,
    chance: f64,
    chi2_reduced: f64,
    /// The orbit and the track it is told from.
    orbit: Option<(usize, Attributable)>,
}

/// Joins pairs, the likeliest first, as long as nothing contradicts.
fn objects(tracks: &[Track<'_>], pairs: Vec<Pair>, sky: &Sky<'_>) -> Vec<JoinedObject> {
    let alone = |i| Group { tracks: vec![i], chance: 0.0, chi2_reduced: 0.0, orbit: None };
    let mut groups: Vec<Option<Group>> = (0..tracks.len()).map(|i| Some(alone(i))).collect();
    let mut group_of: Vec<usize> = (0..tracks.len()).collect();
    for pair in pairs {
        let (a, b) = (group_of[pair.tracks.0], group_of[pair.tracks.1]);
        if a == b {
            continue;
        }
        let (Some(one), Some(other)) = (&groups[a], &groups[b]) else { continue };
        let Some(joined) = joined(tracks, (one, other), &pair, sky) else { continue };
        for &track in &joined.tracks {
            group_of[track] = a;
        }
        groups[a] = Some(joined);
        groups[b] = None;
    }
    let mut all: Vec<JoinedObject> = groups
        .into_iter()
        .flatten()
        .filter(|group| group.tracks.len() > 1)
        .map(|mut group| {
            group.tracks.sort_by(|&a, &b| tracks[a].mjd_utc().total_cmp(&tracks[b].mjd_utc()));
            JoinedObject {
                members: group.tracks.iter().map(|&t| tracks[t].place).collect(),
                chance: group.chance,
                chi2_reduced: group.chi2_reduced,
            }
        })
        .collect();
    all.sort_by(|a, b| a.members.cmp(&b.members));
    all
}

/// Two groups as one, when they are.
fn joined(
    tracks: &[Track<'_>],
    (one, other): (&Group, &Group),
    pair: &Pair,
    sky: &Sky<'_>,
) -> Option<Group> {
    let is_pair = one.tracks.len() + other.tracks.len() == 2;
    let chance_max = if is_pair { sky.params.chance_max } else { sky.params.chance_third_max };
    if pair.chance > chance_max {
        return None;
    }
    let mut members: Vec<usize> = one.tracks.iter().chain(&other.tracks).copied().collect();
    members.sort_by(|&a, &b| tracks[a].mjd_utc().total_cmp(&tracks[b].mjd_utc()));
    let mut nights: Vec<usize> = members.iter().map(|&t| tracks[t].place.0).collect();
    nights.sort_unstable();
    nights.dedup();
    if nights.len() < members.len() {
        return None;
    }
    if is_pair {
        return Some(Group {
            tracks: members,
            chance: pair.chance,
            chi2_reduced: pair.chi2_reduced,
            orbit: Some((pair.tracks.0, pair.seen)),
        });
    }
    let starts = [one.orbit, other.orbit, Some((pair.tracks.0, pair.seen))];
    let (chi2_reduced, orbit) =
        starts.into_iter().flatten().find_map(|start| through_all(tracks, &members, start, sky))?;
    Some(Group {
        tracks: members,
        chance: one.chance + other.chance + pair.chance,
        chi2_reduced,
        orbit: Some(orbit),
    })
}

/// One orbit through several nights: its reduced chi-square, when it fits.
fn through_all(
    tracks: &[Track<'_>],
    members: &[usize],
    (from, start): (usize, Attributable),
    sky: &Sky<'_>,
) -> Option<(f64, (usize, Attributable))> {
    let nights: Vec<&NightSights> = members.iter().map(|&t| &tracks[t].sights).collect();
    let origin = tracks[from].origin(sky);
    let problem =
        ArcFit { origin: &origin, nights: &nights, planets: sky.planets, pull: Pull::All };
    let fitted = problem.fit(&start, Free::All)?;
    let n_free = 2 * fitted.n_sightings - 6;
    let is_orbit = is_bound(&origin.state(&fitted.seen).0);
    (is_orbit && fitted.chi2 <= chi2_max(n_free))
        .then(|| (fitted.chi2 / n_free as f64, (from, fitted.seen)))
}

/// The chi-square that one true orbit of ten thousand exceeds (Wilson & Hilferty 1931, PNAS 17,
/// 684: the cube root of chi2/n is Gaussian).
fn chi2_max(n_free: usize) -> f64 {
    const SIGMA: f64 = 3.719;
    let n = n_free.max(1) as f64;
    n * (1.0 - 2.0 / (9.0 * n) + SIGMA * (2.0 / (9.0 * n)).sqrt()).powi(3)
}

/// The sightings of a candidate with errors that its own motion bears out.
fn honest(unnamed: &Unnamed) -> Option<(Motion, Vec<Sighting>)> {
    let motion = Motion::fit(&unnamed.sightings)?;
    let excess = motion.chi2 / motion.n_free.max(1) as f64;
    let factor = if motion.n_free > 0 { excess.max(1.0).sqrt() } else { 1.0 };
    let scaled: Vec<Sighting> =
        unnamed.sightings.iter().map(|s| Sighting { err_rad: s.err_rad * factor, ..*s }).collect();
    Some((Motion::fit(&scaled)?, scaled))
}

#[cfg(test)]
mod tests;

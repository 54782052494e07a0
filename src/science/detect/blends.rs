//! Decides between one source and several where outlines touch.
//!
//! The map of the matched filter shows more summits than sources: bumps of noise on a shoulder, or
//! along the trail of something that moved. `segment` keeps the doubtful ones apart; here the fits
//! decide. A group whose pixels a trail explains as well as several stars do is one trail; a
//! doubtful summit without significant light of its own goes back to the source it stands on. A
//! blended source that stands clear must have some light of its own as well (SExtractor's CLEAN).

use std::collections::HashMap;

use rayon::prelude::*;

use super::aperture::Scene;
use super::background::Background;
use super::line::{TRIED_MAX, line_of, stars_chi2};
use super::psf_fit::Fitted;
use super::psf_model::PsfModel;
use super::segment::Segment;
use super::shape::isophotal_shape;
use crate::science::image::Image;

/// Chi-squared by which a trail, which has fewer unknowns, may be worse than several stars.
const LINE_BONUS: f64 = 4.0;

/// Least signal-to-noise ratios of a source's own light, its neighbours' taken off.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnLight {
    /// Of a summit that stands clear.
    pub(super) snr_min: f64,
    /// Of a doubtful one.
    pub(super) doubtful_snr_min: f64,
}

/// A frame with the stars' shape.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) scene: Scene<'a>,
    pub(super) snr: &'a Image<f32>,
    pub(super) sky: &'a Background,
    pub(super) psf: &'a PsfModel,
}

/// Sources with their fits, in step.
pub(super) type Fits = (Vec<Segment>, Vec<Option<Fitted>>);

/// What becomes of a doubtful summit.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    /// A source of its own.
    Stands,
    /// Part of the group's brightest source.
    Joins,
    /// Part of a trail; the brightest source is one.
    Line,
}

/// Settles the doubtful summits and leaves out what its neighbours' light explains.
pub(super) fn settled(
    ground: Ground<'_>,
    segments: Vec<Segment>,
    fitted: Vec<Option<Fitted>>,
    own_light: OwnLight,
) -> Fits {
    let groups = groups(ground.snr.nx(), &segments);
    let verdicts: Vec<Vec<Verdict>> = groups
        .par_iter()
        .enumerate()
        .map(|(k, group)| {
            if k < TRIED_MAX && is_line(ground, &segments, &fitted, group) {
                return vec![Verdict::Line; group.len() - 1];
            }
            verdicts(&fitted, group, own_light)
        })
        .collect();
    let (mut segments, mut fitted) = (segments, fitted);
    let mut is_gone = vec![false; segments.len()];
    for (group, verdicts) in groups.iter().zip(&verdicts) {
        for (&member, verdict) in group[1..].iter().zip(verdicts) {
            if *verdict == Verdict::Stands {
                segments[member].is_blended = true;
                segments[group[0]].is_blended = true;
                continue;
            }
            is_gone[member] = true;
            let pixels = std::mem::take(&mut segments[member].pixels);
            segments[group[0]].pixels.extend(pixels);
            if *verdict == Verdict::Line {
                fitted[group[0]] = None;
            }
        }
        sort_brightest_first(ground.snr, &mut segments[group[0]]);
    }
    let stays = |segment: &Segment, star: &Option<Fitted>| {
        let has_own = |f: Fitted| f.flux_e >= own_light.snr_min * f.flux_err_e;
        !segment.is_blended || star.is_none_or(has_own)
    };
    segments
        .into_iter()
        .zip(fitted)
        .zip(is_gone)
        .filter(|((segment, star), is_gone)| !is_gone && stays(segment, star))
        .map(|(pair, _)| pair)
        .unzip()
}

/// Groups of segments linked by doubt, their brightest member first; single ones left out.
///
/// Groups come in the order of their second member, brightest first.
fn groups(nx: usize, segments: &[Segment]) -> Vec<Vec<usize>> {
    let place = |s: &Segment| (s.peak_y * nx + s.peak_x) as u32;
    let index: HashMap<u32, usize> =
        segments.iter().enumerate().map(|(i, s)| (place(s), i)).collect();
    let brighter = |i: usize| segments[i].doubted_by.and_then(|p| index.get(&p)).copied();
    let mut members: HashMap<usize, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for i in 0..segments.len() {
        let (mut leader, mut steps) = (i, 0);
        while let Some(next) = brighter(leader).filter(|_| steps < segments.len()) {
            (leader, steps) = (next, steps + 1);
        }
        if leader != i {
            let group = *members.entry(leader).or_insert_with(|| {
                groups.push(vec![leader]);
                groups.len() - 1
            });
            groups[group].push(i);
        }
    }
    groups
}

/// The verdicts of a group's members but its first.
fn verdicts(fitted: &[Option<Fitted>], group: &[usize], own_light: OwnLight) -> Vec<Verdict> {
    let verdict = |&i: &usize| {
        let stands = fitted[i].is_some_and(|f| {
            // Where the model misses by more than noise, light must stand out by that much more.
            f.flux_e >= own_light.doubtful_snr_min * f.flux_err_e * f.chi2.max(1.0).sqrt()
        });
        if stands { Verdict::Stands } else { Verdict::Joins }
    };
    group[1..].iter().map(verdict).collect()
}

/// Tells whether a trail explains a group's pixels as well as its stars do.
fn is_line(
    ground: Ground<'_>,
    segments: &[Segment],
    fitted: &[Option<Fitted>],
    group: &[usize],
) -> bool {
    let mut all = segments[group[0]].clone();
    for &i in &group[1..] {
        all.pixels.extend(&segments[i].pixels);
    }
    let line = isophotal_shape(ground.scene, &all)
        .and_then(|shape| line_of(ground.scene, (ground.sky, ground.psf), &shape));
    line.is_some_and(|line| {
        let stars: Vec<Fitted> = group.iter().filter_map(|&i| fitted[i]).collect();
        let chi2 = line.trail.chi2 * (line.stamp.values_e.len() as f64 - 5.0).max(1.0);
        chi2 < stars_chi2(&line.stamp, ground.psf, &stars) + LINE_BONUS
    })
}

fn sort_brightest_first(snr: &Image<f32>, segment: &mut Segment) {
    let map = snr.pixels();
    segment
        .pixels
        .sort_unstable_by(|&a, &b| map[b as usize].total_cmp(&map[a as usize]).then(a.cmp(&b)));
}

//! Fits every source of a frame as a star, its neighbours' light taken off.
//!
//! All fits of a round see the neighbours as the round before left them, so that rounds run in
//! parallel and give the same numbers with any number of threads.

use rayon::prelude::*;

use super::aperture::Scene;
use super::background::Background;
use super::psf_fit::{Fitted, Stamp, fit_light, fit_star};
use super::psf_model::PsfModel;
use crate::science::image::mask::MaskBits;

/// Radius of the fitted pixels in units of the seeing.
const STAMP_FWHM: f64 = 2.2;
/// Smallest radius of the fitted pixels [px].
const STAMP_MIN_PX: f64 = 2.6;
/// Neighbours count up to this distance in units of the seeing.
const NEIGHBOUR_FWHM: f64 = 4.7;
/// A neighbour of less than this share of the light does not count at all.
const NEIGHBOUR_SHARE_MIN: f64 = 0.01;
/// Most neighbours that are taken off.
const NEIGHBOURS_MAX: usize = 24;
/// Rounds of sources with neighbours.
const ROUNDS: usize = 3;
/// A fit may move this far from the summit, in units of the seeing.
const LEASH_FWHM: f64 = 0.7;
/// Fewest pixels of a fit.
const PIXELS_MIN: usize = 8;

/// A source before its fit.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// Column of the summit [px].
    pub x_px: f64,
    /// Row [px].
    pub y_px: f64,
    /// Light by the matched filter [e-].
    pub flux_e: f64,
}

/// Place and light of a star as the next round's neighbour.
#[derive(Debug, Clone, Copy)]
struct Guess {
    x_px: f64,
    y_px: f64,
    flux_e: f64,
}

/// Seeing as wide as the pixels make it.
pub fn seen_fwhm(psf: &PsfModel, x_px: f64, y_px: f64) -> f64 {
    // A pixel's own variance, 1/12 px^2, in units of a full width: 2.355^2 / 12.
    (psf.fwhm_at(x_px, y_px).powi(2) + 0.462).sqrt()
}

/// Fits all sources; `None` for those that are no star or have too few good pixels.
pub fn fit_stars(
    scene: Scene<'_>,
    sky: &Background,
    psf: &PsfModel,
    starts: &[Start],
) -> Vec<Option<Fitted>> {
    let neighbours = neighbours(starts, psf);
    let guess = |s: &Start| Guess { x_px: s.x_px, y_px: s.y_px, flux_e: s.flux_e };
    let mut guesses: Vec<Guess> = starts.iter().map(guess).collect();
    let mut fitted: Vec<Option<Fitted>> = vec![None; starts.len()];
    for round in 0..ROUNDS {
        let found: Vec<Option<Option<Fitted>>> = (0..starts.len())
            .into_par_iter()
            .map_init(Stamp::default, |stamp, i| {
                if round > 0 && neighbours[i].is_empty() {
                    return None;
                }
                let near: Vec<Guess> = neighbours[i].iter().map(|&j| guesses[j as usize]).collect();
                Some(fit_one(scene, (sky, psf), &starts[i], &near, stamp))
            })
            .collect();
        for (i, result) in found.into_iter().enumerate() {
            let Some(result) = result else { continue };
            fitted[i] = result;
            if let Some(star) = result {
                guesses[i] = Guess { x_px: star.x_px, y_px: star.y_px, flux_e: star.flux_e };
            }
        }
    }
    fitted
}

/// Neighbours of each source that matter, the brightest first.
fn neighbours(starts: &[Start], psf: &PsfModel) -> Vec<Vec<u32>> {
    let middle = (0.5 * psf.size_px.0 as f64, 0.5 * psf.size_px.1 as f64);
    let reach = NEIGHBOUR_FWHM * seen_fwhm(psf, middle.0, middle.1);
    let cell = |v: f64| (v / reach).max(0.0) as usize;
    let n_x = cell(psf.size_px.0 as f64) + 1;
    let n_y = cell(psf.size_px.1 as f64) + 1;
    let mut cells: Vec<Vec<u32>> = vec![Vec::new(); n_x * n_y];
    let place = |s: &Start| (cell(s.x_px).min(n_x - 1), cell(s.y_px).min(n_y - 1));
    for (i, start) in starts.iter().enumerate() {
        let (x, y) = place(start);
        cells[y * n_x + x].push(i as u32);
    }
    starts
        .par_iter()
        .enumerate()
        .map(|(i, start)| {
            let (x, y) = place(start);
            let mut near = Vec::new();
            for yy in y.saturating_sub(1)..(y + 2).min(n_y) {
                for xx in x.saturating_sub(1)..(x + 2).min(n_x) {
                    for &j in &cells[yy * n_x + xx] {
                        let other = &starts[j as usize];
                        let distance = (other.x_px - start.x_px).hypot(other.y_px - start.y_px);
                        let counts = other.flux_e > NEIGHBOUR_SHARE_MIN * start.flux_e;
                        if j as usize != i && distance < reach && counts {
                            near.push(j);
                        }
                    }
                }
            }
            near.sort_by(|&a, &b| {
                let flux = |k: u32| starts[k as usize].flux_e;
                flux(b).total_cmp(&flux(a)).then(a.cmp(&b))
            });
            near.truncate(NEIGHBOURS_MAX);
            near
        })
        .collect()
}

/// Pixels that cannot be fitted.
const UNUSABLE: MaskBits =
    MaskBits::BAD.with(MaskBits::NO_DATA).with(MaskBits::COSMIC).with(MaskBits::SATURATED);

/// Fills the stamp with the usable pixels around a place.
pub fn fill_stamp(
    scene: Scene<'_>,
    sky: &Background,
    (x_px, y_px): (f64, f64),
    radius_px: f64,
    stamp: &mut Stamp,
) {
    let (nx, ny) = (scene.signal_e.nx(), scene.signal_e.ny());
    stamp.places.clear();
    stamp.values_e.clear();
    let range = |centre: f64, n: usize| {
        let low = (centre - radius_px).ceil().max(0.0) as usize;
        low..(((centre + radius_px).floor() + 1.0).clamp(0.0, n as f64) as usize)
    };
    let columns = range(x_px, nx);
    for y in range(y_px, ny) {
        let dy = y as f64 - y_px;
        let (row, mask) = (scene.signal_e.row(y), scene.mask.row(y));
        for x in columns.clone() {
            let dx = x as f64 - x_px;
            if dx * dx + dy * dy <= radius_px * radius_px && !mask[x].is_any(UNUSABLE) {
                stamp.places.push((x as f32, y as f32));
                stamp.values_e.push(row[x]);
            }
        }
    }
    let inside = |v: f64, n: usize| v.round().clamp(0.0, (n - 1) as f64) as usize;
    stamp.sky_e2 = sky.rms_at(inside(x_px, nx), inside(y_px, ny)).powi(2);
}

fn fit_one(
    scene: Scene<'_>,
    (sky, psf): (&Background, &PsfModel),
    start: &Start,
    near: &[Guess],
    stamp: &mut Stamp,
) -> Option<Fitted> {
    let fwhm_px = seen_fwhm(psf, start.x_px, start.y_px);
    let radius_px = (STAMP_FWHM * fwhm_px).max(STAMP_MIN_PX);
    fill_stamp(scene, sky, (start.x_px, start.y_px), radius_px, stamp);
    if stamp.values_e.len() < PIXELS_MIN {
        return None;
    }
    let mut leash_px = (LEASH_FWHM * fwhm_px).max(1.0);
    for other in near {
        let star = psf.star_at(other.x_px, other.y_px);
        for (&(px, py), value) in stamp.places.iter().zip(&mut stamp.values_e) {
            let light = star.light(f64::from(px) - other.x_px, f64::from(py) - other.y_px);
            *value -= (other.flux_e * light.share) as f32;
        }
        let distance = (other.x_px - start.x_px).hypot(other.y_px - start.y_px);
        leash_px = leash_px.min((0.5 * distance).max(0.7));
    }
    let star = psf.star_at(start.x_px, start.y_px);
    let place = (start.x_px, start.y_px);
    fit_star(stamp, &star, (place, start.flux_e), leash_px)
        .or_else(|| fixed(stamp, &star, place, fwhm_px))
}

/// A source whose place does not settle keeps its summit, with a place error of half the seeing.
fn fixed(
    stamp: &Stamp,
    star: &super::psf_model::Star<'_>,
    (x_px, y_px): (f64, f64),
    fwhm_px: f64,
) -> Option<Fitted> {
    let (flux_e, flux_err_e, chi2) = fit_light(stamp, star, (x_px, y_px))?;
    let variance = (0.5 * fwhm_px).powi(2);
    Some(Fitted {
        x_px,
        y_px,
        flux_e,
        flux_err_e,
        // Light over a circle of the seeing, about what a fit weighs.
        sky_area_px2: fwhm_px * fwhm_px,
        var_xx_px2: variance,
        var_xy_px2: 0.0,
        var_yy_px2: variance,
        chi2,
        n_pixels: 0,
    })
}

//! Light of a source through an aperture of a given size, whatever the seeing.
//!
//! To compare filters the same circle of the sky is summed in all of them. What falls outside
//! depends on each frame's stars: the frame's point spread function, drawn along the source's line,
//! tells which share of the fit's light lies on the usable pixels of the circle, and the sum is
//! divided by it. So frames of other seeing, trails and bad pixels give the same scale of light as
//! the fit (`forced`), which the caller turns into all light by the frame's growth curve.
//! Neighbours are drawn and taken off, each with its error.

use super::forced::{Line, NearLight, Target, UNUSABLE, within};
use crate::science::detect::aperture::{Ellipse, Scene};
use crate::science::detect::psf_model::{PsfModel, Star};
use crate::science::detect::stars::seen_fwhm;

/// Share of its light that must fall on usable pixels of the circle.
const SHARE_MIN: f64 = 0.3;
/// Share of its light by which a neighbour's model may be wrong.
const NEIGHBOUR_MODEL_ERR: f64 = 0.03;
/// Neighbours this far beyond the circle count, in units of the seeing.
const NEIGHBOUR_FWHM: f64 = 5.0;

/// What a circle holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ApertureLight {
    /// All light in the fit's scale; may be negative [e-].
    pub flux_e: f64,
    /// Error of that: noise and neighbours [e-].
    pub flux_err_e: f64,
    /// Share of the fit's light on the usable pixels of the circle.
    pub share: f64,
}

/// Sums a circle of a radius [px] around a source; `None` when it leaves the frame or too much of
/// its light falls elsewhere.
///
/// * `sky_rms_e`: noise of a sky pixel there [e-].
/// * `near`: other sources, the source itself not among them.
pub fn aperture_light(
    scene: Scene<'_>,
    (psf, sky_rms_e): (&PsfModel, f64),
    target: &Target,
    near: &[NearLight],
    radius_px: f64,
) -> Option<ApertureLight> {
    let (x, y) = target.place_px;
    if !(radius_px > 0.0 && radius_px.is_finite() && x.is_finite() && y.is_finite()) {
        return None;
    }
    let fwhm_px = seen_fwhm(psf, x, y);
    let line = Line::new(psf.star_at(x, y), target.half_line_px, fwhm_px);
    let near = within(near, target, radius_px + NEIGHBOUR_FWHM * fwhm_px);
    let drawn: Vec<Star<'_>> = near.iter().map(|o| psf.star_at(o.x_px, o.y_px)).collect();
    let mut near_shares = vec![0.0; near.len()];
    let (mut sum, mut area, mut share) = (0.0, 0.0, 0.0);
    let (nx, ny) = (scene.signal_e.nx(), scene.signal_e.ny());
    let circle = Ellipse::circle(x, y, radius_px);
    let is_cut = circle.for_each_pixel((nx, ny), |index, inside| {
        let (column, row) = (index % nx, index / nx);
        if scene.mask.at(column, row).is_any(UNUSABLE) {
            return;
        }
        let (px, py) = (column as f64, row as f64);
        sum += inside * f64::from(scene.signal_e.at(column, row));
        area += inside * inside;
        share += inside * line.light(px - x, py - y).share;
        for ((other, star), near_share) in near.iter().zip(&drawn).zip(&mut near_shares) {
            *near_share += inside * star.light(px - other.x_px, py - other.y_px).share;
        }
    });
    if is_cut || share < SHARE_MIN {
        return None;
    }
    let (mut near_e, mut near_var) = (0.0, 0.0);
    for (other, near_share) in near.iter().zip(near_shares) {
        let light_e = near_share * other.flux_e;
        near_e += light_e;
        let model_e = NEIGHBOUR_MODEL_ERR * light_e;
        near_var += (near_share * other.flux_err_e).powi(2) + model_e * model_e;
    }
    let own_e = sum - near_e;
    // Photons of the sky are in its noise; those of source and neighbours are as many as electrons.
    let variance = area * sky_rms_e * sky_rms_e + own_e.max(0.0) + near_e + near_var;
    Some(ApertureLight { flux_e: own_e / share, flux_err_e: variance.sqrt() / share, share })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::detect::psf_model::Shape;
    use crate::science::image::Image;
    use crate::science::image::mask::MaskBits;

    const SIDE: usize = 101;

    /// A trail and a star beside it, without noise.
    fn drawn(fwhm_px: f64, near: &NearLight, target: &Target) -> (Image<f32>, PsfModel) {
        let psf = PsfModel::uniform(Shape::round(fwhm_px, 3.0), 3.0, (SIDE, SIDE));
        let mut image = Image::filled(SIDE, SIDE, 0.0_f32);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let (px, py) = (x as f64, y as f64);
                let own = psf.star_at(target.place_px.0, target.place_px.1);
                let mut value = 0.0;
                for k in 0..40 {
                    let t = (2.0 * f64::from(k) + 1.0) / 40.0 - 1.0;
                    let (dx, dy) = (px - target.place_px.0, py - target.place_px.1);
                    let (hx, hy) = target.half_line_px;
                    value += 5000.0 / 40.0 * own.light(dx - t * hx, dy - t * hy).share;
                }
                let other = psf.star_at(near.x_px, near.y_px);
                value += near.flux_e * other.light(px - near.x_px, py - near.y_px).share;
                image.row_mut(y)[x] = value as f32;
            }
        }
        (image, psf)
    }

    #[test]
    fn one_circle_gives_one_light_in_any_seeing() {
        let target = Target { place_px: (50.3, 49.6), place_err_px: 0.0, half_line_px: (2.0, 1.0) };
        let near = NearLight { x_px: 57.0, y_px: 52.0, flux_e: 3000.0, flux_err_e: 30.0 };
        let mut shares = Vec::new();
        for fwhm_px in [2.5, 4.0] {
            let (image, psf) = drawn(fwhm_px, &near, &target);
            let variance = Image::filled(SIDE, SIDE, 100.0_f32);
            let mut mask = Image::filled(SIDE, SIDE, MaskBits::GOOD);
            mask.row_mut(50)[51] = MaskBits::BAD;
            let scene = Scene { signal_e: &image, variance_e2: &variance, mask: &mask };
            let of = |near: &[NearLight], radius_px| {
                aperture_light(scene, (&psf, 10.0), &target, near, radius_px)
            };
            let found = of(&[near], 5.0).expect("inside");
            assert!((found.flux_e / 5000.0 - 1.0).abs() < 0.002, "{fwhm_px}: {found:?}");
            // The circle has 78.5 px: the sky's noise alone is 10 sqrt(78) = 88 over its share.
            assert!(found.flux_err_e > 88.0 / found.share, "{found:?}");
            assert!(found.flux_err_e < 180.0 / found.share, "{found:?}");
            let blind = of(&[], 5.0).expect("inside");
            assert!(blind.flux_e > 1.01 * found.flux_e, "the neighbour counts: {blind:?}");
            assert_eq!(of(&[near], 60.0), None, "beyond the edge");
            shares.push(found.share);
        }
        assert!(shares[1] < shares[0] - 0.05, "{shares:?}");
    }
}

//! How far neighbours draw the centroid of a star.
//!
//! A windowed centroid sees of a neighbour what its window lets through. To first order a star
//! of flux q (in units of the star's own) at a distance d draws by q / (1 + q) d w(d), with a
//! Gaussian w as wide as the seeing's FWHM, which is the window widened by both images. The
//! catalogue, which is deeper than the frame, knows the neighbours. The pull is not corrected
//! for: it is an error of the place.

use super::FrameSize;
use super::matching::StarGrid;
use super::similarity::Point;

/// Reach of a neighbour's pull, in FWHM.
const REACH_FWHM: f64 = 3.5;
/// Flux ratio of stars without magnitude.
const RATIO_UNKNOWN: f64 = 0.1;

/// A catalogue star on a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Its place [px].
    pub place_px: Point,
    /// Its magnitude.
    pub mag: Option<f64>,
}

/// Pull of its neighbours on each star [px].
pub fn pulls_px(stars: &[Neighbour], size: FrameSize, fwhm_px: f64) -> Vec<f64> {
    let places: Vec<Point> = stars.iter().map(|s| s.place_px).collect();
    let grid = StarGrid::new(&places, size);
    let is_usable = fwhm_px.is_finite() && fwhm_px > 0.0;
    let fwhm_px = if is_usable { fwhm_px } else { 0.0 };
    let pull = |i: usize| {
        let (x, y) = stars[i].place_px;
        let (mut east, mut north) = (0.0, 0.0);
        for (k, distance) in grid.within((x, y), REACH_FWHM * fwhm_px).filter(|(k, _)| *k != i) {
            let fainter_by = stars[k].mag.zip(stars[i].mag).map(|(other, own)| other - own);
            let ratio = fainter_by.map_or(RATIO_UNKNOWN, |mag| 10.0_f64.powf(-0.4 * mag));
            let window = (-0.5 * (distance / fwhm_px).powi(2)).exp();
            let share = ratio / (1.0 + ratio) * window;
            east += share * (places[k].0 - x);
            north += share * (places[k].1 - y);
        }
        east.hypot(north)
    };
    (0..stars.len()).map(pull).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: FrameSize = FrameSize { nx: 100, ny: 100 };

    fn star(x: f64, y: f64, mag: f64) -> Neighbour {
        Neighbour { place_px: (x, y), mag: Some(mag) }
    }

    #[test]
    fn an_equal_neighbour_draws_half_way_and_a_far_one_not() {
        // At a distance much below the FWHM the common centroid lies half way.
        let pulls = pulls_px(&[star(50.0, 50.0, 15.0), star(50.2, 50.0, 15.0)], SIZE, 4.0);
        assert!((pulls[0] - 0.1).abs() < 0.001 && (pulls[1] - 0.1).abs() < 0.001);
        let far = pulls_px(&[star(50.0, 50.0, 15.0), star(70.0, 50.0, 15.0)], SIZE, 4.0);
        assert!(far[0].abs() < 1e-12);
    }

    #[test]
    fn faint_neighbours_draw_little_and_opposite_ones_cancel() {
        // 2.5 mag fainter at 5 px, FWHM 4 px: 1/11 * 5 * exp(-25/32) = 0.208 px.
        let pulls = pulls_px(&[star(50.0, 50.0, 15.0), star(55.0, 50.0, 17.5)], SIZE, 4.0);
        assert!((pulls[0] - 5.0 / 11.0 * (-25.0_f64 / 32.0).exp()).abs() < 1e-9);
        let around = [star(50.0, 50.0, 15.0), star(55.0, 50.0, 17.5), star(45.0, 50.0, 17.5)];
        assert!(pulls_px(&around, SIZE, 4.0)[0].abs() < 1e-12);
        assert!(pulls_px(&around, SIZE, f64::NAN)[0].abs() < 1e-12);
    }
}

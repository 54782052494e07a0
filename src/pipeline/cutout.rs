//! Cut-outs around a place of the sky, north up and east left, on the frame's own scale.

use crate::science::image::Image;
use crate::science::sky::wcs::Wcs;
use crate::science::units::ARCSEC_RAD;

/// Samples a frame on a grid around a place, bilinearly; NaN outside the frame.
///
/// * `centre_rad`: (RA, Dec) of the stamp's centre; `side_px`: its side, `scale_arcsec`: a pixel.
/// * The plate solution is taken as linear over the stamp. `None` when the place is not on the
///   frame's side of the sky.
pub fn cutout(
    pixels: &Image<f32>,
    wcs: &Wcs,
    centre_rad: (f64, f64),
    side_px: usize,
    scale_arcsec: f64,
) -> Option<Image<f32>> {
    let (x0, y0) = wcs.to_pixel(centre_rad.0, centre_rad.1)?;
    // Rows of the Jacobian are the plane's east and north; its inverse leads to pixels.
    let [[a, b], [c, d]] = wcs.jacobian_rad_per_px(x0, y0);
    let determinant = a * d - b * c;
    if !determinant.is_normal() {
        return None;
    }
    let step = scale_arcsec * ARCSEC_RAD / determinant;
    let half = (side_px as f64 - 1.0) / 2.0;
    let mut stamp = Image::filled(side_px, side_px, f32::NAN);
    for row in 0..side_px {
        let north = row as f64 - half;
        for column in 0..side_px {
            let east = half - column as f64;
            let x = x0 + (d * east - b * north) * step;
            let y = y0 + (a * north - c * east) * step;
            stamp.row_mut(row)[column] = bilinear(pixels, x, y);
        }
    }
    Some(stamp)
}

fn bilinear(pixels: &Image<f32>, x: f64, y: f64) -> f32 {
    let (nx, ny) = (pixels.nx() as f64, pixels.ny() as f64);
    if !(x >= 0.0 && y >= 0.0 && x <= nx - 1.0 && y <= ny - 1.0) {
        return f32::NAN;
    }
    let (left, low) = (x as usize, y as usize);
    let (right, high) = ((left + 1).min(pixels.nx() - 1), (low + 1).min(pixels.ny() - 1));
    let (u, v) = ((x - left as f64) as f32, (y - low as f64) as f32);
    (1.0 - v) * ((1.0 - u) * pixels.at(left, low) + u * pixels.at(right, low))
        + v * ((1.0 - u) * pixels.at(left, high) + u * pixels.at(right, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirrored_turned_frame_gives_the_same_stamp() {
        // A star 3 px north and 2 px east of the centre lands above and left of it.
        let scale = ARCSEC_RAD;
        for (east_sign, north_sign) in [(-1.0, 1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, -1.0)] {
            let mut pixels = Image::filled(41, 41, 0.0_f32);
            let (x, y) = (20.0 + 2.0 * east_sign, 20.0 + 3.0 * north_sign);
            pixels.row_mut(y as usize)[x as usize] = 1.0;
            let wcs = Wcs {
                crval_rad: (1.0, 0.3),
                crpix_px: (20.0, 20.0),
                cd_rad_per_px: [[east_sign * scale, 0.0], [0.0, north_sign * scale]],
                sip: None,
            };
            let stamp = cutout(&pixels, &wcs, (1.0, 0.3), 11, 1.0).expect("on the frame");
            assert!((stamp.at(5 - 2, 5 + 3) - 1.0).abs() < 1e-6);
        }
    }
}

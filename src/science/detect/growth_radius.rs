//! Radius of half a source's light.

use crate::science::image::Image;

/// Sub-pixels per axis near the centre.
const STEPS: usize = 5;
/// Pixels nearer than this are divided [px].
const NEAR_PX: f64 = 1.5;
/// Rings per pixel of radius.
const RINGS_PER_PX: f64 = 4.0;
/// Largest radius looked at [px].
const RADIUS_MAX_PX: f64 = 64.0;

/// Radius of the circle that holds half of `flux_e`; `None` when the light within `reach_px`
/// never gets there.
pub fn half_light_radius(
    signal_e: &Image<f32>,
    (x_px, y_px): (f64, f64),
    reach_px: f64,
    flux_e: f64,
) -> Option<f64> {
    if flux_e.is_nan() || flux_e <= 0.0 {
        return None;
    }
    let reach = reach_px.min(RADIUS_MAX_PX);
    let mut rings = [0.0_f64; ((RADIUS_MAX_PX + 2.0) * RINGS_PER_PX) as usize + 2];
    let n_rings = (reach * RINGS_PER_PX).ceil() as usize;
    let range = |centre: f64, n: usize| {
        let low = (centre - reach).ceil().max(0.0) as usize;
        low..((centre + reach).floor() + 1.0).clamp(0.0, n as f64) as usize
    };
    // Light that the radius r gains per ring: each pixel's lies evenly over the pixel's width.
    for y in range(y_px, signal_e.ny()) {
        let row = signal_e.row(y);
        let dy = y as f64 - y_px;
        for x in range(x_px, signal_e.nx()) {
            let dx = x as f64 - x_px;
            let r2 = dx * dx + dy * dy;
            if r2 > (reach + 1.0) * (reach + 1.0) {
                continue;
            }
            let value = f64::from(row[x]);
            if r2 < NEAR_PX * NEAR_PX {
                near_rings(&mut rings, (dx, dy), value);
                continue;
            }
            let first = (r2.sqrt() - 0.5) * RINGS_PER_PX;
            let ring = first as usize;
            let rest = first - ring as f64;
            let per_ring = value / RINGS_PER_PX;
            rings[ring] += (1.0 - rest) * per_ring;
            for light in &mut rings[ring + 1..ring + RINGS_PER_PX as usize] {
                *light += per_ring;
            }
            rings[ring + RINGS_PER_PX as usize] += rest * per_ring;
        }
    }
    let mut within = 0.0;
    for (k, light) in rings.iter().take(n_rings).enumerate() {
        if within + light >= 0.5 * flux_e && *light > 0.0 {
            return Some((k as f64 + (0.5 * flux_e - within) / light) / RINGS_PER_PX);
        }
        within += light;
    }
    None
}

/// Spreads the light of a pixel near the centre by sub-pixels: rings are no lines there.
fn near_rings(rings: &mut [f64], (dx, dy): (f64, f64), value: f64) {
    let part = value / (STEPS * STEPS) as f64;
    let step = |k: usize| (k as f64 + 0.5) / STEPS as f64 - 0.5;
    for j in 0..STEPS {
        for i in 0..STEPS {
            let r = (dx + step(i)).hypot(dy + step(j));
            rings[(r * RINGS_PER_PX) as usize] += part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_gaussian_lies_within_its_known_radius() {
        // 1 - exp(-r^2 / (2 sigma^2)) = 1/2 at r = sigma sqrt(2 ln 2).
        let sigma = 3.0_f64;
        let pixels = (0..61 * 61)
            .map(|i| {
                let (x, y) = ((i % 61) as f64 - 30.2, (i / 61) as f64 - 29.7);
                (1e4 * (-(x * x + y * y) / (2.0 * sigma * sigma)).exp()) as f32
            })
            .collect();
        let image = Image::from_pixels(61, 61, pixels).expect("counted");
        let flux = 1e4 * std::f64::consts::TAU * sigma * sigma;
        let radius = half_light_radius(&image, (30.2, 29.7), 20.0, flux).expect("light");
        let expected = sigma * (2.0 * 2.0_f64.ln()).sqrt();
        assert!((radius / expected - 1.0).abs() < 0.01, "{radius} {expected}");
        assert!(half_light_radius(&image, (30.2, 29.7), 2.0, flux).is_none());
    }
}

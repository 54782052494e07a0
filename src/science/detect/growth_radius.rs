//! Radius of half a source's light.

use crate::science::image::Image;

/// Sub-pixels per axis.
const STEPS: usize = 3;
/// Rings per pixel of radius.
const RINGS_PER_PX: f64 = 8.0;
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
    let mut rings = [0.0_f64; (RADIUS_MAX_PX * RINGS_PER_PX) as usize + 1];
    let n_rings = (reach * RINGS_PER_PX).ceil() as usize;
    let range = |centre: f64, n: usize| {
        let low = (centre - reach).ceil().max(0.0) as usize;
        low..((centre + reach).floor() + 1.0).clamp(0.0, n as f64) as usize
    };
    const OFFSETS: [f64; STEPS] = [-1.0 / 3.0, 0.0, 1.0 / 3.0];
    for y in range(y_px, signal_e.ny()) {
        let row = signal_e.row(y);
        for x in range(x_px, signal_e.nx()) {
            let part = f64::from(row[x]) / (STEPS * STEPS) as f64;
            let (dx, dy) = (x as f64 - x_px, y as f64 - y_px);
            if dx * dx + dy * dy > (reach + 1.0) * (reach + 1.0) {
                continue;
            }
            for j in OFFSETS {
                for i in OFFSETS {
                    let r = ((dx + i) * (dx + i) + (dy + j) * (dy + j)).sqrt();
                    let ring = (r * RINGS_PER_PX) as usize;
                    if ring < n_rings.min(rings.len()) {
                        rings[ring] += part;
                    }
                }
            }
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

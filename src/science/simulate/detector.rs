//! The detector: from expected light to the numbers in a raw frame.
//!
//! Order of nature: response, dark current, Poisson noise, cosmic rays, full well with bleeding
//! along the columns, read noise, gain, bias pattern, 16 bits. Each row draws its noise from its
//! own stream, so the pixels do not depend on the number of threads.

use super::random::{Random, Stream};
use super::scenario::{Camera, Scenario};
use crate::science::image::{Image, stats};
use rayon::prelude::*;

/// Response of a bad column where it is bad.
const BAD_COLUMN_RESPONSE: f64 = 0.15;
/// Dark current of hot pixels, evenly spread in its logarithm [e-/s].
const HOT_E_PER_S: (f64, f64) = (1.0, 300.0);
/// Charge a cosmic ray leaves in each pixel it crosses [e-].
const COSMIC_E_PER_PX: (f64, f64) = (300.0, 4_000.0);
/// Mean length of a cosmic ray's track [px], and the longest.
const COSMIC_LENGTH_PX: (f64, f64) = (3.0, 60.0);
/// Wander of the bias level from frame to frame [ADU].
const BIAS_WANDER_ADU: f64 = 0.4;
/// Side of the central square whose median response is 1 [px].
const CENTRE_PX: usize = 64;

/// The flaws of one camera, all in detector pixels.
#[derive(Debug, Clone)]
pub(super) struct Detector {
    camera: Camera,
    seed: u64,
    cosmics_per_px_s: f64,
    response: Image<f32>,
    dark_e_per_s: Image<f32>,
    bias_adu: Vec<f32>,
}

impl Detector {
    /// Makes the camera of a scenario.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let camera = scenario.camera.clone();
        let mut random = Random::new(scenario.seed, Stream::Detector, 0, 0);
        let response = response(&camera, &mut random);
        let dark_e_per_s = dark(&camera, &mut random);
        let scatter = camera.bias_column_scatter_adu;
        let column = |_| (camera.bias_adu + scatter * random.normal()) as f32;
        let bias_adu = (0..camera.nx).map(column).collect();
        let cosmics_per_px_s = scenario.sky.cosmics_per_mpx_ks * 1e-9;
        Self { seed: scenario.seed, camera, cosmics_per_px_s, response, dark_e_per_s, bias_adu }
    }

    /// Reads out one exposure.
    ///
    /// * `light_e`: expected electrons per pixel of response 1 [e-].
    /// * `frame`: number of the frame in the night, names its random streams.
    pub(super) fn expose(&self, light_e: Image<f32>, exposure_s: f64, frame: usize) -> Image<u16> {
        let mut charge = light_e;
        let nx = charge.nx();
        let (response, dark) = (self.response.pixels(), self.dark_e_per_s.pixels());
        charge.pixels_mut().par_chunks_mut(nx).enumerate().for_each(|(y, row)| {
            let mut random = Random::new(self.seed, Stream::Photons, frame, y);
            let flaws = response[y * nx..].iter().zip(&dark[y * nx..]);
            for (pixel, (&response, &dark)) in row.iter_mut().zip(flaws) {
                let light = f64::from(*pixel) * f64::from(response);
                *pixel = random.poisson(light + f64::from(dark) * exposure_s) as f32;
            }
        });
        self.add_cosmic_rays(&mut charge, exposure_s, frame);
        bleed(&mut charge, self.camera.full_well_e as f32);
        self.read_out(&charge, frame)
    }

    fn add_cosmic_rays(&self, charge: &mut Image<f32>, exposure_s: f64, frame: usize) {
        let mut random = Random::new(self.seed, Stream::CosmicRays, frame, 0);
        let (nx, ny) = (charge.nx(), charge.ny());
        let n = random.poisson(self.cosmics_per_px_s * (nx * ny) as f64 * exposure_s);
        for _ in 0..n as usize {
            let (mut x, mut y) = (random.range(0.0, nx as f64), random.range(0.0, ny as f64));
            let (dy, dx) = random.angle_rad().sin_cos();
            let mean_px = COSMIC_LENGTH_PX.0;
            let length_px = (-mean_px * (1.0 - random.uniform()).ln()).min(COSMIC_LENGTH_PX.1);
            let step_e = 0.25 * random.range(COSMIC_E_PER_PX.0, COSMIC_E_PER_PX.1);
            // Four deposits per pixel; the shortest track leaves one pixel's worth.
            for _ in 0..4 + (4.0 * length_px) as usize {
                if x < 0.0 || y < 0.0 || x >= nx as f64 || y >= ny as f64 {
                    break;
                }
                charge.row_mut(y as usize)[x as usize] += step_e as f32;
                (x, y) = (x + 0.25 * dx, y + 0.25 * dy);
            }
        }
    }

    fn read_out(&self, charge: &Image<f32>, frame: usize) -> Image<u16> {
        let (nx, ny) = (charge.nx(), charge.ny());
        let mut wander = Random::new(self.seed, Stream::Readout, frame, ny);
        let wander_adu = BIAS_WANDER_ADU * wander.normal();
        let mut raw = Image::filled(nx, ny, 0_u16);
        raw.pixels_mut().par_chunks_mut(nx).enumerate().for_each(|(y, row)| {
            let mut random = Random::new(self.seed, Stream::Readout, frame, y);
            let columns = charge.row(y).iter().zip(&self.bias_adu);
            for (pixel, (&charge_e, &bias_adu)) in row.iter_mut().zip(columns) {
                let read_e = f64::from(charge_e) + self.camera.read_noise_e * random.normal();
                let adu = read_e / self.camera.gain_e_per_adu + f64::from(bias_adu) + wander_adu;
                *pixel = adu.round().clamp(0.0, f64::from(u16::MAX)) as u16;
            }
        });
        raw
    }
}

/// Response of each pixel: vignetting, dust, scatter, bad columns; 1 in the centre.
fn response(camera: &Camera, random: &mut Random) -> Image<f32> {
    let (nx, ny) = (camera.nx, camera.ny);
    let (x_mid, y_mid) = (0.5 * (nx as f64 - 1.0), 0.5 * (ny as f64 - 1.0));
    let corner_px2 = x_mid * x_mid + y_mid * y_mid;
    let mut response = Image::filled(nx, ny, 0.0_f32);
    for y in 0..ny {
        for (x, pixel) in response.row_mut(y).iter_mut().enumerate() {
            let r2 = ((x as f64 - x_mid).powi(2) + (y as f64 - y_mid).powi(2)) / corner_px2;
            let smooth = 1.0 - camera.vignetting * r2;
            *pixel = (smooth * (1.0 + camera.pixel_response_scatter * random.normal())) as f32;
        }
    }
    for _ in 0..camera.n_dust {
        add_dust(&mut response, random);
    }
    let side = CENTRE_PX.min(nx).min(ny);
    let (x0, y0) = ((nx - side) / 2, (ny - side) / 2);
    let centre = response.window(x0, x0 + side, y0, y0 + side);
    let mut values: Vec<f64> = centre.pixels().iter().map(|&v| f64::from(v)).collect();
    let norm = stats::median_in_place(&mut values).unwrap_or(1.0) as f32;
    response.pixels_mut().iter_mut().for_each(|pixel| *pixel = (*pixel / norm).max(0.0));
    for _ in 0..camera.n_bad_columns {
        let (x, from) = (random.index(nx), random.index(ny));
        for y in from..ny {
            response.row_mut(y)[x] *= BAD_COLUMN_RESPONSE as f32;
        }
    }
    response
}

/// Darkens a ring, the shadow of a grain of dust in front of an obstructed telescope.
fn add_dust(response: &mut Image<f32>, random: &mut Random) {
    let (nx, ny) = (response.nx(), response.ny());
    let (x0, y0) = (random.range(0.0, nx as f64), random.range(0.0, ny as f64));
    let (radius_px, depth) = (random.range(6.0, 18.0), random.range(0.01, 0.04));
    let rows = ((y0 - radius_px).max(0.0) as usize)..((y0 + radius_px) as usize + 1).min(ny);
    for y in rows {
        for (x, pixel) in response.row_mut(y).iter_mut().enumerate() {
            let r = (x as f64 - x0).hypot(y as f64 - y0) / radius_px;
            if (0.35..1.0).contains(&r) {
                *pixel *= (1.0 - depth) as f32;
            }
        }
    }
}

/// Dark current of each pixel, with hot pixels [e-/s].
fn dark(camera: &Camera, random: &mut Random) -> Image<f32> {
    let (nx, ny) = (camera.nx, camera.ny);
    let mut dark = Image::filled(nx, ny, camera.dark_e_per_s as f32);
    let n_hot = random.poisson(camera.hot_per_mpx * 1e-6 * (nx * ny) as f64);
    for _ in 0..n_hot as usize {
        let (x, y) = (random.index(nx), random.index(ny));
        let (low, high) = HOT_E_PER_S;
        dark.row_mut(y)[x] += (low * (high / low).powf(random.uniform())) as f32;
    }
    dark
}

/// Lets charge above the full well flow along its column, half of it each way; what reaches an
/// end of the column is lost.
fn bleed(charge: &mut Image<f32>, full_well_e: f32) {
    let (nx, ny) = (charge.nx(), charge.ny());
    let mut is_over = vec![false; nx];
    for y in 0..ny {
        for (flag, &value) in is_over.iter_mut().zip(charge.row(y)) {
            *flag |= value > full_well_e;
        }
    }
    let mut half_excess = vec![0.0_f32; ny];
    for x in (0..nx).filter(|&x| is_over[x]) {
        for (y, half) in half_excess.iter_mut().enumerate() {
            let value = charge.row(y)[x];
            *half = 0.5 * (value - full_well_e).max(0.0);
            charge.row_mut(y)[x] = value.min(full_well_e);
        }
        let mut flow = |y: usize, carried: &mut f32| {
            let value = charge.row(y)[x] + *carried + half_excess[y];
            charge.row_mut(y)[x] = value.min(full_well_e);
            *carried = (value - full_well_e).max(0.0);
        };
        let (mut up, mut down) = (0.0, 0.0);
        (0..ny).for_each(|y| flow(y, &mut up));
        (0..ny).rev().for_each(|y| flow(y, &mut down));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flawless() -> Scenario {
        let mut scenario = Scenario::demo(3);
        let camera = &mut scenario.camera;
        (camera.hot_per_mpx, camera.n_bad_columns, camera.n_dust) = (0.0, 0, 0);
        (camera.vignetting, camera.pixel_response_scatter) = (0.0, 0.0);
        (camera.bias_column_scatter_adu, camera.dark_e_per_s) = (0.0, 0.0);
        scenario.sky.cosmics_per_mpx_ks = 0.0;
        scenario
    }

    #[test]
    fn noise_of_an_even_field_is_photon_and_read_noise() {
        let scenario = flawless();
        let camera = &scenario.camera;
        for light_e in [0.0_f32, 9.0, 1150.0] {
            let light = Image::filled(camera.nx, camera.ny, light_e);
            let raw = Detector::new(&scenario).expose(light, 60.0, 4);
            let values = raw.pixels().iter().map(|&v| f64::from(v));
            let n = values.clone().count() as f64;
            let mean = values.clone().sum::<f64>() / n;
            let variance = values.map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            // (light + read noise^2) / gain^2, and 1/12 of rounding; its relative error is
            // sqrt(2/n) = 0.3 %.
            let expected = (f64::from(light_e) + camera.read_noise_e.powi(2))
                / camera.gain_e_per_adu.powi(2)
                + 1.0 / 12.0;
            assert!((variance / expected - 1.0).abs() < 0.015, "{light_e}: {variance} {expected}");
            let level = camera.bias_adu + f64::from(light_e) / camera.gain_e_per_adu;
            assert!((mean - level).abs() < 4.0 * BIAS_WANDER_ADU, "{light_e}: {mean}");
        }
    }

    #[test]
    fn bleeding_keeps_the_charge_and_stays_in_its_column() {
        let mut charge = Image::filled(5, 101, 10.0_f32);
        charge.row_mut(50)[2] = 1_000.0 + 10.0 * 990.0;
        bleed(&mut charge, 1_000.0);
        let sum: f64 = (0..101).map(|y| f64::from(charge.at(2, y))).sum();
        assert!((sum - (100.0 * 10.0 + 10_900.0)).abs() < 0.1, "{sum}");
        // Nine or ten neighbours take 990 each: about five up and five down.
        let full: Vec<usize> = (0..101).filter(|&y| charge.at(2, y) > 999.0).collect();
        assert_eq!((full[0], full[full.len() - 1]), (45, 55));
        assert!((charge.at(1, 50) - 10.0).abs() < 1e-6);
    }

    #[test]
    fn response_is_one_in_the_centre_and_falls_by_the_vignetting() {
        let mut scenario = flawless();
        scenario.camera.vignetting = 0.2;
        let response = Detector::new(&scenario).response;
        assert!((response.at(255, 255) - 1.0).abs() < 0.005);
        assert!((response.at(0, 0) - 0.8).abs() < 0.005);
    }
}

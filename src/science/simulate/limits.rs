//! What can be simulated: the allowed range of every number of a scenario.

use super::scenario::Scenario;

/// Name, value, smallest and largest allowed value.
type Range = (&'static str, f64, f64, f64);

/// A scenario that cannot be simulated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A number lies outside the range the simulator is made for.
    #[error("{what} is {value}, must be {min} to {max}")]
    OutOfRange {
        /// Name of the field of the scenario.
        what: &'static str,
        /// Its value.
        value: f64,
        /// Smallest allowed value.
        min: f64,
        /// Largest allowed value.
        max: f64,
    },
    /// A name does not fit into a file name and a FITS header.
    #[error("a name of the scenario must have 1 to 32 letters, digits, '-' or '_'")]
    BadName,
}

impl Scenario {
    /// Tells whether the scenario can be simulated, and if not, which value is wrong.
    pub fn check(&self) -> Result<(), ScenarioError> {
        for name in [&self.name, &self.field, &self.camera.filter] {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || name.len() > 32 || !name.chars().all(is_plain) {
                return Err(ScenarioError::BadName);
            }
        }
        self.ranges().into_iter().chain(self.camera_ranges()).try_for_each(
            |(what, value, min, max)| {
                if (min..=max).contains(&value) {
                    return Ok(());
                }
                Err(ScenarioError::OutOfRange { what, value, min, max })
            },
        )
    }

    fn ranges(&self) -> Vec<Range> {
        let (sky, seeing, pointing) = (&self.sky, &self.seeing, &self.pointing);
        let (stars, movers) = (&self.stars, &self.movers);
        // The first wrong cloud, if there is one.
        let is_wrong = |cloud: &f64| !(0.0..=30.0).contains(cloud);
        let cloud = sky.clouds_mag.iter().copied().find(is_wrong).unwrap_or(0.0);
        let n_movers = movers.n_main_belt + movers.n_trojan + movers.n_near_earth;
        vec![
            ("ra_deg", self.ra_deg, 0.0, 360.0),
            ("dec_deg", self.dec_deg, -85.0, 85.0),
            ("start [MJD]", self.start.mjd_utc(), 15_000.0, 100_000.0),
            ("n_science", self.n_science as f64, 0.0, 2_000.0),
            ("exposure_s", self.exposure_s, 0.01, 3_600.0),
            ("step_s", self.step_s, self.exposure_s, 86_400.0),
            ("n_bias", self.n_bias as f64, 0.0, 200.0),
            ("n_dark", self.n_dark as f64, 0.0, 200.0),
            ("dark_exposure_s", self.dark_exposure_s, 0.0, 3_600.0),
            ("n_flat", self.n_flat as f64, 0.0, 200.0),
            ("sky.brightness", sky.brightness_mag_per_arcsec2, 10.0, 40.0),
            ("sky.gradient", sky.gradient, 0.0, 0.5),
            ("sky.extinction_mag", sky.extinction_mag, 0.0, 5.0),
            ("sky.extinction_scatter_mag", sky.extinction_scatter_mag, 0.0, 1.0),
            ("sky.clouds_mag", cloud, 0.0, 30.0),
            ("sky.turbulence_mas", sky.turbulence_mas, 0.0, 2_000.0),
            ("sky.cosmics_per_mpx_ks", sky.cosmics_per_mpx_ks, 0.0, 1e5),
            ("seeing.fwhm_px", seeing.fwhm_px, 1.6, 30.0),
            ("seeing.fwhm_scatter", seeing.fwhm_scatter, 0.0, 0.3),
            ("seeing.fwhm_field", seeing.fwhm_field, 0.0, 1.0),
            ("seeing.beta", seeing.beta, 2.0, 10.0),
            ("seeing.ellipticity", seeing.ellipticity, 0.0, 0.3),
            ("seeing.ellipticity_field", seeing.ellipticity_field, 0.0, 0.3),
            ("pointing.header_error_arcmin", pointing.header_error_arcmin, 0.0, 10_000.0),
            ("pointing.dither_arcsec", pointing.dither_arcsec, 0.0, 3_600.0),
            ("pointing.drift_arcsec_per_h", pointing.drift_arcsec_per_h, 0.0, 3_600.0),
            ("stars.slope_dex_per_mag", stars.slope_dex_per_mag, 0.05, 0.6),
            ("stars.g_min_mag", stars.g_min_mag, 3.0, 20.0),
            ("stars.g_max_mag", stars.g_max_mag, stars.g_min_mag + 0.1, 26.0),
            ("stars.catalogue_g_max_mag", stars.catalogue_g_max_mag, 0.0, 26.0),
            ("stars.margin_arcmin", stars.margin_arcmin, 0.0, 120.0),
            ("stars.density_per_deg2 (their number)", self.n_stars_mean(), 0.0, 1e6),
            ("galaxies (their number)", stars.galaxies_per_deg2 * self.area_deg2(), 0.0, 1e6),
            ("movers (their number)", n_movers as f64, 0.0, 10_000.0),
            ("movers.g_min_mag", movers.g_min_mag, 5.0, 26.0),
            ("movers.g_max_mag", movers.g_max_mag, movers.g_min_mag, 28.0),
            ("movers.known_fraction", movers.known_fraction, 0.0, 1.0),
            ("movers.amplitude_max_mag", movers.amplitude_max_mag, 0.0, 3.0),
        ]
    }

    fn camera_ranges(&self) -> Vec<Range> {
        let camera = &self.camera;
        let corner_px2 = 0.25 * ((camera.nx as f64).powi(2) + (camera.ny as f64).powi(2));
        let distortion = camera.distortion_per_px2 * corner_px2;
        vec![
            ("camera.nx", camera.nx as f64, 64.0, 8_192.0),
            ("camera.ny", camera.ny as f64, 64.0, 8_192.0),
            ("camera.scale_arcsec_per_px", camera.scale_arcsec_per_px, 0.05, 20.0),
            ("camera.rotation_deg", camera.rotation_deg, -360.0, 360.0),
            ("camera.distortion_per_px2 (in the corner)", distortion, -0.05, 0.05),
            ("camera.gain_e_per_adu", camera.gain_e_per_adu, 0.01, 100.0),
            ("camera.read_noise_e", camera.read_noise_e, 0.0, 1_000.0),
            ("camera.full_well_e", camera.full_well_e, 100.0, 1e7),
            ("camera.bias_adu", camera.bias_adu, 0.0, 30_000.0),
            ("camera.bias_column_scatter_adu", camera.bias_column_scatter_adu, 0.0, 1_000.0),
            ("camera.dark_e_per_s", camera.dark_e_per_s, 0.0, 1_000.0),
            ("camera.hot_per_mpx", camera.hot_per_mpx, 0.0, 1e5),
            ("camera.n_bad_columns", camera.n_bad_columns as f64, 0.0, 1_000.0),
            ("camera.vignetting", camera.vignetting, 0.0, 0.9),
            ("camera.n_dust", camera.n_dust as f64, 0.0, 1_000.0),
            ("camera.pixel_response_scatter", camera.pixel_response_scatter, 0.0, 0.1),
            ("camera.flat_gradient", camera.flat_gradient, -0.2, 0.2),
            ("camera.zero_point_e_mag", camera.zero_point_e_mag, 10.0, 35.0),
            ("camera.colour_term", camera.colour_term, -1.0, 1.0),
            ("camera.temperature_c", camera.temperature_c, -200.0, 50.0),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_can_be_simulated() {
        assert_eq!(Scenario::demo(5).check(), Ok(()));
    }

    #[test]
    fn wrong_values_are_named() {
        let mut scenario = Scenario::demo(5);
        scenario.seeing.fwhm_px = f64::NAN;
        let error = scenario.check().expect_err("no such seeing");
        assert!(error.to_string().contains("seeing.fwhm_px"), "{error}");
        scenario = Scenario::demo(5);
        scenario.sky.clouds_mag = vec![0.0, f64::NAN];
        assert!(scenario.check().is_err());
        scenario = Scenario { field: "a b".to_owned(), ..Scenario::default() };
        assert_eq!(scenario.check(), Err(ScenarioError::BadName));
    }
}

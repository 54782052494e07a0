//! What a simulated night is like: camera, sky, seeing, pointing, stars, movers, in numbers.

use crate::science::time::Epoch;

/// A simulated night; `Default` is the night of `autossosctl demo`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Start of all random numbers: same seed, same pixels.
    pub seed: u64,
    /// First part of the science frames' names.
    pub name: String,
    /// Name of the field (OBJECT).
    pub field: String,
    /// Right ascension of the field's centre, ICRS [deg].
    pub ra_deg: f64,
    /// Declination of the field's centre, ICRS [deg].
    pub dec_deg: f64,
    /// Nominal start of the first science frame.
    pub start: Epoch,
    /// Number of science frames.
    pub n_science: usize,
    /// Exposure of a science frame [s].
    pub exposure_s: f64,
    /// From one science frame's start to the next's [s].
    pub step_s: f64,
    /// Number of bias frames.
    pub n_bias: usize,
    /// Number of dark frames.
    pub n_dark: usize,
    /// Exposure of a dark frame [s].
    pub dark_exposure_s: f64,
    /// Number of twilight flats.
    pub n_flat: usize,
    /// What the meridian flip does to the frames.
    pub flip: Flip,
    /// The camera.
    pub camera: Camera,
    /// The air and the background.
    pub sky: SkyModel,
    /// The point spread function.
    pub seeing: Seeing,
    /// Where the telescope points and where it says so.
    pub pointing: PointingModel,
    /// Stars and galaxies.
    pub stars: StarModel,
    /// Moving objects.
    pub movers: MoverModel,
}

/// What the meridian flip does; science frames are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flip {
    /// No flip during the night.
    Never,
    /// From this science frame on the sky is turned by 180 degrees on the detector.
    SkyTurned {
        /// The first science frame after the flip.
        from_science_frame: usize,
    },
    /// As `SkyTurned`, and the camera's software turns the frame back: the sky keeps its
    /// orientation, the detector's flaws are turned (FLIPSTAT = 'Flip/Mirror').
    ImageTurned {
        /// The first science frame after the flip.
        from_science_frame: usize,
    },
}

/// The camera at its telescope.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Number of columns [px].
    pub nx: usize,
    /// Number of rows [px].
    pub ny: usize,
    /// Scale in the optical axis [arcsec/px].
    pub scale_arcsec_per_px: f64,
    /// Position angle of the detector's rows' direction: sky turned by this on the frame [deg].
    pub rotation_deg: f64,
    /// Radial distortion: r becomes r (1 + k r^2) [1/px^2].
    pub distortion_per_px2: f64,
    /// Gain [e-/ADU].
    pub gain_e_per_adu: f64,
    /// Read noise [e-].
    pub read_noise_e: f64,
    /// Full well [e-]; what is above flows along the column.
    pub full_well_e: f64,
    /// Mean bias level [ADU].
    pub bias_adu: f64,
    /// Scatter of the bias from column to column [ADU].
    pub bias_column_scatter_adu: f64,
    /// Dark current of a normal pixel [e-/s].
    pub dark_e_per_s: f64,
    /// Hot pixels per million.
    pub hot_per_mpx: f64,
    /// Columns that respond badly from some row upwards.
    pub n_bad_columns: usize,
    /// Loss of light in the corners (0..1).
    pub vignetting: f64,
    /// Number of dust shadows.
    pub n_dust: usize,
    /// Scatter of the response from pixel to pixel.
    pub pixel_response_scatter: f64,
    /// Gradient over the frame of the twilight sky in the flats.
    pub flat_gradient: f64,
    /// Filter name (FILTER).
    pub filter: String,
    /// Gaia G of a source of BP-RP = 0.82 giving 1 e-/s above the air [mag].
    pub zero_point_e_mag: f64,
    /// Filter magnitude minus G per magnitude of BP-RP.
    pub colour_term: f64,
    /// Set temperature [C].
    pub temperature_c: f64,
}

/// The air and the background.
#[derive(Debug, Clone, PartialEq)]
pub struct SkyModel {
    /// Surface brightness of the night sky [mag/arcsec^2].
    pub brightness_mag_per_arcsec2: f64,
    /// Relative gradient of the background over the frame.
    pub gradient: f64,
    /// Extinction [mag/airmass].
    pub extinction_mag: f64,
    /// Scatter of the extinction from frame to frame [mag].
    pub extinction_scatter_mag: f64,
    /// Cloud in front of each science frame [mag]; frames beyond the list are clear.
    pub clouds_mag: Vec<f64>,
    /// Scatter of star places per axis, coherent over some arcminutes [mas].
    pub turbulence_mas: f64,
    /// Cosmic rays per million pixels and 1000 s.
    pub cosmics_per_mpx_ks: f64,
}

/// The point spread function: an elliptical Moffat function.
#[derive(Debug, Clone, PartialEq)]
pub struct Seeing {
    /// Full width at half maximum in the centre [px], at least 1.6.
    pub fwhm_px: f64,
    /// Relative scatter of the width from frame to frame.
    pub fwhm_scatter: f64,
    /// Relative growth of the width from the centre to the corner.
    pub fwhm_field: f64,
    /// Moffat exponent beta.
    pub beta: f64,
    /// Typical ellipticity, 1 - b/a.
    pub ellipticity: f64,
    /// Radial ellipticity added in the corner.
    pub ellipticity_field: f64,
}

/// Where the telescope points and where it says so.
#[derive(Debug, Clone, PartialEq)]
pub struct PointingModel {
    /// Distance of the header's place from the field's centre [arcmin].
    pub header_error_arcmin: f64,
    /// Scatter per axis of the pointing from frame to frame [arcsec].
    pub dither_arcsec: f64,
    /// Drift of the pointing [arcsec/h].
    pub drift_arcsec_per_h: f64,
}

/// Stars and galaxies.
#[derive(Debug, Clone, PartialEq)]
pub struct StarModel {
    /// Stars brighter than G = 20 [1/deg^2].
    pub density_per_deg2: f64,
    /// Growth of the counts [dex/mag].
    pub slope_dex_per_mag: f64,
    /// Brightest star [mag].
    pub g_min_mag: f64,
    /// Faintest star [mag].
    pub g_max_mag: f64,
    /// Faintest star of the reference catalogue [mag].
    pub catalogue_g_max_mag: f64,
    /// The sky is filled to this far beyond the frame's corners [arcmin].
    pub margin_arcmin: f64,
    /// Galaxies of G 18.5 to 22 [1/deg^2].
    pub galaxies_per_deg2: f64,
}

/// Moving objects.
#[derive(Debug, Clone, PartialEq)]
pub struct MoverModel {
    /// Main-belt asteroids: 25 to 55 arcsec/h.
    pub n_main_belt: usize,
    /// Trojans: 10 to 18 arcsec/h.
    pub n_trojan: usize,
    /// Near-Earth objects: 100 to 250 arcsec/h.
    pub n_near_earth: usize,
    /// Brightest mover [mag].
    pub g_min_mag: f64,
    /// Faintest mover [mag].
    pub g_max_mag: f64,
    /// Share of the movers in the list of known objects (0..1).
    pub known_fraction: f64,
    /// Largest amplitude of a light curve, peak to peak [mag].
    pub amplitude_max_mag: f64,
}

impl Scenario {
    /// The demo night with another seed.
    pub fn demo(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The sky area filled with stars [deg^2].
    pub(super) fn area_deg2(&self) -> f64 {
        let half_deg = self.half_width_rad().to_degrees();
        4.0 * half_deg * half_deg
    }

    /// Half the side of the square of sky filled with stars [rad].
    pub(super) fn half_width_rad(&self) -> f64 {
        let diagonal_px = (self.camera.nx as f64).hypot(self.camera.ny as f64);
        let half_arcsec = 0.5 * diagonal_px * self.camera.scale_arcsec_per_px;
        (half_arcsec + 60.0 * self.stars.margin_arcmin) * crate::science::units::ARCSEC_RAD
    }

    /// Stars of all magnitudes in the filled area, on average.
    pub(super) fn n_stars_mean(&self) -> f64 {
        let stars = &self.stars;
        let slope = stars.slope_dex_per_mag;
        let counted = 10_f64.powf(slope * (stars.g_max_mag - 20.0));
        let left_out = 10_f64.powf(slope * (stars.g_min_mag - 20.0));
        stars.density_per_deg2 * self.area_deg2() * (counted - left_out)
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            name: "demo".to_owned(),
            field: "D1".to_owned(),
            ra_deg: 150.3,
            dec_deg: 12.6,
            start: Epoch::from_date(2025, 2, 14, 22.5 * 3600.0),
            n_science: 7,
            exposure_s: 60.0,
            step_s: 540.0,
            n_bias: 5,
            n_dark: 0,
            dark_exposure_s: 60.0,
            n_flat: 5,
            flip: Flip::Never,
            camera: Camera::default(),
            sky: SkyModel::default(),
            seeing: Seeing::default(),
            pointing: PointingModel::default(),
            stars: StarModel::default(),
            movers: MoverModel::default(),
        }
    }
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            nx: 512,
            ny: 512,
            scale_arcsec_per_px: 1.2,
            rotation_deg: 1.1,
            distortion_per_px2: 4e-9,
            gain_e_per_adu: 1.5,
            read_noise_e: 8.0,
            full_well_e: 98_000.0,
            bias_adu: 1_000.0,
            bias_column_scatter_adu: 1.2,
            dark_e_per_s: 0.05,
            hot_per_mpx: 250.0,
            n_bad_columns: 3,
            vignetting: 0.16,
            n_dust: 10,
            pixel_response_scatter: 0.008,
            flat_gradient: 0.006,
            filter: "R".to_owned(),
            zero_point_e_mag: 23.5,
            colour_term: -0.06,
            temperature_c: -20.0,
        }
    }
}

impl Default for SkyModel {
    fn default() -> Self {
        Self {
            brightness_mag_per_arcsec2: 20.8,
            gradient: 0.06,
            extinction_mag: 0.18,
            extinction_scatter_mag: 0.01,
            clouds_mag: Vec::new(),
            turbulence_mas: 20.0,
            cosmics_per_mpx_ks: 180.0,
        }
    }
}

impl Default for Seeing {
    fn default() -> Self {
        Self {
            fwhm_px: 2.8,
            fwhm_scatter: 0.06,
            fwhm_field: 0.08,
            beta: 3.2,
            ellipticity: 0.04,
            ellipticity_field: 0.03,
        }
    }
}

impl Default for PointingModel {
    fn default() -> Self {
        Self { header_error_arcmin: 1.5, dither_arcsec: 12.0, drift_arcsec_per_h: 6.0 }
    }
}

impl Default for StarModel {
    fn default() -> Self {
        Self {
            density_per_deg2: 6_500.0,
            slope_dex_per_mag: 0.26,
            g_min_mag: 8.0,
            g_max_mag: 22.0,
            catalogue_g_max_mag: 21.0,
            margin_arcmin: 6.0,
            galaxies_per_deg2: 5_000.0,
        }
    }
}

impl Default for MoverModel {
    fn default() -> Self {
        Self {
            n_main_belt: 6,
            n_trojan: 1,
            n_near_earth: 2,
            g_min_mag: 16.8,
            g_max_mag: 20.0,
            known_fraction: 0.56,
            amplitude_max_mag: 0.3,
        }
    }
}

//! A source of a catalogue in SExtractor's quantities: counts, instrumental magnitudes, ellipses.

use super::frame::Frame;
use crate::pipeline::artifact::photometric_point::PhotometricPoint;
use crate::science::detect::sources::{SourceFlags, Sources};
use crate::science::sky::wcs::Wcs;
use crate::science::units::DEG_RAD;

/// Flux for which magnitudes have an error of one: 2.5 / ln 10 [mag].
const POGSON_MAG: f64 = 1.085_736_204_758_129_6;

/// How sources become SExtractor's quantities.
pub(super) struct SourceScale {
    /// Electrons of a count [e-/ADU].
    pub(super) gain_e_per_adu: f64,
    /// Exposure time [s].
    pub(super) exposure_s: Option<f64>,
    /// The frame's plate solution.
    pub(super) wcs: Option<Wcs>,
}

/// Second moments along two axes: xx, yy, xy.
pub(super) type Moments = [f64; 3];

/// What a frame's catalogue says of a detection; nothing where it cannot be read any more.
#[derive(Default)]
pub(super) struct Source {
    /// Instrumental: of 1 ADU/s is 0 [mag].
    pub(super) mag: Option<f64>,
    pub(super) mag_err: Option<f64>,
    /// Light in the Kron ellipse [ADU].
    pub(super) flux: Option<f64>,
    pub(super) flux_err: Option<f64>,
    /// Windowed axes and angle, each with the error of the place along it: a, error along a, b,
    /// error along b [px], angle of a, angle of the error's ellipse [deg].
    pub(super) ellipse: Option<[f64; 6]>,
    /// Errors of the place along right ascension and declination [deg].
    pub(super) sky_err_deg: Option<(f64, f64)>,
    pub(super) flags: Option<SourceFlags>,
}

impl Source {
    /// Light that was measured where the frame detected nothing.
    pub(super) fn measured(point: &PhotometricPoint, frame: Option<&Frame<'_>>) -> Self {
        let record = frame.map(|frame| frame.record);
        let scale = record.and_then(|record| record.photometry.as_deref());
        let gain = scale.map_or(1.0, |scale| scale.gain_e_per_adu);
        let exposure_s = record.and_then(|record| record.exposure_s).filter(|time| *time > 0.0);
        Self::default().with_light((point.flux_e, point.flux_err_e), gain, exposure_s)
    }

    /// A row of a catalogue.
    pub(super) fn of(sources: &Sources, row: usize, scale: &SourceScale) -> Self {
        let place = place_moments(sources, row);
        let (err_a, err_b, err_theta_deg) = ellipse_of(place);
        let sky = scale.wcs.as_ref().map(|wcs| on_sky(place, wcs));
        let light = (sources.flux_kron_e[row], sources.flux_kron_err_e[row]);
        Self {
            ellipse: Some([
                sources.a_win_px[row],
                err_a,
                sources.b_win_px[row],
                err_b,
                sources.theta_win_rad[row] / DEG_RAD,
                err_theta_deg,
            ]),
            sky_err_deg: sky.map(|[xx, yy, _]| (xx.max(0.0).sqrt(), yy.max(0.0).sqrt())),
            flags: Some(sources.flags[row]),
            ..Self::default()
        }
        .with_light(light, scale.gain_e_per_adu, scale.exposure_s)
    }

    /// Adds light [e-] and its error as counts and magnitudes.
    fn with_light(
        mut self,
        (flux_e, err_e): (f64, f64),
        gain: f64,
        exposure_s: Option<f64>,
    ) -> Self {
        let (flux, err) = (flux_e / gain, err_e / gain);
        let positive = Some(flux).filter(|flux| *flux > 0.0);
        self.mag = positive.zip(exposure_s).map(|(flux, time)| -2.5 * (flux / time).log10());
        self.mag_err = positive.map(|flux| POGSON_MAG * err / flux);
        (self.flux, self.flux_err) = (Some(flux), Some(err));
        self
    }
}

/// Variances and covariance of a source's place [px^2].
pub(super) fn place_moments(sources: &Sources, row: usize) -> Moments {
    [sources.var_xx_px2[row], sources.var_yy_px2[row], sources.var_xy_px2[row]]
}

/// Axes of moments, the larger first, and the angle of the larger from the first axis towards the
/// second [deg].
pub(super) fn ellipse_of([xx, yy, xy]: Moments) -> (f64, f64, f64) {
    let (half_sum, half_difference) = (0.5 * (xx + yy), 0.5 * (xx - yy));
    let root = half_difference.hypot(xy);
    let axis = |variance: f64| variance.max(0.0).sqrt();
    let theta_deg = 0.5 * xy.atan2(half_difference) / DEG_RAD;
    (axis(half_sum + root), axis(half_sum - root), theta_deg)
}

/// The moments of axes and an angle [rad].
pub(super) fn moments_of((a, b): (f64, f64), theta_rad: f64) -> Moments {
    let (sin, cos) = theta_rad.sin_cos();
    let (aa, bb) = (a * a, b * b);
    [aa * cos * cos + bb * sin * sin, aa * sin * sin + bb * cos * cos, (aa - bb) * sin * cos]
}

/// Moments on the frame [px^2] as those along right ascension and declination [deg^2].
pub(super) fn on_sky([xx, yy, xy]: Moments, wcs: &Wcs) -> Moments {
    let [[a, b], [c, d]] = wcs.cd_rad_per_px.map(|row| row.map(|v| v / DEG_RAD));
    [
        a * a * xx + 2.0 * a * b * xy + b * b * yy,
        c * c * xx + 2.0 * c * d * xy + d * d * yy,
        a * c * xx + (a * d + b * c) * xy + b * d * yy,
    ]
}

/// Our remarks as SExtractor's flags.
pub(super) fn extraction_flags(flags: SourceFlags) -> u16 {
    let pairs = [
        (SourceFlags::BLENDED, 2),
        (SourceFlags::SATURATED, 4),
        (SourceFlags::EDGE, 8),
        (SourceFlags::INCOMPLETE.with(SourceFlags::MASKED), 16),
    ];
    pairs.iter().filter(|(remark, _)| flags.is_any(*remark)).map(|(_, bit)| bit).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_those_of_sextractor() {
        let all = SourceFlags::BLENDED.with(SourceFlags::SATURATED).with(SourceFlags::MASKED);
        assert_eq!(extraction_flags(all), 2 + 4 + 16);
        assert_eq!(extraction_flags(SourceFlags::SHARP), 0);
    }

    #[test]
    fn moments_and_ellipses_are_each_others_inverse() {
        let moments = moments_of((3.0, 2.0), 0.5);
        let (a, b, theta_deg) = ellipse_of(moments);
        assert!((a - 3.0).abs() < 1e-12 && (b - 2.0).abs() < 1e-12);
        assert!((theta_deg * DEG_RAD - 0.5).abs() < 1e-12);
        // A frame of 1 deg/px with east to the left: x mirrored, so the covariance changes sign.
        let step = DEG_RAD;
        let wcs = Wcs {
            crval_rad: (0.0, 0.0),
            crpix_px: (0.0, 0.0),
            cd_rad_per_px: [[-step, 0.0], [0.0, step]],
            sip: None,
        };
        let sky = on_sky(moments, &wcs);
        assert!((sky[0] - moments[0]).abs() < 1e-12 && (sky[2] + moments[2]).abs() < 1e-12);
        // A quarter turn swaps the axes.
        let turned = Wcs { cd_rad_per_px: [[0.0, step], [step, 0.0]], ..wcs };
        let sky = on_sky(moments, &turned);
        assert!((sky[0] - moments[1]).abs() < 1e-12 && (sky[1] - moments[0]).abs() < 1e-12);
    }
}

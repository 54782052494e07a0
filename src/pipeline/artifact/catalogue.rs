//! Sources of a solved frame with places on the sky and magnitudes.

use crate::formats::fits::{Column, ColumnData};
use crate::science::detect::sources::{SourceFlags, Sources};
use crate::science::units::DEG_RAD;

/// Sources of a solved frame: columns of equal length, brightest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue {
    /// As measured on the frame.
    pub sources: Sources,
    /// Right ascension, ICRS [rad].
    pub ra_rad: Vec<f64>,
    /// Declination, ICRS [rad].
    pub dec_rad: Vec<f64>,
    /// Gaia G of the aperture flux for a source of solar colour; NaN without positive flux [mag].
    pub mag: Vec<f64>,
    /// Its error, zero point included; NaN without positive flux [mag].
    pub mag_err: Vec<f64>,
    /// Gaia G from the matched filter's signal-to-noise ratio: better for faint sources [mag].
    pub filter_mag: Vec<f64>,
}

const DEG: &str = "deg";

fn in_degrees(angles_rad: &[f64]) -> Vec<f64> {
    angles_rad.iter().map(|a| a / DEG_RAD).collect()
}

impl Catalogue {
    /// The table as columns with SExtractor-like names; pixels are 1-based and angles
    /// degrees there.
    pub fn to_columns(&self) -> Vec<Column> {
        let s = &self.sources;
        let real = |name: &str, unit: &str, data: Vec<f64>| Column {
            name: name.to_owned(),
            unit: unit.to_owned(),
            data: ColumnData::F64(data),
        };
        let one_based = |values: &[f64]| values.iter().map(|v| v + 1.0).collect();
        vec![
            real("XWIN_IMAGE", "pixel", one_based(&s.x_px)),
            real("YWIN_IMAGE", "pixel", one_based(&s.y_px)),
            real("ERRWIN_IMAGE", "pixel", s.position_err_px.clone()),
            real("RA", DEG, in_degrees(&self.ra_rad)),
            real("DEC", DEG, in_degrees(&self.dec_rad)),
            real("MAG_G", "mag", self.mag.clone()),
            real("MAGERR_G", "mag", self.mag_err.clone()),
            real("MAG_FILTER", "mag", self.filter_mag.clone()),
            real("FLUX_APER", "electron", s.flux_e.clone()),
            real("FLUXERR_APER", "electron", s.flux_err_e.clone()),
            real("FLUX_AUTO", "electron", s.flux_kron_e.clone()),
            real("FLUXERR_AUTO", "electron", s.flux_kron_err_e.clone()),
            real("SNR_FILTER", "", s.snr.clone()),
            real("A_IMAGE", "pixel", s.a_px.clone()),
            real("B_IMAGE", "pixel", s.b_px.clone()),
            real("THETA_IMAGE", DEG, in_degrees(&s.theta_rad)),
            real("FLUX_MAX", "electron", s.peak_e.clone()),
            Column {
                name: "FLAGS".to_owned(),
                unit: String::new(),
                data: ColumnData::I32(s.flags.iter().map(|f| i32::from(f.bits())).collect()),
            },
        ]
    }

    /// The catalogue of such columns; `None` when one is missing or of another length.
    pub fn from_columns(columns: &[Column]) -> Option<Self> {
        let real = |name: &str| {
            columns.iter().find(|c| c.name == name).and_then(|c| match &c.data {
                ColumnData::F64(values) => Some(values.clone()),
                _ => None,
            })
        };
        let zero_based = |name: &str| -> Option<Vec<f64>> {
            Some(real(name)?.iter().map(|v| v - 1.0).collect())
        };
        let radians = |name: &str| -> Option<Vec<f64>> {
            Some(real(name)?.iter().map(|v| v * DEG_RAD).collect())
        };
        let flags = columns.iter().find(|c| c.name == "FLAGS").and_then(|c| match &c.data {
            ColumnData::I32(values) => Some(
                values
                    .iter()
                    .map(|v| SourceFlags::from_bits(u16::try_from(*v).unwrap_or(u16::MAX)))
                    .collect::<Vec<_>>(),
            ),
            _ => None,
        })?;
        let catalogue = Self {
            sources: Sources {
                x_px: zero_based("XWIN_IMAGE")?,
                y_px: zero_based("YWIN_IMAGE")?,
                position_err_px: real("ERRWIN_IMAGE")?,
                flux_e: real("FLUX_APER")?,
                flux_err_e: real("FLUXERR_APER")?,
                flux_kron_e: real("FLUX_AUTO")?,
                flux_kron_err_e: real("FLUXERR_AUTO")?,
                snr: real("SNR_FILTER")?,
                a_px: real("A_IMAGE")?,
                b_px: real("B_IMAGE")?,
                theta_rad: radians("THETA_IMAGE")?,
                peak_e: real("FLUX_MAX")?,
                flags,
            },
            ra_rad: radians("RA")?,
            dec_rad: radians("DEC")?,
            mag: real("MAG_G")?,
            mag_err: real("MAGERR_G")?,
            filter_mag: real("MAG_FILTER")?,
        };
        let n = catalogue.sources.len();
        let lengths = [catalogue.ra_rad.len(), catalogue.mag.len(), catalogue.sources.flags.len()];
        lengths.iter().all(|l| *l == n).then_some(catalogue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_give_the_catalogue_back() {
        let one = vec![3.25];
        let sources = Sources {
            x_px: vec![10.5],
            y_px: vec![0.0],
            position_err_px: one.clone(),
            flux_e: one.clone(),
            flux_err_e: one.clone(),
            flux_kron_e: one.clone(),
            flux_kron_err_e: one.clone(),
            snr: one.clone(),
            a_px: one.clone(),
            b_px: one.clone(),
            theta_rad: vec![0.0],
            peak_e: one.clone(),
            flags: vec![SourceFlags::BLENDED.with(SourceFlags::TRAIL)],
        };
        let catalogue = Catalogue {
            sources,
            // A right angle survives degrees and back exactly.
            ra_rad: vec![std::f64::consts::FRAC_PI_2],
            dec_rad: vec![-std::f64::consts::FRAC_PI_2],
            mag: vec![18.0],
            mag_err: vec![0.1],
            filter_mag: vec![18.1],
        };
        assert_eq!(Catalogue::from_columns(&catalogue.to_columns()), Some(catalogue));
        assert_eq!(Catalogue::from_columns(&[]), None);
    }
}

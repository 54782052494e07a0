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
    /// Gaia G of the best light for a source of solar colour; NaN without positive light [mag].
    pub mag: Vec<f64>,
    /// Its error, zero point included; NaN without positive light [mag].
    pub mag_err: Vec<f64>,
    /// Gaia G from the matched filter's signal-to-noise ratio: better for faint sources [mag].
    pub filter_mag: Vec<f64>,
}

const DEG: &str = "deg";
const PX: &str = "pixel";
const ELECTRONS: &str = "electron";

/// How a column's numbers are written.
#[derive(Clone, Copy)]
enum Scale {
    Plain,
    /// Pixels counted from 1 in the table.
    FromOne,
    /// Radians, degrees in the table.
    Degrees,
}

/// A column of real numbers: its name and unit in the table and its place in the sources.
struct Entry {
    name: &'static str,
    unit: &'static str,
    scale: Scale,
    of: fn(&Sources) -> &Vec<f64>,
    into: fn(&mut Sources) -> &mut Vec<f64>,
}

macro_rules! entry {
    ($name:literal, $unit:expr, $scale:ident, $field:ident) => {
        Entry {
            name: $name,
            unit: $unit,
            scale: Scale::$scale,
            of: |s| &s.$field,
            into: |s| &mut s.$field,
        }
    };
}

/// The columns, named as SExtractor names them where it has the same quantity.
const ENTRIES: [Entry; 31] = [
    entry!("XWIN_IMAGE", PX, FromOne, x_px),
    entry!("YWIN_IMAGE", PX, FromOne, y_px),
    entry!("ERRWIN_IMAGE", PX, Plain, position_err_px),
    entry!("ERRX2WIN_IMAGE", "pixel**2", Plain, var_xx_px2),
    entry!("ERRXYWIN_IMAGE", "pixel**2", Plain, var_xy_px2),
    entry!("ERRY2WIN_IMAGE", "pixel**2", Plain, var_yy_px2),
    entry!("FLUX_APER", ELECTRONS, Plain, flux_e),
    entry!("FLUXERR_APER", ELECTRONS, Plain, flux_err_e),
    entry!("FLUX_AUTO", ELECTRONS, Plain, flux_kron_e),
    entry!("FLUXERR_AUTO", ELECTRONS, Plain, flux_kron_err_e),
    entry!("FLUX_PSF", ELECTRONS, Plain, flux_psf_e),
    entry!("FLUXERR_PSF", ELECTRONS, Plain, flux_psf_err_e),
    entry!("CHI2_PSF", "", Plain, psf_chi2),
    entry!("STAR_LIKENESS", "", Plain, star_chance),
    entry!("FLUX_RADIUS", PX, Plain, half_light_px),
    entry!("X_IMAGE", PX, FromOne, x_iso_px),
    entry!("Y_IMAGE", PX, FromOne, y_iso_px),
    entry!("FLUX_ISO", ELECTRONS, Plain, flux_iso_e),
    entry!("AWIN_IMAGE", PX, Plain, a_win_px),
    entry!("BWIN_IMAGE", PX, Plain, b_win_px),
    entry!("THETAWIN_IMAGE", DEG, Degrees, theta_win_rad),
    entry!("AWIN_ERR", PX, Plain, a_win_err_px),
    entry!("BWIN_ERR", PX, Plain, b_win_err_px),
    entry!("THETAWIN_ERR", DEG, Degrees, theta_win_err_rad),
    entry!("SNR_FILTER", "", Plain, snr),
    entry!("A_IMAGE", PX, Plain, a_px),
    entry!("B_IMAGE", PX, Plain, b_px),
    entry!("THETA_IMAGE", DEG, Degrees, theta_rad),
    entry!("FLUX_MAX", ELECTRONS, Plain, peak_e),
    entry!("TRAIL_LENGTH", PX, Plain, trail_length_px),
    entry!("TRAIL_ANGLE", DEG, Degrees, trail_angle_rad),
];

fn written(values: &[f64], scale: Scale) -> Vec<f64> {
    match scale {
        Scale::Plain => values.to_vec(),
        Scale::FromOne => values.iter().map(|v| v + 1.0).collect(),
        Scale::Degrees => values.iter().map(|v| v / DEG_RAD).collect(),
    }
}

fn read(values: &[f64], scale: Scale) -> Vec<f64> {
    match scale {
        Scale::Plain => values.to_vec(),
        Scale::FromOne => values.iter().map(|v| v - 1.0).collect(),
        Scale::Degrees => values.iter().map(|v| v * DEG_RAD).collect(),
    }
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
        let whole = |name: &str, values: Vec<i32>| Column {
            name: name.to_owned(),
            unit: String::new(),
            data: ColumnData::I32(values),
        };
        let mut columns = vec![
            real("RA", DEG, written(&self.ra_rad, Scale::Degrees)),
            real("DEC", DEG, written(&self.dec_rad, Scale::Degrees)),
            real("MAG_G", "mag", self.mag.clone()),
            real("MAGERR_G", "mag", self.mag_err.clone()),
            real("MAG_FILTER", "mag", self.filter_mag.clone()),
        ];
        columns.extend(ENTRIES.iter().map(|e| real(e.name, e.unit, written((e.of)(s), e.scale))));
        let areas = s.n_pixels.iter().map(|n| i32::try_from(*n).unwrap_or(i32::MAX)).collect();
        columns.push(whole("ISOAREA_IMAGE", areas));
        columns.push(whole("FLAGS", s.flags.iter().map(|f| i32::from(f.bits())).collect()));
        columns
    }

    /// The catalogue of such columns; `None` when one is missing or of another length.
    pub fn from_columns(columns: &[Column]) -> Option<Self> {
        let data = |name: &str| columns.iter().find(|c| c.name == name).map(|c| &c.data);
        let real = |name: &str, scale: Scale| match data(name) {
            Some(ColumnData::F64(values)) => Some(read(values, scale)),
            _ => None,
        };
        let whole = |name: &str| match data(name) {
            Some(ColumnData::I32(values)) => Some(values),
            _ => None,
        };
        let mut sources = Sources::default();
        for entry in &ENTRIES {
            *(entry.into)(&mut sources) = real(entry.name, entry.scale)?;
        }
        let flag = |v: &i32| SourceFlags::from_bits(u16::try_from(*v).unwrap_or(u16::MAX));
        sources.flags = whole("FLAGS")?.iter().map(flag).collect();
        let area = |v: &i32| u32::try_from(*v).unwrap_or(0);
        sources.n_pixels = whole("ISOAREA_IMAGE")?.iter().map(area).collect();
        let catalogue = Self {
            sources,
            ra_rad: real("RA", Scale::Degrees)?,
            dec_rad: real("DEC", Scale::Degrees)?,
            mag: real("MAG_G", Scale::Plain)?,
            mag_err: real("MAGERR_G", Scale::Plain)?,
            filter_mag: real("MAG_FILTER", Scale::Plain)?,
        };
        let n = catalogue.sources.len();
        let s = &catalogue.sources;
        let lengths =
            [catalogue.ra_rad.len(), catalogue.mag.len(), s.flags.len(), s.n_pixels.len()];
        let all_fit = lengths.iter().all(|l| *l == n)
            && ENTRIES.iter().all(|e| (e.of)(&catalogue.sources).len() == n);
        all_fit.then_some(catalogue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_give_the_catalogue_back() {
        // Every column its own number; a quarter turn survives degrees and back exactly.
        let mut sources = Sources::default();
        for (k, entry) in ENTRIES.iter().enumerate() {
            *(entry.into)(&mut sources) = match entry.scale {
                Scale::Degrees => vec![std::f64::consts::FRAC_PI_2],
                _ => vec![3.25 + k as f64],
            };
        }
        sources.n_pixels = vec![17];
        sources.flags = vec![SourceFlags::BLENDED.with(SourceFlags::TRAIL)];
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

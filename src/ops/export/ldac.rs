//! A frame's catalogue as SExtractor writes it, so that SCAMP takes it: `<stem>.cat` with the
//! columns of `ssos.param`, and the headers `<stem>.ahead` and `<stem>.head` beside it.
//!
//! Source of the columns: ../shared/spec/seeds.md 2.4; their meaning: SExtractor's manual. The
//! plate solution is written as TPV, which SCAMP understands, whatever the products have. Behind
//! the columns of ssos stands FLUX_RADIUS, by which SCAMP tells stars.

use std::path::Path;

use super::frame::Frame;
use super::source::{
    Moments, Source, ellipse_of, extraction_flags, moments_of, on_sky, place_moments,
};
use crate::formats::fits::{Column, ColumnData, FitsError, Header, LdacPart, write_ldac};
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::science::sky::keywords::{Convention, KeywordValue};
use crate::science::units::DEG_RAD;

/// Starts of keywords of a plate solution.
const SOLUTION_STARTS: [&str; 15] = [
    "CTYPE", "CRVAL", "CRPIX", "CUNIT", "CDELT", "CROTA", "CD1_", "CD2_", "PC1_", "PC2_", "PV",
    "A_", "B_", "AP_", "BP_",
];
/// SExtractor's magnitude of what has no light.
const NO_LIGHT_MAG: f64 = 99.0;
/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// A frame's catalogue, ready to be written.
pub(super) struct Part {
    /// The frame's header as SCAMP and old scripts want it.
    pub(super) header: Header,
    /// Columns and rows of the frame [px].
    pub(super) size_px: (usize, usize),
    columns: Vec<Column>,
}

impl Part {
    /// That of a frame; `None` when its catalogue is not kept any more.
    pub(super) fn of(frame: &Frame<'_>) -> Option<Self> {
        let (header, catalogue) = frame.catalogue.as_ref()?;
        let size_px = frame.record.size_px()?;
        let header = catalogue_header(header, frame);
        Some(Self { header, size_px, columns: columns(catalogue, frame) })
    }

    /// Writes it as `<stem>.cat`.
    pub(super) fn write(&self, path: &Path) -> Result<(), FitsError> {
        let (header, columns) = (&self.header, self.columns.as_slice());
        write_ldac(path, &[LdacPart { header, size_px: self.size_px, columns }])
    }
}

/// The frame's header as SCAMP and old scripts want it.
fn catalogue_header(products: &Header, frame: &Frame<'_>) -> Header {
    let mut header = products.clone();
    let stale: Vec<String> = products
        .cards()
        .iter()
        .filter(|card| SOLUTION_STARTS.iter().any(|start| card.key.starts_with(start)))
        .map(|card| card.key.clone())
        .collect();
    for key in stale {
        header.remove(&key);
    }
    // Fluxes are counts again.
    header.set("GAIN", frame.scale().gain_e_per_adu, "[e-/ADU] gain used");
    set_solution(&mut header, frame);
    let record = frame.record;
    header.set("FILTER", record.filter.clone().unwrap_or_else(|| "NONE".to_owned()), "");
    if let Some(exposure_s) = record.exposure_s {
        header.set("EXPTIME", exposure_s, "[s]");
    }
    if let Some(start) = start_mjd_utc(frame) {
        header.set("MJD-OBS", start, "[d] UTC, start of the exposure");
    }
    header
}

/// Start of a frame's exposure [d, MJD UTC].
fn start_mjd_utc(frame: &Frame<'_>) -> Option<f64> {
    let half_s = 0.5 * frame.record.exposure_s.unwrap_or(0.0);
    frame.record.mid_mjd_utc.map(|mid| mid - half_s / DAY_S)
}

/// Puts the plate solution into a header, distortion as TPV.
fn set_solution(header: &mut Header, frame: &Frame<'_>) {
    let Some(wcs) = frame.record.solution() else { return };
    header.set("EQUINOX", 2000.0, "");
    for (key, value) in wcs.fits_keywords_as(Convention::Tpv) {
        match value {
            KeywordValue::Integer(v) => header.set(&key, v, ""),
            KeywordValue::Real(v) => header.set(&key, v, ""),
            KeywordValue::Text(v) => header.set(&key, v, ""),
        }
    }
}

/// What SCAMP reads beside a catalogue (`.ahead`): when the exposure began. Its own programs round
/// that to 0.1 s; here it has all digits.
pub(super) fn ahead(frame: &Frame<'_>) -> Header {
    let mut header = Header::new();
    if let Some(start) = start_mjd_utc(frame) {
        header.set("MJD-OBS", start, "[d] UTC, start of the exposure");
    }
    header
}

/// What SCAMP writes beside a catalogue (`.head`): the plate solution, here ours.
pub(super) fn head(frame: &Frame<'_>, field: usize) -> Header {
    let mut header = Header::new();
    set_solution(&mut header, frame);
    header.set("FGROUPNO", field as i64, "field of the night");
    if let Some(rms_arcsec) = frame.record.rms_arcsec {
        header.set("ASTRRMS1", rms_arcsec / 3600.0, "[deg] residuals from the catalogue");
        header.set("ASTRRMS2", rms_arcsec / 3600.0, "[deg] residuals from the catalogue");
    }
    if let Some(zero_point) = frame.record.zero_point_mag {
        header.set("MAGZEROP", zero_point, "[mag] Gaia G of 1 ADU/s");
    }
    header
}

/// A source with the moments that its columns show.
struct Row {
    source: Source,
    place_deg: (f64, f64),
    /// Shape and error of the place, on the frame [px^2] and on the sky [deg^2].
    shape: [Moments; 2],
    error: [Moments; 2],
}

fn rows(catalogue: &Catalogue, frame: &Frame<'_>) -> Vec<Row> {
    let (sources, scale) = (&catalogue.sources, frame.scale());
    let both = |moments: Moments| {
        let sky = scale.wcs.as_ref().map_or([f64::NAN; 3], |wcs| on_sky(moments, wcs));
        [moments, sky]
    };
    let row = |i: usize| Row {
        source: Source::of(sources, i, &scale),
        place_deg: (catalogue.ra_rad[i] / DEG_RAD, catalogue.dec_rad[i] / DEG_RAD),
        shape: both(moments_of(
            (sources.a_win_px[i], sources.b_win_px[i]),
            sources.theta_win_rad[i],
        )),
        error: both(place_moments(sources, i)),
    };
    (0..sources.len()).map(row).collect()
}

/// Collects columns in order.
struct Columns<'a> {
    rows: &'a [Row],
    columns: Vec<Column>,
}

impl Columns<'_> {
    fn push(&mut self, name: &str, unit: &str, data: ColumnData) {
        self.columns.push(Column { name: name.to_owned(), unit: unit.to_owned(), data });
    }

    fn exact(&mut self, name: &str, unit: &str, of: impl Fn(&Row) -> f64) {
        let data = ColumnData::F64(self.rows.iter().map(of).collect());
        self.push(name, unit, data);
    }

    fn real(&mut self, name: &str, unit: &str, of: impl Fn(&Row) -> f64) {
        let data = ColumnData::F32(self.rows.iter().map(|row| of(row) as f32).collect());
        self.push(name, unit, data);
    }

    fn short(&mut self, name: &str, of: impl Fn(&Row) -> i16) {
        let data = ColumnData::I16(self.rows.iter().map(of).collect());
        self.push(name, "", data);
    }

    /// Moments and axes of a kind: on the frame and on the sky, names between `start` and `end`.
    fn moments(&mut self, (start, end): (&str, &str), of: fn(&Row) -> &[Moments; 2]) {
        let second = |axes: &str| format!("{start}{axes}{end}");
        for (k, (kind, unit)) in
            [("IMAGE", "pixel**2"), ("WORLD", "deg**2")].into_iter().enumerate()
        {
            for (axes, which) in [("X2", 0), ("Y2", 1), ("XY", 2)] {
                let name = format!("{}_{kind}", second(axes));
                self.exact(&name, unit, move |row| of(row)[k][which]);
            }
        }
        for (k, (kind, unit)) in [("IMAGE", "pixel"), ("WORLD", "deg")].into_iter().enumerate() {
            let axis = |row: &Row| ellipse_of(of(row)[k]);
            self.real(&format!("{}_{kind}", second("A")), unit, move |row| axis(row).0);
            self.real(&format!("{}_{kind}", second("B")), unit, move |row| axis(row).1);
            self.real(&format!("{}_{kind}", second("THETA")), "deg", move |row| axis(row).2);
        }
        // From north through east, where the others count from east.
        let name = format!("{}_J2000", second("THETA"));
        self.real(&name, "deg", move |row| position_angle_deg(ellipse_of(of(row)[1]).2));
    }
}

/// An angle from east towards north as a position angle, -90 to 90 [deg].
fn position_angle_deg(theta_deg: f64) -> f64 {
    let angle = 90.0 - theta_deg;
    if angle > 90.0 { angle - 180.0 } else { angle }
}

/// The columns of `ssos.param` in its order, and FLUX_RADIUS.
fn columns(catalogue: &Catalogue, frame: &Frame<'_>) -> Vec<Column> {
    let sources = &catalogue.sources;
    let (rows, exposure_s) = (rows(catalogue, frame), frame.scale().exposure_s.unwrap_or(1.0));
    let mut out = Columns { rows: &rows, columns: Vec::new() };
    out.real("FLUX_AUTO", "count", |r| r.source.flux.unwrap_or(f64::NAN));
    out.real("FLUXERR_AUTO", "count", |r| r.source.flux_err.unwrap_or(f64::NAN));
    let rate_mag = 2.5 * exposure_s.log10();
    out.real("MAG_AUTO", "mag", |r| r.source.mag.map_or(NO_LIGHT_MAG, |mag| mag - rate_mag));
    out.real("MAGERR_AUTO", "mag", |r| r.source.mag_err.unwrap_or(NO_LIGHT_MAG));
    let of_source = |values: &[f64]| values.iter().map(|v| *v as f32).collect();
    out.push("SNR_WIN", "", ColumnData::F32(of_source(&sources.snr)));
    let from_one = |values: &[f64]| values.iter().map(|v| v + 1.0).collect();
    out.push("XWIN_IMAGE", "pixel", ColumnData::F64(from_one(&sources.x_px)));
    out.push("YWIN_IMAGE", "pixel", ColumnData::F64(from_one(&sources.y_px)));
    for (x, y) in [("XWIN_WORLD", "YWIN_WORLD"), ("ALPHAWIN_J2000", "DELTAWIN_J2000")] {
        out.exact(x, "deg", |r| r.place_deg.0);
        out.exact(y, "deg", |r| r.place_deg.1);
    }
    out.moments(("", "WIN"), |r| &r.shape);
    out.moments(("ERR", "WIN"), |r| &r.error);
    out.short("FLAGS", |r| r.source.flags.map_or(0, |flags| extraction_flags(flags) as i16));
    out.short("FLAGS_WEIGHT", |_| 0);
    out.short("FLAGS_WIN", |_| 0);
    let ratio = |of: fn(f64, f64) -> f64| {
        let axes = sources.a_px.iter().zip(&sources.b_px);
        ColumnData::F32(axes.map(|(a, b)| of(*a, *b) as f32).collect())
    };
    out.push("ELONGATION", "", ratio(|a, b| a / b));
    out.push("ELLIPTICITY", "", ratio(|a, b| 1.0 - b / a));
    out.push("CLASS_STAR", "", ColumnData::F32(of_source(&sources.star_chance)));
    out.push("FLUX_RADIUS", "pixel", ColumnData::F32(of_source(&sources.half_light_px)));
    out.columns
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ssos.param` (../shared/spec/seeds.md 2.4).
    const SSOS_PARAM: &str = "FLUX_AUTO FLUXERR_AUTO MAG_AUTO MAGERR_AUTO SNR_WIN XWIN_IMAGE \
        YWIN_IMAGE XWIN_WORLD YWIN_WORLD ALPHAWIN_J2000 DELTAWIN_J2000 X2WIN_IMAGE Y2WIN_IMAGE \
        XYWIN_IMAGE X2WIN_WORLD Y2WIN_WORLD XYWIN_WORLD AWIN_IMAGE BWIN_IMAGE THETAWIN_IMAGE \
        AWIN_WORLD BWIN_WORLD THETAWIN_WORLD THETAWIN_J2000 ERRX2WIN_IMAGE ERRY2WIN_IMAGE \
        ERRXYWIN_IMAGE ERRX2WIN_WORLD ERRY2WIN_WORLD ERRXYWIN_WORLD ERRAWIN_IMAGE ERRBWIN_IMAGE \
        ERRTHETAWIN_IMAGE ERRAWIN_WORLD ERRBWIN_WORLD ERRTHETAWIN_WORLD ERRTHETAWIN_J2000 FLAGS \
        FLAGS_WEIGHT FLAGS_WIN ELONGATION ELLIPTICITY CLASS_STAR";

    #[test]
    fn columns_are_those_of_ssos_param_in_order() {
        let record = crate::pipeline::reduce::empty_record(
            "a.fits",
            "a",
            crate::pipeline::artifact::frame_record::FrameStatus::Ok,
        );
        let frame = Frame { number: 1, record: &record, catalogue: None, centre_deg: None };
        let columns = columns(&Catalogue::default(), &frame);
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        let wanted: Vec<&str> = SSOS_PARAM.split_whitespace().chain(["FLUX_RADIUS"]).collect();
        assert_eq!(names, wanted);
    }

    #[test]
    fn position_angles_count_from_north() {
        for (theta, expected) in [(0.0, 90.0), (90.0, 0.0), (45.0, 45.0), (-45.0, -45.0)] {
            assert!((position_angle_deg(theta) - expected).abs() < 1e-12, "{theta}");
        }
    }
}

//! The light curve of an object over the nights of a data folder: what was measured, whence it was
//! seen, and what of it is not to be trusted.
//!
//! What is told are the measurements along the object's motion (`pipeline::measure_movers`), in
//! frames that detected it and in those that did not; limits are kept apart. Every magnitude is
//! kept; a point in doubt carries the reasons and is left out of what other programs read. The
//! reasons: the frame's photometry is not valid; light of stars or pixels that tell nothing are of
//! account; the point lies off the curve ([`crate::science::photometry::outliers`]).

mod colours;
mod gather;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::colours::{Colour, FilterMean};
use super::error::OpsError;
use super::orbits::ephemeris_at;
use crate::formats::known_csv::number_and_name;
use crate::formats::light_curve::{LightCurve, Measured, Session};
use crate::science::orbit::observer::Observer;
use crate::science::photometry::outliers::{TimedMag, off_curve_mag};
use crate::science::time::Epoch;
use crate::store::{NightId, Reader};

/// Band of all magnitudes.
const BAND: &str = "G";

/// Why a point is not to be trusted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointDoubt {
    /// The photometry of its frame is not valid.
    Frame,
    /// Light of others was taken off, or pixels were bad.
    Contaminated {
        /// Light of others over its own.
        near_share: f64,
    },
    /// It lies off the curve.
    OffCurve {
        /// By so much [mag].
        off_mag: f64,
    },
}

impl std::fmt::Display for PointDoubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Frame => write!(f, "photometry of the frame not valid"),
            Self::Contaminated { near_share } => {
                write!(f, "light of others {:.0} % or bad pixels", 100.0 * near_share)
            }
            Self::OffCurve { off_mag } => write!(f, "{off_mag:+.2} mag off the curve"),
        }
    }
}

/// Whence a point was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PointGeometry {
    /// Distance from the Sun [au].
    pub sun_au: f64,
    /// Distance from the observer [au].
    pub observer_au: f64,
    /// Angle at the object between Sun and observer [deg].
    pub phase_deg: f64,
}

/// A measured magnitude of an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Its night.
    pub night: String,
    /// Its frame.
    pub frame: String,
    /// The frame's filter, when known.
    pub filter: Option<String>,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Right ascension [deg].
    pub ra_deg: f64,
    /// Declination [deg].
    pub dec_deg: f64,
    /// Gaia G for a solar colour [mag].
    pub mag: f64,
    /// Its error, without that of the unknown colour [mag].
    pub err_mag: Option<f64>,
    /// The same through the object's own aperture, where that was measured [mag].
    pub aperture_mag: Option<f64>,
    /// Its error, without that of the unknown colour [mag].
    pub aperture_err_mag: Option<f64>,
    /// Whether the frame detected it by itself.
    pub is_detected: bool,
    /// Whence it was seen, when the orbit is known.
    pub geometry: Option<PointGeometry>,
    /// Reasons against it.
    pub doubts: Vec<PointDoubt>,
}

/// A frame that shows nothing of an object: it is fainter than a magnitude.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurveLimit {
    /// Its night.
    pub night: String,
    /// Its frame.
    pub frame: String,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Three errors of the light at its place [mag].
    pub limit_mag: f64,
}

/// The light curve of an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObjectCurve {
    /// What it is called.
    pub object: String,
    /// Slope of its phase function, when known.
    pub slope_ratio: Option<f64>,
    /// Its points in order of time.
    pub points: Vec<CurvePoint>,
    /// Frames in which it was too faint, in order of time.
    pub limits: Vec<CurveLimit>,
    /// Its brightness in each filter of each night.
    pub filters: Vec<FilterMean>,
    /// Differences between the filters of a night.
    pub colours: Vec<Colour>,
    /// What could not be done.
    pub notes: Vec<String>,
}

impl ObjectCurve {
    /// Points without a doubt.
    pub fn trusted(&self) -> impl Iterator<Item = &CurvePoint> {
        self.points.iter().filter(|point| point.doubts.is_empty())
    }

    /// How much distance and phase dim a point; zero where they are not known [mag].
    pub fn dimming_mag(&self, point: &CurvePoint) -> f64 {
        let sessions = vec![Session::default()];
        let object =
            LightCurve { sessions, slope_ratio: self.slope_ratio, ..LightCurve::default() };
        let measured = measured(point, 0);
        measured.mag - object.reduced(&measured).1
    }

    /// The trusted points as other programs read them, a session per night, and per filter of a
    /// night that has several: the colour of an object lies between them.
    pub fn light_curve(&self) -> LightCurve {
        let mut sessions: Vec<Session> = Vec::new();
        let points = self.trusted().map(|point| {
            let name = self.session_name(point);
            let place = sessions.iter().position(|session| session.name == name);
            let place = place.unwrap_or_else(|| {
                sessions.push(Session { name, filter: BAND.to_owned(), ..Session::default() });
                sessions.len() - 1
            });
            measured(point, place)
        });
        let points = points.collect();
        let (object, slope_ratio) = (self.object.clone(), self.slope_ratio);
        LightCurve { object, sessions, points, slope_ratio, n_bad: 0 }
    }
}

impl ObjectCurve {
    fn session_name(&self, point: &CurvePoint) -> String {
        let is_other =
            |other: &CurvePoint| other.night == point.night && other.filter != point.filter;
        match &point.filter {
            Some(filter) if self.trusted().any(is_other) => format!("{} {filter}", point.night),
            _ => point.night.clone(),
        }
    }
}

/// A point as files hold it.
fn measured(point: &CurvePoint, session: usize) -> Measured {
    Measured {
        mid_mjd_utc: point.mid_mjd_utc,
        mag: point.mag,
        err_mag: point.err_mag,
        session: u32::try_from(session).unwrap_or(u32::MAX),
        sun_au: point.geometry.map(|g| g.sun_au),
        observer_au: point.geometry.map(|g| g.observer_au),
        phase_deg: point.geometry.map(|g| g.phase_deg),
    }
}

/// The light curve of an object in some nights, all of them when none is named.
///
/// * `object`: number, name or designation of a known object; identifier of a candidate; key of an
///   object seen in several nights; `AST_n` or `UNK_n` of a night.
/// * `observer`: for distances and phase; where stored orbits hold the object.
///
/// Errors: a night that is not there or has no report, an object that none of them has.
pub fn light_curve(
    reader: &Reader,
    data_dir: &std::path::Path,
    (object, nights): (&str, &[NightId]),
    observer: &Observer,
) -> Result<ObjectCurve, OpsError> {
    let mut curve = gather::gather(reader, object, nights)?;
    curve.points.sort_by(|a, b| {
        a.mid_mjd_utc.total_cmp(&b.mid_mjd_utc).then_with(|| a.frame.cmp(&b.frame))
    });
    curve.limits.sort_by(|a, b| a.mid_mjd_utc.total_cmp(&b.mid_mjd_utc));
    add_geometry(&mut curve, data_dir, observer);
    mark_off_curve(&mut curve);
    (curve.filters, curve.colours) = colours::colours(&curve.points);
    Ok(curve)
}

/// Distances and phases by the stored orbit, when there is one.
fn add_geometry(curve: &mut ObjectCurve, data_dir: &std::path::Path, observer: &Observer) {
    let instants: Vec<Epoch> =
        curve.points.iter().map(|point| Epoch::from_mjd_utc(point.mid_mjd_utc)).collect();
    let (number, name) = number_and_name(&curve.object);
    let asked = number.unwrap_or(name);
    match ephemeris_at(data_dir, asked, &instants, observer) {
        Ok((label, rows)) => {
            curve.slope_ratio = label.brightness.map(|brightness| brightness.slope_ratio);
            for (point, row) in curve.points.iter_mut().zip(&rows) {
                point.geometry = Some(PointGeometry {
                    sun_au: row.seen.sun_distance_au,
                    observer_au: row.seen.distance_au,
                    phase_deg: row.seen.phase_rad.to_degrees(),
                });
            }
        }
        Err(error) => {
            curve.notes.push(format!("not reduced for distance, phase and light time: {error}"));
        }
    }
}

/// Marks the points off the curve, session by session.
fn mark_off_curve(curve: &mut ObjectCurve) {
    let reduced = curve.light_curve();
    let places = (0..curve.points.len()).filter(|&i| curve.points[i].doubts.is_empty());
    let mut sessions: BTreeMap<u32, (Vec<usize>, Vec<TimedMag>)> = BTreeMap::new();
    for (place, point) in places.zip(&reduced.points) {
        let (time_h, mag) = reduced.reduced(point);
        let (places, timed) = sessions.entry(point.session).or_default();
        places.push(place);
        timed.push(TimedMag { time_h, mag, err_mag: point.err_mag.unwrap_or(0.0) });
    }
    for (places, timed) in sessions.into_values() {
        for (place, off) in places.into_iter().zip(off_curve_mag(&timed)) {
            if let Some(off_mag) = off {
                curve.points[place].doubts.push(PointDoubt::OffCurve { off_mag });
            }
        }
    }
}

#[cfg(test)]
mod tests;

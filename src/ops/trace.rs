//! Traces an object through a finished night: `autossosctl trace`.

use std::path::Path;

use super::error::OpsError;
use super::run::{chain, known_path, linking_path};
use crate::config::Config;
use crate::formats::fits::{Limits, read_table};
use crate::formats::known_csv::{is_called, read_known};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::linking::Linking;
use crate::pipeline::identify::stem;
use crate::pipeline::trace::{Trace, trace};
use crate::science::movers::known::KnownPlace;
use crate::science::sky::vector::displaced;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};
use crate::store::{NightId, Reader};

/// A source is the object when it is this near to the place of a known motion [arcsec].
const REACH_ARCSEC: f64 = 5.0;
/// ... and to a place without a motion [arcsec].
const REACH_AT_REST_ARCSEC: f64 = 15.0;
/// A prediction without a file is for the frames within this time [d].
const SAME_INSTANT_D: f64 = 5.0 / 86_400.0;
/// Minutes of a day.
const MIN_PER_D: f64 = 1440.0;

/// Whose way is traced.
#[derive(Debug, Clone, PartialEq)]
pub enum Traced {
    /// A place at a time and a motion.
    Place {
        /// Right ascension [deg].
        ra_deg: f64,
        /// Declination [deg].
        dec_deg: f64,
        /// Time of the place [d, MJD UTC]; the night's middle when `None`.
        mjd_utc: Option<f64>,
        /// Rate [arcsec/min] and direction, north through east [deg].
        motion: Option<(f64, f64)>,
    },
    /// A known object, by number, name or designation.
    Known {
        /// What it is called.
        name: String,
    },
}

/// An object cannot be traced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The night has no table of what linking saw.
    #[error(
        "night {night} keeps no table of what linking saw: it was made by an older version or its \
         products were pruned; `autossosctl reprocess {night}` makes it anew"
    )]
    NoTable {
        /// The night.
        night: String,
    },
    /// No known object of the night is called so.
    #[error(
        "no known object predicted in night {night} is called {name:?}: `autossosctl export \
         {night} --format skybot` lists them, or give --ra and --dec"
    )]
    NoObject {
        /// The night.
        night: String,
        /// What was asked for.
        name: String,
    },
}

/// Traces an object through a night of a data folder.
pub fn trace_object(
    (data_dir, config): (&Path, &Config),
    night: &str,
    traced: &Traced,
) -> Result<Trace, OpsError> {
    let unknown = || OpsError::UnknownNight { night: night.to_owned(), data: data_dir.to_owned() };
    let id = NightId::new(night).map_err(|_| unknown())?;
    let reader = Reader::open(data_dir)?;
    let report = reader.report(&id)?.ok_or_else(unknown)?;
    let no_table = || TraceError::NoTable { night: night.to_owned() };
    let table = read_table(&linking_path(reader.products(), &id)?, &Limits::default());
    let (header, columns) = table.map_err(|error| {
        tracing::debug!("{}", chain(&error));
        no_table()
    })?;
    let linking = Linking::from_table(&header, &columns).ok_or_else(no_table)?;
    let params = config.night_params().link_night.link;
    match traced {
        Traced::Place { ra_deg, dec_deg, mjd_utc, motion } => {
            let times: Vec<f64> = report.frames.iter().filter_map(|f| f.mid_mjd_utc).collect();
            let middle = crate::science::image::stats::median(&times).unwrap_or(0.0);
            let start = (*ra_deg * DEG_RAD, *dec_deg * DEG_RAD);
            let at_mjd = mjd_utc.unwrap_or(middle);
            let path = |frame: &FrameRecord| {
                let minutes = MIN_PER_D * (frame.mid_mjd_utc? - at_mjd);
                let (rate, pa_deg) = motion.unwrap_or((0.0, 0.0));
                let (ra, dec) = displaced(start, rate * minutes * ARCSEC_RAD, pa_deg * DEG_RAD);
                Some((ra / DEG_RAD, dec / DEG_RAD))
            };
            let reach = if motion.is_some() { REACH_ARCSEC } else { REACH_AT_REST_ARCSEC };
            Ok(trace((&report, &linking), &path, reach, &params))
        }
        Traced::Known { name } => {
            let bytes = std::fs::read(known_path(reader.products(), &id)?).unwrap_or_default();
            let (mut places, _) = read_known(bytes.as_slice()).unwrap_or_default();
            places.retain(|place| is_called(&place.designation, name));
            if places.is_empty() {
                let (night, name) = (night.to_owned(), name.clone());
                return Err(TraceError::NoObject { night, name }.into());
            }
            let path = |frame: &FrameRecord| {
                let place = places.iter().find(|place| is_for(place, frame))?;
                Some((place.ra_deg, place.dec_deg))
            };
            let worst = places.iter().map(|p| p.err_arcsec).fold(0.0, f64::max);
            let reach = REACH_ARCSEC + worst.min(REACH_AT_REST_ARCSEC);
            Ok(trace((&report, &linking), &path, reach, &params))
        }
    }
}

fn is_for(place: &KnownPlace, frame: &FrameRecord) -> bool {
    if let Some(file) = &place.file {
        return stem(file) == stem(&frame.frame);
    }
    let apart = place.mid_mjd_utc.zip(frame.mid_mjd_utc).map(|(a, b)| (a - b).abs());
    apart.is_some_and(|apart| apart <= SAME_INSTANT_D)
}

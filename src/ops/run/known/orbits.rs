//! Orbits on disk as a source of known objects: looked for anew for every night, so that a service
//! that runs for months takes what `autossosctl orbits update` brought.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::formats::skybot::{ConeRequest, SkybotObserver};
use crate::ops::orbits::{OrbitNight, OrbitsError, PredictedPlace, observer_of};
use crate::ops::run::FileStamp;
use crate::science::movers::known::KnownPlace;
use crate::science::orbit::known::KnownParams;
use crate::science::orbit::observer::Observer;
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};
use crate::store::orbits::OrbitFolder;

/// Around the first question of a night its objects are made ready for this long [d].
const HALF_NIGHT_D: f64 = 0.75;

/// The orbits of a data folder.
pub(super) struct StoredPlaces {
    data_dir: PathBuf,
    /// The night asked for last.
    night: Mutex<Option<Ready>>,
}

/// Objects made ready for a night.
struct Ready {
    stamp: FileStamp,
    middle_mjd_utc: f64,
    night: OrbitNight,
}

impl StoredPlaces {
    /// The orbits below a data folder, if there are any when they are asked.
    pub(super) fn below(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned(), night: Mutex::new(None) }
    }

    /// What the table of orbits is now; `None` without one.
    fn stamp(&self) -> Option<FileStamp> {
        FileStamp::read(&OrbitFolder::below(&self.data_dir).table_path()).ok()
    }

    /// Date when the orbits were stored, as `2026-03-01`; `None` without any.
    pub(super) fn date(&self) -> Option<String> {
        let iso = self.stamp()?.modified().to_iso();
        iso.get(..10).map(str::to_owned)
    }

    /// Changes when the answers would.
    pub(super) fn key(&self) -> String {
        self.stamp().map_or_else(String::new, |stamp| stamp.to_string())
    }

    /// The objects in a cone at its time; nothing without orbits.
    pub(super) fn objects_in(&self, cone: &ConeRequest) -> Result<Vec<KnownPlace>, OrbitsError> {
        let Some(stamp) = self.stamp() else { return Ok(Vec::new()) };
        let observer = self.observer(&cone.observer)?;
        let mut night = self.night.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let serves = |ready: &Ready| {
            let off = (ready.middle_mjd_utc - cone.mjd_utc).abs();
            ready.stamp == stamp && off < HALF_NIGHT_D
        };
        if !night.as_ref().is_some_and(serves) {
            *night = self.made_ready(stamp, cone.mjd_utc)?;
        }
        let Some(ready) = night.as_ref() else { return Ok(Vec::new()) };
        let centre = (cone.ra_deg * DEG_RAD, cone.dec_deg * DEG_RAD);
        let at = Epoch::from_mjd_utc(cone.mjd_utc);
        let radius = cone.radius_arcsec * ARCSEC_RAD;
        let found = ready.night.objects_in(centre, radius, at, &observer)?;
        Ok(found.into_iter().map(|place| known(place, cone.mjd_utc)).collect())
    }

    fn made_ready(
        &self,
        stamp: FileStamp,
        middle_mjd_utc: f64,
    ) -> Result<Option<Ready>, OrbitsError> {
        let end = |side: f64| Epoch::from_mjd_utc(middle_mjd_utc + side * HALF_NIGHT_D);
        let on_count = |_: usize, _: Option<usize>| ControlFlow::Continue(());
        let opened = OrbitNight::open(
            &self.data_dir,
            (end(-1.0), end(1.0)),
            KnownParams::default(),
            &on_count,
        )?;
        Ok(opened.map(|night| Ready { stamp, middle_mjd_utc, night }))
    }

    fn observer(&self, observer: &SkybotObserver) -> Result<Observer, OrbitsError> {
        match observer {
            SkybotObserver::Code(code) => observer_of(&self.data_dir, code),
            SkybotObserver::Place { longitude_deg, latitude_deg, height_m } => {
                Ok(Observer::at_place(*latitude_deg, *longitude_deg, *height_m))
            }
            SkybotObserver::Geocentre => Ok(Observer::GEOCENTRE),
        }
    }
}

fn known(place: PredictedPlace, mjd_utc: f64) -> KnownPlace {
    let words = [place.number.map(|number| number.to_string()), Some(place.name)];
    let words: Vec<String> = words.into_iter().flatten().filter(|w| !w.is_empty()).collect();
    KnownPlace {
        file: None,
        mid_mjd_utc: Some(mjd_utc),
        designation: words.join(" "),
        class: None,
        ra_deg: place.seen.ra_rad / DEG_RAD,
        dec_deg: place.seen.dec_rad / DEG_RAD,
        err_arcsec: place.err_arcsec,
        rate_arcsec_per_h: Some((place.seen.east_arcsec_per_h, place.seen.north_arcsec_per_h)),
        v_mag: place.v_mag,
    }
}

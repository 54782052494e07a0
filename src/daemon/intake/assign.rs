//! Which night a folder or a frame belongs to.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::listing::{ListedFile, epoch_of_ns};
use crate::ops::run::FileStamp;
use crate::science::sky::noon::night_date;
use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// Times outside these years are no times of exposures (MJD of 1900-01-01 and 2200-01-01) [d].
const MJD_USABLE: std::ops::Range<f64> = 15_020.0..124_593.0;
/// A file that changed this long ago and has no time will not get one [s].
const HEADER_WAIT_S: f64 = 60.0;

/// Asks for the middle of a file's exposure; `None` where the header does not tell.
pub(in crate::daemon) type HeaderTime<'a> = &'a dyn Fn(&Path, FileStamp) -> Option<Epoch>;

/// The frames of one night among those that lie anywhere.
#[derive(Debug, Default)]
pub(super) struct TimedNight {
    /// Its frames in order of names.
    pub(super) files: Vec<ListedFile>,
    /// Frames that are here by the time of their file, not of their header.
    pub(super) n_without_time: usize,
}

/// Sorts frames into nights by the local noons of a site, remembering what headers said.
#[derive(Debug)]
pub(super) struct ByTime {
    longitude_deg: f64,
    times: HashMap<PathBuf, (FileStamp, Option<Epoch>)>,
}

impl ByTime {
    /// Nights of a site; `longitude_deg` is east positive.
    pub(super) fn new(longitude_deg: f64) -> Self {
        Self { longitude_deg, times: HashMap::new() }
    }

    /// The night of an instant of the file system.
    pub(super) fn night_of_ns(&self, unix_ns: i64) -> String {
        night_date(epoch_of_ns(unix_ns), self.longitude_deg)
    }

    /// Sorts the frames by nights, names of nights rising.
    ///
    /// A header that has no time yet is asked again until its file is a minute old: it may be
    /// in the middle of being written.
    pub(super) fn sort(
        &mut self,
        files: Vec<ListedFile>,
        now: Epoch,
        header_time: HeaderTime<'_>,
    ) -> BTreeMap<String, TimedNight> {
        let mut nights: BTreeMap<String, TimedNight> = BTreeMap::new();
        let mut before = std::mem::take(&mut self.times);
        for file in files {
            let known = before.remove(&file.path).filter(|(stamp, _)| *stamp == file.stamp);
            let time = match known {
                Some((_, time)) => time,
                None => header_time(&file.path, file.stamp).filter(is_usable),
            };
            let age_s = seconds_between(epoch_of_ns(file.changed_ns), now).abs();
            let is_old = age_s > HEADER_WAIT_S;
            if time.is_some() || is_old {
                self.times.insert(file.path.clone(), (file.stamp, time));
            }
            let at = time.unwrap_or_else(|| file.stamp.modified());
            let night = nights.entry(night_date(at, self.longitude_deg)).or_default();
            night.n_without_time += usize::from(time.is_none() && is_old);
            night.files.push(file);
        }
        nights
    }
}

fn is_usable(at: &Epoch) -> bool {
    MJD_USABLE.contains(&at.mjd_utc())
}

fn seconds_between(from: Epoch, to: Epoch) -> f64 {
    (to.mjd_utc() - from.mjd_utc()) * SECONDS_PER_DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, modified: Epoch) -> ListedFile {
        let unix_ns = ((modified.mjd_utc() - 40_587.0) * 86_400.0 * 1e9) as i64;
        let stamp = FileStamp { size_bytes: 1, modified_ns: unix_ns, inode: 1 };
        ListedFile { path: PathBuf::from(name), name: name.to_owned(), stamp, changed_ns: unix_ns }
    }

    fn at(day: u32, hour: f64) -> Epoch {
        Epoch::from_date(2026, 3, day, hour * 3600.0)
    }

    #[test]
    fn headers_decide_and_are_asked_once() {
        let mut by_time = ByTime::new(0.0);
        let asked = std::cell::Cell::new(0);
        let header = |path: &Path, _: FileStamp| {
            asked.set(asked.get() + 1);
            match path.to_str() {
                Some("evening") => Some(at(1, 20.0)),
                Some("morning") => Some(at(2, 4.0)),
                Some("noon") => Some(at(2, 12.5)),
                Some("absurd") => Some(Epoch::from_mjd_utc(1.0)),
                _ => None,
            }
        };
        // All files were copied in the afternoon of the second.
        let names = ["evening", "morning", "noon", "absurd", "none"];
        let files = || names.map(|name| file(name, at(2, 15.0))).to_vec();
        let nights = by_time.sort(files(), at(2, 16.0), &header);
        let found: Vec<(&str, usize, usize)> = nights
            .iter()
            .map(|(name, night)| (name.as_str(), night.files.len(), night.n_without_time))
            .collect();
        assert_eq!(found, [("2026-03-01", 2, 0), ("2026-03-02", 3, 2)]);
        by_time.sort(files(), at(2, 16.0), &header);
        assert_eq!(asked.get(), 5, "the second time all is known");
        by_time.sort(vec![file("noon", at(2, 15.5))], at(2, 16.0), &header);
        assert_eq!((asked.get(), by_time.times.len()), (6, 1), "a new stamp; the others are gone");
    }

    #[test]
    fn a_header_in_the_making_is_asked_again() {
        let mut by_time = ByTime::new(0.0);
        let files = || vec![file("a", at(2, 12.5))];
        let none = |_: &Path, _: FileStamp| None;
        let nights = by_time.sort(files(), at(2, 12.501), &none);
        assert_eq!(nights["2026-03-02"].n_without_time, 0, "too early to tell");
        let some = |_: &Path, _: FileStamp| Some(at(2, 11.9));
        let nights = by_time.sort(files(), at(2, 12.502), &some);
        assert!(nights.contains_key("2026-03-01"));
    }
}

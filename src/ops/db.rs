//! The care of the database: checks, the daily backup, and putting a backup in place.

use std::path::{Path, PathBuf};

use super::clock::Clock;
use super::error::OpsError;
use crate::config::Keep;
use crate::science::time::Epoch;
use crate::store::backup::{self, BACKUP_FOLDER, BackupReport};
use crate::store::restore::{self, RestoreFrom, RestoreReport};
use crate::store::{Reader, Store, check};

/// Time of the last backup in the table `service` [d, MJD UTC].
pub const LAST_BACKUP_KEY: &str = "last_backup";
/// Time of the last try in the table `service` [d, MJD UTC].
const LAST_TRY_KEY: &str = "last_backup_try";
/// Time between backups [d]: a day less a minute or two, so that a look at the same hour of the
/// next day makes one.
const BACKUP_EVERY_D: f64 = 0.999;
/// Wait before another try after a failed one [d].
const RETRY_AFTER_D: f64 = 1.0 / 24.0;

/// How thorough a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckDepth {
    /// Pages only.
    Quick,
    /// Pages, indices and foreign keys.
    Full,
}

/// Faults of a data folder's database; none when it is whole. The service may run.
pub fn check(data_dir: &Path, depth: CheckDepth) -> Result<Vec<String>, OpsError> {
    Ok(match depth {
        CheckDepth::Quick => check::quick_check(data_dir)?,
        CheckDepth::Full => check::full_check(data_dir)?,
    })
}

/// Where the backups of a data folder lie.
pub fn backup_folder(data_dir: &Path, keep: &Keep) -> PathBuf {
    keep.backup_folder.clone().unwrap_or_else(|| data_dir.join(BACKUP_FOLDER))
}

/// Tells whether a day has passed since the last backup and an hour since the last try.
///
/// A time in the future, left by a clock that was set back, counts as none.
pub fn is_due(reader: &Reader, keep: &Keep, clock: &dyn Clock) -> Result<bool, OpsError> {
    if keep.backups == 0 {
        return Ok(false);
    }
    let now = clock.now();
    let has_passed = |key: &str, wait_d: f64| -> Result<bool, OpsError> {
        let since_d = reader
            .service_value(key)?
            .and_then(|text| text.parse::<f64>().ok())
            .map(|then_mjd| now.mjd_utc() - then_mjd);
        Ok(since_d.is_none_or(|since_d| !(0.0..wait_d).contains(&since_d)))
    };
    Ok(has_passed(LAST_BACKUP_KEY, BACKUP_EVERY_D)? && has_passed(LAST_TRY_KEY, RETRY_AFTER_D)?)
}

/// Makes the daily backup when it is due; `None` when it is not.
///
/// Takes some seconds per gigabyte and holds up nobody who writes.
pub fn back_up_if_due(
    store: &Store,
    keep: &Keep,
    clock: &dyn Clock,
) -> Result<Option<BackupReport>, OpsError> {
    if !is_due(store.read(), keep, clock)? {
        return Ok(None);
    }
    let now = clock.now();
    let mjd_text = now.mjd_utc().to_string();
    store.set_service_value(LAST_TRY_KEY, Some(&mjd_text))?;
    let folder = backup_folder(store.data_dir(), keep);
    let report = backup::back_up(store.data_dir(), &folder, keep.backups, now)?;
    store.set_service_value(LAST_BACKUP_KEY, Some(&mjd_text))?;
    Ok(Some(report))
}

/// Makes a backup now; the service may run.
///
/// In the folder of the daily ones (`to` is `None`) the oldest go as the configuration says; in
/// any other folder all are kept.
pub fn back_up(
    data_dir: &Path,
    to: Option<&Path>,
    keep: &Keep,
    now: Epoch,
) -> Result<BackupReport, OpsError> {
    let (folder, keep_n) = match to {
        Some(folder) => (folder.to_owned(), usize::MAX),
        None if keep.backups == 0 => (backup_folder(data_dir, keep), usize::MAX),
        None => (backup_folder(data_dir, keep), keep.backups),
    };
    Ok(backup::back_up(data_dir, &folder, keep_n, now)?)
}

/// Puts a backup in the place of the database: this file, or the newest whole one.
pub fn restore(
    data_dir: &Path,
    file: Option<&Path>,
    keep: &Keep,
    now: Epoch,
) -> Result<RestoreReport, OpsError> {
    let folder = backup_folder(data_dir, keep);
    let from = file.map_or(RestoreFrom::NewestIn(&folder), RestoreFrom::File);
    Ok(restore::restore(data_dir, from, now)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::clock::SetClock;
    use crate::science::time::SECONDS_PER_DAY;

    /// Lets whole hours pass.
    fn pass(clock: &SetClock, hours: f64) {
        clock.pass(hours * 3600.0);
    }

    #[test]
    fn a_backup_is_made_once_a_day_and_the_oldest_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        let clock = SetClock::at(Epoch::from_date(2026, 3, 1, 43_200.0));
        let keep = Keep { backups: 2, ..Keep::default() };
        let mut made = 0;
        for _ in 0..(4 * 24) {
            made += usize::from(back_up_if_due(&store, &keep, &clock).expect("made").is_some());
            pass(&clock, 1.0);
        }
        assert_eq!(made, 4, "one a day in four days");
        let left = backup::list(&folder.path().join(BACKUP_FOLDER)).expect("listed");
        let names: Vec<_> = left.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(
            names,
            ["autossos-2026-03-04T120000.sqlite", "autossos-2026-03-03T120000.sqlite"]
        );
        let none = Keep { backups: 0, ..Keep::default() };
        pass(&clock, 48.0);
        assert!(!is_due(store.read(), &none, &clock).expect("read"));
    }

    #[test]
    fn a_failed_backup_waits_an_hour_and_a_clock_set_back_hinders_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        let clock = SetClock::at(Epoch::from_date(2026, 3, 1, 0.0));
        // A file where the folder should be.
        let keep = Keep {
            backup_folder: Some(folder.path().join(crate::store::DATABASE_NAME)),
            ..Keep::default()
        };
        back_up_if_due(&store, &keep, &clock).expect_err("no folder");
        pass(&clock, 0.5);
        assert_eq!(back_up_if_due(&store, &keep, &clock).expect("waits"), None);
        pass(&clock, 0.6);
        back_up_if_due(&store, &keep, &clock).expect_err("tried again");

        let keep = Keep::default();
        pass(&clock, 1.1);
        assert!(back_up_if_due(&store, &keep, &clock).expect("made").is_some());
        clock.pass(-30.0 * SECONDS_PER_DAY);
        assert!(is_due(store.read(), &keep, &clock).expect("read"));
    }
}

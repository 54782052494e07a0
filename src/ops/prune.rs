//! Retention: product files of closed nights that are old enough, or that nothing names any more.
//!
//! Only calibrated frames, catalogues and cut-outs are taken away, never raw frames, masters or
//! reports. The rows stay: a closed night is not touched again while its files are the same, and a
//! run over it that needs a product notices that it is gone and makes it anew; cut-outs are made
//! anew by `autossosctl reprocess NIGHT --from cut-outs`.

use std::path::PathBuf;

use super::error::OpsError;
use crate::config::Keep;
use crate::science::time::Epoch;
use crate::store::prune::FoundProduct;
use crate::store::{NightId, ProductKind, Reader, Store};

/// Files taken away at a time; the next time goes on.
const FILES_MAX: usize = 10_000;
/// Age below which a file is left in any case [d]: it may belong to work that goes on.
const AGE_MIN_D: f64 = 1.0;

/// What to do with the files that may go.
#[derive(Debug, Clone, Copy)]
pub enum PruneMode<'a> {
    /// Take them away; the data folder is this process's.
    Remove(&'a Store),
    /// List them only.
    List(&'a Reader),
}

/// Why a file may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneReason {
    /// Its night has been closed for longer than such files are kept.
    Old,
    /// No result names it: it was made by an earlier reduction.
    Unnamed,
}

/// A file that was taken away or may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedFile {
    /// Its path relative to the data folder.
    pub path: PathBuf,
    /// Its size [bytes].
    pub size_bytes: u64,
    /// Why.
    pub reason: PruneReason,
}

/// What was taken away or may go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PruneReport {
    /// The files.
    pub files: Vec<PrunedFile>,
    /// Whether more files may go than are done at a time.
    pub has_more: bool,
}

impl PruneReport {
    /// Space of all files [bytes].
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// Takes away, or lists, the product files of closed nights that need not be kept.
pub fn prune(mode: PruneMode<'_>, keep: &Keep, now: Epoch) -> Result<PruneReport, OpsError> {
    let reader = match mode {
        PruneMode::Remove(store) => store.read(),
        PruneMode::List(reader) => reader,
    };
    let mut report = PruneReport::default();
    for (night, closed) in reader.closed_nights()? {
        for (kind, days) in [
            (ProductKind::Calibrated, keep.calibrated_days),
            (ProductKind::Catalogue, keep.catalogue_days),
            (ProductKind::Cutouts, keep.cutout_days),
        ] {
            let is_old = days > 0 && age_d(closed, now) >= f64::from(days);
            let reason = if is_old { PruneReason::Old } else { PruneReason::Unnamed };
            for file in candidates(reader, &night, kind, reason)? {
                if age_d(file.changed, now) < AGE_MIN_D {
                    continue;
                }
                if report.files.len() == FILES_MAX {
                    report.has_more = true;
                    return Ok(report);
                }
                if let PruneMode::Remove(store) = mode {
                    store.products().remove(&night, kind, &file)?;
                }
                let FoundProduct { relative: path, size_bytes, .. } = file;
                report.files.push(PrunedFile { path, size_bytes, reason });
            }
        }
    }
    Ok(report)
}

/// Files of a night that may go for a reason.
fn candidates(
    reader: &Reader,
    night: &NightId,
    kind: ProductKind,
    reason: PruneReason,
) -> Result<Vec<FoundProduct>, OpsError> {
    let mut found = reader.products().found(night, kind)?;
    if reason == PruneReason::Unnamed && !found.is_empty() {
        match reader.named_products(night)? {
            Some(named) => found.retain(|file| !named.contains(&file.relative)),
            None => {
                tracing::warn!(%night, "Products left alone: a row that names them is unreadable.");
                found.clear();
            }
        }
    }
    Ok(found)
}

/// Time since an instant [d].
fn age_d(then: Epoch, now: Epoch) -> f64 {
    now.mjd_utc() - then.mjd_utc()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::pipeline::artifact::report::NightReport;
    use crate::store::nights::{Closing, NightSource};
    use crate::store::stages::{StageOutcome, StageRow};

    /// 2026-03-01, 0 h: long before the tests' files are judged.
    fn day(days: f64) -> Epoch {
        Epoch::from_mjd_utc(61_100.0 + days)
    }

    /// Writes a product that was last changed at an instant.
    fn put(folder: &Path, relative: &str, changed: Epoch) {
        let path = folder.join(relative);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, [0; 1000]).expect("written");
        let since_unix = Duration::from_secs_f64((changed.mjd_utc() - 40_587.0) * 86_400.0);
        let file = std::fs::File::options().write(true).open(&path).expect("opened");
        file.set_modified(SystemTime::UNIX_EPOCH + since_unix).expect("set");
    }

    /// A night with its products; closed at an instant, or open.
    fn put_night(store: &Store, name: &str, closed: Option<Epoch>) {
        let night = NightId::new(name).expect("a good name");
        store.begin_night(&night, &NightSource::only("/raw"), day(0.0)).expect("begun");
        let relative = |kind: &str, file: &str| format!("products/{name}/{kind}/{file}");
        for (kind, file) in [
            ("calibrated", "a.fits"),
            ("calibrated", "a.mask.fits"),
            ("calibrated", "earlier.fits"),
            ("catalogue", "a.cat.fits"),
            ("masters", "flat.fits"),
            ("report", "report.html"),
        ] {
            put(store.data_dir(), &relative(kind, file), day(0.5));
        }
        let payload = format!(
            r#"{{"products": {{"calibrated": "{}", "mask": "{}", "catalogue": "{}"}}}}"#,
            relative("calibrated", "a.fits"),
            relative("calibrated", "a.mask.fits"),
            relative("catalogue", "a.cat.fits")
        );
        let row = StageRow {
            subject: "hash".to_owned(),
            stage: "frame".to_owned(),
            version: 1,
            key: "k".to_owned(),
            outcome: StageOutcome::Done,
            product: Some(relative("calibrated", "a.fits").into()),
            payload,
        };
        store.record_stage(&night, row).expect("kept");
        if let Some(closed) = closed {
            let report = NightReport {
                night: name.to_owned(),
                version: "0.1.0".to_owned(),
                instrument: "simulated".to_owned(),
                masters: Vec::new(),
                frames: Vec::new(),
                candidates: Vec::new(),
                faint: Vec::new(),
                known: Vec::new(),
                joined: Vec::new(),
                removed: Vec::new(),
                not_done: Vec::new(),
            };
            store.close_night(&night, Closing::plain(report), closed).expect("closed");
        }
    }

    fn paths(report: &PruneReport) -> Vec<String> {
        report.files.iter().map(|file| file.path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn old_products_go_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        put_night(&store, "old", Some(day(1.0)));
        put_night(&store, "young", Some(day(25.0)));
        put_night(&store, "open", None);
        let keep = Keep { calibrated_days: 30, catalogue_days: 60, ..Keep::default() };
        let listed = prune(PruneMode::List(store.read()), &keep, day(40.0)).expect("listed");
        let calibrated = ["a.fits", "a.mask.fits", "earlier.fits"];
        let mut expected: Vec<String> =
            calibrated.iter().map(|name| format!("products/old/calibrated/{name}")).collect();
        expected.push("products/young/calibrated/earlier.fits".to_owned());
        assert_eq!(paths(&listed), expected);
        let reasons: Vec<_> = listed.files.iter().map(|file| file.reason).collect();
        use PruneReason::{Old, Unnamed};
        assert_eq!(reasons, [Old, Old, Old, Unnamed]);
        assert_eq!((listed.size_bytes(), listed.has_more), (4000, false));
        for path in &expected {
            assert!(folder.path().join(path).exists(), "{path} was only listed");
        }

        let removed = prune(PruneMode::Remove(&store), &keep, day(40.0)).expect("removed");
        assert_eq!(removed, listed);
        for path in &expected {
            assert!(!folder.path().join(path).exists(), "{path} is gone");
        }
        for left in [
            "products/old/catalogue/a.cat.fits",
            "products/old/masters/flat.fits",
            "products/old/report/report.html",
            "products/young/calibrated/a.fits",
            "products/open/calibrated/a.fits",
            "products/open/calibrated/earlier.fits",
        ] {
            assert!(folder.path().join(left).exists(), "{left} stays");
        }
        let again = prune(PruneMode::Remove(&store), &keep, day(40.0)).expect("nothing left");
        assert_eq!(again, PruneReport::default());

        // The rows stay, and a run that needs the product sees that it is gone.
        let night = NightId::new("old").expect("a good name");
        assert_eq!(store.read().stage_done(&night, "hash", "frame", "k").expect("read"), None);
        assert_eq!(store.read().named_products(&night).expect("read").map(|n| n.len()), Some(3));
        let later = prune(PruneMode::Remove(&store), &keep, day(62.0)).expect("removed");
        assert_eq!(paths(&later)[0], "products/old/catalogue/a.cat.fits");
    }

    #[test]
    fn for_ever_is_for_ever_and_fresh_files_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        put_night(&store, "n", Some(day(1.0)));
        let keep = Keep::default();
        let listed = prune(PruneMode::List(store.read()), &keep, day(9000.0)).expect("listed");
        assert_eq!(paths(&listed), ["products/n/calibrated/earlier.fits"]);
        let soon = prune(PruneMode::List(store.read()), &keep, day(1.4)).expect("listed");
        assert_eq!(paths(&soon), [""; 0], "younger than a day: work may go on");
        // Made anew although the night is old: not to be taken away under a running reduction.
        put(folder.path(), "products/n/calibrated/a.fits", day(99.9));
        let keep = Keep { calibrated_days: 1, ..keep };
        let listed = prune(PruneMode::List(store.read()), &keep, day(100.0)).expect("listed");
        assert!(!paths(&listed).contains(&"products/n/calibrated/a.fits".to_owned()));
        assert_eq!(listed.files.len(), 2);
    }

    #[test]
    fn a_row_that_cannot_be_read_protects_its_night() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        put_night(&store, "n", Some(day(1.0)));
        let row = StageRow {
            subject: "other".to_owned(),
            stage: "frame".to_owned(),
            version: 1,
            key: "k".to_owned(),
            outcome: StageOutcome::Done,
            product: None,
            payload: "no JSON".to_owned(),
        };
        store.record_stage(&NightId::new("n").expect("a good name"), row).expect("kept");
        let listed = prune(PruneMode::List(store.read()), &Keep::default(), day(99.0));
        assert_eq!(listed.expect("listed"), PruneReport::default());
    }

    #[test]
    fn a_flood_is_taken_away_in_parts() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        put_night(&store, "n", Some(day(1.0)));
        let calibrated = folder.path().join("products/n/calibrated");
        for i in 0..FILES_MAX {
            std::fs::File::create(calibrated.join(format!("x{i}"))).expect("made");
        }
        // The files are new by the system's clock: look from far in the future.
        let listed = prune(PruneMode::List(store.read()), &Keep::default(), day(90_000.0));
        let listed = listed.expect("listed");
        assert_eq!((listed.files.len(), listed.has_more), (FILES_MAX, true));
    }
}

//! A run that was stopped anywhere and started again gives what an undisturbed one gives.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use autossos::config::Config;
use autossos::ops::run::run_night;
use autossos::ops::{Event, OpsError, Progress};
use autossos::pipeline::NIGHT_STAGES;
use autossos::store::{NightId, Reader};

use crate::simulated::{NightOnDisk, contents, small};

/// Asks to stop after so many events; counts them.
struct StopAfter {
    n_left: AtomicUsize,
    n_seen: AtomicUsize,
}

impl StopAfter {
    fn new(n_events: usize) -> Self {
        Self { n_left: AtomicUsize::new(n_events), n_seen: AtomicUsize::new(0) }
    }
}

impl Progress for StopAfter {
    fn event(&self, _event: Event<'_>) -> ControlFlow<()> {
        self.n_seen.fetch_add(1, Ordering::SeqCst);
        let left =
            self.n_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if left.is_ok_and(|before| before > 1) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

/// Tables, report and product files of a data folder.
fn outcome(data: &Path) -> (String, BTreeMap<PathBuf, Vec<u8>>) {
    let reader = Reader::open(data).expect("a database");
    let night = NightId::new("test").expect("a name");
    let report = reader.report(&night).expect("readable").expect("the night is closed");
    let frames = reader.frames(&night).expect("readable");
    let candidates = reader.candidates(&night).expect("readable");
    (format!("{report:#?}\n{frames:#?}\n{candidates:#?}"), contents(&data.join("products")))
}

/// Times of change of all product files.
fn times(data: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let products = data.join("products");
    contents(&products)
        .into_keys()
        .map(|path| {
            let metadata = std::fs::metadata(products.join(&path)).expect("a file");
            (path, metadata.modified().expect("a time"))
        })
        .collect()
}

#[test]
fn a_stopped_run_goes_on_to_the_same_result() {
    let night = NightOnDisk::new(&small(11));
    let config = Config::default();
    let all = StopAfter::new(usize::MAX);
    let undisturbed = run_night(&night.request("whole"), &config, &all).expect("a night");
    assert_eq!(undisturbed.n_reduced, 5);
    assert!(!undisturbed.report.candidates.is_empty(), "a night without objects tests little");
    let n_events = all.n_seen.into_inner();
    // Scan, masters, 5 frames, then the night's stages.
    assert_eq!(n_events, 2 + 5 + NIGHT_STAGES.len());
    let (tables, products) = outcome(&night.data("whole"));

    for n in 1..=n_events {
        let data = format!("stopped-{n}");
        let request = night.request(&data);
        let stopped = run_night(&request, &config, &StopAfter::new(n));
        assert!(matches!(stopped, Err(OpsError::Stopped)), "after event {n}: {stopped:?}");
        let again = run_night(&request, &config, &StopAfter::new(usize::MAX)).expect("a night");
        if n > 7 {
            assert_eq!(again.n_reduced, 0, "stopped after all frames (event {n})");
        }
        let (tables_again, products_again) = outcome(&night.data(&data));
        assert_eq!(tables, tables_again, "stopped after event {n}");
        let names: Vec<&PathBuf> = products.keys().collect();
        assert_eq!(names, products_again.keys().collect::<Vec<_>>(), "after event {n}");
        for (name, bytes) in &products {
            let is_same = products_again.get(name) == Some(bytes);
            assert!(is_same, "{} differs when stopped after event {n}", name.display());
        }
    }
}

#[test]
fn running_twice_does_nothing_twice() {
    let night = NightOnDisk::new(&small(12));
    let first = night.run("data");
    let before = times(&night.data("data"));
    let second = night.run("data");
    assert_eq!(second.n_reduced, 0);
    assert_eq!(first.report, second.report);
    assert_eq!(before, times(&night.data("data")), "no product was written again");
}

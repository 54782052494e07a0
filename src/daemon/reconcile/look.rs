//! A look at the folders and at the database: the state of the world.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::intake::Known;
use super::Reconciler;
use super::choose::NightView;
use crate::config::Config;
use crate::formats::fits;
use crate::ops::OpsError;
use crate::ops::status::Problem;
use crate::pipeline::ingest::interpret;
use crate::science::time::Epoch;
use crate::store::NightId;

/// Shortest time between two looks, however often the bell rings.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Reconciler {
    /// Tells whether the timer asks for a look.
    pub(super) fn is_look_due(&self) -> bool {
        let after = self.next_look.unwrap_or(Duration::MAX).min(self.rescan());
        self.looked.is_none_or(|at| at.elapsed() >= after)
    }

    /// Looks at all incoming folders; one that cannot be read is told and does not stop the others.
    pub(super) fn look(&mut self) -> Result<(), OpsError> {
        if let Some(at) = self.looked {
            std::thread::sleep(LOOK_EVERY.saturating_sub(at.elapsed()));
        }
        let now = self.surroundings.clock.now();
        let read = self.surroundings.store.read();
        self.closed = read.closed_listings()?.into_iter().collect();
        self.requests = read.requests()?.into_iter().map(|(id, r)| (id.to_string(), r)).collect();
        self.watching.watch.refresh();
        let closed_paths = self.watching.watch.take_closed();
        // What the last look saw makes room for what this one sees.
        self.view.clear();
        let mut view = Vec::new();
        let mut next_look: Option<f64> = None;
        let mut unreadable = Vec::new();
        for (index, watched) in self.watched.iter_mut().enumerate() {
            let config = &watched.workshop.config;
            watched.intake.heard(&closed_paths);
            let (closed, requests) = (&self.closed, &self.requests);
            let is_done = |night: &str, listing: &str| {
                let id = night_name(&watched.telescope.name, night);
                let before = closed.get(&id).and_then(|before| before.as_deref());
                before == Some(listing) && !requests.contains_key(&id)
            };
            let known =
                Known { header_time: &|path, _| header_time(path, config), is_done: &is_done };
            let looked = watched.intake.look(now, &known);
            let looked = match looked {
                Ok(looked) => looked,
                Err(error) => {
                    let folder = watched.telescope.incoming.display();
                    tracing::error!("The incoming folder {folder} cannot be read: {error}.");
                    unreadable
                        .push(format!("the incoming folder {folder} cannot be read: {error}"));
                    continue;
                }
            };
            for note in looked.notes {
                let (telescope, night) = (&watched.telescope.name, &note.night);
                tracing::warn!(%telescope, %night, file = %note.subject, "{}.", note.text);
            }
            next_look = [next_look, looked.next_look_s].into_iter().flatten().reduce(f64::min);
            for night in looked.nights {
                match NightId::new(&night_name(&watched.telescope.name, &night.name)) {
                    Ok(id) => view.push(Arc::new(NightView::new(id, index, night))),
                    Err(error) => tracing::warn!(folder = %night.name, "No night: {error}"),
                }
            }
        }
        let telescope_problem = (!unreadable.is_empty()).then(|| unreadable.join("; "));
        let problem = telescope_problem.map(Problem::bad);
        self.surroundings.state.set_problem("incoming", problem);
        view.sort_by(|a, b| b.files.name.cmp(&a.files.name).then_with(|| a.id.cmp(&b.id)));
        self.memory.retain(|id, _| view.iter().any(|night| night.id.as_str() == id));
        self.view = view;
        self.looked = Some(Instant::now());
        self.next_look = next_look.and_then(|s| Duration::try_from_secs_f64(s).ok());
        self.tell_queue();
        Ok(())
    }

    fn tell_queue(&self) {
        let n_waiting: usize = self.view.iter().map(|view| view.n_waiting()).sum();
        let n_open = self.view.iter().filter(|v| !self.is_closed(v)).count();
        self.surroundings.state.set_queue(n_waiting as u64, n_open as u64);
    }

    /// Tells whether a night was closed with exactly these files.
    pub(super) fn is_closed(&self, view: &NightView) -> bool {
        let before = self.closed.get(view.id.as_str()).and_then(|before| before.as_deref());
        before == Some(view.files.fingerprint())
    }

    /// How long nothing can be to do, as far as one knows.
    pub(super) fn idle_time(&self) -> Duration {
        let rescan = self.rescan();
        let since_look = self.looked.map_or(Duration::ZERO, |at| at.elapsed());
        let next = self.next_look.unwrap_or(rescan).min(rescan).saturating_sub(since_look);
        let holds = self.memory.values().filter_map(|m| m.hold_left());
        holds.fold(next, Duration::min).max(Duration::from_millis(10))
    }
}

/// The night's identifier: with the telescope's name where it has one.
fn night_name(telescope: &str, night: &str) -> String {
    if telescope.is_empty() { night.to_owned() } else { format!("{telescope}.{night}") }
}

/// Middle of the exposure by a file's header.
fn header_time(path: &Path, config: &Config) -> Option<Epoch> {
    let image = fits::probe(path, &config.fits_limits()).ok()?;
    let profile = config.instrument.profile_for(&image.header);
    interpret(&image.header, image.nx, image.ny, profile).ok()?.mid
}

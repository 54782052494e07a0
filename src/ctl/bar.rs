//! The progress bar.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{IS_QUIET, IS_STOPPED};
use crate::ops::{Event, Progress};

/// Shows frames done, the stage and the time left; hidden when the output is for a program.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(is_hidden: bool) -> Self {
        let is_hidden = is_hidden || IS_QUIET.load(Ordering::Relaxed);
        let bar = if is_hidden { ProgressBar::hidden() } else { ProgressBar::new(0) };
        let template = "{msg:<24!} [{bar:30}] {pos}/{len} frames, {elapsed} (left {eta})";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message("looking at files");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn event(&self, event: Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Scanned { n_science, .. } => {
                self.0.set_length(n_science as u64);
                self.0.set_message("masters");
            }
            Event::Fetching => self.0.set_message("fetching stars"),
            Event::Masters => self.0.set_message("frames"),
            Event::Frame { name, .. } => {
                self.0.set_message(name.to_owned());
                self.0.inc(1);
            }
            Event::Stage { name } => self.0.set_message(name.to_owned()),
        }
        if IS_STOPPED.load(Ordering::Relaxed) {
            self.0.finish_and_clear();
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

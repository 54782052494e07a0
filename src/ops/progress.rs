//! What a long verb tells while it works, and how it is asked to stop.

use std::ops::ControlFlow;

use crate::pipeline::artifact::frame_record::FrameStatus;

/// One step of a night.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// The folder was looked through: number of files, number of science frames to do.
    Scanned {
        /// Files of all kinds.
        n_files: usize,
        /// Science frames.
        n_science: usize,
    },
    /// Stars of the catalogue are being fetched; told about once a second.
    Fetching,
    /// The masters are made.
    Masters,
    /// A science frame is through, now or in an earlier run.
    Frame {
        /// Its name.
        name: &'a str,
        /// Whether it can be used.
        status: FrameStatus,
        /// Time it took [s]; 0 when it was only looked up.
        seconds: f64,
    },
    /// A stage of the night is through.
    Stage {
        /// Its name.
        name: &'a str,
    },
}

/// Listens to a verb; may be called from several threads.
pub trait Progress: Sync {
    /// Takes note of a step. `Break` asks the verb to stop after it; nothing done is lost.
    fn event(&self, event: Event<'_>) -> ControlFlow<()>;
}

/// Listens to nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _event: Event<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

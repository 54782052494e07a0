//! What is known and done, kept over kills and restarts: SQLite and the product folders.
//!
//! A data folder holds `autossos.sqlite` (the only truth), `products/` (files that can be made
//! again) and a lock file. [`Store`] owns the folder for one process and writes; [`Reader`] only
//! reads and needs no lock. Methods of both lie in one file per table: `nights`, `frames`,
//! `stages`, `candidates`, `verdicts`, `outbox`, `masters`, `attempts`, `sessions`, `submissions`,
//! `wanted_tiles`, `known_replies`, `object_numbers`; the star catalogue's files in `tiles`;
//! what a person asked for in `requests`, what a person looks for in `lookup`. Opening and closing
//! lie in `open`; `check`, `backup`, `restore` and `prune` care for what may break or grows old.
//! All writing is one IMMEDIATE transaction per call on one thread (`writer`), and repeating a call
//! changes nothing.

pub mod attempts;
pub mod backup;
pub mod candidates;
pub mod check;
pub mod error;
pub mod files;
pub mod filesystem;
pub mod folder;
pub mod frames;
pub mod known_replies;
pub mod lookup;
pub mod masters;
pub mod night_id;
pub mod night_objects;
pub mod nights;
pub mod object_numbers;
mod open;
pub mod orbits;
pub mod outbox;
mod payload;
pub mod prune;
pub mod reader;
pub mod report_due;
pub mod requests;
pub mod restore;
mod schema;
pub mod service;
pub mod sessions;
pub mod stages;
pub mod submissions;
pub mod tiles;
pub mod verdicts;
pub mod wanted_tiles;
pub mod writer;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use attempts::LeftAttempt;

pub use error::{Retry, StoreError};
pub use files::{ProductFile, ProductKind, Products};
pub use folder::ProductFolder;
pub use night_id::NightId;
pub use reader::Reader;
pub use writer::Writer;

/// Name of the database in the data folder.
pub const DATABASE_NAME: &str = "autossos.sqlite";
/// The state of the observatory, owned by this process.
#[derive(Debug)]
pub struct Store {
    // Fields drop in this order: the connections are closed before the lock is given back, the
    // writing one last: only it can bring the log into the database and take it away.
    reader: Reader,
    writer: Writer,
    data_dir: PathBuf,
    was_unclean: bool,
    needs_check: AtomicBool,
    left_running: Vec<LeftAttempt>,
    _lock: File,
}

impl Store {
    /// Everything that can be asked.
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// The connection that writes, for work that must be one transaction.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The product folders.
    pub fn products(&self) -> &Products {
        self.reader.products()
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}

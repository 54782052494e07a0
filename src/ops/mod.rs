//! Layer 4: the verbs. Command line and daemon call these; here stages, store and report meet.

pub mod astrometry_check;
pub mod blind_index;
pub mod catalog;
pub mod clock;
pub mod cutouts;
pub mod db;
pub mod demo;
pub mod disk;
pub mod error;
pub mod export;
pub mod frame_list;
pub mod labels;
pub mod light_curve;
pub mod mail;
pub mod night_end;
pub mod object_names;
pub mod orbits;
pub mod orders;
pub mod overview;
pub mod preflight;
pub mod profile;
pub mod progress;
pub mod prune;
pub mod refit;
pub mod run;
pub mod status;
pub mod submit;
pub mod trace;
pub mod users;
pub mod vetting;

pub use error::OpsError;
pub use progress::{Event, Progress, Silent};

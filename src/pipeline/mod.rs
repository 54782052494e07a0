//! Layer 2: the stages of a night, synchronous, blind to files, clock and network.
//!
//! A science frame goes through [`FRAME_STAGES`] in [`reduce::reduce_frame`]; when all frames of
//! a night are through, [`NIGHT_STAGES`] make candidates of their catalogues
//! ([`link::link_night`], [`identify::identify`], [`rate::rate`]) and a report of the candidates
//! ([`summarize::summarize`]). What a frame lacks ends as a [`stage::Refusal`] with numbers in
//! its record, never as an error.

pub mod agree;
pub mod artifact;
pub mod calibrate;
pub mod calibrate_flux;
pub mod clock_check;
pub mod cutouts;
pub mod difference;
pub mod extract;
pub mod fields;
pub mod filter;
pub mod identify;
pub mod ingest;
pub mod join;
pub mod judge_astrometry;
pub mod judge_photometry;
pub mod link;
pub mod masters;
pub mod measure_movers;
pub mod rate;
pub mod recover;
pub mod reduce;
pub mod share_astrometry;
pub mod share_photometry;
pub mod solve;
pub mod stage;
pub mod static_sky;
pub mod summarize;
pub mod trace;

pub use stage::{FRAME_STAGES, NIGHT_STAGES, StageName};

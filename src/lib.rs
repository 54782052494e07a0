// SPDX-License-Identifier: MIT OR Apache-2.0
//! autossos: from the raw frames of a night to its moving objects, without a question asked.
//!
//! What flows: a raw FITS file becomes a [`RawFrame`](pipeline::reduce::RawFrame); calibration
//! makes electrons of it, extraction a list of sources, the plate solution and the zero point a
//! [`Catalogue`](pipeline::artifact::catalogue::Catalogue) on the sky. At the end of the night the
//! catalogues of one field are linked; each
//! [`Candidate`](pipeline::artifact::candidate::Candidate) is named after predicted places and told
//! in a [`NightReport`](pipeline::artifact::report::NightReport). A frame that lacks something
//! ends as a row with a reason and measured numbers; it never stops a night.
//!
//! Layers, each knowing only those above it in this list:
//! 1. [`science`]: pure functions on values; no files, clock, network or log.
//! 2. [`formats`]: bytes to values and back.
//! 3. [`pipeline`]: the stages; see the world only through traits.
//! 4. [`store`] (SQLite and product files), [`report`] (page, mail, tables), [`remote`] (network).
//! 5. [`ops`]: the verbs; [`config`]: what the user wrote, checked.
//! 6. [`daemon`], [`web`] and [`ctl`]: the service, its page and the command line, on top of the
//!    verbs.
//!
//! Where to start reading: [`pipeline::reduce::reduce_frame`] is a frame's way as one function,
//! [`pipeline::link::link_night`] a night's; [`ops::run::run_night`] puts files around both.
//! `docs/ARCHITECTURE.md` tells what holds everywhere.

pub mod config;
pub mod ctl;
pub mod daemon;
pub mod formats;
pub mod ops;
pub mod pipeline;
pub mod remote;
pub mod report;
pub mod science;
pub mod store;
pub mod web;

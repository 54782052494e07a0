//! One binary of integration tests: nights from raw frames to candidates, the real programs, and
//! the rules of the house.

#![expect(clippy::disallowed_methods, reason = "tests write files and start our binaries")]

mod config_files;
mod ctl;
mod daemon;
mod layering;
mod night;
mod resume;
mod simulated;
mod tidy;
mod tree;

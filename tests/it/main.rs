//! One binary of integration tests: nights from raw frames to candidates, the real programs, and
//! the rules of the house.

#![expect(clippy::disallowed_methods, reason = "tests write files and start our binaries")]

mod browser;
mod catalogue;
mod config_files;
mod control;
mod crash;
mod ctl;
mod cutouts;
mod daemon;
mod database;
mod endurance;
mod ephemeris;
mod extensions;
mod faults;
mod fields;
mod frames;
mod from_seeds;
mod known;
mod layering;
mod mail;
mod mail_look;
mod mailbox;
mod manual;
mod modes;
mod night;
mod observatory;
mod packaging;
mod photometry;
mod profile_guess;
mod ratings;
mod resume;
mod seeds_files;
mod service;
mod simulated;
mod submit;
mod tables;
mod tidy;
mod tree;
mod vet;
mod vet_night;
mod vetting_night;
mod web;
mod web_browser;
mod weights;

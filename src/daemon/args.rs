//! The words of the service's command line.

use std::path::PathBuf;

use clap::Parser;

const EXIT_CODES: &str = "Exit codes: 0 stopped or done; 1 failed; 2 wrong arguments; 78 wrong \
                          configuration.";

/// Processes the nights of the incoming folder as they come.
#[derive(Debug, Parser)]
#[command(name = "autossosd", version, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Configuration file; `daemon.incoming` must be set there or in the environment.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Check the configuration and end.
    #[arg(long)]
    pub(super) check_config: bool,
    /// Look at the incoming folder once, process what has settled there and end.
    #[arg(long)]
    pub(super) once: bool,
}

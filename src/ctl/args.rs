//! The words of the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Finds, names and measures the moving objects of a night.
#[derive(Debug, Parser)]
#[command(name = "autossosctl", version, about, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Tell more on stderr; twice for everything.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(super) verbose: u8,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed; 2 wrong arguments; 3 no frame of the night \
                          could be used; 78 wrong configuration; 130 stopped.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Process one night folder in the foreground; run it again to go on after a stop.
    Run(RunArgs),
    /// Simulate a small night and process it like a real one.
    Demo(DemoArgs),
    /// Write a table of a processed night.
    Export(ExportArgs),
    /// List the nights of a data folder.
    Status(StatusArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct CommonArgs {
    /// Configuration file; without one the built-in values hold.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Data folder: database and products.
    #[arg(long, value_name = "DIR", default_value = "./autossos-data")]
    pub(super) data: PathBuf,
    /// Set a configuration key, e.g. `--set extract.threshold_sigma=5`.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Print JSON instead of tables.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Folder of the night's raw frames.
    #[arg(value_name = "NIGHT_DIR")]
    pub(super) night_dir: PathBuf,
    /// Name of the night [default: the folder's name; a folder `raw` takes its parent's].
    #[arg(long, value_name = "ID")]
    pub(super) night: Option<String>,
    /// Star catalogue, CSV with the Gaia archive's column names; may be given several times.
    #[arg(long, value_name = "CSV")]
    pub(super) reference: Vec<PathBuf>,
    /// SkyBoT-style list of predicted places of known objects; may be given several times.
    #[arg(long, value_name = "CSV")]
    pub(super) known: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Another number gives another night.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(super) night: String,
    /// Data folder.
    #[arg(long, value_name = "DIR", default_value = "./autossos-data")]
    pub(super) data: PathBuf,
    /// Which table.
    #[arg(long, value_enum)]
    pub(super) format: Format,
    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// A row per detection of a reported candidate.
    Detections,
    /// A row per science file.
    Frames,
}

#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// Data folder.
    #[arg(long, value_name = "DIR", default_value = "./autossos-data")]
    pub(super) data: PathBuf,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

//! The arguments of `run`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{CommonArgs, stage_names};

/// What a run leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::ctl) enum SkipWord {
    /// Frames that were reduced before are taken as they are, whatever was changed since.
    Calibrate,
    /// Frames of bad astrometry are not solved anew.
    Recalibrate,
    /// No known object is asked for: nothing is named.
    Identify,
}

/// A night and what is made again of it.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct RunArgs {
    /// Folder of the night's raw frames.
    #[arg(value_name = "NIGHT_DIR")]
    pub(in crate::ctl) night_dir: PathBuf,
    /// Name of the night [default: the folder's name; a folder `raw` takes its parent's].
    #[arg(long, value_name = "ID")]
    pub(in crate::ctl) night: Option<String>,
    /// Star catalogue, CSV with the Gaia archive's column names; may be given several times.
    #[arg(long, value_name = "CSV")]
    pub(in crate::ctl) reference: Vec<PathBuf>,
    /// SkyBoT-style list of predicted places of known objects; may be given several times.
    #[arg(long, value_name = "CSV")]
    pub(in crate::ctl) known: Vec<PathBuf>,
    /// Make the results of this stage and of those after it again, though nothing was changed; a
    /// frame's stages are one unit, each of them makes all frames anew.
    #[arg(long, value_name = "STAGE", value_parser = stage_names())]
    pub(in crate::ctl) from: Option<String>,
    /// Leave something out; may be given several times.
    #[arg(long, value_name = "WHAT")]
    pub(in crate::ctl) skip: Vec<SkipWord>,
    #[command(flatten)]
    pub(in crate::ctl) common: CommonArgs,
}

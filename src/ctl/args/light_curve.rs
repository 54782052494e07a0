//! The words of `lightcurve` and `plot`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{RefitLimits, ServiceArgs};

/// An object and the nights to look in.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct ObjectArgs {
    /// Number, name or designation of a known object, a candidate, the key of an object of several
    /// nights, or AST_n.
    #[arg(value_name = "OBJECT")]
    pub(in crate::ctl) object: String,
    /// Nights to look in [default: all that are closed].
    #[arg(value_name = "NIGHT")]
    pub(in crate::ctl) nights: Vec<String>,
}

/// `lightcurve`: what to tell and where to write.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct LightCurveArgs {
    #[command(flatten)]
    pub(in crate::ctl) object: ObjectArgs,
    /// Folder for CSV, ALCDEF, SVG and PNG files [default: none are written].
    #[arg(long, value_name = "DIR")]
    pub(in crate::ctl) to: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::ctl) service: ServiceArgs,
}

/// What to draw.
#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum PlotCommand {
    /// The magnitudes of an object over its nights.
    Lightcurve(PlotObjectArgs),
    /// The stars of a frame and its zero point.
    Fit(PlotFitArgs),
    /// The statistics of the frames' skies over a night.
    Stats(PlotNightArgs),
    /// R2 of the frames' regressions over a night.
    R2(PlotNightArgs),
}

/// A chart of a frame.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct PlotFitArgs {
    #[command(flatten)]
    pub(in crate::ctl) night: PlotNightArgs,
    /// Name of the frame's file.
    #[arg(long, value_name = "FRAME")]
    pub(in crate::ctl) frame: String,
    #[command(flatten)]
    pub(in crate::ctl) limits: RefitLimits,
}

/// A chart of a night.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct PlotNightArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(in crate::ctl) night: String,
    /// Folder for SVG and PNG.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(in crate::ctl) to: PathBuf,
    #[command(flatten)]
    pub(in crate::ctl) service: ServiceArgs,
}

/// A chart of an object.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct PlotObjectArgs {
    #[command(flatten)]
    pub(in crate::ctl) object: ObjectArgs,
    /// Folder for SVG and PNG.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(in crate::ctl) to: PathBuf,
    #[command(flatten)]
    pub(in crate::ctl) service: ServiceArgs,
}

//! The arguments of `frame`.

use clap::ValueEnum;

use super::ServiceArgs;

/// The words after `frame`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::ctl) enum FrameCommand {
    /// List raw frames by what they are for, or what was made of them.
    List(Box<FrameListArgs>),
    /// Show all that is known of a frame, or of a master and the files it was made from.
    Show(FrameShowArgs),
    /// Take away what was made of a frame, or a master; raw files are never touched.
    Remove(FrameRemoveArgs),
}

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::ctl) enum KindWord {
    /// Exposures of the sky.
    Science,
    /// Exposures of no length.
    Bias,
    /// Exposures with a closed shutter.
    Dark,
    /// Evenly lit exposures.
    Flat,
    /// Frames that a profile or a rule leaves alone.
    Ignored,
}

/// How a list looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(in crate::ctl) enum ListForm {
    /// A table.
    #[default]
    Basic,
    /// All that is known of each frame, a line each.
    Long,
    /// Names only, in one line.
    Line,
}

/// Which frames, which columns, which form.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct FrameListArgs {
    /// Night, or a folder that was never processed [default: the night that was opened last].
    #[arg(value_name = "NIGHT|DIR")]
    pub(in crate::ctl) night: Option<String>,
    /// Frames of all nights.
    #[arg(long, conflicts_with = "night")]
    pub(in crate::ctl) all: bool,
    /// Masters and reduced frames instead of raw files.
    #[arg(long)]
    pub(in crate::ctl) products: bool,
    /// Only frames for this.
    #[arg(long, value_name = "KIND")]
    pub(in crate::ctl) kind: Option<KindWord>,
    /// Only frames of this status, as the list shows it: `ok`, `rejected`, `failed`.
    #[arg(long, value_name = "STATUS")]
    pub(in crate::ctl) status: Option<String>,
    /// Only frames that fit, e.g. `exposure_s >= 60 and filter == "R" and name ~ "img*"`.
    #[arg(long, value_name = "EXPR")]
    pub(in crate::ctl) filter: Option<String>,
    /// Columns, or keywords of the header in capital letters, or `all`.
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    pub(in crate::ctl) keys: Vec<String>,
    /// Column to sort by; with a `-` before it the largest come first.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(in crate::ctl) sort: Option<String>,
    /// Form of the list.
    #[arg(long, value_name = "FORM", default_value = "basic")]
    pub(in crate::ctl) form: ListForm,
    /// Decimals of numbers [default: as many as they have, at most six].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=15))]
    pub(in crate::ctl) digits: Option<u8>,
    /// Print CSV.
    #[arg(long, conflicts_with_all = ["json", "form"])]
    pub(in crate::ctl) csv: bool,
    #[command(flatten)]
    pub(in crate::ctl) service: ServiceArgs,
}

/// A frame or a master.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct FrameShowArgs {
    /// Name of the frame's file, or at least six first digits of its content hash; or a master's
    /// name or file.
    #[arg(value_name = "FRAME|MASTER")]
    pub(in crate::ctl) frame: String,
    /// Its night; needed when several nights have such a frame.
    #[arg(long, value_name = "NIGHT")]
    pub(in crate::ctl) night: Option<String>,
    #[command(flatten)]
    pub(in crate::ctl) service: ServiceArgs,
}

/// What is taken away, and whether it comes back.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct FrameRemoveArgs {
    /// Name of the frame's file, or at least six first digits of its content hash; or a master's
    /// name or file.
    #[arg(value_name = "FRAME|MASTER")]
    pub(in crate::ctl) frame: String,
    /// Its night; needed when several nights have such a frame.
    #[arg(long, value_name = "NIGHT")]
    pub(in crate::ctl) night: Option<String>,
    /// Leave the frame alone from now on: a rule is written to the first of
    /// `instrument.rules_files`, with this reason.
    #[arg(long, value_name = "REASON")]
    pub(in crate::ctl) exclude: Option<String>,
    /// Do it; without this it is only told what would go.
    #[arg(long)]
    pub(in crate::ctl) yes: bool,
    #[command(flatten)]
    pub(in crate::ctl) place: super::PlaceArgs,
}

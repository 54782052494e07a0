//! The words of judging: cut-outs, the queue, labels, who may log in, what goes to the Minor Planet
//! Center.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Subcommand, ValueEnum};

use super::{DataPlaceArgs, PlaceArgs};
use crate::pipeline::artifact::cutouts::View;

#[derive(Debug, clap::Args)]
#[command(after_help = VET_EXIT_CODES)]
pub(in crate::ctl) struct VetArgs {
    /// Name of the night [default: the newest closed one with candidates that nobody judged; with
    /// --set the only one that has the candidate].
    #[arg(value_name = "NIGHT")]
    pub(in crate::ctl) night: Option<String>,
    /// Who judges [default: the user who logged in].
    #[arg(long, value_name = "NAME")]
    pub(in crate::ctl) who: Option<String>,
    /// Print the candidates with their verdicts.
    #[arg(long, conflicts_with = "set")]
    pub(in crate::ctl) list: bool,
    /// Print JSON instead of a table.
    #[arg(long, requires = "list")]
    pub(in crate::ctl) json: bool,
    /// Judge one: asteroid, artefact, unknown, or undo to take the last verdict back.
    #[arg(long, num_args = 2, value_names = ["ID", "VERDICT"])]
    pub(in crate::ctl) set: Vec<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", requires = "set")]
    pub(in crate::ctl) note: Option<String>,
    /// Show nothing but ASCII, and no colours.
    #[arg(long)]
    pub(in crate::ctl) plain: bool,
    /// How pictures are shown.
    #[arg(long, value_enum, default_value = "auto", value_name = "HOW")]
    pub(in crate::ctl) picture: PictureArg,
    #[command(flatten)]
    pub(in crate::ctl) place: PlaceArgs,
}

const VET_EXIT_CODES: &str = "Exit codes: 0 done, or ended by q; 1 failed; 2 wrong arguments; 130 \
                              ended by a signal. Keys: ? shows them.";

/// How the terminal shows pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::ctl) enum PictureArg {
    /// As the terminal answers when it is asked.
    Auto,
    /// By kitty's graphics protocol.
    Kitty,
    /// As sixels.
    Sixel,
    /// As half blocks in colours: over ssh and in tmux too.
    Blocks,
    /// As characters.
    Shades,
}

#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum UserCommand {
    /// Let somebody log in, or change a password.
    Add(UserAddArgs),
    /// Take somebody's right to log in away.
    Remove(UserRemoveArgs),
    /// List the names.
    List(UserListArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct UserAddArgs {
    /// Name: letters, digits, `-`, `_` and `.`.
    #[arg(value_name = "NAME")]
    pub(in crate::ctl) name: String,
    /// Read the password from stdin instead of asking for it twice.
    #[arg(long)]
    pub(in crate::ctl) password_stdin: bool,
    #[command(flatten)]
    pub(in crate::ctl) place: DataPlaceArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct UserRemoveArgs {
    /// Name.
    #[arg(value_name = "NAME")]
    pub(in crate::ctl) name: String,
    #[command(flatten)]
    pub(in crate::ctl) place: DataPlaceArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct UserListArgs {
    #[command(flatten)]
    pub(in crate::ctl) place: DataPlaceArgs,
    /// Print JSON instead of a list.
    #[arg(long)]
    pub(in crate::ctl) json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct CutoutsArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(in crate::ctl) night: String,
    /// Candidate [default: all of the night that have cut-outs].
    #[arg(value_name = "CANDIDATE")]
    pub(in crate::ctl) candidate: Option<String>,
    /// Folder to write to; made when it is not there.
    #[arg(long, value_name = "DIR")]
    pub(in crate::ctl) to: PathBuf,
    /// What is written.
    #[arg(long, value_enum, default_value_t = CutoutsFormat::Png)]
    pub(in crate::ctl) format: CutoutsFormat,
    /// What stands still, and whether the static sky is taken off [default: what shows the motion
    /// best].
    #[arg(long, value_name = "VIEW", value_parser = PossibleValuesParser::new(
          View::ALL.map(View::name)))]
    pub(in crate::ctl) view: Option<String>,
    #[command(flatten)]
    pub(in crate::ctl) place: DataPlaceArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::ctl) enum CutoutsFormat {
    /// All frames side by side.
    Png,
    /// An animation of at most 150 kB.
    Gif,
    /// An animation of all frames in full quality.
    Apng,
    /// The stamps with their places on the sky, in all views.
    Fits,
}

#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum LabelsCommand {
    /// Write a row per verdict that holds, with ratings and features as they were at its time.
    Export(LabelsExportArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct LabelsExportArgs {
    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::ctl) output: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = LabelFormatWord::Csv)]
    pub(in crate::ctl) format: LabelFormatWord,
    /// Only this night.
    #[arg(long, value_name = "NIGHT")]
    pub(in crate::ctl) night: Option<String>,
    /// The whole history: also what was taken back or overruled, and notes.
    #[arg(long)]
    pub(in crate::ctl) all: bool,
    #[command(flatten)]
    pub(in crate::ctl) place: DataPlaceArgs,
}

/// How labels are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::ctl) enum LabelFormatWord {
    /// A table.
    Csv,
    /// A list of objects.
    Json,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["check", "write"]))]
pub(in crate::ctl) struct SubmitArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(in crate::ctl) night: String,
    /// Only tell what would go, and what is held back and why; changes nothing.
    #[arg(long)]
    pub(in crate::ctl) check: bool,
    /// Record and write the file, after a yes; the observations are never written again.
    #[arg(long)]
    pub(in crate::ctl) write: bool,
    /// Form of the file.
    #[arg(long, value_enum, default_value_t = SubmitForm::Psv)]
    pub(in crate::ctl) format: SubmitForm,
    /// Say yes without being asked.
    #[arg(long, requires = "who", conflicts_with = "check")]
    pub(in crate::ctl) yes: bool,
    /// Who says yes, for the record.
    #[arg(long, value_name = "NAME")]
    pub(in crate::ctl) who: Option<String>,
    /// Copy the file there; the one on record lies in the folder `submissions` of the data folder.
    #[arg(short, long, value_name = "FILE", conflicts_with = "check")]
    pub(in crate::ctl) output: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::ctl) json: bool,
    #[command(flatten)]
    pub(in crate::ctl) place: PlaceArgs,
}

/// Form of a file for the Minor Planet Center.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::ctl) enum SubmitForm {
    /// ADES, pipe-separated values.
    Psv,
    /// ADES, XML.
    Xml,
    /// Lines of 80 columns.
    Obs80,
}

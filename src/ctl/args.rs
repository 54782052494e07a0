//! The words of the command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand, ValueEnum};

use super::config::ConfigVerb;
use crate::pipeline::artifact::cutouts::View;
use crate::pipeline::{FRAME_STAGES, NIGHT_STAGES};

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
    /// Write pictures, animations or FITS files of candidates' cut-outs.
    Cutouts(CutoutsArgs),
    /// Tell what the service is doing, how it is, and the last nights.
    Status(ServiceArgs),
    /// List, show, close or reopen nights.
    #[command(subcommand)]
    Night(NightCommand),
    /// Show frames.
    #[command(subcommand)]
    Frame(FrameCommand),
    /// Forget results of a night, so that they are made again.
    Reprocess(ReprocessArgs),
    /// Begin no new work until `resume`; frames in work are finished.
    Pause(PauseArgs),
    /// Go on after `pause`.
    Resume(OrderArgs),
    /// Let the service read its configuration again.
    Reload(OrderArgs),
    /// Print the service's last messages.
    Log(LogArgs),
    /// Check the database, make a backup of it, or put a backup in its place.
    Db(DbArgs),
    /// Take away products of closed nights that need not be kept; raw frames never.
    Prune(PruneArgs),
    /// Check, show or begin a configuration.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Try, list and send again the mails.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Judge the candidates of a night on the terminal; or list them, or judge one by script.
    Vet(VetArgs),
    /// Write what people said of candidates, with the features they saw.
    #[command(subcommand)]
    Labels(LabelsCommand),
    /// Say who may log in on the web page.
    #[command(subcommand)]
    User(UserCommand),
    /// Show or write what goes to the Minor Planet Center; nothing is sent.
    Submit(SubmitArgs),
    /// Print what a shell needs to complete the words of this program.
    Completions(CompletionsArgs),
    /// Write the manual pages of both programs and of the configuration.
    #[command(hide = true)]
    Man(ManArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = VET_EXIT_CODES)]
pub(super) struct VetArgs {
    /// Name of the night [default: the newest closed one with candidates that nobody judged; with
    /// --set the only one that has the candidate].
    #[arg(value_name = "NIGHT")]
    pub(super) night: Option<String>,
    /// Who judges [default: the user who logged in].
    #[arg(long, value_name = "NAME")]
    pub(super) who: Option<String>,
    /// Print the candidates with their verdicts.
    #[arg(long, conflicts_with = "set")]
    pub(super) list: bool,
    /// Print JSON instead of a table.
    #[arg(long, requires = "list")]
    pub(super) json: bool,
    /// Judge one: asteroid, artefact, unknown, or undo to take the last verdict back.
    #[arg(long, num_args = 2, value_names = ["ID", "VERDICT"])]
    pub(super) set: Vec<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", requires = "set")]
    pub(super) note: Option<String>,
    /// Show nothing but ASCII, and no colours.
    #[arg(long)]
    pub(super) plain: bool,
    /// How pictures are shown.
    #[arg(long, value_enum, default_value = "auto", value_name = "HOW")]
    pub(super) picture: PictureArg,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

const VET_EXIT_CODES: &str = "Exit codes: 0 done, or ended by q; 1 failed; 2 wrong arguments; 130 \
                              ended by a signal. Keys: ? shows them.";

/// How the terminal shows pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PictureArg {
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
pub(super) enum MailCommand {
    /// Send a test mail at once and tell what the mail server said.
    Test(DataPlaceArgs),
    /// List the mails of the outbox, newest first.
    List(MailListArgs),
    /// Send a mail again, the same bytes, at the service's next step.
    Resend(MailResendArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct MailListArgs {
    #[command(flatten)]
    pub(super) place: DataPlaceArgs,
    /// Most mails listed.
    #[arg(short, long, value_name = "N", default_value_t = 30)]
    pub(super) number: u32,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct MailResendArgs {
    #[command(flatten)]
    pub(super) place: PlaceArgs,
    /// Number of the mail, as `autossosctl mail list` gives it.
    #[arg(value_name = "ID")]
    pub(super) id: i64,
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Let somebody log in, or change a password.
    Add(UserAddArgs),
    /// Take somebody's right to log in away.
    Remove(UserRemoveArgs),
    /// List the names.
    List(UserListArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct UserAddArgs {
    /// Name: letters, digits, `-`, `_` and `.`.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Read the password from stdin instead of asking for it twice.
    #[arg(long)]
    pub(super) password_stdin: bool,
    #[command(flatten)]
    pub(super) place: DataPlaceArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct UserRemoveArgs {
    /// Name.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) place: DataPlaceArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct UserListArgs {
    #[command(flatten)]
    pub(super) place: DataPlaceArgs,
    /// Print JSON instead of a list.
    #[arg(long)]
    pub(super) json: bool,
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
    /// A row per candidate with its motion, identity and ratings.
    Candidates,
}

#[derive(Debug, clap::Args)]
pub(super) struct CutoutsArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(super) night: String,
    /// Candidate [default: all of the night that have cut-outs].
    #[arg(value_name = "CANDIDATE")]
    pub(super) candidate: Option<String>,
    /// Folder to write to; made when it is not there.
    #[arg(long, value_name = "DIR")]
    pub(super) to: PathBuf,
    /// What is written.
    #[arg(long, value_enum, default_value_t = CutoutsFormat::Png)]
    pub(super) format: CutoutsFormat,
    /// What stands still, and whether the static sky is taken off [default: what shows the motion
    /// best].
    #[arg(long, value_name = "VIEW", value_parser = PossibleValuesParser::new(
          View::ALL.map(View::name)))]
    pub(super) view: Option<String>,
    #[command(flatten)]
    pub(super) place: DataPlaceArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CutoutsFormat {
    /// All frames side by side.
    Png,
    /// An animation of at most 150 kB.
    Gif,
    /// An animation of all frames in full quality.
    Apng,
    /// The stamps with their places on the sky, in all views.
    Fits,
}

/// Where the service and its data are.
#[derive(Debug, clap::Args)]
pub(super) struct PlaceArgs {
    /// Socket of the service [default: as the configuration says].
    #[arg(long, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    /// Configuration of the service [default: /etc/autossos/autossos.toml, when it is there].
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Data folder [default: as the configuration says, else ./autossos-data].
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
}

/// A verb that prints.
#[derive(Debug, clap::Args)]
pub(super) struct ServiceArgs {
    #[command(flatten)]
    pub(super) place: PlaceArgs,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// An order without further words.
#[derive(Debug, clap::Args)]
pub(super) struct OrderArgs {
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum NightCommand {
    /// List the nights.
    List(NightListArgs),
    /// Show one night: its frames by status, its objects, what was not done.
    Show(NightShowArgs),
    /// Close a night now and report it.
    Close(NightArgs),
    /// Open a closed night again.
    Reopen(NightArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct NightListArgs {
    /// Only nights of this telescope.
    #[arg(long, value_name = "NAME")]
    pub(super) telescope: Option<String>,
    #[command(flatten)]
    pub(super) service: ServiceArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct NightShowArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(super) night: String,
    #[command(flatten)]
    pub(super) service: ServiceArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct NightArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(super) night: String,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum FrameCommand {
    /// Show all that is known of a frame.
    Show(FrameShowArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct FrameShowArgs {
    /// Name of the frame's file, or at least six first digits of its content hash.
    #[arg(value_name = "FRAME")]
    pub(super) frame: String,
    /// Its night; needed when several nights have such a frame.
    #[arg(long, value_name = "NIGHT")]
    pub(super) night: Option<String>,
    #[command(flatten)]
    pub(super) service: ServiceArgs,
}

/// Names of all stages, those of a frame first.
fn stage_names() -> PossibleValuesParser {
    PossibleValuesParser::new(FRAME_STAGES.iter().chain(&NIGHT_STAGES).map(|stage| stage.name))
}

#[derive(Debug, clap::Args)]
pub(super) struct ReprocessArgs {
    /// Name of the night, or a frame of any night.
    #[arg(value_name = "NIGHT|FRAME")]
    pub(super) night: String,
    /// Only this frame: its name, or at least six first digits of its content hash.
    #[arg(long, value_name = "FRAME")]
    pub(super) frame: Option<String>,
    /// First stage that runs again; a frame's stages are one unit, each of them makes it anew.
    #[arg(long, value_name = "STAGE", default_value = FRAME_STAGES[0].name,
          value_parser = stage_names())]
    pub(super) from: String,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct PauseArgs {
    /// Why, for those who look at the status.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    /// How many messages.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    pub(super) lines: usize,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// Where the data folder is, for verbs that the service has no part in.
#[derive(Debug, clap::Args)]
pub(super) struct DataPlaceArgs {
    /// Configuration of the service [default: /etc/autossos/autossos.toml, when it is there].
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Data folder [default: as the configuration says, else ./autossos-data].
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Set a configuration key, e.g. `--set keep.calibrated_days=90`.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
}

/// The same for verbs that can print JSON.
#[derive(Debug, clap::Args)]
pub(super) struct DataArgs {
    #[command(flatten)]
    pub(super) place: DataPlaceArgs,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct DbArgs {
    #[command(subcommand)]
    pub(super) verb: DbVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum DbVerb {
    /// Look for damage; the service may run.
    Check {
        /// Compare indices and references as well: slower.
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        place: DataArgs,
    },
    /// Make a checked copy of the database; the service may run.
    Backup {
        /// Folder for the copy; nothing else in it is deleted [default: that of the daily ones].
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
        #[command(flatten)]
        place: DataArgs,
    },
    /// Put a backup in the place of the database; the service must not run.
    Restore {
        /// The backup [default: the newest whole one].
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        place: DataArgs,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct PruneArgs {
    /// Only tell what would go; the service may run.
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) place: DataArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum LabelsCommand {
    /// Write a row per verdict that holds, with ratings and features as they were at its time.
    Export(LabelsExportArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct LabelsExportArgs {
    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = LabelFormatWord::Csv)]
    pub(super) format: LabelFormatWord,
    /// Only this night.
    #[arg(long, value_name = "NIGHT")]
    pub(super) night: Option<String>,
    /// The whole history: also what was taken back or overruled, and notes.
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) place: DataPlaceArgs,
}

/// How labels are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LabelFormatWord {
    /// A table.
    Csv,
    /// A list of objects.
    Json,
}

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Shell that reads them.
    #[arg(value_enum)]
    pub(super) shell: Shell,
}

/// A shell that completes words.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Folder of the pages; made when it is not there.
    #[arg(long, value_name = "DIR")]
    pub(super) to: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["check", "write"]))]
pub(super) struct SubmitArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(super) night: String,
    /// Only tell what would go, and what is held back and why; changes nothing.
    #[arg(long)]
    pub(super) check: bool,
    /// Record and write the file, after a yes; the observations are never written again.
    #[arg(long)]
    pub(super) write: bool,
    /// Form of the file.
    #[arg(long, value_enum, default_value_t = SubmitForm::Psv)]
    pub(super) format: SubmitForm,
    /// Say yes without being asked.
    #[arg(long, requires = "who", conflicts_with = "check")]
    pub(super) yes: bool,
    /// Who says yes, for the record.
    #[arg(long, value_name = "NAME")]
    pub(super) who: Option<String>,
    /// Copy the file there; the one on record lies in the folder `submissions` of the data folder.
    #[arg(short, long, value_name = "FILE", conflicts_with = "check")]
    pub(super) output: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// Form of a file for the Minor Planet Center.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum SubmitForm {
    /// ADES, pipe-separated values.
    Psv,
    /// ADES, XML.
    Xml,
    /// Lines of 80 columns.
    Obs80,
}

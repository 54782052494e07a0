//! The words of the command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand, ValueEnum};

use super::config::ConfigVerb;
use crate::pipeline::{FRAME_STAGES, NIGHT_STAGES};

mod catalog;
mod frame;
mod judging;
mod light_curve;
mod orbits;
mod period;
mod profile;
mod refit;
mod run;
mod trace;

pub(super) use catalog::{CatalogCommand, CatalogFetchArgs, CatalogImportArgs, CatalogIndexArgs};
pub(super) use frame::{
    FrameCommand, FrameListArgs, FrameRemoveArgs, FrameShowArgs, KindWord, ListForm,
};
pub(super) use judging::{
    CutoutsArgs, CutoutsFormat, LabelFormatWord, LabelsCommand, LabelsExportArgs, PictureArg,
    SubmitArgs, SubmitForm, UserAddArgs, UserCommand, UserListArgs, UserRemoveArgs, VetArgs,
};
pub(super) use light_curve::{LightCurveArgs, ObjectArgs, PlotCommand, PlotFitArgs, PlotNightArgs};
pub(super) use period::PeriodArgs;
pub(super) use profile::{ProfileCommand, ProfileGuessArgs};
pub(super) use refit::{MethodWord, RefitArgs, RefitLimits};
pub(super) use run::{RunArgs, SkipWord};

pub(super) use orbits::{
    OrbitsCommand, OrbitsEphemerisArgs, OrbitsImportArgs, OrbitsUpdateArgs, Site,
};
pub(super) use trace::TraceArgs;

/// Finds, names and measures the moving objects of a night.
#[derive(Debug, Parser)]
#[command(name = "autossosctl", version, about, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Tell more on stderr; twice for everything.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(super) verbose: u8,
    /// Tell messages on stderr from this level on.
    #[arg(short, long, value_name = "LEVEL", ignore_case = true, global = true,
          conflicts_with_all = ["verbose", "quiet"])]
    pub(super) log: Option<LogLevel>,
    /// Tell nothing but errors: no progress, no text; JSON that is asked for is printed.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Messages that are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogLevel {
    /// Everything.
    Debug,
    /// What is done.
    Info,
    /// What went wrong and was put right.
    #[value(alias = "warning")]
    Warn,
    /// What was lost.
    #[value(alias = "critical")]
    Error,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed; 2 wrong arguments; 3 no frame of the night \
                          could be used; 4 check found outliers or frames without solution; 78 \
                          wrong configuration; 130 stopped.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Process one night folder in the foreground; run it again to go on after a stop.
    Run(RunArgs),
    /// Simulate a small night and process it like a real one.
    Demo(DemoArgs),
    /// Write a table or a chart of a processed night.
    Export(ExportArgs),
    /// Write pictures, animations or FITS files of candidates' cut-outs.
    Cutouts(CutoutsArgs),
    /// Tell the light curve of an object over its nights: magnitudes, distances, doubts.
    Lightcurve(LightCurveArgs),
    /// Compute a night's zero points again with other limits, and tell what would change.
    Refit(RefitArgs),
    /// Draw charts as SVG and PNG files.
    #[command(subcommand)]
    Plot(PlotCommand),
    /// Search the rotation period of an object of a night or of a light curve's file.
    Period(PeriodArgs),
    /// Tell what the service is doing, how it is, and the last nights.
    Status(ServiceArgs),
    /// List, show, close or reopen nights.
    #[command(subcommand)]
    Night(NightCommand),
    /// List or show frames, or take away what was made of them.
    #[command(subcommand)]
    Frame(FrameCommand),
    /// Say at which step of a night an object was lost, or that it was found.
    Trace(TraceArgs),
    /// Check the astrometry of a night: separations by frame, outliers, frames not solved.
    Check(NightShowArgs),
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
    /// Fetch, import, tell or check the stored star catalogue; index the whole sky.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Import or fetch the orbits of known objects, or tell where one of them is.
    #[command(subcommand)]
    Orbits(OrbitsCommand),
    /// Check, show or begin a configuration.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Propose an instrument profile.
    #[command(subcommand)]
    Profile(ProfileCommand),
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
    /// File to write; for `seeds`, `ldac` and `ds9` the folder.
    #[arg(value_name = "FILE|DIR", required_unless_present = "output")]
    pub(super) to: Option<PathBuf>,
    /// The same.
    #[arg(short, long, value_name = "FILE", conflicts_with = "to")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// A row per detection of a reported candidate.
    Detections,
    /// A row per science file.
    Frames,
    /// A row per candidate with its motion, identity and ratings.
    Candidates,
    /// A row per frame whose astrometry is an outlier of the night (list_outliers.csv).
    Outliers,
    /// A row per frame without a plate solution (list_notsolved.csv).
    NotSolved,
    /// A row per tracklet that a cut of `[filter]` removed, with the reason.
    Removed,
    /// A row per detection with the columns and units of ssos.
    Ssos,
    /// The same with R2 and validity of each frame's photometry (calib_*.csv).
    Calib,
    /// The same without frames whose photometry is not valid (validcalib_*.csv).
    Validcalib,
    /// A row per frame with the statistics of its sky (Stats.dat).
    Stats,
    /// A row per frame with its regression (coeff_fit.csv).
    CoeffFit,
    /// A row per known object and frame that it is in, found or not (skybot_all.csv).
    Skybot,
    /// A row per known object in the frames: where, how bright, found or not.
    Known,
    /// Observed minus predicted places of known objects, a chart (SVG).
    SkybotResiduals,
    /// Observed against predicted rates of known objects, a chart (SVG).
    SkybotPm,
    /// The night's fields with all objects, a chart (SVG).
    FieldMap,
    /// A folder with all files of Automatic-SSOs and ssos under their names.
    Seeds,
    /// A folder with the frames' catalogues as SExtractor writes them and SCAMP takes them.
    Ldac,
    /// A folder with region files for DS9: what was found, and known objects that were not.
    Ds9,
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
#[group(required = true)]
pub(super) struct ManArgs {
    /// Folder of the pages; made when it is not there.
    #[arg(long, value_name = "DIR")]
    pub(super) to: Option<PathBuf>,
    /// File of the reference of the configuration, as docs/CONFIGURATION.md.
    #[arg(long, value_name = "FILE")]
    pub(super) configuration: Option<PathBuf>,
}

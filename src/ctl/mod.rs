//! Layer 5: the command line. Parses, calls a verb, prints.
//!
//! `run`, `demo` and `export` work by themselves. The others are about the service: `client` finds
//! its socket or its database; `status`, `night` and `frame` show, `orders` asks for something,
//! `vet` lets a person judge candidates on the terminal.
//!
//! Exit codes: 0 done; 1 the verb failed; 2 the words on the command line are wrong; 3 the night
//! was processed, but not one of its frames could be used; 4 `check` found outliers or frames
//! without solution; 78 the configuration is wrong; 130 stopped by the user.

mod args;
mod bar;
mod catalog;
mod check;
mod client;
mod config;
mod cutouts;
mod db;
mod export;
mod frame;
mod frame_list;
mod frame_remove;
mod labels;
mod light_curve;
mod mail;
mod manual;
mod night;
mod old_config;
mod orbits;
mod orders;
mod output;
mod period;
mod plot;
mod profile;
mod refit;
mod run;
mod status;
mod submit;
mod table;
mod trace;
mod user;
mod vet;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory as _, Parser as _};

use crate::config::{Config, ConfigError, load as load_config};
use crate::ops::OpsError;
use args::{Args, Command, CommonArgs, LogLevel};

const EXIT_FAILED: u8 = 1;
const EXIT_WORDS: u8 = 2;
const EXIT_NO_USABLE_FRAME: u8 = 3;
const EXIT_FOUND: u8 = 4;
const EXIT_CONFIG: u8 = 78;
const EXIT_STOPPED: u8 = 130;

/// Set while a verb has the whole screen.
static HAS_SCREEN: AtomicBool = AtomicBool::new(false);

/// Set when nothing but errors is to be told.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Set by Ctrl-C; the verbs stop at the next frame.
static IS_STOPPED: AtomicBool = AtomicBool::new(false);

/// Runs `autossosctl` on the process's arguments.
pub fn main() -> ExitCode {
    let args = Args::parse();
    IS_QUIET.store(args.quiet, Ordering::Relaxed);
    start_log(level(&args));
    match act(args.command) {
        Ok(code) => code,
        Err(error) => failure(&error),
    }
}

/// Tells whether the program takes these words; it does nothing.
///
/// * `words`: the program's name first. Errors: what is wrong with them, as the user is told.
pub fn accepts(words: &[String]) -> Result<(), String> {
    Args::try_parse_from(words).map(|_| ()).map_err(|error| error.to_string())
}

/// The least messages that are told.
fn level(args: &Args) -> &'static str {
    match (args.log, args.quiet, args.verbose) {
        (Some(LogLevel::Debug), ..) => "debug",
        (Some(LogLevel::Info), ..) => "info",
        (Some(LogLevel::Warn), ..) => "warn",
        (Some(LogLevel::Error), ..) | (None, true, _) => "error",
        (None, false, 0) => "warn",
        (None, false, 1) => "info",
        (None, false, _) => "debug",
    }
}

fn start_log(level: &str) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(format!("autossos={level}")))
        .with_writer(log_writer)
        .with_ansi(std::io::stderr().is_terminal())
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        eprintln!("A log was started before.");
    }
}

/// Where the log goes: to stderr, but nowhere while a verb draws on the whole screen.
fn log_writer() -> Box<dyn std::io::Write> {
    if HAS_SCREEN.load(Ordering::Relaxed) {
        Box::new(std::io::sink())
    } else {
        Box::new(std::io::stderr())
    }
}

fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("autossosctl: {error:#}");
    if error.is::<ConfigError>() {
        return ExitCode::from(EXIT_CONFIG);
    }
    match error.downcast_ref::<OpsError>() {
        Some(OpsError::Stopped) => ExitCode::from(EXIT_STOPPED),
        _ => ExitCode::from(EXIT_FAILED),
    }
}

fn act(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(args) => run::night(args),
        Command::Demo(args) => run::demonstrate(&args),
        Command::Export(args) => export::run(&args).map(done),
        Command::Cutouts(args) => cutouts::export(&args).map(done),
        Command::Lightcurve(args) => light_curve::run(&args).map(done),
        Command::Refit(args) => refit::run(&args).map(done),
        Command::Plot(command) => plot::act(&command).map(done),
        Command::Period(args) => period::run(&args).map(done),
        Command::Status(args) => status::show(&args).map(done),
        Command::Night(command) => night::run(&command).map(done),
        Command::Frame(command) => frame::act(&command).map(done),
        Command::Check(args) => check::run(&args),
        Command::Trace(args) => trace::run(&args).map(done),
        Command::Reprocess(args) => orders::reprocess(&args).map(done),
        Command::Pause(args) => orders::pause(&args).map(done),
        Command::Resume(args) => orders::resume(&args).map(done),
        Command::Reload(args) => orders::reload(&args).map(done),
        Command::Log(args) => orders::log(&args).map(done),
        Command::Db(db_args) => db::act(db_args.verb),
        Command::Prune(prune_args) => db::prune(&prune_args),
        Command::Catalog(command) => catalog::act(&command),
        Command::Orbits(command) => orbits::act(&command),
        Command::Config(verb) => config::act(verb),
        Command::Profile(command) => profile::act(&command).map(done),
        Command::Mail(command) => mail::act(&command),
        Command::Vet(args) => vet::run(&args),
        Command::Labels(command) => labels::run(&command).map(done),
        Command::User(command) => user::act(&command).map(done),
        Command::Submit(args) => submit::act(&args),
        Command::Completions(wanted) => {
            manual::completions(Args::command(), wanted.shell)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Man(wanted) => manual::write(Args::command(), &wanted).map(done),
    }
}

/// A verb that either fails or is done.
fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

fn load(common: &CommonArgs) -> anyhow::Result<Config> {
    Ok(load_config(common.config.as_deref(), &common.set, environment())?)
}

/// The environment as text; what is no Unicode cannot name a key.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Lets the first Ctrl-C end the verb at the next frame; the second one ends the process.
fn stop_on_interrupt() {
    let listen = || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            tokio::signal::ctrl_c().await?;
            IS_STOPPED.store(true, Ordering::Relaxed);
            eprintln!("Stopping after the frames in work; press Ctrl-C again to stop at once.");
            tokio::signal::ctrl_c().await?;
            std::process::exit(i32::from(EXIT_STOPPED));
        })
    };
    std::thread::spawn(move || {
        if let Err(error) = listen() {
            tracing::warn!(%error, "Ctrl-C will end the process at once.");
        }
    });
}

//! Layer 5: the service. Watches the incoming folders and works on what comes.
//!
//! `args` is its command line, `start` checks what the configuration must say before it begins,
//! `run` puts the parts together. `reconcile` does the work: `intake` tells what lies in the
//! folders, `watch` and `signals` ring its `bell`. Beside it: `post` sends mail, `upkeep` looks
//! after the database and the alarms, `state` is what the service tells of itself (with
//! `log_tail`), `control` is the socket and `health` the port where it tells it (`metrics` in the
//! words of Prometheus), `page` opens the web page, `systemd` tells the system; `log` chooses where
//! messages go; `fatal` ends the service when only a human can help.
//!
//! Exit codes: 0 stopped or done; 1 something failed; 2 wrong arguments; 78 a wrong configuration
//! or a data folder that only a human can mend, so that systemd does not start it again
//! (`RestartPreventExitStatus=78`).

mod args;
mod bell;
pub mod control;
mod fatal;
pub mod health;
mod intake;
mod journal;
mod log;
pub mod log_tail;
mod metrics;
mod page;
mod post;
mod reconcile;
mod run;
mod signals;
mod start;
pub mod state;
mod systemd;
mod upkeep;
mod watch;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, Parser as _};

use crate::config::{self, Config, ConfigError};
use crate::ops::OpsError;
use crate::store::StoreError;
use args::Args;
use log_tail::LogTail;
use reconcile::Mode;
use run::Started;
use start::{MissingFolder, Service, StartError};

const EXIT_FAILED: u8 = 1;
const EXIT_CONFIG: u8 = 78;

/// Runs `autossosd` on the process's arguments.
pub fn main() -> ExitCode {
    let args = Args::parse();
    match act(&args) {
        Ok(code) => code,
        Err(error) => failure(&error),
    }
}

/// The service's command line, for its manual page.
pub(crate) fn command() -> clap::Command {
    Args::command()
}

fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("autossosd: {error:#}");
    let is_humans = error.is::<ConfigError>()
        || error.is::<StartError>()
        || error.downcast_ref::<StoreError>().is_some_and(StoreError::is_operators)
        || error.downcast_ref::<OpsError>().is_some_and(OpsError::is_operators);
    ExitCode::from(if is_humans { EXIT_CONFIG } else { EXIT_FAILED })
}

/// The configuration of a file and the environment.
fn read_config(file: Option<&Path>) -> Result<Config, ConfigError> {
    // Names and values that are no UTF-8 cannot be settings.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    config::load(file, &[], environment)
}

fn act(args: &Args) -> anyhow::Result<ExitCode> {
    let config = read_config(args.config.as_deref())?;
    if args.check_config {
        let service = Service::new(config, MissingFolder::Refuse)?;
        println!("The configuration is fine.");
        for telescope in &service.telescopes {
            println!("  {telescope}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let tail = LogTail::default();
    let sink = tail.clone();
    let log = log::start(&config.log, Arc::new(move |line| sink.push(&line)));
    // reqwest is built without a TLS provider of its own; an error means that one is there.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("A TLS provider was installed before.");
    }
    let (mode, missing) = match args.once {
        true => (Mode::Once, MissingFolder::Refuse),
        false => (Mode::Forever, MissingFolder::Await),
    };
    let service = Service::new(config, missing)?;
    let left = run::run(Started { service, config_file: args.config.clone(), log, tail, mode })?;
    if left.n_waiting > 0 {
        tracing::warn!(files = left.n_waiting, "Files left: they still change.");
    }
    Ok(if left.n_failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
}

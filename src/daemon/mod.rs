//! Layer 5: the service. Looks into the incoming folder, processes what lies there, waits.
//!
//! `args` is its command line, `start` checks what the configuration must say before it begins,
//! `log` chooses where messages go, `nights` lists the incoming folder, `watch` wakes on changes,
//! `stop` listens to the system, `run` is the loop that puts them together.
//!
//! Exit codes: 0 stopped or done; 1 something failed; 2 wrong arguments; 78 wrong configuration,
//! so that systemd does not start it again (`RestartPreventExitStatus=78`).

mod args;
mod log;
mod nights;
mod run;
mod start;
mod stop;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::config::{self, ConfigError};
use args::Args;
use run::Mode;
use start::{Service, StartError};

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

fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("autossosd: {error:#}");
    let is_config = error.is::<ConfigError>() || error.is::<StartError>();
    ExitCode::from(if is_config { EXIT_CONFIG } else { EXIT_FAILED })
}

fn act(args: &Args) -> anyhow::Result<ExitCode> {
    // Names and values that are no UTF-8 cannot be settings.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = config::load(args.config.as_deref(), &[], environment)?;
    let service = Service::new(config)?;
    if args.check_config {
        println!("The configuration is fine; incoming folder: {}.", service.incoming.display());
        return Ok(ExitCode::SUCCESS);
    }
    log::start();
    // reqwest is built without a TLS provider of its own; an error means that one is there.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("A TLS provider was installed before.");
    }
    let mode = if args.once { Mode::Once } else { Mode::Forever };
    let ended = run::run(service, mode)?;
    Ok(if ended.n_failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
}

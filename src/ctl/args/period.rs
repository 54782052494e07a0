//! The words of `period`.

use std::path::PathBuf;

/// `period`: what to search and where to write.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct PeriodArgs {
    /// Light curve, a CSV (time, mag, mag_err, session) or ALCDEF file; or a night, or `all`.
    #[arg(value_name = "FILE|NIGHT|all")]
    pub(in crate::ctl) source: String,
    /// Object of the night: a name, a number, a candidate or a key; of a file: what to call it.
    #[arg(value_name = "NAME")]
    pub(in crate::ctl) name: Option<String>,
    /// Sines to take out one after the other.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(in crate::ctl) iterations: u32,
    /// Trials of the bootstrap; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(in crate::ctl) trials: u32,
    /// Shortest rotation period sought [h]; the sampling may set a longer one.
    #[arg(long, value_name = "HOURS", default_value_t = 0.02)]
    pub(in crate::ctl) period_min: f64,
    /// One zero point for all sessions: magnitudes are on one system.
    #[arg(long)]
    pub(in crate::ctl) one_zero_point: bool,
    /// Folder for text, JSON, SVG, PNG, CSV and ALCDEF files [default: none are written].
    #[arg(long, value_name = "DIR")]
    pub(in crate::ctl) to: Option<PathBuf>,
    /// Data folder of the night.
    #[arg(long, value_name = "DIR")]
    pub(in crate::ctl) data: Option<PathBuf>,
    /// Configuration of the service [default: /etc/autossos/autossos.toml, when it is there].
    #[arg(long, value_name = "FILE")]
    pub(in crate::ctl) config: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(in crate::ctl) json: bool,
}

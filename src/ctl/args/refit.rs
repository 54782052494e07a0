//! The words of `refit`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::ServiceArgs;

/// A method of finding zero points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::ctl) enum MethodWord {
    /// Slope one, colour term and flat of the night.
    Robust,
    /// Slope free, as Automatic-SSOs.
    Regression,
}

/// Limits that hold instead of the configured ones.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(in crate::ctl) struct RefitLimits {
    /// Which method's zero points count [default: as configured].
    #[arg(long, value_name = "METHOD")]
    pub(in crate::ctl) method: Option<MethodWord>,
    /// Clipping factor of the regression.
    #[arg(long, value_name = "FACTOR")]
    pub(in crate::ctl) sigma: Option<f64>,
    /// Brightest stars of the regression [mag, Gaia G].
    #[arg(long, value_name = "MAG", allow_negative_numbers = true)]
    pub(in crate::ctl) min_mag: Option<f64>,
    /// Faintest stars of the regression [mag, Gaia G].
    #[arg(long, value_name = "MAG")]
    pub(in crate::ctl) max_mag: Option<f64>,
    /// Errors of its stars must be below this [mag].
    #[arg(long, value_name = "MAG")]
    pub(in crate::ctl) max_magerr: Option<f64>,
    /// Frames whose regression has a lower coefficient of determination are not valid.
    #[arg(long, value_name = "R2")]
    pub(in crate::ctl) r2: Option<f64>,
}

/// `refit`: the night, the limits, and where tables go.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct RefitArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(in crate::ctl) night: String,
    #[command(flatten)]
    pub(in crate::ctl) limits: RefitLimits,
    /// Folder for coeff_fit.csv, calib_NIGHT.csv and validcalib_NIGHT.csv [default: none are written].
    #[arg(long, value_name = "DIR")]
    pub(in crate::ctl) to: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::ctl) service: ServiceArgs,
}

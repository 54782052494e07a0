//! The arguments of `trace`.

use super::ServiceArgs;

/// An object and the night it should be in.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct TraceArgs {
    /// Name of the night.
    #[arg(value_name = "NIGHT")]
    pub(in crate::ctl) night: String,
    /// Right ascension of the object [deg].
    #[arg(long, value_name = "DEG", requires = "dec", conflicts_with = "name")]
    pub(in crate::ctl) ra: Option<f64>,
    /// Declination of the object [deg].
    #[arg(long, value_name = "DEG", requires = "ra", allow_negative_numbers = true)]
    pub(in crate::ctl) dec: Option<f64>,
    /// When it is there [MJD, UTC; default: the middle of the night].
    #[arg(long, value_name = "MJD")]
    pub(in crate::ctl) mjd: Option<f64>,
    /// How fast it moves [arcsec/min].
    #[arg(long, value_name = "ARCSEC_PER_MIN", requires = "pa")]
    pub(in crate::ctl) rate: Option<f64>,
    /// Where it moves, north through east [deg].
    #[arg(long, value_name = "DEG", requires = "rate", allow_negative_numbers = true)]
    pub(in crate::ctl) pa: Option<f64>,
    /// A known object instead, by number, name or designation.
    #[arg(long, value_name = "NAME")]
    pub(in crate::ctl) name: Option<String>,
    #[command(flatten)]
    pub(in crate::ctl) service: ServiceArgs,
}

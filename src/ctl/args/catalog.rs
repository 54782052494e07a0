//! Words of `autossosctl catalog`.

use std::path::PathBuf;

use clap::Subcommand;

use super::DataPlaceArgs;

#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum CatalogCommand {
    /// Make the index with which frames are found whose pointing is missing or wrong.
    Index(CatalogIndexArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct CatalogIndexArgs {
    /// Bright stars of the whole sky (G <= 10 or deeper), CSV with the Gaia archive's column names.
    #[arg(value_name = "CSV", required = true)]
    pub(in crate::ctl) files: Vec<PathBuf>,
    /// File to write [default: astrometry.blind_index, else reference/blind.index in the data
    /// folder, where it is found by itself].
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::ctl) output: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::ctl) place: DataPlaceArgs,
}

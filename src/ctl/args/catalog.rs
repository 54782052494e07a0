//! The words of `autossosctl catalog`.

use std::path::PathBuf;

use clap::Subcommand;

use super::DataArgs;

#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum CatalogCommand {
    /// Fetch the stars around a place from the Gaia archive or VizieR and keep them.
    Fetch(CatalogFetchArgs),
    /// Put star lists (CSV) into the stored catalogue.
    Import(CatalogImportArgs),
    /// Tell what is stored.
    Info(DataArgs),
    /// Make the index with which frames are found whose pointing is missing or wrong.
    Index(CatalogIndexArgs),
    /// Check all stored stars; damaged tiles are set aside and fetched again when needed.
    Verify(DataArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct CatalogFetchArgs {
    /// Right ascension of the middle [deg].
    #[arg(long, value_name = "DEG", value_parser = ra_deg)]
    pub(in crate::ctl) ra: f64,
    /// Declination of the middle [deg].
    #[arg(long, value_name = "DEG", value_parser = dec_deg, allow_negative_numbers = true)]
    pub(in crate::ctl) dec: f64,
    /// Radius of the circle [deg].
    #[arg(long, value_name = "DEG", value_parser = radius_deg)]
    pub(in crate::ctl) radius: f64,
    #[command(flatten)]
    pub(in crate::ctl) place: DataArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct CatalogImportArgs {
    /// Lists with the column names of the Gaia archive or of VizieR.
    #[arg(value_name = "CSV", required = true)]
    pub(in crate::ctl) files: Vec<PathBuf>,
    /// The lists hold all stars up to this Gaia G magnitude in all parts of the sky they touch.
    #[arg(long, value_name = "MAG", value_parser = magnitude)]
    pub(in crate::ctl) complete_to: Option<f64>,
    #[command(flatten)]
    pub(in crate::ctl) place: DataArgs,
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
    pub(in crate::ctl) place: DataArgs,
}

fn ra_deg(text: &str) -> Result<f64, String> {
    number(text, 0.0..=360.0)
}

fn dec_deg(text: &str) -> Result<f64, String> {
    number(text, -90.0..=90.0)
}

fn radius_deg(text: &str) -> Result<f64, String> {
    number(text, 0.0..=30.0)
}

fn magnitude(text: &str) -> Result<f64, String> {
    number(text, 0.0..=25.0)
}

fn number(text: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64, String> {
    let value = text.trim().parse::<f64>().ok().filter(|value| range.contains(value));
    value.ok_or_else(|| format!("a number from {} to {}", range.start(), range.end()))
}

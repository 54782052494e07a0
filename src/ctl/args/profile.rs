//! The arguments of `profile`.

use std::path::PathBuf;

/// The words after `profile`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::ctl) enum ProfileCommand {
    /// Propose an instrument profile from the headers of FITS files.
    Guess(ProfileGuessArgs),
}

/// The files, and what the profile is called.
#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct ProfileGuessArgs {
    /// FITS files of one camera, some of each kind, or folders of them.
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::ctl) files: Vec<PathBuf>,
    /// Name of the profile.
    #[arg(long, value_name = "NAME", default_value = "my-camera")]
    pub(in crate::ctl) name: String,
    /// File to write; none is overwritten [default: it is printed].
    #[arg(long, value_name = "FILE")]
    pub(in crate::ctl) to: Option<PathBuf>,
}

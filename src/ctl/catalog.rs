//! `autossosctl catalog`: what the program knows of the stars.

use super::args::{CatalogCommand, CatalogIndexArgs};
use super::client::configured;
use crate::ops::blind_index::{make, path_in};

/// Does one of the verbs of `catalog`.
pub(super) fn run(command: &CatalogCommand) -> anyhow::Result<()> {
    match command {
        CatalogCommand::Index(args) => index(args),
    }
}

/// Makes the whole-sky index.
fn index(args: &CatalogIndexArgs) -> anyhow::Result<()> {
    let place = &args.place;
    let (config, data_dir) =
        configured(place.config.as_deref(), place.data.as_deref(), &place.set)?;
    let by_config = config.astrometry.blind_index.clone();
    let path = args.output.clone().or(by_config).unwrap_or_else(|| path_in(&data_dir));
    let made = make(&args.files, &path)?;
    println!(
        "{}: {} stars, {} shapes, {:.1} MiB.",
        made.path.display(),
        made.n_stars,
        made.n_shapes,
        made.bytes as f64 / 1_048_576.0
    );
    if made.n_bad_rows > 0 {
        println!("{} rows held no usable star.", made.n_bad_rows);
    }
    for list in &made.cut_off {
        println!("{}: too long, its end was not read.", list.display());
    }
    Ok(())
}

//! `plot`: charts as files.

use super::args::PlotCommand;
use super::light_curve::{picture, read, write_picture};
use super::output::say;
use crate::report::words::printable;

/// Draws what was asked for.
pub(super) fn act(command: &PlotCommand) -> anyhow::Result<()> {
    match command {
        PlotCommand::Lightcurve(args) => {
            let curve = read(&args.object, &args.service)?;
            write_picture(&args.to, &curve, &picture(&curve)?)?;
            let name = printable(&curve.object);
            say(&format!("{name}: lightcurve.svg and .png are in {}", args.to.display()))
        }
    }
}

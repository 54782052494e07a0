//! `plot`: charts as files.

use anyhow::Context;

use super::args::{PlotCommand, PlotFitArgs, PlotNightArgs};
use super::light_curve::{picture, read, write_picture};
use super::output::{file_stem, say, write_file};
use super::refit::{find, refitted};
use crate::ops::OpsError;
use crate::report::figure::Picture;
use crate::report::photometry_charts::{draw_fit, draw_r2, draw_stats};
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
        PlotCommand::Fit(args) => fit(args),
        PlotCommand::Stats(args) => {
            let (reader, _, night) = find(&args.night, &args.service)?;
            let report =
                reader.report(&night)?.with_context(|| format!("{night} is not closed"))?;
            put(args, night.as_str(), &draw_stats(night.as_str(), &report.frames)?)
        }
        PlotCommand::R2(args) => {
            let (reader, config, night) = find(&args.night, &args.service)?;
            let report =
                reader.report(&night)?.with_context(|| format!("{night} is not closed"))?;
            let limit = config.night_params().judge_photometry.r2_min;
            put(args, night.as_str(), &[draw_r2(night.as_str(), &report.frames, Some(limit))?])
        }
    }
}

/// The stars of a frame with the limits given.
fn fit(args: &PlotFitArgs) -> anyhow::Result<()> {
    let (reader, config, night) = find(&args.night.night, &args.night.service)?;
    let again = refitted(&reader, &config, &night, &args.limits)?;
    let no_frame = || OpsError::NoFrame { night: night.to_string(), frame: args.frame.clone() };
    let of_frame = |name: &str| name == args.frame;
    let number = again.table.frames.iter().position(|f| of_frame(&f.name)).ok_or_else(no_frame)?;
    let record = again.report.frames.iter().find(|f| of_frame(&f.frame));
    let solution = record
        .and_then(|record| record.photometry.as_deref()?.solution.as_ref())
        .ok_or_else(no_frame)?;
    let stars: Vec<_> = again.table.stars.into_iter().filter(|s| s.frame == number).collect();
    put(&args.night, &args.frame, &[draw_fit(&args.frame, &stars, solution)?])
}

/// Writes charts and says where they are.
fn put(args: &PlotNightArgs, subject: &str, pictures: &[Picture]) -> anyhow::Result<()> {
    let stem = file_stem(subject);
    for picture in pictures {
        let path = |end: &str| args.to.join(format!("{stem}_{}.{end}", picture.name));
        write_file(&path("svg"), picture.svg.as_bytes())?;
        write_file(&path("png"), &picture.png)?;
    }
    let n = pictures.len();
    say(&format!(
        "{n} chart(s) of {}, SVG and PNG, are in {}",
        printable(subject),
        args.to.display()
    ))
}

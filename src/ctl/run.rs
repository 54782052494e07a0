//! `run` and `demo`: a night in the foreground.

use std::process::ExitCode;

use super::args::{CommonArgs, DemoArgs, RunArgs, SkipWord};
use super::bar::Bar;
use super::output::{say, say_json};
use super::{EXIT_NO_USABLE_FRAME, load, stop_on_interrupt, table};
use crate::ops::demo::demo;
use crate::ops::orders::whole_night_from;
use crate::ops::run::{KeptFrames, RunAgain, RunRequest, RunSummary, run_night_again};
use crate::pipeline::artifact::frame_record::FrameStatus;

/// Processes a night folder, again or in part when the words say so.
pub(super) fn night(args: RunArgs) -> anyhow::Result<ExitCode> {
    let RunArgs { night_dir, night, reference, known, from, skip, mut common } = args;
    let mut again = RunAgain::default();
    for word in skip {
        match word {
            SkipWord::Calibrate => again.kept = KeptFrames::Any,
            SkipWord::Recalibrate => common.set.push("astrometry.recalibrate=false".to_owned()),
            SkipWord::Identify => common.set.push("known.source=none".to_owned()),
        }
    }
    again.forget = from.map(|stage| whole_night_from(&stage)).transpose()?;
    let config = load(&common)?;
    let data_dir = common.data.clone();
    let request = RunRequest { night_dir, night, data_dir, reference, known };
    let bar = Bar::new(common.json);
    stop_on_interrupt();
    let summary = run_night_again(&request, &again, &config, &bar)?;
    bar.finish();
    tell(&summary, &common)
}

/// Simulates a night and processes it.
pub(super) fn demonstrate(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let config = load(&args.common)?;
    let bar = Bar::new(args.common.json);
    stop_on_interrupt();
    let summary = demo(&args.common.data, args.seed, &config, &bar)?;
    bar.finish();
    let code = tell(&summary, &args.common)?;
    if !args.common.json {
        say(&format!("Data folder: {}", args.common.data.display()))?;
    }
    Ok(code)
}

/// Prints what a night gave.
fn tell(summary: &RunSummary, common: &CommonArgs) -> anyhow::Result<ExitCode> {
    let report = &summary.report;
    if common.json {
        say_json(report)?;
    } else {
        say(&table::candidates(&report.candidates))?;
        say(&table::frames_summary(report))?;
        say(&format!("Report: {}", summary.html_path.display()))?;
    }
    let is_usable = report.frames.iter().any(|f| f.status == FrameStatus::Ok);
    Ok(if is_usable { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NO_USABLE_FRAME) })
}

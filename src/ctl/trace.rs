//! `trace`: at which step of a night an object was lost.

use std::fmt::Write as _;

use super::args::TraceArgs;
use super::client::configured;
use super::output::{instant, say, say_json};
use crate::ops::trace::{Traced, trace_object};
use crate::pipeline::trace::Trace;
use crate::report::words::printable;

/// Traces an object and prints its way.
pub(super) fn run(args: &TraceArgs) -> anyhow::Result<()> {
    let traced = match (&args.name, args.ra.zip(args.dec)) {
        (Some(name), _) => Traced::Known { name: name.clone() },
        (None, Some((ra_deg, dec_deg))) => {
            Traced::Place { ra_deg, dec_deg, mjd_utc: args.mjd, motion: args.rate.zip(args.pa) }
        }
        (None, None) => anyhow::bail!("give --ra and --dec, or --name"),
    };
    let place = &args.service.place;
    let (config, data_dir) = configured(place.config.as_deref(), place.data.as_deref(), &[])?;
    let trace = trace_object((&data_dir, &config), &args.night, &traced)?;
    if args.service.json {
        return say_json(&trace);
    }
    say(&text(&trace))
}

/// The answer as text: a line per frame, then the verdict.
fn text(trace: &Trace) -> String {
    let mut text = String::new();
    for frame in &trace.frames {
        let limit = frame.limiting_mag.map_or_else(String::new, |m| format!(", limit {m:.1}"));
        let (x, y) = (frame.x_px + 1.0, frame.y_px + 1.0);
        let told = match &frame.nearest {
            None => "nothing detected".to_owned(),
            Some(s) => format!(
                "{:.1}\" away, {:.2} mag, S/N {:.1}: {}{}",
                s.separation_arcsec,
                s.mag,
                s.snr,
                s.taken_for,
                s.candidate.as_ref().map_or_else(String::new, |id| format!(", candidate {id}")),
            ),
        };
        let name = printable(&frame.frame);
        let at = instant(frame.mid_mjd_utc);
        writeln!(text, "{name}  {at}  pixel {x:.0}, {y:.0}{limit}: {told}").expect("a text grows");
    }
    let step = match trace.lost_at {
        Some(step) => format!("Lost at: {step}\n"),
        None => String::new(),
    };
    write!(text, "{step}{}", trace.told).expect("a text grows");
    text
}

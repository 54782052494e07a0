//! `frame`: `show` tells all that is known of a frame or a master, each number with its unit.

use std::fmt::Write as _;

use super::args::{FrameCommand, FrameShowArgs};
use super::client::Place;
use super::output::{instant, line, say, say_json};
use super::{frame_list, frame_remove};
use crate::ops::frame_list::{MasterView, Original, find_master};
use crate::ops::orders::{OrderError, find_frame, find_night};
use crate::ops::overview::{self, FrameView};
use crate::pipeline::artifact::frame_record::{FrameRecord, WcsKeyword};
use crate::report::words::{printable, status};

/// Does what the words say.
pub(super) fn act(command: &FrameCommand) -> anyhow::Result<()> {
    match command {
        FrameCommand::List(args) => frame_list::list(args),
        FrameCommand::Show(args) => show(args),
        FrameCommand::Remove(args) => frame_remove::remove(args),
    }
}

/// Shows a frame, or a master.
fn show(args: &FrameShowArgs) -> anyhow::Result<()> {
    let reader = Place::find(&args.service.place)?.reader()?;
    let night = args.night.as_deref().map(|night| find_night(&reader, night)).transpose()?;
    let found = match find_frame(&reader, &args.frame, night.as_ref()) {
        Ok(found) => found,
        Err(unknown @ OrderError::UnknownFrame { .. }) => {
            let masters = find_master(&reader, &args.frame, night.as_ref())?;
            return match (&masters[..], args.service.json) {
                ([], _) => Err(unknown.into()),
                (masters, true) => say_json(&masters),
                (masters, false) => {
                    say(&masters.iter().map(master_text).collect::<Vec<_>>().join("\n"))
                }
            };
        }
        Err(error) => return Err(error.into()),
    };
    let view = overview::frame(&reader, &found)?;
    if args.service.json {
        return say_json(&view);
    }
    say(&text(&found.name, &view))
}

/// A master as text, with the files it was made from.
fn master_text(master: &MasterView) -> String {
    let name = printable(&master.name);
    let mut text = format!("Master {name} of night {}\n", printable(&master.night));
    line(&mut text, "serves", &printable(&master.key));
    line(&mut text, "file", &printable(&master.path));
    line(&mut text, "taken", &instant(master.taken_mjd_utc));
    line(&mut text, "exposure", &format!("{:.3} s", master.exposure_s));
    line(&mut text, "frames", &master.n_frames.to_string());
    let refused = "no: it differs too much from the one before";
    line(&mut text, "is used", if master.is_refused { refused } else { "yes" });
    let original = |file: &Original| match file.name.is_empty() {
        true => format!("{} (no longer recorded)", file.content_hash),
        false => file.name.clone(),
    };
    let originals: Vec<String> = master.originals.iter().map(original).collect();
    add_list(&mut text, "Made from", &originals);
    text
}

/// A frame as text.
fn text(name: &str, view: &FrameView) -> String {
    let mut text = format!("Frame {} of night {}\n", printable(name), printable(&view.night));
    match &view.record {
        Some(record) => add_record(&mut text, record),
        None => line(&mut text, "status", "begun, without a result yet"),
    }
    add_list(&mut text, "Products (below the data folder)", &view.products);
    text
}

fn add_record(text: &mut String, frame: &FrameRecord) {
    line(text, "status", status(frame.status));
    line(text, "reason", &frame.reason.as_deref().map(printable).unwrap_or_default());
    line(text, "content hash", &frame.content_hash);
    line(text, "mid-exposure", &frame.mid_mjd_utc.map(mid_exposure).unwrap_or_default());
    line(text, "exposure", &number(frame.exposure_s, 2, "s"));
    line(text, "filter", &frame.filter.as_deref().map(printable).unwrap_or_default());
    line(text, "sources", &frame.n_sources.map(|n| n.to_string()).unwrap_or_default());
    line(text, "reference stars", &frame.n_reference.map(|n| n.to_string()).unwrap_or_default());
    line(text, "fit rms", &number(frame.rms_arcsec, 3, "arcsec per axis"));
    line(text, "zero point", &zero_point(frame));
    line(text, "colour term", &number(frame.colour_term, 3, "mag per mag of BP-RP"));
    line(text, "FWHM", &number(frame.fwhm_arcsec, 2, "arcsec"));
    line(text, "limit (S/N 5)", &number(frame.limiting_mag, 2, "mag (Gaia G)"));
    line(text, "sky", &number(frame.sky_e, 1, "e-/px"));
    let shift = |(x, y): (f64, f64)| format!("{x:+} px, {y:+} px (calibrated minus raw pixel)");
    line(text, "shift", &frame.ltv_px.map(shift).unwrap_or_default());
    add_list(text, "Steps", &frame.steps);
    add_list(text, "Notes", &frame.notes);
    let keyword = |(key, value): &(String, WcsKeyword)| match value {
        WcsKeyword::Integer(value) => format!("{key:<8} = {value}"),
        WcsKeyword::Real(value) => format!("{key:<8} = {value:e}"),
        WcsKeyword::Text(value) => format!("{key:<8} = '{value}'"),
    };
    let wcs: Vec<String> = frame.wcs.iter().map(keyword).collect();
    add_list(text, "Plate solution (pixels from 1, degrees)", &wcs);
}

fn mid_exposure(mjd_utc: f64) -> String {
    format!("{} (MJD {mjd_utc:.7})", instant(mjd_utc))
}

fn zero_point(frame: &FrameRecord) -> String {
    let err = frame.zero_point_err_mag.map(|err| format!(" +- {err:.4}")).unwrap_or_default();
    let value = |mag: f64| format!("{mag:.4}{err} mag (Gaia G of 1 ADU/s)");
    frame.zero_point_mag.map(value).unwrap_or_default()
}

/// A number with its unit; empty when it is not known.
fn number(value: Option<f64>, decimals: usize, unit: &str) -> String {
    value.map(|value| format!("{value:.decimals$} {unit}")).unwrap_or_default()
}

fn add_list(text: &mut String, head: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    writeln!(text, "{head}:").expect("a text grows");
    for line in lines {
        writeln!(text, "  {}", printable(line)).expect("a text grows");
    }
}

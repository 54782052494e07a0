//! `lightcurve`: the magnitudes of an object over its nights, and its files.

use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

use super::args::{LightCurveArgs, ObjectArgs, ServiceArgs};
use super::client::configured;
use super::orbits::observer;
use super::output::{file_stem, instant, say, say_json, write_file};
use crate::formats::alcdef::write_alcdef;
use crate::formats::light_curve_csv::write_csv;
use crate::ops::light_curve::{CurvePoint, ObjectCurve, light_curve};
use crate::ops::orders::find_night;
use crate::report::figure::Picture;
use crate::report::light_curve::{DrawnPoint, draw_light_curve};
use crate::report::words::printable;
use crate::store::{NightId, Reader};

/// Tells the light curve and writes its files.
pub(super) fn run(args: &LightCurveArgs) -> anyhow::Result<()> {
    let curve = read(&args.object, &args.service)?;
    if let Some(folder) = &args.to {
        let light_curve = curve.light_curve();
        write(folder, &curve, "lightcurve.csv", write_csv(&light_curve).as_bytes())?;
        write(folder, &curve, "lightcurve.alcdef", write_alcdef(&light_curve).as_bytes())?;
        write_picture(folder, &curve, &picture(&curve)?)?;
    }
    if args.service.json { say_json(&curve) } else { say(&text(&curve)) }
}

/// The light curve that the words ask for.
pub(super) fn read(object: &ObjectArgs, service: &ServiceArgs) -> anyhow::Result<ObjectCurve> {
    let place = &service.place;
    let (config, data) = configured(place.config.as_deref(), place.data.as_deref(), &[])?;
    let reader = Reader::open(&data)?;
    let nights = object
        .nights
        .iter()
        .map(|night| Ok(find_night(&reader, night)?))
        .collect::<anyhow::Result<Vec<NightId>>>()?;
    let observer = observer(&config, &data, None)?;
    Ok(light_curve(&reader, &data, (&object.object, &nights), &observer)?)
}

/// The chart of a light curve: reduced magnitudes where the orbit is known.
pub(super) fn picture(curve: &ObjectCurve) -> anyhow::Result<Picture> {
    let plain = curve.light_curve();
    let is_reduced = curve.points.iter().all(|point| point.geometry.is_some());
    let mag = |point: &CurvePoint| match point.geometry.filter(|_| is_reduced) {
        None => point.mag,
        Some(_) => point.mag - curve.dimming_mag(point),
    };
    let drawn: Vec<DrawnPoint> = curve
        .points
        .iter()
        .map(|point| DrawnPoint {
            night: point.night.clone(),
            mjd: point.mid_mjd_utc,
            mag: mag(point),
            err_mag: point.err_mag,
            is_trusted: point.doubts.is_empty(),
        })
        .collect();
    let quantity = if is_reduced {
        "Gaia G at 1 au from Sun and observer, phase 0 [mag]"
    } else {
        "Gaia G [mag]"
    };
    Ok(draw_light_curve(&printable(&plain.object), quantity, &drawn)?)
}

/// Writes a chart's two files.
pub(super) fn write_picture(
    folder: &Path,
    curve: &ObjectCurve,
    picture: &Picture,
) -> anyhow::Result<()> {
    write(folder, curve, &format!("{}.svg", picture.name), picture.svg.as_bytes())?;
    write(folder, curve, &format!("{}.png", picture.name), &picture.png)
}

fn write(folder: &Path, curve: &ObjectCurve, end: &str, bytes: &[u8]) -> anyhow::Result<()> {
    write_file(&folder.join(format!("{}_{end}", file_stem(&curve.object))), bytes)
}

/// The light curve as a table with its notes.
fn text(curve: &ObjectCurve) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "night",
        "middle of the exposure",
        "G mag",
        "err",
        "r au",
        "delta au",
        "phase deg",
        "in doubt",
    ]);
    let cell = |value: Option<f64>, decimals: usize| {
        value.map_or_else(String::new, |value| format!("{value:.decimals$}"))
    };
    for point in &curve.points {
        let doubts: Vec<String> = point.doubts.iter().map(ToString::to_string).collect();
        table.add_row([
            printable(&point.night),
            instant(point.mid_mjd_utc),
            cell(Some(point.mag), 3),
            cell(point.err_mag, 3),
            cell(point.geometry.map(|g| g.sun_au), 4),
            cell(point.geometry.map(|g| g.observer_au), 4),
            cell(point.geometry.map(|g| g.phase_deg), 2),
            doubts.join("; "),
        ]);
    }
    let n_trusted = curve.trusted().count();
    let n = curve.points.len();
    let limits = match curve.limits.len() {
        0 => String::new(),
        n => format!("; in {n} frames it was too faint"),
    };
    let name = printable(&curve.object);
    let mut text = format!("{name}: {n} magnitudes, {n_trusted} trusted{limits}");
    for note in &curve.notes {
        text.push_str(&format!("\nNote: {note}"));
    }
    format!("{text}\n{table}{}", colours(curve))
}

/// Colours of nights with several filters.
fn colours(curve: &ObjectCurve) -> String {
    if curve.colours.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nBrightness by filter, Gaia G for a solar colour [mag]:");
    for mean in &curve.filters {
        let (night, filter) = (printable(&mean.night), printable(&mean.filter));
        let how = if mean.is_aperture { "through its aperture" } else { "by fits" };
        text.push_str(&format!(
            "\n  {night} {filter}: {:.3} +- {:.3} ({} points {how})",
            mean.mag, mean.err_mag, mean.n_points
        ));
    }
    text.push_str("\nColours less those of the Sun [mag]:");
    for colour in &curve.colours {
        let [a, b] = [0, 1].map(|k| printable(&colour.filters[k]));
        let night = printable(&colour.night);
        text.push_str(&format!(
            "\n  {night} {a} - {b}: {:+.3} +- {:.3}",
            colour.mag, colour.err_mag
        ));
    }
    text
}

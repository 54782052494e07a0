//! `period`: the rotation period of an object, from a file or a night.

use std::path::Path;

use anyhow::{Context, bail};
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

use super::args::PeriodArgs;
use super::client::configured;
use super::orbits::observer;
use super::output::{file_stem, say, say_json, write_file};
use crate::formats::alcdef::{is_alcdef, read_alcdef, write_alcdef};
use crate::formats::light_curve::LightCurve;
use crate::formats::light_curve_csv::{read_csv, write_csv};
use crate::ops::light_curve::light_curve;
use crate::ops::orders::find_night;
use crate::report::period::{PeriodFacts, draw, facts, period_file, period_text};
use crate::report::words::printable;
use crate::science::period::{Analysis, Params, Point, Series, Wanted, analyse};
use crate::store::Reader;

/// Largest file read [bytes].
const FILE_BYTES_MAX: u64 = 200_000_000;

/// Means all closed nights.
const ALL_NIGHTS: &str = "all";

/// Searches, prints and writes.
pub(super) fn run(args: &PeriodArgs) -> anyhow::Result<()> {
    let path = Path::new(&args.source);
    let curve = if path.is_file() { from_file(path)? } else { from_nights(args)? };
    let object = args.name.clone().filter(|_| path.is_file()).unwrap_or(curve.object.clone());
    let object = if object.is_empty() { "object".to_owned() } else { object };
    let points: Vec<Point> = curve
        .points
        .iter()
        .map(|point| {
            let (time_h, mag) = curve.reduced(point);
            Point { time_h, mag, err_mag: point.err_mag, session: point.session }
        })
        .collect();
    let series = Series::new(&points)?;
    let series = if args.one_zero_point { series.in_one_session() } else { series };
    let search = Params { period_min_h: args.period_min, ..Params::default() };
    let wanted = Wanted {
        iterations: args.iterations as usize,
        trials: args.trials as usize,
        search,
        ..Wanted::default()
    };
    let analysis = analyse(&series, &wanted)?;
    let facts = facts(&printable(&object), &analysis);
    if let Some(folder) = &args.to {
        write(folder, &curve, &analysis, &facts)?;
    }
    if args.json {
        return say_json(&facts);
    }
    let mut text = period_text(&facts);
    if curve.n_bad > 0 {
        text.push_str(&format!("{} rows could not be read\n", curve.n_bad));
    }
    text.push_str(&rivals(&facts));
    say(&text)
}

/// The rivals as a table.
fn rivals(facts: &PeriodFacts) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "period h",
        "relation",
        "odds to first",
        "order",
        "range mag",
        "BIC",
    ]);
    for rival in &facts.rivals {
        table.add_row([
            format!("{:.5}", rival.period_h),
            rival.relation.clone(),
            odds(rival.odds_to_first),
            rival.order.to_string(),
            format!("{:.3}", rival.range_mag),
            format!("{:.1}", rival.bic_score),
        ]);
    }
    table.to_string()
}

fn odds(odds: f64) -> String {
    if odds >= 0.01 { format!("{odds:.2}") } else { format!("{odds:.0e}") }
}

/// Reads a file of either format.
fn from_file(path: &Path) -> anyhow::Result<LightCurve> {
    let read = || format!("cannot read {}", path.display());
    let size = std::fs::metadata(path).with_context(read)?.len();
    if size > FILE_BYTES_MAX {
        bail!("{} has {size} bytes: at most {FILE_BYTES_MAX} are read", path.display());
    }
    let text = String::from_utf8_lossy(&std::fs::read(path).with_context(read)?).into_owned();
    let curve = if is_alcdef(&text) { read_alcdef(&text) } else { read_csv(&text) };
    let mut curve = curve.with_context(read)?;
    if curve.object.is_empty() {
        curve.object =
            path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    }
    Ok(curve)
}

/// The trusted magnitudes of an object in a night or in all of them.
fn from_nights(args: &PeriodArgs) -> anyhow::Result<LightCurve> {
    let (config, data) = configured(args.config.as_deref(), args.data.as_deref(), &[])?;
    let reader = Reader::open(&data).with_context(|| {
        format!("{} is no file, and no night can be looked up", printable(&args.source))
    })?;
    let Some(name) = &args.name else {
        bail!("name the object: autossosctl period {} NAME", printable(&args.source));
    };
    let nights = match find_night(&reader, &args.source) {
        Err(_) if args.source == ALL_NIGHTS => Vec::new(),
        found => vec![found?],
    };
    let observer = observer(&config, &data, None)?;
    let curve = light_curve(&reader, &data, (name, &nights), &observer)?;
    Ok(curve.light_curve())
}

/// Writes all files of a search.
fn write(
    folder: &Path,
    curve: &LightCurve,
    analysis: &Analysis,
    facts: &PeriodFacts,
) -> anyhow::Result<()> {
    let stem = file_stem(&facts.object);
    let put = |end: &str, bytes: &[u8]| write_file(&folder.join(format!("{stem}_{end}")), bytes);
    put("period.txt", period_file(facts).as_bytes())?;
    put("period.json", serde_json::to_string(facts).context("cannot print JSON")?.as_bytes())?;
    put("points.csv", write_csv(curve).as_bytes())?;
    put("points.alcdef", write_alcdef(curve).as_bytes())?;
    for picture in draw(&facts.object, analysis)? {
        put(&format!("{}.svg", picture.name), picture.svg.as_bytes())?;
        put(&format!("{}.png", picture.name), &picture.png)?;
    }
    Ok(())
}

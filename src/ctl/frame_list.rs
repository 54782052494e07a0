//! `frame list`: frames as a table, as lines, as JSON or CSV.

use std::path::Path;

use anyhow::bail;
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde_json::{Map, Value, json};

use super::args::{FrameListArgs, KindWord, ListForm};
use super::client::configured;
use super::output::{say, say_json};
use crate::ops::frame_list::filter::{Filter, is_keyword};
use crate::ops::frame_list::{COLUMNS, Cell, Listed, Row, choose, folder_rows, rows};
use crate::ops::orders::find_night;
use crate::ops::overview;
use crate::report::csv_text;
use crate::report::words::{plural, printable};
use crate::store::{NightId, Reader};

/// Columns shown when none is named.
const RAW_KEYS: [&str; 6] = ["name", "kind", "status", "filter", "exposure_s", "date"];
const PRODUCT_KEYS: [&str; 6] = ["name", "kind", "status", "filter", "exposure_s", "path"];
/// Most decimals shown when none are named.
const DIGITS_MAX: usize = 6;

/// Lists frames.
pub(super) fn list(args: &FrameListArgs) -> anyhow::Result<()> {
    let conditions = conditions(args)?;
    let sort = args.sort.as_deref().map(|key| match key.strip_prefix('-') {
        Some(key) => (key, true),
        None => (key, false),
    });
    let keys = keys(args)?;
    if let Some((key, _)) = sort {
        check_key(key)?;
    }
    let chosen = choose(found(args)?, &conditions, sort);
    if args.service.json {
        let frames: Vec<Value> = chosen.iter().map(|row| json_of(row, args, &keys)).collect();
        return say_json(&frames);
    }
    if args.csv {
        return say(&csv(&chosen, &keys, args.digits));
    }
    say(&match args.form {
        ListForm::Basic => table(&chosen, &keys, args.digits),
        ListForm::Long => long(&chosen, args, &keys),
        ListForm::Line => {
            let names = chosen.iter().filter_map(|row| row.cell("name"));
            names.map(|name| printable(&name.text())).collect::<Vec<_>>().join(" ")
        }
    })
}

/// The rows of the folder or the nights that the words name.
fn found(args: &FrameListArgs) -> anyhow::Result<Vec<Row>> {
    let place = &args.service.place;
    let (config, data) = configured(place.config.as_deref(), place.data.as_deref(), &[])?;
    if let Some(folder) = args.night.as_deref().map(Path::new)
        && folder.is_dir()
        && !args.products
    {
        return Ok(folder_rows(folder, &config)?);
    }
    let reader = Reader::open(&data)?;
    let nights = match &args.night {
        Some(night) => vec![find_night(&reader, night)?],
        None => nights(&reader, args.all)?,
    };
    let listed = if args.products { Listed::Products } else { Listed::Raw };
    Ok(rows(&reader, &config, &nights, listed)?)
}

/// All nights, or the one that was opened last.
fn nights(reader: &Reader, is_all: bool) -> anyhow::Result<Vec<NightId>> {
    let mut lines = overview::nights(reader, None)?;
    if !is_all {
        lines.sort_by(|a, b| b.opened_mjd_utc.total_cmp(&a.opened_mjd_utc));
        lines.truncate(1);
    }
    if lines.is_empty() {
        bail!("no night was processed yet; name a folder to list its files");
    }
    Ok(lines.iter().map(|line| NightId::new(&line.night)).collect::<Result<_, _>>()?)
}

/// The conditions of `--filter`, `--kind` and `--status`.
fn conditions(args: &FrameListArgs) -> anyhow::Result<Vec<Filter>> {
    let kind = args.kind.map(|kind| match kind {
        KindWord::Science => "kind == \"science\"",
        KindWord::Bias => "kind ~ \"*bias\"",
        KindWord::Dark => "kind ~ \"*dark\"",
        KindWord::Flat => "kind ~ \"*flat\"",
        KindWord::Ignored => "kind == \"ignored\"",
    });
    let status = args.status.as_ref().map(|word| {
        let word: String = word.chars().filter(|c| *c != '"').collect();
        format!("status == \"{word}\"")
    });
    let texts = [args.filter.clone(), kind.map(str::to_owned), status];
    Ok(texts
        .iter()
        .flatten()
        .map(|text| Filter::parse(text, &COLUMNS))
        .collect::<Result<_, _>>()?)
}

/// The columns that are shown.
fn keys(args: &FrameListArgs) -> anyhow::Result<Vec<String>> {
    let by_default = if args.products { PRODUCT_KEYS } else { RAW_KEYS };
    if args.keys.is_empty() {
        return Ok(by_default.map(str::to_owned).to_vec());
    }
    if args.keys.iter().any(|key| key == "all") {
        return Ok(COLUMNS.map(str::to_owned).to_vec());
    }
    let mut keys = vec!["name".to_owned()];
    for key in args.keys.iter().filter(|key| *key != "name") {
        check_key(key)?;
        keys.push(key.clone());
    }
    Ok(keys)
}

fn check_key(key: &str) -> anyhow::Result<()> {
    if !COLUMNS.contains(&key) && !is_keyword(key) {
        bail!(
            "there is no column {}; there are {}, and keywords of the header in capital letters",
            printable(key),
            COLUMNS.join(", ")
        );
    }
    Ok(())
}

/// A cell as text, numbers with so many decimals.
fn shown(cell: Option<Cell>, digits: Option<u8>) -> String {
    match (cell, digits) {
        (None, _) => String::new(),
        (Some(Cell::Text(text)), _) => printable(&text),
        (Some(Cell::Number(number)), _) if number.fract().abs() <= 0.0 && digits.is_none() => {
            format!("{number:.0}")
        }
        (Some(Cell::Number(number)), Some(digits)) => format!("{number:.*}", usize::from(digits)),
        (Some(Cell::Number(number)), None) => {
            format!("{number:.DIGITS_MAX$}").trim_end_matches('0').to_owned()
        }
    }
}

fn table(rows: &[Row], keys: &[String], digits: Option<u8>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(keys);
    for row in rows {
        table.add_row(keys.iter().map(|key| shown(row.cell(key), digits)));
    }
    format!("{table}\n{}.", plural(rows.len(), "frame", "frames"))
}

/// Keys of a long list: those named, else all.
fn long_keys<'a>(args: &FrameListArgs, keys: &'a [String]) -> Vec<&'a str> {
    if args.keys.is_empty() { COLUMNS.to_vec() } else { keys.iter().map(String::as_str).collect() }
}

fn long(rows: &[Row], args: &FrameListArgs, keys: &[String]) -> String {
    let mut text = String::new();
    for row in rows {
        for key in long_keys(args, keys) {
            let value = shown(row.cell(key), args.digits);
            if !value.is_empty() {
                text.push_str(&format!("{key:<18}{value}\n"));
            }
        }
        text.push('\n');
    }
    text + &format!("{}.", plural(rows.len(), "frame", "frames"))
}

/// A frame with its keys and values; what is missing is null.
fn json_of(row: &Row, args: &FrameListArgs, keys: &[String]) -> Value {
    let value = |key: &str| match row.cell(key) {
        None => Value::Null,
        Some(Cell::Text(text)) => json!(text),
        Some(Cell::Number(number)) => json!(number),
    };
    let pairs = long_keys(args, keys).into_iter().map(|key| (key.to_owned(), value(key)));
    Value::Object(pairs.collect::<Map<String, Value>>())
}

fn csv(rows: &[Row], keys: &[String], digits: Option<u8>) -> String {
    let lines = rows.iter().map(|row| keys.iter().map(|k| shown(row.cell(k), digits)).collect());
    csv_text(keys.to_vec(), lines)
}

//! Conditions that hold and do not, and texts that are none.

use super::*;

const COLUMNS: [&str; 4] = ["name", "filter", "exposure_s", "status"];

fn cell(column: &str) -> Option<Cell> {
    match column {
        "name" => Some(Cell::Text("img0007.fits".to_owned())),
        "exposure_s" => Some(Cell::Number(60.0)),
        "status" => Some(Cell::Text("ok".to_owned())),
        "EGAIN" => Some(Cell::Text("1.5".to_owned())),
        _ => None,
    }
}

fn holds(text: &str) -> bool {
    Filter::parse(text, &COLUMNS).unwrap_or_else(|error| panic!("{text}: {error}")).holds(&cell)
}

#[test]
fn comparisons_hold_as_they_read() {
    for text in [
        "exposure_s >= 60",
        "exposure_s == 6e1 and name ~ 'IMG*'",
        "status = \"OK\"",
        "filter == missing",
        "filter != 'R'",
        "not filter == 'R'",
        "EGAIN > 1.4",
        "EGAIN == '1.5'",
        "name !~ \"bias*\"",
        "exposure_s < 1 or status == 'ok' and name ~ '*.fits'",
        "(exposure_s < 1 or status == 'ok') and not (name ~ 'bias*')",
        "exposure_s > -1.5e1",
        "name != 7",
    ] {
        assert!(holds(text), "{text}");
    }
}

#[test]
fn comparisons_fail_as_they_read() {
    for text in [
        "exposure_s > 60",
        "exposure_s != 60",
        "filter == 'R'",
        "filter ~ '*'",
        "filter != missing",
        "name == missing",
        "status == 'ok' and exposure_s < 60",
        "(exposure_s < 1 or status == 'ok') and name ~ 'bias*'",
        "name == 7",
        "not status == 'ok'",
    ] {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn what_is_no_condition_is_told() {
    let told = |text: &str| match Filter::parse(text, &COLUMNS) {
        Err(error) => error.to_string(),
        Ok(filter) => panic!("{text} is read as {filter:?}"),
    };
    assert!(told("expo > 1").contains("no column `expo`; there are name, filter, exposure_s"));
    assert!(told("exposure_s > ").contains("found the end"));
    assert!(told("exposure_s 60").contains("expected a comparison"));
    assert!(told("filter == R").contains("a text in quotes"));
    assert!(told("filter == \"R").contains("no second quote"));
    assert!(told("exposure_s > 60 name ~ 'a'").contains("`and`, `or` or the end"));
    assert!(told("(exposure_s > 60").contains("`)`"));
    assert!(told("exposure_s ~ 60").contains("pattern in quotes"));
    assert!(told("name == 'a'; x").contains("`;` at character 12"));
    assert!(told("__import__('os')").contains("no part of a condition"));
    assert!(told("").contains("the end"));
    for hostile in ["(".repeat(900), "not ".repeat(200), "a".repeat(2000)] {
        assert!(Filter::parse(&hostile, &COLUMNS).is_err());
    }
    assert_eq!(Filter::parse(&"(".repeat(900), &COLUMNS), Err(FilterError::Deep));
    assert_eq!(Filter::parse(&" ".repeat(1001), &COLUMNS), Err(FilterError::Long));
}

//! The tables of docs/FROM_SEEDS.md: every new command is one that the program takes, every test
//! that is named exists, and every switch of the old programs has its row.

use std::process::Command;

use autossos::ctl::accepts;

use crate::tree::{files, root};

/// Switches and files of the old programs (../shared/spec/seeds.md 1.2, 2.1, 3.1).
const OLD: [&str; 44] = [
    "autossos -d",
    "autossos DIR",
    "-skip_filabres",
    "-skip_recalibration",
    "autossos -SSOS",
    "autossos -check",
    "-plot_sc",
    "-re_sc",
    "-period",
    "ssos -d",
    "ssos DIR",
    "--inspect PATH",
    "--force",
    "--mpc CSV",
    "ssos -c",
    "ssos -t",
    "ssos -l",
    "ssos -q",
    "--sex",
    "--scamp",
    "--swarp",
    "--skybot",
    "--PARAM VALUE",
    "--ASTREF_CATALOG",
    "--CROSSID_RADIUS",
    "--setup",
    "filabres --check",
    "-rs initialize",
    "-rs bias",
    " -f`",
    "-n GLOB",
    "--filename",
    "-na",
    "-ng",
    "filabres -i",
    "filabres -v",
    "--debug",
    "--delete",
    "-lc TYPE",
    "-lr TYPE",
    "-of REDUCED",
    "-k KEY",
    "-ks KEY",
    "-pxy",
];

/// The rows of all tables: old, new, remarks, tests.
fn rows() -> Vec<[String; 4]> {
    let path = root().join("docs/FROM_SEEDS.md");
    let text = std::fs::read_to_string(path).expect("the manual");
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<String> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        if cells[0] == "old" || cells[0].starts_with("---") {
            continue;
        }
        let row: [String; 4] = cells.try_into().unwrap_or_else(|_| panic!("no four cells: {line}"));
        rows.push(row);
    }
    rows
}

/// A command line cut into words; quotes hold words together.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' => quote = Some(c),
            None if c == ' ' => words.push(String::new()),
            _ => words.last_mut().expect("a word").push(c),
        }
    }
    words
}

#[test]
fn every_new_command_is_one_that_the_program_takes() {
    let rows = rows();
    assert!(rows.len() >= 50, "{} rows", rows.len());
    for [old, new, ..] in &rows {
        let command = new.trim_matches('`');
        if !command.starts_with("autossosctl ") {
            assert_eq!(new, "not needed", "{old}");
            continue;
        }
        if let Err(why) = accepts(&words(command)) {
            panic!("{old} -> {command}: {why}");
        }
    }
    let wrong = ["autossosctl", "run", "night", "--from", "lunch"].map(str::to_owned);
    assert!(accepts(&wrong).is_err(), "what is wrong is refused");
}

#[test]
fn every_old_switch_has_its_row() {
    let old: Vec<String> = rows().into_iter().map(|[old, ..]| old).collect();
    for switch in OLD {
        assert!(old.iter().any(|cell| cell.contains(switch)), "no row for {switch}");
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let sources = files(&["src", "tests"], &["rs"]);
    let mut n_named = 0;
    for [old, _, _, tests] in rows() {
        for test in tests.split(',').map(str::trim).filter(|test| !test.is_empty()) {
            let begin = format!("fn {test}()");
            assert!(sources.iter().any(|file| file.text.contains(&begin)), "{old}: no test {test}");
            n_named += 1;
        }
    }
    assert!(n_named > 20);
}

#[test]
fn an_old_key_is_explained() {
    let explain = |words: &[&str]| {
        let program = env!("CARGO_BIN_EXE_autossosctl");
        let output = Command::new(program)
            .args(["config", "explain"])
            .args(words)
            .output()
            .expect("a start");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, told, error) = explain(&["PM_UP", "250"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(told.contains("--set filter.rate_up_arcsec_per_h=250"), "{told}");
    assert!(explain(&["FILTER_PM"]).1.contains("filter.chain"));
    assert!(explain(&["CROSSID_RADIUS"]).1.contains("SCAMP"));
    let (code, told, _) = explain(&["RECALIB", "--json"]);
    assert_eq!(code, Some(0));
    assert!(told.contains("astrometry.recalibrate"), "{told}");
    let (code, _, error) = explain(&["PM_UPP"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("no key PM_UPP"), "{error}");
}

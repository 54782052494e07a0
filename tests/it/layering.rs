//! Who may know whom: the arrows of docs/ARCHITECTURE.md, checked on the source text.
//!
//! `science <- formats <- pipeline <- {store, report, remote} <- ops <- {daemon, web, ctl} <- bin`,
//! `web` also below `daemon`, and `config` beside `ops`. Every `crate::` path, every external crate
//! and the parts of `std` that touch the world are compared with [`LAYERS`]. Test modules may use
//! files, clock and most crates, but keep to the same inner edges.

use std::collections::BTreeSet;

use crate::tree::{code_of, is_word, root, sources, test_files, without_tests};

/// What one layer may name.
struct Layer {
    /// Module below `src`.
    name: &'static str,
    /// Other layers.
    layers: &'static [&'static str],
    /// External crates.
    crates: &'static [&'static str],
    /// Modules of `std` that see files, network, processes, threads or the clock.
    world: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer {
        name: "science",
        layers: &[],
        // rustfft: sums over frequencies of a light curve.
        crates: &["multiversion", "ndarray", "rayon", "rustfft", "cdshealpix", "thiserror"],
        world: &[],
    },
    Layer {
        name: "formats",
        layers: &["science"],
        // base64, serde_json and quick_xml: what star catalogues answer; quick_xml also: ADES.
        crates: &[
            "base64",
            "cdshealpix",
            "csv",
            "flate2",
            "quick_xml",
            "serde",
            "serde_json",
            "thiserror",
        ],
        world: &["fs"],
    },
    Layer {
        name: "pipeline",
        layers: &["science", "formats"],
        crates: &["rayon", "serde", "thiserror"],
        world: &[],
    },
    Layer {
        name: "store",
        layers: &["science", "formats", "pipeline"],
        crates: &["blake3", "rusqlite", "rustix", "serde", "serde_json", "tempfile", "thiserror"],
        world: &["fs", "process", "thread", "time"],
    },
    Layer {
        name: "report",
        layers: &["science", "formats", "pipeline"],
        crates: &["askama", "base64", "csv", "gif", "lettre", "png", "serde", "thiserror"],
        world: &[],
    },
    Layer {
        name: "remote",
        layers: &["science", "formats", "pipeline"],
        crates: &[
            "form_urlencoded",
            "lettre",
            "reqwest",
            "rustls",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
        ],
        world: &["net", "thread", "time"],
    },
    Layer {
        name: "config",
        layers: &["science", "formats", "pipeline", "store", "report", "remote"],
        // yaml_rust2: the files of Filabres.
        crates: &["serde", "thiserror", "toml", "yaml_rust2"],
        world: &["env", "fs"],
    },
    Layer {
        name: "ops",
        layers: &["science", "formats", "pipeline", "store", "report", "remote", "config"],
        // jiff: local clock times of the mail.
        // argon2: passwords of the page's users.
        crates: &[
            "argon2",
            "blake3",
            "jiff",
            "rayon",
            "rustix",
            "serde",
            "serde_json",
            "thiserror",
            "tracing",
        ],
        world: &["fs", "thread", "time"],
    },
    Layer {
        name: "web",
        layers: &["science", "formats", "pipeline", "store", "report", "remote", "config", "ops"],
        crates: &[
            "askama",
            "axum",
            "blake3",
            "form_urlencoded",
            "getrandom",
            "serde",
            "serde_json",
            "subtle",
            "thiserror",
            "tokio",
            "tracing",
        ],
        world: &["net", "time"],
    },
    Layer {
        name: "daemon",
        // web: the service serves the page.
        layers: &[
            "science", "formats", "pipeline", "store", "report", "remote", "config", "ops", "web",
        ],
        crates: &[
            "anyhow",
            "axum", // metrics and health
            "blake3",
            "clap",
            "log",
            "notify",
            "rustix",
            "rustls",
            "sd_notify",
            "serde",
            "serde_json",
            "systemd_journal_logger",
            "thiserror",
            "tokio",
            "tracing",
            "tracing_subscriber",
        ],
        world: &["env", "fs", "net", "process", "thread", "time"],
    },
    Layer {
        name: "ctl",
        layers: &["science", "formats", "pipeline", "store", "report", "remote", "config", "ops"],
        crates: &[
            "anyhow",
            "clap",
            "clap_complete",
            "clap_mangen",
            "comfy_table",
            "getrandom", // names of acts of judging
            "image",     // what ratatui_image takes
            "indicatif",
            "ratatui", // the terminal; also: a password is typed without an echo
            "ratatui_image",
            "rustix",
            "serde",
            "serde_json",
            "tokio",
            "tracing",
            "tracing_subscriber",
        ],
        world: &["env", "fs", "process", "thread", "time"],
    },
    Layer { name: "bin", layers: &["ctl", "daemon"], crates: &[], world: &["process"] },
];

/// An edge beside the table, for the files whose path starts so.
struct Exception {
    path: &'static str,
    target: &'static str,
    reason: &'static str,
}

const EXCEPTIONS: &[Exception] = &[
    Exception {
        path: "src/ctl/manual",
        target: "daemon",
        reason: "the service's manual page is made of its own command line",
    },
    Exception {
        path: "src/formats/fits",
        target: "fitsio_sys",
        reason: "the one place that calls cfitsio",
    },
    Exception {
        path: "src/formats/fits",
        target: "fitsio",
        reason: "tests read with it what was written",
    },
    Exception {
        path: "src/formats/mapped.rs",
        target: "memmap2",
        reason: "the one place that maps files",
    },
    Exception {
        path: "src/formats/star_index.rs",
        target: "blake3",
        reason: "the checksum is a part of the layout",
    },
    Exception {
        path: "src/formats/orbit_",
        target: "blake3",
        reason: "the checksum is a part of the layout",
    },
    Exception {
        path: "src/pipeline/ingest",
        target: "toml",
        reason: "instrument profiles are rules of ingest and written in TOML",
    },
    Exception {
        path: "src/pipeline/link/candidates.rs",
        target: "blake3",
        reason: "a candidate's id is the hash of its detections: the same night, the same ids",
    },
    Exception {
        path: "src/config/daemon.rs",
        target: "std::net",
        reason: "an address is parsed, nothing is opened",
    },
    Exception {
        path: "src/config/web.rs",
        target: "std::net",
        reason: "an address is parsed, nothing is opened",
    },
    Exception {
        path: "src/config/mail.rs",
        target: "jiff",
        reason: "a time zone is checked against those that the machine knows",
    },
    Exception {
        path: "src/report/mail",
        target: "blake3",
        reason: "the mail's Message-ID is the hash of its text: sent twice, it is one mail",
    },
    Exception {
        path: "src/report/mail",
        target: "std::time",
        reason: "lettre takes the date as SystemTime; it is the report's, not the clock's",
    },
];

/// Modules of `std` that see the world outside.
const WORLD: [&str; 6] = ["env", "fs", "net", "process", "thread", "time"];

/// Crates that a layer's tests may not name either when the layer may not; others they may.
const NEVER_IN_TESTS: [&str; 4] = ["fitsio", "fitsio_sys", "rusqlite", "tokio"];

/// Names of the package's dependencies as they appear in the code.
fn dependencies() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("the package's manifest");
    let manifest: toml::Table = text.parse().expect("valid TOML");
    ["dependencies", "dev-dependencies"]
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table())
        .flat_map(|table| table.keys().map(|name| name.replace('-', "_")))
        .collect()
}

/// One name that a file may not say.
#[derive(Debug, PartialEq, Eq)]
struct Crossing {
    line: usize,
    target: String,
}

/// Compares a file with the table.
///
/// * `path`: below the package's folder; its second part names the layer.
/// * `text`: Rust source; `is_test` tells that the whole file is a test module.
fn crossings(
    path: &str,
    text: &str,
    is_test: bool,
    dependencies: &BTreeSet<String>,
) -> Vec<Crossing> {
    let name = path.split('/').nth(1).expect("a file below src").trim_end_matches(".rs");
    if name == "lib" {
        return Vec::new();
    }
    let Some(layer) = LAYERS.iter().find(|l| l.name == name) else {
        return vec![Crossing { line: 0, target: format!("layer {name} is not in the table") }];
    };
    let is_allowed = |target: &str| {
        layer.layers.contains(&target)
            || layer.crates.contains(&target)
            || target.strip_prefix("std::").is_some_and(|m| layer.world.contains(&m))
            || EXCEPTIONS.iter().any(|e| path.starts_with(e.path) && e.target == target)
    };
    let code = code_of(text);
    let mut found = Vec::new();
    let mut add = |targets: Vec<(usize, String)>, allowed: &dyn Fn(&str) -> bool| {
        let wrong = targets.into_iter().filter(|(_, target)| !allowed(target));
        found.extend(wrong.map(|(line, target)| Crossing { line, target }));
    };
    add(inner_layers(&code), &|target| target == layer.name || is_allowed(target));
    let outside = if is_test { String::new() } else { without_tests(&code) };
    add(named_crates(&outside, dependencies), &is_allowed);
    add(world_modules(&outside), &is_allowed);
    let everywhere = named_crates(&code, dependencies).into_iter();
    add(everywhere.filter(|(_, c)| NEVER_IN_TESTS.contains(&c.as_str())).collect(), &is_allowed);
    add(climbs(&outside, depth(path)), &|_| false);
    found.sort_by(|a, b| (a.line, &a.target).cmp(&(b.line, &b.target)));
    found.dedup();
    found
}

/// Number of modules between the crate's root and a file's items.
fn depth(path: &str) -> usize {
    let parts = path.split('/').count() - 1;
    if path.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// Number of the line that holds a byte of the text, from 1.
fn line_of(code: &str, byte: usize) -> usize {
    code.bytes().take(byte).filter(|&b| b == b'\n').count() + 1
}

/// First names after `crate::` and `autossos::`, those in braces too.
fn inner_layers(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for start in ["crate::", "autossos::"] {
        for (byte, _) in code.match_indices(start) {
            let before = code.get(..byte).and_then(|b| b.chars().next_back());
            if before.is_some_and(|c| is_word(c) || c == ':' || c == '$') {
                continue;
            }
            let rest = code.get(byte + start.len()..).unwrap_or_default();
            let line = line_of(code, byte);
            found.extend(first_names(rest).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// The name a path goes on with, or the names of its outermost braces.
fn first_names(rest: &str) -> Vec<String> {
    let Some(group) = rest.trim_start().strip_prefix('{') else {
        return vec![rest.chars().take_while(|&c| is_word(c)).collect()];
    };
    let (mut names, mut name, mut braces, mut is_first) = (Vec::new(), String::new(), 0, true);
    for c in group.chars() {
        match c {
            '{' => braces += 1,
            '}' if braces == 0 => break,
            '}' => braces -= 1,
            ',' if braces == 0 => {
                names.push(std::mem::take(&mut name));
                is_first = true;
            }
            c if is_first && braces == 0 && is_word(c) => name.push(c),
            c if !c.is_whitespace() => is_first = false,
            _ => {}
        }
    }
    names.push(name);
    names.retain(|n| !n.is_empty());
    names
}

/// External crates at the start of a path, or alone in a `use`.
fn named_crates(code: &str, dependencies: &BTreeSet<String>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let bytes = line.char_indices();
        for (byte, _) in bytes.filter(|(_, c)| is_word(*c)) {
            let before = line.get(..byte).unwrap_or_default();
            let name: String =
                line.get(byte..).unwrap_or_default().chars().take_while(|&c| is_word(c)).collect();
            let rest = line.get(byte + name.len()..).unwrap_or_default();
            let starts_word = !before.ends_with(is_word);
            let starts_path = !before.ends_with("::") && !before.ends_with('.');
            let is_alone = before.trim_end().ends_with("use")
                && (rest.starts_with(';') || rest.starts_with(" as "));
            if starts_word
                && starts_path
                && (rest.starts_with("::") || is_alone)
                && dependencies.contains(&name)
            {
                found.push((number + 1, name));
            }
        }
    }
    found
}

/// Modules of `std` that see the world.
fn world_modules(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (byte, _) in code.match_indices("std::") {
        let rest = code.get(byte + 5..).unwrap_or_default();
        let names = first_names(rest).into_iter().filter(|n| WORLD.contains(&n.as_str()));
        found.extend(names.map(|n| (line_of(code, byte), format!("std::{n}"))));
    }
    found
}

/// Chains of `super` that reach the crate's root: an edge no other check would see.
fn climbs(code: &str, depth: usize) -> Vec<(usize, String)> {
    let chain = "super::".repeat(depth);
    let found = code.match_indices(&chain).map(|(byte, _)| line_of(code, byte));
    found.map(|line| (line, "the crate's root by `super`".to_owned())).collect()
}

#[test]
fn layers_know_only_those_to_their_left() {
    let sources = sources();
    let test_files = test_files(&sources);
    let dependencies = dependencies();
    let mut told = Vec::new();
    for file in &sources {
        let is_test = test_files.contains(&file.path);
        for c in crossings(&file.path, &file.text, is_test, &dependencies) {
            told.push(format!("{}:{}: names {}", file.path, c.line, c.target));
        }
    }
    assert!(
        told.is_empty(),
        "edges that tests/it/layering.rs does not allow:\n{}",
        told.join("\n")
    );
}

#[test]
fn exceptions_are_used_and_have_a_reason() {
    let sources = sources();
    for exception in EXCEPTIONS {
        assert!(exception.reason.len() > 10, "{}: why?", exception.path);
        let mut there = sources.iter().filter(|f| f.path.starts_with(exception.path));
        let is_used = there.any(|f| {
            let code = code_of(&f.text);
            let last = exception.target.rsplit("::").next().unwrap_or_default();
            code.contains(&format!("{last}::"))
        });
        assert!(is_used, "{} no longer names {}", exception.path, exception.target);
    }
}

#[test]
fn the_table_itself_has_no_circle() {
    // Each layer may name only layers that stand above it in the table.
    for (i, layer) in LAYERS.iter().enumerate() {
        for target in layer.layers {
            let place = LAYERS.iter().position(|l| l.name == *target).expect("a layer");
            assert!(place < i, "{} -> {target}", layer.name);
        }
    }
    for pair in [["store", "report"], ["report", "remote"], ["remote", "store"]] {
        for (a, b) in [(pair[0], pair[1]), (pair[1], pair[0])] {
            let layer = LAYERS.iter().find(|l| l.name == a).expect("a layer");
            assert!(!layer.layers.contains(&b), "{a} and {b} do not know each other");
        }
    }
}

#[test]
fn made_up_crossings_are_seen() {
    let dependencies = dependencies();
    let targets = |path: &str, text: &str| -> Vec<String> {
        crossings(path, text, false, &dependencies).into_iter().map(|c| c.target).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(targets("src/science/a.rs", "use crate::store::Store;"), ["store"]);
    let group = "use crate::{\n    science::units, config::{self, Config},\n    ops,\n};";
    assert_eq!(targets("src/pipeline/a.rs", group), ["config", "ops"]);
    assert_eq!(targets("src/store/a.rs", "fn f(x: crate::report::Page) {}"), ["report"]);
    assert_eq!(targets("src/science/a.rs", "// crate::store\nlet s = \"crate::ops\";"), none);
    assert_eq!(targets("src/ops/a.rs", "let c = rusqlite::Connection::open(p);"), ["rusqlite"]);
    assert_eq!(targets("src/pipeline/a.rs", "#[tokio::main]\nfn f() {}"), ["tokio"]);
    assert_eq!(targets("src/pipeline/a.rs", "use tokio as t;"), ["tokio"]);
    assert_eq!(targets("src/formats/csv_a.rs", "use fitsio_sys::ffopen;"), ["fitsio_sys"]);
    assert_eq!(targets("src/formats/fits/a.rs", "use fitsio_sys::ffopen;"), none);
    assert_eq!(targets("src/science/a.rs", "use std::{fmt, fs::File};"), ["std::fs"]);
    assert_eq!(targets("src/pipeline/a.rs", "let t = std::time::Instant::now();"), ["std::time"]);
    let climb = "use super::super::store::Store;";
    assert_eq!(targets("src/science/sky/a.rs", climb), none);
    assert_eq!(targets("src/science/a.rs", climb), ["the crate's root by `super`"]);
    assert_eq!(targets("src/cloud/a.rs", ""), ["layer cloud is not in the table"]);
    let tests = "fn f() {}\n#[cfg(test)]\nmod tests {\n    use tempfile::tempdir;\n}\n";
    assert_eq!(targets("src/formats/a.rs", tests), none);
    let tests =
        "#[cfg(test)]\nmod tests {\n    use crate::ops::run;\n    use rusqlite::params;\n}\n";
    assert_eq!(targets("src/formats/a.rs", tests), ["ops", "rusqlite"]);
}

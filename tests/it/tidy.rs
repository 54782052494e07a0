//! What a compiler does not see: lengths, names, units, notes left behind.

use crate::tree::{TreeFile, code_of, files, sources};

/// Longest line [characters].
const LINE_WIDTH_MAX: usize = 100;
/// A file longer than this must be shortened [lines].
const FILE_LINES_MAX: usize = 800;
/// A longer file needs a reason in [`LONG_FILES`] [lines].
const FILE_LINES_LOOK_AGAIN: usize = 500;
/// A function must be shorter than this [lines].
const FUNCTION_LINES_MAX: usize = 70;

/// Files between [`FILE_LINES_LOOK_AGAIN`] and [`FILE_LINES_MAX`], and why they are one file.
const LONG_FILES: &[(&str, &str)] = &[];
/// Functions of [`FUNCTION_LINES_MAX`] lines or more (path, name), and why they are one.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[];
/// Names that say nothing.
const FORBIDDEN_MODULES: [&str; 5] = ["utils", "common", "helpers", "misc", "manager"];

/// Units that end a name or follow `_per_`.
const UNITS: &[&str] = &[
    "px", "px2", "adu", "e", "e2", "s", "ms", "ks", "h", "hours", "min", "d", "yr", "seconds",
    "deg", "deg2", "rad", "rad2", "arcsec", "arcsec2", "arcmin", "mas", "mag", "m", "km", "au",
    "c", "mib", "mpx", "fwhm", "sigma", "mjd", "utc", "tdb", "year", "days", "percent", "adu2",
    "frames", "hour", "nm", "dex", "pixels", "h2", "row",
];
/// What may follow the unit: which value of the quantity it is.
const QUALIFIERS: &[&str] = &[
    "err",
    "min",
    "max",
    "median",
    "prior",
    "scatter",
    "difference",
    "excess",
    "mid",
    "half",
    "first",
    "field",
    "start",
];
/// Words of quantities without a unit; a name with one of them needs none.
const WITHOUT_UNIT: &[&str] = &[
    "share",
    "fraction",
    "ratio",
    "factor",
    "odds",
    "chance",
    "ln",
    "log",
    "chi2",
    "snr",
    "pull",
    "ellipticity",
    "airmass",
    "gradient",
    "vignetting",
    "response",
    "trials",
    "range",
    "alarms",
    "noise",
    "beta",
    "spread",
    "growth",
    "opacity",
    "disagreement",
    "weight",
    "score",
    "condition",
    "count",
    "rating",
    "elongation",
];
/// Names of textbooks and formats, and what they mean.
const TEXTBOOK: &[(&str, &str)] = &[
    ("bscale", "FITS keyword"),
    ("bzero", "FITS keyword"),
    ("colour_term", "magnitude per magnitude of colour: no unit"),
    ("colour_term_err", "as the colour term"),
    ("colour_term_prior", "as the colour term"),
];
/// Names that stand for a value of any unit or of none (path, name, reason).
const ANY_UNIT: &[(&str, &str, &str)] = &[
    ("src/science/image/stats.rs", "mean", "statistics of any values, in their unit"),
    ("src/science/image/stats.rs", "median", "statistics of any values, in their unit"),
    ("src/config/", "magnitude_max", "the name of the unit itself"),
    ("src/config/", "partial_wait_min", "minutes, not the least wait"),
    ("src/config/", "close_after_min", "minutes, not a least value"),
    ("src/pipeline/ingest/angle.rs", "value", "the unit is told by the field's keyword"),
    ("src/pipeline/ingest/profile.rs", "measured", "a keyword's rule; the unit is its table's"),
    ("src/pipeline/ingest/profile.rs", "assumed", "a keyword's rule; the unit is its table's"),
    ("src/pipeline/artifact/rating.rs", "width_scatter", "logarithm of a ratio"),
    ("src/science/movers/real_score.rs", "width_scatter", "logarithm of a ratio"),
    ("src/science/astrometry/asterism.rs", "longest", "a side, in the unit of the points"),
    ("src/science/astrometry/fit.rs", "scatter", "in units of the expected errors"),
    ("src/science/astrometry/mod.rs", "flux", "any linear unit: only the order counts"),
    ("src/science/calib/gain.rs", "value", "a number with its error, of gain or noise"),
    ("src/science/calib/gain.rs", "error", "a number with its error, of gain or noise"),
    ("src/science/calib/qualify.rs", "shape", "relative to the centre"),
    (
        "src/science/detect/psf_model.rs",
        "xx",
        "an element of the shape's matrix [px^2], as in texts",
    ),
    (
        "src/science/detect/psf_model.rs",
        "xy",
        "an element of the shape's matrix [px^2], as in texts",
    ),
    (
        "src/science/detect/psf_model.rs",
        "yy",
        "an element of the shape's matrix [px^2], as in texts",
    ),
    ("src/science/detect/psf_model.rs", "by_x", "a derivative of a share [1/px]"),
    ("src/science/detect/psf_model.rs", "by_y", "a derivative of a share [1/px]"),
    ("src/science/detect/psf.rs", "xx", "an element of the moments' matrix [px^2], as in texts"),
    ("src/science/detect/psf.rs", "yy", "an element of the moments' matrix [px^2], as in texts"),
    ("src/science/detect/psf.rs", "xy", "an element of the moments' matrix [px^2], as in texts"),
    ("src/science/sky/polynomial.rs", "value", "a polynomial of any unit"),
    ("src/science/sky/polynomial.rs", "by_x", "a polynomial of any unit"),
    ("src/science/sky/polynomial.rs", "by_y", "a polynomial of any unit"),
];

fn assert_none(what: &str, told: &[String]) {
    assert!(told.is_empty(), "{what}:\n{}", told.join("\n"));
}

/// Rust files of the whole package.
fn rust_files() -> Vec<TreeFile> {
    files(&["src", "tests/it", "benches"], &["rs"])
}

#[test]
fn files_and_lines_are_short() {
    let mut told = Vec::new();
    for file in rust_files() {
        let n = file.text.lines().count();
        let is_excused =
            LONG_FILES.iter().any(|(path, reason)| *path == file.path && !reason.is_empty());
        if n > FILE_LINES_MAX || n > FILE_LINES_LOOK_AGAIN && !is_excused {
            told.push(format!("{}: {n} lines", file.path));
        }
        for (number, line) in file.text.lines().enumerate() {
            let width = line.chars().count();
            if width > LINE_WIDTH_MAX {
                told.push(format!("{}:{}: {width} characters", file.path, number + 1));
            }
        }
    }
    assert_none("too long", &told);
}

/// Functions of a source text with their first line and length, by the closing brace's indent.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let code = code_of(text);
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let end = lines.iter().enumerate().skip(start).find_map(|(i, l)| {
            let is_last = l.trim_end().ends_with(['}', ';']) || l.trim() == "}";
            (is_last && l.len() - l.trim_start().len() == indent).then_some(i)
        });
        if let Some(end) = end {
            found.push((name, start + 1, end - start + 1));
        }
    }
    found
}

/// The name of the function that a line begins, if it begins one.
fn function_name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let is_head = before.split_whitespace().all(|word| {
        ["const", "unsafe", "async", "extern", "pub"].contains(&word) || word.starts_with("pub(")
    });
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (is_head && !name.is_empty()).then_some(name)
}

#[test]
fn functions_are_short() {
    let mut told = Vec::new();
    for file in rust_files() {
        for (name, line, n) in functions(&file.text) {
            let is_excused = LONG_FUNCTIONS
                .iter()
                .any(|(path, f, why)| *path == file.path && *f == name && !why.is_empty());
            if n >= FUNCTION_LINES_MAX && !is_excused {
                told.push(format!("{}:{line}: {name} has {n} lines", file.path));
            }
        }
    }
    assert_none("functions that should be two", &told);
}

#[test]
fn each_source_file_begins_by_saying_what_it_is() {
    let mut told = Vec::new();
    for file in sources() {
        let mut lines = file.text.lines().skip_while(|l| l.starts_with("// SPDX-"));
        if !lines.next().is_some_and(|line| line.starts_with("//! ")) {
            told.push(file.path);
        }
    }
    assert_none("files without `//!` in the first line", &told);
}

#[test]
fn modules_have_names_that_say_something() {
    let mut told = Vec::new();
    for file in sources() {
        let parts = file.path.split('/').map(|part| part.trim_end_matches(".rs"));
        if parts.clone().any(|part| FORBIDDEN_MODULES.contains(&part)) {
            told.push(file.path.clone());
        }
    }
    assert_none("modules called anything", &told);
}

/// Text files of the package that people wrote.
fn written_files() -> Vec<TreeFile> {
    let folders = ["src", "tests", "benches", "config", "docs", "systemd", ".ci"];
    let mut found = files(&folders, &[]);
    found.extend(files(
        &["README.md", "CHANGELOG.md", "Cargo.toml", "clippy.toml", "deny.toml", "rustfmt.toml"],
        &[],
    ));
    found
}

#[test]
fn what_is_left_to_do_has_an_issue() {
    let mark = concat!("TO", "DO");
    let mut told = Vec::new();
    for file in written_files() {
        for (number, line) in file.text.lines().enumerate() {
            for (byte, _) in line.match_indices(mark) {
                let rest = line.get(byte + mark.len()..).unwrap_or_default();
                let issue = rest.strip_prefix("(#").and_then(|r| r.split_once("):"));
                let is_numbered = issue
                    .is_some_and(|(n, _)| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
                // These two files speak about the rule itself.
                if !is_numbered
                    && !file.path.ends_with("tidy.rs")
                    && file.path != "docs/ARCHITECTURE.md"
                {
                    told.push(format!("{}:{}", file.path, number + 1));
                }
            }
        }
    }
    assert_none("left to do without an issue's number", &told);
}

#[test]
fn no_path_of_somebodys_machine() {
    let mut told = Vec::new();
    for file in written_files() {
        for (number, line) in file.text.lines().enumerate() {
            for place in [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")] {
                if line.contains(place) {
                    told.push(format!("{}:{}: {place}", file.path, number + 1));
                }
            }
        }
    }
    assert_none("paths that exist on one machine only", &told);
}

/// Tells whether a field's name says its unit.
fn has_unit(path: &str, name: &str) -> bool {
    if TEXTBOOK.iter().any(|(n, _)| *n == name) {
        return true;
    }
    if ANY_UNIT.iter().any(|(p, n, _)| path.starts_with(p) && *n == name) {
        return true;
    }
    let words: Vec<&str> = name.split('_').collect();
    if words.iter().any(|w| WITHOUT_UNIT.contains(w)) {
        return true;
    }
    if let Some(per) = words.iter().position(|w| *w == "per") {
        return per + 1 < words.len()
            && words[per + 1..].iter().all(|w| *w == "per" || UNITS.contains(w));
    }
    // `rate_min` is a least rate, not minutes: qualifiers go first.
    let end = words.iter().rposition(|w| !QUALIFIERS.contains(w));
    end.is_some_and(|last| UNITS.contains(&words[last]))
}

/// Public fields of a source text that hold bare floating point numbers, with their lines.
fn float_fields(text: &str) -> Vec<(String, usize)> {
    let code = code_of(text);
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let field =
            line.trim().strip_prefix("pub ").and_then(|l| l.trim_end_matches(',').split_once(": "));
        let Some((name, kind)) = field else { continue };
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let bare = ["Option<", "Vec<"].iter().fold(kind, |k, wrapper| {
            k.strip_prefix(wrapper).and_then(|k| k.strip_suffix('>')).unwrap_or(k)
        });
        if is_name && (bare == "f64" || bare == "f32") {
            found.push((name.to_owned(), number + 1));
        }
    }
    found
}

#[test]
fn public_numbers_name_their_unit() {
    let mut told = Vec::new();
    for file in sources() {
        for (name, line) in float_fields(&file.text) {
            if !has_unit(&file.path, &name) {
                told.push(format!("{}:{line}: {name}", file.path));
            }
        }
    }
    assert_none("public fields that hide their unit", &told);
}

#[test]
fn the_checks_see_what_they_look_for() {
    let text = "pub struct A {\n    pub rate: f64,\n    pub rate_arcsec_per_h: Option<f64>,\n    \
                pub n: usize,\n}\n";
    let fields = float_fields(text);
    assert_eq!(fields, [("rate".to_owned(), 2), ("rate_arcsec_per_h".to_owned(), 3)]);
    for (name, expected) in [
        ("rate", false),
        ("rate_min", false),
        ("rate_max_arcsec_per_min", true),
        ("fwhm_px", true),
        ("mag_err", true),
        ("mid_mjd_utc", true),
        ("rate_per_step", false),
        ("finite_share_min", true),
    ] {
        assert_eq!(has_unit("src/a.rs", name), expected, "{name}");
    }
    let long = format!(
        "impl A {{\n    pub(super) const fn f() {{\n{}    }}\n}}\n",
        "        g();\n".repeat(80)
    );
    assert_eq!(functions(&long), [("f".to_owned(), 2, 82)]);
    assert_eq!(functions("    fn f();\n}\n"), [("f".to_owned(), 1, 1)]);
}

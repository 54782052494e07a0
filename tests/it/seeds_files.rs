//! The files of Automatic-SSOs and ssos: the whole tree of a night, opened with astropy; region
//! files; catalogues for SCAMP; and that docs/SEEDS_CHECKLIST.md names tests that exist.
//!
//! Needs a Python with astropy (`python3-astropy`) and SCAMP (`scamp`); without them a part of the
//! test says "skipped", or fails when `AUTOSSOS_E2E=1` asks for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use autossos::ops::export::{TreeFormat, export_tree};
use autossos::ops::{OpsError, Silent};

use crate::observatory::output;
use crate::simulated::{NightOnDisk, contents, small};
use crate::tree::{files, root};

/// A Python that has astropy; the first one in the path may be another than Debian's.
fn python() -> Option<&'static str> {
    let works = |program: &&str| {
        let output = Command::new(program).args(["-c", "import astropy"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(works);
    if found.is_none() {
        let reason = "no Python here has astropy";
        assert!(std::env::var("AUTOSSOS_E2E").as_deref() != Ok("1"), "{reason}");
        println!("skipped: {reason}");
    }
    found
}

/// Names of all files below a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let name = |path: PathBuf| path.to_string_lossy().into_owned();
    contents(folder).into_keys().map(name).collect()
}

/// Has the real SCAMP read the catalogues of a folder, when it is there.
fn scamp_takes(folder: &Path) {
    if Command::new("scamp").arg("-v").output().is_err() {
        assert!(std::env::var("AUTOSSOS_E2E").as_deref() != Ok("1"), "no scamp");
        println!("skipped: no scamp");
        return;
    }
    let all = names(folder);
    let catalogues: Vec<&String> = all.iter().filter(|name| name.ends_with(".cat")).collect();
    let mut command = Command::new("scamp");
    command.current_dir(folder).args(&catalogues);
    for word in "-ASTREF_CATALOG FILE -ASTREFCAT_NAME reference.fits -SOLVE_ASTROM N -MATCH N \
                 -SOLVE_PHOTOM N -CENTROID_KEYS XWIN_IMAGE,YWIN_IMAGE -CENTROIDERR_KEYS \
                 ERRAWIN_IMAGE,ERRBWIN_IMAGE,ERRTHETAWIN_IMAGE -CHECKPLOT_TYPE NONE -WRITE_XML N \
                 -FULLOUTCAT_TYPE NONE -MERGEDOUTCAT_TYPE NONE"
        .split_whitespace()
    {
        command.arg(word);
    }
    let (code, told) = output(command);
    assert!(code == Some(0) && told.contains("All done"), "{told}");
    for name in catalogues {
        let head = std::fs::read_to_string(folder.join(name.replace(".cat", ".head")));
        // It writes down how well the catalogues agree; ours says nothing of that.
        assert!(head.expect("a header").contains("ASTIRMS1"), "{name}: {told}");
    }
}

#[test]
fn the_tree_of_a_night_has_the_old_names_and_opens_in_astropy() {
    let night = NightOnDisk::new(&small(7));
    let summary = night.run("d");
    let data = night.data("d");
    let tree = night.data("out");
    let write = |format, to: &Path| export_tree(&data, "test", format, to, &Silent);
    let done = write(TreeFormat::Seeds, &tree).expect("written");
    assert_eq!(done.notes, Vec::<String>::new());
    let found = names(&tree);
    for name in [
        "SSOS/Stats.dat",
        "SSOS/cats/coeff_fit.csv",
        "SSOS/cats/skybot_all.csv",
        "SSOS/cats/full_1.cat",
        "SSOS/cats/merged_1.cat",
        "SSOS/cats/match_full_1.cat",
        "SSOS/checkplots/R2_ev_match_full_1.cat.png",
        "SSOS/checkplots/bad_phot_test.png",
        "SSOS/checkplots/skybot_residuals.png",
        "SSOS/checkplots/skybot_pm.png",
        "autossos-export.txt",
    ] {
        assert!(found.contains(name), "{name} is not in {found:?}");
    }
    assert!(found.iter().any(|name| name.starts_with("SSOS/checkplots/mag_")), "{found:?}");
    // The same night gives the same bytes, in the place of what was there.
    let first = contents(&tree);
    let again = write(TreeFormat::Seeds, &tree).expect("replaced");
    assert_eq!(again, done);
    assert!(contents(&tree) == first, "an export is a function of the night");
    // What somebody else wrote stays.
    let home = night.data("home");
    std::fs::create_dir_all(&home).expect("a folder");
    std::fs::write(home.join("thesis.tex"), "years of work").expect("written");
    let refused = write(TreeFormat::Seeds, &home).expect_err("not empty, not ours");
    assert!(matches!(refused, OpsError::Files(_)), "{refused}");
    assert_eq!(names(&home), BTreeSet::from(["thesis.tex".to_owned()]));

    let regions = night.data("regions");
    write(TreeFormat::Ds9, &regions).expect("written");
    let text = std::fs::read_to_string(regions.join("night.reg")).expect("a file");
    assert!(text.starts_with("# Region file format: DS9") && text.contains("\nicrs\n"), "{text}");
    let n_objects = summary.report.candidates.len();
    assert_eq!(text.matches("circle(").count(), n_objects, "{text}");
    let n_missing = summary.report.known.iter().filter(|known| known.found.is_none()).count();
    assert_eq!(text.matches("point=x").count(), n_missing, "{text}");
    let frame = &summary.report.candidates[0].detections[0].frame;
    let of_frame = frame.split('.').next().expect("a stem");
    let text = std::fs::read_to_string(regions.join(format!("{of_frame}.reg"))).expect("a file");
    assert!(text.contains("circle("), "{text}");

    let catalogues = night.data("ldac");
    write(TreeFormat::Ldac, &catalogues).expect("written");
    assert!(names(&catalogues).contains(&format!("{of_frame}.head")));
    scamp_takes(&catalogues);

    let Some(python) = python() else { return };
    let mut command = Command::new(python);
    let products = data.join("products/test");
    command.arg(root().join("tests/python/seeds_tree.py")).arg(&tree).arg(products);
    let (code, told) = output(command);
    assert!(code == Some(0) && told.contains("all of it opens"), "{told}");
}

#[test]
fn the_checklist_has_every_line_and_names_tests_that_exist() {
    let path = root().join("docs/SEEDS_CHECKLIST.md");
    let text = std::fs::read_to_string(path).expect("the checklist");
    let sources = files(&["src", "tests"], &["rs"]);
    let mut n_named = 0;
    let mut lines = BTreeSet::new();
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let first = row.split_whitespace().nth(1).expect("a cell");
        if !first.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        lines.insert(first.to_owned());
        let named: Vec<(&str, &str)> =
            row.split('`').filter_map(|word| word.split_once(".rs::")).collect();
        assert!(!named.is_empty() || row.contains("eplaced:"), "neither test nor reason: {row}");
        for (file, test) in named {
            let file = format!("{file}.rs");
            let source = sources.iter().find(|source| source.path == file);
            let source = source.unwrap_or_else(|| panic!("{file} is not there: {row}"));
            let place = source.text.find(&format!("fn {test}()"));
            let before = place.and_then(|place| source.text.get(..place));
            let before = before.unwrap_or_else(|| panic!("{file} has no {test}"));
            let is_test = before.trim_end().lines().next_back().is_some_and(|line| {
                line.trim() == "#[test]" || line.trim().starts_with("#[expect(")
            });
            assert!(is_test, "{test} in {file} is no test");
            n_named += 1;
        }
    }
    let wanted = (1..=10).map(|k| format!("{k}.")).chain((1..=10).map(|k| format!("7.{k}")));
    assert_eq!(lines, wanted.collect(), "ten lines and ten vectors");
    assert!(n_named > 30, "{n_named}");
}

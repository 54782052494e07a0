//! Tables, charts and light curves of a night by the real program, as people and old scripts ask
//! for them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::observatory::output;
use crate::simulated::{NightOnDisk, small};

/// Runs `autossosctl` on a data folder.
fn ctl(data: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autossosctl"));
    command.args(words).arg("--data").arg(data).env_remove("AUTOSSOS_CONFIG");
    output(command)
}

/// The lines of a file.
fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a table");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn tables_and_charts_of_automatic_ssos_come_from_what_is_stored() {
    let night = NightOnDisk::new(&small(41));
    let summary = night.run("d");
    let (data, name) = (night.data("d"), summary.report.night.as_str());
    let to = night.data("tables");
    std::fs::create_dir_all(&to).expect("a folder");
    let file = |of: &str| to.join(of);
    for (format, head) in [
        ("stats", "Name,Mean,SD,Median,MAD,Outlier,Night"),
        ("coeff-fit", "Catalog Number,Intercept,Int_err,Slope,Slope_err,R2,N tot,N fit,Epoch"),
        ("calib", "SOURCE_NUMBER,CATALOG_NUMBER,RA,DEC,EPOCH,MAG"),
        ("validcalib", "SOURCE_NUMBER,CATALOG_NUMBER,RA,DEC,EPOCH,MAG"),
    ] {
        let path = file(format);
        let words = ["export", name, "--format", format, "-o", path.to_str().expect("a text")];
        let (code, told) = ctl(&data, &words);
        assert_eq!(code, Some(0), "{told}");
        let lines = lines(&path);
        assert!(lines[0].starts_with(head) && lines.len() > 1, "{format}: {}", lines[0]);
    }
    let calib = lines(&file("calib"));
    assert!(calib[0].ends_with("MAG_CALIB,MAG_CALIB_ERR,R2,PHOT_OUTLIER"), "{}", calib[0]);
    assert!(lines(&file("validcalib")).len() <= calib.len());

    // With an R2 that no frame reaches nothing is valid, and what is stored stays.
    let folder = to.to_str().expect("a text");
    let began = Instant::now();
    let limits = ["--r2", "1.0", "--max-mag", "17", "--to", folder];
    let (code, told) = ctl(&data, &[&["refit", name], &limits[..]].concat());
    assert_eq!(code, Some(0), "{told}");
    assert!(began.elapsed() < Duration::from_secs(20), "without pixels: {:?}", began.elapsed());
    assert!(told.contains("R2 of the regression"), "{told}");
    assert_eq!(lines(&file(&format!("validcalib_{name}.csv"))).len(), 1, "{told}");
    assert_eq!(lines(&file(&format!("calib_{name}.csv"))).len(), calib.len());
    let (code, told) = ctl(&data, &["refit", name, "--min-mag", "18", "--max-mag", "15"]);
    assert!(code == Some(1) && told.contains("--min-mag"), "{told}");

    let frame = summary.report.frames.iter().find(|f| f.photometry.is_some()).expect("a frame");
    for words in [
        &["plot", "stats", name, "--to", folder][..],
        &["plot", "r2", name, "--to", folder],
        &["plot", "fit", name, "--frame", &frame.frame, "--to", folder],
    ] {
        let (code, told) = ctl(&data, words);
        assert_eq!(code, Some(0), "{words:?}: {told}");
    }
    let chart = lines(&file(&format!("{name}_stats_median.svg"))).concat();
    assert!(chart.contains("median of the sky [ADU]") && chart.contains("<circle"), "{chart}");
    let (code, told) = ctl(&data, &["plot", "fit", name, "--frame", "none.fits"]);
    assert!(code == Some(1) && told.contains("has no frame"), "{told}");

    let object = &summary.report.candidates[0];
    let (code, told) = ctl(&data, &["lightcurve", &object.id, "--to", folder]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains(" magnitudes, ") && told.contains("not reduced for distance"), "{told}");
    let (code, told) = ctl(&data, &["plot", "lightcurve", &object.id, name, "--to", folder]);
    assert_eq!(code, Some(0), "{told}");
    let written: Vec<String> = std::fs::read_dir(&to)
        .expect("a folder")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    for end in ["lightcurve.csv", "lightcurve.alcdef", "lightcurve.svg", "lightcurve.png"] {
        assert!(written.iter().any(|name| name.ends_with(end)), "{end} in {written:?}");
    }
    let (code, told) = ctl(&data, &["lightcurve", "Nobody"]);
    assert!(code == Some(1) && told.contains("no closed night"), "{told}");
}

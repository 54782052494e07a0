//! Maps of weights beside a night's frames.

use std::path::Path;

use autossos::config::Config;
use autossos::formats::fits::{Header, write_image};
use autossos::ops::Silent;
use autossos::ops::run::run_night;
use autossos::science::image::Image;

use crate::simulated::{NightOnDisk, row, small, told, used_frames};

fn write_map(folder: &Path, frame: &str, map: &Image<f32>) {
    let name = frame.replace(".fits", ".weight.fits");
    let path = folder.join(name);
    if path.exists() {
        std::fs::remove_file(&path).expect("our own file");
    }
    write_image(&path, map, &Header::new()).expect("a map");
}

#[test]
fn a_map_of_weights_masks_what_it_weighs_nothing_and_a_new_one_makes_its_frame_anew() {
    let night = NightOnDisk::new(&small(13));
    let maps = night.data("maps");
    std::fs::create_dir(&maps).expect("a folder");
    let names: Vec<&str> = night.truth.frames.iter().map(|f| f.name.as_str()).collect();
    let (nx, ny) = (384, 384);
    let mut half = Image::filled(nx, ny, 2.0_f32);
    for y in 0..ny {
        half.row_mut(y)[..nx / 2].fill(0.0);
    }
    write_map(&maps, names[0], &half);
    write_map(&maps, names[1], &Image::filled(10, 10, 1.0));
    write_map(&maps, names[2], &Image::filled(nx, ny, 7.0));
    let mut config = Config::default();
    config.calibrate.weight_dir = Some(maps.clone());
    let run = || run_night(&night.request("data"), &config, &Silent).expect("the night");
    let first = run().report;
    assert_eq!(used_frames(&first).len(), 5, "{}", told(&first));
    let sources = |k: usize| row(&first, names[k]).n_sources.expect("extracted");
    let (halved, whole) = (sources(0), sources(2));
    println!("{halved} sources on the half with weights, {whole} on a whole frame");
    assert!(halved * 10 < whole * 7 && halved * 10 > whole * 3, "{halved} of {whole}");
    let steps = |k: usize| row(&first, names[k]).steps.join("\n");
    assert!(steps(0).contains(&format!("{} px without one", nx / 2 * ny)), "{}", steps(0));
    assert!(steps(2).contains("0 px without one"), "{}", steps(2));
    for (k, remark) in [(1, "has 10 x 10 px"), (3, "no map of weights"), (4, "no map of weights")] {
        let notes = row(&first, names[k]).notes.join("\n");
        assert!(notes.contains(remark), "{notes}");
        assert!(!steps(k).contains("map of weights"), "{}", steps(k));
    }
    // Another map: that frame alone is made anew, and has all its sources.
    write_map(&maps, names[0], &Image::filled(nx, ny, 1.0));
    let second = run();
    assert_eq!(second.n_reduced, 1);
    let now = row(&second.report, names[0]).n_sources.expect("extracted");
    assert!(now * 10 > whole * 8, "{now} of {whole}");
}

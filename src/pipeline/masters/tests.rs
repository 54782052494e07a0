//! Tests of making and choosing masters.

use super::build::build_masters;
use super::*;
use crate::pipeline::artifact::frame_info::Section;
use crate::science::calib::gain;
use crate::science::calib::synthetic::Noise;

mod earlier;

const SIDE: usize = 96;

fn info(kind: FrameKind, exposure_s: f64) -> FrameInfo {
    FrameInfo {
        profile: "test".to_owned(),
        kind,
        instrument: "CAM".to_owned(),
        image: None,
        object: None,
        nx: SIDE,
        ny: SIDE,
        exposure_s,
        mid: None,
        mid_err_s: 0.0,
        filter: "R".to_owned(),
        pointing_rad: None,
        pixel_scale_arcsec: None,
        gain_e_per_adu: Some(1.5),
        read_noise_e: Some(6.0),
        saturation_adu: Some(60_000.0),
        overscan: None,
        trim: None,
        binning: (1, 1),
        temperature_c: Some(-10.0),
        flip: FlipState::AsRead,
        window_px: (0, 0),
        allowed: Default::default(),
        site: None,
        is_simulated: false,
        remarks: Vec::new(),
    }
}

/// Bias 1000 with a ramp in x, dark 0.5 ADU/s with a hot pixel at (20, 30), flat with a ramp in y.
fn raw_pixels(frame: &CalibrationFrame) -> Result<Image<f32>, std::fmt::Error> {
    let seed = frame.name.bytes().fold(7_u64, |s, b| s.wrapping_mul(31) + u64::from(b));
    let mut noise = Noise::seeded(seed);
    let light = if frame.info.kind == FrameKind::Flat { 20_000.0 } else { 0.0 };
    if frame.name.contains("unreadable") {
        return Err(std::fmt::Error);
    }
    let image = noise.frame_of(SIDE, |x, y| {
        let hot = if (x, y) == (20, 30) { 100.0 } else { 0.5 };
        let response = 0.9 + 0.2 * y as f32 / 95.0;
        let bias = if frame.name.contains("odd") { 1200.0 } else { 1000.0 };
        let dark = hot * frame.info.exposure_s as f32;
        (bias + 0.1 * x as f32 + dark + light * response, 2.0)
    });
    let turned = frame.info.flip == FlipState::Turned180;
    Ok(if turned { image.turned_180() } else { image })
}

fn frames(kind: FrameKind, exposure_s: f64, n: usize) -> Vec<CalibrationFrame> {
    (0..n)
        .map(|i| CalibrationFrame::new(format!("{kind:?}-{i}.fits"), info(kind, exposure_s)))
        .collect()
}

fn night(frames: &[CalibrationFrame]) -> MasterLibrary {
    build_masters(frames, &raw_pixels, &NoEarlierMasters, &MasterParams::default())
}

fn choose(library: &MasterLibrary, science: &FrameInfo) -> select::MasterSet {
    library.select(science, &NoEarlierMasters, &MasterParams::default())
}

fn full_night() -> Vec<CalibrationFrame> {
    let mut all = frames(FrameKind::Bias, 0.0, 5);
    all.extend(frames(FrameKind::Dark, 120.0, 5));
    all.extend(frames(FrameKind::Flat, 2.0, 5));
    all
}

#[test]
fn masters_hold_what_they_should() {
    let mut all = full_night();
    // A turned bias is turned back before it is combined.
    all[2].info.flip = FlipState::Turned180;
    all.push(CalibrationFrame::new("odd-bias.fits", info(FrameKind::Bias, 0.0)));
    all.push(CalibrationFrame::new("unreadable.fits", info(FrameKind::Flat, 2.0)));
    let library = night(&all);
    let kinds: Vec<FrameKind> = library.masters.iter().map(|m| m.key.kind).collect();
    assert_eq!(kinds, vec![FrameKind::Bias, FrameKind::Dark, FrameKind::Flat]);
    let [bias, dark, flat] = [0, 1, 2].map(|i| &library.masters[i]);
    assert_eq!((bias.n_frames, dark.n_frames, flat.n_frames), (5, 5, 5));
    assert!(bias.has_pedestal && !dark.has_pedestal);
    // Errors of the masters: 2 / sqrt(5) = 0.9 ADU; the dark has bias and dark: 1.3 ADU.
    assert!((bias.pixels.at(90, 5) - 1009.0).abs() < 5.0);
    assert!((dark.pixels.at(50, 50) - 60.0).abs() < 7.0);
    assert!((dark.pixels.at(20, 30) - 12_000.0).abs() < 7.0);
    assert!((flat.pixels.at(50, 95) / flat.pixels.at(50, 0) - 1.1 / 0.9).abs() < 1e-3);
    assert!((flat.pixels.at(20, 30) / flat.pixels.at(21, 30) - 1.0).abs() < 1e-3);
    let subjects: Vec<&str> = library.notes.iter().map(|n| n.subject.as_str()).collect();
    assert_eq!(subjects, vec!["odd-bias.fits", "unreadable.fits"]);
    assert!(library.notes[0].text.contains("level 120"), "{}", library.notes[0].text);
}

#[test]
fn a_frame_of_half_the_exposure_gets_half_the_dark() {
    let library = night(&full_night());
    let set = choose(&library, &info(FrameKind::Science, 60.0));
    assert!((set.dark_ratio - 0.5).abs() < 1e-12);
    assert_eq!(set.names().len(), 3);
    assert!(set.notes.is_empty(), "{:?}", set.notes);
    let bad = set.bad.expect("the dark has a hot pixel");
    assert!(!bad.at(20, 30).is_good());
    assert_eq!(bad.pixels().iter().filter(|m| !m.is_good()).count(), 1);
    let mut turned = info(FrameKind::Science, 60.0);
    turned.flip = FlipState::Turned180;
    let set = choose(&library, &turned);
    assert!(!set.bad.expect("the same hot pixel").at(75, 65).is_good());
    let dark = set.dark.expect("a dark").pixels_for(FlipState::Turned180).at(75, 65);
    assert!((dark - 12_000.0).abs() < 7.0);
}

#[test]
fn a_dark_of_the_same_exposure_replaces_a_missing_bias() {
    let library = night(&frames(FrameKind::Dark, 120.0, 3));
    assert!(library.masters[0].has_pedestal);
    let set = choose(&library, &info(FrameKind::Science, 120.0));
    assert_eq!(set.bias.expect("the dark").key.kind, FrameKind::Dark);
    assert!(set.dark.is_none());
    let other = choose(&library, &info(FrameKind::Science, 60.0));
    assert!(other.bias.is_none() && other.dark.is_none());
    assert!(other.notes.iter().any(|n| n.contains("cannot be scaled")), "{:?}", other.notes);
}

#[test]
fn flats_are_chosen_by_filter_only() {
    let library = night(&full_night());
    let mut science = info(FrameKind::Science, 60.0);
    science.filter = "V".to_owned();
    let set = choose(&library, &science);
    assert!(set.flat.is_none());
    assert!(set.notes.iter().any(|n| n.contains("no flat of filter V") && n.contains('R')));
    science.filter = "NONE".to_owned();
    let set = choose(&library, &science);
    assert!(set.flat.is_some() && set.notes[0].contains("the only one"));
    let mut two = full_night();
    for i in 0..3 {
        let mut frame = CalibrationFrame::new(format!("v-{i}.fits"), info(FrameKind::Flat, 2.0));
        frame.info.filter = "V".to_owned();
        two.push(frame);
    }
    let set = choose(&night(&two), &science);
    assert!(set.flat.is_none() && set.notes[0].contains("filter unknown"));
}

#[test]
fn nothing_there_is_a_warning() {
    let set = choose(&night(&[]), &info(FrameKind::Science, 60.0));
    assert!(set.names().is_empty() && set.bad.is_none());
    assert!(set.notes.iter().any(|n| n == "WARNING: no calibration frames: used raw"));
}

#[test]
fn master_files_and_earlier_nights_stand_in() {
    let files = [
        CalibrationFrame::new("MasterBias.fits", info(FrameKind::Bias, 0.0)),
        CalibrationFrame::new("master-dark.fits", info(FrameKind::Dark, 120.0)),
    ];
    let library = night(&files);
    let science = info(FrameKind::Science, 60.0);
    let set = choose(&library, &science);
    let dark = set.dark.expect("the file");
    // The dark file had the bias in it.
    assert!((dark.pixels.at(50, 50) - 60.0).abs() < 15.0 && !dark.has_pedestal);
    assert!(set.notes.iter().any(|n| n.contains("MasterBias.fits lay ready")));
    // Frames with an overscan take the file without its own level.
    let mut trimmed = info(FrameKind::Science, 60.0);
    trimmed.nx = SIDE + 20;
    trimmed.trim = Some(Section { x0: 5, x1: 5 + SIDE, y0: 0, y1: SIDE });
    trimmed.overscan = Some(Section { x0: 105, x1: 115, y0: 0, y1: SIDE });
    let bias = choose(&library, &trimmed).bias.expect("the file");
    assert!(!bias.has_pedestal && bias.pixels.at(48, 48).abs() < 12.0);

    struct Before(Arc<Master>);
    impl EarlierMasters for Before {
        fn newest(
            &self,
            want: &MasterKey,
            is_fit: &dyn Fn(&MasterFacts) -> bool,
        ) -> Option<Arc<Master>> {
            (*want == self.0.key && is_fit(&self.0.facts())).then(|| Arc::clone(&self.0))
        }

        fn newest_refused(
            &self,
            _want: &MasterKey,
            _is_fit: &dyn Fn(&MasterFacts) -> bool,
        ) -> Option<Arc<Master>> {
            None
        }
    }
    let mut old = night(&frames(FrameKind::Flat, 2.0, 3)).masters.remove(0);
    Arc::get_mut(&mut old).expect("held once").origin =
        MasterOrigin::Earlier { night: "20240101".to_owned() };
    let set = library.select(&science, &Before(old), &MasterParams::default());
    assert!(set.flat.is_some());
    assert!(set.notes.iter().any(|n| n.contains("of night 20240101")));
}

#[test]
fn odd_headers_are_survived() {
    let mut wrong = frames(FrameKind::Bias, 0.0, 2);
    wrong[0].info.nx = 7; // not what the file holds
    wrong[1].info.trim = Some(Section { x0: 5, x1: 900, y0: 3, y1: 3 });
    let library = night(&wrong);
    assert_eq!(library.masters.len(), 1);
    assert!(library.notes[0].text.contains("unlike its header"));
    assert_eq!(exposure_ms(f64::NAN), 0);
    assert_eq!(exposure_ms(299.998), exposure_ms(300.003));
    assert_eq!(exposure_ms(0.25), 250);
    assert_eq!(temperature_class(Some(f64::INFINITY), 5.0), None);
    assert_eq!(temperature_class(Some(-12.0), 5.0), Some(-2));
}

//! Masters against those of earlier nights: fall-back, refusal, and a camera that changed.

use super::*;

/// What earlier nights left: accepted masters and refused ones.
#[derive(Default)]
struct Earlier {
    accepted: Vec<Arc<Master>>,
    refused: Vec<Arc<Master>>,
}

impl Earlier {
    /// The masters of a night, as later nights see them.
    fn of(library: MasterLibrary, night: &str) -> Self {
        let of_night = |master: Arc<Master>| {
            let mut master = Arc::into_inner(master).expect("held once");
            master.origin = MasterOrigin::Earlier { night: night.to_owned() };
            Arc::new(master)
        };
        let accepted = library.masters.into_iter().map(of_night).collect();
        Self { accepted, refused: library.refused.into_iter().map(of_night).collect() }
    }
}

fn find(
    masters: &[Arc<Master>],
    want: &MasterKey,
    is_fit: &dyn Fn(&MasterFacts) -> bool,
) -> Option<Arc<Master>> {
    let is_same = |m: &&Arc<Master>| {
        m.key.kind == want.kind
            && m.key.geometry == want.geometry
            && m.key.filter == want.filter
            && is_fit(&m.facts())
    };
    masters.iter().find(is_same).cloned()
}

impl EarlierMasters for Earlier {
    fn newest(
        &self,
        want: &MasterKey,
        is_fit: &dyn Fn(&MasterFacts) -> bool,
    ) -> Option<Arc<Master>> {
        find(&self.accepted, want, is_fit)
    }

    fn newest_refused(
        &self,
        want: &MasterKey,
        is_fit: &dyn Fn(&MasterFacts) -> bool,
    ) -> Option<Arc<Master>> {
        find(&self.refused, want, is_fit)
    }
}

/// Biases whose level is 200 ADU off: see `raw_pixels`.
fn odd_biases() -> Vec<CalibrationFrame> {
    (0..5)
        .map(|i| CalibrationFrame::new(format!("odd-{i}.fits"), info(FrameKind::Bias, 0.0)))
        .collect()
}

fn night_after(frames: &[CalibrationFrame], earlier: &Earlier) -> MasterLibrary {
    build_masters(frames, &raw_pixels, earlier, &MasterParams::default())
}

#[test]
fn a_master_that_jumped_is_refused_and_the_last_one_stands_in() {
    let earlier = Earlier::of(night(&full_night()), "20240101");
    let library = night_after(&odd_biases(), &earlier);
    assert!(library.masters.is_empty() && library.refused.len() == 1);
    let text = &library.notes[0].text;
    assert!(text.contains("of night 20240101, which is used instead: level +200"), "{text}");
    let set = library.select(&info(FrameKind::Science, 60.0), &earlier, &MasterParams::default());
    let bias = set.bias.expect("the earlier one");
    assert!((bias.pixels.at(90, 5) - 1009.0).abs() < 5.0);
    assert!(set.notes.iter().any(|n| n.contains("of night 20240101")), "{:?}", set.notes);
    // Biases as ever are taken.
    let library = night_after(&frames(FrameKind::Bias, 0.0, 4), &earlier);
    assert!(library.masters.len() == 1 && library.notes.is_empty(), "{:?}", library.notes);
}

#[test]
fn a_second_night_of_the_same_change_is_believed() {
    let mut earlier = Earlier::of(night(&full_night()), "20240101");
    earlier.refused = Earlier::of(night_after(&odd_biases(), &earlier), "20240102").refused;
    let library = night_after(&odd_biases(), &earlier);
    assert!(library.masters.len() == 1 && library.refused.is_empty());
    let text = &library.notes[0].text;
    assert!(text.contains("20240101") && text.contains("of night 20240102 showed"), "{text}");
}

#[test]
fn a_night_without_flats_knows_the_gain_of_the_last_one() {
    let mut library = night(&full_night());
    let measured = gain::Measured { value: 1.6, error: 0.01 };
    for master in &mut library.masters {
        let master = Arc::get_mut(master).expect("held once");
        master.measured.gain_e_per_adu = Some(measured);
    }
    let earlier = Earlier::of(library, "20240101");
    let set =
        night(&[]).select(&info(FrameKind::Science, 60.0), &earlier, &MasterParams::default());
    assert_eq!(set.names().len(), 3);
    assert_eq!(set.measured.gain_e_per_adu, Some(measured));
}

#[test]
fn noise_that_the_header_cannot_explain_is_refused() {
    // Noise 2 ADU; a header of 60 e- at 1.5 e-/ADU says 40 ADU.
    let mut biases = frames(FrameKind::Bias, 0.0, 5);
    biases.iter_mut().for_each(|f| f.info.read_noise_e = Some(60.0));
    let library = night(&biases);
    assert!(library.masters.is_empty());
    assert!(library.notes[0].text.contains("expected 40.0"), "{:?}", library.notes);
    // Flats of 20,000 ADU with a noise of 2: fine; with light at all, more is explained.
    assert_eq!(night(&frames(FrameKind::Flat, 2.0, 5)).masters.len(), 1);
}

#[test]
fn darks_are_scaled_only_where_the_profile_allows() {
    let library = night(&full_night());
    let mut science = info(FrameKind::Science, 60.0);
    science.allowed.dark_ratio_min = 0.8;
    let set = choose(&library, &science);
    assert!(set.dark.is_none());
    assert!(set.notes.iter().any(|n| n.contains("dark of 120 s not used for 60 s")));
    science.exposure_s = 120.5; // within 1 % it is the same exposure
    science.allowed.dark_ratio_min = 1.0;
    science.allowed.dark_ratio_max = 1.0;
    assert!(choose(&library, &science).dark.is_some());
    science.exposure_s = 300.0;
    science.allowed = Default::default();
    assert!(choose(&library, &science).dark.is_none());
}

#[test]
fn a_part_frame_of_another_place_has_its_own_masters() {
    let library = night(&full_night());
    let mut science = info(FrameKind::Science, 60.0);
    science.window_px = (100, 0);
    let set = choose(&library, &science);
    assert!(set.names().is_empty());
    assert!(set.notes.iter().any(|n| n == "WARNING: no calibration frames: used raw"));
}

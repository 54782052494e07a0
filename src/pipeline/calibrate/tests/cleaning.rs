//! Tests of marking what does not belong to the sky.

use super::clean::{CleanParams, clean};
use super::*;

/// Sky of 400 e- with a line `wide_px` broad, in pixels of 20 e- noise.
fn with_line(wide_px: f32, x_of_row: impl Fn(usize) -> f32) -> Calibrated {
    let raw = Noise::seeded(61).frame_of(512, |x, y| {
        let off = (x as f32 - x_of_row(y)) / wide_px;
        (200.0 + 60.0 * (-0.5 * off * off).exp(), 10.0)
    });
    calibrate(&raw, &info(512, 512), &MasterSet::default(), &CalibrateParams::default())
        .expect("fits")
}

fn share_of(frame: &Calibrated, bit: MaskBits) -> f64 {
    let n = frame.pixels.mask.pixels().iter().filter(|m| m.is_any(bit)).count();
    n as f64 / 512.0
}

#[test]
fn a_trail_nearly_along_a_column_is_one_and_no_row_of_bad_columns() {
    let mut frame = with_line(1.3, |y| 200.0 + 6.0 * y as f32 / 512.0);
    clean(&mut frame, &info(512, 512), &CleanParams::default());
    let widths = (share_of(&frame, MaskBits::TRAIL), share_of(&frame, MaskBits::BAD));
    assert!((5.0..20.0).contains(&widths.0) && widths.1 < 0.01, "{widths:?} px wide");
    assert!(frame.notes.iter().any(|n| n.contains("aircraft masked")), "{:?}", frame.notes);
}

#[test]
fn a_bad_column_is_no_trail() {
    let mut frame = with_line(0.2, |_| 200.0);
    clean(&mut frame, &info(512, 512), &CleanParams::default());
    let widths = (share_of(&frame, MaskBits::TRAIL), share_of(&frame, MaskBits::BAD));
    assert!(widths.0 < 0.01 && (widths.1 - 1.0).abs() < 0.01, "{widths:?} px wide");
}

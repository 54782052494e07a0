//! Master files lying ready in the night's folder, accepted as they are.
//!
//! Whether a file still contains the bias level is read off its level: nobody writes it into
//! headers in a way to rely on.

use std::sync::{Arc, OnceLock};

use crate::pipeline::artifact::frame_info::FrameKind;
use crate::pipeline::artifact::report::Note;
use crate::science::calib::qualify::{
    FrameStats, frame_stats, judge_master_flat, judge_master_level,
};
use crate::science::image::Image;

use super::super::prepare::key_of;
use super::super::{EarlierMasters, Master, MasterKey, MasterLibrary, MasterOrigin, MasterParams};
use super::{Loaded, kind_name, subtract};

/// A bias level below this is what is left after an overscan was taken off [ADU].
const LEVEL_FREE_MAX_ADU: f64 = 20.0;
/// A dark above this share of the bias level still contains the bias.
const DARK_BIAS_SHARE: f64 = 0.5;
/// Range of the centre of a flat that is normalised already.
const NORMALISED: std::ops::Range<f64> = 0.2..5.0;

/// Puts a master file into the library, or a note why not.
pub(super) fn accept_file(
    library: &mut MasterLibrary,
    loaded: Loaded<'_>,
    earlier: &dyn EarlierMasters,
    params: &MasterParams,
) {
    let name = loaded.frame.name.clone();
    let kind = loaded.frame.info.kind;
    let refuse = |text: String| Note { subject: name.clone(), text };
    let Some(stats) = frame_stats(&loaded.pixels) else {
        library.notes.push(refuse("master file not used: no usable pixels".to_owned()));
        return;
    };
    let fault = match kind {
        FrameKind::Flat if stats.centre_adu <= 0.0 => {
            library.notes.push(refuse(format!(
                "master file not used: level {:.3} at its centre",
                stats.centre_adu
            )));
            return;
        }
        FrameKind::Flat => {
            let noise = Some(stats.noise_adu / stats.centre_adu);
            judge_master_flat(&stats, noise, &params.qualify)
        }
        _ => judge_master_level(&stats, &params.qualify),
    };
    if let Some(fault) = fault {
        library.notes.push(refuse(format!("master file not used: {fault}")));
        return;
    }
    match kind {
        FrameKind::Bias => accept_bias(library, loaded, &stats, params),
        FrameKind::Dark => accept_dark(library, loaded, &stats, (earlier, params)),
        FrameKind::Flat => accept_flat(library, loaded, &stats, params),
        FrameKind::Science => {}
    }
}

/// A bias serves as it is, and less its own level for frames with an overscan.
fn accept_bias(
    library: &mut MasterLibrary,
    loaded: Loaded<'_>,
    stats: &FrameStats,
    params: &MasterParams,
) {
    let mut key = key_of(&loaded.frame.info, FrameKind::Bias, params);
    if stats.level_adu.abs() < LEVEL_FREE_MAX_ADU {
        key.geometry.is_overscan_subtracted = true;
        keep(library, &loaded, loaded.pixels.clone(), stats.noise_adu, (key, false));
        return;
    }
    let mut without_level = loaded.pixels.clone();
    without_level.pixels_mut().iter_mut().for_each(|v| *v -= stats.level_adu as f32);
    let mut free_key = key.clone();
    free_key.geometry.is_overscan_subtracted = true;
    keep(library, &loaded, without_level, stats.noise_adu, (free_key, false));
    key.geometry.is_overscan_subtracted = false;
    keep(library, &loaded, loaded.pixels.clone(), stats.noise_adu, (key, true));
}

fn accept_dark(
    library: &mut MasterLibrary,
    loaded: Loaded<'_>,
    stats: &FrameStats,
    (earlier, params): (&dyn EarlierMasters, &MasterParams),
) {
    let key = key_of(&loaded.frame.info, FrameKind::Dark, params);
    let mut bias_key = key_of(&loaded.frame.info, FrameKind::Bias, params);
    bias_key.geometry.is_overscan_subtracted = false;
    let bias = library.find(&bias_key, earlier);
    let bias_adu = bias.as_ref().and_then(|b| frame_stats(&b.pixels)).map(|s| s.level_adu);
    let mut pixels = loaded.pixels.clone();
    let limit_adu = bias_adu.map_or(10.0 * LEVEL_FREE_MAX_ADU, |b| DARK_BIAS_SHARE * b);
    let has_bias = stats.level_adu > limit_adu.max(LEVEL_FREE_MAX_ADU);
    let has_pedestal = match &bias {
        Some(bias) if has_bias && bias.pixels.same_shape(&pixels) => {
            subtract(&mut pixels, &bias.pixels, 1.0);
            false
        }
        _ => has_bias,
    };
    keep(library, &loaded, pixels, stats.noise_adu, (key, has_pedestal));
}

/// A flat is brought to 1 at its centre; in counts, it is taken to be free of bias.
fn accept_flat(
    library: &mut MasterLibrary,
    loaded: Loaded<'_>,
    stats: &FrameStats,
    params: &MasterParams,
) {
    let key = key_of(&loaded.frame.info, FrameKind::Flat, params);
    if !NORMALISED.contains(&stats.centre_adu) {
        let text = format!(
            "master flat of {:.0} ADU at its centre: taken to be free of bias",
            stats.centre_adu
        );
        library.notes.push(Note { subject: loaded.frame.name.clone(), text });
    }
    let per_centre = (1.0 / stats.centre_adu) as f32;
    let mut pixels = loaded.pixels.clone();
    pixels.pixels_mut().iter_mut().for_each(|v| *v *= per_centre);
    keep(library, &loaded, pixels, stats.noise_adu / stats.centre_adu, (key, false));
}

fn keep(
    library: &mut MasterLibrary,
    loaded: &Loaded<'_>,
    pixels: Image<f32>,
    noise: f64,
    (key, has_pedestal): (MasterKey, bool),
) {
    let info = &loaded.frame.info;
    library.masters.push(Arc::new(Master {
        name: format!("{} file {}", kind_name(key.kind), loaded.frame.name),
        key,
        origin: MasterOrigin::File,
        pixels,
        noise,
        frame_noise: noise,
        n_frames: 1,
        has_pedestal,
        exposure_s: info.exposure_s,
        temperature_c: info.temperature_c,
        measured: Default::default(),
        turned: OnceLock::new(),
        bad: OnceLock::new(),
    }));
}

//! May a master that was just combined be used?
//!
//! It is held against absolute limits, against the noise that the header's numbers explain, and
//! against the last accepted master of its signature. One that has merely changed is remembered:
//! when the next night shows the same, the camera was changed, and the new state is accepted.

use crate::pipeline::artifact::frame_info::FrameKind;
use crate::pipeline::masters::{Master, MasterFacts, MasterOrigin};
use crate::science::calib::continuity::{Change, Compared, flat_change, level_change};
use crate::science::calib::qualify::{
    Fault, frame_stats, judge_master_flat, judge_master_level, judge_photon_noise, judge_read_noise,
};

use super::GroupBuilder;

/// Exposures of darks that are compared differ by at most this share.
const EXPOSURE_TOLERANCE: f64 = 0.01;

/// What is to be done with a master.
pub(super) enum Verdict {
    /// It is used.
    Accepted,
    /// It differs from the last accepted one, but is like another refused one; in words.
    AcceptedAfterChange(String),
    /// It is not used.
    Faulty(Fault),
    /// It is not used but remembered; in words.
    Changed(String),
}

impl GroupBuilder<'_> {
    /// Judges a master; `level_adu`: median centre of its frames.
    pub(super) fn judged(&mut self, master: &Master, level_adu: Option<f64>) -> Verdict {
        if let Some(fault) = self.fault(master, level_adu) {
            return Verdict::Faulty(fault);
        }
        let is_fit = |other: &MasterFacts| self.is_comparable(master, other);
        let Some(last) = self.earlier.newest(&master.key, &is_fit) else {
            return Verdict::Accepted;
        };
        let Some(change) = self.change(master, &last) else {
            return Verdict::Accepted;
        };
        let of_night = |other: &Master| match &other.origin {
            MasterOrigin::Earlier { night } => format!(" of night {night}"),
            MasterOrigin::Night | MasterOrigin::File => String::new(),
        };
        let refused = self.earlier.newest_refused(&master.key, &is_fit);
        match refused.filter(|refused| self.change(master, refused).is_none()) {
            Some(refused) => Verdict::AcceptedAfterChange(format!(
                "used, though unlike {}{}: {change}; that{} showed the same, so the camera \
                 was changed",
                last.name,
                of_night(&last),
                of_night(&refused)
            )),
            None => Verdict::Changed(format!(
                "not used: unlike {}{}, which is used instead: {change}",
                last.name,
                of_night(&last)
            )),
        }
    }

    /// What is wrong with a master by itself or by the header's numbers.
    fn fault(&mut self, master: &Master, level_adu: Option<f64>) -> Option<Fault> {
        let params = &self.params.qualify;
        let Some(stats) = frame_stats(&master.pixels) else {
            return Some(Fault::NotFinite { share: 0.0 });
        };
        let read_noise_adu = self.info.read_noise_e.zip(self.info.gain_e_per_adu);
        let read_noise_adu = read_noise_adu.map(|(noise, gain)| noise / gain);
        let noise = master.frame_noise;
        match master.key.kind {
            FrameKind::Bias => judge_master_level(&stats, params)
                .or_else(|| judge_read_noise(noise, read_noise_adu?, params)),
            FrameKind::Flat => {
                let relative = Some(master.noise);
                judge_master_flat(&stats, relative, params).or_else(|| {
                    let (level, gain) = (level_adu?.max(1.0), self.info.gain_e_per_adu?);
                    let expected = (level / gain).sqrt().hypot(read_noise_adu?) / level;
                    judge_photon_noise(noise, expected, params)
                })
            }
            FrameKind::Dark | FrameKind::Science => judge_master_level(&stats, params),
        }
    }

    /// Whether another master was taken under the conditions of this one.
    fn is_comparable(&self, master: &Master, other: &MasterFacts) -> bool {
        let degrees = self.params.temperature_class_c;
        let is_dark = master.key.kind == FrameKind::Dark;
        let is_as_long = (other.exposure_s - master.exposure_s).abs()
            <= EXPOSURE_TOLERANCE * master.exposure_s.max(0.0);
        let is_as_warm = match (other.temperature_c, master.temperature_c) {
            (Some(a), Some(b)) => (a - b).abs() <= degrees,
            _ => true,
        };
        !is_dark || (is_as_long && is_as_warm && other.has_pedestal == master.has_pedestal)
    }

    fn change(&self, master: &Master, last: &Master) -> Option<Change> {
        let params = &self.params.continuity;
        if master.key.kind == FrameKind::Flat {
            return flat_change(&master.pixels, &last.pixels, params);
        }
        let new = Compared { pixels: &master.pixels, frame_noise: master.frame_noise };
        let last = Compared { pixels: &last.pixels, frame_noise: last.frame_noise };
        level_change(new, last, params)
    }
}

//! Which frames of a night look at the same place.

use crate::science::sky::vector::separation_rad;

/// Frames whose centres lie nearer than this share of a frame's side are one field.
const FIELD_SHARE: f64 = 0.5;

/// Where and when a frame looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pointing<'a> {
    /// Its centre (RA, Dec) [rad].
    pub centre_rad: (f64, f64),
    /// Its shorter side [rad].
    pub side_rad: f64,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Its file's hash: the order of frames of one time.
    pub content_hash: &'a str,
}

/// Groups of frames that look at the same place, by their indices: each in order of time, and the
/// groups in order of their first frames.
pub fn fields_of(frames: &[Pointing<'_>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, frame) in frames.iter().enumerate() {
        let reach = FIELD_SHARE * frame.side_rad;
        let is_near = |j: &usize| separation_rad(frame.centre_rad, frames[*j].centre_rad) < reach;
        let mut merged = vec![i];
        groups.retain_mut(|group| {
            let joins = group.iter().any(is_near);
            if joins {
                merged.append(group);
            }
            !joins
        });
        groups.push(merged);
    }
    for group in &mut groups {
        group.sort_by(|&a, &b| {
            let time = frames[a].mid_mjd_utc.total_cmp(&frames[b].mid_mjd_utc);
            time.then_with(|| frames[a].content_hash.cmp(frames[b].content_hash))
        });
    }
    groups.sort_by(|a, b| frames[a[0]].mid_mjd_utc.total_cmp(&frames[b[0]].mid_mjd_utc));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_one_place_are_one_field_in_order_of_time() {
        let frame = |ra_rad: f64, mid_mjd_utc: f64| Pointing {
            centre_rad: (ra_rad, 0.0),
            side_rad: 0.01,
            mid_mjd_utc,
            content_hash: "a",
        };
        // The third lies between the first and the last: one field of three, and another one.
        let frames = [frame(0.0, 5.0), frame(0.1, 1.0), frame(0.004, 4.0), frame(0.008, 2.0)];
        assert_eq!(fields_of(&frames), [vec![1], vec![3, 2, 0]]);
        assert!(fields_of(&[]).is_empty());
    }
}

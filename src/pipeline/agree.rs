//! Solutions of few stars must agree with the night's other frames.
//!
//! From [`STARS_MIN`] stars on a solution proves itself by a second match on disjoint stars. Below,
//! its scale, parity, turn, distortion and pointing are compared with those of frames that proved
//! themselves, or, where none did, with the other poor ones: one frame with which it agrees in all
//! five is enough, none is a refusal. A frame alone stands by its odds. Each comparison is of
//! two frames, so that neither order nor threads matter.

use std::fmt;

use crate::science::astrometry::FrameSize;
use crate::science::sky::vector::{offset_rad, separation_rad};
use crate::science::sky::wcs::Wcs;
use crate::science::units::DEG_RAD;

/// Stars from which on a solution needs no company.
pub const STARS_MIN: u64 = 20;
/// Largest difference of two scales of one camera, as a share: temperature, filters, few stars.
const SCALE_SHARE: f64 = 0.01;
/// Largest difference of turn, half turns aside [deg]; more where the night's own frames turn.
const TURN_DEG: f64 = 3.0;
/// Largest difference of distortion at the corners, as a share of the half diagonal.
const DISTORTION_SHARE: f64 = 0.005;
/// ... and at least this much [px].
const DISTORTION_PX: f64 = 3.0;

/// A solved frame, as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct SolvedFrame {
    /// Size.
    pub size: FrameSize,
    /// Its solution.
    pub wcs: Wcs,
    /// Stars of the solution.
    pub n_stars: u64,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// What the header said of its pointing (RA, Dec) [rad].
    pub pointing_rad: Option<(f64, f64)>,
}

/// How two solutions differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Share by which the scales differ.
    pub scale_share: f64,
    /// Whether one is the mirror image of the other.
    pub is_mirrored: bool,
    /// Difference of the turns, half turns aside [deg].
    pub turn_deg: f64,
    /// Largest difference of the distortions at the corners [px].
    pub distortion_px: f64,
    /// Difference of the errors of the headers' pointings [deg].
    pub pointing_deg: Option<f64>,
}

/// What differences are allowed between frames of one night.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limits {
    turn_deg: f64,
    distortion_px: f64,
    pointing_deg: f64,
}

/// A solution that agrees with no other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disagreement {
    /// Stars of the solution.
    pub n_stars: u64,
    /// Frames it was compared with.
    pub n_others: usize,
    /// How it differs from the one most like it.
    pub least: Difference,
    limits: Limits,
}

/// For each frame whether it agrees with no other of the night; in any order.
pub fn disagreements(frames: &[SolvedFrame]) -> Vec<Option<Disagreement>> {
    (0..frames.len()).map(|number| disagreement(frames, number)).collect()
}

fn disagreement(frames: &[SolvedFrame], number: usize) -> Option<Disagreement> {
    let frame = &frames[number];
    if frame.n_stars >= STARS_MIN {
        return None;
    }
    let company = || {
        let others =
            frames.iter().enumerate().filter(|(k, f)| *k != number && f.size == frame.size);
        others.map(|(_, other)| other)
    };
    let mut peers: Vec<&SolvedFrame> = company().filter(|f| f.n_stars >= STARS_MIN).collect();
    if peers.is_empty() {
        peers = company().collect();
    }
    let limits = limits(frame, &mut peers);
    let differences: Vec<Difference> = peers.iter().map(|peer| difference(frame, peer)).collect();
    if differences.is_empty() || differences.iter().any(|d| d.excess(&limits) <= 1.0) {
        return None;
    }
    let least = differences.iter().copied().min_by(|a, b| {
        let key = |d: &Difference| (d.n_failed(&limits), d.excess(&limits));
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    })?;
    Some(Disagreement { n_stars: frame.n_stars, n_others: peers.len(), least, limits })
}

/// What may differ: more where frames that proved themselves differ from one to the next.
fn limits(frame: &SolvedFrame, peers: &mut [&SolvedFrame]) -> Limits {
    peers.sort_by(|a, b| {
        let key = |f: &SolvedFrame| (f.mid_mjd_utc, f.wcs.crval_rad.0, f.wcs.crval_rad.1);
        let (a, b) = (key(a), key(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
    });
    let proven = peers.iter().all(|f| f.n_stars >= STARS_MIN);
    let steps: Vec<Difference> = match proven {
        true => peers.windows(2).map(|pair| difference(pair[0], pair[1])).collect(),
        false => Vec::new(),
    };
    let most = |of: &dyn Fn(&Difference) -> f64| steps.iter().map(of).fold(0.0, f64::max);
    let half_diagonal_px = frame.size.half_diagonal_px();
    // A poor frame may point beside its header by its own diagonal.
    let diagonal_deg = 2.0 * half_diagonal_px * frame.wcs.pixel_scale_arcsec() / 3600.0;
    Limits {
        turn_deg: TURN_DEG + most(&|d| d.turn_deg),
        distortion_px: (DISTORTION_SHARE * half_diagonal_px).max(DISTORTION_PX),
        pointing_deg: diagonal_deg + most(&|d| d.pointing_deg.unwrap_or(0.0)),
    }
}

fn difference(a: &SolvedFrame, b: &SolvedFrame) -> Difference {
    let turn_deg = (turn_rad(&a.wcs) - turn_rad(&b.wcs)) / DEG_RAD;
    let pointing = pointing_error_rad(a).zip(pointing_error_rad(b));
    Difference {
        scale_share: (a.wcs.pixel_scale_arcsec() / b.wcs.pixel_scale_arcsec() - 1.0).abs(),
        is_mirrored: a.wcs.is_mirrored() != b.wcs.is_mirrored(),
        turn_deg: (turn_deg + 90.0).rem_euclid(180.0) - 90.0,
        distortion_px: distortion_px(a, b),
        pointing_deg: pointing.map(|(p, q)| (p.0 - q.0).hypot(p.1 - q.1) / DEG_RAD),
    }
    .with_positive_turn()
}

/// Position angle of the rows.
fn turn_rad(wcs: &Wcs) -> f64 {
    let [[_, east], [_, north]] = wcs.cd_rad_per_px;
    east.atan2(north)
}

/// Where the frame lies as seen from its header's pointing, east and north [rad].
fn pointing_error_rad(frame: &SolvedFrame) -> Option<(f64, f64)> {
    let nominal = frame.pointing_rad?;
    let centre = frame.size.centre_px();
    let found = frame.wcs.to_sky(centre.0, centre.1);
    // The plane's offsets are of no use far away.
    let far = separation_rad(nominal, found);
    let (east, north) = offset_rad(nominal, found);
    let length = east.hypot(north);
    let stretch = if length > 0.0 { far / length } else { 1.0 };
    Some((stretch * east, stretch * north))
}

/// Largest difference of the distortions at the corners; the frames may lie half a turn apart.
fn distortion_px(a: &SolvedFrame, b: &SolvedFrame) -> f64 {
    let (x, y) = a.size.centre_px();
    let shift = |frame: &SolvedFrame, u: f64, v: f64| -> (f64, f64) {
        frame.wcs.sip.as_ref().map_or((0.0, 0.0), |sip| {
            let (du, dv) = sip.forward(u, v);
            (du - u, dv - v)
        })
    };
    let corners = [(-x, -y), (x, -y), (-x, y), (x, y)];
    let largest = |sign: f64| {
        let miss = corners.iter().map(|&(u, v)| {
            let (p, q) = (shift(a, u, v), shift(b, sign * u, sign * v));
            (p.0 - sign * q.0).hypot(p.1 - sign * q.1)
        });
        miss.fold(0.0, f64::max)
    };
    largest(1.0).min(largest(-1.0))
}

impl Difference {
    fn with_positive_turn(self) -> Self {
        Self { turn_deg: self.turn_deg.abs(), ..self }
    }

    /// Differences in units of what is allowed; more than 1 is too much.
    fn ratios(&self, limits: &Limits) -> [f64; 5] {
        [
            self.scale_share / SCALE_SHARE,
            if self.is_mirrored { f64::INFINITY } else { 0.0 },
            self.turn_deg / limits.turn_deg,
            self.distortion_px / limits.distortion_px,
            self.pointing_deg.map_or(0.0, |off| off / limits.pointing_deg),
        ]
        // What cannot be compared is too much.
        .map(|ratio| if ratio.is_nan() { f64::INFINITY } else { ratio })
    }

    fn excess(&self, limits: &Limits) -> f64 {
        self.ratios(limits).into_iter().fold(0.0, f64::max)
    }

    fn n_failed(&self, limits: &Limits) -> usize {
        self.ratios(limits).into_iter().filter(|ratio| *ratio > 1.0).count()
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frames = if self.n_others == 1 { "frame" } else { "frames" };
        write!(
            f,
            "a solution of {} stars agrees with none of {} other {frames}; the likest differs",
            self.n_stars, self.n_others
        )?;
        let (d, limits) = (&self.least, &self.limits);
        let mut told = Vec::new();
        if d.scale_share > SCALE_SHARE {
            let (found, allowed) = (100.0 * d.scale_share, 100.0 * SCALE_SHARE);
            told.push(format!("scale by {found:.1} % (allowed {allowed:.1} %)"));
        }
        if d.is_mirrored {
            told.push("parity: it is mirrored".to_owned());
        }
        if d.turn_deg > limits.turn_deg {
            told.push(format!("turn by {:.1} deg (allowed {:.1})", d.turn_deg, limits.turn_deg));
        }
        if d.distortion_px > limits.distortion_px {
            let (found, allowed) = (d.distortion_px, limits.distortion_px);
            told.push(format!("distortion by {found:.1} px (allowed {allowed:.1})"));
        }
        if let Some(found) = d.pointing_deg.filter(|off| *off > limits.pointing_deg) {
            let allowed = limits.pointing_deg;
            told.push(format!("pointing error by {found:.2} deg (allowed {allowed:.2})"));
        }
        write!(f, " in {}", told.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::units::ARCSEC_RAD;

    const SIZE: FrameSize = FrameSize { nx: 1000, ny: 800 };

    /// A frame of 1.5 arcsec/px at a turn [deg], off its header's pointing by 0.01 deg.
    fn frame(n_stars: u64, turn_deg: f64) -> SolvedFrame {
        scaled(n_stars, turn_deg, 1.5)
    }

    fn scaled(n_stars: u64, turn_deg: f64, scale_arcsec: f64) -> SolvedFrame {
        let (s, c) = (turn_deg * DEG_RAD).sin_cos();
        let scale = scale_arcsec * ARCSEC_RAD;
        let cd_rad_per_px = [[-scale * c, scale * s], [scale * s, scale * c]];
        let (crval_rad, crpix_px) = ((1.0, 0.2), SIZE.centre_px());
        SolvedFrame {
            size: SIZE,
            wcs: Wcs { crval_rad, crpix_px, cd_rad_per_px, sip: None },
            n_stars,
            mid_mjd_utc: 60_000.0,
            pointing_rad: Some((1.0, 0.2 + 0.01 * DEG_RAD)),
        }
    }

    #[test]
    fn a_poor_frame_needs_one_that_it_agrees_with() {
        let rich = frame(200, 10.0);
        // A meridian flip and 2 deg of field rotation are no disagreement.
        let good = frame(9, 192.0);
        let found = disagreements(&[rich.clone(), good.clone()]);
        assert_eq!(found, vec![None, None]);
        let turned = frame(9, 50.0);
        let found = disagreements(&[turned.clone(), rich.clone(), good]);
        let told = found[0].expect("a disagreement");
        assert!((told.least.turn_deg - 40.0).abs() < 1e-9 && told.n_others == 1);
        assert!(told.to_string().contains("turn by 40.0 deg (allowed 3.0)"), "{told}");
        assert!(found[1].is_none() && found[2].is_none());
        // Alone it stands by its odds.
        assert_eq!(disagreements(&[turned]), vec![None]);
        let other_size = SolvedFrame { size: FrameSize { nx: 10, ny: 10 }, ..rich };
        assert_eq!(disagreements(&[frame(9, 50.0), other_size]), vec![None, None]);
    }

    #[test]
    fn each_of_the_five_is_asked_for() {
        let rich = frame(200, 10.0);
        let mut cases = vec![scaled(9, 10.0, 1.52)];
        let mut mirrored = frame(9, 10.0);
        mirrored.wcs.cd_rad_per_px = mirrored.wcs.cd_rad_per_px.map(|[a, b]| [-a, b]);
        cases.push(SolvedFrame { wcs: mirrored.wcs, ..frame(9, 10.0) });
        let mut away = frame(9, 10.0);
        away.pointing_rad = Some((1.0, 0.5));
        cases.push(away);
        let mut bent = frame(9, 10.0);
        use crate::science::sky::polynomial::Polynomial;
        use crate::science::sky::sip::{PixelRange, Sip};
        let range = PixelRange { u_px: (-500.0, 500.0), v_px: (-400.0, 400.0) };
        let square = |at: (usize, usize)| {
            Polynomial::from_terms(2, |i, j| if (i, j) == at { 2e-5 } else { 0.0 })
        };
        bent.wcs.sip = Some(Sip::new(square((2, 0)), square((0, 2)), range));
        // 2e-5 * (499.5^2, 399.5^2) = 5.0 and 3.2 px; 0.5 % of 640 px are 3.2.
        cases.push(bent);
        for (case, word) in cases.into_iter().zip(["scale", "parity", "pointing", "distortion"]) {
            let told = disagreements(&[case, rich.clone()])[0].expect("a disagreement");
            assert!(told.to_string().contains(word), "{told}");
        }
    }

    #[test]
    fn poor_frames_stand_together_and_fall_alone_in_any_order() {
        let frames = [frame(9, 10.0), frame(8, 11.0), frame(10, 70.0)];
        let verdicts = |order: [usize; 3]| -> Vec<bool> {
            let given: Vec<SolvedFrame> = order.iter().map(|&k| frames[k].clone()).collect();
            let mut found = vec![false; 3];
            for (&k, verdict) in order.iter().zip(disagreements(&given)) {
                found[k] = verdict.is_some();
            }
            found
        };
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
            assert_eq!(verdicts(order), vec![false, false, true]);
        }
        // Two that contradict each other: neither is known to be right.
        let both = disagreements(&[frame(9, 10.0), frame(9, 70.0)]);
        assert!(both.iter().all(Option::is_some));
    }
}

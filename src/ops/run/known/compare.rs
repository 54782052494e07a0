//! SkyBoT beside the orbits on disk: where they disagree, and what only the orbits know.

use std::collections::BTreeMap;

use crate::pipeline::identify::object_key;
use crate::science::movers::known::KnownPlace;
use crate::science::sky::vector::separation_rad;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Places differ when they are farther apart than this many times their errors ...
const ERRORS_MAX: f64 = 5.0;
/// ... and than this [arcsec]: errors are often told too small.
const SEPARATION_MIN_ARCSEC: f64 = 1.0;
/// Disagreements that are told one by one.
const TOLD_MAX: usize = 10;
/// Places are for the same instant if they are nearer than this [d].
const SAME_INSTANT_D: f64 = 1e-6;

/// Compares SkyBoT's places with those computed for the same requests.
///
/// Gives the computed places of objects that SkyBoT did not name, and lines about disagreements.
pub(super) fn with_orbits(
    heard: &[KnownPlace],
    computed: &[Vec<KnownPlace>],
) -> (Vec<KnownPlace>, Vec<String>) {
    let mut named: BTreeMap<String, Vec<&KnownPlace>> = BTreeMap::new();
    for place in heard {
        named.entry(object_key(&place.designation)).or_default().push(place);
    }
    let mut added = Vec::new();
    let mut worst: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for place in computed.iter().flatten() {
        let Some(others) = named.get(&object_key(&place.designation)) else {
            added.push(place.clone());
            continue;
        };
        let is_same_time = |other: &&&KnownPlace| {
            let apart = other.mid_mjd_utc.zip(place.mid_mjd_utc).map(|(a, b)| (a - b).abs());
            apart.is_some_and(|apart| apart < SAME_INSTANT_D)
        };
        let Some(other) = others.iter().find(is_same_time) else {
            continue;
        };
        let at = |p: &KnownPlace| (p.ra_deg * DEG_RAD, p.dec_deg * DEG_RAD);
        let apart_arcsec = separation_rad(at(place), at(other)) / ARCSEC_RAD;
        let allowed = ERRORS_MAX * place.err_arcsec.hypot(other.err_arcsec);
        if apart_arcsec > allowed.max(SEPARATION_MIN_ARCSEC) {
            let known = worst.entry(other.designation.clone()).or_insert((0.0, 0.0));
            if apart_arcsec > known.0 {
                *known = (apart_arcsec, allowed);
            }
        }
    }
    (added, lines(&worst))
}

fn lines(worst: &BTreeMap<String, (f64, f64)>) -> Vec<String> {
    let mut order: Vec<_> = worst.iter().collect();
    order.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then(a.0.cmp(b.0)));
    let mut lines: Vec<String> = order
        .iter()
        .take(TOLD_MAX)
        .map(|(name, (apart, allowed))| {
            format!(
                "SkyBoT and the orbits on disk put {name} {apart:.1} arcsec apart, {allowed:.1} \
                 are within their errors"
            )
        })
        .collect();
    if order.len() > TOLD_MAX {
        lines.push(format!(
            "... and {} more objects: are the orbits on disk old?",
            order.len() - TOLD_MAX
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(designation: &str, dec_deg: f64, mjd: f64) -> KnownPlace {
        KnownPlace {
            file: None,
            mid_mjd_utc: Some(mjd),
            designation: designation.to_owned(),
            class: None,
            ra_deg: 359.999,
            dec_deg,
            err_arcsec: 0.2,
            rate_arcsec_per_h: None,
            v_mag: None,
        }
    }

    #[test]
    fn disagreements_are_told_and_new_objects_added() {
        let heard = [place("433 Eros", 10.0, 60_000.0), place("1 Ceres", 11.0, 60_000.0)];
        let arcsec = 1.0 / 3600.0;
        let computed = vec![
            // 0.2 hypot 0.2 times 5 = 1.41 arcsec are allowed.
            vec![place("433", 10.0 + 1.3 * arcsec, 60_000.0)],
            vec![place("(1) Ceres", 11.0 + 1.6 * arcsec, 60_000.0)],
            vec![place("433 Eros", 10.0 + 50.0 * arcsec, 60_000.1)],
            vec![place("2026 AB", 10.0, 60_000.0)],
        ];
        let (added, lines) = with_orbits(&heard, &computed);
        assert_eq!(added, [place("2026 AB", 10.0, 60_000.0)]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("1 Ceres 1.6 arcsec apart"), "{lines:?}");
    }
}

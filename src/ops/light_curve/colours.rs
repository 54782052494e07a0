//! Colours of an object: how much brighter it is in one filter of a night than in another, against
//! the Sun.
//!
//! Magnitudes of every filter stand on one scale, Gaia G for a source of solar colour, so that an
//! object of solar colour has the same in all filters. What is left of the difference of two means
//! is the object's colour in these filters less the Sun's. The light is that through the object's
//! own aperture where it was measured so (`photometry.fixed_apertures`), else that of the fits.
//! Points in doubt are left out. The error of a mean is widened where the points scatter by more
//! than their own errors: light that changes between the filters' exposures shows there.

use serde::Serialize;

use super::CurvePoint;

/// An object's brightness in a filter of a night.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilterMean {
    /// The night.
    pub night: String,
    /// The filter.
    pub filter: String,
    /// Points that are trusted.
    pub n_points: usize,
    /// Whether they were measured through the object's own aperture.
    pub is_aperture: bool,
    /// Gaia G for a solar colour, their weighted mean [mag].
    pub mag: f64,
    /// Its error [mag].
    pub err_mag: f64,
}

/// A colour of an object, less that of the Sun.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Colour {
    /// The night.
    pub night: String,
    /// The filter of the magnitude and that of the one that is taken off it.
    pub filters: [String; 2],
    /// Their difference [mag].
    pub mag: f64,
    /// Its error [mag].
    pub err_mag: f64,
}

/// Brightness in each filter of each night, in order of time, and the differences within nights.
pub(super) fn colours(points: &[CurvePoint]) -> (Vec<FilterMean>, Vec<Colour>) {
    let mut groups: Vec<(&str, &str, Vec<&CurvePoint>)> = Vec::new();
    for point in points.iter().filter(|point| point.doubts.is_empty()) {
        let Some(filter) = point.filter.as_deref() else { continue };
        match groups.iter_mut().find(|(n, f, _)| *n == point.night && *f == filter) {
            Some((_, _, members)) => members.push(point),
            None => groups.push((&point.night, filter, vec![point])),
        }
    }
    let means: Vec<FilterMean> = groups
        .iter()
        .filter_map(|(night, filter, members)| {
            let is_aperture = groups
                .iter()
                .filter(|(other, _, _)| other == night)
                .all(|(_, _, members)| members.iter().any(|point| point.aperture_mag.is_some()));
            let (n_points, mag, err_mag) = mean(members, is_aperture)?;
            let (night, filter) = ((*night).to_owned(), (*filter).to_owned());
            Some(FilterMean { night, filter, n_points, is_aperture, mag, err_mag })
        })
        .collect();
    let mut colours = Vec::new();
    for (i, first) in means.iter().enumerate() {
        for second in means[i + 1..].iter().filter(|second| second.night == first.night) {
            colours.push(Colour {
                night: first.night.clone(),
                filters: [first.filter.clone(), second.filter.clone()],
                mag: first.mag - second.mag,
                err_mag: first.err_mag.hypot(second.err_mag),
            });
        }
    }
    (means, colours)
}

/// Number, weighted mean and its error.
fn mean(points: &[&CurvePoint], is_aperture: bool) -> Option<(usize, f64, f64)> {
    let pair = |point: &&CurvePoint| {
        if is_aperture {
            point.aperture_mag.zip(point.aperture_err_mag)
        } else {
            point.err_mag.map(|err| (point.mag, err))
        }
    };
    let known: Vec<(f64, f64)> = points.iter().filter_map(pair).filter(|p| p.1 > 0.0).collect();
    let weight: f64 = known.iter().map(|(_, err)| err.powi(-2)).sum();
    if weight <= 0.0 {
        return None;
    }
    let mag = known.iter().map(|(mag, err)| mag / (err * err)).sum::<f64>() / weight;
    let chi2: f64 = known.iter().map(|(m, err)| ((m - mag) / err).powi(2)).sum();
    let free = known.len().saturating_sub(1).max(1) as f64;
    let widened = (chi2 / free).max(1.0).sqrt();
    Some((known.len(), mag, widened / weight.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::super::PointDoubt;
    use super::*;

    fn point(filter: &str, mag: f64, err_mag: f64, aperture_mag: Option<f64>) -> CurvePoint {
        CurvePoint {
            night: "n1".to_owned(),
            frame: "a.fits".to_owned(),
            filter: Some(filter.to_owned()),
            mid_mjd_utc: 61_000.0,
            ra_deg: 1.0,
            dec_deg: 2.0,
            mag,
            err_mag: Some(err_mag),
            aperture_mag,
            aperture_err_mag: aperture_mag.map(|_| err_mag),
            is_detected: true,
            geometry: None,
            doubts: Vec::new(),
        }
    }

    #[test]
    fn a_colour_is_the_difference_of_weighted_means() {
        let mut spoiled = point("r", 12.0, 0.01, None);
        spoiled.doubts.push(PointDoubt::Frame);
        let points = [
            point("g", 18.30, 0.02, None),
            point("r", 18.10, 0.02, None),
            point("g", 18.33, 0.01, None),
            point("r", 18.12, 0.02, None),
            spoiled,
        ];
        let (means, colours) = colours(&points);
        let told: Vec<(&str, usize)> =
            means.iter().map(|m| (m.filter.as_str(), m.n_points)).collect();
        assert_eq!(told, [("g", 2), ("r", 2)]);
        // g: weights 2500 and 10000: 18.324; chi2 = 1.44 + 0.36 = 1.8, root 1.3416;
        // error 1.3416 / sqrt(12500) = 0.0120. r: 18.11, chi2 = 0.5: error 0.02 / sqrt(2).
        assert!((means[0].mag - 18.324).abs() < 1e-9, "{means:?}");
        assert!((means[0].err_mag - 0.012).abs() < 1e-6, "{means:?}");
        assert_eq!(colours.len(), 1);
        assert_eq!(colours[0].filters, ["g", "r"]);
        assert!((colours[0].mag - 0.214).abs() < 1e-9, "{colours:?}");
        assert!((colours[0].err_mag - 0.012_f64.hypot(0.02 / 2_f64.sqrt())).abs() < 1e-6);
    }

    #[test]
    fn the_aperture_counts_where_all_filters_have_it() {
        let both = [point("g", 18.3, 0.02, Some(18.2)), point("r", 18.1, 0.02, Some(18.1))];
        let (means, own) = colours(&both);
        assert!(means.iter().all(|mean| mean.is_aperture));
        assert!((own[0].mag - 0.1).abs() < 1e-9, "{own:?}");
        let one = [point("g", 18.3, 0.02, Some(18.2)), point("r", 18.1, 0.02, None)];
        let (means, own) = colours(&one);
        assert!(means.iter().all(|mean| !mean.is_aperture));
        assert!((own[0].mag - 0.2).abs() < 1e-9, "{own:?}");
        assert_eq!(colours(&one[..1]).1, []);
    }
}

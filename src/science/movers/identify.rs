//! Names tracklets after predicted places of known objects.

/// A predicted place of a known object in one frame, offset to a tracklet's place there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offset {
    /// Index of the object in the list of known ones.
    pub object: usize,
    /// Observed minus predicted [arcsec].
    pub separation_arcsec: f64,
    /// Claimed error of the prediction [arcsec].
    pub err_arcsec: f64,
    /// Predicted minus observed rate, as a vector's length [arcsec/h].
    pub rate_difference_arcsec_per_h: f64,
}

/// Rules for taking a tracklet for a known object.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentifyParams {
    /// Separation always allowed [arcsec].
    pub radius_arcsec: f64,
    /// ... plus this many times the prediction's error.
    pub err_factor: f64,
    /// Largest difference of the rates [arcsec/h], besides a tenth of the rate.
    pub rate_difference_arcsec_per_h: f64,
}

impl Default for IdentifyParams {
    fn default() -> Self {
        Self { radius_arcsec: 5.0, err_factor: 3.0, rate_difference_arcsec_per_h: 8.0 }
    }
}

/// The object whose predicted places fit the tracklet in most of its frames.
///
/// * `offsets`: for each frame with a prediction, the candidates near the tracklet's place.
/// * Returns the object's index and the median separation [arcsec].
pub fn best_match(
    offsets: &[Vec<Offset>],
    rate_arcsec_per_h: f64,
    params: &IdentifyParams,
) -> Option<(usize, f64)> {
    let rate_slack = params.rate_difference_arcsec_per_h + 0.1 * rate_arcsec_per_h;
    let mut fits: Vec<(usize, Vec<f64>)> = Vec::new();
    for offset in offsets.iter().flatten() {
        let reach = params.radius_arcsec + params.err_factor * offset.err_arcsec;
        if offset.separation_arcsec > reach || offset.rate_difference_arcsec_per_h > rate_slack {
            continue;
        }
        match fits.iter_mut().find(|f| f.0 == offset.object) {
            Some(fit) => fit.1.push(offset.separation_arcsec),
            None => fits.push((offset.object, vec![offset.separation_arcsec])),
        }
    }
    let needed = offsets.len().div_ceil(2);
    fits.into_iter()
        .filter(|(_, separations)| separations.len() >= needed)
        .filter_map(|(object, s)| Some((object, crate::science::image::stats::median(&s)?)))
        .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(object: usize, separation_arcsec: f64) -> Offset {
        Offset { object, separation_arcsec, err_arcsec: 0.3, rate_difference_arcsec_per_h: 1.0 }
    }

    #[test]
    fn the_nearest_object_with_the_right_rate_is_taken() {
        let mut wrong_rate = offset(2, 0.1);
        wrong_rate.rate_difference_arcsec_per_h = 40.0;
        let frame = vec![offset(0, 3.0), offset(1, 0.6), wrong_rate];
        let found =
            best_match(&[frame.clone(), frame.clone(), frame], 30.0, &IdentifyParams::default());
        assert_eq!(found, Some((1, 0.6)));
    }

    #[test]
    fn one_frame_of_four_names_nothing() {
        let offsets = [vec![offset(0, 0.5)], vec![], vec![], vec![]];
        assert_eq!(best_match(&offsets, 30.0, &IdentifyParams::default()), None);
        assert_eq!(best_match(&[], 30.0, &IdentifyParams::default()), None);
    }
}

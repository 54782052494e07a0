//! One aperture for an object in all its frames, whatever their filters: for its colours.
//!
//! The reference is the object's detection in the first filter of a list that shows it (else in
//! any), of these the one with valid photometry and the smallest error. Its frame's seeing gives
//! the radius, and the circle of that size on the sky is laid around the object's place in every
//! frame (`science::photometry::fixed_aperture`). FIXED_APER_MAGS and REFERENCE_FILTER of ssos.

use super::{Ground, MoverFrame, Wanted};
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection};
use crate::pipeline::artifact::photometric_point::{AperturePoint, PhotometricPoint};
use crate::science::photometry::fixed_aperture::aperture_light;
use crate::science::photometry::forced::{NearLight, Target};

/// How apertures are fixed.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedApertures {
    /// Filters in which the reference is looked for, the first one first.
    pub filters: Vec<String>,
    /// Radius in units of the reference frame's seeing.
    pub radius_fwhm: f64,
}

/// An object's aperture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ObjectAperture {
    radius_arcsec: f64,
    /// Name of the reference frame.
    frame: String,
}

/// The aperture of an object; `None` when no frame that detected it is known.
pub(super) fn object_aperture(
    candidate: &Candidate,
    frames: &[MoverFrame<'_>],
    fixed: &FixedApertures,
) -> Option<ObjectAperture> {
    let rank = |mover: &MoverFrame<'_>, detection: &CandidateDetection| {
        let own = mover.frame.filter.as_deref().unwrap_or_default();
        let place = fixed.filters.iter().position(|filter| filter.eq_ignore_ascii_case(own));
        let err_mag = detection.mag_err.unwrap_or(f64::INFINITY);
        (place.unwrap_or(usize::MAX), !mover.scale.faults.is_empty(), err_mag)
    };
    let seen = candidate.detections.iter().filter(|detection| !detection.is_recovered);
    let seen = seen.filter_map(|detection| {
        let mover = frames.iter().find(|mover| mover.frame.name == detection.frame)?;
        Some((rank(mover, detection), mover))
    });
    let best =
        seen.min_by(|(a, _), (b, _)| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| a.2.total_cmp(&b.2)));
    best.map(|(_, mover)| ObjectAperture {
        radius_arcsec: fixed.radius_fwhm * mover.frame.fwhm_arcsec,
        frame: mover.frame.name.clone(),
    })
}

/// Measures an object's point through its aperture.
pub(super) fn measure(
    mover: &MoverFrame<'_>,
    (ground, rms_e): (&Ground, f64),
    (wanted, near): (&Wanted, &[NearLight]),
    aperture: &ObjectAperture,
    point: &mut PhotometricPoint,
) {
    let (frame, scale) = (mover.frame, mover.scale);
    let target = Target { place_px: (point.x_px, point.y_px), ..wanted.target };
    let radius_px = aperture.radius_arcsec / frame.wcs.pixel_scale_arcsec();
    let found = aperture_light(ground.scene(), (&mover.psf, rms_e), &target, near, radius_px);
    // From the fit's scale to all light, as for the stars.
    let per = scale.circle_share / scale.share;
    point.aperture = found.map(|light| AperturePoint {
        radius_arcsec: aperture.radius_arcsec,
        is_reference: frame.name == aperture.frame,
        flux_e: light.flux_e * per,
        flux_err_e: light.flux_err_e * per,
        ..AperturePoint::default()
    });
}

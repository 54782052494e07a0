//! What speaks against a detection's magnitude: its own source, and stars under it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::run::linking_path;
use super::PointDoubt;
use crate::formats::fits::{Limits, read_table};
use crate::pipeline::artifact::candidate::CandidateDetection;
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::linking::{Linking, SeenSource};
use crate::science::detect::sources::SourceFlags;
use crate::science::movers::field::Role;
use crate::science::sky::vector::separation_rad;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};
use crate::store::files::frame_product_name;
use crate::store::{NightId, ProductKind, Reader};

/// Stars this much fainter than the object change its magnitude by 6 % at most [mag].
const FAINTER_MAG: f64 = 3.0;
/// Light of a star within this distance is in the aperture [FWHM].
const APERTURE_FWHM: f64 = 1.5;
/// A detection is the source of its frame's catalogue within this distance [px].
const SAME_PX: f64 = 0.5;
/// Seeing where it is not known [arcsec].
const FWHM_USUAL_ARCSEC: f64 = 3.0;
/// Remarks that speak against a magnitude.
const REMARKS: [(SourceFlags, &str); 5] = [
    (SourceFlags::SATURATED, "saturated"),
    (SourceFlags::EDGE, "at the edge"),
    (SourceFlags::MASKED, "bad pixels"),
    (SourceFlags::BLENDED, "blended"),
    (SourceFlags::INCOMPLETE, "aperture incomplete"),
];

/// The sources of a night: those that stand still, and the frames' catalogues.
pub(super) struct NightSources {
    linking: Option<Linking>,
    frames: BTreeMap<String, FrameSources>,
}

struct FrameSources {
    fwhm_arcsec: f64,
    catalogue: Option<Catalogue>,
}

impl NightSources {
    /// Reads what is still there of a night's products.
    ///
    /// * `frames`: those with the object.
    pub(super) fn read(reader: &Reader, night: &NightId, frames: &[&FrameRecord]) -> Self {
        let table = linking_path(reader.products(), night)
            .ok()
            .and_then(|path| read_table(&path, &Limits::default()).ok());
        let linking = table.and_then(|(header, columns)| Linking::from_table(&header, &columns));
        let sources = |record: &&FrameRecord| {
            let name = frame_product_name(&record.frame, &record.content_hash, "cat.fits");
            let products = reader.products();
            let path = products
                .relative_path(night, ProductKind::Catalogue, &name)
                .and_then(|relative| products.resolve(&relative))
                .ok();
            let table = path.and_then(|path| read_table(&path, &Limits::default()).ok());
            let catalogue = table.and_then(|(_, columns)| Catalogue::from_columns(&columns));
            let fwhm_arcsec = record.fwhm_arcsec.unwrap_or(FWHM_USUAL_ARCSEC);
            (record.frame.clone(), FrameSources { fwhm_arcsec, catalogue })
        };
        Self { linking, frames: frames.iter().map(sources).collect() }
    }

    /// What could not be asked.
    pub(super) fn note(&self) -> Option<String> {
        let is_whole =
            self.linking.is_some() && self.frames.values().any(|frame| frame.catalogue.is_some());
        (!is_whole).then(|| {
            "tables of the night's sources were pruned: stars in the aperture are not known"
                .to_owned()
        })
    }

    /// What speaks against a detection.
    pub(super) fn doubts(&self, detection: &CandidateDetection) -> Vec<PointDoubt> {
        let frame = self.frames.get(&detection.frame);
        let flags = frame.and_then(|frame| frame.flags(detection));
        let remarks = REMARKS.iter().filter(|(flag, _)| flags.is_some_and(|f| f.is_any(*flag)));
        let mut doubts: Vec<PointDoubt> =
            remarks.map(|(_, remark)| PointDoubt::Source(remark)).collect();
        doubts.extend(self.star(detection, frame.map_or(FWHM_USUAL_ARCSEC, |f| f.fwhm_arcsec)));
        doubts
    }

    /// The brightest star in a detection's aperture.
    fn star(&self, detection: &CandidateDetection, fwhm_arcsec: f64) -> Option<PointDoubt> {
        let linking = self.linking.as_ref()?;
        let reach_arcsec = APERTURE_FWHM * fwhm_arcsec;
        let faintest_mag = detection.mag? + FAINTER_MAG;
        let place = (detection.ra_deg * DEG_RAD, detection.dec_deg * DEG_RAD);
        let reach_deg = reach_arcsec / 3600.0;
        let others = linking.sources.iter().filter(|source| {
            (source.dec_deg - detection.dec_deg).abs() <= reach_deg
                && matches!(source.role, Role::Star | Role::Static | Role::Unfit)
                && source.mag <= faintest_mag
                && linking.frames.get(source.frame) != Some(&detection.frame)
        });
        let near: Vec<(&SeenSource, f64)> = others
            .map(|source| {
                let there = (source.ra_deg * DEG_RAD, source.dec_deg * DEG_RAD);
                (source, separation_rad(place, there) / ARCSEC_RAD)
            })
            .filter(|(_, separation_arcsec)| *separation_arcsec <= reach_arcsec)
            .collect();
        // What is too bright or too sharp may be a star or a cosmic ray: the latter comes once.
        let unfit = near.iter().filter(|(source, _)| source.role == Role::Unfit);
        let unfit_frames: BTreeSet<usize> = unfit.map(|(source, _)| source.frame).collect();
        let stars = near.iter().filter(|(s, _)| s.role != Role::Unfit || unfit_frames.len() > 1);
        let brightest = stars.min_by(|a, b| a.0.mag.total_cmp(&b.0.mag));
        brightest.map(|&(source, separation_arcsec)| PointDoubt::Star {
            separation_arcsec,
            mag: source.mag,
        })
    }
}

impl FrameSources {
    /// The remarks on a detection's source.
    fn flags(&self, detection: &CandidateDetection) -> Option<SourceFlags> {
        let sources = &self.catalogue.as_ref()?.sources;
        let off_px =
            |i: usize| (sources.x_px[i] - detection.x_px).hypot(sources.y_px[i] - detection.y_px);
        let nearest = (0..sources.len()).min_by(|&a, &b| off_px(a).total_cmp(&off_px(b)))?;
        (off_px(nearest) < SAME_PX).then(|| sources.flags[nearest])
    }
}

//! The frames of a night as the tables of the seeds count and name them.

use std::collections::BTreeMap;

use super::source::{Source, SourceScale};
use crate::formats::fits::{Header, Limits, read_table};
use crate::pipeline::artifact::candidate::CandidateDetection;
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::report::NightReport;
use crate::store::files::frame_product_name;
use crate::store::{NightId, ProductKind, Reader};

/// A detection is the source of its frame's catalogue within this distance [px].
const SAME_PX: f64 = 0.5;
/// Endings of frames' names, compression first.
const ENDINGS: [&str; 5] = [".fz", ".gz", ".fits", ".fit", ".fts"];

/// Frames with their `CATALOG_NUMBER`: those with a time, in its order, from 1; the same number in
/// all tables and all fields of a night.
pub(super) fn numbered(report: &NightReport) -> impl Iterator<Item = (usize, &FrameRecord)> {
    (1..).zip(report.frames.iter().filter(|record| record.mid_mjd_utc.is_some()))
}

/// A frame with its catalogue; catalogues that were pruned leave cells empty.
pub(super) struct Frame<'a> {
    pub(super) number: usize,
    pub(super) record: &'a FrameRecord,
    pub(super) catalogue: Option<(Header, Catalogue)>,
    pub(super) centre_deg: Option<(f64, f64)>,
}

impl<'a> Frame<'a> {
    /// Reads a frame's catalogue.
    pub(super) fn read(
        reader: &Reader,
        night: &NightId,
        (number, record): (usize, &'a FrameRecord),
    ) -> Self {
        let name = frame_product_name(&record.frame, &record.content_hash, "cat.fits");
        let products = reader.products();
        let path = products
            .relative_path(night, ProductKind::Catalogue, &name)
            .and_then(|relative| products.resolve(&relative));
        let read = |path| {
            let (header, columns) = read_table(path, &Limits::default()).ok()?;
            Some((header, Catalogue::from_columns(&columns)?))
        };
        let catalogue = path.ok().as_deref().and_then(read);
        let centre_deg = record.outline_deg().map(|outline| outline.centre_deg);
        Self { number, record, catalogue, centre_deg }
    }

    /// The text of a keyword of its header.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.catalogue.as_ref()?.0.text(key).map(|text| text.trim().to_owned())
    }

    /// How its sources become SExtractor's quantities.
    pub(super) fn scale(&self) -> SourceScale {
        let gain = self.catalogue.as_ref().and_then(|(header, _)| header.real("RAWGAIN"));
        SourceScale {
            gain_e_per_adu: gain.filter(|gain| *gain > 0.0).unwrap_or(1.0),
            exposure_s: self.record.exposure_s.filter(|time| *time > 0.0),
            wcs: self.record.solution(),
        }
    }

    /// The row of its catalogue that is a detection.
    pub(super) fn row_of(&self, detection: &CandidateDetection) -> Option<usize> {
        let sources = &self.catalogue.as_ref()?.1.sources;
        let off = |i: &usize| {
            (sources.x_px[*i] - detection.x_px).hypot(sources.y_px[*i] - detection.y_px)
        };
        let nearest = (0..sources.len()).min_by(|a, b| off(a).total_cmp(&off(b)));
        nearest.filter(|i| off(i) < SAME_PX)
    }

    /// What its catalogue says of a detection.
    pub(super) fn source_at(&self, detection: &CandidateDetection) -> Option<Source> {
        let row = self.row_of(detection)?;
        Some(Source::of(&self.catalogue.as_ref()?.1.sources, row, &self.scale()))
    }
}

/// Stems of files made of frames: their names without endings, in harmless characters; where two
/// would be the same, the later one has its `CATALOG_NUMBER` behind it.
pub(super) fn stems(report: &NightReport) -> BTreeMap<&str, String> {
    let mut stems: BTreeMap<&str, String> = BTreeMap::new();
    for (number, record) in numbered(report) {
        let mut stem = plain_name(&stem_of(record));
        if stems.values().any(|taken| *taken == stem) {
            stem = format!("{stem}_{number}");
        }
        stems.insert(&record.frame, stem);
    }
    stems
}

/// Name of a frame's file without its endings; the number of its image behind it, as ssos has it,
/// where the file has several.
pub(super) fn stem_of(record: &FrameRecord) -> String {
    let stem = stem(record.file_name());
    match &record.image {
        Some(image) => format!("{stem}_{}", image.number),
        None => stem.to_owned(),
    }
}

/// A file's name without the endings of FITS files.
fn stem(frame: &str) -> &str {
    let without = |name: &'_ str, ending: &str| {
        name.len().checked_sub(ending.len()).filter(|cut| {
            *cut > 0 && name.get(*cut..).is_some_and(|end| end.eq_ignore_ascii_case(ending))
        })
    };
    let mut name = frame;
    for ending in ENDINGS {
        if let Some(cut) = without(name, ending) {
            name = name.get(..cut).unwrap_or(name);
        }
    }
    name
}

/// A name as a part of a file's name.
pub(super) fn plain_name(name: &str) -> String {
    /// Longest part [characters].
    const LENGTH_MAX: usize = 100;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    let plain: String =
        name.chars().take(LENGTH_MAX).map(|c| if is_plain(c) { c } else { '_' }).collect();
    // No hidden files, no ways out of the folder.
    if plain.starts_with('.') || plain.is_empty() { format!("_{plain}") } else { plain }
}

/// A number with so many decimals; empty when it is unknown.
pub(super) fn fixed(value: Option<f64>, decimals: usize) -> String {
    value.filter(|v| v.is_finite()).map_or_else(String::new, |v| format!("{v:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_image_of_a_file_has_a_stem_of_its_own() {
        use crate::pipeline::artifact::frame_info::FileImage;
        use crate::pipeline::artifact::frame_record::FrameStatus;
        use crate::pipeline::reduce::empty_record;
        let image = FileImage { hdu: 2, number: 1, chip: "CCD1".to_owned() };
        let record = FrameRecord {
            image: Some(image),
            ..empty_record("mosaic.fits.fz[2]", "a", FrameStatus::Ok)
        };
        assert_eq!(stem_of(&record), "mosaic_1");
        assert_eq!(stem_of(&FrameRecord { image: None, ..record }), "mosaic.fits.fz[2]");
    }

    #[test]
    fn stems_are_names_without_endings_and_stay_in_the_folder() {
        for (name, expected) in [
            ("a.fits", "a"),
            ("R1-001.FITS.fz", "R1-001"),
            ("b.c.fts.gz", "b.c"),
            (".fits", ".fits"),
            ("plain", "plain"),
        ] {
            assert_eq!(stem(name), expected, "{name}");
        }
        assert_eq!(plain_name("../x y"), "_.._x_y");
        assert_eq!(plain_name("2014 AA"), "2014_AA");
        assert_eq!(plain_name(""), "_");
    }
}

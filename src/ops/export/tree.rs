//! Exports of many files: a folder that appears whole or not at all.

use std::path::Path;

use super::super::error::OpsError;
use super::super::progress::{Event, Progress};
use super::frame::{Frame, stems};
use super::reference::{reference_columns, stars};
use super::{closed_night, ds9, ldac, seeds};
use crate::formats::fits::{FitsError, Header, LdacPart, header_text, write_ldac};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::report::NightReport;
use crate::pipeline::fields::{Pointing, fields_of};
use crate::store::{NightId, ProductFile, ProductFolder, Reader};

/// What a folder is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeFormat {
    /// The files of Automatic-SSOs and ssos under their names.
    Seeds,
    /// The frames' catalogues as SExtractor writes them and SCAMP takes them.
    Ldac,
    /// Region files for DS9.
    Ds9,
}

impl TreeFormat {
    /// Its name on the command line.
    const fn name(self) -> &'static str {
        match self {
            Self::Seeds => "seeds",
            Self::Ldac => "ldac",
            Self::Ds9 => "ds9",
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeExport {
    /// Number of files.
    pub n_files: usize,
    /// What could not be written, and why.
    pub notes: Vec<String>,
}

/// A night that is exported.
pub(super) struct Night<'a> {
    pub(super) reader: &'a Reader,
    pub(super) id: &'a NightId,
    pub(super) report: &'a NightReport,
    pub(super) progress: &'a dyn Progress,
}

impl Night<'_> {
    /// Tells a step; an error when it is to be the last.
    pub(super) fn tell(&self, event: Event<'_>) -> Result<(), OpsError> {
        if self.progress.event(event).is_break() { Err(OpsError::Stopped) } else { Ok(()) }
    }

    /// Tells that a frame is through.
    pub(super) fn tell_frame(&self, record: &FrameRecord) -> Result<(), OpsError> {
        self.tell(Event::Frame { name: &record.frame, status: record.status, seconds: 0.0 })
    }

    /// The solved frames, field by field in order of time, with their `CATALOG_NUMBER`.
    pub(super) fn fields(&self) -> Vec<Vec<(usize, &FrameRecord)>> {
        let frames: Vec<(usize, &FrameRecord, Pointing<'_>)> = super::frame::numbered(self.report)
            .filter_map(|(number, record)| Some((number, record, record.pointing()?)))
            .collect();
        let pointings: Vec<Pointing<'_>> = frames.iter().map(|frame| frame.2).collect();
        let of = |group: Vec<usize>| group.into_iter().map(|i| (frames[i].0, frames[i].1));
        fields_of(&pointings).into_iter().map(|group| of(group).collect()).collect()
    }
}

/// Files in the folder that is being filled.
pub(super) struct Tree<'a> {
    root: &'a Path,
    done: TreeExport,
}

impl Tree<'_> {
    /// Writes a text; `place` is below the folder.
    pub(super) fn text(&mut self, place: &str, text: &str) -> Result<(), OpsError> {
        self.bytes(place, text.as_bytes())
    }

    /// Writes bytes.
    pub(super) fn bytes(&mut self, place: &str, bytes: &[u8]) -> Result<(), OpsError> {
        ProductFile::write_bytes(&self.root.join(place), bytes)?;
        self.done.n_files += 1;
        Ok(())
    }

    /// Writes a FITS file; `false` when there was nothing to write.
    pub(super) fn fits(
        &mut self,
        place: &str,
        fill: impl FnOnce(&Path) -> Result<(), FitsError>,
    ) -> Result<(), OpsError> {
        ProductFile::write(&self.root.join(place), |path| Ok(fill(path)?))?;
        self.done.n_files += 1;
        Ok(())
    }

    /// Notes what could not be written.
    pub(super) fn note(&mut self, text: String) {
        self.done.notes.push(text);
    }
}

/// Fills a folder with the files of a closed night; the same night gives the same bytes.
///
/// Nothing of it appears before all is written. Errors: the night is unknown; the folder holds
/// what was not exported before.
pub fn export_tree(
    data_dir: &Path,
    night: &str,
    format: TreeFormat,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<TreeExport, OpsError> {
    let (reader, id, report) = closed_night(data_dir, night)?;
    let night = Night { reader: &reader, id: &id, report: &report, progress };
    let mark = format!(
        "Night {id} as {} by autossos {}. This folder is replaced as a whole when the night is \
         exported into it again.\n",
        format.name(),
        report.version
    );
    ProductFolder::write(folder, &mark, |root| {
        let mut tree = Tree { root, done: TreeExport::default() };
        let n_frames = report.frames.len();
        night.tell(Event::Scanned { n_files: n_frames, n_science: n_frames })?;
        match format {
            TreeFormat::Seeds => seeds::write(&mut tree, &night)?,
            TreeFormat::Ldac => catalogues(&mut tree, &night)?,
            TreeFormat::Ds9 => ds9::write(&mut tree, &night)?,
        }
        Ok(tree.done)
    })
}

/// Name of the catalogue stars beside the frames' catalogues.
const REFERENCE_NAME: &str = "reference.fits";

/// The catalogues of all frames, and the stars that SCAMP may compare them with.
fn catalogues(tree: &mut Tree<'_>, night: &Night<'_>) -> Result<(), OpsError> {
    let stems = stems(night.report);
    let mut records = Vec::new();
    for (field, frames) in (1..).zip(night.fields()) {
        for numbered in frames {
            let frame = Frame::read(night.reader, night.id, numbered);
            frame_files(tree, &frame, (&stems[numbered.1.frame.as_str()], field))?;
            records.push(numbered.1);
            night.tell_frame(numbered.1)?;
        }
    }
    let Some(table) = stars(tree, night, REFERENCE_NAME) else { return Ok(()) };
    let columns = reference_columns(&records, &table);
    let part = LdacPart { header: &Header::new(), size_px: (1, 1), columns: &columns };
    tree.fits(REFERENCE_NAME, |path| write_ldac(path, &[part]))
}

/// Writes a frame's catalogue and the headers beside it; `stem` may hold folders.
pub(super) fn frame_files(
    tree: &mut Tree<'_>,
    frame: &Frame<'_>,
    (stem, field): (&str, usize),
) -> Result<(), OpsError> {
    let Some(part) = ldac::Part::of(frame) else {
        tree.note(format!(
            "{}: its catalogue is no longer kept (`autossosctl reprocess` makes it anew)",
            frame.record.frame
        ));
        return Ok(());
    };
    tree.fits(&format!("{stem}.cat"), |path| part.write(path))?;
    tree.text(&format!("{stem}.ahead"), &header_text(&ldac::ahead(frame)))?;
    tree.text(&format!("{stem}.head"), &header_text(&ldac::head(frame, field)))
}

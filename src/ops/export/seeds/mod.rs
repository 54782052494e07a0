//! The files of Automatic-SSOs and ssos: old names, columns, units and order, so that scripts that
//! read them go on reading (../shared/spec/seeds.md 1.1, 1.6-1.18, 2.4-2.11).
//!
//! Differences, where the seeds are wrong or have what we do not: `CATALOG_NUMBER` counts the
//! frames of the whole night, so that fields do not share numbers; names `AST_n` and `UNK_n` belong
//! to objects; the stamp in file names is the middle of the night's last exposure and not the time
//! of the export, so that the same night gives the same files.

mod checkplots;
mod full;
mod lists;
mod matches;
mod merged;
mod periods;
mod stamps;

use super::super::error::OpsError;
use super::super::progress::Event;
use super::frame::{Frame, numbered, stems};
use super::ldac::Part;
use super::reference::stars;
use super::ssos::{Objects, SeedTable, table};
use super::tree::{Night, Tree, frame_files};
use super::{coefficients, frames};
use crate::formats::fits::{Header, LdacPart, write_ldac, write_table};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::report::text::render_text;
use crate::science::time::Epoch;
use full::{FieldRows, FullRow, full_columns};

/// Magnitudes of 99 say that there was no light.
const MAG_VALID_MAX: f64 = 99.0;
/// Folders of Automatic-SSOs.
const CATS: &str = "SSOS/cats";

/// Writes the tree of a night.
pub(super) fn write(tree: &mut Tree<'_>, night: &Night<'_>) -> Result<(), OpsError> {
    let report = night.report;
    let objects = Objects::of(night.reader, (night.id, report))?;
    lists::write(tree, night)?;
    tree.text("SSOS/Stats.dat", &frames::stats(report))?;
    tree.text(&format!("{CATS}/coeff_fit.csv"), &coefficients(report))?;
    let stamp = stamp(report.frames.iter());
    for (form, start) in [
        (SeedTable::Ssos, "ssos"),
        (SeedTable::Calib, "calib_ssos"),
        (SeedTable::ValidCalib, "validcalib_ssos"),
    ] {
        let text = table(night.reader, (night.id, report), form)?;
        tree.text(&format!("{CATS}/{start}_{stamp}.csv"), &text)?;
    }
    tree.text(&format!("SSOS/logs/ssos_{stamp}.log"), &render_text(report).body)?;
    write_fields(tree, night, &objects)?;
    night.tell(Event::Stage { name: "check plots" })?;
    checkplots::write(tree, night, &objects)?;
    night.tell(Event::Stage { name: "cut-outs" })?;
    stamps::write(tree, night, &objects)?;
    night.tell(Event::Stage { name: "periods" })?;
    periods::write(tree, night, &objects)
}

/// The stamp of the ssos table's name: the middle of the last exposure, UTC.
fn stamp<'a>(frames: impl Iterator<Item = &'a FrameRecord>) -> String {
    let last = frames.filter_map(|record| record.mid_mjd_utc).fold(0.0, f64::max);
    let iso = Epoch::from_mjd_utc(last).to_iso();
    iso.chars().filter(char::is_ascii_digit).take(14).collect()
}

/// The catalogues of all frames, and those of SCAMP for each field.
fn write_fields(tree: &mut Tree<'_>, night: &Night<'_>, objects: &Objects) -> Result<(), OpsError> {
    let stems = stems(night.report);
    let table = stars(tree, night, "full_N.cat and match_full_N.cat have no catalogue stars");
    for (field, records) in (1..).zip(night.fields()) {
        let plain: Vec<&FrameRecord> = records.iter().map(|(_, record)| *record).collect();
        let mut rows = FieldRows::begin(objects, &plain, table.as_ref());
        let mut first: Option<Part> = None;
        for numbered in &records {
            let frame = Frame::read(night.reader, night.id, *numbered);
            let stem = format!("{CATS}/{}", stems[numbered.1.frame.as_str()]);
            frame_files(tree, &frame, (&stem, field))?;
            rows.add(&frame);
            first = first.or_else(|| Part::of(&frame));
            night.tell_frame(numbered.1)?;
        }
        if let Some(first) = first {
            write_field(tree, (field, &first), &rows.finish())?;
        }
    }
    for (_, record) in numbered(night.report).filter(|(_, record)| record.pointing().is_none()) {
        night.tell_frame(record)?;
    }
    Ok(())
}

/// The three catalogues of a field.
fn write_field(
    tree: &mut Tree<'_>,
    (field, first): (usize, &Part),
    rows: &[FullRow],
) -> Result<(), OpsError> {
    for (name, columns) in [("full", full_columns(rows)), ("merged", merged::merged_columns(rows))]
    {
        tree.fits(&format!("{CATS}/{name}_{field}.cat"), |path| {
            let part =
                LdacPart { header: &first.header, size_px: first.size_px, columns: &columns };
            write_ldac(path, &[part])
        })?;
    }
    let matched = matches::match_columns(rows);
    tree.fits(&format!("{CATS}/{}", match_name(field)), |path| {
        write_table(path, &matched, &Header::new(), "MATCHES")
    })
}

/// Name of a field's table of matches.
fn match_name(field: usize) -> String {
    format!("match_full_{field}.cat")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::artifact::frame_record::FrameStatus;
    use crate::pipeline::reduce::empty_record;

    #[test]
    fn the_stamp_is_the_nights_and_not_the_clocks() {
        // MJD 58367.5 is 2018-09-06 12:00 UTC.
        let frame = |mid_mjd_utc| FrameRecord {
            mid_mjd_utc,
            ..empty_record("a.fits", "a", FrameStatus::Ok)
        };
        let frames = [frame(Some(58_367.25)), frame(Some(58_367.5)), frame(None)];
        assert_eq!(stamp(frames.iter()), "20180906120000");
    }
}

//! Region files for DS9: what was found in circles, known objects that were not with crosses.
//!
//! A file a frame, to be laid over the calibrated frame, and `night.reg` with the whole night:
//! paths of what was found, and known objects of the fields. Places are ICRS degrees. Source: the
//! description of region files in DS9's reference manual (ds9.si.edu, "Regions").

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::error::OpsError;
use super::super::run::known_path;
use super::frame::stems;
use super::ssos::Objects;
use super::tree::{Night, Tree};
use crate::formats::known_csv::{number_and_name, read_known};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::science::movers::known::KnownPlace;

/// First lines of a file.
const HEAD: &str = "# Region file format: DS9 version 4.1\n\
                    global color=green width=1 font=\"helvetica 10 normal\"\nicrs\n";
/// Radius of a circle where the seeing is not known, and in units of the seeing [arcsec].
const RADIUS_ARCSEC: f64 = 5.0;
const RADIUS_FWHM: f64 = 3.0;

/// Writes the files of all solved frames and that of the night.
pub(super) fn write(tree: &mut Tree<'_>, night: &Night<'_>) -> Result<(), OpsError> {
    let objects = Objects::of(night.reader, (night.id, night.report))?;
    let known = places(tree, night)?;
    let stems = stems(night.report);
    for frames in night.fields() {
        for (_, record) in frames {
            let text = frame_regions(record, &objects, known.get(record.frame.as_str()));
            tree.text(&format!("{}.reg", stems[record.frame.as_str()]), &text)?;
            night.tell_frame(record)?;
        }
    }
    tree.text("night.reg", &night_regions(night, &objects))
}

/// Predicted places of known objects by frame.
fn places(
    tree: &mut Tree<'_>,
    night: &Night<'_>,
) -> Result<BTreeMap<String, Vec<KnownPlace>>, OpsError> {
    let path = known_path(night.reader.products(), night.id)?;
    let Ok(bytes) = std::fs::read(&path) else {
        tree.note("the night keeps no places of known objects: none are marked".to_owned());
        return Ok(BTreeMap::new());
    };
    let (places, _) =
        read_known(bytes.as_slice()).map_err(|source| OpsError::Known { path, source })?;
    let mut of_frames: BTreeMap<String, Vec<KnownPlace>> = BTreeMap::new();
    for place in places {
        if let Some(frame) = &place.file {
            of_frames.entry(frame.clone()).or_default().push(place);
        }
    }
    Ok(of_frames)
}

/// The regions of a frame.
fn frame_regions(
    record: &FrameRecord,
    objects: &Objects,
    known: Option<&Vec<KnownPlace>>,
) -> String {
    let mut text = HEAD.to_owned();
    let mut found = BTreeSet::new();
    let radius = record.fwhm_arcsec.map_or(RADIUS_ARCSEC, |fwhm| RADIUS_FWHM * fwhm);
    for (number, object) in (1..).zip(&objects.vetted) {
        for detection in &object.candidate.detections {
            if detection.frame == record.frame {
                let names = objects.number_and_name(object);
                let place = (detection.ra_deg, detection.dec_deg);
                circle(&mut text, place, radius, &label(number, &names, detection.mag));
                found.insert(names);
            }
        }
    }
    for place in known.into_iter().flatten() {
        let (number, name) = number_and_name(&place.designation);
        let number = number.unwrap_or_default().to_owned();
        let own = if name.is_empty() { number.clone() } else { name.to_owned() };
        if !found.contains(&(number, own)) {
            cross(&mut text, (place.ra_deg, place.dec_deg), &known_label(place));
        }
    }
    text
}

/// The regions of the whole night.
fn night_regions(night: &Night<'_>, objects: &Objects) -> String {
    let mut text = HEAD.to_owned();
    for (number, object) in (1..).zip(&objects.vetted) {
        let detections = &object.candidate.detections;
        let Some((first, last)) = detections.first().zip(detections.last()) else { continue };
        let names = objects.number_and_name(object);
        let place = (first.ra_deg, first.dec_deg);
        circle(&mut text, place, RADIUS_ARCSEC, &label(number, &names, object.candidate.mag));
        put(
            &mut text,
            format_args!(
                "line({:.7},{:.7},{:.7},{:.7}) # line=0 1\n",
                first.ra_deg, first.dec_deg, last.ra_deg, last.dec_deg
            ),
        );
    }
    for known in night.report.known.iter().filter(|known| known.found.is_none()) {
        let mag = known.v_mag.map(|mag| format!(" V {mag:.1}")).unwrap_or_default();
        let label = clean(&format!("{}{mag}", known.name));
        cross(&mut text, (known.ra_deg, known.dec_deg), &label);
    }
    text
}

/// What stands at an object: its name, or its `SOURCE_NUMBER`, and how bright it is.
fn label(source: usize, (number, name): &(String, String), mag: Option<f64>) -> String {
    let called = match (number.as_str(), name.as_str()) {
        (_, "") => format!("source {source}"),
        ("", name) => name.to_owned(),
        (number, name) if number == name => name.to_owned(),
        (number, name) => format!("{number} {name}"),
    };
    clean(&format!("{called}{}", mag.map(|mag| format!(" G {mag:.1}")).unwrap_or_default()))
}

fn known_label(place: &KnownPlace) -> String {
    let mag = place.v_mag.map(|mag| format!(" V {mag:.1}")).unwrap_or_default();
    clean(&format!("{}{mag}", place.designation))
}

/// A text that may stand between braces.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || "{}#".contains(c) { '_' } else { c }).collect()
}

fn circle(text: &mut String, (ra, dec): (f64, f64), radius_arcsec: f64, label: &str) {
    put(text, format_args!("circle({ra:.7},{dec:.7},{radius_arcsec:.2}\") # text={{{label}}}\n"));
}

fn cross(text: &mut String, (ra, dec): (f64, f64), label: &str) {
    put(text, format_args!("point({ra:.7},{dec:.7}) # point=x color=red text={{{label}}}\n"));
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes any text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_name_the_object_and_break_no_region() {
        let names = |number: &str, name: &str| (number.to_owned(), name.to_owned());
        assert_eq!(label(3, &names("", ""), None), "source 3");
        assert_eq!(label(3, &names("12", "Victoria"), Some(17.04)), "12 Victoria G 17.0");
        assert_eq!(label(3, &names("12", "12"), None), "12");
        assert_eq!(label(3, &names("", "a}#\nb"), None), "a___b");
        let mut text = String::new();
        circle(&mut text, (10.0, -0.5), 4.5, "x");
        cross(&mut text, (359.999_999_9, 80.0), "y");
        assert_eq!(
            text,
            "circle(10.0000000,-0.5000000,4.50\") # text={x}\n\
             point(359.9999999,80.0000000) # point=x color=red text={y}\n"
        );
    }
}

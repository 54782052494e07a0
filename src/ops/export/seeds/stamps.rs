//! `cutouts/<SOURCE>_<CATALOG>.fits`: a stamp per detection, the object in the middle.
//!
//! Taken from the night's kept cut-outs: north up, on one scale and zero point, the sky taken off.
//! Those of ssos were pieces of the frames; theirs moved by up to half a pixel, ours do not.

use super::super::super::cutouts::load;
use super::super::super::error::OpsError;
use super::super::frame::numbered;
use super::super::ssos::Objects;
use super::super::tree::{Night, Tree};
use crate::formats::fits::{Header, write_image};
use crate::pipeline::artifact::cutouts::Centring;
use crate::science::time::Epoch;

/// Writes the stamps of all objects.
pub(super) fn write(
    tree: &mut Tree<'_>,
    night: &Night<'_>,
    objects: &Objects,
) -> Result<(), OpsError> {
    for (source, object) in (1..).zip(&objects.vetted) {
        let candidate = &object.candidate;
        let Some(cutouts) = load(night.reader.products(), night.id, &candidate.id) else {
            tree.note(format!("object {source} ({}) has no cut-outs", candidate.id));
            continue;
        };
        let (_, name) = objects.number_and_name(object);
        let name = if name.is_empty() { candidate.id.as_str() } else { name.as_str() };
        for stamp in &cutouts.frames {
            let detection = candidate.detections.iter().find(|d| d.frame == stamp.frame);
            let frame = numbered(night.report).find(|(_, record)| record.frame == stamp.frame);
            let Some((detection, (number, record))) = detection.zip(frame) else { continue };
            let mut header = Header::new();
            header.set("OBJECT", name, "");
            header.set("RA", detection.ra_deg, "[deg] measured place");
            header.set("DEC", detection.dec_deg, "[deg] measured place");
            header.set("FILTER", record.filter.clone().unwrap_or_else(|| "NONE".to_owned()), "");
            let half_s = 0.5 * record.exposure_s.unwrap_or(0.0);
            let start = Epoch::from_mjd_utc(stamp.mid_mjd_utc).plus_seconds(-half_s);
            header.set("DATE-OBS", start.to_iso(), "UTC, start of the exposure");
            header.set("BUNIT", "electron", "above the sky, at one zero point");
            cutouts.add_wcs(&mut header, cutouts.centre_deg(stamp, Centring::OnObject));
            tree.fits(&format!("SSOS/cutouts/{source}_{number:02}.fits"), |path| {
                write_image(path, &stamp.on_object, &header)
            })?;
        }
    }
    Ok(())
}

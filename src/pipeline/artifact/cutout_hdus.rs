//! Cut-outs as HDUs of a FITS file, and back.
//!
//! Each stamp is an image extension with a tangent-plane WCS, so that any viewer shows it north
//! up on the sky. `EXTNAME` says which kind it is, `EXTVER` which frame it belongs to, from 1;
//! `FRAME` holds the file's name, with what is not plain ASCII as `%XX`.

use super::cutouts::{Centring, Cutouts, FrameCutout, Neighbour, StaticSky, View};
use crate::formats::fits::{Column, ColumnData, Header, ImageHdu, Limits};
use crate::science::sky::keywords::KeywordValue;
use crate::science::sky::wcs::Wcs;
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Most frames of a candidate.
pub const FRAMES_MAX: usize = 120;
/// Largest side of a stamp [px].
pub const SIDE_MAX_PX: usize = 255;
/// Name of the table of neighbours.
pub const NEIGHBOURS_EXTNAME: &str = "NEIGHBOURS";

/// Kinds of stamps in the order of the file, with their names there.
const KINDS: [(&str, View); 4] = [
    ("OBJECT", View::new(Centring::OnObject, StaticSky::Kept)),
    ("OBJECT_SUBTRACTED", View::new(Centring::OnObject, StaticSky::Subtracted)),
    ("SKY", View::new(Centring::OnSky, StaticSky::Kept)),
    ("SKY_SUBTRACTED", View::new(Centring::OnSky, StaticSky::Subtracted)),
];

/// What a file of cut-outs may claim.
pub fn limits() -> Limits {
    Limits {
        file_bytes_max: 1 << 28,
        pixels_max: (SIDE_MAX_PX * SIDE_MAX_PX) as u64,
        // The primary HDU and the table besides the stamps, and a look behind the end.
        hdus_max: KINDS.len() * FRAMES_MAX + 3,
        ..Limits::default()
    }
}

impl Cutouts {
    /// The cards of the primary HDU.
    pub fn primary_header(&self) -> Header {
        let mut header = Header::new();
        header.set("ORIGIN", "autossos", "cut-outs of a moving object");
        header.set("OBJECT", self.candidate_id.as_str(), "candidate");
        header.set("CUTSIDE", self.side_px as i64, "[px] side of a stamp");
        header.set("CUTSCALE", self.scale_arcsec, "[arcsec] side of a pixel");
        header.set("SKYRA", self.sky_centre_deg.0, "[deg] centre of the SKY stamps");
        header.set("SKYDEC", self.sky_centre_deg.1, "[deg] centre of the SKY stamps");
        header.set("NFRAMES", self.frames.len() as i64, "frames");
        header
    }

    /// The stamps, frame by frame.
    pub fn to_hdus(&self) -> Vec<ImageHdu> {
        let mut hdus = Vec::new();
        for (number, frame) in (1_i64..).zip(&self.frames) {
            for (name, view) in KINDS {
                let Some(image) = frame.stamp(view) else { continue };
                let mut header = Header::new();
                header.set("EXTNAME", name, "what stands still, what is taken off");
                header.set("EXTVER", number, "number of the frame");
                header.set("BUNIT", "electron", "above the sky, at one zero point");
                header.set("FRAME", escaped(&frame.frame), "file of the frame");
                let middle = Epoch::from_mjd_utc(frame.mid_mjd_utc).to_iso();
                header.set("DATE-AVG", middle, "UTC, middle of the exposure");
                header.set("MJD-AVG", frame.mid_mjd_utc, "[d] UTC, middle of the exposure");
                header.set("PREDRA", frame.predicted_deg.0, "[deg] predicted place");
                header.set("PREDDEC", frame.predicted_deg.1, "[deg] predicted place");
                header.set("DETECTED", frame.detected_deg.is_some(), "seen in this frame");
                if let Some((ra, dec)) = frame.detected_deg {
                    header.set("DETRA", ra, "[deg] measured place");
                    header.set("DETDEC", dec, "[deg] measured place");
                }
                self.add_wcs(&mut header, self.centre_deg(frame, view.centring));
                hdus.push(ImageHdu { header, image: image.clone() });
            }
        }
        hdus
    }

    /// The neighbours as columns of a table.
    pub fn neighbour_columns(&self) -> Vec<Column> {
        let column = |name: &str, unit: &str, value: fn(&Neighbour) -> f64| Column {
            name: name.to_owned(),
            unit: unit.to_owned(),
            data: ColumnData::F64(self.neighbours.iter().map(value).collect()),
        };
        vec![
            column("RA", "deg", |n| n.ra_deg),
            column("DEC", "deg", |n| n.dec_deg),
            column("G", "mag", |n| n.g_mag),
        ]
    }

    /// The cut-outs of such HDUs; `None` when something is missing or does not fit together.
    pub fn from_hdus(primary: &Header, hdus: Vec<ImageHdu>, neighbours: &[Column]) -> Option<Self> {
        let side_px = usize::try_from(primary.integer("CUTSIDE")?).ok()?;
        let n_frames = usize::try_from(primary.integer("NFRAMES")?).ok()?;
        if side_px > SIDE_MAX_PX || n_frames > FRAMES_MAX {
            return None;
        }
        let mut groups: Vec<Vec<ImageHdu>> = (0..n_frames).map(|_| Vec::new()).collect();
        for hdu in hdus {
            let number = usize::try_from(hdu.header.integer("EXTVER")?).ok()?;
            if (hdu.image.nx(), hdu.image.ny()) != (side_px, side_px) {
                return None;
            }
            groups.get_mut(number.checked_sub(1)?)?.push(hdu);
        }
        Some(Self {
            candidate_id: primary.text("OBJECT")?.to_owned(),
            side_px,
            scale_arcsec: primary.real("CUTSCALE").filter(|scale| *scale > 0.0)?,
            sky_centre_deg: (primary.real("SKYRA")?, primary.real("SKYDEC")?),
            frames: groups.into_iter().map(frame_of).collect::<Option<_>>()?,
            neighbours: neighbours_of(neighbours)?,
        })
    }

    /// Adds the keywords of a stamp with this centre [deg] on the sky.
    pub fn add_wcs(&self, header: &mut Header, (ra_deg, dec_deg): (f64, f64)) {
        let middle = (self.side_px as f64 - 1.0) / 2.0;
        let step = self.scale_arcsec * ARCSEC_RAD;
        let wcs = Wcs {
            crval_rad: (ra_deg * DEG_RAD, dec_deg * DEG_RAD),
            crpix_px: (middle, middle),
            cd_rad_per_px: [[-step, 0.0], [0.0, step]],
            sip: None,
        };
        for (key, value) in wcs.fits_keywords() {
            match value {
                KeywordValue::Integer(v) => header.set(&key, v, ""),
                KeywordValue::Real(v) => header.set(&key, v, ""),
                KeywordValue::Text(v) => header.set(&key, v, ""),
            }
        }
    }
}

/// A frame of its stamps.
fn frame_of(mut hdus: Vec<ImageHdu>) -> Option<FrameCutout> {
    let header = hdus.first()?.header.clone();
    let mut take = |name: &str| {
        let at = hdus.iter().position(|hdu| hdu.header.text("EXTNAME") == Some(name))?;
        Some(hdus.swap_remove(at).image)
    };
    let [(object, _), (object_subtracted, _), (sky, _), (sky_subtracted, _)] = KINDS;
    Some(FrameCutout {
        frame: unescaped(header.text("FRAME")?),
        mid_mjd_utc: header.real("MJD-AVG")?,
        predicted_deg: (header.real("PREDRA")?, header.real("PREDDEC")?),
        detected_deg: header.real("DETRA").zip(header.real("DETDEC")),
        on_object: take(object)?,
        on_object_subtracted: take(object_subtracted),
        on_sky: take(sky)?,
        on_sky_subtracted: take(sky_subtracted),
    })
}

/// The neighbours of their table.
fn neighbours_of(columns: &[Column]) -> Option<Vec<Neighbour>> {
    let real = |name: &str| {
        columns.iter().find(|c| c.name == name).and_then(|c| match &c.data {
            ColumnData::F64(values) => Some(values),
            _ => None,
        })
    };
    let places = real("RA")?.iter().zip(real("DEC")?).zip(real("G")?);
    Some(places.map(|((&ra_deg, &dec_deg), &g_mag)| Neighbour { ra_deg, dec_deg, g_mag }).collect())
}

/// A name in printable ASCII without blanks, the rest as `%XX`.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'%' | b'\'' | b'&' => text.push_str(&format!("%{byte:02X}")),
            b'!'..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// The name that was escaped; what is no escape stays.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut name = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        let code = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                name.push(code);
                at += 3;
            }
            _ => {
                name.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::image::Image;

    fn frame(number: usize, is_detected: bool) -> FrameCutout {
        let image = |value: f32| Image::filled(5, 5, value + number as f32);
        FrameCutout {
            frame: format!("frame {number} of 100% Å '{}'.fits", "long ".repeat(30)),
            mid_mjd_utc: 61_100.123_456_789_01 + number as f64,
            predicted_deg: (123.456_789_012_345, -12.3),
            detected_deg: is_detected.then_some((123.456_8, -12.300_1)),
            on_object: image(1.0),
            on_object_subtracted: is_detected.then(|| image(2.0)),
            on_sky: image(3.0),
            on_sky_subtracted: None,
        }
    }

    fn cutouts() -> Cutouts {
        Cutouts {
            candidate_id: "ABCDEFG".to_owned(),
            side_px: 5,
            scale_arcsec: 1.13,
            sky_centre_deg: (123.4, -12.3),
            frames: vec![frame(0, true), frame(1, false)],
            neighbours: vec![Neighbour { ra_deg: 123.401, dec_deg: -12.301, g_mag: 15.25 }],
        }
    }

    #[test]
    fn hdus_give_the_cutouts_back() {
        let cutouts = cutouts();
        let hdus = cutouts.to_hdus();
        assert_eq!(hdus.len(), 3 + 2);
        let columns = cutouts.neighbour_columns();
        let back = Cutouts::from_hdus(&cutouts.primary_header(), hdus.clone(), &columns);
        assert_eq!(back, Some(cutouts.clone()));
        let mut primary = cutouts.primary_header();
        primary.set("NFRAMES", 1_i64, "");
        assert_eq!(Cutouts::from_hdus(&primary, hdus.clone(), &columns), None, "a frame too many");
        primary.set("NFRAMES", 3_i64, "");
        assert_eq!(Cutouts::from_hdus(&primary, hdus, &columns), None, "a frame without stamps");
    }

    #[test]
    fn any_name_comes_back() {
        for name in ["a.fits", "ü 100%25 %zz.fits", "%", "a'b&", "\n"] {
            assert!(escaped(name).bytes().all(|b| (b'!'..=b'~').contains(&b)));
            assert_eq!(unescaped(&escaped(name)), name);
        }
    }

    #[test]
    fn the_best_view_follows_the_motion() {
        let mut cutouts = cutouts();
        for frame in &mut cutouts.frames {
            frame.predicted_deg = cutouts.sky_centre_deg;
        }
        assert_eq!(cutouts.best_view().centring, Centring::OnSky);
        // Three pixels of 1.13 arcsec north: beyond the edge of a stamp of five.
        cutouts.frames[1].predicted_deg.1 += 3.0 * 1.13 / 3600.0;
        assert_eq!(cutouts.best_view().centring, Centring::OnObject);
        for view in View::ALL {
            assert_eq!(View::named(view.name()), Some(view));
        }
    }
}

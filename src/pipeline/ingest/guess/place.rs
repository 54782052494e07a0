//! Where the telescope pointed and stands, and the scale of its pixels.

use super::super::angle::parse_sexagesimal;
use super::super::generic;
use super::draft::{Draft, pairs, quoted};
use super::seen::Seen;

/// Further pairs of keywords of the pointing than the generic profile's.
const POINTINGS: [(&str, &str); 8] = [
    ("TELRA", "TELDEC"),
    ("TEL-RA", "TEL-DEC"),
    ("TEL_RA", "TEL_DEC"),
    ("OBJRA", "OBJDEC"),
    ("OBSRA", "OBSDEC"),
    ("RA_DEG", "DEC_DEG"),
    ("RADEG", "DECDEG"),
    ("CRVAL1", "CRVAL2"),
];
/// Further keywords of the scale than the generic profile's.
const SCALES: [&str; 4] = ["PIXSCAL", "PIXSCAL1", "PLATESCA", "SCALE1"];
/// Hours of a day: a larger right ascension is in degrees [h].
const HOURS: f64 = 24.0;

/// How right ascensions of a keyword are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// In fields of base 60.
    Sexagesimal,
    /// As one number of degrees.
    Degrees,
    /// As one number of hours.
    Hours,
    /// As one number that may be either.
    Either,
}

/// Writes `[pointing]`, `[pixel_scale]` and `[site]`.
pub(super) fn write(seen: &Seen<'_>, draft: &mut Draft) {
    write_pointing(seen, draft);
    write_scale(seen, draft);
    write_site(seen, draft);
}

fn written(seen: &Seen<'_>, ra: &str, dec: &str) -> Option<Written> {
    let reads = |keyword: &str| {
        seen.texts(keyword).into_iter().map(|text| parse_sexagesimal(&text?)).collect::<Vec<_>>()
    };
    let both: Vec<_> = reads(ra)
        .into_iter()
        .zip(reads(dec))
        .filter_map(|(ra, dec)| ra.zip(dec.filter(|dec| dec.value.abs() <= 90.0)))
        .map(|(ra, _)| ra)
        .collect();
    if both.is_empty() {
        return None;
    }
    if both.iter().all(|read| read.fields > 1) {
        return Some(Written::Sexagesimal);
    }
    let comment = seen.comment(ra);
    if ra.starts_with("CRVAL") || comment.contains("deg") {
        return Some(Written::Degrees);
    }
    if comment.contains("hour") || comment.contains("[h]") {
        return Some(Written::Hours);
    }
    let is_beyond = both.iter().any(|read| read.value >= HOURS || read.value < 0.0);
    Some(if is_beyond { Written::Degrees } else { Written::Either })
}

fn write_pointing(seen: &Seen<'_>, draft: &mut Draft) {
    draft.table("[pointing]");
    let rule = &generic().pointing;
    let further = POINTINGS.map(|(ra, dec)| (ra.to_owned(), dec.to_owned()));
    let mut known = rule.keywords.clone();
    known.retain(|(ra, _)| ra != "CRVAL1");
    known.extend(further.into_iter().filter(|pair| !rule.keywords.contains(pair)));
    known.push(("CRVAL1".to_owned(), "CRVAL2".to_owned()));
    known.dedup();
    let found: Vec<((String, String), Written)> = known
        .into_iter()
        .filter_map(|pair| written(seen, &pair.0, &pair.1).map(|how| (pair, how)))
        .collect();
    let Some(((ra, dec), _)) = found.first() else {
        draft.doubt(
            "No keywords of the pointing were found; the whole sky is searched for each frame's \
             stars, which takes long and needs the catalogue's index. Name them here: keywords = \
             [[\"RA\", \"DEC\"]].",
        );
        return;
    };
    draft.why(&seen.told(ra));
    draft.why(&seen.told(dec));
    // The unit of a lone number is one for all pairs: those in the other unit are left out.
    let of = |how: Written| found.iter().any(|(_, found)| *found == how);
    let is_hours = of(Written::Hours) && !of(Written::Degrees);
    if of(Written::Either) && !of(Written::Hours) && !of(Written::Degrees) {
        draft.doubt(
            "Right ascensions are single numbers below 24: degrees are assumed; write \"hours\" \
             when they are hours.",
        );
    }
    let fits = |how: Written| match how {
        Written::Sexagesimal | Written::Either => true,
        Written::Degrees => !is_hours,
        Written::Hours => is_hours,
    };
    let kept: Vec<(String, String)> =
        found.iter().filter(|(_, how)| fits(*how)).map(|(pair, _)| pair.clone()).collect();
    draft.key("keywords", &pairs(&kept));
    if found.iter().any(|(_, how)| *how != Written::Sexagesimal) {
        draft.key("ra_number", if is_hours { "\"hours\"" } else { "\"deg\"" });
    }
    let equinoxes = seen.present(rule.equinox.iter().map(String::as_str), &|_| true);
    match equinoxes.first() {
        Some(first) => draft.why(&seen.told(first)),
        None => draft.why("No equinox is stated: J2000 is taken."),
    }
    draft.list("equinox", &equinoxes);
}

fn write_scale(seen: &Seen<'_>, draft: &mut Draft) {
    draft.table("[pixel_scale]");
    let rule = &generic().pixel_scale;
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(|number| number > 0.0);
    let known = rule.keywords.iter().map(String::as_str).chain(SCALES);
    let scales = seen.present(known, &is_number);
    let (unbinned, binned): (Vec<String>, Vec<String>) =
        scales.into_iter().partition(|keyword| seen.comment(keyword).contains("unbinned"));
    for keyword in unbinned.iter().chain(&binned) {
        draft.why(&seen.told(keyword));
    }
    let sizes = seen.present(rule.pixel_size_um.keywords.iter().map(String::as_str), &is_number);
    let lengths =
        seen.present(rule.focal_length_mm.keywords.iter().map(String::as_str), &is_number);
    let has_wcs = seen.distinct("CTYPE1").iter().any(|(text, _)| text.starts_with("RA"))
        && (!seen.numbers("CD1_1").is_empty() || !seen.numbers("CDELT1").is_empty());
    let has_optics = !sizes.is_empty() && !lengths.is_empty();
    if has_wcs {
        draft.why("The header's WCS tells the scale where the keys here do not.");
    }
    if unbinned.is_empty() && binned.is_empty() && !has_optics && !has_wcs {
        draft.doubt(
            "Nothing tells the scale of a pixel: it is searched, which takes longer. Put it here: \
             unbinned_measured_arcsec = 1.0, or focal_length_mm = { measured = 1000.0 } [mm] and \
             pixel_size_um = { assumed = 9.0 } [um].",
        );
    } else {
        draft.doubt(
            "The scale is a hint for the first frame's search, but headers are often wrong by a \
             tenth: when frames are not solved, put the true one here as \
             unbinned_measured_arcsec = ... [arcsec], which wins.",
        );
    }
    draft.list("keywords", &binned);
    draft.list("unbinned_keywords", &unbinned);
    write_optics(seen, draft, &sizes, &lengths);
}

/// Pixel size and focal length.
fn write_optics(seen: &Seen<'_>, draft: &mut Draft, sizes: &[String], lengths: &[String]) {
    let table = |keywords: &[String]| format!("{{ keywords = {} }}", super::draft::array(keywords));
    if let Some(first) = sizes.first() {
        draft.why(&seen.told(first));
        draft.key("pixel_size_um", &table(sizes));
        // MaxIm DL and its kin multiply XPIXSZ by the binning.
        let is_unbinned = seen.comment(first).contains("unbinned") || !first.starts_with("XPIX");
        let is_binning_seen = seen.distinct("XBINNING").iter().any(|(text, _)| text != "1")
            || seen.distinct("CCDSUM").iter().any(|(text, _)| text != "1 1");
        if is_binning_seen && !lengths.is_empty() {
            draft.doubt("Is that the size of a pixel of the file (binned) or of the detector?");
        }
        draft.key("pixel_size", if is_unbinned { "\"unbinned\"" } else { "\"binned\"" });
    }
    if let Some(first) = lengths.first() {
        draft.why(&seen.told(first));
        draft.key("focal_length_mm", &table(lengths));
    }
}

fn write_site(seen: &Seen<'_>, draft: &mut Draft) {
    draft.table("[site]");
    let rule = &generic().site;
    let is_angle = |text: &str| parse_sexagesimal(text).is_some();
    let find = |keywords: &[String], further: &str, fit: &dyn Fn(&str) -> bool| {
        seen.present(keywords.iter().map(String::as_str).chain([further]), fit)
    };
    let latitudes = find(&rule.latitude, "ESO TEL GEOLAT", &is_angle);
    let longitudes = find(&rule.longitude, "ESO TEL GEOLON", &is_angle);
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let mut heights = find(&rule.height_m, "ESO TEL GEOELEV", &is_number);
    // The telescope's altitude above the horizon goes by the same name.
    let is_of_site = |keyword: &String| {
        let comment = seen.comment(keyword);
        ["met", "[m]", "sea"].iter().any(|word| comment.contains(word))
    };
    heights.extend(find(&[], "ALTITUDE", &is_number).into_iter().filter(is_of_site));
    if latitudes.is_empty() || longitudes.is_empty() {
        draft.doubt(
            "The header does not tell where the telescope stands: put site.mpc_code, or latitude, \
             longitude and height, into the configuration's [site].",
        );
        return;
    }
    draft.why(&seen.told(&latitudes[0]));
    draft.list("latitude", &latitudes);
    draft.why(&seen.told(&longitudes[0]));
    draft.list("longitude", &longitudes);
    let comment = seen.comment(&longitudes[0]);
    let west = comment.contains("west") && !comment.contains("east");
    let texts = seen.texts(&longitudes[0]);
    let has_letter = texts.iter().flatten().any(|text| text.contains(['E', 'W', 'e', 'w']));
    if !has_letter && !comment.contains("east") && !comment.contains("west") {
        draft.doubt(
            "No comment says in which direction longitudes are positive; east is assumed: \
             compare the site below.",
        );
    }
    draft.key("longitude_positive", &quoted(if west { "west" } else { "east" }));
    if let Some(first) = heights.first() {
        draft.why(&seen.told(first));
    }
    draft.list("height_m", &heights);
}

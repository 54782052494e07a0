//! Windows of a frame as the header writes them: `[x0:x1,y0:y1]`, 1-based, both ends included.
//!
//! The form is IRAF's (BIASSEC, TRIMSEC); a window written backwards is turned round.

use serde::Deserialize;

use super::lookup::Reader;
use super::profile::SectionRule;
use crate::pipeline::artifact::frame_info::Section;

/// Largest pixel number that is read: far beyond any detector, so sums cannot overflow [px].
const PIXEL_MAX: usize = 1_000_000;

/// A section written as text, checked when the profile is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SectionText(pub Section);

impl TryFrom<String> for SectionText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse_section(&text).map(Self).ok_or("expected a section such as `[18:1382,1:1370]`")
    }
}

/// Reads `[x0:x1,y0:y1]`; `None` when the text is not of that form or names pixel 0.
pub fn parse_section(text: &str) -> Option<Section> {
    let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    let (x, y) = inner.split_once(',')?;
    let (x0, x1) = parse_range(x)?;
    let (y0, y1) = parse_range(y)?;
    Some(Section { x0, x1, y0, y1 })
}

/// Reads `a:b` (1-based, inclusive) as a 0-based half-open range.
fn parse_range(text: &str) -> Option<(usize, usize)> {
    let (a, b) = text.split_once(':')?;
    let (a, b): (usize, usize) = (a.trim().parse().ok()?, b.trim().parse().ok()?);
    let (first, last) = (a.min(b), a.max(b));
    (first >= 1 && last <= PIXEL_MAX).then(|| (first - 1, last))
}

/// The overscan and trim sections of a frame of `nx` by `ny` pixels, in this order.
pub(super) fn read_sections(
    reader: &mut Reader<'_>,
    rule: &SectionRule,
    (nx, ny): (usize, usize),
) -> (Option<Section>, Option<Section>) {
    let whole = Section { x0: 0, x1: nx, y0: 0, y1: ny };
    let overscan = read_one(reader, &rule.overscan, rule.overscan_assumed, &whole);
    let trim = read_one(reader, &rule.trim, rule.trim_assumed, &whole);
    let overscan = overscan.filter(|section| {
        let is_whole = *section == whole;
        if is_whole {
            reader.remark("The overscan section is the whole frame; none is used.".to_owned());
        }
        !is_whole
    });
    let (Some(bias), Some(lit)) = (overscan, trim) else {
        return (overscan, trim.filter(|section| *section != whole));
    };
    if overlap(&bias, &lit) {
        reader.remark("Overscan and trim section overlap; no overscan is used.".to_owned());
        return (None, trim.filter(|section| *section != whole));
    }
    (overscan, trim)
}

/// The first section that is readable and lies inside the frame.
fn read_one(
    reader: &mut Reader<'_>,
    keywords: &[String],
    assumed: Option<SectionText>,
    whole: &Section,
) -> Option<Section> {
    let fits = |section: &Section| section.x1 <= whole.x1 && section.y1 <= whole.y1;
    for keyword in keywords {
        let Some(text) = reader.text(keyword) else {
            continue;
        };
        match parse_section(&text) {
            Some(section) if fits(&section) => return Some(section),
            Some(_) => reader.remark(format!(
                "{keyword} = '{text}' reaches beyond the frame of {} x {} pixels; not used.",
                whole.x1, whole.y1
            )),
            None => reader.remark(format!("{keyword} = '{text}' is no section; not used.")),
        }
    }
    let section = assumed?.0;
    if fits(&section) {
        return Some(section);
    }
    reader.remark("The profile's section reaches beyond the frame; not used.".to_owned());
    None
}

fn overlap(a: &Section, b: &Section) -> bool {
    a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_based_inclusive_becomes_zero_based_half_open() {
        // Columns 18 to 1382 are 1365 columns, the first with index 17.
        let section = Section { x0: 17, x1: 1382, y0: 0, y1: 1370 };
        assert_eq!(parse_section("[18:1382,1:1370]"), Some(section));
        assert_eq!(parse_section(" [ 1382:18 , 1370:1 ] "), Some(section));
    }

    #[test]
    fn what_is_no_section_is_none() {
        for text in [
            "",
            "[]",
            "[1:2]",
            "[0:5,1:5]",
            "[a:b,c:d]",
            "[-1:5,1:5]",
            "1:5,1:5",
            "[1:9999999999,1:2]",
        ] {
            assert_eq!(parse_section(text), None, "{text}");
        }
    }
}

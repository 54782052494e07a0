//! Maps of a night's fields: frames, known objects found and missed, unknown ones.
//!
//! Each field is one chart on its tangent plane, north up and east left. A way on the sky is drawn
//! from the first to the last detection; one too short to be seen is stretched.

use std::fmt::Write as _;

use crate::formats::known_csv::number_and_name;
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::frame_record::{FrameStatus, Outline};
use crate::pipeline::artifact::report::NightReport;
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::separation_rad;

use super::words::{declination, printable, right_ascension, shortened};

/// Size of a map and the margin around its drawing [SVG units].
const SIDE: f64 = 420.0;
const MARGIN: f64 = 26.0;
/// Fields that are drawn, those with most frames first.
const FIELDS_MAX: usize = 12;
/// Outlines drawn per field; frames of a field lie nearly upon each other.
const OUTLINES_MAX: usize = 12;
/// Objects drawn per field and kind.
const OBJECTS_MAX: usize = 400;
/// Names written in a field; more would cover each other.
const NAMES_MAX: usize = 60;
/// Longest name [characters].
const NAME_LENGTH_MAX: usize = 16;
/// Shortest way that is drawn [SVG units].
const WAY_MIN: f64 = 9.0;

/// The kinds of objects, with the colours of their marks.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Known,
    Unknown,
    Missed,
}

/// An object on the map.
struct Shown {
    mark: Mark,
    name: String,
    /// Where it was first and last (RA, Dec) [deg].
    ends_deg: [(f64, f64); 2],
}

/// A field of the sky with its frames.
struct Field {
    outlines: Vec<Outline>,
}

/// Draws a map per field; nothing without a solved frame.
pub fn field_maps_svg(report: &NightReport) -> Vec<String> {
    let outlines = report.frames.iter().filter(|f| f.status == FrameStatus::Ok);
    let mut fields: Vec<Field> = Vec::new();
    for outline in outlines.filter_map(|frame| frame.outline_deg()) {
        match fields.iter_mut().find(|field| field.is_near(&outline)) {
            Some(field) => field.outlines.push(outline),
            None => fields.push(Field { outlines: vec![outline] }),
        }
    }
    fields.sort_by_key(|field| std::cmp::Reverse(field.outlines.len()));
    fields.truncate(FIELDS_MAX);
    let objects = shown(report);
    fields.iter().filter_map(|field| field.svg(&objects)).collect()
}

/// Everything that is drawn, in the order in which it is: what matters most comes last.
fn shown(report: &NightReport) -> Vec<Shown> {
    let missed = report.known.iter().filter(|object| object.is_missed()).map(|object| {
        let place = (object.ra_deg, object.dec_deg);
        let ends_deg = match object.rate_arcsec_per_h {
            Some((east, north)) => {
                let radians = |degrees: f64| degrees.to_radians();
                let plane = TangentPlane::at((radians(place.0), radians(place.1)));
                let step = (1.0_f64 / 3600.0).to_radians();
                let end = plane.deproject(0.5 * east * step, 0.5 * north * step);
                [place, (end.0.to_degrees(), end.1.to_degrees())]
            }
            None => [place, place],
        };
        Shown { mark: Mark::Missed, name: short_name(&object.name), ends_deg }
    });
    let moving = |candidate: &Candidate| {
        let (first, last) = (candidate.detections.first()?, candidate.detections.last()?);
        let (mark, name) = match &candidate.identity {
            Identity::Known { name, .. } => (Mark::Known, short_name(name)),
            Identity::Unknown | Identity::Unchecked => (Mark::Unknown, candidate.id.clone()),
        };
        let ends_deg = [(first.ra_deg, first.dec_deg), (last.ra_deg, last.dec_deg)];
        Some(Shown { mark, name, ends_deg })
    };
    let mut all: Vec<Shown> = missed.chain(report.candidates.iter().filter_map(moving)).collect();
    all.sort_by_key(|object| match object.mark {
        Mark::Missed => 0,
        Mark::Known => 1,
        Mark::Unknown => 2,
    });
    all
}

/// The number of a numbered object, the name of another one.
fn short_name(designation: &str) -> String {
    let (number, name) = number_and_name(designation);
    printable(&shortened(number.unwrap_or(name), NAME_LENGTH_MAX))
}

impl Field {
    fn centre_rad(&self) -> (f64, f64) {
        let centre = self.outlines[0].centre_deg;
        (centre.0.to_radians(), centre.1.to_radians())
    }

    /// Whether a frame belongs to the field: its centre lies within its first frame.
    fn is_near(&self, outline: &Outline) -> bool {
        let corner = self.outlines[0].corners_deg[0];
        let radians = |(ra, dec): (f64, f64)| (ra.to_radians(), dec.to_radians());
        let centre = self.centre_rad();
        separation_rad(centre, radians(outline.centre_deg))
            < 0.7 * separation_rad(centre, radians(corner))
    }

    fn svg(&self, objects: &[Shown]) -> Option<String> {
        let plane = TangentPlane::at(self.centre_rad());
        let flat = |(ra, dec): (f64, f64)| plane.project(ra.to_radians(), dec.to_radians());
        let step = self.outlines.len().div_ceil(OUTLINES_MAX).max(1);
        let mut frames = Vec::new();
        for outline in self.outlines.iter().step_by(step) {
            let corners: Option<Vec<(f64, f64)>> =
                outline.corners_deg.iter().map(|corner| flat(*corner)).collect();
            frames.push(corners?);
        }
        let reach = frames.iter().flatten().map(|p| p.0.abs().max(p.1.abs())).fold(0.0, f64::max);
        if !(reach > 0.0 && reach.is_finite()) {
            return None;
        }
        let scale = (0.5 * SIDE - MARGIN) / reach;
        let place = |(east, north): (f64, f64)| {
            (0.5 * SIDE - scale * east, 0.5 * SIDE + 8.0 - scale * north)
        };
        let mut svg = self.begin();
        for corners in &frames {
            let points: Vec<String> = corners
                .iter()
                .map(|corner| place(*corner))
                .map(|(x, y)| format!("{x:.1},{y:.1}"))
                .collect();
            put(
                &mut svg,
                format_args!(
                    "<polygon class=\"grid\" points=\"{}\" fill=\"none\" stroke=\"currentColor\" \
                 stroke-opacity=\"0.35\"/>",
                    points.join(" ")
                ),
            );
        }
        let inside = objects.iter().filter_map(|object| {
            let ends = object.ends_deg.map(|end| flat(end).filter(|p| is_within(*p, reach)));
            let [first, last] = ends;
            Some((object, place(first?), place(last?)))
        });
        let inside: Vec<_> = inside.take(OBJECTS_MAX).collect();
        let has_names = inside.len() <= NAMES_MAX;
        for (object, first, last) in &inside {
            let is_named = has_names || object.mark == Mark::Unknown;
            draw_object(&mut svg, object, (*first, *last), is_named.then_some(&object.name));
        }
        bar(&mut svg, scale);
        svg.push_str("</svg>");
        Some(svg)
    }

    fn begin(&self) -> String {
        let centre = self.outlines[0].centre_deg;
        let n = self.outlines.len();
        let title = format!(
            "{} {}, {n} frame{}",
            right_ascension(centre.0),
            declination(centre.1),
            if n == 1 { "" } else { "s" }
        );
        let title = escaped(&title);
        format!(
            "<svg class=\"chart\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {SIDE} {:.0}\" \
             font-size=\"10\" fill=\"currentColor\"><text x=\"4\" y=\"13\" font-size=\"11\">{title}\
             </text>",
            SIDE + 16.0
        )
    }
}

fn is_within(place: (f64, f64), reach: f64) -> bool {
    place.0.abs() <= 1.05 * reach && place.1.abs() <= 1.05 * reach
}

/// Draws a way with a dot at its begin, and the name.
fn draw_object(
    svg: &mut String,
    object: &Shown,
    (first, last): ((f64, f64), (f64, f64)),
    name: Option<&String>,
) {
    let (class, colour, fill) = match object.mark {
        Mark::Known => ("dot", "#2f6fb5", "#2f6fb5"),
        Mark::Unknown => ("new", "#d9822b", "#d9822b"),
        Mark::Missed => ("dot hollow", "#8a8f98", "none"),
    };
    let (dx, dy) = (last.0 - first.0, last.1 - first.1);
    let length = dx.hypot(dy);
    let stretch = if length > 1e-3 { (WAY_MIN / length).max(1.0) } else { 0.0 };
    put(
        svg,
        format_args!(
            "<path class=\"bar\" d=\"M{:.1} {:.1}l{:.1} {:.1}\" stroke=\"{colour}\" fill=\"none\"/>\
         <circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.8\" fill=\"{fill}\" \
         stroke=\"{colour}\"/>",
            first.0,
            first.1,
            dx * stretch,
            dy * stretch,
            first.0,
            first.1
        ),
    );
    if let Some(name) = name {
        put(
            svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"8\">{}</text>",
                first.0 + 4.5,
                first.1 - 3.5,
                escaped(name)
            ),
        );
    }
}

/// Draws a bar of a round length.
fn bar(svg: &mut String, scale: f64) {
    const LENGTHS: [(f64, &str); 7] = [
        (1.0, "1\u{2032}"),
        (2.0, "2\u{2032}"),
        (5.0, "5\u{2032}"),
        (10.0, "10\u{2032}"),
        (20.0, "20\u{2032}"),
        (60.0, "1\u{b0}"),
        (120.0, "2\u{b0}"),
    ];
    let units = |arcmin: f64| (arcmin / 60.0).to_radians() * scale;
    let fitting = LENGTHS.iter().rev().find(|(arcmin, _)| units(*arcmin) <= 0.25 * SIDE);
    let (arcmin, text) = fitting.unwrap_or(&LENGTHS[0]);
    let (x, y) = (SIDE - 8.0, SIDE + 10.0);
    put(
        svg,
        format_args!(
            "<path d=\"M{:.1} {y}H{x}\" stroke=\"currentColor\" stroke-width=\"2\"/><text \
         x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            x - units(*arcmin),
            x - units(*arcmin) - 5.0,
            y + 4.0
        ),
    );
}

/// Charts below each other as a file of their own, on white.
pub fn standalone_svg(charts: &[String]) -> String {
    const GAP: f64 = 8.0;
    let size = |svg: &str| -> (f64, f64) {
        let numbers = svg.split("viewBox=\"0 0 ").nth(1).and_then(|rest| rest.split('"').next());
        let mut numbers = numbers.unwrap_or("340 340").split(' ').map(str::parse::<f64>);
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or(340.0);
        (next(), next())
    };
    let (mut width, mut top, mut body) = (0.0_f64, 0.0, String::new());
    for chart in charts {
        let (own_width, own_height) = size(chart);
        let placed = format!(
            "<svg y=\"{top:.0}\" width=\"{own_width}\" height=\"{own_height}\" color=\"#22262b\" \
             font-family=\"sans-serif\" "
        );
        body.push_str(&chart.replacen("<svg ", &placed, 1));
        width = width.max(own_width);
        top += own_height + GAP;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {top}\" \
         width=\"{:.0}\" height=\"{:.0}\"><rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\
         {body}</svg>\n",
        2.0 * width,
        2.0 * top
    )
}

/// A text from outside as text of an SVG.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Appends to a text.
fn put(svg: &mut String, arguments: std::fmt::Arguments<'_>) {
    svg.write_fmt(arguments).expect("a String takes any text");
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn each_field_has_a_map_with_its_objects_on_the_right_side() {
        let mut report = fixture::report();
        // Frame n of the fixture is solved at RA 123.457 + n degrees: fields of their own.
        let maps = field_maps_svg(&report);
        assert_eq!(maps.len(), 4);
        assert!(maps.iter().all(|svg| svg.matches("<polygon ").count() == 1));
        // An object north-east of the centre lies left of the middle and above it.
        let detection = report.candidates[1].detections[0].clone();
        let at = |ra: f64, dec: f64| crate::pipeline::artifact::candidate::CandidateDetection {
            ra_deg: 123.457 + ra,
            dec_deg: -5.25 + dec,
            ..detection.clone()
        };
        report.candidates[1].detections = vec![at(0.03, 0.02), at(0.031, 0.02)];
        report.candidates.remove(0);
        report.candidates[0].id = "<b>&".to_owned();
        let map = field_maps_svg(&report).remove(0);
        let number = |key: &str| -> f64 {
            let rest = map.split("<circle ").nth(1).and_then(|rest| rest.split(key).nth(1));
            rest.and_then(|rest| rest.split('"').next()?.parse().ok()).expect("a number")
        };
        assert!(number("cx=\"") < 0.5 * SIDE && number("cy=\"") < 0.5 * SIDE);
        assert!(map.contains("&lt;b&gt;&amp;") && !map.contains("<b>"), "{map}");
    }

    #[test]
    fn a_file_of_its_own_is_one_document() {
        let maps = field_maps_svg(&fixture::report());
        let file = standalone_svg(&maps);
        assert!(file.starts_with("<svg xmlns="));
        assert_eq!(file.matches("<svg ").count(), file.matches("</svg>").count());
        assert_eq!(file.matches("<polygon ").count(), 4);
        assert!(
            field_maps_svg(&crate::pipeline::artifact::report::NightReport {
                frames: Vec::new(),
                ..fixture::report()
            })
            .is_empty()
        );
    }
}

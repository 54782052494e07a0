//! Known objects of a night: table, what was missed, and how predictions compare with the night.

use std::fmt::Write as _;

use crate::pipeline::artifact::candidate::Candidate;
use crate::pipeline::artifact::known::{KnownFit, KnownObject};
use crate::pipeline::artifact::report::NightReport;
use crate::science::image::stats::median;

use super::scale::Scale;
use super::table::csv_text;
use super::words::{declination, number, printable, right_ascension};

/// Size of a chart and the edges of its plotting area [SVG units]; the area is square.
const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 328.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 302.0;
/// Most dots of a chart; of more, evenly chosen ones are shown.
const DOTS_MAX: usize = 2000;
/// Most ticks per axis.
const TICKS_MAX: usize = 5;
/// Smallest range of residuals [arcsec] and rates [arcsec/h].
const LEAST_ARCSEC: f64 = 0.4;
const LEAST_ARCSEC_PER_H: f64 = 2.0;
/// Rows of objects that were missed on the page.
const MISSED_MAX: usize = 300;

/// Columns of the table of known objects.
const COLUMNS: [&str; 16] = [
    "name",
    "class",
    "v_mag",
    "mjd_mid",
    "ra",
    "dec",
    "err_arcsec",
    "dra_arcsec_h",
    "ddec_arcsec_h",
    "n_frames",
    "n_bright",
    "state",
    "candidate_id",
    "off_ra_arcsec",
    "off_dec_arcsec",
    "chi2",
];

/// A row per known object in the frames. `state` is `found`, `missed` (bright enough in three
/// frames or more, and not found) or `faint`. Offsets are observed minus predicted, RA times
/// cos(Dec), medians.
pub fn known_csv(objects: &[KnownObject]) -> String {
    let real = |value: Option<f64>, decimals: usize| {
        value.filter(|v| v.is_finite()).map_or_else(String::new, |v| format!("{v:.decimals$}"))
    };
    let rows = objects.iter().map(|object| {
        let fit = object.found.as_ref();
        let state = match (fit, object.is_missed()) {
            (Some(_), _) => "found",
            (None, true) => "missed",
            (None, false) => "faint",
        };
        vec![
            object.name.clone(),
            object.class.clone().unwrap_or_default(),
            real(object.v_mag, 2),
            real(Some(object.mid_mjd_utc), 9),
            real(Some(object.ra_deg), 8),
            real(Some(object.dec_deg), 8),
            real(Some(object.err_arcsec), 3),
            real(object.rate_arcsec_per_h.map(|rate| rate.0), 4),
            real(object.rate_arcsec_per_h.map(|rate| rate.1), 4),
            object.n_frames.to_string(),
            object.n_bright.to_string(),
            state.to_owned(),
            fit.map(|fit| fit.candidate.clone()).unwrap_or_default(),
            real(fit.map(|fit| fit.offset_arcsec.0), 4),
            real(fit.map(|fit| fit.offset_arcsec.1), 4),
            real(fit.map(|fit| fit.chi2), 2),
        ]
    });
    csv_text(COLUMNS.map(str::to_owned).to_vec(), rows)
}

/// A known object that was not found.
pub(super) struct MissedView {
    pub(super) name: String,
    pub(super) mag: String,
    pub(super) ra: String,
    pub(super) dec: String,
    pub(super) err: String,
    pub(super) rate: String,
    pub(super) n_bright: u64,
}

/// The known objects that should have been found, the brightest first.
pub(super) fn missed(report: &NightReport) -> Vec<MissedView> {
    let missed = report.known.iter().filter(|object| object.is_missed());
    let view = |object: &KnownObject| MissedView {
        name: printable(&object.name),
        mag: number(object.v_mag, 1),
        ra: right_ascension(object.ra_deg),
        dec: declination(object.dec_deg),
        err: number(Some(object.err_arcsec), 1),
        rate: number(object.rate_arcsec_per_h.map(|rate| rate.0.hypot(rate.1) / 60.0), 3),
        n_bright: object.n_bright,
    };
    missed.take(MISSED_MAX).map(view).collect()
}

/// The known objects that were found, with their candidates.
fn found(report: &NightReport) -> impl Iterator<Item = (&KnownFit, &Candidate)> {
    report.known.iter().filter_map(|object| {
        let fit = object.found.as_ref()?;
        let mut all = report.candidates.iter().chain(&report.faint);
        Some((fit, all.find(|candidate| candidate.id == fit.candidate)?))
    })
}

/// Observed minus predicted places of all detections of known objects: RA times cos(Dec), and Dec.
pub(super) fn offsets_arcsec(report: &NightReport) -> Vec<(f64, f64)> {
    found(report)
        .flat_map(|(fit, _)| fit.offsets_arcsec.iter().flatten().copied())
        .filter(|offset| offset.0.is_finite() && offset.1.is_finite())
        .collect()
}

/// Speeds of the known objects: predicted, observed and its error.
pub(super) fn rates_arcsec_per_h(report: &NightReport) -> Vec<(f64, f64, f64)> {
    found(report)
        .filter_map(|(fit, candidate)| {
            let predicted = fit.predicted_rate_arcsec_per_h?;
            let observed = 60.0 * candidate.rate_arcsec_per_min;
            let err = 60.0 * candidate.rate_err_arcsec_per_min;
            Some((predicted.0.hypot(predicted.1), observed, err))
        })
        .filter(|(predicted, observed, _)| predicted.is_finite() && observed.is_finite())
        .collect()
}

/// Draws where detections of known objects lie about their predicted places [arcsec]: RA times
/// cos(Dec) to the right, Dec upwards, both observed minus predicted. Nothing without detections.
pub fn known_residuals_svg(report: &NightReport) -> Vec<String> {
    let offsets = offsets_arcsec(report);
    let middle =
        |part: fn(&(f64, f64)) -> f64| median(&offsets.iter().map(part).collect::<Vec<_>>());
    let Some(centre) = middle(|o| o.0).zip(middle(|o| o.1)) else { return Vec::new() };
    let reach = offsets.iter().map(|o| o.0.abs().max(o.1.abs())).fold(LEAST_ARCSEC / 2.0, f64::max);
    let (Some(x), Some(y)) = scales((-reach, reach)) else { return Vec::new() };
    let mut svg = begin("Observed minus predicted place [arcsec]", "RA cos Dec", "Dec");
    axes(&mut svg, (&x, &y));
    let (zero_x, zero_y) = (x.place(0.0), y.place(0.0));
    put(
        &mut svg,
        format_args!(
            "<path class=\"zero\" d=\"M{zero_x:.1} {TOP}V{BOTTOM}M{LEFT} {zero_y:.1}H{RIGHT}\" \
         stroke=\"currentColor\" stroke-opacity=\"0.6\"/>"
        ),
    );
    for offset in offsets.iter().step_by(offsets.len().div_ceil(DOTS_MAX).max(1)) {
        dot(&mut svg, (x.place(offset.0), y.place(offset.1)));
    }
    let (at_x, at_y) = (x.place(centre.0), y.place(centre.1));
    put(
        &mut svg,
        format_args!(
            "<path class=\"middle\" d=\"M{:.1} {at_y:.1}h14M{at_x:.1} {:.1}v14\" \
         stroke=\"#c0392b\" stroke-width=\"2\"/><text x=\"{RIGHT}\" y=\"{:.1}\" \
         text-anchor=\"end\">median {:+.2}, \
         {:+.2}; {} detections</text></svg>",
            at_x - 7.0,
            at_y - 7.0,
            TOP + 12.0,
            centre.0,
            centre.1,
            offsets.len()
        ),
    );
    vec![svg]
}

/// Draws observed against predicted speeds [arcsec/h] with the line on which they agree.
pub fn known_rates_svg(report: &NightReport) -> Vec<String> {
    let rates = rates_arcsec_per_h(report);
    let ends = || rates.iter().flat_map(|(predicted, observed, _)| [*predicted, *observed]);
    let range = ends().reduce(f64::min).zip(ends().reduce(f64::max));
    let Some((low, high)) = range else { return Vec::new() };
    let (Some(x), Some(y)) = scales((low, high.max(low + LEAST_ARCSEC_PER_H))) else {
        return Vec::new();
    };
    let mut svg = begin("Speed [arcsec/h]: observed against predicted", "predicted", "observed");
    axes(&mut svg, (&x, &y));
    // Both axes have the same range, so that the line is the diagonal of the area.
    put(
        &mut svg,
        format_args!(
            "<path class=\"same\" d=\"M{LEFT} {BOTTOM}L{RIGHT} {TOP}\" stroke=\"#c0392b\" \
         stroke-dasharray=\"4 3\"/>"
        ),
    );
    for (predicted, observed, err) in rates.iter().take(DOTS_MAX) {
        let place = x.place(*predicted);
        if err.is_finite() {
            let [from, to] =
                [observed - err, observed + err].map(|v| y.place(v).clamp(TOP, BOTTOM));
            put(
                &mut svg,
                format_args!(
                    "<path class=\"bar\" d=\"M{place:.1} {from:.1}V{to:.1}\" stroke=\"#2f6fb5\"/>"
                ),
            );
        }
        dot(&mut svg, (place, y.place(*observed)));
    }
    put(
        &mut svg,
        format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\">{} objects</text></svg>",
            LEFT + 6.0,
            TOP + 12.0,
            rates.len()
        ),
    );
    vec![svg]
}

/// The same range along both axes.
fn scales((low, high): (f64, f64)) -> (Option<Scale>, Option<Scale>) {
    let ends = [low, high];
    (Scale::around(&ends, 0.0, (LEFT, RIGHT)), Scale::around(&ends, 0.0, (BOTTOM, TOP)))
}

/// A chart without content: its title and the names of its axes.
fn begin(title: &str, along: &str, upwards: &str) -> String {
    let (middle_x, middle_y) = (0.5 * (LEFT + RIGHT), 0.5 * (TOP + BOTTOM));
    format!(
        "<svg class=\"chart\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-size=\"11\" fill=\"currentColor\"><text x=\"4\" y=\"13\">{title}</text>\
         <text x=\"{middle_x}\" y=\"{:.1}\" text-anchor=\"middle\">{along}</text>\
         <text transform=\"translate(11 {middle_y}) rotate(-90)\" text-anchor=\"middle\">{upwards}\
         </text>",
        HEIGHT - 5.0
    )
}

fn axes(svg: &mut String, (x, y): (&Scale, &Scale)) {
    let (ticks, decimals) = x.ticks(TICKS_MAX);
    for tick in ticks {
        let (place, text_y) = (x.place(tick), BOTTOM + 15.0);
        put(
            svg,
            format_args!(
                "<path class=\"grid\" d=\"M{place:.1} {TOP}V{BOTTOM}\" stroke=\"currentColor\" \
             stroke-opacity=\"0.18\"/><text x=\"{place:.1}\" y=\"{text_y}\" \
             text-anchor=\"middle\">{tick:.decimals$}</text>"
            ),
        );
    }
    let (ticks, decimals) = y.ticks(TICKS_MAX);
    for tick in ticks {
        let (place, text_x) = (y.place(tick), LEFT - 5.0);
        put(
            svg,
            format_args!(
                "<path class=\"grid\" d=\"M{LEFT} {place:.1}H{RIGHT}\" stroke=\"currentColor\" \
             stroke-opacity=\"0.18\"/><text x=\"{text_x}\" y=\"{:.1}\" \
             text-anchor=\"end\">{tick:.decimals$}</text>",
                place + 4.0
            ),
        );
    }
    put(
        svg,
        format_args!(
            "<path d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}V{TOP}Z\" fill=\"none\" \
         stroke=\"currentColor\" stroke-opacity=\"0.6\"/>"
        ),
    );
}

fn dot(svg: &mut String, (x, y): (f64, f64)) {
    put(
        svg,
        format_args!(
            "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\" fill=\"#2f6fb5\" \
         fill-opacity=\"0.75\"/>"
        ),
    );
}

/// Appends to a text.
fn put(svg: &mut String, arguments: std::fmt::Arguments<'_>) {
    svg.write_fmt(arguments).expect("a String takes any text");
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    /// A known object that a candidate of the fixture is, with one detection more than predicted.
    fn night() -> NightReport {
        let mut report = fixture::report();
        let object = |name: &str, found| KnownObject {
            name: name.to_owned(),
            class: Some("MB>Inner".to_owned()),
            v_mag: Some(18.1),
            err_arcsec: 0.4,
            mid_mjd_utc: 61_100.9,
            ra_deg: 123.4,
            dec_deg: -5.25,
            rate_arcsec_per_h: Some((-24.0, 13.0)),
            n_frames: 5,
            n_bright: 5,
            found,
        };
        let fit = KnownFit {
            candidate: report.candidates[0].id.clone(),
            separation_arcsec: 0.3,
            offset_arcsec: (0.2, -0.1),
            predicted_rate_arcsec_per_h: Some((-24.0, 13.0)),
            rate_arcsec_per_h_difference: Some((0.1, 0.1)),
            chi2: 1.2,
            predicted_deg: vec![Some((123.4, -5.25)); 4],
            offsets_arcsec: vec![Some((0.2, -0.1)), Some((0.3, 0.0)), None, Some((f64::NAN, 0.0))],
        };
        report.known = vec![
            object("22767 <b>", Some(fit)),
            object("Missed \u{202e}One", None),
            KnownObject { n_bright: 2, ..object("Faint", None) },
        ];
        report
    }

    #[test]
    fn charts_have_a_dot_per_detection_and_per_object() {
        let report = night();
        let [residuals, rates] = [known_residuals_svg(&report), known_rates_svg(&report)];
        assert_eq!(residuals[0].matches("<circle ").count(), 2);
        assert_eq!(rates[0].matches("<circle ").count(), 1);
        for svg in residuals.iter().chain(&rates) {
            let opened = svg.matches('<').count() - svg.matches("</").count();
            let closed = svg.matches("/>").count() + svg.matches("</").count();
            assert_eq!(opened, closed, "{svg}");
            assert!(!svg.contains("NaN"), "{svg}");
        }
        // A dot where both rates agree lies on the diagonal: x from the left as y from the bottom.
        let mut same = report.clone();
        let speed = 24.0_f64.hypot(13.0);
        same.candidates[0].rate_arcsec_per_min = speed / 60.0;
        let svg = known_rates_svg(&same).remove(0);
        let number = |key: &str| -> f64 {
            let rest = svg.split(key).nth(1).expect("a dot");
            rest.split('"').next().and_then(|text| text.parse().ok()).expect("a number")
        };
        assert!((number("cx=\"") - LEFT - (BOTTOM - number("cy=\""))).abs() < 0.2);
        assert!(known_residuals_svg(&fixture::report()).is_empty());
        assert!(known_rates_svg(&fixture::report()).is_empty());
    }

    #[test]
    fn missed_objects_are_listed_and_faint_ones_are_not() {
        let report = night();
        let views = missed(&report);
        assert_eq!(views.len(), 1);
        assert!(views[0].name.starts_with("Missed ") && !views[0].name.contains('\u{202e}'));
        let table = known_csv(&report.known);
        let states: Vec<&str> =
            table.lines().skip(1).filter_map(|line| line.split(',').nth(11)).collect();
        assert_eq!(states, ["found", "missed", "faint"]);
    }
}

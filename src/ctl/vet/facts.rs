//! What is written beside the picture: numbers, ratings, detections, opinions.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::dress::Dress;
use super::session::verdict_word;
use crate::ops::vetting::Vetted;
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::report::words;
use crate::science::time::Epoch;
use crate::store::verdicts::Act;

/// Columns that a table with places needs.
const WIDTH_WITH_PLACES: usize = 64;
/// Most lines of reasons on a low screen and on a high one.
const REASONS: (usize, usize) = (3, 10);
/// A screen of so many lines is high.
const HIGH: usize = 32;
/// Most lines of what people said.
const OPINIONS_MAX: usize = 6;

/// A candidate's facts in so many lines of so many columns.
pub(super) fn facts(
    vetted: &Vetted,
    dress: Dress,
    width: usize,
    height: usize,
) -> Vec<Line<'static>> {
    let writer = Writer { dress, width };
    let candidate = &vetted.candidate;
    let mut lines = vec![writer.line(dress.strong(), &identity(vetted))];
    lines.extend(numbers(candidate).iter().map(|text| writer.line(Style::new(), text)));
    let n_reasons = if height >= HIGH { REASONS.1 } else { REASONS.0 };
    lines.extend(
        reasons(vetted, width).iter().take(n_reasons).map(|t| writer.line(dress.faint(), t)),
    );
    let said = said(vetted, &writer);
    let room = height.saturating_sub(lines.len() + said.len() + 1);
    lines.extend(detections(candidate, &writer, room));
    lines.extend(said);
    lines.truncate(height);
    lines
}

/// Makes lines of the right characters and width.
struct Writer {
    dress: Dress,
    width: usize,
}

impl Writer {
    fn line(&self, style: Style, text: &str) -> Line<'static> {
        let text = self.dress.text(&words::printable(text));
        let cut: String = text.chars().take(self.width).collect();
        Line::from(Span::styled(cut, style))
    }
}

/// Who it is, as a heading.
fn identity(vetted: &Vetted) -> String {
    let who = match &vetted.candidate.identity {
        Identity::Known { name, separation_arcsec } => {
            format!("{name}, {separation_arcsec:.1}\" from its prediction")
        }
        Identity::Unknown => "unknown object".to_owned(),
        Identity::Unchecked => "not compared with known objects".to_owned(),
    };
    let faint = if vetted.is_faint { " (at the limit)" } else { "" };
    format!("{}  {who}{faint}", vetted.candidate.id)
}

/// The numbers, a line each.
fn numbers(c: &Candidate) -> Vec<String> {
    let (mag, mag_err) = words::magnitude(c);
    let snr: Vec<f64> = c.detections.iter().map(|d| d.snr).collect();
    let snr = crate::science::image::stats::median(&snr);
    let mut lines = vec![
        format!(
            "motion  {} \"/min",
            words::with_error(Some(c.rate_arcsec_per_min), Some(c.rate_err_arcsec_per_min), 3)
        ),
        format!("PA      {} deg, north through east", words::number(Some(c.pa_deg), 1)),
        format!("mag     {} G", words::with_error(mag, mag_err, 2)),
        format!(
            "seen    {} of {} frames, S/N {}",
            c.detections.len(),
            c.n_expected,
            words::number(snr, 1)
        ),
        format!(
            "fit     rms {}\", chi2 {}",
            words::number(Some(c.rms_arcsec), 2),
            words::number(Some(c.chi2_reduced), 1)
        ),
    ];
    let chance = format!("chance  {:.0e} such in a night", c.false_alarms);
    lines.push(match &c.rating {
        Some(r) => format!("{chance}, p {:.0e}", r.chance_probability),
        None => chance,
    });
    if let Some(rating) = &c.rating {
        let neo = words::number(rating.neo_rating, 0);
        lines.push(format!("rating  real {:.2}, NEO {neo} of 100", rating.real_score));
    }
    lines
}

/// Why it is rated so, wrapped.
fn reasons(vetted: &Vetted, width: usize) -> Vec<String> {
    let reasons = vetted.candidate.rating.iter().flat_map(|r| &r.reasons);
    reasons.flat_map(|reason| wrapped(reason, width, "- ", "  ")).collect()
}

/// A text in lines of so many columns, broken between words.
pub(super) fn wrapped(text: &str, width: usize, first: &str, rest: &str) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), first.to_owned());
    let mut is_bare = true;
    for word in text.split_whitespace() {
        let length = line.chars().count() + usize::from(!is_bare) + word.chars().count();
        if length > width && !is_bare {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            is_bare = true;
        }
        if !is_bare {
            line.push(' ');
        }
        line.push_str(word);
        is_bare = false;
    }
    lines.push(line);
    lines
}

/// The detections as a table of at most `room` lines.
fn detections(c: &Candidate, writer: &Writer, room: usize) -> Vec<Line<'static>> {
    if room < 2 {
        return Vec::new();
    }
    let has_places = writer.width >= WIDTH_WITH_PLACES;
    let places = if has_places { " RA          Dec        " } else { "" };
    let head = format!("UTC     {places}   mag  S/N  E, N off [\"]");
    let mut lines = vec![writer.line(writer.dress.strong(), &head)];
    let n_shown = if c.detections.len() < room { c.detections.len() } else { room - 2 };
    for detection in c.detections.iter().take(n_shown) {
        lines.push(writer.line(Style::new(), &row(detection, has_places)));
    }
    if n_shown < c.detections.len() {
        let text = format!("and {} more", c.detections.len() - n_shown);
        lines.push(writer.line(writer.dress.faint(), &text));
    }
    lines
}

fn row(d: &CandidateDetection, has_places: bool) -> String {
    let places = if has_places {
        format!(" {} {}", words::right_ascension(d.ra_deg), words::declination(d.dec_deg))
    } else {
        String::new()
    };
    format!(
        "{}{places} {:>5} {:>4} {:+6.2} {:+6.2}{}",
        words::clock(Some(d.mid_mjd_utc)),
        words::number(d.mag, 2),
        words::number(Some(d.snr), 0),
        d.residual_arcsec.0,
        d.residual_arcsec.1,
        if d.is_recovered { " recovered" } else { "" }
    )
}

/// What people said: opinions that hold, then notes.
fn said(vetted: &Vetted, writer: &Writer) -> Vec<Line<'static>> {
    let dress = writer.dress;
    let mut lines = Vec::new();
    if vetted.is_disputed() {
        lines.push(writer.line(dress.bad(), "People disagree:"));
    }
    for opinion in &vetted.opinions {
        let word = verdict_word(opinion.verdict);
        let text = format!("{word}: {}, {} {}", opinion.who, minute(opinion.at), opinion.note);
        lines.push(writer.line(dress.good(), &text));
    }
    let notes = vetted.history.iter().rev().filter(|row| row.act == Act::Note);
    for note in notes {
        lines.push(writer.line(Style::new(), &format!("{}: {}", note.who, note.note)));
    }
    lines.truncate(OPINIONS_MAX);
    lines
}

/// An instant to the minute.
pub(super) fn minute(at: Epoch) -> String {
    let iso = at.to_iso();
    iso.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_wrapped_between_words() {
        assert_eq!(wrapped("aa bb cc", 7, "- ", "  "), ["- aa bb", "  cc"]);
        assert_eq!(wrapped("", 7, "- ", "  "), ["- "]);
        assert_eq!(wrapped("abcdefghij k", 5, "- ", "  "), ["- abcdefghij", "  k"]);
    }

    #[test]
    fn an_instant_to_the_minute() {
        // MJD 60369 is 2024-02-29, and 731 days later is 2026-03-01.
        assert_eq!(minute(Epoch::from_mjd_utc(61_100.5)), "2026-03-01 12:00");
    }
}

//! The layout of the screen: title, picture, facts, message, keys.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::dress::Dress;
use super::facts::{facts, wrapped};
use super::keys::KEYS;
use super::note::Note;
use super::picture::Easel;
use super::player::Player;
use super::sequence::{Look, Sequence};
use super::session::Session;
use crate::pipeline::artifact::cutouts::Centring;
use crate::report::words::{clock, printable};
use crate::store::NightId;

/// Smallest screen that shows a candidate (columns, rows).
const SMALLEST: (u16, u16) = (60, 16);
/// Columns that the facts get at least.
const FACTS_WIDTH_MIN: u16 = 38;

/// What is to be shown.
pub(super) struct View<'a> {
    /// Name of the night.
    pub(super) night: &'a NightId,
    /// The queue and the person.
    pub(super) session: &'a Session,
    /// Which frame and how.
    pub(super) player: &'a Player,
    /// The pictures; `None` when there are none.
    pub(super) sequence: Option<&'a Sequence>,
    /// Draws them.
    pub(super) easel: &'a mut Easel,
    /// The note that is being written.
    pub(super) note: Option<&'a Note>,
    /// Whether the keys are explained.
    pub(super) has_help: bool,
    /// Colours and characters.
    pub(super) dress: Dress,
}

/// Whether a candidate can be seen, and so judged, on a screen of this size.
pub(super) fn is_large_enough(columns: u16, rows: u16) -> bool {
    columns >= SMALLEST.0 && rows >= SMALLEST.1
}

/// Draws the screen.
pub(super) fn draw(frame: &mut Frame<'_>, mut view: View<'_>) {
    let area = frame.area();
    if !is_large_enough(area.width, area.height) {
        let text = format!("Needs {} x {} characters.", SMALLEST.0, SMALLEST.1);
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ]);
    let [top, body, told, keys] = rows.areas(area);
    frame.render_widget(title(&view, top.width), top);
    if view.has_help {
        frame.render_widget(help(view.dress), body);
    } else if view.session.current().is_some() {
        candidate(frame, &mut view, body);
    } else {
        frame.render_widget(finished(&view, body.width), body);
    }
    message(frame, &view, told);
    let words = if view.dress.is_ascii {
        "<- artefact  -> asteroid  up unknown  u undo  s skip  n note  ? keys  q quit"
    } else {
        "← artefact  → asteroid  ↑ unknown  u undo  s skip  n note  ? keys  q quit"
    };
    frame.render_widget(Line::styled(words, view.dress.faint()), keys);
}

/// The bar at the top: where, how far, who.
fn title(view: &View<'_>, width: u16) -> Line<'static> {
    let (n, n_judged) = view.session.counts();
    let place =
        view.session.place().map(|place| format!("candidate {place}, ")).unwrap_or_default();
    let open = n - n_judged;
    let left = format!(" {}: {place}{n_judged} of {n} judged, {open} open", view.night);
    let who = format!("{} ", view.session.who());
    let (left, who) = (view.dress.text(&printable(&left)), view.dress.text(&printable(&who)));
    let room = usize::from(width).saturating_sub(left.chars().count());
    Line::from(Span::styled(format!("{left}{who:>room$}"), view.dress.bar()))
}

/// Picture and facts side by side.
fn candidate(frame: &mut Frame<'_>, view: &mut View<'_>, body: Rect) {
    let Some(vetted) = view.session.current() else {
        return;
    };
    // A line below the picture says what it shows.
    let room = Rect {
        width: body.width.saturating_sub(FACTS_WIDTH_MIN + 1),
        height: body.height.saturating_sub(1),
        ..body
    };
    let size = view.easel.size(room);
    let width = size.width.max(body.width.min(40).min(room.width));
    let columns = Layout::horizontal([Constraint::Length(width + 1), Constraint::Fill(1)]);
    let [left, right] = columns.areas(body);
    match view.sequence {
        Some(sequence) => {
            let place = Rect { width: size.width, height: size.height, ..left };
            let (is_inverse, has_marks) = (view.player.is_inverse, view.player.has_marks);
            let look = Look { is_inverse, has_marks };
            let index = view.player.index.min(sequence.len().saturating_sub(1));
            view.easel.draw((sequence, index), look, place, frame.buffer_mut());
            let below = Rect { y: left.y + size.height, height: 1, ..left };
            let caption = caption(view, sequence, index, usize::from(width));
            frame.render_widget(caption, below);
        }
        None => {
            let text = "This candidate has no cut-outs: the night is an old one, its products were \
                        pruned, or its frames are gone.";
            let lines = wrapped(text, usize::from(width), "", "");
            let lines: Vec<Line<'_>> = lines.into_iter().map(Line::from).collect();
            frame.render_widget(Paragraph::new(lines).style(view.dress.faint()), left);
        }
    }
    let (width, height) = (usize::from(right.width), usize::from(right.height));
    frame.render_widget(Paragraph::new(facts(vetted, view.dress, width, height)), right);
}

/// What the picture shows, as far as the width goes.
fn caption(view: &View<'_>, sequence: &Sequence, index: usize, width: usize) -> Line<'static> {
    let Some((name, mid_mjd_utc, is_detected)) = sequence.frame(index) else {
        return Line::default();
    };
    let player = view.player;
    let seen = if is_detected { "seen" } else { "NOT seen" };
    let mut words = format!("{}/{} {} {seen}", index + 1, sequence.len(), clock(Some(mid_mjd_utc)));
    let speed = match player.is_paused {
        true => "stopped".to_owned(),
        false => format!("{}/s", player.speed_per_s()),
    };
    let centre = match player.centre {
        Centring::OnObject => "object",
        Centring::OnSky => "sky",
    };
    let sky = match (player.is_subtracted, sequence.is_subtracted) {
        (false, _) => "",
        (true, true) => " minus sky",
        (true, false) => " (no sky known)",
    };
    for more in [format!(" {speed}"), format!(" {centre}{sky}"), format!(" {}", printable(name))] {
        if words.chars().count() + more.chars().count() <= width {
            words.push_str(&more);
        }
    }
    Line::styled(view.dress.text(&words), view.dress.faint())
}

/// The screen after the last candidate.
fn finished(view: &View<'_>, width: u16) -> Paragraph<'static> {
    let (n, _) = view.session.counts();
    let head = match n {
        0 => "This night has no candidates.".to_owned(),
        n => format!("All {n} candidates of night {} are judged.", view.night),
    };
    let hint = "u takes your last verdict back, p goes back through the candidates, q ends.";
    let mut lines = vec![Line::default()];
    for (text, style) in [(head.as_str(), view.dress.strong()), (hint, Style::new())] {
        let text = view.dress.text(&printable(text));
        let wrapped = wrapped(&text, usize::from(width), "", "");
        lines.extend(wrapped.into_iter().map(|line| Line::styled(line, style)));
        lines.push(Line::default());
    }
    Paragraph::new(lines)
}

/// All keys.
fn help(dress: Dress) -> Paragraph<'static> {
    let row = |(keys, what): &(&str, &str)| {
        let keys = Span::styled(format!("  {keys:<14}"), dress.strong());
        Line::from(vec![keys, Span::raw((*what).to_owned())])
    };
    Paragraph::new(KEYS.iter().map(row).collect::<Vec<_>>())
}

/// What was done last, or the note that is being written.
fn message(frame: &mut Frame<'_>, view: &View<'_>, area: Rect) {
    const PROMPT: &str = "note (enter keeps, esc leaves): ";
    if let Some(note) = view.note {
        let width = usize::from(area.width).saturating_sub(PROMPT.len());
        let (text, column) = note.shown(width);
        let text = view.dress.text(&text);
        frame.render_widget(Line::from(format!("{PROMPT}{text}")), area);
        let column = u16::try_from(PROMPT.len() + column).unwrap_or(area.width);
        frame.set_cursor_position((area.x + column.min(area.width - 1), area.y));
        return;
    }
    let style = match (view.session.is_refused(), view.session.is_waiting()) {
        (true, _) => view.dress.bad(),
        (false, true) => view.dress.faint(),
        (false, false) => view.dress.good(),
    };
    let text = view.dress.text(&printable(&view.session.message));
    frame.render_widget(Line::styled(text, style), area);
}

#[cfg(test)]
mod tests;

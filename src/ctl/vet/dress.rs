//! What the terminal can show: colours and characters, from the words it is described by.

use ratatui::style::{Color, Modifier, Style};

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// None: the terminal has none, or none are wanted (`NO_COLOR`).
    None,
    /// The first sixteen.
    Sixteen,
    /// The table of 256.
    Table,
    /// Any.
    True,
}

/// Colours and characters to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dress {
    /// Colours.
    pub(super) depth: Depth,
    /// Nothing but ASCII.
    pub(super) is_ascii: bool,
}

impl Dress {
    /// Chooses by the variables of the environment.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).unwrap_or_default().to_lowercase();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(text);
        let locale = locale.iter().find(|value| !value.is_empty());
        let is_unicode = locale.is_some_and(|l| l.contains("utf-8") || l.contains("utf8"));
        let (term, colours) = (text("TERM"), text("COLORTERM"));
        let has_all = ["kitty", "ghostty", "foot", "wezterm", "alacritty", "direct"];
        let is_bare = ["dumb", "vt1", "vt2", "xterm-mono"].iter().any(|t| term.starts_with(t));
        let depth = match () {
            () if !text("NO_COLOR").is_empty() || term.is_empty() || is_bare => Depth::None,
            () if colours == "truecolor" || colours == "24bit" => Depth::True,
            () if has_all.iter().any(|name| term.contains(name)) => Depth::True,
            () if term.contains("256") => Depth::Table,
            () => Depth::Sixteen,
        };
        Self { depth, is_ascii: !is_unicode }
    }

    /// Neither colours nor other characters than ASCII.
    pub(super) const PLAIN: Self = Self { depth: Depth::None, is_ascii: true };

    /// A text in characters that can be shown.
    pub(super) fn text(self, text: &str) -> String {
        if !self.is_ascii || text.is_ascii() {
            return text.to_owned();
        }
        let mut shown = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\u{2013}' | '\u{2212}' => shown.push('-'),
                '±' => shown.push_str("+-"),
                c if c.is_ascii() => shown.push(c),
                _ => shown.push('?'),
            }
        }
        shown
    }

    /// A text that stands out.
    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// A text in the background.
    pub(super) fn faint(self) -> Style {
        self.coloured(Color::DarkGray)
    }

    /// A text of good news.
    pub(super) fn good(self) -> Style {
        self.coloured(Color::Green)
    }

    /// A text that needs a look.
    pub(super) fn bad(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    fn coloured(self, colour: Color) -> Style {
        if self.depth == Depth::None { Style::new() } else { Style::new().fg(colour) }
    }

    /// A bar over the width of the screen.
    pub(super) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A grey of 0 (black) to 255 (white).
    pub(super) fn grey(self, grey: u8) -> Color {
        match self.depth {
            Depth::True => Color::Rgb(grey, grey, grey),
            // The table has the greys 8, 18 .. 238 at 232 .. 255; black is 16 and white 231.
            Depth::Table => match grey {
                0..=3 => Color::Indexed(16),
                247..=255 => Color::Indexed(231),
                grey => Color::Indexed(232 + ((i16::from(grey) - 3) / 10).clamp(0, 23) as u8),
            },
            Depth::Sixteen | Depth::None => match grey {
                0..=63 => Color::Black,
                64..=149 => Color::DarkGray,
                150..=220 => Color::Gray,
                221..=255 => Color::White,
            },
        }
    }

    /// The colour of a mark: of a detected object, or of one that should be there.
    pub(super) fn mark(self, is_detected: bool) -> Color {
        match (self.depth, is_detected) {
            (Depth::True, true) => Color::Rgb(255, 176, 0),
            (Depth::True, false) => Color::Rgb(230, 70, 70),
            (Depth::Table, true) => Color::Indexed(214),
            (Depth::Table, false) => Color::Indexed(167),
            (_, true) => Color::Yellow,
            (_, false) => Color::LightRed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dress(variables: &[(&str, &str)]) -> Dress {
        Dress::of(|name| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_terminals_words_are_understood() {
        let of = |term, more: &[(&str, &str)]| {
            let mut all = vec![("TERM", term), ("LANG", "en_GB.UTF-8")];
            all.extend(more);
            dress(&all)
        };
        assert_eq!(of("xterm-256color", &[]).depth, Depth::Table);
        assert_eq!(of("tmux-256color", &[("COLORTERM", "truecolor")]).depth, Depth::True);
        assert_eq!(of("xterm-kitty", &[]).depth, Depth::True);
        assert_eq!(of("linux", &[]).depth, Depth::Sixteen);
        assert_eq!(of("xterm-256color", &[("NO_COLOR", "1")]).depth, Depth::None);
        assert_eq!(of("vt100", &[]).depth, Depth::None);
        assert!(!of("xterm", &[]).is_ascii);
        assert!(of("xterm", &[("LC_ALL", "C")]).is_ascii);
        assert_eq!(dress(&[]), Dress::PLAIN);
    }

    #[test]
    fn greys_of_the_table_are_the_nearest() {
        let table = Dress { depth: Depth::Table, is_ascii: false };
        // Table entry 232 + i is the grey 8 + 10 i.
        for (grey, entry) in [(0, 16), (8, 232), (13, 233), (128, 244), (238, 255), (255, 231)] {
            assert_eq!(table.grey(grey), Color::Indexed(entry), "{grey}");
        }
        for grey in 4..247_u8 {
            let Color::Indexed(entry) = table.grey(grey) else { panic!("an entry") };
            let shown = 8 + 10 * (i32::from(entry) - 232);
            assert!((shown - i32::from(grey)).abs() <= 8, "{grey}: {shown}");
        }
    }

    #[test]
    fn plain_texts_are_ascii() {
        assert_eq!(Dress::PLAIN.text("19.2 ± 0.1, –, März"), "19.2 +- 0.1, -, M?rz");
    }
}

//! A line to write a note in.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Longest note [characters]; more than `ops::vetting` takes would be refused there.
const LENGTH_MAX: usize = 2000;

/// The line and the place of the cursor.
#[derive(Debug, Default)]
pub(super) struct Note {
    text: Vec<char>,
    place: usize,
}

/// What a key did to the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Edited {
    /// It goes on.
    On,
    /// The text is to be kept.
    Done(String),
    /// Nothing is to be kept.
    Left,
}

impl Note {
    /// Handles a key.
    pub(super) fn key(&mut self, key: &KeyEvent) -> Edited {
        let has = |modifier| key.modifiers.contains(modifier);
        match key.code {
            KeyCode::Char('c' | 'g') if has(KeyModifiers::CONTROL) => return Edited::Left,
            KeyCode::Esc => return Edited::Left,
            KeyCode::Enter => {
                let text: String = self.text.iter().collect();
                let text = text.trim();
                return if text.is_empty() { Edited::Left } else { Edited::Done(text.to_owned()) };
            }
            KeyCode::Char('u') if has(KeyModifiers::CONTROL) => {
                self.text.drain(..self.place);
                self.place = 0;
            }
            KeyCode::Char('w') if has(KeyModifiers::CONTROL) => self.cut_word(),
            KeyCode::Char('a') if has(KeyModifiers::CONTROL) => self.place = 0,
            KeyCode::Char('e') if has(KeyModifiers::CONTROL) => self.place = self.text.len(),
            KeyCode::Char(c) if !has(KeyModifiers::CONTROL) && !has(KeyModifiers::ALT) => {
                self.insert(c);
            }
            KeyCode::Backspace if self.place > 0 => {
                self.place -= 1;
                self.text.remove(self.place);
            }
            KeyCode::Delete if self.place < self.text.len() => {
                self.text.remove(self.place);
            }
            KeyCode::Left => self.place = self.place.saturating_sub(1),
            KeyCode::Right => self.place = (self.place + 1).min(self.text.len()),
            KeyCode::Home => self.place = 0,
            KeyCode::End => self.place = self.text.len(),
            _ => {}
        }
        Edited::On
    }

    /// Puts pasted text in, as one line.
    pub(super) fn paste(&mut self, text: &str) {
        for c in text.chars() {
            self.insert(if c.is_whitespace() { ' ' } else { c });
        }
    }

    fn insert(&mut self, c: char) {
        if self.text.len() < LENGTH_MAX && !c.is_control() {
            self.text.insert(self.place, c);
            self.place += 1;
        }
    }

    /// Takes away the word before the cursor.
    fn cut_word(&mut self) {
        let before = &self.text[..self.place];
        let n_blanks = before.iter().rev().take_while(|c| c.is_whitespace()).count();
        let letters = before.iter().rev().skip(n_blanks);
        let n_letters = letters.take_while(|c| !c.is_whitespace()).count();
        let start = self.place - n_blanks - n_letters;
        self.text.drain(start..self.place);
        self.place = start;
    }

    /// The part that fits into so many columns, and the cursor's column in it.
    pub(super) fn shown(&self, width: usize) -> (String, usize) {
        let start = (self.place + 1).saturating_sub(width);
        (self.text.iter().skip(start).take(width).collect(), self.place - start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(note: &mut Note, codes: &[KeyCode]) -> Edited {
        let keys = codes.iter().map(|&code| KeyEvent::new(code, KeyModifiers::NONE));
        keys.map(|key| note.key(&key)).last().expect("a key")
    }

    fn write(note: &mut Note, text: &str) {
        for c in text.chars() {
            assert_eq!(press(note, &[KeyCode::Char(c)]), Edited::On);
        }
    }

    #[test]
    fn a_note_is_written_and_mended() {
        let mut note = Note::default();
        write(&mut note, "durk star");
        press(&mut note, &[KeyCode::Home, KeyCode::Right, KeyCode::Delete, KeyCode::Char('a')]);
        press(&mut note, &[KeyCode::End, KeyCode::Backspace]);
        note.key(&KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL));
        note.paste("tr\u{1b}ail\nend ");
        assert_eq!(press(&mut note, &[KeyCode::Enter]), Edited::Done("dark trail end".to_owned()));
    }

    #[test]
    fn an_empty_note_and_a_left_one_are_none() {
        let mut note = Note::default();
        write(&mut note, "  ");
        assert_eq!(press(&mut note, &[KeyCode::Enter]), Edited::Left);
        write(&mut note, "q");
        assert_eq!(press(&mut note, &[KeyCode::Esc]), Edited::Left);
    }

    #[test]
    fn a_long_note_is_cut_and_its_end_is_shown() {
        let mut note = Note::default();
        note.paste(&"x".repeat(LENGTH_MAX + 50));
        write(&mut note, "y");
        let (text, column) = note.shown(10);
        assert_eq!((text.as_str(), column), ("x".repeat(9).as_str(), 9));
        assert_eq!(
            press(&mut note, &[KeyCode::Enter]),
            Edited::Done("x".repeat(LENGTH_MAX)),
            "the text at the limit"
        );
        press(&mut note, &[KeyCode::Home]);
        assert_eq!(note.shown(4), ("xxxx".to_owned(), 0));
    }
}

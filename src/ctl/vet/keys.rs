//! Keys: what they mean, and which of them are not meant.
//!
//! A verdict must never come from anything but a pressed key: answers of the terminal that come
//! late look like typing, a key that is held repeats itself. Pasted text never gets here.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::player::Control;
use crate::store::verdicts::Verdict;

/// The same key again before this is held down, not pressed.
const HELD_TIME: Duration = Duration::from_millis(90);
/// How long an answer of the terminal may take to arrive in pieces.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Give a verdict.
    Judge(Verdict),
    /// Take the last verdict back.
    Undo,
    /// Go on without a verdict.
    Skip,
    /// Go back.
    Previous,
    /// Write a note.
    Note,
    /// Show the keys, or hide them.
    Help,
    /// End.
    Quit,
    /// Change how the picture is shown.
    Picture(Control),
}

/// Keys and what they do, as the help shows them.
pub(super) const KEYS: [(&str, &str); 16] = [
    ("left, d", "artefact: not an object"),
    ("right, a", "asteroid: a moving object"),
    ("up", "unknown: cannot be told"),
    ("u", "undo: take your last verdict back"),
    ("s", "skip: go on without a verdict"),
    ("p, backspace", "previous candidate"),
    ("n", "write a note"),
    ("space", "stop and go on blinking"),
    (", and .", "frame before, frame after"),
    ("+ and -", "blink faster, slower"),
    ("v", "object stands still, or the sky does"),
    ("b", "static sky taken off, or not"),
    ("i", "inverse: dark on bright"),
    ("m", "marks on the object, or none"),
    ("?", "these keys"),
    ("q", "quit; what was judged is kept"),
];

/// The command of a key; `None` when it has none.
pub(super) fn command(key: &KeyEvent) -> Option<Command> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Command::Quit);
    }
    if key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::META | KeyModifiers::SUPER) {
        return None;
    }
    let command = match key.code {
        KeyCode::Left | KeyCode::Char('d' | 'D') => Command::Judge(Verdict::False),
        KeyCode::Right | KeyCode::Char('a' | 'A') => Command::Judge(Verdict::Real),
        KeyCode::Up => Command::Judge(Verdict::Unsure),
        KeyCode::Char('u' | 'U') => Command::Undo,
        KeyCode::Char('s' | 'S') => Command::Skip,
        KeyCode::Char('p' | 'P') | KeyCode::Backspace => Command::Previous,
        KeyCode::Char('n' | 'N') => Command::Note,
        KeyCode::Char('?') | KeyCode::F(1) => Command::Help,
        KeyCode::Char('q' | 'Q') => Command::Quit,
        KeyCode::Char(' ') => Command::Picture(Control::Pause),
        KeyCode::Char('.' | '>') => Command::Picture(Control::Forward),
        KeyCode::Char(',' | '<') => Command::Picture(Control::Back),
        KeyCode::Char('+' | '=') => Command::Picture(Control::Faster),
        KeyCode::Char('-' | '_') => Command::Picture(Control::Slower),
        KeyCode::Char('v' | 'V') => Command::Picture(Control::Centre),
        KeyCode::Char('b' | 'B') => Command::Picture(Control::Subtract),
        KeyCode::Char('i' | 'I') => Command::Picture(Control::Inverse),
        KeyCode::Char('m' | 'M') => Command::Picture(Control::Marks),
        _ => return None,
    };
    Some(command)
}

/// Tells pressed keys from what only looks like them.
#[derive(Debug, Default)]
pub(super) struct Typed {
    last: Option<(KeyCode, Instant)>,
    answer_since: Option<Instant>,
}

impl Typed {
    /// Whether a person pressed this key, just now and once.
    pub(super) fn is_pressed(&mut self, key: &KeyEvent, at: Instant) -> bool {
        if key.kind == KeyEventKind::Release || self.is_of_answer(key, at) {
            return false;
        }
        let before = self.last.replace((key.code, at));
        let is_same = |(code, then): (KeyCode, Instant)| {
            code == key.code && at.saturating_duration_since(then) < HELD_TIME
        };
        key.kind != KeyEventKind::Repeat && !before.is_some_and(is_same)
    }

    /// Whether the key belongs to a kitty answer (`ESC _ G ... ESC \`), which is read as Alt-_,
    /// letters, Alt-\.
    fn is_of_answer(&mut self, key: &KeyEvent, at: Instant) -> bool {
        let is_alt = key.modifiers.contains(KeyModifiers::ALT);
        if let Some(since) = self.answer_since {
            if is_alt && key.code == KeyCode::Char('\\') {
                self.answer_since = None;
                return true;
            }
            if at.saturating_duration_since(since) < ANSWER_TIME {
                return true;
            }
            self.answer_since = None;
        }
        let is_begin = is_alt && key.code == KeyCode::Char('_');
        if is_begin {
            self.answer_since = Some(at);
        }
        is_begin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn the_seeds_keys_give_the_seeds_verdicts_and_others_none() {
        for (code, verdict) in [
            (KeyCode::Left, Verdict::False),
            (KeyCode::Char('d'), Verdict::False),
            (KeyCode::Right, Verdict::Real),
            (KeyCode::Char('a'), Verdict::Real),
            (KeyCode::Up, Verdict::Unsure),
        ] {
            assert_eq!(command(&plain(code)), Some(Command::Judge(verdict)), "{code:?}");
            let with = |modifiers| command(&KeyEvent::new(code, modifiers));
            assert_eq!(with(KeyModifiers::ALT), None, "Alt-{code:?} is no verdict");
            assert_eq!(with(KeyModifiers::CONTROL), None, "Ctrl-{code:?} is no verdict");
        }
        assert_eq!(command(&plain(KeyCode::Char('u'))), Some(Command::Undo));
        assert_eq!(command(&plain(KeyCode::Backspace)), Some(Command::Previous));
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(command(&interrupt), Some(Command::Quit));
        for code in [KeyCode::Down, KeyCode::Enter, KeyCode::Esc, KeyCode::Char('x')] {
            assert_eq!(command(&plain(code)), None, "{code:?}");
        }
    }

    #[test]
    fn each_key_of_the_help_does_something() {
        let code = |name: &str| match name {
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "up" => KeyCode::Up,
            "space" => KeyCode::Char(' '),
            "backspace" => KeyCode::Backspace,
            name => KeyCode::Char(name.chars().next().expect("a key")),
        };
        for (keys, _) in KEYS {
            let names = keys.replace(" and ", " ");
            for name in names.split(' ') {
                let name = if name.len() > 1 { name.trim_end_matches(',') } else { name };
                assert!(command(&plain(code(name))).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn a_held_key_is_one_key() {
        let (start, mut typed) = (Instant::now(), Typed::default());
        let mut press =
            |code, ms| typed.is_pressed(&plain(code), start + Duration::from_millis(ms));
        assert!(press(KeyCode::Left, 0));
        assert!(
            !press(KeyCode::Left, 33) && !press(KeyCode::Left, 66) && !press(KeyCode::Left, 99)
        );
        assert!(press(KeyCode::Right, 120), "another key is another will");
        assert!(press(KeyCode::Left, 150) && press(KeyCode::Left, 400));
    }

    #[test]
    fn a_late_answer_of_the_terminal_is_no_typing() {
        let (start, mut typed) = (Instant::now(), Typed::default());
        let alt = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT);
        let mut answer = vec![alt('_')];
        answer.extend("Gi=31;ENOENT:d a u".chars().map(|c| plain(KeyCode::Char(c))));
        answer.push(alt('\\'));
        for key in &answer {
            assert!(!typed.is_pressed(key, start), "{key:?}");
        }
        assert!(typed.is_pressed(&plain(KeyCode::Char('d')), start));
        // One that never ends does not block the keys for ever.
        assert!(!typed.is_pressed(&alt('_'), start));
        assert!(typed.is_pressed(&plain(KeyCode::Right), start + Duration::from_secs(2)));
    }
}

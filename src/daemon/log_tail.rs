//! The last messages of the service, kept for `autossosctl log`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Messages that are kept.
const LINES_MAX: usize = 500;
/// Longest message that is kept [characters]; of a longer one, its beginning.
const LINE_LENGTH_MAX: usize = 2000;

/// The last messages; clones see the same.
#[derive(Debug, Clone, Default)]
pub struct LogTail(Arc<Mutex<VecDeque<String>>>);

impl LogTail {
    /// Adds a message; a line break in it becomes a blank, so that a message stays one line.
    pub fn push(&self, line: &str) {
        let is_break = |c: char| c == '\n' || c == '\r';
        let line: String = line
            .trim_end()
            .chars()
            .take(LINE_LENGTH_MAX)
            .map(|c| if is_break(c) { ' ' } else { c })
            .collect();
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The last `n` messages, oldest first.
    pub fn lines(&self, n: usize) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().skip(lines.len().saturating_sub(n)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_messages_stay() {
        let tail = LogTail::default();
        assert!(tail.lines(10).is_empty());
        for number in 0..=LINES_MAX {
            tail.clone().push(&format!("{number}\n"));
        }
        let all = tail.lines(usize::MAX);
        assert_eq!(all.len(), LINES_MAX);
        assert_eq!((all[0].as_str(), all[LINES_MAX - 1].as_str()), ("1", "500"));
        assert_eq!(tail.lines(2), ["499", "500"]);
        tail.push(&"é\n".repeat(LINE_LENGTH_MAX));
        let long = &tail.lines(1)[0];
        assert_eq!((long.chars().count(), long.contains('\n')), (LINE_LENGTH_MAX, false));
    }
}

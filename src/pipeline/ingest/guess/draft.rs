//! The text of a profile while it is written: keys, reasons, and places left to its owner.

/// Longest line [characters].
const WIDTH: usize = 98;

/// A profile in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    text: String,
    n_doubts: usize,
}

impl Draft {
    /// The text and the number of places that were guessed or left open.
    pub(super) fn finish(self) -> (String, usize) {
        (self.text, self.n_doubts)
    }

    /// Begins a table.
    pub(super) fn table(&mut self, name: &str) {
        self.text.push_str(&format!("\n{name}\n"));
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Says what was seen, or why a key is as it is.
    pub(super) fn why(&mut self, text: &str) {
        self.wrapped("# ", text);
    }

    /// Says what was guessed or could not be found, and what the owner should do.
    pub(super) fn doubt(&mut self, text: &str) {
        self.n_doubts += 1;
        self.wrapped("# ? ", text);
    }

    /// A key with its value, which is TOML already.
    pub(super) fn key(&mut self, key: &str, value: &str) {
        self.text.push_str(&format!("{key} = {value}\n"));
    }

    /// A key with a list of texts; nothing for an empty list.
    pub(super) fn list(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.key(key, &array(texts));
        }
    }

    fn wrapped(&mut self, mark: &str, text: &str) {
        let mut line = mark.to_owned();
        let mut length = mark.chars().count();
        for word in text.split_whitespace() {
            let word_length = word.chars().count();
            if length + word_length > WIDTH && length > mark.len() {
                self.text.push_str(line.trim_end());
                self.text.push('\n');
                line = "#   ".to_owned();
                length = line.len();
            }
            line.push_str(word);
            line.push(' ');
            length += word_length + 1;
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// A TOML array of texts.
pub(super) fn array(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}

/// A TOML array of pairs of texts.
pub(super) fn pairs(pairs: &[(String, String)]) -> String {
    let each: Vec<String> =
        pairs.iter().map(|(a, b)| format!("[{}, {}]", quoted(a), quoted(b))).collect();
    format!("[{}]", each.join(", "))
}

/// A TOML string; other than printable characters become `?`, which as a pattern fits them.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if (' '..='~').contains(&c) => quoted.push(c),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_doubts_are_counted() {
        let mut draft = Draft::default();
        draft.doubt(&"word ".repeat(60));
        draft.list("a", &["x\"\\y".to_owned()]);
        draft.list("b", &[]);
        let (text, n_doubts) = draft.finish();
        assert_eq!(n_doubts, 1);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.starts_with("# ? word word") && text.contains("\n#   word"), "{text}");
        assert!(text.ends_with("a = [\"x\\\"\\\\y\"]\n"), "{text}");
    }
}

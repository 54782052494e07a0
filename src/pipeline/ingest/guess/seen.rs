//! The headers side by side: which keywords have values, which values, in how many files.

use super::super::lookup::Reader;
use crate::formats::fits::Header;

/// Values of a keyword that are told one by one.
const VALUES_TOLD: usize = 4;
/// Longest value that is told whole [characters].
const VALUE_LENGTH_MAX: usize = 40;

/// A file's header as it was read.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Name of the file, for remarks.
    pub name: String,
    /// Its header.
    pub header: Header,
    /// Columns of the frame [px].
    pub nx: usize,
    /// Rows of the frame [px].
    pub ny: usize,
}

/// The headers that a guess is made from, at least one.
pub(super) struct Seen<'a> {
    pub(super) samples: &'a [Sample],
}

impl Seen<'_> {
    /// Number of files.
    pub(super) fn n(&self) -> usize {
        self.samples.len()
    }

    /// What each file's header says under a keyword; `None` where nothing.
    pub(super) fn texts(&self, keyword: &str) -> Vec<Option<String>> {
        let reader = |sample: &Sample| Reader::new(&sample.header).text(keyword);
        self.samples.iter().map(reader).collect()
    }

    /// The numbers under a keyword, of the files that have one.
    pub(super) fn numbers(&self, keyword: &str) -> Vec<f64> {
        let reader = |sample: &Sample| Reader::new(&sample.header).number(keyword);
        self.samples.iter().filter_map(reader).collect()
    }

    /// Distinct values with their numbers of files, the most frequent first.
    pub(super) fn distinct(&self, keyword: &str) -> Vec<(String, usize)> {
        let mut values: Vec<(String, usize)> = Vec::new();
        for text in self.texts(keyword).into_iter().flatten() {
            match values.iter_mut().find(|(value, _)| *value == text) {
                Some((_, n)) => *n += 1,
                None => values.push((text, 1)),
            }
        }
        values.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        values
    }

    /// The value that all files have in common.
    pub(super) fn constant(&self, keyword: &str) -> Option<String> {
        match &self.distinct(keyword)[..] {
            [(value, n)] if *n == self.n() => Some(value.clone()),
            _ => None,
        }
    }

    /// Those of the keywords that have a value which `is_fit`, in their order.
    pub(super) fn present<'k>(
        &self,
        keywords: impl IntoIterator<Item = &'k str>,
        is_fit: &dyn Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for keyword in keywords {
            let has_value = self.texts(keyword).iter().flatten().any(|text| is_fit(text));
            if has_value && !found.iter().any(|known| known == keyword) {
                found.push(keyword.to_owned());
            }
        }
        found
    }

    /// The comment beside a keyword's value, in small letters.
    pub(super) fn comment(&self, keyword: &str) -> String {
        self.written_comment(keyword).to_lowercase()
    }

    /// The same as it is written.
    fn written_comment(&self, keyword: &str) -> &str {
        let cards = self.samples.iter().flat_map(|sample| sample.header.cards());
        let mut comments = cards.filter(|card| card.key == keyword).map(|card| &card.comment);
        comments.find(|text| !text.is_empty()).map_or("", |text| text.as_str())
    }

    /// Keywords whose comment has one of the phrases, in the order of the headers.
    pub(super) fn commented(&self, phrases: &[&str]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for card in self.samples.iter().flat_map(|sample| sample.header.cards()) {
            let comment = card.comment.to_lowercase();
            let is_it = !card.is_remark() && phrases.iter().any(|words| comment.contains(words));
            if is_it && !found.contains(&card.key) {
                found.push(card.key.clone());
            }
        }
        found
    }

    /// What the files say under a keyword, as a line for the reader of the profile.
    pub(super) fn told(&self, keyword: &str) -> String {
        let values = self.distinct(keyword);
        let short = |text: &str| {
            let cut: String = text.chars().take(VALUE_LENGTH_MAX).collect();
            if cut.len() < text.len() { format!("'{cut}...'") } else { format!("'{cut}'") }
        };
        let mut told: Vec<String> = values
            .iter()
            .take(VALUES_TOLD)
            .map(|(value, n)| format!("{} ({n})", short(value)))
            .collect();
        if values.len() > VALUES_TOLD {
            told.push(format!("{} other values", values.len() - VALUES_TOLD));
        }
        if let [(value, n)] = &values[..]
            && *n == self.n()
        {
            told = vec![format!("{} in all files", short(value))];
        }
        let comment = self.written_comment(keyword);
        let printable = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
        let beside: String = if comment.is_empty() { "" } else { " / " }
            .chars()
            .chain(comment.chars().map(printable))
            .collect();
        format!("{keyword}: {}{beside}", told.join(", "))
    }
}

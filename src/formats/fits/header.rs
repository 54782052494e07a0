//! Headers as values: cards in order, looked up by keyword.
//!
//! Keywords are upper case. Of duplicate keywords the first counts, as in cfitsio (the FITS
//! standard 4.0, section 4.1.2.1, leaves it open). Keywords of `HIERARCH` cards come without
//! that word. Long strings (`CONTINUE`) are one value.

use super::card;

/// Value of a card.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string without its quotes and trailing blanks, or a value that is none of the others.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with point or exponent (`E` or `D`), or too large for an integer.
    Real(f64),
    /// `T` or `F`.
    Logical(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Logical(truth)
    }
}

/// One line of a header (several, where a string is long).
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Keyword; `COMMENT`, `HISTORY` or nothing for remarks.
    pub key: String,
    /// Value; `None` where undefined and for remarks.
    pub value: Option<Value>,
    /// Comment, or the text of a remark.
    pub comment: String,
}

/// Keywords that hold remarks, not values.
const REMARKS: [&str; 3] = ["COMMENT", "HISTORY", ""];

impl Card {
    /// Tells whether this is a remark (`COMMENT`, `HISTORY`, blank keyword).
    pub fn is_remark(&self) -> bool {
        REMARKS.contains(&self.key.as_str())
    }
}

/// Cards of one HDU in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Header {
    cards: Vec<Card>,
}

impl Header {
    /// Makes an empty header.
    pub fn new() -> Self {
        Self::default()
    }

    /// All cards in order, without the structural `END`.
    pub fn cards(&self) -> &[Card] {
        &self.cards
    }

    /// The value of a keyword; `None` where absent or undefined.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.find(key).and_then(|at| self.cards[at].value.as_ref())
    }

    /// The text of a keyword, trailing blanks removed; `None` where it is no text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text.trim_end()),
            _ => None,
        }
    }

    /// The number of a keyword; integers and numeric text (`'300.0'`) are accepted.
    pub fn real(&self, key: &str) -> Option<f64> {
        number(self.value(key)?)
    }

    /// The whole number of a keyword; `2.` and `'2'` are accepted.
    pub fn integer(&self, key: &str) -> Option<i64> {
        /// Up to here every whole f64 is exact.
        const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
        if let Value::Integer(number) = self.value(key)? {
            return Some(*number);
        }
        let number = self.real(key)?;
        (number.fract().abs() <= 0.0 && number.abs() <= EXACT_MAX).then_some(number as i64)
    }

    /// The truth of a keyword (`T` or `F`, not quoted).
    pub fn logical(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Value::Logical(truth) => Some(*truth),
            _ => None,
        }
    }

    /// Tells whether a keyword is there, be it without value.
    pub fn contains(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Replaces a keyword in its place, or appends it.
    pub fn set(&mut self, key: &str, value: impl Into<Value>, comment: &str) {
        let key = key.trim().to_ascii_uppercase();
        let card = Card { key, value: Some(value.into()), comment: comment.to_owned() };
        let Some(at) = self.find(&card.key) else {
            self.cards.push(card);
            return;
        };
        let later = self.cards.split_off(at + 1);
        self.cards.extend(later.into_iter().filter(|other| other.key != card.key));
        self.cards[at] = card;
    }

    /// Appends a line of history.
    pub fn push_history(&mut self, text: &str) {
        let comment = text.to_owned();
        self.cards.push(Card { key: "HISTORY".to_owned(), value: None, comment });
    }

    /// Removes all cards of a keyword; tells whether there was one.
    pub fn remove(&mut self, key: &str) -> bool {
        let count = self.cards.len();
        self.cards.retain(|card| !card.key.eq_ignore_ascii_case(key));
        self.cards.len() < count
    }

    /// Appends a card as it is.
    pub(super) fn push(&mut self, card: Card) {
        self.cards.push(card);
    }

    /// Continues the string of the last card; a lone `CONTINUE` is ignored.
    pub(super) fn extend_last(&mut self, text: &str, comment: &str) {
        let Some(card) = self.cards.last_mut() else {
            return;
        };
        let Some(Value::Text(whole)) = &mut card.value else {
            return;
        };
        if whole.ends_with('&') {
            whole.pop();
            whole.push_str(text);
            if !comment.is_empty() {
                card.comment.push_str(if card.comment.is_empty() { "" } else { " " });
                card.comment.push_str(comment);
            }
        }
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.cards.iter().position(|card| card.key.eq_ignore_ascii_case(key))
    }
}

/// Keywords that describe the layout of the file, not the observation.
const STRUCTURAL: &[&str] = &[
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "BLOCKED", "GROUPS", "PCOUNT", "GCOUNT",
    "INHERIT", "TFIELDS", "THEAP", "CHECKSUM", "DATASUM", "ZIMAGE", "ZSIMPLE", "ZTENSION",
    "ZEXTEND", "ZBLOCKED", "ZPCOUNT", "ZGCOUNT", "ZHECKSUM", "ZDATASUM", "ZBITPIX", "ZNAXIS",
    "ZCMPTYPE", "ZQUANTIZ", "ZDITHER0", "ZBLANK", "ZSCALE", "ZZERO", "ZMASKCMP", "ZTHEAP",
    "LONGSTRN", "END",
];

/// Structural keywords that carry an index.
const STRUCTURAL_INDEXED: &[&str] = &[
    "NAXIS", "TTYPE", "TFORM", "TUNIT", "TDISP", "TNULL", "TSCAL", "TZERO", "TDIM", "ZNAXIS",
    "ZTILE", "ZNAME", "ZVAL", "ZFORM",
];

/// Tells whether a keyword describes the layout of the file.
pub(super) fn is_structural(key: &str) -> bool {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    STRUCTURAL.contains(&key) || (stem.len() < key.len() && STRUCTURAL_INDEXED.contains(&stem))
}

/// A value as a number.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Real(number) => Some(*number),
        Value::Text(text) => number(&card::number(text.trim())?),
        Value::Logical(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_every_form() {
        let mut header = Header::new();
        header.set("A", 3_i64, "");
        header.set("B", "300.0", "");
        header.set("C", 2.0, "");
        header.set("D", "x", "");
        assert_eq!(header.integer("a"), Some(3));
        assert!((header.real("B").expect("numeric text") - 300.0).abs() < 1e-12);
        assert_eq!(header.integer("C"), Some(2));
        assert_eq!((header.real("D"), header.integer("D")), (None, None));
        assert_eq!(header.text("A"), None);
    }

    #[test]
    fn setting_replaces_all_duplicates_in_place() {
        let mut header = Header::new();
        header.set("A", 1_i64, "");
        header.set("B", true, "");
        header.push(header.cards()[0].clone());
        header.set("a", 2_i64, "new");
        assert_eq!(header.cards().len(), 2);
        assert_eq!(header.integer("A"), Some(2));
        assert!(header.remove("A") && !header.contains("A") && !header.remove("A"));
        assert_eq!(header.logical("B"), Some(true));
    }
}

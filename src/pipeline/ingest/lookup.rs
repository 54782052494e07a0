//! Reading single values out of a header, whatever type they were written in.
//!
//! Cameras write numbers as text and text as numbers; a value of the wrong kind is missing, never
//! a fault. What had to be guessed or dropped is gathered as remarks.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::profile::NumberRule;
use crate::formats::fits::{Header, Value};

/// Most remarks kept for one frame; a sane header gives a handful.
const REMARKS_MAX: usize = 30;
/// Longest text taken from a header; a single card holds 68 [characters].
const TEXT_LENGTH_MAX: usize = 80;

/// A number that a header may give: its name in remarks, its unit, and what is sane.
pub(super) struct Quantity {
    /// Name in remarks.
    pub name: &'static str,
    /// Unit in remarks.
    pub unit: &'static str,
    /// Sane values; others count as missing.
    pub sane: RangeInclusive<f64>,
}

/// A header and the remarks made while reading it.
pub(super) struct Reader<'a> {
    header: &'a Header,
    remarks: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(header: &'a Header) -> Self {
        Self { header, remarks: Vec::new() }
    }

    /// Keeps a remark, unless it was made before or there are too many.
    pub(super) fn remark(&mut self, remark: String) {
        if self.remarks.len() < REMARKS_MAX && !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    pub(super) fn into_remarks(self) -> Vec<String> {
        self.remarks
    }

    /// Whether the keyword is in the header, with whatever value.
    pub(super) fn contains(&self, keyword: &str) -> bool {
        self.header.contains(keyword)
    }

    /// The value as text without blanks around it; `None` when it is absent or blank.
    pub(super) fn text(&self, keyword: &str) -> Option<String> {
        plain_text(self.header, keyword).filter(|text| !text.is_empty())
    }

    /// The first keyword of the list with a text, and that text.
    pub(super) fn first_text(&self, keywords: &[String]) -> Option<String> {
        keywords.iter().find_map(|keyword| self.text(keyword))
    }

    /// The value as a finite number; text is read as a number if it is one.
    pub(super) fn number(&self, keyword: &str) -> Option<f64> {
        let number = match self.header.value(keyword)? {
            Value::Integer(value) => *value as f64,
            Value::Real(value) => *value,
            Value::Text(text) => parse_number(text)?,
            Value::Logical(_) => return None,
        };
        number.is_finite().then_some(number)
    }

    /// The first sane number under the keywords; values outside the range leave a remark.
    pub(super) fn first_number(&mut self, keywords: &[String], what: &Quantity) -> Option<f64> {
        for keyword in keywords {
            if self.text(keyword).is_none() {
                continue;
            }
            match self.number(keyword) {
                Some(number) if what.sane.contains(&number) => return Some(number),
                Some(number) => self.dropped(keyword, &number, what.name),
                None => {
                    let text = self.text(keyword).unwrap_or_default();
                    self.dropped(keyword, &format!("'{text}'"), what.name);
                }
            }
        }
        None
    }

    /// The number a rule gives: measured, else from the header, else assumed.
    pub(super) fn ruled_number(&mut self, rule: &NumberRule, what: &Quantity) -> Option<f64> {
        let stated = self.first_number(&rule.keywords, what);
        self.settle(stated, rule, what)
    }

    /// Chooses between what the header states and what the profile says.
    pub(super) fn settle(
        &mut self,
        stated: Option<f64>,
        rule: &NumberRule,
        what: &Quantity,
    ) -> Option<f64> {
        let Quantity { name, unit, .. } = what;
        if let Some(measured) = rule.measured {
            if let Some(stated) = stated.filter(|stated| differs(*stated, measured)) {
                self.remark(format!(
                    "The {name} is {measured} {unit} as measured (profile); the header says \
                     {stated}."
                ));
            }
            return Some(measured);
        }
        if stated.is_none()
            && let Some(assumed) = rule.assumed
        {
            self.remark(format!("The header has no {name}; {assumed} {unit} assumed (profile)."));
            return Some(assumed);
        }
        stated
    }

    /// Remarks that a value is not used.
    pub(super) fn dropped(&mut self, keyword: &str, value: &dyn Display, what: &str) {
        self.remark(format!("{keyword} = {value} is no usable {what}; taken as missing."));
    }
}

/// The value of a keyword as text without blanks around it, possibly empty.
///
/// Characters outside printable ASCII become `?`; a long text is cut.
pub(super) fn plain_text(header: &Header, keyword: &str) -> Option<String> {
    let text = match header.value(keyword)? {
        Value::Text(text) => text.trim().to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Logical(value) => if *value { "T" } else { "F" }.to_owned(),
    };
    let printable = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    Some(text.chars().take(TEXT_LENGTH_MAX).map(printable).collect())
}

/// Reads a plain number; also FORTRAN's `1.5D3`. No `inf`, no `nan`.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_number_char = |c: char| c.is_ascii_digit() || "+-.eEdD".contains(c);
    if text.is_empty() || !text.chars().all(is_number_char) {
        return None;
    }
    text.replace(['d', 'D'], "e").parse().ok().filter(|number: &f64| number.is_finite())
}

/// Whether two numbers differ by more than a part in a thousand.
fn differs(a: f64, b: f64) -> bool {
    (a - b).abs() > 1e-3 * a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_text_are_read_and_nonsense_is_not() {
        assert_eq!(parse_number(" 2000.0 "), Some(2000.0));
        assert_eq!(parse_number("1.5D3"), Some(1500.0));
        for text in ["", "nan", "inf", "1 2", "12s", "--1", "1e999"] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }
}

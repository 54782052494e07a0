//! Conditions on the columns of a list: `exposure_s >= 60 and filter == "R" and name ~ "img*"`.
//!
//! Comparisons are `== != < <= > >=` and `~`, `!~` (the text fits a pattern with `*` and `?`),
//! joined by `and`, `or`, `not` and brackets. A value is a number, a text in quotes, or `missing`.
//! A column is compared with a number as a number and with a text as a text, without regard to
//! case. What is missing fits no comparison but those with `missing` and `!=`. It is a reader of
//! its own, not a language: nothing is evaluated but comparisons.

mod words;

use std::cmp::Ordering;

use thiserror::Error;

use super::Cell;
use crate::pipeline::ingest::pattern_fits;
use words::{Operator, Word, words};

/// Longest condition that is read [characters].
const LENGTH_MAX: usize = 1000;
/// Deepest nesting of brackets and `not`.
const DEPTH_MAX: usize = 32;

/// A condition on the columns of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Condition);

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare { column: String, operator: Operator, value: Value },
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number(f64),
    Text(String),
    Missing,
}

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FilterError {
    /// The text is longer than any sane condition.
    #[error("the condition is longer than {LENGTH_MAX} characters")]
    Long,
    /// Brackets within brackets without end.
    #[error("the condition has more than {DEPTH_MAX} brackets or `not` within each other")]
    Deep,
    /// A character that no condition has.
    #[error("`{found}` at character {at} is no part of a condition")]
    Character {
        /// The character.
        found: char,
        /// Its place, from 1.
        at: usize,
    },
    /// A text without its second quote.
    #[error("the text that begins at character {at} has no second quote")]
    OpenQuote {
        /// Place of the first quote, from 1.
        at: usize,
    },
    /// Something else was expected.
    #[error(
        "expected {expected}, but found {found}; a condition looks like `exposure_s >= 60 and \
         filter == \"R\"`"
    )]
    Expected {
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// No such column.
    #[error(
        "there is no column `{name}`; there are {known}, and keywords of the header in capital \
         letters"
    )]
    UnknownColumn {
        /// The name.
        name: String,
        /// All columns.
        known: String,
    },
}

impl Filter {
    /// Reads a condition.
    ///
    /// * `columns`: names of the columns there are; names in capital letters are taken as keywords
    ///   of the header.
    pub fn parse(text: &str, columns: &[&str]) -> Result<Self, FilterError> {
        if text.chars().count() > LENGTH_MAX {
            return Err(FilterError::Long);
        }
        let words = words(text)?;
        let mut reader = Reader { words: &words, at: 0, columns };
        let condition = reader.any(0)?;
        match reader.next() {
            None => Ok(Self(condition)),
            Some(word) => Err(expected("`and`, `or` or the end", Some(word))),
        }
    }

    /// Tells whether a row fits.
    ///
    /// * `cell`: the row's value of a column; `None` where it is missing.
    pub fn holds(&self, cell: &dyn Fn(&str) -> Option<Cell>) -> bool {
        self.0.holds(cell)
    }
}

/// Tells whether a name can be a keyword of a header and is not a column.
pub fn is_keyword(name: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.chars().all(is_fine) && name.starts_with(|c: char| c.is_ascii_uppercase())
}

impl Condition {
    fn holds(&self, cell: &dyn Fn(&str) -> Option<Cell>) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(cell)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(cell)),
            Self::Not(condition) => !condition.holds(cell),
            Self::Compare { column, operator, value } => fits(cell(column), *operator, value),
        }
    }
}

/// Compares a cell with a value.
fn fits(cell: Option<Cell>, operator: Operator, value: &Value) -> bool {
    let Some(cell) = cell else {
        let is_missing = *value == Value::Missing;
        return match operator {
            Operator::Equal => is_missing,
            Operator::NotEqual => !is_missing,
            _ => false,
        };
    };
    let order = match value {
        Value::Missing => return operator == Operator::NotEqual,
        Value::Number(number) => match cell.number() {
            Some(own) => own.partial_cmp(number),
            // A text that is no number is another value.
            None => return operator == Operator::NotEqual,
        },
        Value::Text(pattern) => {
            let own = cell.text();
            match operator {
                Operator::Fits => return pattern_fits(pattern, &own),
                Operator::FitsNot => return !pattern_fits(pattern, &own),
                _ => Some(own.trim().to_lowercase().cmp(&pattern.trim().to_lowercase())),
            }
        }
    };
    let Some(order) = order else { return false };
    match operator {
        Operator::Equal => order == Ordering::Equal,
        Operator::NotEqual => order != Ordering::Equal,
        Operator::Less => order == Ordering::Less,
        Operator::LessEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        Operator::GreaterEqual => order != Ordering::Less,
        // A number has no pattern.
        Operator::Fits | Operator::FitsNot => false,
    }
}

fn expected(expected: &'static str, found: Option<&Word>) -> FilterError {
    let found = found.map_or_else(|| "the end".to_owned(), |word| format!("`{word}`"));
    FilterError::Expected { expected, found }
}

/// Reads words from left to right; `or` binds least.
struct Reader<'a> {
    words: &'a [Word],
    at: usize,
    columns: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a Word> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// Takes a word when it is the one.
    fn takes(&mut self, name: &str) -> bool {
        let is_it = matches!(self.words.get(self.at), Some(Word::Name(n)) if n == name);
        self.at += usize::from(is_it);
        is_it
    }

    fn any(&mut self, depth: usize) -> Result<Condition, FilterError> {
        let mut conditions = vec![self.all(depth)?];
        while self.takes("or") {
            conditions.push(self.all(depth)?);
        }
        Ok(Condition::Any(conditions))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, FilterError> {
        let mut conditions = vec![self.one(depth)?];
        while self.takes("and") {
            conditions.push(self.one(depth)?);
        }
        Ok(Condition::All(conditions))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, FilterError> {
        if depth > DEPTH_MAX {
            return Err(FilterError::Deep);
        }
        if self.takes("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        let column = match self.next() {
            Some(Word::Open) => {
                let inner = self.any(depth + 1)?;
                return match self.next() {
                    Some(Word::Close) => Ok(inner),
                    other => Err(expected("`)`", other)),
                };
            }
            Some(Word::Name(name)) => self.column(name)?,
            other => return Err(expected("the name of a column, `not` or `(`", other)),
        };
        let operator = match self.next() {
            Some(Word::Operator(operator)) => *operator,
            other => return Err(expected("a comparison such as `==` or `>=`", other)),
        };
        let value = match self.next() {
            Some(Word::Number(number)) => Value::Number(*number),
            Some(Word::Text(text)) => Value::Text(text.clone()),
            Some(Word::Name(name)) if name == "missing" => Value::Missing,
            other => return Err(expected("a number, a text in quotes or `missing`", other)),
        };
        let is_pattern = matches!(operator, Operator::Fits | Operator::FitsNot);
        if is_pattern && !matches!(value, Value::Text(_)) {
            return Err(expected("a pattern in quotes after `~`", self.words.get(self.at - 1)));
        }
        Ok(Condition::Compare { column, operator, value })
    }

    fn column(&self, name: &str) -> Result<String, FilterError> {
        if self.columns.contains(&name) || is_keyword(name) {
            return Ok(name.to_owned());
        }
        let known = self.columns.join(", ");
        Err(FilterError::UnknownColumn { name: name.to_owned(), known })
    }
}

#[cfg(test)]
mod tests;

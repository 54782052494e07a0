//! A condition cut into words.

use std::fmt;

use super::FilterError;

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Fits,
    FitsNot,
}

/// All operators; longer ones before those that they begin with.
const OPERATORS: [(&str, Operator); 9] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("!~", Operator::FitsNot),
    ("<=", Operator::LessEqual),
    (">=", Operator::GreaterEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("~", Operator::Fits),
    ("=", Operator::Equal),
];

/// A word of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Name(String),
    Number(f64),
    Text(String),
    Operator(Operator),
    Open,
    Close,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Operator(operator) => {
                let word = OPERATORS.iter().find(|(_, known)| known == operator);
                f.write_str(word.map_or("", |(word, _)| *word))
            }
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
        }
    }
}

/// Cuts a text into words.
pub(super) fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    let characters: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&c) = characters.get(at) {
        let rest = &characters[at..];
        let (word, length) = match c {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' => (Word::Open, 1),
            ')' => (Word::Close, 1),
            '"' | '\'' => quoted(rest).ok_or(FilterError::OpenQuote { at: at + 1 })?,
            c if c.is_ascii_alphabetic() => name(rest),
            _ => number(rest)
                .or_else(|| operator(rest))
                .ok_or(FilterError::Character { found: c, at: at + 1 })?,
        };
        words.push(word);
        at += length;
    }
    Ok(words)
}

/// A text up to the same quote that it begins with.
fn quoted(rest: &[char]) -> Option<(Word, usize)> {
    let quote = *rest.first()?;
    let length = rest.iter().skip(1).position(|c| *c == quote)?;
    Some((Word::Text(rest[1..=length].iter().collect()), length + 2))
}

/// A name: letters, digits, `_`, and `-` in keywords of headers.
fn name(rest: &[char]) -> (Word, usize) {
    let is_part = |c: &&char| c.is_ascii_alphanumeric() || "_-".contains(**c);
    let name: String = rest.iter().take_while(is_part).collect();
    let length = name.len();
    (Word::Name(name), length)
}

/// A number as programs write it.
fn number(rest: &[char]) -> Option<(Word, usize)> {
    let is_part = |at: usize, c: char| {
        let after_exponent = at > 0 && "eE".contains(rest[at - 1]);
        c.is_ascii_digit() || ".eE".contains(c) || ("+-".contains(c) && (at == 0 || after_exponent))
    };
    let length = rest.iter().enumerate().take_while(|(at, c)| is_part(*at, **c)).count();
    let text: String = rest[..length].iter().collect();
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some((Word::Number(number), length))
}

fn operator(rest: &[char]) -> Option<(Word, usize)> {
    let begins = |word: &str| word.chars().zip(rest).all(|(a, b)| a == *b);
    let found = OPERATORS.iter().find(|(word, _)| word.len() <= rest.len() && begins(word));
    found.map(|(word, operator)| (Word::Operator(*operator), word.len()))
}

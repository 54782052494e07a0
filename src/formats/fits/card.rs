//! Lines of 80 bytes: from bytes to a card and back.
//!
//! Reading is forgiving, as headers of real cameras are not always standard: control bytes count
//! as blanks, bytes beyond ASCII become `?`, an unquoted word is a text, a missing closing quote
//! ends with the line, values may stand in any column. Writing is strict.
//! Source: FITS standard 4.0, sections 4.1 and 4.2; `HIERARCH`: ESO convention.

use super::header::{Card, Header, Value};

/// Bytes of a card.
pub(super) const CARD_BYTES: usize = 80;
/// Bytes of a keyword.
const KEY_BYTES: usize = 8;
/// Column after the fixed-format value.
const VALUE_END: usize = 30;
/// Longest keyword written behind `HIERARCH`.
const HIERARCH_KEY_BYTES_MAX: usize = 50;

/// What one line says.
pub(super) enum Line {
    /// A card of its own.
    Card(Card),
    /// More of the string before.
    Continue {
        /// The piece of text.
        text: String,
        /// Its comment.
        comment: String,
    },
    /// The last line of a header.
    End,
    /// Nothing.
    Blank,
}

/// Reads one line; never fails.
pub(super) fn parse(raw: &[u8; CARD_BYTES]) -> Line {
    let line = raw.map(|byte| match byte {
        b' '..=b'~' => byte,
        0..=31 | 127 => b' ',
        128.. => b'?',
    });
    let (key, rest) = line.split_at(KEY_BYTES);
    let key = text_of(key).to_ascii_uppercase();
    match key.as_str() {
        "END" => return Line::End,
        "CONTINUE" => {
            let (value, comment) = parse_value(rest);
            let text = match value {
                Some(Value::Text(text)) => text,
                _ => String::new(),
            };
            return Line::Continue { text, comment };
        }
        "HIERARCH" => {
            if let Some(at) = rest.iter().position(|&byte| byte == b'=') {
                let key = text_of(&rest[..at]).trim_start().to_ascii_uppercase();
                let (value, comment) = parse_value(&rest[at + 1..]);
                return Line::Card(Card { key, value, comment });
            }
        }
        _ => {}
    }
    let is_remark = matches!(key.as_str(), "COMMENT" | "HISTORY" | "");
    if !is_remark && rest[0] == b'=' {
        let (value, comment) = parse_value(&rest[1..]);
        return Line::Card(Card { key, value, comment });
    }
    let comment = text_of(rest);
    if key.is_empty() && comment.is_empty() {
        return Line::Blank;
    }
    Line::Card(Card { key, value: None, comment })
}

/// Reads the lines of a header up to `END`.
pub(super) fn parse_header(bytes: &[u8]) -> Header {
    let mut header = Header::new();
    for raw in bytes.as_chunks::<CARD_BYTES>().0 {
        match parse(raw) {
            Line::Card(card) => header.push(card),
            Line::Continue { text, comment } => header.extend_last(&text, &comment),
            Line::End => break,
            Line::Blank => {}
        }
    }
    header
}

/// Cleaned bytes as text, without trailing blanks.
fn text_of(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    text.trim_end().to_owned()
}

/// Splits what follows the `=` into value and comment.
fn parse_value(field: &[u8]) -> (Option<Value>, String) {
    let field = field.trim_ascii_start();
    if let Some((b'\'', quoted)) = field.split_first() {
        let (text, rest) = parse_quoted(quoted);
        return (Some(Value::Text(text)), comment_of(rest));
    }
    let end = field.iter().position(|&byte| byte == b'/').unwrap_or(field.len());
    let (token, rest) = field.split_at(end);
    let token = text_of(token);
    let value = match token.as_str() {
        "" => None,
        "T" => Some(Value::Logical(true)),
        "F" => Some(Value::Logical(false)),
        other => Some(number(other).unwrap_or_else(|| Value::Text(other.to_owned()))),
    };
    (value, comment_of(rest))
}

/// The text up to the closing quote (a doubled quote is one), and what follows it.
fn parse_quoted(bytes: &[u8]) -> (String, &[u8]) {
    let mut text = String::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\'' {
            if bytes.get(at + 1) != Some(&b'\'') {
                break;
            }
            at += 1;
        }
        text.push(char::from(byte));
        at += 1;
    }
    text.truncate(text.trim_end().len());
    (text, bytes.get(at + 1..).unwrap_or_default())
}

/// The comment behind a slash.
fn comment_of(bytes: &[u8]) -> String {
    let slash = bytes.iter().position(|&byte| byte == b'/');
    slash.map_or_else(String::new, |at| text_of(&bytes[at + 1..]).trim_start().to_owned())
}

/// A number as FITS writes it; `None` for anything else (also `inf` and `nan`).
pub(super) fn number(token: &str) -> Option<Value> {
    let is_numeric = |byte: u8| byte.is_ascii_digit() || b"+-.EeDd".contains(&byte);
    if !token.bytes().any(|byte| byte.is_ascii_digit()) || !token.bytes().all(is_numeric) {
        return None;
    }
    if let Ok(number) = token.parse::<i64>() {
        return Some(Value::Integer(number));
    }
    let number: f64 = token.replace(['D', 'd'], "E").parse().ok()?;
    number.is_finite().then_some(Value::Real(number))
}

/// Appends a card as one or more lines.
///
/// A number that is not finite is written as undefined; long remarks and strings take several
/// lines; a keyword that fits no card becomes a `COMMENT`.
pub(super) fn write(card: &Card, lines: &mut Vec<u8>) {
    let comment = clean(&card.comment);
    if card.is_remark() {
        let text = comment.as_bytes();
        for piece in text.chunks(CARD_BYTES - KEY_BYTES) {
            push_line(lines, &[format!("{:8}", card.key).as_bytes(), piece].concat());
        }
        return;
    }
    let Some(head) = key_head(&card.key) else {
        let value = card.value.as_ref().map_or_else(String::new, |value| format!("{value:?}"));
        let comment = format!("{} = {value} / {comment}", card.key);
        return write(&Card { key: "COMMENT".to_owned(), value: None, comment }, lines);
    };
    let value = match &card.value {
        Some(Value::Text(text)) => return write_text(lines, head, &clean(text), &comment),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Real(number)) => real_text(*number),
        Some(Value::Logical(truth)) => (if *truth { "T" } else { "F" }).to_owned(),
        None => String::new(),
    };
    let width = VALUE_END.saturating_sub(head.len());
    push_with_comment(lines, format!("{head}{value:>width$}"), &comment);
}

/// Shortest text that reads back as the same number.
fn real_text(number: f64) -> String {
    if !number.is_finite() {
        return String::new();
    }
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((mantissa, power)) if mantissa.contains('.') => format!("{mantissa}E{power}"),
        Some((mantissa, power)) => format!("{mantissa}.0E{power}"),
        None => text,
    }
}

/// The start of a card up to the value; `None` for a keyword that fits no card.
fn key_head(key: &str) -> Option<String> {
    let is_plain =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if key.len() <= KEY_BYTES && key.bytes().all(is_plain) {
        return Some(format!("{key:8}= "));
    }
    let is_printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=');
    let is_written = key.len() <= HIERARCH_KEY_BYTES_MAX && is_printable;
    is_written.then(|| format!("HIERARCH {key} = "))
}

/// Writes a string, over several lines where it is long.
fn write_text(lines: &mut Vec<u8>, head: String, text: &str, comment: &str) {
    let mut head = head;
    let mut piece = String::new();
    for character in text.chars() {
        let unit = if character == '\'' { "''".to_owned() } else { character.to_string() };
        // Quotes and the ampersand of a continued piece take three bytes.
        if head.len() + piece.len() + unit.len() + 3 > CARD_BYTES {
            push_line(lines, format!("{head}'{piece}&'").as_bytes());
            "CONTINUE  ".clone_into(&mut head);
            piece.clear();
        }
        piece.push_str(&unit);
    }
    push_with_comment(lines, format!("{head}'{piece:8}'"), comment);
}

/// Writes a line with as much of the comment as fits.
fn push_with_comment(lines: &mut Vec<u8>, mut line: String, comment: &str) {
    if !comment.is_empty() && line.len() + 3 < CARD_BYTES {
        line.push_str(" / ");
        line.push_str(comment);
    }
    push_line(lines, line.as_bytes());
}

/// Writes exactly one line: blanks follow, what is too long goes.
pub(super) fn push_line(lines: &mut Vec<u8>, line: &[u8]) {
    let end = lines.len() + CARD_BYTES;
    lines.extend_from_slice(line.get(..CARD_BYTES).unwrap_or(line));
    lines.resize(end, b' ');
}

/// Printable ASCII only.
fn clean(text: &str) -> String {
    let printable = |c: char| matches!(c, ' '..='~');
    text.chars().map(|c| if printable(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests;

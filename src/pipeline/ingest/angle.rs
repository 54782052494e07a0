//! Angles as headers write them: one number, or two or three fields of base 60.

use super::lookup::parse_number;

/// An angle or time read from text, in the unit of its first field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sexagesimal {
    /// The value in units of the first field.
    pub value: f64,
    /// Number of fields: 1, 2 or 3.
    pub fields: usize,
    /// Whether the text marks the first field as degrees.
    pub is_degrees: bool,
    /// A letter N, S, E or W before or after the number.
    pub direction: Option<char>,
}

/// Reads `12 34 56.7`, `-00:30`, `12h34m56.7s`, `+41d 16' 9"`, `12.5`, `02 34 12 W`.
///
/// `None` when a field is no number, is negative, or a later field reaches more than 60.
pub(super) fn parse_sexagesimal(text: &str) -> Option<Sexagesimal> {
    let (text, direction) = take_direction(text.trim());
    let (text, sign) = match text.strip_prefix('-') {
        Some(rest) => (rest, -1.0),
        None => (text.strip_prefix('+').unwrap_or(text), 1.0),
    };
    let is_degrees = text.contains(['d', 'D', '°']);
    let is_mark = |c: char| c.is_whitespace() || ":hHdDmMsS°'\"".contains(c);
    let fields: Vec<&str> = text.split(is_mark).filter(|field| !field.is_empty()).collect();
    if !(1..=3).contains(&fields.len()) {
        return None;
    }
    let mut value = 0.0;
    let mut unit = 1.0;
    for (index, field) in fields.iter().enumerate() {
        let number = parse_number(field)?;
        if number.is_sign_negative() || (index > 0 && number > 60.0) {
            return None;
        }
        value += number / unit;
        unit *= 60.0;
    }
    Some(Sexagesimal { value: sign * value, fields: fields.len(), is_degrees, direction })
}

/// Splits a leading or trailing N, S, E or W off.
///
/// A trailing `s` is the mark of seconds unless a blank stands before it.
fn take_direction(text: &str) -> (&str, Option<char>) {
    let letter = |c: char| "NSEW".contains(c.to_ascii_uppercase());
    if let Some(c) = text.chars().next().filter(|&c| letter(c)) {
        return (text.get(1..).unwrap_or("").trim(), Some(c.to_ascii_uppercase()));
    }
    let Some(c) = text.chars().last().filter(|&c| letter(c)) else {
        return (text, None);
    };
    let rest = text.get(..text.len() - 1).unwrap_or("");
    let is_seconds_mark = c.eq_ignore_ascii_case(&'s') && !rest.ends_with(' ');
    if is_seconds_mark {
        return (text, None);
    }
    (rest.trim(), Some(c.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn value(text: &str) -> f64 {
        parse_sexagesimal(text).unwrap().value
    }

    #[test]
    fn usual_forms_agree() {
        // 12 + 34/60 + 56.7/3600 = 12.58241666...
        for text in ["12 34 56.7", "12:34:56.7", "12h34m56.7s", "+12d34'56.7\"", "12:34.945"] {
            assert!((value(text) - 12.582_416_666_666_667).abs() < 1e-12, "{text}");
        }
        assert!((value("12.5") - 12.5).abs() < 1e-15);
    }

    #[test]
    fn the_sign_survives_a_zero_first_field() {
        assert!((value("-00 30 00") + 0.5).abs() < 1e-15);
    }

    #[test]
    fn directions_are_letters_and_seconds_are_not() {
        assert_eq!(parse_sexagesimal("02 34 12 W").unwrap().direction, Some('W'));
        assert_eq!(parse_sexagesimal("S 33 00 00").unwrap().direction, Some('S'));
        assert_eq!(parse_sexagesimal("12h34m56s").unwrap().direction, None);
    }

    #[test]
    fn nonsense_is_none() {
        for text in ["", "  ", "a b c", "1 2 3 4", "1 61 0", "1 -2 3", "nan", "E"] {
            assert_eq!(parse_sexagesimal(text), None, "{text}");
        }
    }
}

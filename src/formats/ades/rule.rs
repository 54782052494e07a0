//! What the text of a field may be: the types of `submit.xsd`, and no control characters.

/// A kind of text; numbers are widths in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Any text without `|`.
    Text(usize),
    /// Letters, digits and `_`.
    Word(usize, usize),
    /// Letters, digits, `_` and `-`: a name given by the observer.
    Name(usize),
    /// Letters, digits, `_` and `.`: a catalogue.
    Catalogue,
    /// A number with a sign.
    Signed(usize),
    /// A number above zero.
    Positive(usize),
    /// A magnitude, -5 to 35.
    Magnitude,
    /// A correlation, above -1 and below 1.
    Correlation,
    /// A right ascension, 0 to below 360 degrees.
    RightAscension,
    /// A declination, -90 to 90 degrees.
    Declination,
    /// A whole number above zero, below a million.
    Count,
    /// 0 or 1.
    Flag,
    /// An instant in UTC.
    Time,
    /// `*` or `+`.
    Discovery,
    /// A frame of reference.
    System,
    /// The Earth, `399`.
    Centre,
    /// A number of a minor planet, a numbered comet or a satellite.
    PermId,
    /// A provisional designation.
    ProvId,
}

impl Rule {
    /// The rule in words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Text(_) => "a short text without | and control characters",
            Self::Word(..) => "letters, digits and _",
            Self::Name(_) => "letters, digits, - and _, at most 8",
            Self::Catalogue => "letters, digits, . and _, at most 8",
            Self::Signed(_) => "a short decimal number",
            Self::Positive(_) => "a short decimal number above zero",
            Self::Magnitude => "a magnitude from -5 to 35",
            Self::Correlation => "a number above -1 and below 1",
            Self::RightAscension => "degrees from 0 to below 360, at most 9 decimals",
            Self::Declination => "degrees from -90 to 90, at most 9 decimals",
            Self::Count => "a whole number from 1 to 999999",
            Self::Flag => "0 or 1",
            Self::Time => "UTC as 2026-03-01T21:36:05.12Z, at most 6 decimals",
            Self::Discovery => "* or +",
            Self::System => "WGS84, ITRF, IAU, ICRF_AU or ICRF_KM",
            Self::Centre => "399",
            Self::PermId => "a number, as 22767 or 12P",
            Self::ProvId => "a provisional designation, as 2014 AA or C/2023 A3",
        }
    }

    /// Whether a text fits.
    pub(super) fn is_kept_by(self, text: &str) -> bool {
        if text.trim().is_empty() || text.chars().any(|c| c.is_control() || c == '|') {
            return false;
        }
        let n = text.chars().count();
        let made_of =
            |extra: &[u8]| text.bytes().all(|c| c.is_ascii_alphanumeric() || extra.contains(&c));
        match self {
            Self::Text(max) => n <= max,
            Self::Word(min, max) => (min..=max).contains(&n) && made_of(b"_"),
            Self::Name(max) => n <= max && made_of(b"_-"),
            Self::Catalogue => n <= 8 && made_of(b"._"),
            // The schema counts the sign apart.
            Self::Signed(max) => decimal(text).is_some() && unsigned(text).len() < max,
            Self::Positive(max) => {
                text.len() <= max
                    && unsigned(text).len() == text.len()
                    && decimal(text).is_some_and(|v| v > 0.0 && v < 1e5)
            }
            Self::Magnitude => {
                unsigned(text).len() <= 7
                    && decimal(text).is_some_and(|v| (-5.0..=35.0).contains(&v))
            }
            Self::Correlation => {
                has_decimals(text, 11) && decimal(text).is_some_and(|v| v.abs() < 1.0)
            }
            Self::RightAscension => {
                unsigned(text).len() == text.len()
                    && has_decimals(text, 9)
                    && decimal(text).is_some_and(|v| v < 360.0)
            }
            Self::Declination => {
                has_decimals(text, 9) && decimal(text).is_some_and(|v| v.abs() <= 90.0)
            }
            Self::Count => text.parse().is_ok_and(|n: u32| (1..1_000_000).contains(&n)),
            Self::Flag => matches!(text, "0" | "1"),
            Self::Time => is_time(text),
            Self::Discovery => matches!(text, "*" | "+"),
            Self::System => matches!(text, "WGS84" | "ITRF" | "IAU" | "ICRF_AU" | "ICRF_KM"),
            Self::Centre => text == "399",
            Self::PermId => n <= 25 && is_perm_id(text),
            Self::ProvId => n <= 25 && is_prov_id(text),
        }
    }
}

/// The text without its sign.
fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

/// The value of a plain decimal number without superfluous zeros in front.
fn decimal(text: &str) -> Option<f64> {
    let digits = unsigned(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let is_plain = !whole.is_empty() && (whole == "0" || !whole.starts_with('0'));
    if !is_plain || !is_digits(whole) || !is_digits(fraction) || digits.len() > 30 {
        return None;
    }
    text.parse().ok()
}

/// Whether a number has at most so many decimals.
fn has_decimals(text: &str, most: usize) -> bool {
    text.split_once('.').is_none_or(|(_, fraction)| fraction.len() <= most)
}

/// Whether a text is `YYYY-MM-DDThh:mm:ss[.ffffff]Z` of a date that exists.
fn is_time(text: &str) -> bool {
    let Some(rest) = text.strip_suffix('Z') else { return false };
    let (whole, fraction) = match rest.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (rest, None),
    };
    let is_fraction = fraction
        .is_none_or(|f| (1..=6).contains(&f.len()) && f.bytes().all(|c| c.is_ascii_digit()));
    let pattern = b"dddd-dd-ddTdd:dd:dd";
    let fits = whole.len() == pattern.len()
        && whole.bytes().zip(pattern).all(
            |(c, p)| {
                if *p == b'd' { c.is_ascii_digit() } else { c == *p }
            },
        );
    if !fits || !is_fraction {
        return false;
    }
    let part = |range| whole.get(range).and_then(|t: &str| t.parse::<u32>().ok()).unwrap_or(99);
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let (hour, minute, second) = (part(11..13), part(14..16), part(17..19));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return false,
    };
    let is_leap_second =
        (hour, minute, second) == (23, 59, 60) && matches!((month, day), (6, 30) | (12, 31));
    (1..=days).contains(&day) && (hour < 24 && minute < 60 && second < 60 || is_leap_second)
}

/// Whether a text is a number of a minor planet, a numbered comet or a satellite.
fn is_perm_id(text: &str) -> bool {
    let is_digits = |t: &str| !t.is_empty() && t.bytes().all(|c| c.is_ascii_digit());
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() < text.len() {
        let Some(after) = rest.strip_prefix(['I', 'P', 'D']) else { return rest.is_empty() };
        let is_part = |part: &str| {
            (1..=2).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_uppercase())
        };
        return after.is_empty() || after.strip_prefix('-').is_some_and(is_part);
    }
    let Some((planet, number)) = text.split_once(' ') else { return false };
    let is_planet = matches!(planet, "Mars" | "Jupiter" | "Saturn" | "Uranus" | "Neptune");
    let body = planet.strip_prefix('(').and_then(|p| p.strip_suffix(')'));
    (is_planet || body.is_some_and(is_digits)) && is_digits(number) && number.len() <= 3
}

/// Whether a text is a provisional designation; those of satellites by their first letters only.
fn is_prov_id(text: &str) -> bool {
    if let Some(satellite) = text.strip_prefix("S/") {
        return satellite.len() > 5;
    }
    let comet = text.split_once('/');
    let is_comet = comet.is_some_and(|(kind, _)| matches!(kind, "A" | "D" | "C" | "P" | "X"));
    let rest = comet.map_or(text, |(_, rest)| rest);
    let Some((year, code)) = rest.split_once(' ') else { return false };
    if year.len() != 4 || !year.bytes().all(|c| c.is_ascii_digit()) {
        return false;
    }
    if is_comet {
        let (code, part) = code.split_once('-').map_or((code, None), |(c, p)| (c, Some(p)));
        let order = code.trim_start_matches(|c: char| c.is_ascii_uppercase());
        let n_letters = code.len() - order.len();
        return (1..=2).contains(&n_letters)
            && order.bytes().all(|c| c.is_ascii_digit())
            && part.is_none_or(|p| p.len() == 1 && p.bytes().all(|c| c.is_ascii_uppercase()));
    }
    if comet.is_some() {
        return false;
    }
    if matches!(code, "P-L" | "T-1" | "T-2" | "T-3") {
        return true;
    }
    let mut letters = code.bytes();
    let half_month = letters.next().is_some_and(|c| matches!(c, b'A'..=b'H' | b'J'..=b'Y'));
    let order = letters.next().is_some_and(|c| matches!(c, b'A'..=b'H' | b'J'..=b'Z'));
    half_month && order && letters.all(|c| c.is_ascii_digit())
}

//! Numbers and provisional designations of minor planets and comets, unpacked and packed.
//!
//! Source: Minor Planet Center, "Packed Provisional and Permanent Designations" and "Extended
//! Packed Provisional Designations". Numbers are five characters: digits up to 99,999, then a
//! letter for the first two digits, from 620,000 on `~` and four digits to the base 62. Provisional
//! ones are seven: century letter, year, half-month letter, cycle, letter; beyond cycle 619 `_`,
//! year letter, half-month letter and four digits to the base 62. Natural satellites are not known.

use std::fmt;

/// Digits to the base 62 in order.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// First number that is packed with `~`.
const TILDE_FIRST: u32 = 620_000;
/// Largest number with a packed form: 620,000 + 62^4 - 1.
pub const NUMBER_MAX: u32 = TILDE_FIRST + 62 * 62 * 62 * 62 - 1;
/// First cycle that is packed in the extended form.
const EXTENDED_FIRST: u32 = 620;
/// Letters that count objects within a cycle: the alphabet without I.
const LETTERS: u32 = 25;
/// Years with a century letter that is in use.
const YEARS: std::ops::Range<u16> = 1800..2200;
/// First year of the present style; older ones are written with an A: `A904 OA`.
const PRESENT_STYLE_YEAR: u16 = 1925;

/// What names an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Designation {
    /// A numbered minor planet.
    Number(u32),
    /// A minor planet by half-month and order, as `2014 AA`.
    Provisional(Provisional),
    /// A minor planet of the Palomar-Leiden surveys, as `2040 P-L`.
    Survey {
        /// Its number in the survey.
        number: u32,
        /// Which survey.
        survey: Survey,
    },
    /// A comet or another object named like one.
    Comet(Comet),
}

/// A provisional designation of a minor planet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provisional {
    year: u16,
    half_month: u8,
    letter: u8,
    cycle: u32,
}

/// A survey that named its objects itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survey {
    /// Palomar-Leiden, 1960.
    PalomarLeiden,
    /// Trojan surveys of 1971, 1973 and 1977: 1, 2 or 3.
    Trojan(u8),
}

/// A comet: its number, or its provisional designation, and the fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comet {
    kind: u8,
    body: CometBody,
    fragment: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CometBody {
    Number(u16),
    /// Year, half-month letter, order: `2023 A3`.
    Order(u16, u8, u32),
    /// Found as a minor planet: `2019 LD2`.
    Planet(Provisional),
}

impl Designation {
    /// The designation that a name begins with or is: `22767 Sim22767`, `(433) Eros`, `2014 AA`,
    /// `12P/Pons-Brooks`, `C/2023 A3 (Tsuchinshan-ATLAS)`; `None` when it names nothing so.
    pub fn from_name(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(provisional) = Provisional::parse(text) {
            return Some(Self::Provisional(provisional));
        }
        if let Some(comet) = Comet::parse(text) {
            return Some(Self::Comet(comet));
        }
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let bare = first.strip_prefix('(').and_then(|n| n.strip_suffix(')')).unwrap_or(first);
        let number: u32 = digits(bare)?;
        if let Some(survey) = Survey::parse(rest.trim()) {
            return Some(Self::Survey { number, survey });
        }
        (1..=NUMBER_MAX).contains(&number).then_some(Self::Number(number))
    }

    /// The designation of a packed text: a number (5), a provisional one (7), or the first twelve
    /// columns of an observation; blanks around it do not count.
    pub fn from_packed(text: &str) -> Option<Self> {
        if text.len() == 12 && text.is_ascii() {
            let (number, rest) = (text.get(..5)?, text.get(5..)?);
            let kind = number.bytes().last()?;
            if matches!(kind, b'P' | b'C' | b'D' | b'X' | b'A' | b'I') && !is_number(number) {
                return Comet::unpack(kind, number.get(..4)?.trim(), rest).map(Self::Comet);
            }
            let number = number.trim();
            return Self::from_packed(if number.is_empty() { rest.trim() } else { number });
        }
        let bytes = text.trim().as_bytes();
        match bytes.len() {
            5 => unpacked_number(bytes).map(Self::Number),
            7 => {
                unpacked_survey(bytes).or_else(|| Provisional::unpack(bytes).map(Self::Provisional))
            }
            _ => None,
        }
    }

    /// The first twelve columns of an observation: number, then provisional designation.
    pub fn columns(&self) -> String {
        match self {
            Self::Number(number) => format!("{:<12}", packed_number(*number)),
            Self::Provisional(provisional) => format!("     {}", provisional.packed()),
            Self::Survey { number, survey } => format!("     {}{number:04}", survey.code()),
            Self::Comet(comet) => comet.columns(),
        }
    }

    /// The number as the exchange format's `permID` has it.
    pub fn perm_id(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Comet(comet) if comet.number().is_some() => Some(comet.to_string()),
            _ => None,
        }
    }

    /// The provisional designation as the exchange format's `provID` has it; none before 1925.
    pub fn prov_id(&self) -> Option<String> {
        match self {
            Self::Provisional(p) if p.year >= PRESENT_STYLE_YEAR => Some(p.to_string()),
            Self::Survey { .. } => Some(self.to_string()),
            Self::Comet(comet) if comet.number().is_none() => Some(comet.to_string()),
            _ => None,
        }
    }
}

/// As people write it, without a name.
impl fmt::Display for Designation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Provisional(provisional) => provisional.fmt(f),
            Self::Survey { number, survey: Survey::PalomarLeiden } => write!(f, "{number} P-L"),
            Self::Survey { number, survey: Survey::Trojan(n) } => write!(f, "{number} T-{n}"),
            Self::Comet(comet) => comet.fmt(f),
        }
    }
}

impl Provisional {
    /// Reads `1999 AN10` or `A904 OA`.
    fn parse(text: &str) -> Option<Self> {
        let (year, code) = text.split_once(' ')?;
        let bytes = code.as_bytes();
        let (half_month, letter) = (*bytes.first()?, *bytes.get(1)?);
        let cycle = code.get(2..)?;
        let cycle = if cycle.is_empty() { 0 } else { digits(cycle)? };
        let is_old = year.starts_with('A');
        let year = match year.strip_prefix('A') {
            Some(rest) if rest.len() == 3 => 1000 + digits::<u16>(rest)?,
            None if year.len() == 4 => digits(year)?,
            _ => return None,
        };
        let is_of_style = is_old == (year < PRESENT_STYLE_YEAR);
        Self::checked(year, half_month, letter, cycle).filter(|_| is_of_style)
    }

    fn checked(year: u16, half_month: u8, letter: u8, cycle: u32) -> Option<Self> {
        let is_letter = |c: u8, last| (b'A'..=last).contains(&c) && c != b'I';
        let is_one =
            YEARS.contains(&year) && is_letter(half_month, b'Y') && is_letter(letter, b'Z');
        let one = Self { year, half_month, letter, cycle };
        // What has no packed form is none.
        (is_one && (cycle < EXTENDED_FIRST || one.extended().is_some())).then_some(one)
    }

    /// The seven characters.
    fn packed(self) -> String {
        let text = |bytes: &[u8]| bytes.iter().map(|c| char::from(*c)).collect::<String>();
        if let Some(extended) = self.extended() {
            return text(&extended);
        }
        let (century, year) = (self.year / 100, self.year % 100);
        let tens = BASE62[(self.cycle / 10) as usize];
        let ones = BASE62[(self.cycle % 10) as usize];
        let head = [b'A' + (century - 10) as u8];
        text(&head) + &format!("{year:02}") + &text(&[self.half_month, tens, ones, self.letter])
    }

    /// The extended form, when the cycle needs it and the year has one.
    fn extended(self) -> Option<[u8; 7]> {
        let cycle = self.cycle.checked_sub(EXTENDED_FIRST)?;
        let year = usize::from(self.year.checked_sub(2000)?);
        let count = cycle.checked_mul(LETTERS)?.checked_add(letter_index(self.letter))?;
        let [a, b, c, d] = base62(count)?;
        Some([b'_', *BASE62.get(year)?, self.half_month, a, b, c, d])
    }

    /// Reads the seven characters.
    fn unpack(bytes: &[u8]) -> Option<Self> {
        let [first, second, third, fourth, fifth, sixth, last] = *bytes else { return None };
        if first == b'_' {
            let count = from_base62(&[fourth, fifth, sixth, last])?;
            let year = 2000 + from_base62(&[second])? as u16;
            let letter = letter_of(count % LETTERS);
            return Self::checked(year, third, letter, EXTENDED_FIRST + count / LETTERS);
        }
        let century = (b'I'..=b'L').contains(&first).then(|| u16::from(first - b'A') + 10)?;
        let digit = |c: u8| c.is_ascii_digit().then(|| u32::from(c - b'0'));
        let year = century * 100 + (digit(second)? * 10 + digit(third)?) as u16;
        let cycle = from_base62(&[fifth])? * 10 + digit(sixth)?;
        Self::checked(year, fourth, last, cycle)
    }
}

impl fmt::Display for Provisional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.year < PRESENT_STYLE_YEAR {
            write!(f, "A{:03} ", self.year % 1000)?;
        } else {
            write!(f, "{} ", self.year)?;
        }
        write!(f, "{}{}", char::from(self.half_month), char::from(self.letter))?;
        if self.cycle > 0 { write!(f, "{}", self.cycle) } else { Ok(()) }
    }
}

impl Survey {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "P-L" => Some(Self::PalomarLeiden),
            "T-1" => Some(Self::Trojan(1)),
            "T-2" => Some(Self::Trojan(2)),
            "T-3" => Some(Self::Trojan(3)),
            _ => None,
        }
    }

    fn code(self) -> String {
        match self {
            Self::PalomarLeiden => "PLS".to_owned(),
            Self::Trojan(n) => format!("T{n}S"),
        }
    }
}

impl Comet {
    fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once('/').unwrap_or((text, ""));
        let kinds = |kind: u8| matches!(kind, b'P' | b'C' | b'D' | b'X' | b'A' | b'I');
        if let [kind] = *head.as_bytes() {
            let mut words = rest.split_whitespace();
            let (year, code) = (words.next()?, words.next()?);
            let (code, fragment) = code.split_once('-').unwrap_or((code, ""));
            let body = Provisional::parse(&format!("{year} {code}")).map(CometBody::Planet);
            let order = || {
                let half_month = *code.as_bytes().first()?;
                Self::ordered(digits(year)?, half_month, digits(code.get(1..)?)?)
            };
            let body = body.or_else(order)?;
            let comet = Self { kind, body, fragment: fragment.to_owned() };
            return comet.checked().filter(|_| kinds(kind) && rest.starts_with(year));
        }
        let (numbered, fragment) = head.split_once('-').unwrap_or((head, ""));
        let kind = *numbered.as_bytes().last()?;
        let number = digits(numbered.get(..numbered.len() - 1)?)?;
        let comet = Self { kind, body: CometBody::Number(number), fragment: fragment.to_owned() };
        comet
            .checked()
            .filter(|_| matches!(kind, b'P' | b'D' | b'I') && (1..=9999).contains(&number))
    }

    fn ordered(year: u16, half_month: u8, order: u32) -> Option<CometBody> {
        let is_half = (b'A'..=b'Y').contains(&half_month) && half_month != b'I';
        (is_half && (1..EXTENDED_FIRST).contains(&order) && YEARS.contains(&year))
            .then_some(CometBody::Order(year, half_month, order))
    }

    /// Only what has a packed form: short fragments, and one letter beside an order.
    fn checked(self) -> Option<Self> {
        let longest = if matches!(self.body, CometBody::Number(_)) { 2 } else { 1 };
        let is_letters = self.fragment.bytes().all(|c| c.is_ascii_uppercase());
        // A planet's last column holds its letter, so there is no room for a fragment.
        let has_room = self.fragment.is_empty() || !matches!(self.body, CometBody::Planet(_));
        (is_letters && has_room && self.fragment.len() <= longest).then_some(self)
    }

    fn number(&self) -> Option<u16> {
        if let CometBody::Number(number) = self.body { Some(number) } else { None }
    }

    fn columns(&self) -> String {
        let (kind, fragment) = (char::from(self.kind), self.fragment.to_ascii_lowercase());
        match self.body {
            CometBody::Number(number) => format!("{number:04}{kind}{fragment:>7}"),
            CometBody::Planet(planet) => format!("    {kind}{}", planet.packed()),
            CometBody::Order(year, half_month, order) => {
                let century = char::from(b'A' + (year / 100 - 10) as u8);
                let tens = char::from(BASE62[(order / 10) as usize]);
                let fragment = if fragment.is_empty() { "0" } else { &fragment };
                let (half_month, ones, year) = (char::from(half_month), order % 10, year % 100);
                format!("    {kind}{century}{year:02}{half_month}{tens}{ones}{fragment}")
            }
        }
    }

    fn unpack(kind: u8, number: &str, rest: &str) -> Option<Self> {
        if !number.is_empty() {
            let fragment = rest.trim().to_ascii_uppercase();
            return Self { kind, body: CometBody::Number(digits(number)?), fragment }.checked();
        }
        let bytes = rest.as_bytes();
        let last = *bytes.last()?;
        if last.is_ascii_uppercase() || rest.starts_with('_') {
            let body = CometBody::Planet(Provisional::unpack(bytes)?);
            return Some(Self { kind, body, fragment: String::new() });
        }
        let fragment = if last == b'0' { String::new() } else { char::from(last).to_string() };
        let [century, ..] = *bytes else { return None };
        let century = (b'I'..=b'L').contains(&century).then(|| u16::from(century - b'A') + 10)?;
        let year = century * 100 + digits::<u16>(rest.get(1..3)?)?;
        let order = from_base62(&[*bytes.get(4)?])? * 10 + digits::<u32>(rest.get(5..6)?)?;
        let body = Self::ordered(year, *bytes.get(3)?, order)?;
        Self { kind, body, fragment: fragment.to_ascii_uppercase() }.checked()
    }
}

impl fmt::Display for Comet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = char::from(self.kind);
        match self.body {
            CometBody::Number(number) => write!(f, "{number}{kind}")?,
            CometBody::Planet(planet) => write!(f, "{kind}/{planet}")?,
            CometBody::Order(year, half_month, order) => {
                write!(f, "{kind}/{year} {}{order}", char::from(half_month))?;
            }
        }
        if self.fragment.is_empty() { Ok(()) } else { write!(f, "-{}", self.fragment) }
    }
}

/// A text of digits and nothing else as a number.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_number = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Whether five columns hold a minor planet's number and not a comet's kind.
fn is_number(text: &str) -> bool {
    text.len() == 5 && unpacked_number(text.as_bytes()).is_some()
}

fn packed_number(number: u32) -> String {
    let Some(beyond) = number.checked_sub(TILDE_FIRST) else {
        let head = char::from(BASE62[(number / 10_000) as usize]);
        return format!("{head}{:04}", number % 10_000);
    };
    let tail = base62(beyond).expect("numbers are at most NUMBER_MAX");
    std::iter::once('~').chain(tail.into_iter().map(char::from)).collect()
}

fn unpacked_number(bytes: &[u8]) -> Option<u32> {
    let [first, rest @ ..] = bytes else { return None };
    if *first == b'~' {
        return Some(TILDE_FIRST + from_base62(rest)?).filter(|_| rest.len() == 4);
    }
    let rest: u32 = digits(std::str::from_utf8(rest).ok()?)?;
    let number = from_base62(&[*first])? * 10_000 + rest;
    (number > 0).then_some(number)
}

fn unpacked_survey(bytes: &[u8]) -> Option<Designation> {
    let (code, number) = bytes.split_at_checked(3)?;
    let survey = match code {
        b"PLS" => Survey::PalomarLeiden,
        b"T1S" => Survey::Trojan(1),
        b"T2S" => Survey::Trojan(2),
        b"T3S" => Survey::Trojan(3),
        _ => return None,
    };
    let number = digits(std::str::from_utf8(number).ok()?)?;
    Some(Designation::Survey { number, survey })
}

/// Four digits to the base 62; `None` when there are more.
fn base62(mut value: u32) -> Option<[u8; 4]> {
    let mut digits = [b'0'; 4];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(value % 62) as usize];
        value /= 62;
    }
    (value == 0).then_some(digits)
}

/// At most four digits to the base 62 as a number.
fn from_base62(digits: &[u8]) -> Option<u32> {
    if digits.len() > 4 {
        return None;
    }
    digits.iter().try_fold(0, |value, digit| {
        let digit = BASE62.iter().position(|c| c == digit)?;
        Some(value * 62 + digit as u32)
    })
}

/// Place of a letter in the alphabet without I.
fn letter_index(letter: u8) -> u32 {
    u32::from(letter - b'A') - u32::from(letter > b'I')
}

/// The letter at a place of the alphabet without I.
fn letter_of(index: u32) -> u8 {
    let letter = b'A' + index as u8;
    if letter >= b'I' { letter + 1 } else { letter }
}

#[cfg(test)]
mod tests;

//! Choosing the instrument profile by a header.

use super::lookup::plain_text;
use super::profile::{Condition, Match, Profile};
use super::shipped::generic;
use crate::formats::fits::Header;

/// The profile whose rules fit a header best.
///
/// * `profiles`: candidates; among equally specific ones the first wins, so the user's own go
///   before the shipped ones.
/// * Returns the profile with the most conditions in an entry of `matches` that holds; one
///   without entries counts as zero conditions; the shipped `generic` when nothing fits.
pub fn choose_profile<'a>(header: &Header, profiles: &'a [Profile]) -> &'a Profile {
    let mut best: Option<(usize, &Profile)> = None;
    for profile in profiles {
        let Some(specificity) = specificity(header, profile) else {
            continue;
        };
        if best.is_none_or(|(most, _)| specificity > most) {
            best = Some((specificity, profile));
        }
    }
    match best {
        Some((_, profile)) => profile,
        None => generic(),
    }
}

/// Conditions of the longest entry of `matches` that holds; `None` when none does.
pub(super) fn specificity(header: &Header, profile: &Profile) -> Option<usize> {
    if profile.matches.is_empty() {
        return Some(0);
    }
    let holds =
        |entry: &&Match| entry.all.iter().all(|condition| condition_holds(header, condition));
    profile.matches.iter().filter(holds).map(|entry| entry.all.len()).max()
}

fn condition_holds(header: &Header, condition: &Condition) -> bool {
    let Some(value) = plain_text(header, &condition.keyword) else {
        return false;
    };
    condition.values.is_empty() || any_fits(&condition.values, &value)
}

/// Whether one of the patterns fits the value.
pub(super) fn any_fits(patterns: &[String], value: &str) -> bool {
    patterns.iter().any(|pattern| pattern_fits(pattern, value))
}

/// Whether a pattern with `*` (any text) and `?` (any character) fits a whole value.
///
/// Case and blanks around do not count. Linear in memory; time at most the product of lengths.
pub fn pattern_fits(pattern: &str, value: &str) -> bool {
    let pattern: Vec<char> = pattern.trim().to_lowercase().chars().collect();
    let value: Vec<char> = value.trim().to_lowercase().chars().collect();
    let (mut p, mut v) = (0, 0);
    // Where to go on when a `*` must take one character more.
    let mut retry: Option<(usize, usize)> = None;
    while v < value.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, v));
                p += 1;
            }
            Some(&c) if c == '?' || c == value[v] => {
                p += 1;
                v += 1;
            }
            _ => {
                let Some((star, taken)) = retry else {
                    return false;
                };
                retry = Some((star, taken + 1));
                p = star + 1;
                v = taken + 1;
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|&c| c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_ignore_case_and_blanks() {
        assert!(pattern_fits("light*", "  Light Frame "));
        assert!(pattern_fits("", "   "));
        assert!(pattern_fits("*flat*", "SKYFLAT"));
        assert!(pattern_fits("d?rk", "dark"));
        assert!(pattern_fits("a*b*c", "aXbXbc"));
        assert!(!pattern_fits("bias", "biases"));
        assert!(!pattern_fits("*b", "abc"));
        assert!(!pattern_fits("?", ""));
    }
}

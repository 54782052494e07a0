//! Letters made of strokes, for the pictures of the mail: drawn by hand on a grid, no font file.
//!
//! A letter is 4 units wide; capitals reach from row 0 to the base line at row 6, small letters
//! begin at row 2, tails end at row 8. Strokes are lists of points `xy`, parted by `|`; a stroke
//! that ends where it begins is a dot.

/// From one letter to the next [units].
pub(super) const ADVANCE: f64 = 5.8;
/// Height of a capital [units].
pub(super) const CAPITAL: f64 = 6.0;

/// The strokes of a letter; none for a blank and for letters that are not drawn.
pub(super) fn strokes(letter: char) -> Vec<Vec<(f64, f64)>> {
    let digit = |c: char| c.to_digit(10).map(f64::from);
    let point = |pair: &str| {
        let mut digits = pair.chars().filter_map(digit);
        Some((digits.next()?, digits.next()?))
    };
    let points = |stroke: &str| stroke.split(' ').filter_map(point).collect();
    drawn(letter).split('|').filter(|stroke| !stroke.is_empty()).map(points).collect()
}

/// How a letter is drawn.
const fn drawn(letter: char) -> &'static str {
    match letter {
        'A'..='Z' => capital(letter),
        'a'..='z' => small(letter),
        _ => sign(letter),
    }
}

const fn capital(letter: char) -> &'static str {
    match letter {
        'A' => "06 20 46|14 34",
        'B' => "00 06 36 45 44 33 03|33 42 41 30 00",
        'C' => "41 30 10 01 05 16 36 45",
        'D' => "00 06 26 44 42 20 00",
        'E' => "40 00 06 46|03 33",
        'F' => "40 00 06|03 33",
        'G' => "41 30 10 01 05 16 36 45 43 23",
        'H' => "00 06|40 46|03 43",
        'I' => "20 26|10 30|16 36",
        'J' => "40 45 36 16 05",
        'K' => "00 06|40 03 46",
        'L' => "00 06 46",
        'M' => "06 00 23 40 46",
        'N' => "06 00 46 40",
        'O' => "10 30 41 45 36 16 05 01 10",
        'P' => "06 00 30 41 42 33 03",
        'Q' => "10 30 41 45 36 16 05 01 10|34 46",
        'R' => "06 00 30 41 42 33 03|23 46",
        'S' => "41 30 10 01 02 13 33 44 45 36 16 05",
        'T' => "00 40|20 26",
        'U' => "00 05 16 36 45 40",
        'V' => "00 26 40",
        'W' => "00 16 22 36 40",
        'X' => "00 46|40 06",
        'Y' => "00 23 40|23 26",
        'Z' => "00 40 06 46",
        _ => "",
    }
}

const fn small(letter: char) -> &'static str {
    match letter {
        'a' => "12 32 43 46|44 14 05 16 36 45",
        'b' => "00 06|03 12 32 43 45 36 16 05",
        'c' => "43 32 12 03 05 16 36 45",
        'd' => "40 46|43 32 12 03 05 16 36 45",
        'e' => "04 44 43 32 12 03 05 16 36 45",
        'f' => "40 30 21 26|12 32",
        'g' => "42 47 38 18 07|43 32 12 03 05 16 36 45",
        'h' => "00 06|03 12 32 43 46",
        'i' => "22 26|20 20",
        'j' => "22 27 18 08|20 20",
        'k' => "00 06|32 04 36",
        'l' => "20 26",
        'm' => "02 06|03 12 23 26|23 32 43 46",
        'n' => "02 06|03 12 32 43 46",
        'o' => "12 32 43 45 36 16 05 03 12",
        'p' => "02 08|03 12 32 43 45 36 16 05",
        'q' => "42 48|43 32 12 03 05 16 36 45",
        'r' => "02 06|04 22 32",
        's' => "42 12 03 14 34 45 36 06",
        't' => "10 15 26 36|02 32",
        'u' => "02 05 16 36 45|42 46",
        'v' => "02 26 42",
        'w' => "02 16 23 36 42",
        'x' => "02 46|42 06",
        'y' => "02 26|42 18 08",
        'z' => "02 42 06 46",
        _ => "",
    }
}

const fn sign(letter: char) -> &'static str {
    match letter {
        '0' => "10 30 41 45 36 16 05 01 10",
        '1' => "11 20 26|16 36",
        '2' => "01 10 30 41 42 06 46",
        '3' => "01 10 30 41 42 33 13|33 44 45 36 16 05",
        '4' => "36 30 04 44",
        '5' => "40 00 03 33 44 45 36 06",
        '6' => "40 20 02 05 16 36 45 44 33 13 04",
        '7' => "00 40 16",
        '8' => "13 02 01 10 30 41 42 33 13 04 05 16 36 45 44 33",
        '9' => "06 26 44 41 30 10 01 02 13 33 42",
        '.' => "26 26",
        ',' => "25 17",
        ':' => "23 23|26 26",
        '-' | '–' => "14 34",
        '+' => "04 44|22 26",
        '/' => "06 40",
        '(' => "30 21 25 36",
        ')' => "10 21 25 16",
        '[' => "30 10 16 36",
        ']' => "10 30 36 16",
        '=' => "03 43|05 45",
        '%' => "06 40|11 11|35 35",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_letters_are_drawn_on_the_grid_and_differ() {
        let letters = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(".,:-+/()[]=%".chars());
        let mut seen = BTreeSet::new();
        for letter in letters {
            let strokes = strokes(letter);
            assert!(!strokes.is_empty(), "{letter}");
            // O and 0 may look alike.
            assert!(seen.insert(drawn(letter)) || letter == '0', "{letter}");
            for (x, y) in strokes.concat() {
                assert!((0.0..=4.0).contains(&x) && (0.0..=8.0).contains(&y), "{letter}");
            }
        }
        assert!(strokes(' ').is_empty() && strokes('\u{fffd}').is_empty());
    }
}

//! Whether a header says that a simulator made the frame.
//!
//! Frames that no sky was seen on must never be reported as observations. Our own simulator says
//! so by the keyword SIMULATD; camera and telescope simulators of others (ASCOM, INDI, MaxIm) by
//! the names they give themselves: `CCD Simulator`, `SIMCAM`, `Sim Observatory`.

use super::lookup::Reader;

/// Keyword that says it outright; `F` and `0` say the contrary.
const KEYWORD: &str = "SIMULATD";
/// Keywords with names of equipment and place.
const NAMES: [&str; 4] = ["INSTRUME", "TELESCOP", "OBSERVAT", "DETECTOR"];

/// Tells whether a header names a simulator.
pub(super) fn is_simulated(reader: &Reader<'_>) -> bool {
    let outright = reader.text(KEYWORD).is_some_and(|value| !matches!(&*value, "F" | "0"));
    outright || NAMES.iter().any(|key| reader.text(key).is_some_and(|name| names_simulator(&name)))
}

/// Tells whether the name of equipment is that of a simulator: a word `sim`, `simcam` or
/// `simul...`.
pub fn names_simulator(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "sim" | "simcam") || word.starts_with("simul"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::fits::Header;

    #[test]
    fn simulators_are_known_by_their_names() {
        for name in ["SIMCAM", "CCD Simulator", "SIM 0.45m f/2.8", "Sim Observatory", "ASCOM.SIM"] {
            assert!(names_simulator(name), "{name}");
        }
        for name in ["", "QHY600", "Simeis", "Simon's CCD", "Tektronix", "SBIG STX-16803", "SIMBA"]
        {
            assert!(!names_simulator(name), "{name}");
        }
    }

    #[test]
    fn the_keyword_says_it_outright() {
        for (value, expected) in [("autossos", true), ("T", true), ("F", false), ("0", false)] {
            let mut header = Header::new();
            header.set("SIMULATD", value, "");
            header.set("INSTRUME", "QHY600", "");
            assert_eq!(is_simulated(&Reader::new(&header)), expected, "{value}");
        }
        let mut header = Header::new();
        header.set("OBSERVAT", "Sim Observatory", "");
        assert!(is_simulated(&Reader::new(&header)), "the simulated nights shared with others");
        assert!(!is_simulated(&Reader::new(&Header::new())));
    }
}

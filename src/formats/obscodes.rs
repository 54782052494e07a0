//! Where observatories stand: the Minor Planet Center's list of codes, extended form (JSON).
//!
//! An object per code with `Longitude` [deg, east], `cos` and `sin` (distance from the Earth's axis
//! and from the plane of its equator, in radii of the equator), plain or gzip'd. Space telescopes
//! and roving observers have none of them and are left out.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;

use crate::science::orbit::observer::Observer;

/// Most codes that are read; 62^3 could be given.
const CODES_MAX: usize = 250_000;
/// Largest list [bytes].
const BYTES_MAX: u64 = 64 << 20;
/// First bytes of a gzip'd file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Observatories are on the Earth: no constant is larger [radii].
const RATIO_MAX: f64 = 1.01;

/// The list cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObscodesError {
    /// Not JSON.
    #[error("the list of observatory codes is no JSON")]
    Json(#[from] serde_json::Error),
    /// JSON, but not a list of codes.
    #[error("the list of observatory codes is not in the extended form of the Minor Planet Center")]
    Form,
}

/// Reads the list: observers by code.
pub fn read_obscodes(bytes: &[u8]) -> Result<BTreeMap<String, Observer>, ObscodesError> {
    let mut plain = Vec::new();
    let read = if bytes.starts_with(&GZIP) {
        flate2::read::MultiGzDecoder::new(bytes).take(BYTES_MAX).read_to_end(&mut plain)
    } else {
        bytes.take(BYTES_MAX).read_to_end(&mut plain)
    };
    read.map_err(|_| ObscodesError::Form)?;
    let Value::Object(codes) = serde_json::from_slice(&plain)? else {
        return Err(ObscodesError::Form);
    };
    let number = |value: Option<&Value>| match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let observer = |entry: &Value| {
        let ratio = |key: &str| number(entry.get(key)).filter(|v| v.abs() <= RATIO_MAX);
        let longitude_deg = number(entry.get("Longitude").or_else(|| entry.get("longitude")))
            .filter(|deg| deg.abs() <= 360.0)?;
        Some(Observer::at_parallax(longitude_deg, ratio("cos")?, ratio("sin")?))
    };
    let found: BTreeMap<String, Observer> = codes
        .iter()
        .take(CODES_MAX)
        .filter(|(code, _)| code.len() == 3)
        .filter_map(|(code, entry)| Some((code.clone(), observer(entry)?)))
        .collect();
    if found.is_empty() { Err(ObscodesError::Form) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_with_a_place_are_observers() {
        let text = r#"{
            "000": {"Longitude": 0.0, "cos": 0.62411, "sin": 0.77873, "Name": "Greenwich"},
            "247": {"Name": "Roving Observer"},
            "500": {"Longitude": "0.0", "cos": "0.0", "sin": "0.0"},
            "X99": {"Longitude": 10.0, "cos": 7.0, "sin": 0.1},
            "long": {"Longitude": 10.0, "cos": 0.7, "sin": 0.7}
        }"#;
        let codes = read_obscodes(text.as_bytes()).expect("a list");
        assert_eq!(codes.keys().collect::<Vec<_>>(), ["000", "500"]);
        assert_eq!(codes["000"], Observer::at_parallax(0.0, 0.624_11, 0.778_73));
        assert_eq!(codes["500"], Observer::GEOCENTRE);
    }

    #[test]
    fn other_texts_are_refused() {
        assert!(matches!(read_obscodes(b"<html>"), Err(ObscodesError::Json(_))));
        for other in ["[]", "{}", r#"{"error": "none"}"#, "7"] {
            assert!(matches!(read_obscodes(other.as_bytes()), Err(ObscodesError::Form)), "{other}");
        }
    }
}

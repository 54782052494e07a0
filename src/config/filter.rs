//! `[filter]`: the cuts of ssos, for those who want them.

use super::check::Checker;
use super::error::ConfigError;
use super::raw::RawFilter;
use crate::science::movers::filters::{Filter, MotionTest};

/// Names of the cuts.
const NAMES: [&str; 6] =
    ["detections", "proper_motion", "motion", "pixel", "trail", "bright_sources"];

/// Checks the section; the cuts in their order.
pub(super) fn filter(raw: RawFilter, checker: &Checker<'_>) -> Result<Vec<Filter>, ConfigError> {
    let is_name = |name: &str| NAMES.contains(&name);
    let form = "of \"detections\", \"proper_motion\", \"motion\", \"pixel\", \"trail\" and \
                \"bright_sources\"";
    let chain = checker.texts("filter.chain", raw.chain.clone(), is_name, form)?;
    let all = limits(&raw, checker)?;
    let of_name = |name: &String| all.iter().find(|filter| filter.name() == name).cloned();
    Ok(chain.iter().filter_map(of_name).collect())
}

/// All cuts with their limits, wanted or not: a mistake is told even while a cut is not used.
fn limits(raw: &RawFilter, checker: &Checker<'_>) -> Result<[Filter; 6], ConfigError> {
    let number = |key, value, default, range| checker.number(key, value, default, range);
    let gap = number("filter.gap_factor", raw.gap_factor, 0.0, 0.0..=100.0)?;
    let is_list = |text: &str| numbers(text).is_some();
    let wanted = raw.unwanted_detections.clone().unwrap_or_else(|| "1,2,3".to_owned());
    let form = "whole numbers with commas between, as \"1,2,3\"";
    let text = checker.text("filter.unwanted_detections", wanted, is_list, form)?;
    let unwanted = numbers(&text).unwrap_or_default();
    Ok([
        Filter::Detections { unwanted },
        Filter::ProperMotion {
            low_arcsec_per_h: number(
                "filter.rate_low_arcsec_per_h",
                raw.rate_low_arcsec_per_h,
                0.0,
                0.0..=36_000.0,
            )?,
            up_arcsec_per_h: number(
                "filter.rate_up_arcsec_per_h",
                raw.rate_up_arcsec_per_h,
                300.0,
                0.0..=36_000.0,
            )?,
            snr_min: number("filter.rate_snr_min", raw.rate_snr_min, 0.5, 0.0..=1e6)?,
        },
        Filter::Motion(MotionTest {
            r2_ratio_min: number("filter.r2_ratio_min", raw.r2_ratio_min, 0.95, 0.0..=1.0)?,
            gap_factor: (gap > 0.0).then_some(gap),
        }),
        Filter::Pixel {
            shift_min_px: number("filter.shift_min_px", raw.shift_min_px, 2.0, 0.0..=1000.0)?,
        },
        Filter::Trail {
            ratio_min: number("filter.trail_ratio_min", raw.trail_ratio_min, 0.25, 0.0..=1000.0)?,
        },
        Filter::BrightSources {
            mag_range: (
                number("filter.bright_mag_min", raw.bright_mag_min, -99.0, -99.0..=99.0)?,
                number("filter.bright_mag_max", raw.bright_mag_max, 6.0, -99.0..=99.0)?,
            ),
            distance_arcsec: number(
                "filter.bright_distance_arcsec",
                raw.bright_distance_arcsec,
                50.0,
                0.0..=36_000.0,
            )?,
        },
    ])
}

/// Whole numbers between commas; an empty text is an empty list.
fn numbers(text: &str) -> Option<Vec<usize>> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::config::tests::load_text;
    use crate::science::movers::filters::Filter;

    #[test]
    fn cuts_come_in_the_order_written_and_none_by_default() {
        assert!(Config::default().filters.is_empty());
        let text = "[filter]\nchain = [\"pixel\", \"detections\"]\nshift_min_px = 3.0\n\
                    unwanted_detections = \"1, 2\"\n";
        let config = load_text(text).expect("a configuration");
        let expected =
            [Filter::Pixel { shift_min_px: 3.0 }, Filter::Detections { unwanted: vec![1, 2] }];
        assert_eq!(config.filters, expected);
        assert!(load_text("[filter]\nchain = [\"pixels\"]\n").is_err());
        assert!(load_text("[filter]\nr2_min = 1.5\n").is_err());
        assert!(load_text("[filter]\nunwanted_detections = \"one\"\n").is_err());
    }
}

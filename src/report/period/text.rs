//! A period in words: for the terminal, and the file that scripts of the seeds read.

use std::fmt::Write as _;

use super::facts::PeriodFacts;
use crate::report::words::printable;

/// The text of `NAME_period.txt`: for each iteration the best sine as the seeds wrote it, with the
/// unit that the number has (theirs were hours, labelled days), then the rotation period.
pub fn period_file(facts: &PeriodFacts) -> String {
    let mut text = String::new();
    for (i, sine) in facts.sines.iter().enumerate() {
        let error = sine.period_err_h.map_or_else(|| "unknown".to_owned(), |e| format!("{e:.8}"));
        put(&mut text, format_args!("\n Iteration:{}\n", i + 1));
        put(&mut text, format_args!("Best period: {:.8} +/- {error} hours\n", sine.period_h));
        put(&mut text, format_args!("False alarm probability: {:.4e}%\n", 100.0 * sine.chance));
    }
    text.push('\n');
    text.push_str(&verdict(facts));
    text
}

/// The verdict and its reasons.
fn verdict(facts: &PeriodFacts) -> String {
    let mut text = String::new();
    let (Some(period), Some(range)) = (facts.period_h, facts.range_mag) else {
        return "Rotation period: none, no frequency could be fitted\n".to_owned();
    };
    let error = facts.period_err_h.map_or_else(|| "unknown".to_owned(), |e| format!("{e:.5}"));
    let range_err = facts.range_err_mag.unwrap_or(f64::NAN);
    if facts.is_published {
        put(&mut text, format_args!("Rotation period: {period:.5} +/- {error} hours\n"));
        put(&mut text, format_args!("Range: {range:.3} +/- {range_err:.3} mag\n"));
    } else {
        text.push_str("Rotation period: not published, because\n");
        facts.doubts.iter().for_each(|doubt| put(&mut text, format_args!("  - {doubt}\n")));
        put(&mut text, format_args!("First choice: {period:.5} +/- {error} hours\n"));
    }
    text
}

/// What the terminal shows above the table of rivals.
pub fn period_text(facts: &PeriodFacts) -> String {
    let mut text = format!(
        "{}: {} points in {} sessions over {:.2} days, {} left out as outliers\n",
        printable(&facts.object),
        facts.n_points,
        facts.n_sessions,
        facts.span_h / 24.0,
        facts.n_outliers
    );
    text.push_str(&verdict(facts));
    if let (Some(time), Some(error)) = (facts.brightest_mjd_utc, facts.brightest_err_d) {
        put(&mut text, format_args!("Brightest: MJD {time:.5} +/- {error:.5} (UTC)\n"));
    }
    if let Some(order) = facts.order {
        let lasting = facts.residuals_last_count;
        put(
            &mut text,
            format_args!("Fourier series of order {order}; residuals last {lasting:.1} points\n"),
        );
    }
    put(&mut text, format_args!("Chance that noise made the peak: {:.1e}", facts.chance_theory));
    match facts.chance_bootstrap {
        Some(chance) => put(&mut text, format_args!(" by theory, {chance:.1e} by bootstrap\n")),
        None => text.push_str(" by theory\n"),
    }
    for (i, sine) in facts.sines.iter().enumerate() {
        let error = sine.period_err_h.map_or_else(String::new, |e| format!(" +/- {e:.5}"));
        put(
            &mut text,
            format_args!(
                "Best sine {}: {:.5}{error} h, amplitude {:.4} +/- {:.4} mag, power {:.3}, \
                 chance {:.1e}\n",
                i + 1,
                sine.period_h,
                sine.amplitude_mag,
                sine.amplitude_err_mag,
                sine.power_share,
                sine.chance
            ),
        );
    }
    text
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes any text");
}

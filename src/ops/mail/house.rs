//! Disk and health in a few lines at the end of a mail.
//!
//! What is well is told roughly, so that a mail composed twice is the same mail; figures come when
//! something is wrong.

use crate::config::Config;
use crate::ops::disk::BYTES_PER_MIB;
use crate::report::words::{plural, printable};
use crate::science::time::Epoch;
use crate::store::nights::NightRow;
use crate::store::{NightId, Store, StoreError, filesystem};

use super::alerts::undelivered;

/// Free space below this many times the limit is told as a warning.
const NEARLY_FULL: u64 = 2;
/// A night that is open for longer is told [d].
const OPEN_LONG_D: f64 = 3.0;
/// Most nights that are named.
const NAMES_MAX: usize = 5;
/// Mebibytes of a gibibyte.
const MIB_PER_GIB: u64 = 1024;

/// The lines, at least one.
///
/// * `closing`: the night that is being closed, and so not left open.
pub(super) fn house_lines(
    store: &Store,
    config: &Config,
    closing: Option<&NightId>,
    at: Epoch,
) -> Result<Vec<String>, StoreError> {
    let free_mib = filesystem::free_bytes(store.data_dir()).ok().map(|n| n / BYTES_PER_MIB);
    let mut lines = vec![disk_line(free_mib, config.daemon.disk_free_min_mib)];
    let n_before = lines.len();
    if let Some(told) = undelivered(store.read(), &config.mail, at)? {
        lines.push(format!("Mail: {}.", printable(&told)));
    }
    lines.extend(nights_line(store, closing, at)?);
    if lines.len() == n_before {
        lines.push("Health: no mail is stuck, no night is left open.".to_owned());
    }
    Ok(lines)
}

/// How much space is left, in steps of 1, 2, 5, 10 ... GiB as long as there is enough.
fn disk_line(free_mib: Option<u64>, limit_mib: u64) -> String {
    let Some(free_mib) = free_mib else {
        return "Disk: the free space could not be measured.".to_owned();
    };
    if limit_mib == 0 {
        return "Disk: not watched (daemon.disk_free_min_mib is 0).".to_owned();
    }
    if free_mib < limit_mib {
        return format!(
            "Disk: {free_mib} MiB free, less than the {limit_mib} MiB at which work pauses: free \
             some space."
        );
    }
    if free_mib < NEARLY_FULL.saturating_mul(limit_mib) {
        return format!(
            "Disk: only {free_mib} MiB free; work pauses below {limit_mib} MiB. `autossosctl \
             prune` takes away what need not be kept."
        );
    }
    let steps = (0..6).flat_map(|power| [1, 2, 5].map(|n: u64| n * 10_u64.pow(power)));
    match steps.take_while(|step| step * MIB_PER_GIB <= free_mib).last() {
        Some(step) => format!("Disk: more than {step} GiB free."),
        None => "Disk: less than 1 GiB free, which is enough by the configuration.".to_owned(),
    }
}

/// Names nights that should have been closed by now.
fn nights_line(
    store: &Store,
    closing: Option<&NightId>,
    at: Epoch,
) -> Result<Option<String>, StoreError> {
    let nights = store.read().nights()?;
    let is_late = |night: &&NightRow| {
        let is_closing = closing.is_some_and(|closing| closing.as_str() == night.id);
        !night.is_closed && !is_closing && at.mjd_utc() - night.opened_mjd_utc > OPEN_LONG_D
    };
    let names: Vec<String> = nights.iter().filter(is_late).map(|n| printable(&n.id)).collect();
    if names.is_empty() {
        return Ok(None);
    }
    let shown = names.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
    let dots = if names.len() > NAMES_MAX { ", ..." } else { "" };
    Ok(Some(format!(
        "Nights: {} not closed for more than {OPEN_LONG_D:.0} days: {shown}{dots}. `autossosctl \
         night list` shows them.",
        plural(names.len(), "night is", "nights are")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_told_roughly_when_well_and_exactly_when_not() {
        let gib = |n: u64| Some(n * MIB_PER_GIB);
        assert_eq!(disk_line(gib(37), 2048), "Disk: more than 20 GiB free.");
        assert_eq!(disk_line(gib(49), 2048), disk_line(gib(21), 2048));
        assert_eq!(disk_line(gib(700_000), 2048), "Disk: more than 500000 GiB free.");
        assert!(disk_line(Some(3000), 2048).contains("only 3000 MiB free"));
        assert!(disk_line(Some(2047), 2048).contains("2047 MiB free, less than the 2048 MiB"));
        assert!(disk_line(Some(500), 100).contains("less than 1 GiB"));
        assert!(disk_line(Some(0), 0).contains("not watched"));
        assert!(disk_line(None, 2048).contains("could not be measured"));
        assert!(disk_line(Some(5), u64::MAX).contains("pauses"));
    }

    #[test]
    fn a_night_left_open_is_named_and_a_fresh_one_is_not() {
        use crate::store::nights::NightSource;
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path()).expect("opened");
        let opened = Epoch::from_mjd_utc(61_100.0);
        let night = NightId::new("2026-02-27").expect("a good name");
        store.begin_night(&night, &NightSource::only("/raw"), opened).expect("begun");
        let config = Config::default();
        let lines = |days: f64| {
            let at = Epoch::from_mjd_utc(61_100.0 + days);
            house_lines(&store, &config, None, at).expect("read").join("\n")
        };
        assert!(lines(2.9).contains("no night is left open"), "{}", lines(2.9));
        let told = lines(3.1);
        assert!(told.contains("1 night is not closed") && told.contains("2026-02-27"), "{told}");
        let late = Epoch::from_mjd_utc(61_200.0);
        let closing = house_lines(&store, &config, Some(&night), late).expect("read").join("\n");
        assert!(closing.contains("no night is left open"), "{closing}");
    }
}

//! Which night is meant when none is named.

use anyhow::bail;

use crate::ops::overview;
use crate::ops::vetting::{VettingError, next_open, vetted};
use crate::report::words::printable;
use crate::store::{NightId, Reader};

/// Most closed nights that are looked through for open candidates.
const NIGHTS_LOOKED_MAX: usize = 60;
/// Most closed nights that are looked through for a candidate.
const NIGHTS_SEARCHED_MAX: usize = 2000;

/// The closed nights, the newest first.
fn closed(reader: &Reader) -> anyhow::Result<Vec<NightId>> {
    let mut nights = overview::nights(reader, None)?;
    nights.retain(|night| night.is_closed);
    // By when they began; nights of several telescopes mix so.
    nights.sort_by(|a, b| {
        let by_time = b.opened_mjd_utc.total_cmp(&a.opened_mjd_utc);
        by_time.then_with(|| b.night.cmp(&a.night))
    });
    Ok(nights.iter().filter_map(|night| NightId::new(&night.night).ok()).collect())
}

/// The newest closed nights with candidates that nobody judged, and how many; at most `most`.
pub(super) fn open(reader: &Reader, most: usize) -> anyhow::Result<Vec<(NightId, usize)>> {
    let mut found = Vec::new();
    for night in closed(reader)?.into_iter().take(NIGHTS_LOOKED_MAX) {
        let all = match vetted(reader, &night) {
            Err(VettingError::NoReport { .. }) => continue,
            all => all?,
        };
        if next_open(&all, None).is_some() {
            found.push((night, all.iter().filter(|v| v.verdict().is_none()).count()));
        }
        if found.len() >= most {
            break;
        }
    }
    Ok(found)
}

/// The night to list: the newest one with open candidates, else the newest one.
pub(super) fn to_list(reader: &Reader) -> anyhow::Result<NightId> {
    if let Some((night, _)) = open(reader, 1)?.pop() {
        return Ok(night);
    }
    match closed(reader)?.into_iter().next() {
        Some(night) => Ok(night),
        None => bail!("no night is closed yet: `autossosctl night list` lists them"),
    }
}

/// The only night that has a candidate of this identifier.
pub(super) fn having(reader: &Reader, id: &str) -> anyhow::Result<NightId> {
    let mut found: Vec<NightId> = Vec::new();
    for night in closed(reader)?.into_iter().take(NIGHTS_SEARCHED_MAX) {
        let Some(report) = reader.report(&night)? else {
            continue;
        };
        if report.candidates.iter().chain(&report.faint).any(|c| c.id == id) {
            found.push(night);
        }
    }
    match found.as_slice() {
        [] => bail!(
            "no closed night has a candidate {}: `autossosctl vet --list NIGHT` lists them",
            printable(id)
        ),
        [one] => Ok(one.clone()),
        [first, second, ..] => bail!(
            "candidate {} is in several nights, {first} and {second} among them: give the night",
            printable(id)
        ),
    }
}

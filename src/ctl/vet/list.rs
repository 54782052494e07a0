//! For scripts: the candidates as a table or JSON, and a verdict without a screen.

use std::process::ExitCode;

use anyhow::bail;
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde::Serialize;

use super::desk::keep;
use super::facts::minute;
use super::session::verdict_word;
use crate::ctl::client::Place;
use crate::ctl::output::{say, say_json};
use crate::ops::vetting::{Judgement, Vetted, vetted};
use crate::pipeline::artifact::candidate::Identity;
use crate::report::words::printable;
use crate::store::verdicts::{Act, Verdict};
use crate::store::{NightId, Reader};

/// What `--set` takes, and what it means.
const WORDS: [(&str, Act); 7] = [
    ("asteroid", Act::Judge(Verdict::Real)),
    ("artefact", Act::Judge(Verdict::False)),
    ("unknown", Act::Judge(Verdict::Unsure)),
    ("real", Act::Judge(Verdict::Real)),
    ("false", Act::Judge(Verdict::False)),
    ("unsure", Act::Judge(Verdict::Unsure)),
    ("undo", Act::Undo),
];

/// The act of a word; the text tells which words there are.
pub(super) fn act_of(word: &str) -> Result<Act, String> {
    let found = WORDS.iter().find(|(known, _)| *known == word).map(|(_, act)| *act);
    found.ok_or_else(|| {
        format!("{word} is no verdict: asteroid, artefact, unknown or undo (real, false, unsure)")
    })
}

/// A candidate as scripts get it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    night: &'a str,
    candidate: &'a str,
    /// The name of a known object.
    name: Option<&'a str>,
    is_faint: bool,
    /// The newest opinion: `asteroid`, `artefact`, `unknown`; null when nobody judged.
    verdict: Option<&'a str>,
    is_disputed: bool,
    opinions: Vec<Said<'a>>,
    rate_arcsec_per_min: f64,
    pa_deg: f64,
    mag: Option<f64>,
    n_detections: usize,
    n_expected: u64,
    chance_probability: Option<f64>,
    real_score: Option<f64>,
    neo_rating: Option<f64>,
}

/// An opinion as scripts get it.
#[derive(Debug, Serialize)]
struct Said<'a> {
    verdict: &'static str,
    who: &'a str,
    at: String,
    note: &'a str,
}

fn row<'a>(night: &'a NightId, v: &'a Vetted) -> Row<'a> {
    let c = &v.candidate;
    let said = v.opinions.iter().map(|o| Said {
        verdict: verdict_word(o.verdict),
        who: &o.who,
        at: format!("{}Z", o.at.to_iso()),
        note: &o.note,
    });
    Row {
        night: night.as_str(),
        candidate: &c.id,
        name: match &c.identity {
            Identity::Known { name, .. } => Some(name),
            Identity::Unknown | Identity::Unchecked => None,
        },
        is_faint: v.is_faint,
        verdict: v.verdict().map(verdict_word),
        is_disputed: v.is_disputed(),
        opinions: said.collect(),
        rate_arcsec_per_min: c.rate_arcsec_per_min,
        pa_deg: c.pa_deg,
        mag: c.mag,
        n_detections: c.detections.len(),
        n_expected: c.n_expected,
        chance_probability: c.rating.as_ref().map(|r| r.chance_probability),
        real_score: c.rating.as_ref().map(|r| r.real_score),
        neo_rating: c.rating.as_ref().and_then(|r| r.neo_rating),
    }
}

/// Prints the candidates of a night.
pub(super) fn list(reader: &Reader, night: &NightId, is_json: bool) -> anyhow::Result<()> {
    let all = vetted(reader, night)?;
    let rows: Vec<Row<'_>> = all.iter().map(|v| row(night, v)).collect();
    if is_json {
        return say_json(&rows);
    }
    if rows.is_empty() {
        return say(&format!("Night {} has no candidates.", printable(night.as_str())));
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "candidate",
        "identity",
        "verdict",
        "who",
        "when (UTC)",
        "real",
        "NEO",
        "seen",
    ]);
    for (v, row) in all.iter().zip(&rows) {
        table.add_row(cells(v, row));
    }
    let n_open = all.iter().filter(|v| v.verdict().is_none()).count();
    let night = printable(night.as_str());
    say(&format!("{table}\nNight {night}: {} candidates, {n_open} open.", all.len()))
}

fn cells(v: &Vetted, row: &Row<'_>) -> [String; 8] {
    let newest = v.opinions.first();
    let disputed = if v.is_disputed() { " (disputed)" } else { "" };
    let faint = if v.is_faint { " (at the limit)" } else { "" };
    [
        row.candidate.to_owned(),
        format!("{}{faint}", printable(row.name.unwrap_or("unknown"))),
        row.verdict.map(|word| format!("{word}{disputed}")).unwrap_or_default(),
        newest.map(|o| printable(&o.who)).unwrap_or_default(),
        newest.map(|o| minute(o.at)).unwrap_or_default(),
        row.real_score.map(|score| format!("{score:.2}")).unwrap_or_default(),
        row.neo_rating.map(|rating| format!("{rating:.0}")).unwrap_or_default(),
        format!("{}/{}", row.n_detections, row.n_expected),
    ]
}

/// Gives a verdict, unless this person's verdict is that already.
pub(super) fn set(
    place: &Place,
    night: &NightId,
    judgement: Judgement,
) -> anyhow::Result<ExitCode> {
    let id = judgement.candidate.clone();
    let all = vetted(&place.reader()?, night)?;
    let Some(before) = all.iter().find(|v| v.candidate.id == id) else {
        bail!("night {night} has no candidate {id}: `autossosctl vet --list {night}` lists them");
    };
    let own = before.opinion_of(&judgement.who);
    let is_so = own.is_some_and(|o| Act::Judge(o.verdict) == judgement.act)
        && (judgement.note.is_empty() || own.is_some_and(|o| o.note == judgement.note));
    if is_so {
        say(&format!("{id} of night {night}: this is already the verdict of {}.", judgement.who))?;
        return Ok(ExitCode::SUCCESS);
    }
    let all = keep(place, night, judgement)?;
    let after = all.iter().find(|v| v.candidate.id == id);
    let word = after.and_then(Vetted::verdict).map_or("not judged", verdict_word);
    say(&format!("{} of night {}: {word}", printable(&id), printable(night.as_str())))?;
    Ok(ExitCode::SUCCESS)
}

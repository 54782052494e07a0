//! Judging candidates: the one way in which page, terminal and scripts read and give verdicts.
//!
//! Each act is a row of a history ([`crate::store::verdicts`]): an opinion, its undoing, a note.
//! What holds is folded from it: per person the newest opinion that was not undone, and of these
//! the newest is the candidate's verdict. A night that is closed again may give an object another
//! identifier (it is made from the detections); the new one inherits what was said of the old one
//! when they share detections.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::joined::Joined;
use crate::pipeline::artifact::rating::Rating;
use crate::pipeline::artifact::report::NightReport;
use crate::science::time::Epoch;
use crate::store::verdicts::{Act, Verdict, VerdictRow};
use crate::store::{NightId, Reader, Store, StoreError};

/// Longest name of a person [characters].
const WHO_LENGTH_MAX: usize = 64;
/// Longest note [characters].
const NOTE_LENGTH_MAX: usize = 2000;
/// Longest token [characters].
const TOKEN_LENGTH_MAX: usize = 80;
/// Detections nearer than this on a frame are the same [px].
const SAME_PX: f64 = 2.0;

/// A verdict that could not be taken; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VettingError {
    /// The night is not there, or not yet closed.
    #[error("night {night} has no report yet: only closed nights are judged")]
    NoReport {
        /// The night.
        night: NightId,
    },
    /// No such candidate.
    #[error(
        "night {night} has no candidate {candidate}: the night may have been processed again since"
    )]
    UnknownCandidate {
        /// The night.
        night: NightId,
        /// As given.
        candidate: String,
    },
    /// The person has nothing to take back.
    #[error("{who} has no verdict on {candidate} to take back")]
    NothingToUndo {
        /// The person.
        who: String,
        /// The candidate.
        candidate: String,
    },
    /// A text is empty or too long.
    #[error("{what} has {found} characters: 1 to {allowed} are allowed, none of them a control")]
    BadText {
        /// Which text.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The limit.
        allowed: usize,
    },
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An opinion that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// The opinion.
    pub verdict: Verdict,
    /// Whose.
    pub who: String,
    /// Since when.
    pub at: Epoch,
    /// Why; may be empty.
    pub note: String,
}

/// A candidate and what people said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Vetted {
    /// The candidate.
    pub candidate: Candidate,
    /// Whether it is at the limit of detection, and not exported unless a person says it is real.
    pub is_faint: bool,
    /// One opinion per person, the newest first.
    pub opinions: Vec<Opinion>,
    /// Everything that was done, oldest first.
    pub history: Vec<VerdictRow>,
    /// What other nights say of it.
    pub joined: Option<Joined>,
}

impl Vetted {
    /// The verdict that counts: the newest one.
    pub fn verdict(&self) -> Option<Verdict> {
        self.opinions.first().map(|opinion| opinion.verdict)
    }

    /// Whether people disagree.
    pub fn is_disputed(&self) -> bool {
        self.opinions.iter().any(|opinion| Some(opinion.verdict) != self.verdict())
    }

    /// The opinion of a person.
    pub fn opinion_of(&self, who: &str) -> Option<&Opinion> {
        self.opinions.iter().find(|opinion| opinion.who == who)
    }

    /// Which part of the queue it is in: unknown objects, then known ones, then those at the limit.
    fn group(&self) -> u8 {
        match self.candidate.identity {
            _ if self.is_faint => 2,
            Identity::Known { .. } => 1,
            Identity::Unknown | Identity::Unchecked => 0,
        }
    }
}

/// What one person does to one candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Identifier of the candidate.
    pub candidate: String,
    /// What.
    pub act: Act,
    /// Who.
    pub who: String,
    /// Why; may be empty but for [`Act::Note`].
    pub note: String,
    /// Names this act; a repetition (a page sent twice, a line lost on the way) changes nothing.
    pub token: String,
}

/// A night's queue after an act was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The queue.
    pub all: Vec<Vetted>,
    place: usize,
}

impl Judged {
    /// The candidate in a queue.
    fn new(all: Vec<Vetted>, night: &NightId, id: &str) -> Result<Self, VettingError> {
        let place = all.iter().position(|v| v.candidate.id == id);
        let unknown =
            || VettingError::UnknownCandidate { night: night.clone(), candidate: id.to_owned() };
        Ok(Self { place: place.ok_or_else(unknown)?, all })
    }

    /// The candidate that was judged, as it is now.
    pub fn candidate(&self) -> &Vetted {
        &self.all[self.place]
    }
}

/// What was looked at when a verdict was given: kept beside it, for labels and inheritance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Frame, column and row [px] of each detection.
    pub detections: Vec<(String, f64, f64)>,
    /// Name, when it was known.
    pub name: Option<String>,
    /// Ratings and features as they were.
    pub rating: Option<Rating>,
    /// Version of the program.
    pub version: String,
}

impl About {
    pub(super) fn new(candidate: &Candidate) -> Self {
        let place = |d: &crate::pipeline::artifact::candidate::CandidateDetection| {
            (d.frame.clone(), d.x_px, d.y_px)
        };
        let name = match &candidate.identity {
            Identity::Known { name, .. } => Some(name.clone()),
            Identity::Unknown | Identity::Unchecked => None,
        };
        Self {
            detections: candidate.detections.iter().map(place).collect(),
            name,
            rating: candidate.rating.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Whether at least half of these detections are the candidate's.
    pub(super) fn is_of(&self, candidate: &Candidate) -> bool {
        let is_its = |(frame, x, y): &&(String, f64, f64)| {
            let mut of_frame = candidate.detections.iter().filter(|d| d.frame == *frame);
            of_frame.any(|d| (d.x_px - x).hypot(d.y_px - y) < SAME_PX)
        };
        let n_same = self.detections.iter().filter(is_its).count();
        n_same > 0 && 2 * n_same >= self.detections.len()
    }
}

/// The candidates of a closed night in the order of the queue, with what was said of them.
///
/// Unknown objects come first, the most certain ones at the top; then the known; then those at the
/// limit of detection.
pub fn vetted(reader: &Reader, night: &NightId) -> Result<Vec<Vetted>, VettingError> {
    Ok(vetted_in(report(reader, night)?, reader.verdicts(night)?))
}

/// The report of a night.
fn report(reader: &Reader, night: &NightId) -> Result<NightReport, VettingError> {
    reader.report(night)?.ok_or_else(|| VettingError::NoReport { night: night.clone() })
}

/// The same of a report and the night's history that were read already.
pub fn vetted_in(report: NightReport, rows: Vec<VerdictRow>) -> Vec<Vetted> {
    let mut joined: BTreeMap<String, Joined> =
        report.joined.into_iter().map(|joined| (joined.candidate_id.clone(), joined)).collect();
    let steady = report.candidates.into_iter().map(|candidate| (candidate, false));
    let faint = report.faint.into_iter().map(|candidate| (candidate, true));
    let candidates: Vec<(Candidate, bool)> = steady.chain(faint).collect();
    let histories = by_candidate(&candidates, rows);
    let mut all: Vec<Vetted> = candidates
        .into_iter()
        .zip(histories)
        .map(|((candidate, is_faint), history)| {
            let opinions = opinions(&history);
            let joined = joined.remove(&candidate.id);
            Vetted { candidate, is_faint, opinions, history, joined }
        })
        .collect();
    all.sort_by(|a, b| {
        let group = a.group().cmp(&b.group());
        let certainty = a.candidate.false_alarms.total_cmp(&b.candidate.false_alarms);
        group.then(certainty).then_with(|| a.candidate.id.cmp(&b.candidate.id))
    });
    all
}

/// The candidate that comes next in the queue: the first one without a verdict after `after`, else
/// the first one without; `None` when all are judged.
pub fn next_open<'a>(all: &'a [Vetted], after: Option<&str>) -> Option<&'a Vetted> {
    let start =
        all.iter().position(|v| Some(v.candidate.id.as_str()) == after).map_or(0, |i| i + 1);
    let is_open = |v: &&Vetted| v.opinions.is_empty() && Some(v.candidate.id.as_str()) != after;
    all[start..].iter().find(is_open).or_else(|| all[..start].iter().find(is_open))
}

/// Keeps what a person did; returns the queue as it is after that. On disk when it returns.
pub fn judge(
    store: &Store,
    night: &NightId,
    judgement: &Judgement,
    at: Epoch,
) -> Result<Judged, VettingError> {
    check(judgement)?;
    let mut report = report(store.read(), night)?;
    // The queue is made twice of it; frames have no part in that.
    report.frames.clear();
    let rows = store.read().verdicts(night)?;
    let judged = Judged::new(vetted_in(report.clone(), rows), night, &judgement.candidate)?;
    let before = judged.candidate();
    let is_repeated = before.history.iter().any(|row| row.token == judgement.token);
    if is_repeated {
        return Ok(judged);
    }
    if judgement.act == Act::Undo && before.opinion_of(&judgement.who).is_none() {
        let (who, candidate) = (judgement.who.clone(), judgement.candidate.clone());
        return Err(VettingError::NothingToUndo { who, candidate });
    }
    let about = serde_json::to_string(&About::new(&before.candidate)).unwrap_or_default();
    let row = VerdictRow {
        candidate_id: judgement.candidate.clone(),
        act: judgement.act,
        who: judgement.who.clone(),
        at,
        note: judgement.note.clone(),
        token: judgement.token.clone(),
        about,
    };
    store.record_verdict(night, row)?;
    Judged::new(vetted_in(report, store.read().verdicts(night)?), night, &judgement.candidate)
}

fn check(judgement: &Judgement) -> Result<(), VettingError> {
    let note_min = usize::from(judgement.act == Act::Note);
    for (what, text, fewest, allowed) in [
        ("the name of the person", &judgement.who, 1, WHO_LENGTH_MAX),
        ("the note", &judgement.note, note_min, NOTE_LENGTH_MAX),
        ("the token", &judgement.token, 1, TOKEN_LENGTH_MAX),
    ] {
        let found = text.chars().count();
        let is_bad = text.chars().any(|c| c.is_control() && c != '\n');
        if found < fewest || found > allowed || is_bad {
            return Err(VettingError::BadText { what, found, allowed });
        }
    }
    Ok(())
}

/// The rows of each candidate, oldest first: its own, and those of vanished ones it inherits from.
fn by_candidate(candidates: &[(Candidate, bool)], rows: Vec<VerdictRow>) -> Vec<Vec<VerdictRow>> {
    let places: BTreeMap<&str, usize> =
        candidates.iter().enumerate().map(|(i, (c, _))| (c.id.as_str(), i)).collect();
    // The vanished candidate's newest snapshot tells who it has become.
    let mut heirs: BTreeMap<String, Option<usize>> = BTreeMap::new();
    for row in rows.iter().rev().filter(|row| !places.contains_key(row.candidate_id.as_str())) {
        heirs.entry(row.candidate_id.clone()).or_insert_with(|| {
            let about: About = serde_json::from_str(&row.about).ok()?;
            candidates.iter().position(|(candidate, _)| about.is_of(candidate))
        });
    }
    let mut histories: Vec<Vec<VerdictRow>> = candidates.iter().map(|_| Vec::new()).collect();
    for row in rows {
        let own = places.get(row.candidate_id.as_str()).copied();
        let place = own.or_else(|| heirs.get(&row.candidate_id).copied().flatten());
        if let Some(place) = place {
            histories[place].push(row);
        }
    }
    histories
}

/// Places in a history of each person's newest opinion that was not undone, the newest first.
pub(super) fn standing(history: &[VerdictRow]) -> Vec<usize> {
    let mut stacks: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, row) in history.iter().enumerate() {
        let stack = stacks.entry(&row.who).or_default();
        match row.act {
            Act::Judge(_) => stack.push(i),
            Act::Undo => drop(stack.pop()),
            Act::Note => {}
        }
    }
    let mut places: Vec<usize> = stacks.values().filter_map(|s| s.last().copied()).collect();
    places.sort_by_key(|i| std::cmp::Reverse(*i));
    places
}

/// The opinions that hold, the newest first.
fn opinions(history: &[VerdictRow]) -> Vec<Opinion> {
    let opinion = |i: usize| {
        let row = &history[i];
        let Act::Judge(verdict) = row.act else { return None };
        Some(Opinion { verdict, who: row.who.clone(), at: row.at, note: row.note.clone() })
    };
    standing(history).into_iter().filter_map(opinion).collect()
}

#[cfg(test)]
pub(super) mod fixture;
#[cfg(test)]
mod tests;

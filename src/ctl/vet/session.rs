//! A person at the queue: which candidate is looked at, what was said, what is to be said next.
//!
//! Nothing here writes. [`Session::judge`] and its sisters make a [`Judgement`]; the caller has it
//! kept and comes back with [`Session::kept`] or [`Session::refused`]. Only `kept` goes on to
//! another candidate. A judgement that was refused keeps its token, so the same key sends the same
//! act again: had it been kept after all, nothing is kept twice.

use crate::ops::vetting::{Judgement, Vetted, next_open};
use crate::store::verdicts::{Act, Verdict};

/// Makes the name of an act, unlike that of any other.
pub(super) type NewToken = fn() -> Result<String, getrandom::Error>;

/// The state of a sitting.
#[derive(Debug)]
pub(super) struct Session {
    who: String,
    all: Vec<Vetted>,
    current: Option<String>,
    /// Candidates judged here, the last one at the end; one may be there twice.
    given: Vec<String>,
    /// Candidates looked at before the current one.
    seen: Vec<String>,
    pending: Option<Judgement>,
    refused: Option<Judgement>,
    new_token: NewToken,
    /// What is to be told in one line.
    pub(super) message: String,
}

impl Session {
    /// Begins at the first candidate that nobody judged.
    pub(super) fn new(who: &str, all: Vec<Vetted>, new_token: NewToken) -> Self {
        let current = next_open(&all, None).map(|v| v.candidate.id.clone());
        Self {
            who: who.to_owned(),
            all,
            current,
            given: Vec::new(),
            seen: Vec::new(),
            pending: None,
            refused: None,
            new_token,
            message: String::new(),
        }
    }

    /// Who sits here.
    pub(super) fn who(&self) -> &str {
        &self.who
    }

    /// The candidate looked at; `None` when all are judged.
    pub(super) fn current(&self) -> Option<&Vetted> {
        self.find(self.current.as_deref()?)
    }

    fn find(&self, id: &str) -> Option<&Vetted> {
        self.all.iter().find(|v| v.candidate.id == id)
    }

    /// Its place in the queue, from 1.
    pub(super) fn place(&self) -> Option<usize> {
        let id = self.current.as_deref()?;
        self.all.iter().position(|v| v.candidate.id == id).map(|i| i + 1)
    }

    /// Number of candidates, and of those that somebody judged.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.all.len(), self.all.iter().filter(|v| v.verdict().is_some()).count())
    }

    /// Whether an act is on its way to the disk.
    pub(super) fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether the last act was not kept, as far as is known.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// A verdict on the current candidate.
    pub(super) fn judge(&mut self, verdict: Verdict) -> Option<Judgement> {
        let Some(id) = self.current().map(|v| v.candidate.id.clone()) else {
            self.message = "There is no candidate to judge here.".to_owned();
            return None;
        };
        self.act(id, Act::Judge(verdict), String::new())
    }

    /// A note on the current candidate.
    pub(super) fn note(&mut self, text: String) -> Option<Judgement> {
        let id = self.current()?.candidate.id.clone();
        self.act(id, Act::Note, text)
    }

    /// Takes back the last verdict of this sitting, else this person's newest one of the night.
    pub(super) fn undo(&mut self) -> Option<Judgement> {
        let own = |v: &&Vetted| v.opinion_of(&self.who).is_some();
        let here = self.given.iter().rev().filter_map(|id| self.find(id)).find(own);
        let newest = || {
            let at = |v: &Vetted| v.opinion_of(&self.who).map_or(f64::MIN, |o| o.at.mjd_utc());
            self.all.iter().filter(own).max_by(|a, b| at(a).total_cmp(&at(b)))
        };
        let Some(id) = here.or_else(newest).map(|v| v.candidate.id.clone()) else {
            self.message = format!("{} has no verdict here to take back.", self.who);
            return None;
        };
        self.act(id, Act::Undo, String::new())
    }

    fn act(&mut self, candidate: String, act: Act, note: String) -> Option<Judgement> {
        if self.is_waiting() {
            return None;
        }
        let is_same = |j: &Judgement| j.candidate == candidate && j.act == act && j.note == note;
        let again = self.refused.take().filter(is_same);
        let token = match again.map(|j| j.token).map_or_else(self.new_token, Ok) {
            Ok(token) => token,
            Err(error) => {
                self.message = format!("Not kept: the system gives no random numbers ({error}).");
                return None;
            }
        };
        let judgement = Judgement { candidate, act, who: self.who.clone(), note, token };
        self.message = format!("Keeping {}: {} ...", judgement.candidate, word(act));
        self.pending = Some(judgement.clone());
        Some(judgement)
    }

    /// The act is on disk; `all` is the queue after it.
    pub(super) fn kept(&mut self, all: Vec<Vetted>) {
        let Some(judgement) = self.pending.take() else {
            return;
        };
        let id = judgement.candidate;
        self.renew(all);
        self.message = format!("{id}: {}, kept.", word(judgement.act));
        match judgement.act {
            Act::Judge(_) => {
                self.given.push(id.clone());
                let next = next_open(&self.all, Some(&id)).map(|v| v.candidate.id.clone());
                self.go(next);
            }
            Act::Undo => {
                if let Some(last) = self.given.iter().rposition(|given| *given == id) {
                    self.given.remove(last);
                }
                self.go(Some(id));
            }
            Act::Note => {}
        }
    }

    /// The act was not kept, as far as is known; the same key sends it again.
    pub(super) fn refused(&mut self, why: &str) {
        self.refused = self.pending.take();
        self.message = format!("Not known to be kept, press the key again: {why}");
    }

    /// Takes a newer state of the queue.
    pub(super) fn renew(&mut self, all: Vec<Vetted>) {
        self.all = all;
        if self.current.is_some() && self.current().is_none() {
            self.message = "The night was processed again: this candidate is gone.".to_owned();
            self.current = next_open(&self.all, None).map(|v| v.candidate.id.clone());
        }
    }

    /// Goes on without a verdict.
    pub(super) fn skip(&mut self) {
        match next_open(&self.all, self.current.as_deref()).map(|v| v.candidate.id.clone()) {
            Some(next) => {
                self.message.clear();
                self.go(Some(next));
            }
            None => self.message = "No other candidate is open.".to_owned(),
        }
    }

    /// Goes back: to the one looked at before, else to the one above in the queue.
    pub(super) fn previous(&mut self) {
        while let Some(id) = self.seen.pop() {
            if self.find(&id).is_some() && Some(&id) != self.current.as_ref() {
                self.current = Some(id);
                self.message.clear();
                return;
            }
        }
        let above = self.place().map_or(self.all.len(), |place| place - 1);
        match above.checked_sub(1).and_then(|i| self.all.get(i)) {
            Some(v) => {
                self.current = Some(v.candidate.id.clone());
                self.message.clear();
            }
            None => self.message = "This is the first candidate.".to_owned(),
        }
    }

    fn go(&mut self, to: Option<String>) {
        if to != self.current {
            self.seen.extend(self.current.take());
            self.current = to;
        }
    }
}

/// The word of an act for people.
pub(super) const fn word(act: Act) -> &'static str {
    match act {
        Act::Judge(verdict) => verdict_word(verdict),
        Act::Undo => "taken back",
        Act::Note => "note",
    }
}

/// The word of a verdict for people.
pub(super) const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Real => "asteroid",
        Verdict::False => "artefact",
        Verdict::Unsure => "unknown",
    }
}

#[cfg(test)]
mod tests;

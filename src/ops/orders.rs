//! What a person may order: close, reopen, reprocess, pause, resume, send a mail again.
//!
//! An order changes the database and nothing else; the reconciler finds there what is to be done.
//! So it is the same order whether it came through the service's socket ([`wire`]) or was applied
//! to the database of a service that is down.

pub mod remove;
pub mod wire;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ops::OpsError;
use crate::ops::clock::now;
use crate::ops::vetting::{self, Judgement, VettingError};
use crate::pipeline::{FRAME_STAGES, NIGHT_STAGES, StageName};
use crate::store::files::FilesError;
use crate::store::lookup::{FoundFrame, HASH_PREFIX_MIN};
use crate::store::requests::{Forget, Request};
use crate::store::verdicts::Act;
use crate::store::{NightId, Reader, Store, StoreError};

/// Name of the service's value that holds why work is paused.
pub const PAUSED_KEY: &str = "paused";
/// Longest reason of a pause [characters].
const REASON_LENGTH_MAX: usize = 200;
/// Most names that an error lists.
const HINTS_MAX: usize = 3;

/// An order; its JSON is an object with the key `order`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Close a night now.
    CloseNight {
        /// Its name; without its telescope's when that is clear.
        night: String,
    },
    /// Open a closed night again.
    ReopenNight {
        /// Its name.
        night: String,
    },
    /// Forget results, so that they are made again.
    Reprocess {
        /// Name of the night.
        night: String,
        /// Name or first digits of the content hash of a frame; none = all frames.
        #[serde(default)]
        frame: Option<String>,
        /// Name of the first stage that runs again.
        from: String,
    },
    /// Take away what was made of a frame, or a master.
    Remove {
        /// Name or first digits of the content hash of a frame; name or file of a master.
        what: String,
        /// Its night; needed when several nights have such a frame.
        #[serde(default)]
        night: Option<String>,
    },
    /// Stop working on frames until resumed.
    Pause {
        /// Why, in the user's words.
        reason: String,
    },
    /// Go on working.
    Resume,
    /// Send a message of the outbox again.
    ResendMail {
        /// Its number.
        id: i64,
    },
    /// Say what a candidate is.
    Judge {
        /// Name of the night.
        night: String,
        /// Identifier of the candidate.
        candidate: String,
        /// `real`, `false`, `unsure`, `undo` or `note`.
        act: String,
        /// Who says it.
        who: String,
        /// Why; may be empty.
        #[serde(default)]
        note: String,
        /// Names this act: a repetition changes nothing.
        token: String,
    },
}

/// What an order did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDone {
    /// In one sentence.
    pub text: String,
    /// Nights that the reconciler must look at.
    pub nights: Vec<String>,
}

/// Why an order was refused; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// No such night.
    #[error("there is no night {night}{hint}; `autossosctl night list` lists all")]
    UnknownNight {
        /// As typed.
        night: String,
        /// The likeliest ones in words, or empty.
        hint: String,
    },
    /// Several telescopes have such a night.
    #[error("night {night} may be one of {choices}: give the whole name")]
    AmbiguousNight {
        /// As typed.
        night: String,
        /// The nights.
        choices: String,
    },
    /// No such frame.
    #[error(
        "no frame of {place} has the name {frame} or a content hash that starts so{hint}; \
         `autossosctl night show NIGHT` lists them"
    )]
    UnknownFrame {
        /// As typed.
        frame: String,
        /// Where it was looked for, in words.
        place: String,
        /// The likeliest ones in words, or empty.
        hint: String,
    },
    /// Several frames fit.
    #[error("{frame} may be one of {choices}: give the night, the whole name or more digits")]
    AmbiguousFrame {
        /// As typed.
        frame: String,
        /// The frames.
        choices: String,
    },
    /// No such stage.
    #[error("there is no stage {stage}; a frame goes through {}, a night through {}",
        names(&FRAME_STAGES), names(&NIGHT_STAGES))]
    UnknownStage {
        /// As typed.
        stage: String,
    },
    /// A frame was named for a stage of the whole night.
    #[error("stage {stage} works on the whole night: leave the frame out")]
    NightStage {
        /// The stage.
        stage: String,
    },
    /// The reason of a pause is too long.
    #[error("the reason has {found} characters, at most {REASON_LENGTH_MAX} are allowed")]
    LongReason {
        /// Its length.
        found: usize,
    },
    /// Results that could not be made again would be lost.
    #[error(
        "the raw files of night {night} are gone from {}: what was made of them is kept",
        folder.display()
    )]
    NoRawFiles {
        /// The night.
        night: NightId,
        /// Where they lay.
        folder: PathBuf,
    },
    /// No such message.
    #[error("no mail {id} in the outbox: `autossosctl mail list` lists them")]
    UnknownMail {
        /// The number.
        id: i64,
    },
    /// No such verdict.
    #[error("{word} is no verdict: real, false, unsure, undo or note")]
    UnknownVerdict {
        /// As given.
        word: String,
    },
    /// The verdict was not taken.
    #[error(transparent)]
    Vetting(#[from] VettingError),
    /// What is stored of a frame could not be read.
    #[error(transparent)]
    Ops(Box<OpsError>),
    /// A product could not be deleted.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does an order: changes the database, and tells what will follow.
pub fn apply(store: &Store, order: &Order) -> Result<OrderDone, OrderError> {
    match order {
        Order::CloseNight { night } => close(store, night),
        Order::ReopenNight { night } => reopen(store, night),
        Order::Reprocess { night, frame, from } => reprocess(store, night, frame.as_deref(), from),
        Order::Remove { what, night } => remove::remove(store, what, night.as_deref()),
        Order::Pause { reason } => pause(store, reason),
        Order::Resume => resume(store),
        Order::ResendMail { id } => resend(store, *id),
        Order::Judge { night, candidate, act, who, note, token } => {
            let night = find_night(store.read(), night)?;
            let act = Act::from_word(act)
                .ok_or_else(|| OrderError::UnknownVerdict { word: act.clone() })?;
            let (candidate, who) = (candidate.clone(), who.clone());
            let judgement =
                Judgement { candidate, act, who, note: note.clone(), token: token.clone() };
            judge(store, &night, &judgement)
        }
    }
}

fn judge(store: &Store, night: &NightId, judgement: &Judgement) -> Result<OrderDone, OrderError> {
    let judged = vetting::judge(store, night, judgement, now())?;
    let vetted = judged.candidate();
    let word = vetted.verdict().map_or("not judged", |verdict| Act::Judge(verdict).word());
    let text = format!("{} of night {night}: {word}", vetted.candidate.id);
    Ok(OrderDone { text, nights: Vec::new() })
}

fn close(store: &Store, text: &str) -> Result<OrderDone, OrderError> {
    let night = find_night(store.read(), text)?;
    let is_closed = store.read().night_marks()?.get(night.as_str()).is_some_and(|m| m.is_closed);
    if is_closed {
        let text = format!("Night {night} is closed already.");
        return Ok(OrderDone { text, nights: Vec::new() });
    }
    store.request(&night, Request::Close)?;
    Ok(done_for(&night, format!("Night {night} will be closed and reported.")))
}

fn reopen(store: &Store, text: &str) -> Result<OrderDone, OrderError> {
    let night = find_night(store.read(), text)?;
    store.reopen_night(&night, Some(Request::Reopen))?;
    let text = format!("Night {night} is open: it is closed after new files, or when asked to.");
    Ok(done_for(&night, text))
}

fn reprocess(
    store: &Store,
    night: &str,
    frame: Option<&str>,
    from: &str,
) -> Result<OrderDone, OrderError> {
    let (night, frame) = match find_night(store.read(), night) {
        // What is no night may be a frame, of whatever night.
        Err(unknown @ OrderError::UnknownNight { .. }) if frame.is_none() => {
            match find_frame(store.read(), night, None) {
                Ok(found) => (find_night(store.read(), &found.night)?, Some(night)),
                Err(OrderError::UnknownFrame { .. }) => return Err(unknown),
                Err(error) => return Err(error),
            }
        }
        found => (found?, frame),
    };
    let is_night_stage = whole_night_from(from)? == Forget::Night;
    if is_night_stage && frame.is_some() {
        return Err(OrderError::NightStage { stage: from.to_owned() });
    }
    let (what, told) = match frame {
        _ if is_night_stage => {
            (Forget::Night, format!("Night {night} will be linked and reported again."))
        }
        None => (Forget::AllFrames, format!("All frames of night {night} will be reduced again.")),
        Some(frame) => {
            let found = find_frame(store.read(), frame, Some(&night))?;
            let told = format!("Frame {} of night {night} will be reduced again.", found.name);
            (Forget::Frame(found.content_hash), told)
        }
    };
    let folder = store.read().night_folder(&night)?.unwrap_or_default();
    if what != Forget::Night && !folder.is_dir() {
        return Err(OrderError::NoRawFiles { night, folder });
    }
    store.forget_stages(&night, &what)?;
    Ok(done_for(&night, told))
}

/// What is forgotten of a night when it is made again from a stage on.
pub fn whole_night_from(stage: &str) -> Result<Forget, OrderError> {
    let is_of = |stages: &[StageName]| stages.iter().any(|known| known.name == stage);
    match (is_of(&FRAME_STAGES), is_of(&NIGHT_STAGES)) {
        (true, _) => Ok(Forget::AllFrames),
        (false, true) => Ok(Forget::Night),
        (false, false) => Err(OrderError::UnknownStage { stage: stage.to_owned() }),
    }
}

fn pause(store: &Store, reason: &str) -> Result<OrderDone, OrderError> {
    let found = reason.chars().count();
    if found > REASON_LENGTH_MAX {
        return Err(OrderError::LongReason { found });
    }
    // The reason goes to terminals, logs and mails: one line of plain text.
    let mut reason: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if reason.trim().is_empty() {
        reason = "no reason given".to_owned();
    }
    store.set_service_value(PAUSED_KEY, Some(reason.trim()))?;
    let text = "Paused: frames in work are finished, no others are begun until `autossosctl \
                resume`."
        .to_owned();
    Ok(OrderDone { text, nights: Vec::new() })
}

fn resume(store: &Store) -> Result<OrderDone, OrderError> {
    let text = match store.read().service_value(PAUSED_KEY)? {
        Some(reason) => format!("Goes on; it was paused: {reason}."),
        None => "It was not paused.".to_owned(),
    };
    store.set_service_value(PAUSED_KEY, None)?;
    Ok(OrderDone { text, nights: Vec::new() })
}

fn resend(store: &Store, id: i64) -> Result<OrderDone, OrderError> {
    let subject = store.resend(id, now())?.ok_or(OrderError::UnknownMail { id })?;
    let text = format!("Mail {id} waits to be sent again: {subject}");
    Ok(OrderDone { text, nights: Vec::new() })
}

fn done_for(night: &NightId, text: String) -> OrderDone {
    OrderDone { text, nights: vec![night.to_string()] }
}

/// The night a person means: its whole name, or its name without the telescope's.
pub fn find_night(reader: &Reader, text: &str) -> Result<NightId, OrderError> {
    let marks = reader.night_marks()?;
    let unknown = |hint| OrderError::UnknownNight { night: text.to_owned(), hint };
    let found: Vec<&String> = if marks.contains_key(text) {
        marks.keys().filter(|id| *id == text).collect()
    } else {
        let is_meant = |id: &str, telescope: &str| {
            let rest = id.strip_prefix(telescope).and_then(|rest| rest.strip_prefix('.'));
            !telescope.is_empty() && rest == Some(text)
        };
        let all = marks.iter();
        all.filter(|(id, mark)| is_meant(id, &mark.telescope)).map(|(id, _)| id).collect()
    };
    match found.as_slice() {
        [] => Err(unknown(hint(text, marks.keys().map(String::as_str)))),
        [one] => NightId::new(one).map_err(|_| unknown(String::new())),
        [..] => {
            let choices = list(found.iter().map(|id| id.as_str()));
            Err(OrderError::AmbiguousNight { night: text.to_owned(), choices })
        }
    }
}

/// The frame a person means: its name or the first digits of its content hash.
///
/// * `night`: only of this night; without it, the frame must be in one night only.
pub fn find_frame(
    reader: &Reader,
    text: &str,
    night: Option<&NightId>,
) -> Result<FoundFrame, OrderError> {
    let mut found = reader.find_frames(text, night)?;
    // One content under two names is one frame; the first name stands for it.
    let mut seen = BTreeSet::new();
    found.retain(|f| seen.insert((f.night.clone(), f.content_hash.clone())));
    match found.as_slice() {
        [] => {
            let place =
                night.map_or_else(|| "any night".to_owned(), |night| format!("night {night}"));
            let names: Vec<String> = match night {
                Some(night) => reader.files(night)?.into_iter().map(|file| file.name).collect(),
                None => Vec::new(),
            };
            let hint = hint(text, names.iter().map(String::as_str));
            Err(OrderError::UnknownFrame { frame: text.to_owned(), place, hint })
        }
        [one] => Ok(one.clone()),
        [..] => {
            let choice = |f: &FoundFrame| {
                let digits: String = f.content_hash.chars().take(2 * HASH_PREFIX_MIN).collect();
                format!("{} of {} ({digits})", f.name, f.night)
            };
            let choices: Vec<String> = found.iter().map(choice).collect();
            let choices = list(choices.iter().map(String::as_str));
            Err(OrderError::AmbiguousFrame { frame: text.to_owned(), choices })
        }
    }
}

/// Names of stages as a text.
fn names(stages: &[StageName]) -> String {
    stages.iter().map(|stage| stage.name).collect::<Vec<_>>().join(", ")
}

/// The first few names as a text; says when there are more.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let mut text = names.iter().take(HINTS_MAX).copied().collect::<Vec<_>>().join(", ");
    if names.len() > HINTS_MAX {
        write!(text, " and {} more", names.len() - HINTS_MAX).expect("a text grows");
    }
    text
}

/// `: did you mean A, B?` with the names that begin most like the text; empty when none does.
fn hint<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> String {
    let n_same = |name: &str| name.chars().zip(text.chars()).take_while(|(a, b)| a == b).count();
    let is_inside = |name: &str| !text.is_empty() && name.contains(text);
    let mut ranked: Vec<(bool, usize, &str)> = names
        .map(|name| (is_inside(name), n_same(name), name))
        .filter(|(is_inside, n_same, _)| *is_inside || *n_same > 0)
        .collect();
    // The newest name first among equals.
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    if ranked.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = ranked.iter().take(HINTS_MAX).map(|(_, _, name)| *name).collect();
    format!(" (did you mean {}?)", names.join(", "))
}

#[cfg(test)]
mod tests;

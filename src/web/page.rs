//! What all pages share: the state behind them, their head and foot, work that may block.

use std::sync::Arc;

use super::error::Refusal;
use super::guard::Guard;
use super::listener::Surroundings;
use super::pictures::Pictures;
use super::session::Visitor;
use super::{assets, pictures};
use crate::config::Web;
use crate::ops::clock::Clock;
use crate::ops::vetting::{Opinion, Vetted};
use crate::report::words::{clock, printable};
use crate::science::time::Epoch;
use crate::store::verdicts::{Act, Verdict, VerdictRow};
use crate::store::{NightId, Store};

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// The state behind the pages.
pub(super) struct Page {
    pub(super) store: Arc<Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) web: Web,
    pub(super) blink_ms: u64,
    pub(super) guard: Guard,
    pub(super) pictures: Pictures,
}

impl Page {
    pub(super) fn new(surroundings: Surroundings) -> Self {
        let Surroundings { store, clock, web, blink_ms } = surroundings;
        let pictures = Pictures::new(pictures::SIZE_MAX_BYTES);
        Self { store, clock, web, blink_ms, guard: Guard::default(), pictures }
    }

    /// Start of all paths.
    pub(super) fn base(&self) -> &str {
        &self.web.base_path
    }

    /// Does what may block on a thread for that.
    pub(super) async fn work<T: Send + 'static>(
        self: Arc<Self>,
        what: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        tokio::task::spawn_blocking(move || what(&self)).await.unwrap_or(Err(Refusal::Broken))
    }

    /// A night that is there; nothing else of a path reaches the database or the disk.
    pub(super) fn night(&self, name: &str) -> Result<NightId, Refusal> {
        let night = NightId::new(name).map_err(|_| Refusal::no_night())?;
        match self.store.read().night_folder(&night)? {
            Some(_) => Ok(night),
            None => Err(Refusal::no_night()),
        }
    }

    /// Head and foot of a page.
    pub(super) fn shell(&self, visitor: &Visitor, title: &str) -> Shell {
        Shell {
            base: self.base().to_owned(),
            title: title.to_owned(),
            user: visitor.user.clone(),
            csrf: visitor.csrf.clone(),
            style: assets::STYLE,
            blink: assets::BLINK,
            vet: assets::VET,
            icon: assets::ICON,
        }
    }

    /// Path of a night's page.
    pub(super) fn night_path(&self, night: &NightId) -> String {
        format!("{}/night/{}", self.base(), encoded(night.as_str()))
    }

    /// Path of a candidate's page.
    pub(super) fn candidate_path(&self, night: &NightId, id: &str) -> String {
        format!("{}/candidate/{}", self.night_path(night), encoded(id))
    }
}

/// What the template of every page needs.
pub(super) struct Shell {
    pub(super) base: String,
    pub(super) title: String,
    pub(super) user: String,
    pub(super) csrf: String,
    pub(super) style: &'static str,
    pub(super) blink: &'static str,
    pub(super) vet: &'static str,
    pub(super) icon: &'static str,
}

/// A random token as hexadecimal digits.
pub(super) fn token() -> Result<String, Refusal> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "The system gives no random numbers.");
        Refusal::Broken
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// One part of a path, every byte that means something there encoded.
pub(super) fn encoded(part: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
    let mut text = String::new();
    for byte in part.bytes() {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The word of a verdict; those of the keys.
pub(super) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Real => "asteroid",
        Verdict::False => "artefact",
        Verdict::Unsure => "unknown",
    }
}

/// What a person did, as a verb's object.
pub(super) const fn act_word(act: Act) -> &'static str {
    match act {
        Act::Judge(verdict) => word(verdict),
        Act::Undo => "verdict taken back",
        Act::Note => "note",
    }
}

/// An opinion in a line, e.g. `bob: artefact, 10:32:05`.
pub(super) fn opinion_line(opinion: &Opinion) -> String {
    let at = clock(Some(opinion.at.mjd_utc()));
    format!("{}: {}, {at}", printable(&opinion.who), word(opinion.verdict))
}

/// An instant as `2026-03-01 10:32:05`.
pub(super) fn instant(at: Epoch) -> String {
    let iso = at.to_iso();
    iso.split('.').next().unwrap_or(&iso).replace('T', " ")
}

/// What stands of a candidate for tables: a class for the colour and words.
pub(super) fn standing(vetted: &Vetted) -> (&'static str, String) {
    let Some(first) = vetted.opinions.first() else {
        return ("open", "open".to_owned());
    };
    let people: Vec<String> = vetted
        .opinions
        .iter()
        .map(|opinion| format!("{} ({})", word(opinion.verdict), printable(&opinion.who)))
        .collect();
    (if vetted.is_disputed() { "disputed" } else { word(first.verdict) }, people.join(", "))
}

/// An entry of the history in words.
pub(super) struct HistoryView {
    pub(super) at: String,
    pub(super) who: String,
    pub(super) what: &'static str,
    pub(super) note: String,
}

impl HistoryView {
    pub(super) fn new(row: &VerdictRow) -> Self {
        Self {
            at: instant(row.at),
            who: printable(&row.who),
            what: act_word(row.act),
            note: row.note.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_paths_cannot_leave_their_place() {
        assert_eq!(encoded("2026-03-01"), "2026-03-01");
        assert_eq!(encoded("../a b?c#d%"), "%2E%2E%2Fa%20b%3Fc%23d%25");
        assert_eq!(encoded("nord.夜"), "nord%2E%E5%A4%9C");
    }

    #[test]
    fn tokens_are_long_and_different() {
        let (a, b) = (token().ok(), token().ok());
        assert_eq!(a.as_ref().map(String::len), Some(64));
        assert_ne!(a, b);
    }
}

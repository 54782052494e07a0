//! A sitting: keys in, pictures out, verdicts kept.
//!
//! An act is kept by a thread of its own, so that a service that takes its time does not stop the
//! picture; the next candidate comes with its answer. Keys typed before a candidate was on the
//! screen do not judge it.

use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use ratatui::crossterm::event::{self, Event, KeyEvent};

use super::dress::Dress;
use super::keys::{Command, Typed, command};
use super::note::{Edited, Note};
use super::picture::{Easel, Kind};
use super::player::{Control, Player};
use super::screen::{View, draw, is_large_enough};
use super::sequence::Sequence;
use super::session::Session;
use super::terminal::{Screen, is_ended};
use crate::ctl::client::Place;
use crate::ops::cutouts;
use crate::ops::orders::Order;
use crate::ops::vetting::{Judgement, Vetted, vetted};
use crate::pipeline::artifact::cutouts::{Centring, Cutouts};
use crate::store::NightId;

/// Longest wait for a key; then signals are looked for.
const WAIT: Duration = Duration::from_millis(100);
/// The same while an act is being kept.
const WAIT_FOR_DISK: Duration = Duration::from_millis(5);
/// What others said is read again after so long.
const RENEW_TIME: Duration = Duration::from_secs(10);
/// Most keys that are dropped because they were typed too early.
const TYPED_AHEAD_MAX: usize = 1000;

/// How a sitting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// By the person.
    Quit,
    /// By a signal.
    Stopped,
}

/// What came of keeping an act: the queue after it.
type Kept = anyhow::Result<Vec<Vetted>>;

/// A sitting.
pub(super) struct Desk {
    place: Place,
    night: NightId,
    /// The queue and the person.
    pub(super) session: Session,
    player: Player,
    easel: Easel,
    dress: Dress,
    cutouts: Option<(String, Option<Cutouts>)>,
    /// The pictures of (candidate, what stands still, sky off).
    sequence: Option<((String, Centring, bool), Option<Sequence>)>,
    note: Option<Note>,
    has_help: bool,
    typed: Typed,
    keeping: Option<Receiver<Kept>>,
    wants_end: bool,
    is_dirty: bool,
    is_new: bool,
    renewed: Instant,
}

impl Desk {
    /// Sits down at a night's queue.
    pub(super) fn new(
        place: Place,
        night: NightId,
        session: Session,
        easel: Easel,
        dress: Dress,
    ) -> Self {
        let now = Instant::now();
        Self {
            place,
            night,
            session,
            player: Player::new(now),
            easel,
            dress,
            cutouts: None,
            sequence: None,
            note: None,
            has_help: false,
            typed: Typed::default(),
            keeping: None,
            wants_end: false,
            is_dirty: true,
            is_new: true,
            renewed: now,
        }
    }

    /// Works until the person or a signal ends it.
    pub(super) fn sit(&mut self, screen: &mut Screen) -> anyhow::Result<Ending> {
        loop {
            self.show(screen)?;
            if is_ended() {
                return Ok(Ending::Stopped);
            }
            if self.wants_end && !self.session.is_waiting() {
                return Ok(Ending::Quit);
            }
            if event::poll(self.wait()).context("cannot read from the terminal")? {
                let event = event::read().context("cannot read from the terminal")?;
                if self.event(event, screen)? == Some(Ending::Quit) {
                    return Ok(Ending::Quit);
                }
            }
            self.hear();
            self.is_dirty |= self.player.tick(Instant::now());
            self.renew();
        }
    }

    /// What is written to the terminal at the end.
    pub(super) fn farewell(&self) -> String {
        self.easel.farewell()
    }

    fn wait(&self) -> Duration {
        let longest = if self.session.is_waiting() { WAIT_FOR_DISK } else { WAIT };
        self.player.until_next(Instant::now()).map_or(longest, |next| next.min(longest))
    }

    /// Draws what has changed.
    fn show(&mut self, screen: &mut Screen) -> anyhow::Result<()> {
        if !self.is_dirty {
            return Ok(());
        }
        let had_picture = self.has_picture();
        self.prepare();
        if self.easel.kind == Kind::Sixel && had_picture && !self.has_picture() {
            // Characters do not cover the pixels.
            screen.clear()?;
        }
        let sequence = self.sequence.as_ref().and_then(|(_, sequence)| sequence.as_ref());
        let (session, player) = (&self.session, &self.player);
        let (night, note, dress) = (&self.night, self.note.as_ref(), self.dress);
        let (easel, has_help) = (&mut self.easel, self.has_help);
        let view = View { night, session, player, sequence, easel, note, has_help, dress };
        let draw = |frame: &mut ratatui::Frame<'_>| draw(frame, view);
        screen.terminal.draw(draw).context("cannot write to the terminal")?;
        screen.farewell = self.easel.farewell();
        self.is_dirty = false;
        if std::mem::take(&mut self.is_new) {
            self.drop_typed_ahead(screen)?;
        }
        Ok(())
    }

    fn has_picture(&self) -> bool {
        !self.has_help && matches!(self.sequence, Some((_, Some(_))))
    }

    /// Loads and stretches what is to be shown, unless that is done.
    fn prepare(&mut self) {
        let Some(id) = self.session.current().map(|v| v.candidate.id.clone()) else {
            (self.cutouts, self.sequence) = (None, None);
            return;
        };
        if self.cutouts.as_ref().is_none_or(|(shown, _)| *shown != id) {
            let products = crate::store::Products::below(&self.place.data);
            let loaded = cutouts::load(&products, &self.night, &id);
            if let Some(cutouts) = &loaded {
                self.player.propose(cutouts.best_view().centring);
            }
            self.cutouts = Some((id.clone(), loaded));
            self.sequence = None;
            self.player.begin(0, Instant::now());
        }
        let key = (id, self.player.centre, self.player.is_subtracted);
        if self.sequence.as_ref().is_some_and(|(shown, _)| *shown == key) {
            return;
        }
        let loaded = self.cutouts.as_ref().and_then(|(_, cutouts)| cutouts.as_ref());
        let sequence = loaded.and_then(|c| Sequence::new(c, key.1, key.2));
        self.easel.forget();
        if self.sequence.is_none() {
            self.player.begin(sequence.as_ref().map_or(0, Sequence::len), Instant::now());
        }
        self.sequence = Some((key, sequence));
    }

    /// Drops verdicts that were typed before the candidate was on the screen.
    fn drop_typed_ahead(&mut self, screen: &Screen) -> anyhow::Result<()> {
        for _ in 0..TYPED_AHEAD_MAX {
            if !event::poll(Duration::ZERO).context("cannot read from the terminal")? {
                break;
            }
            let event = event::read().context("cannot read from the terminal")?;
            let is_act = matches!(&event, Event::Key(key)
                if matches!(command(key), Some(Command::Judge(_) | Command::Undo)));
            if is_act {
                self.session.message.push_str(" A key typed before this was shown is left out.");
                self.is_dirty = true;
            } else if self.event(event, screen)? == Some(Ending::Quit) {
                self.wants_end = true;
            }
        }
        Ok(())
    }

    /// Handles what happened at the terminal.
    fn event(&mut self, event: Event, screen: &Screen) -> anyhow::Result<Option<Ending>> {
        match event {
            Event::Key(key) => return Ok(self.key(&key, screen)),
            Event::Paste(text) => {
                if let Some(note) = &mut self.note {
                    note.paste(&text);
                }
            }
            Event::Resize(..) => self.easel.forget(),
            _ => return Ok(None),
        }
        self.is_dirty = true;
        Ok(None)
    }

    fn key(&mut self, key: &KeyEvent, screen: &Screen) -> Option<Ending> {
        if self.note.is_some() {
            self.note_key(key);
            return None;
        }
        if !self.typed.is_pressed(key, Instant::now()) {
            return None;
        }
        let command = command(key)?;
        self.is_dirty = true;
        let is_seen = || screen.terminal.size().is_ok_and(|s| is_large_enough(s.width, s.height));
        match command {
            Command::Quit if self.wants_end => return Some(Ending::Quit),
            Command::Quit => {
                self.wants_end = true;
                if self.session.is_waiting() {
                    self.session.message.push_str(" Ends when that is done; q ends at once.");
                }
            }
            Command::Help => self.has_help = !self.has_help,
            Command::Picture(control) => self.control(control),
            // What is not on the screen is not judged.
            _ if self.has_help => self.has_help = false,
            _ if !is_seen() => {}
            Command::Judge(verdict) => {
                let act = self.session.judge(verdict);
                self.keep(act);
            }
            Command::Undo => {
                let act = self.session.undo();
                self.keep(act);
            }
            Command::Note if self.session.current().is_some() => self.note = Some(Note::default()),
            Command::Note => {}
            _ if self.session.is_waiting() => {}
            Command::Skip => self.session.skip(),
            Command::Previous => self.session.previous(),
        }
        None
    }

    fn note_key(&mut self, key: &KeyEvent) {
        let Some(note) = &mut self.note else {
            return;
        };
        self.is_dirty = true;
        match note.key(key) {
            Edited::On => {}
            Edited::Left => self.note = None,
            Edited::Done(_) if self.session.is_waiting() => {}
            Edited::Done(text) => {
                self.note = None;
                let act = self.session.note(text);
                self.keep(act);
            }
        }
    }

    fn control(&mut self, control: Control) {
        self.player.control(control, Instant::now());
        if self.session.is_waiting() || self.session.is_refused() {
            return;
        }
        self.session.message = match control {
            Control::Centre => match self.player.centre {
                Centring::OnObject => "The object stands still, stars move.".to_owned(),
                Centring::OnSky => "The sky stands still, the object moves.".to_owned(),
            },
            Control::Faster | Control::Slower => {
                format!("{} frames per second.", self.player.speed_per_s())
            }
            _ => return,
        };
    }

    /// Has an act kept by a thread.
    fn keep(&mut self, act: Option<Judgement>) {
        let Some(judgement) = act else {
            return;
        };
        let (place, night) = (self.place.clone(), self.night.clone());
        let (sender, receiver) = channel();
        self.keeping = Some(receiver);
        std::thread::spawn(move || {
            // Nobody hears it when the sitting has ended.
            drop(sender.send(keep(&place, &night, judgement)));
        });
    }

    /// Looks whether an act was kept.
    fn hear(&mut self) {
        let Some(receiver) = &self.keeping else {
            return;
        };
        let before = self.session.current().map(|v| v.candidate.id.clone());
        match receiver.try_recv() {
            Err(TryRecvError::Empty) => return,
            Ok(Ok(all)) => self.session.kept(all),
            Ok(Err(error)) => self.session.refused(&format!("{error:#}")),
            Err(TryRecvError::Disconnected) => self.session.refused("this program failed"),
        }
        self.keeping = None;
        self.renewed = Instant::now();
        self.is_new = before != self.session.current().map(|v| v.candidate.id.clone());
        self.is_dirty = true;
    }

    /// Reads now and then what others said.
    fn renew(&mut self) {
        if self.session.is_waiting() || self.renewed.elapsed() < RENEW_TIME {
            return;
        }
        self.renewed = Instant::now();
        // What cannot be read now is read next time; a verdict tells what is wrong.
        if let Ok(all) = queue(&self.place, &self.night) {
            self.session.renew(all);
            self.is_dirty = true;
        }
    }
}

/// The queue as the database has it.
pub(super) fn queue(place: &Place, night: &NightId) -> Kept {
    Ok(vetted(&place.reader()?, night)?)
}

/// Keeps an act: by the service, or in the database when none runs. On disk when this returns.
pub(super) fn keep(place: &Place, night: &NightId, judgement: Judgement) -> Kept {
    place.order(Order::Judge {
        night: night.to_string(),
        candidate: judgement.candidate,
        act: judgement.act.word().to_owned(),
        who: judgement.who,
        note: judgement.note,
        token: judgement.token,
    })?;
    queue(place, night)
}

//! Known objects of a run: where their places come from, in which order, and what is said of it.
//!
//! No stage asks the network: before a night is closed the cones that its frames need are planned
//! ([`plan`]), fetched and kept ([`fetch`]); naming works on what is kept. Lists that somebody
//! names win over services. Orbits on disk ([`orbits`]) stand in for what SkyBoT did not answer,
//! and are compared with what it did ([`compare`]).

mod compare;
mod fetch;
mod lists;
mod orbits;
mod plan;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::reference::Haul;
use super::take::chain;
use crate::config::{Config, KnownSource};
use crate::formats::skybot::{ConeRequest, SkybotObserver};
use crate::ops::error::OpsError;
use crate::ops::progress::Progress;
use crate::pipeline::artifact::frame_info::Site;
use crate::pipeline::artifact::report::Note;
use crate::pipeline::identify::KnownSky;
use crate::science::movers::known::KnownPlace;
use crate::store::{NightId, Store};
use fetch::Skybot;
use lists::Lists;

use orbits::StoredPlaces;
pub(super) use plan::{Look, Plan, plan};

/// What the notes are about.
const SUBJECT: &str = "identification";

/// Where the names of known objects come from.
pub struct KnownObjects {
    source: KnownSource,
    /// Lists that somebody named, or those of the configuration.
    lists: Option<Lists>,
    skybot: Option<Skybot>,
    orbits: Option<StoredPlaces>,
    /// Whether simulated frames are asked for: never of the service of the real sky.
    is_own_service: bool,
}

/// The known objects of a night and what is to be said of them.
pub(super) struct KnownNight {
    pub(super) sky: KnownSky,
    pub(super) notes: Vec<Note>,
}

impl KnownObjects {
    /// Opens the sources that the configuration names; lists named beside it win.
    pub(super) fn open(
        config: &Config,
        named: &[PathBuf],
        data_dir: &Path,
    ) -> Result<Self, OpsError> {
        let known = &config.known;
        let source = if named.is_empty() { known.source } else { KnownSource::Files };
        let lists = match source {
            KnownSource::Files if named.is_empty() => Some(lists::read(&known.files)?),
            KnownSource::Files => Some(lists::read(named)?),
            _ => None,
        };
        let is_asked = source != KnownSource::Files;
        Ok(Self {
            source,
            lists,
            skybot: known.skybot().filter(|_| is_asked).map(Skybot::new),
            orbits: (is_asked && known.is_offline_used()).then(|| StoredPlaces::below(data_dir)),
            is_own_service: !known.urls.is_empty(),
        })
    }

    /// Whether a frame is asked for: one that was simulated is not under the real sky.
    pub(super) fn is_asked_for(&self, is_simulated: bool) -> bool {
        (self.skybot.is_some() || self.date().is_some()) && (self.is_own_service || !is_simulated)
    }

    /// Date of the orbits on disk, if they are to be used and there are any.
    fn date(&self) -> Option<String> {
        self.orbits.as_ref().and_then(StoredPlaces::date)
    }

    /// Fetches what a plan needs and is not kept yet.
    pub(super) fn bring(
        &self,
        store: &Store,
        plan: &Plan,
        progress: &dyn Progress,
    ) -> Result<(), OpsError> {
        if let Some(skybot) = &self.skybot {
            skybot.bring(store, &plan.requests, Haul::All, progress)?;
        }
        Ok(())
    }

    /// Fetches what a night needed when it was last worked on and is not kept yet.
    pub(super) fn bring_again(
        &self,
        store: &Store,
        night: &NightId,
        progress: &dyn Progress,
    ) -> Result<(), OpsError> {
        let Some(skybot) = &self.skybot else { return Ok(()) };
        let wanted = store.read().known_requests(night)?;
        let requests: Vec<ConeRequest> =
            wanted.iter().filter_map(|query| ConeRequest::from_query(query)).collect();
        skybot.bring(store, &requests, Haul::All, progress).map(|_| ())
    }

    /// Notes what a night needs, for whoever fetches it later.
    pub(super) fn note_requests(
        &self,
        store: &Store,
        night: &NightId,
        plan: &Plan,
    ) -> Result<(), OpsError> {
        let is_asked = self.skybot.is_some();
        let requests = plan.requests.iter().filter(|_| is_asked).map(fetch::name_of).collect();
        Ok(store.set_known_requests(night, requests)?)
    }

    /// Key of everything that decides the names of a night, as it is kept now.
    pub(super) fn key(
        &self,
        store: &Store,
        (night, config): (&NightId, &Config),
    ) -> Result<String, OpsError> {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(text.as_bytes());
            hasher.update(b"\0");
        };
        add(&format!("{:?} {} {:?}", self.source, self.is_own_service, observer(config, None)));
        if let Some(lists) = &self.lists {
            add(&lists.key);
        }
        if let Some(orbits) = &self.orbits {
            add(&orbits.key());
        }
        if self.skybot.is_some() {
            for request in store.read().known_requests(night)? {
                add(&request);
                add(&store.read().known_reply(&request)?.map_or_else(String::new, |r| r.places));
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// Fetches what closed nights lack and opens those again whose answers came, by us or by
    /// others; tells how many were opened.
    pub fn settle(&self, store: &Store, progress: &dyn Progress) -> Result<usize, OpsError> {
        let Some(skybot) = &self.skybot else { return Ok(0) };
        skybot.settle(store, progress)?;
        let nights = store.open_answered_nights()?;
        for night in &nights {
            tracing::info!(night = %night, "Known objects came.");
        }
        Ok(nights.len())
    }

    /// The known objects of a night, of what is kept.
    pub(super) fn night(&self, store: &Store, plan: &Plan) -> Result<KnownNight, OpsError> {
        if let Some(lists) = &self.lists {
            let mut notes = lists.notes.clone();
            if lists.places.is_empty() {
                notes.push(note(
                    "no list of known objects: name one with --known; nothing is named".to_owned(),
                ));
            }
            return Ok(KnownNight { sky: KnownSky::of_lists(lists.places.clone()), notes });
        }
        if self.source == KnownSource::None {
            let text = "known.source is \"none\": nothing is named".to_owned();
            return Ok(KnownNight { sky: KnownSky::default(), notes: vec![note(text)] });
        }
        self.asked(store, plan)
    }

    /// The answers to a plan: SkyBoT's, and for what it did not answer the orbits'.
    fn asked(&self, store: &Store, plan: &Plan) -> Result<KnownNight, OpsError> {
        let mut heard = Heard::default();
        let mut is_answered = vec![false; plan.requests.len()];
        for (request, is_answered) in plan.requests.iter().zip(&mut is_answered) {
            let reply = match &self.skybot {
                Some(_) => fetch::kept(store, request)?,
                None => None,
            };
            if let Some(reply) = reply {
                heard.add(reply);
                *is_answered = true;
            }
        }
        let n_silent = is_answered.iter().filter(|is| !**is).count();
        let mut notes = self.notes_of(plan, &heard, n_silent);
        if let Some(orbits) = self.orbits.as_ref().filter(|orbits| orbits.date().is_some()) {
            let computed: Result<Vec<_>, _> =
                plan.requests.iter().map(|request| orbits.objects_in(request)).collect();
            match computed {
                Ok(computed) => {
                    let (added, disagreements) = compare::with_orbits(&heard.places, &computed);
                    heard.places.extend(added);
                    notes.extend(disagreements.into_iter().map(note));
                    is_answered.fill(true);
                }
                Err(error) => {
                    notes.push(note(format!("orbits on disk were not used: {}", chain(&error))));
                }
            }
        }
        let is_unasked = |around: &[usize; 2]| around.iter().all(|i| !is_answered[*i]);
        let unasked: BTreeSet<String> = plan
            .frames
            .iter()
            .filter(|(_, around)| is_unasked(around))
            .map(|(frame, _)| frame)
            .chain(&plan.left_out)
            .cloned()
            .collect();
        let is_asked = is_answered.iter().any(|is| *is);
        Ok(KnownNight { sky: KnownSky { places: heard.places, unasked, is_asked }, notes })
    }

    /// What is to be said of the answers.
    fn notes_of(&self, plan: &Plan, heard: &Heard, n_silent: usize) -> Vec<Note> {
        let n = plan.requests.len();
        let mut texts = Vec::new();
        let is_silent = self.skybot.is_some() && n_silent > 0;
        let why = self.skybot.as_ref().and_then(Skybot::why_failed);
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        match self.date() {
            Some(date) if is_silent => texts.push(format!(
                "SkyBoT did not answer {n_silent} of {n} questions{why}: named from orbits on disk \
                 of {date}; the night is done again when it has answered"
            )),
            None if is_silent => texts.push(format!(
                "SkyBoT did not answer {n_silent} of {n} questions{why} and there are no orbits on \
                 disk: nothing to name objects with in the frames around; the night is done again \
                 when it has answered"
            )),
            None if self.skybot.is_none() => {
                texts.push("no orbits on disk: nothing to name objects with".to_owned());
            }
            _ => {}
        }
        if n == 0 && self.skybot.is_some() {
            texts.push(
                "no frame of the real sky has a plate solution: known objects were not asked for"
                    .to_owned(),
            );
        }
        if !plan.left_out.is_empty() {
            texts.push(format!(
                "{} frames look at too many fields: known objects in them were not asked for",
                plan.left_out.len()
            ));
        }
        if plan.requests.iter().any(|request| request.observer == SkybotObserver::Geocentre) {
            texts.push(
                "neither site.mpc_code nor the telescope's coordinates are known: places of known \
                 objects are those for the Earth's centre, off by up to 9 arcsec at 1 au"
                    .to_owned(),
            );
        }
        if heard.n_bad > 0 {
            texts.push(format!("{} rows of SkyBoT's answers could not be read", heard.n_bad));
        }
        if heard.is_asteroids_only {
            texts.push("SkyBoT could not compute planets and comets: asteroids alone".to_owned());
        }
        texts.into_iter().map(note).collect()
    }
}

/// What SkyBoT said.
#[derive(Default)]
struct Heard {
    places: Vec<KnownPlace>,
    n_bad: u64,
    is_asteroids_only: bool,
}

impl Heard {
    fn add(&mut self, reply: fetch::Kept) {
        self.places.extend(reply.places);
        self.n_bad += reply.n_bad;
        self.is_asteroids_only |= reply.is_asteroids_only;
    }
}

/// Where the observer is: by the configuration's code or coordinates, else by the header's.
pub(super) fn observer(config: &Config, header: Option<Site>) -> SkybotObserver {
    let site = &config.site;
    if let Some(code) = &site.mpc_code {
        return SkybotObserver::Code(code.clone());
    }
    let place = site.place_deg.map(|place| (place, site.height_m.unwrap_or(0.0)));
    let place = place.or(header.map(|s| ((s.latitude_deg, s.longitude_deg), s.height_m)));
    match place {
        Some(((latitude_deg, longitude_deg), height_m)) => {
            SkybotObserver::Place { longitude_deg, latitude_deg, height_m }
        }
        None => SkybotObserver::Geocentre,
    }
}

fn note(text: String) -> Note {
    Note { subject: SUBJECT.to_owned(), text }
}

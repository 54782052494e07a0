//! `vet`: the candidates of a night one after the other on the terminal, and verdicts by script.
//!
//! `desk` is the sitting: it hands keys (`keys`) to the queue (`session`) and the player, has
//! verdicts kept, and draws (`screen`, `facts`, `sequence`, `picture`). `terminal` takes the
//! terminal and asks what it can show (`answers`, `dress`). `list` and `nights` work without one.

mod answers;
mod desk;
mod dress;
mod facts;
#[cfg(test)]
mod fixture;
mod keys;
mod list;
mod nights;
mod note;
mod picture;
mod player;
mod screen;
mod sequence;
mod session;
mod terminal;

use std::process::ExitCode;

use anyhow::Context;

use super::args::{PictureArg, VetArgs};
use super::client::Place;
use super::output::say;
use super::{EXIT_STOPPED, EXIT_WORDS};
use crate::ops::orders::find_night;
use crate::ops::vetting::Judgement;
use crate::report::words::printable;
use crate::store::NightId;
use desk::{Desk, Ending, queue};
use dress::{Depth, Dress};
use picture::{Easel, Kind};
use session::Session;
use terminal::Screen;

/// Random bytes of the name of an act.
const TOKEN_BYTES: usize = 16;
/// Most other nights that are named at the end.
const OTHERS_MAX: usize = 3;

/// Runs the verb.
pub(super) fn run(args: &VetArgs) -> anyhow::Result<ExitCode> {
    let place = Place::find(&args.place)?;
    if let [id, word] = args.set.as_slice() {
        return set(args, &place, id, word);
    }
    let reader = place.reader()?;
    let named = args.night.as_deref().map(|night| find_night(&reader, night)).transpose()?;
    if args.list {
        let night = named.map_or_else(|| nights::to_list(&reader), Ok)?;
        return list::list(&reader, &night, args.json).map(super::done);
    }
    let night = match named {
        Some(night) => Some(night),
        None => nights::open(&reader, 1)?.pop().map(|(night, _)| night),
    };
    let Some(night) = night else {
        say("No closed night has candidates that nobody judged.")?;
        return Ok(ExitCode::SUCCESS);
    };
    drop(reader);
    sit(args, place, night)
}

/// A verdict without a screen.
fn set(args: &VetArgs, place: &Place, id: &str, word: &str) -> anyhow::Result<ExitCode> {
    let act = match list::act_of(word) {
        Ok(act) => act,
        Err(text) => {
            eprintln!("autossosctl: {}", printable(&text));
            return Ok(ExitCode::from(EXIT_WORDS));
        }
    };
    let reader = place.reader()?;
    let night = match &args.night {
        Some(night) => find_night(&reader, night)?,
        None => nights::having(&reader, id)?,
    };
    drop(reader);
    let (candidate, who) = (id.to_owned(), who(args));
    let note = args.note.clone().unwrap_or_default();
    let token = new_token().context("the system gives no random numbers")?;
    list::set(place, &night, Judgement { candidate, act, who, note, token })
}

/// A sitting on the terminal.
fn sit(args: &VetArgs, place: Place, night: NightId) -> anyhow::Result<ExitCode> {
    let session = Session::new(&who(args), queue(&place, &night)?, new_token);
    let dress = if args.plain { Dress::PLAIN } else { Dress::of(|name| std::env::var(name).ok()) };
    let mut screen = Screen::open()?;
    let by_text =
        if dress.depth == Depth::None || dress.is_ascii { Kind::Shades } else { Kind::Blocks };
    let (kind, cell_px) = match args.picture {
        PictureArg::Auto if args.plain => (by_text, (1, 2)),
        PictureArg::Auto => {
            let (kind, cell_px) = screen.ask()?;
            (kind.unwrap_or(by_text), cell_px)
        }
        PictureArg::Kitty => (Kind::Kitty, screen.ask()?.1),
        PictureArg::Sixel => (Kind::Sixel, screen.ask()?.1),
        PictureArg::Blocks => (Kind::Blocks, (1, 2)),
        PictureArg::Shades => (Kind::Shades, (1, 2)),
    };
    let easel = Easel::new(kind, dress, cell_px, std::process::id());
    let mut desk = Desk::new(place.clone(), night.clone(), session, easel, dress);
    let ending = desk.sit(&mut screen);
    screen.farewell = desk.farewell();
    drop(screen);
    if desk.session.is_waiting() {
        eprintln!("autossosctl: the last verdict may not be kept; `vet --list` tells.");
    }
    match ending? {
        Ending::Stopped => Ok(ExitCode::from(EXIT_STOPPED)),
        Ending::Quit => {
            say(&parting(&place, &night, &desk.session)?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What is told at the end: how far this night is, and where else there is something to do.
fn parting(place: &Place, night: &NightId, session: &Session) -> anyhow::Result<String> {
    let (n, n_judged) = session.counts();
    let name = printable(night.as_str());
    let text = format!("Night {name}: {n_judged} of {n} judged, {} open.", n - n_judged);
    if n_judged < n {
        return Ok(text);
    }
    let others = nights::open(&place.reader()?, OTHERS_MAX)?;
    let others: Vec<String> =
        others.iter().map(|(id, n)| format!("{} ({n})", printable(id.as_str()))).collect();
    match others.as_slice() {
        [] => Ok(text),
        others => Ok(format!("{text} Open candidates are in {}.", others.join(", "))),
    }
}

/// Who judges: as named, else who logged in.
fn who(args: &VetArgs) -> String {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    // Under sudo it is the one who typed.
    let by_login = || ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(variable);
    args.who
        .clone()
        .or_else(by_login)
        .or_else(name_of_user)
        .unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
}

/// The name of this process's user in the machine's list of users.
fn name_of_user() -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, its_uid) = (fields.next()?, fields.nth(1)?);
        (its_uid == uid).then(|| name.to_owned())
    })
}

/// A name for an act that no other has.
fn new_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

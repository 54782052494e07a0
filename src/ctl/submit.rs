//! `submit NIGHT --check|--write`: what would go to the Minor Planet Center, and writing it.
//!
//! `--check` reads the database and changes nothing. `--write` shows the same, asks, and lets the
//! service (or this program, when the service is down) record and write it. Nothing is sent.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

use super::args::{SubmitArgs, SubmitForm};
use super::client::{Place, configured};
use super::output::{say, say_json};
use crate::config::Config;
use crate::ops::clock::now;
use crate::ops::orders::find_night;
use crate::ops::orders::wire::{Answer, Request};
use crate::ops::submit::{Plan, SubmitAsk, SubmitDone, SubmitError, SubmitFormat, plan, write};
use crate::report::words::{number, plural, printable};
use crate::store::ProductFile;

/// What a person types to say yes.
const YES: &str = "yes";
/// Longest answer that is read [bytes].
const ANSWER_MAX_BYTES: u64 = 256;

/// Shows what would go, or writes it.
pub(super) fn act(args: &SubmitArgs) -> anyhow::Result<ExitCode> {
    let place = Place::find(&args.place)?;
    let (config, _) = configured(args.place.config.as_deref(), args.place.data.as_deref(), &[])?;
    let reader = place.reader()?;
    let night = find_night(&reader, &args.night)?;
    let plan = plan(&reader, &config, &night, now())?;
    if args.check {
        if args.json {
            say_json(&plan)?;
        } else {
            say(&told(&plan))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !args.json {
        say(&told(&plan))?;
    }
    refuse_early(&plan)?;
    let who = if args.yes { args.who.clone() } else { asked(&plan, args.who.clone())? };
    let Some(who) = who else { bail!("not written: the answer was not `{YES}`") };
    let (format, digest) = (format(args), plan.digest());
    let ask = SubmitAsk { night: night.to_string(), format, who, digest };
    drop(reader);
    let done = give(&place, &config, &ask)?;
    if let Some(copy) = &args.output {
        copy_to(&done.path, copy)?;
    }
    if args.json {
        return say_json(&done).map(|()| ExitCode::SUCCESS);
    }
    let what = plural(done.n_observations, "observation", "observations");
    let of = plural(done.n_objects, "object", "objects");
    say(&format!("{what} of {of} written to {}", done.path.display()))?;
    say("They are on record and are not written again. Nothing was sent: that is yours to do.")?;
    Ok(ExitCode::SUCCESS)
}

fn format(args: &SubmitArgs) -> SubmitFormat {
    match args.format {
        SubmitForm::Psv => SubmitFormat::Psv,
        SubmitForm::Xml => SubmitFormat::Xml,
        SubmitForm::Obs80 => SubmitFormat::Obs80,
    }
}

/// What could not be written anyway need not be asked for.
fn refuse_early(plan: &Plan) -> Result<(), SubmitError> {
    let night = plan.night.clone();
    if plan.is_simulated {
        return Err(SubmitError::Simulated { night });
    }
    if !plan.missing.is_empty() {
        return Err(SubmitError::Incomplete { keys: plan.missing.clone() });
    }
    if plan.going.is_empty() { Err(SubmitError::Nothing { night }) } else { Ok(()) }
}

/// Asks at the terminal; the name of who said yes, or none.
fn asked(plan: &Plan, who: Option<String>) -> anyhow::Result<Option<String>> {
    if !std::io::stdin().is_terminal() {
        bail!("writing needs a person's yes: run it at a terminal, or give --yes --who NAME");
    }
    let who = match who {
        Some(who) => who,
        None => answer("Your name, for the record: ")?,
    };
    let n = plural(plan.submission.observations.len(), "observation", "observations");
    let station = plan.station.as_deref().unwrap_or_default();
    let question = format!("Write {n} of station {station}, once and for all ({YES})? ");
    Ok((answer(&question)? == YES && !who.is_empty()).then_some(who))
}

fn answer(question: &str) -> anyhow::Result<String> {
    let mut out = std::io::stdout().lock();
    write!(out, "{question}").and_then(|()| out.flush()).context("cannot ask")?;
    let mut line = String::new();
    let mut input = std::io::stdin().lock().take(ANSWER_MAX_BYTES);
    input.read_line(&mut line).context("cannot read the answer")?;
    Ok(line.trim().to_owned())
}

/// Lets the service write, or writes here when it is down.
fn give(place: &Place, config: &Config, ask: &SubmitAsk) -> anyhow::Result<SubmitDone> {
    match place.ask(&Request::Submit { ask: ask.clone() })? {
        Some(Answer::Submitted(done)) => return Ok(done),
        Some(other) => bail!("the service answered something else: {other:?}"),
        None => {}
    }
    let store = place.store()?;
    let done = write(&store, config, ask, now());
    store.close_cleanly()?;
    Ok(done?)
}

fn copy_to(from: &Path, to: &Path) -> anyhow::Result<()> {
    let told = || {
        format!("the batch is written to {}, but not copied to {}", from.display(), to.display())
    };
    let bytes = std::fs::read(from).with_context(told)?;
    ProductFile::write_bytes(to, &bytes).with_context(told)
}

/// The plan for people.
fn told(plan: &Plan) -> String {
    let mut text = String::new();
    if plan.going.is_empty() {
        text.push_str(&format!("Nothing of night {} would go.\n", plan.night));
    } else {
        let n = plural(plan.submission.observations.len(), "observation", "observations");
        let station = plan.station.as_deref().unwrap_or("none");
        text.push_str(&format!("{n} of night {} would go as station {station}:\n", plan.night));
        text.push_str(&going(plan));
        text.push('\n');
    }
    if !plan.held.is_empty() {
        text.push_str("\nHeld back:\n");
        text.push_str(&held(plan));
        text.push('\n');
    }
    if !plan.missing.is_empty() {
        text.push_str("\nThe configuration must say before anything can be written: ");
        text.push_str(&plan.missing.join(", "));
        text.push('\n');
    }
    text
}

fn table(heads: [&str; 3]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(heads);
    table
}

fn going(plan: &Plan) -> String {
    let mut table = table(["candidate", "goes as", "observations, G mag"]);
    for object in &plan.going {
        let kind = if object.is_own_name { " (new name)" } else { "" };
        table.add_row([
            printable(&object.candidate),
            format!("{}{kind}", printable(&object.name)),
            format!("{}, {}", object.n_observations, number(object.mag, 1)),
        ]);
    }
    table.to_string()
}

fn held(plan: &Plan) -> String {
    let mut table = table(["candidate", "frame", "why"]);
    for held in &plan.held {
        let frame = held.frame.as_deref().unwrap_or("all");
        table.add_row([printable(&held.candidate), printable(frame), held.hold.to_string()]);
    }
    table.to_string()
}

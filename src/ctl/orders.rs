//! Orders: `night close|reopen`, `reprocess`, `pause`, `resume`, `reload`; and `log`.

use anyhow::bail;

use super::args::{
    LogArgs, MailResendArgs, NightArgs, OrderArgs, PauseArgs, PlaceArgs, ReprocessArgs,
};
use super::client::{DoneBy, Place};
use super::output::say;
use crate::ops::orders::Order;
use crate::ops::orders::wire::{Answer, Request};
use crate::report::words::printable;

pub(super) fn close(args: &NightArgs) -> anyhow::Result<()> {
    give(&args.place, Order::CloseNight { night: args.night.clone() })
}

pub(super) fn reopen(args: &NightArgs) -> anyhow::Result<()> {
    give(&args.place, Order::ReopenNight { night: args.night.clone() })
}

pub(super) fn reprocess(args: &ReprocessArgs) -> anyhow::Result<()> {
    let (night, frame, from) = (args.night.clone(), args.frame.clone(), args.from.clone());
    give(&args.place, Order::Reprocess { night, frame, from })
}

pub(super) fn pause(args: &PauseArgs) -> anyhow::Result<()> {
    give(&args.place, Order::Pause { reason: args.reason.clone() })
}

pub(super) fn resume(args: &OrderArgs) -> anyhow::Result<()> {
    give(&args.place, Order::Resume)
}

pub(super) fn resend(args: &MailResendArgs) -> anyhow::Result<()> {
    give(&args.place, Order::ResendMail { id: args.id })
}

/// Gives an order and tells what came of it.
fn give(place: &PlaceArgs, order: Order) -> anyhow::Result<()> {
    let (done, by) = Place::find(place)?.order(order)?;
    say(&printable(&done.text))?;
    match by {
        DoneBy::Service => Ok(()),
        DoneBy::Database => say("The service is not running: it will find this when it starts."),
    }
}

pub(super) fn reload(args: &OrderArgs) -> anyhow::Result<()> {
    match Place::find(&args.place)?.ask(&Request::Reload)? {
        Some(Answer::Done(done)) => say(&printable(&done.text)),
        Some(other) => bail!("the service answered something else: {other:?}"),
        None => bail!("no service listens; it reads its configuration when it starts"),
    }
}

pub(super) fn log(args: &LogArgs) -> anyhow::Result<()> {
    match Place::find(&args.place)?.ask(&Request::Log { lines: args.lines })? {
        Some(Answer::Log { lines }) => {
            let lines: Vec<String> = lines.iter().map(|line| printable(line)).collect();
            say(&lines.join("\n"))
        }
        Some(other) => bail!("the service answered something else: {other:?}"),
        None => bail!("no service listens; `journalctl -u autossosd` has its former messages"),
    }
}

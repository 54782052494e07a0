//! `mail test`, `mail list`, `mail resend`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde_json::json;

use super::args::{DataPlaceArgs, MailCommand, MailListArgs};
use super::client::configured;
use super::output::{say, say_json};
use crate::config::Config;
use crate::ops::clock::SystemClock;
use crate::ops::mail::send_test;
use crate::report::words::printable;
use crate::science::time::Epoch;
use crate::store::Reader;
use crate::store::outbox::{OutboxRow, OutboxState};

/// Does one of the verbs.
pub(super) fn act(command: &MailCommand) -> anyhow::Result<ExitCode> {
    match command {
        MailCommand::Test(args) => test(args)?,
        MailCommand::List(args) => list(args)?,
        MailCommand::Resend(args) => super::orders::resend(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn place(args: &DataPlaceArgs) -> anyhow::Result<(Config, PathBuf)> {
    configured(args.config.as_deref(), args.data.as_deref(), &args.set)
}

fn test(args: &DataPlaceArgs) -> anyhow::Result<()> {
    let (config, _) = place(args)?;
    let delivered = send_test(&config, &SystemClock).context("the test mail was not sent")?;
    say(&format!("Test mail sent to {}.", config.mail.to.join(", ")))?;
    say(&format!("The answer: {}", printable(&delivered.said)))?;
    for refusal in &delivered.refused {
        say(&format!("Not taken for {}: {}", refusal.address, refusal.said))?;
    }
    Ok(())
}

fn list(args: &MailListArgs) -> anyhow::Result<()> {
    let (_, data) = place(&args.place)?;
    let rows = Reader::open(&data)?.outbox_newest(args.number)?;
    if args.json {
        let rows: Vec<serde_json::Value> = rows.iter().map(row_json).collect();
        say_json(&rows)
    } else if rows.is_empty() {
        say("The outbox is empty.")
    } else {
        say(&table(&rows).to_string())
    }
}

fn table(rows: &[OutboxRow]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "id",
        "state",
        "tries",
        "sent or next try (UTC)",
        "subject",
        "last error",
    ]);
    for row in rows {
        table.add_row([
            row.id.to_string(),
            row.state.word().to_owned(),
            row.attempts.to_string(),
            when(row),
            printable(&row.message.subject),
            row.last_error.as_deref().map(printable).unwrap_or_default(),
        ]);
    }
    table
}

/// When a mail was sent, or will be tried.
fn when(row: &OutboxRow) -> String {
    match (row.state, row.next_try) {
        (OutboxState::Sent, _) => row.sent.map(minute).unwrap_or_default(),
        (OutboxState::Pending, Some(at)) => minute(at),
        (OutboxState::Pending, None) => "at once".to_owned(),
        (OutboxState::Failed, _) => "never".to_owned(),
    }
}

/// An instant as `2026-03-01 04:12`.
fn minute(at: Epoch) -> String {
    at.to_iso().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn row_json(row: &OutboxRow) -> serde_json::Value {
    let iso = |at: Option<Epoch>| at.map(Epoch::to_iso);
    json!({
        "id": row.id,
        "kind": row.message.kind,
        "state": row.state.word(),
        "subject": row.message.subject,
        "message_id": row.message.message_id,
        "nights": row.message.nights,
        "attempts": row.attempts,
        "created_utc": row.created.to_iso(),
        "next_try_utc": iso(row.next_try),
        "sent_utc": iso(row.sent),
        "last_error": row.last_error,
    })
}

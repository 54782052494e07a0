//! `user add`, `user remove`, `user list`: who may log in on the web page.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use ratatui::crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, read};
use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::args::{DataPlaceArgs, UserAddArgs, UserCommand, UserListArgs, UserRemoveArgs};
use super::client::configured;
use super::output::{say, say_json};
use crate::ops::users::Users;

/// Longest password that is read [characters].
const LENGTH_MAX: usize = 1024;

/// Does one of the verbs.
pub(super) fn act(command: &UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Add(args) => add(args),
        UserCommand::Remove(args) => remove(args),
        UserCommand::List(args) => list(args),
    }
}

fn file(args: &DataPlaceArgs) -> anyhow::Result<PathBuf> {
    let (config, data) = configured(args.config.as_deref(), args.data.as_deref(), &args.set)?;
    Ok(config.web.users_file_in(&data))
}

fn add(args: &UserAddArgs) -> anyhow::Result<()> {
    let path = file(&args.place)?;
    let mut users = Users::load(&path)?;
    let password = if args.password_stdin { piped()? } else { typed_twice()? };
    let is_new = users.set(&args.name, &password)?;
    users.save(&path)?;
    let done = if is_new { "may log in" } else { "has a new password; other logins end" };
    say(&format!("{} {done} ({}).", args.name, path.display()))
}

fn remove(args: &UserRemoveArgs) -> anyhow::Result<()> {
    let path = file(&args.place)?;
    let mut users = Users::load(&path)?;
    if !users.remove(&args.name) {
        bail!("there is no user {:?} in {}", args.name, path.display());
    }
    users.save(&path)?;
    say(&format!("{} may no longer log in.", args.name))
}

fn list(args: &UserListArgs) -> anyhow::Result<()> {
    let path = file(&args.place)?;
    let users = Users::load(&path)?;
    let names: Vec<&str> = users.names().collect();
    if args.json {
        return say_json(&names);
    }
    match names.is_empty() {
        true => {
            say(&format!("Nobody may log in ({}): `autossosctl user add NAME`.", path.display()))
        }
        false => say(&names.join("\n")),
    }
}

/// The password from a pipe, without the line feed at its end.
fn piped() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(LENGTH_MAX as u64)
        .read_to_string(&mut text)
        .context("the password could not be read from stdin")?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn typed_twice() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        bail!("there is no terminal to type a password at: use --password-stdin");
    }
    let first = typed("Password: ")?;
    if typed("Once more: ")? != first {
        bail!("the two passwords differ: nothing was changed");
    }
    Ok(first)
}

/// Raw mode until it is dropped.
struct Raw;

impl Drop for Raw {
    fn drop(&mut self) {
        // There is nothing to do about a terminal that went away.
        disable_raw_mode().ok();
    }
}

/// A line that is typed and not shown.
fn typed(prompt: &str) -> anyhow::Result<String> {
    eprint!("{prompt}");
    std::io::stderr().flush().context("the terminal cannot be written to")?;
    enable_raw_mode().context("the terminal does not hide what is typed: use --password-stdin")?;
    let raw = Raw;
    let mut text = String::new();
    loop {
        let Event::Key(key) = read().context("the terminal cannot be read")? else { continue };
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            _ if key.kind == KeyEventKind::Release => {}
            KeyCode::Enter => break,
            KeyCode::Char('c' | 'd') if with_control => {
                drop(raw);
                eprintln!();
                bail!("stopped: nothing was changed");
            }
            KeyCode::Char('u') if with_control => text.clear(),
            KeyCode::Char(c) if !with_control && text.len() < LENGTH_MAX => text.push(c),
            KeyCode::Backspace => drop(text.pop()),
            _ => {}
        }
    }
    drop(raw);
    eprintln!();
    Ok(text)
}

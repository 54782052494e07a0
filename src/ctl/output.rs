//! What goes to standard output.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::Context;
use serde::Serialize;

use super::IS_QUIET;
use crate::store::files::ProductFile;

/// Prints a text, unless nothing but errors is to be told.
pub(super) fn say(text: &str) -> anyhow::Result<()> {
    if IS_QUIET.load(Ordering::Relaxed) { Ok(()) } else { print(text) }
}

/// Prints a text that is asked for; a reader that went away (`| head`) is no failure.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Prints a value as JSON.
pub(super) fn say_json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    print(&serde_json::to_string(value).context("cannot print this as JSON")?)
}

/// An instant as people read it, to the second.
pub(super) fn instant(mjd_utc: f64) -> String {
    let iso = crate::science::time::Epoch::from_mjd_utc(mjd_utc).to_iso();
    let seconds = iso.split('.').next().unwrap_or(&iso);
    format!("{} UTC", seconds.replace('T', " "))
}

/// Writes a file in one piece.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    ProductFile::write_bytes(path, bytes)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A name as the beginning of a file's name.
pub(super) fn file_stem(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

/// A label and its value as an indented line; nothing for an empty value.
pub(super) fn line(text: &mut String, label: &str, value: &str) {
    if !value.is_empty() {
        text.push_str(&format!("  {label:<16}{value}\n"));
    }
}

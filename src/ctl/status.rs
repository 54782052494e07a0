//! `status`: what the service is doing, how it is, and the last nights.

use serde::Serialize;

use super::args::ServiceArgs;
use super::client::Place;
use super::output::{instant, line, say, say_json};
use super::table;
use crate::ops::orders::wire::{Answer, Request};
use crate::ops::overview::{self, DataStatus};
use crate::ops::status::{Health, Snapshot, duration};
use crate::report::words::{plural, printable};
use crate::science::time::SECONDS_PER_DAY;

/// Bytes of a GiB.
const GIB_BYTES: f64 = 1_073_741_824.0;

/// All that a status tells; its JSON.
#[derive(Debug, Serialize)]
struct Status {
    /// Whether the service answered; `None` when no socket is known to ask it.
    is_running: Option<bool>,
    /// What it says of itself.
    service: Option<Snapshot>,
    /// How it is.
    health: Option<Health>,
    /// What the database says.
    data: Option<DataStatus>,
}

/// Shows the status.
pub(super) fn show(args: &ServiceArgs) -> anyhow::Result<()> {
    let place = Place::find(&args.place)?;
    let status = find(&place)?;
    if args.json {
        return say_json(&status);
    }
    say(&text(&status, &place))
}

fn find(place: &Place) -> anyhow::Result<Status> {
    if let Some(answer) = place.ask(&Request::Status)? {
        let Answer::Status { service, health, data } = answer else {
            anyhow::bail!("the service answered something else: {answer:?}");
        };
        let (service, health) = (Some(*service), Some(health));
        return Ok(Status { is_running: Some(true), service, health, data });
    }
    let data = overview::data_status(&place.reader()?, &place.data)?;
    let is_running = place.socket.as_ref().map(|_| false);
    Ok(Status { is_running, service: None, health: None, data: Some(data) })
}

/// The status as text.
fn text(status: &Status, place: &Place) -> String {
    let mut text = String::new();
    match (&status.service, &status.health) {
        (Some(service), Some(health)) => add_service(&mut text, service, health),
        _ => text.push_str(&match &place.socket {
            Some(path) => format!("The service is not running: none at {}.\n", path.display()),
            None => "No socket is known to ask the service (`daemon.socket`, --socket); \
                     the database says:\n"
                .to_owned(),
        }),
    }
    if let Some(data) = &status.data {
        add_data(&mut text, data);
    }
    text
}

fn add_service(text: &mut String, service: &Snapshot, health: &Health) {
    let age = |mjd_utc: f64| duration((service.at_mjd_utc - mjd_utc) * SECONDS_PER_DAY);
    text.push_str(&format!(
        "autossosd {}, running for {} (process {})\n",
        printable(&service.version),
        age(service.started_mjd_utc),
        service.pid
    ));
    line(text, "doing", &printable(&service.headline()));
    line(text, "health", health.word());
    for reason in health.reasons() {
        line(text, "", &printable(reason));
    }
    let counts = service.frames;
    let n_frames = counts.ok + counts.rejected + counts.failed;
    let mut frames = format!(
        "{n_frames} since the start: {} ok, {} rejected, {} failed",
        counts.ok, counts.rejected, counts.failed
    );
    if n_frames > 0 {
        frames.push_str(&format!("; {:.1} s each", service.frames_s / n_frames as f64));
    }
    line(text, "frames", &frames);
    line(text, "queue", &plural(service.n_files_waiting as usize, "file waits", "files wait"));
    line(text, "web page", &service.web_address.as_deref().map(printable).unwrap_or_default());
    let ago = |at: Option<f64>| at.map(|at| format!("{} ago", age(at))).unwrap_or_default();
    line(text, "last frame", &ago(service.last_frame_mjd_utc));
    line(text, "last look", &ago(service.last_pass_mjd_utc));
    if let Some(night) = &service.last_night {
        let end = match &night.failure {
            Some(failure) => format!("failed: {}", printable(failure)),
            None => "closed".to_owned(),
        };
        let told = format!("{} {end}, {} ago", printable(&night.night), age(night.at_mjd_utc));
        line(text, "last night", &told);
    }
    if let Some(error) = &service.last_error {
        let told = format!("{} ({} ago)", printable(&error.text), age(error.at_mjd_utc));
        line(text, "last error", &told);
    }
}

fn add_data(text: &mut String, data: &DataStatus) {
    line(text, "last result", &data.verdict.as_deref().map(printable).unwrap_or_default());
    line(text, "open nights", &data.n_nights_open.to_string());
    line(text, "paused", &data.paused.as_deref().map(printable).unwrap_or_default());
    line(text, "mail", &mail(data));
    let free = |bytes: u64| format!("{:.1} GiB free", bytes as f64 / GIB_BYTES);
    line(text, "disk", &data.disk_free_bytes.map(free).unwrap_or_default());
    line(text, "data folder", &printable(&data.folder));
    text.push('\n');
    text.push_str(&table::nights(&data.nights));
    text.push('\n');
}

/// The messages that wait, since when, and why.
fn mail(data: &DataStatus) -> String {
    let n = data.n_outbox_pending;
    if n == 0 {
        return "nothing waits".to_owned();
    }
    let since = data.outbox_since_mjd_utc.map(|at| format!(", the first since {}", instant(at)));
    let error = data.outbox_error.as_deref().map(|e| format!("; last error: {}", printable(e)));
    format!("{n} waiting{}{}", since.unwrap_or_default(), error.unwrap_or_default())
}

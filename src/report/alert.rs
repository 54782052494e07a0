//! Mails that say that something is wrong: what happened, what it means, what to do.

use crate::science::time::Epoch;

use super::ReportError;
use super::mail::{ComposedMail, Content, Envelope, put_together};
use super::words::{plural, printable};

/// Longest reason that is told [characters].
const REASON_LENGTH_MAX: usize = 2000;

/// Something that somebody should know.
#[derive(Debug, Clone, PartialEq)]
pub enum Alert {
    /// Nights went by without a frame.
    Silence {
        /// The telescope; empty for the only one.
        telescope: String,
        /// Nights without a frame.
        n_nights: u32,
        /// When the last frame came; none ever did when `None`.
        last_arrival: Option<Epoch>,
    },
    /// The report of a night could not be made.
    ReportFailed {
        /// The night.
        night: String,
        /// Why, and what to do.
        why: String,
    },
    /// Work pauses before the disk is full.
    DiskFull {
        /// The data folder.
        folder: String,
        /// Free space [MiB].
        free_mib: u64,
        /// Free space that is asked for [MiB].
        needed_mib: u64,
    },
    /// Nothing is wrong: somebody tries the mail.
    Test,
}

/// Puts the mail of an alert together; one key is one mail.
pub fn alert_mail(
    alert: &Alert,
    key: &str,
    envelope: &Envelope<'_>,
) -> Result<ComposedMail, ReportError> {
    let (subject, text) = words(alert);
    let content = Content {
        key: key.to_owned(),
        name: "alert".to_owned(),
        subject: format!("autossos: {subject}"),
        text,
        ..Content::default()
    };
    put_together(content, envelope)
}

/// Subject and text.
fn words(alert: &Alert) -> (String, String) {
    match alert {
        Alert::Silence { telescope, n_nights, last_arrival } => {
            silence(telescope, *n_nights, *last_arrival)
        }
        Alert::ReportFailed { night, why } => {
            let night = printable(night);
            let why: String = printable(why).chars().take(REASON_LENGTH_MAX).collect();
            let text = format!(
                "The report of night {night} could not be made:\n\n  {why}\n\n\
                 The raw frames are as they were. `autossosctl night show {night}` tells how the \
                 night stands, `autossosctl reprocess {night}` works on it again.\n"
            );
            (format!("the report of night {night} failed"), text)
        }
        Alert::DiskFull { folder, free_mib, needed_mib } => {
            let text = format!(
                "The disk of {} has {free_mib} MiB left; work pauses below {needed_mib} MiB \
                 (daemon.disk_free_min_mib).\n\n\
                 Free some space: work goes on by itself then. Frames that come meanwhile wait in \
                 the incoming folder. The keys of [keep] tell how long products are kept.\n",
                printable(folder)
            );
            ("the disk is nearly full, work pauses".to_owned(), text)
        }
        Alert::Test => {
            let text = "This is a test. Who reads it will get the mails of autossos.\n";
            ("test of the mail".to_owned(), text.to_owned())
        }
    }
}

fn silence(telescope: &str, n_nights: u32, last_arrival: Option<Epoch>) -> (String, String) {
    let nights = plural(n_nights as usize, "night", "nights");
    let of = match printable(telescope) {
        name if name.is_empty() => String::new(),
        name => format!(" of {name}"),
    };
    let last = last_arrival.map_or_else(
        || "None ever came.".to_owned(),
        |last| format!("The last one came at {} UTC.", minute(last)),
    );
    let text = format!(
        "No frame{of} came for {nights}. {last}\n\n\
         The service itself runs: it sent this mail. If there was observing, look whether the \
         frames reach the incoming folder: the camera's computer, the network, the copying. If \
         there was none, there is nothing to do; the next such mail comes after {} nights.\n",
        n_nights.saturating_mul(2)
    );
    (format!("no frame{of} for {nights}"), text)
}

/// An instant as `2026-03-01 04:12`.
fn minute(at: Epoch) -> String {
    at.to_iso().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

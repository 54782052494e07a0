//! Events of `tracing` as entries of the systemd journal, their fields as journal fields.
//!
//! The journal is written by systemd-journal-logger, which takes records of `log`. This layer makes
//! such a record of each event: `info!(frame = "a", "Frame done.")` becomes `MESSAGE=Frame done.
//! frame=a` and `FRAME=a`, so that `journalctl FRAME=a` finds it. Names of fields are made fit for
//! the journal (upper case, no other signs) by systemd-journal-logger; those that the journal gives
//! a meaning of its own are renamed here.

use std::fmt::{self, Write as _};

use log::{Log, Record};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Longest value of a field [bytes]; longer ones are cut.
const VALUE_MAX_BYTES: usize = 4096;
/// Most fields of an entry besides the message.
const FIELDS_MAX: usize = 32;
/// Names that the journal or systemd-journal-logger uses for something else.
const RESERVED: [&str; 14] = [
    "code_file",
    "code_func",
    "code_line",
    "code_module",
    "coredump_unit",
    "errno",
    "invocation_id",
    "message",
    "message_id",
    "object_pid",
    "priority",
    "target",
    "tid",
    "unit",
];

/// Hands each event to a logger of `log`, its fields as key-values.
#[derive(Debug)]
pub(super) struct JournalLayer<L> {
    /// Writes the journal; in the tests something that can be looked into.
    to: L,
}

impl<L> JournalLayer<L> {
    /// A layer in front of a logger.
    pub(super) const fn new(to: L) -> Self {
        Self { to }
    }
}

impl<S: Subscriber, L: Log + 'static> Layer<S> for JournalLayer<L> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let pairs: Vec<(&str, &str)> =
            fields.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let is_ours = fields.origin.target.is_none();
        self.to.log(
            &Record::builder()
                .args(format_args!("{}", fields.line()))
                .level(level(*metadata.level()))
                .target(fields.origin.target.as_deref().unwrap_or(metadata.target()))
                .module_path(metadata.module_path().filter(|_| is_ours))
                .file(fields.origin.file.as_deref().or(metadata.file().filter(|_| is_ours)))
                .line(fields.origin.line.or(metadata.line().filter(|_| is_ours)))
                .key_values(&pairs.as_slice())
                .build(),
        );
    }
}

const fn level(level: Level) -> log::Level {
    match level {
        Level::ERROR => log::Level::Error,
        Level::WARN => log::Level::Warn,
        Level::INFO => log::Level::Info,
        Level::DEBUG => log::Level::Debug,
        Level::TRACE => log::Level::Trace,
    }
}

/// What an event says.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    pairs: Vec<(String, String)>,
    origin: Origin,
}

/// Where an event comes from that a library gave to `log` (see `tracing_log`).
#[derive(Debug, Default)]
struct Origin {
    target: Option<String>,
    file: Option<String>,
    line: Option<u32>,
}

impl Fields {
    /// The message as people read it: fields behind the sentence, as on standard error.
    fn line(&self) -> String {
        let mut line = self.message.clone();
        for (name, value) in &self.pairs {
            let gap = if line.is_empty() { "" } else { " " };
            write!(line, "{gap}{name}={value}").expect("a text grows");
        }
        line
    }

    fn add(&mut self, name: &str, value: String) {
        let value = cut(value);
        match name {
            "message" => self.message = value,
            "log.target" => self.origin.target = Some(value),
            "log.file" => self.origin.file = Some(value),
            "log.line" => self.origin.line = value.parse().ok(),
            "log.module_path" => {}
            _ if self.pairs.len() < FIELDS_MAX => self.pairs.push((own_name(name), value)),
            _ => {}
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), format!("{value:?}"));
    }
}

/// A field's name that means nothing else to the journal.
fn own_name(name: &str) -> String {
    let is_reserved = RESERVED.contains(&name) || name.starts_with("syslog_");
    if is_reserved { format!("field_{name}") } else { name.to_owned() }
}

fn cut(mut value: String) -> String {
    if value.len() > VALUE_MAX_BYTES {
        value.truncate(value.floor_char_boundary(VALUE_MAX_BYTES));
    }
    value
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use log::kv::{self, VisitSource};
    use tracing_subscriber::prelude::*;

    use super::*;

    /// A record as the journal's writer gets it.
    #[derive(Debug, Clone, PartialEq, Default)]
    struct Entry {
        level: String,
        message: String,
        target: String,
        file: Option<String>,
        line: Option<u32>,
        fields: Vec<(String, String)>,
    }

    impl<'kvs> VisitSource<'kvs> for Entry {
        fn visit_pair(
            &mut self,
            key: kv::Key<'kvs>,
            value: kv::Value<'kvs>,
        ) -> Result<(), kv::Error> {
            self.fields.push((key.to_string(), value.to_string()));
            Ok(())
        }
    }

    #[derive(Debug, Clone, Default)]
    struct Journal(Arc<Mutex<Vec<Entry>>>);

    impl Log for Journal {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            let mut entry = Entry {
                level: record.level().to_string(),
                message: record.args().to_string(),
                target: record.target().to_owned(),
                file: record.file().map(str::to_owned),
                line: record.line(),
                fields: Vec::new(),
            };
            record.key_values().visit(&mut entry).expect("fields can be read");
            self.0.lock().expect("one thread").push(entry);
        }

        fn flush(&self) {}
    }

    /// What the journal gets of the events in a function.
    fn entries(tell: impl FnOnce()) -> Vec<Entry> {
        let journal = Journal::default();
        let subscriber = tracing_subscriber::registry().with(JournalLayer::new(journal.clone()));
        tracing::subscriber::with_default(subscriber, tell);
        let entries = journal.0.lock().expect("one thread");
        entries.clone()
    }

    fn pairs(entry: &Entry) -> Vec<(&str, &str)> {
        entry.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn fields_of_an_event_become_fields_of_the_entry() {
        let line = line!() + 2;
        let told = entries(|| {
            tracing::info!(night = "2026-03-01", frame = %"a b", n = 3, is_ok = true, "Done.");
        });
        let entry = told.first().expect("an entry");
        assert_eq!(entry.level, "INFO");
        assert_eq!(entry.message, "Done. night=2026-03-01 frame=a b n=3 is_ok=true");
        let fields = [("night", "2026-03-01"), ("frame", "a b"), ("n", "3"), ("is_ok", "true")];
        assert_eq!(pairs(entry), fields);
        assert_eq!(entry.target, module_path!());
        assert_eq!((entry.file.as_deref(), entry.line), (Some(file!()), Some(line)));
    }

    #[test]
    fn levels_keep_their_rank() {
        let told = entries(|| {
            tracing::error!("a");
            tracing::warn!("b");
            tracing::debug!("c");
            tracing::trace!("d");
        });
        let levels: Vec<&str> = told.iter().map(|entry| entry.level.as_str()).collect();
        assert_eq!(levels, ["ERROR", "WARN", "DEBUG", "TRACE"]);
    }

    #[test]
    fn names_with_a_meaning_of_their_own_are_renamed() {
        let told = entries(|| tracing::warn!(priority = 0, syslog_pid = 1, target = "x", "Odd."));
        let entry = told.first().expect("an entry");
        let names: Vec<&str> = pairs(entry).iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["field_priority", "field_syslog_pid", "field_target"]);
    }

    #[test]
    fn an_event_of_a_library_keeps_its_origin() {
        // As tracing_log hands over a record of `log`.
        let told = entries(|| {
            tracing::event!(target: "log", Level::WARN, message = "Slow.", log.target = "notify",
                log.file = "inotify.rs", log.line = 7_u32, log.module_path = "notify::inotify");
        });
        let entry = told.first().expect("an entry");
        assert_eq!((entry.message.as_str(), entry.target.as_str()), ("Slow.", "notify"));
        assert_eq!((entry.file.as_deref(), entry.line), (Some("inotify.rs"), Some(7)));
        assert!(entry.fields.is_empty(), "{entry:?}");
    }

    #[test]
    fn a_huge_value_is_cut() {
        // 3 bytes each: the limit of 4096 falls into a sign, so 1365 of them are left.
        let told = entries(|| tracing::info!(text = "€".repeat(5000).as_str(), "Long."));
        let entry = told.first().expect("an entry");
        assert_eq!(entry.fields.first().map(|(_, value)| value.len()), Some(1365 * 3));
    }
}

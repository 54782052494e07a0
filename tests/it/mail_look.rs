//! The morning mail of a processed night as a mail program sees it: written to the spool by the
//! courier, taken apart by Python's `email` package, a reader that is not ours.
//!
//! `AUTOSSOS_MAIL_LOOK=FOLDER` keeps the message there, to be looked at.

use std::path::Path;
use std::process::Command;

use autossos::config::Config;
use autossos::ops::Silent;
use autossos::ops::clock::SystemClock;
use autossos::ops::mail::{deliver_due, transport};
use autossos::ops::run::run_night;
use autossos::pipeline::artifact::candidate::Identity;
use autossos::report::detections_csv;
use autossos::store::Store;
use serde_json::Value;

use crate::simulated::NightOnDisk;
use autossos::science::simulate::Scenario;

/// Tells the structure of a message as JSON.
const SCRIPT: &str = r#"
import email, email.policy, json, re, sys
with open(sys.argv[1], "rb") as file:
    mail = email.message_from_binary_file(file, policy=email.policy.default)
def tree(part):
    if part.is_multipart():
        return [part.get_content_type(), [tree(p) for p in part.iter_parts()]]
    return part.get_content_type()
defects = [str(d) for part in mail.walk() for d in part.defects]
text = mail.get_body(("plain",)).get_content()
html = mail.get_body(("html",)).get_content()
pictures = {}
for part in mail.walk():
    if part.get_content_maintype() == "image":
        content = part.get_content()
        pictures[part["Content-ID"][1:-1]] = [content[:6].hex(), len(content)]
files = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
print(json.dumps({
    "tree": tree(mail), "defects": defects, "subject": mail["Subject"], "text": text,
    "html": html, "pictures": pictures, "files": files,
    "shown": re.findall(r'src="cid:([^"]+)"', html), "sources": html.count("src="),
}))
"#;

/// A Python, which needs nothing but its own library.
fn python() -> Option<&'static str> {
    let works = |program: &&str| {
        let output = Command::new(program).args(["-c", "import email.policy"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(works);
    let must = std::env::var("AUTOSSOS_E2E").as_deref() == Ok("1");
    assert!(found.is_some() || !must, "no Python here");
    if found.is_none() {
        println!("skipped: no Python here");
    }
    found
}

fn taken_apart(python: &str, message: &Path) -> Value {
    let output =
        Command::new(python).args(["-c", SCRIPT]).arg(message).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_night_s_mail_opens_in_another_reader_with_pictures_and_tables() {
    let Some(python) = python() else { return };
    let night = NightOnDisk::new(&Scenario::demo(7));
    let spool = night.data("spool");
    let mut config = Config::default();
    config.mail.from = Some("dome@example.org".to_owned());
    config.mail.to = vec!["observer@example.org".to_owned()];
    config.mail.spool = Some(spool.clone());
    let summary = run_night(&night.request("data"), &config, &Silent).expect("processed");
    let store = Store::open(&night.data("data")).expect("opened");
    let way = transport(&config.mail).expect("a way out");
    let sent = deliver_due(&store, &config.mail, &SystemClock, way.as_ref()).expect("noted");
    assert_eq!(sent.n_sent, 1);
    let entry = std::fs::read_dir(&spool).expect("the spool").next().expect("a mail");
    let path = entry.expect("readable").path();
    if let Some(folder) = std::env::var_os("AUTOSSOS_MAIL_LOOK") {
        std::fs::copy(&path, Path::new(&folder).join("night.eml")).expect("kept");
    }
    assert!(std::fs::metadata(&path).expect("a file").len() < 5_000_000);
    let mail = taken_apart(python, &path);

    let report = &summary.report;
    let of = |key: &str| mail[key].as_str().expect("a text");
    let (text, html) = (of("text"), of("html"));
    assert_eq!(mail["defects"], serde_json::json!([]));
    let unknown: Vec<_> =
        report.candidates.iter().filter(|c| c.identity == Identity::Unknown).collect();
    assert!(unknown.len() >= 2 && report.candidates.len() > unknown.len());
    let mut pictures = vec!["text/html"];
    pictures.extend(unknown.iter().map(|_| "image/gif"));
    pictures.push("image/png");
    let faces = serde_json::json!(["text/plain", ["multipart/related", pictures]]);
    let files = ["text/csv", "text/plain"];
    let expected = serde_json::json!([
        "multipart/mixed",
        [["multipart/alternative", faces], files[0], files[1]]
    ]);
    assert_eq!(mail["tree"], expected, "{}", mail["tree"]);
    let subject = format!("test: {} unknown, ", unknown.len());
    assert!(of("subject").starts_with(&subject) && text.starts_with(&subject), "{text}");

    let shown: Vec<&str> =
        mail["shown"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let enclosed = mail["pictures"].as_object().expect("a table");
    assert_eq!(shown.len(), enclosed.len());
    assert_eq!(mail["sources"], shown.len(), "nothing from elsewhere");
    for cid in shown {
        let start = enclosed[cid][0].as_str().expect("an enclosed picture");
        // "GIF89a" or PNG's signature.
        assert!(["474946383961", "89504e470d0a"].contains(&start), "{cid}: {start}");
    }
    assert!(html.len() < 100_000 && !html.contains("<script") && !html.contains("url("));
    for candidate in report.candidates.iter().chain(&report.faint) {
        assert!(text.contains(&candidate.id) && html.contains(&candidate.id), "{}", candidate.id);
    }
    for note in &report.not_done {
        assert!(text.contains(&format!("{}: {}", note.subject, note.text)), "{note:?}");
    }
    for told in ["Disk and health", "Zero point: ", "Master frames", "how sure: "] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let csv = mail["files"]["test.csv"].as_str().expect("the table");
    assert_eq!(csv, detections_csv(&report.candidates));
    let n_detections: usize = report.candidates.iter().map(|c| c.detections.len()).sum();
    assert_eq!(csv.lines().count(), n_detections + 1);
    let draft = mail["files"]["test.draft.psv"].as_str().expect("the draft");
    assert!(draft.starts_with("# version=") && draft.contains("SIMULATED"), "{draft}");
}

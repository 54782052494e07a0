//! What page, text and mail of a small night say, and what they must never contain.

use crate::pipeline::artifact::candidate::Identity;
use crate::pipeline::artifact::report::NightReport;
use crate::science::time::Epoch;

use super::ReportError;
use super::blink::blink_gif;
use super::blink::tests::cutouts;
use super::digest::{DigestNight, digest_mail};
use super::fixture;
use super::html::{CandidatePictures, render_html};
use super::mail::{Enclosed, Envelope, morning_mail};
use super::text::render_text;
use super::verdict::verdict;

fn pictures() -> Vec<CandidatePictures> {
    let cutouts = cutouts(3, 21);
    let blink_gif = blink_gif(&cutouts, cutouts.best_view(), 400).expect("drawn");
    vec![CandidatePictures { candidate_id: "U2BBBB".to_owned(), blink_gif }]
}

fn empty() -> NightReport {
    NightReport {
        frames: Vec::new(),
        candidates: Vec::new(),
        masters: Vec::new(),
        faint: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        removed: Vec::new(),
        not_done: Vec::new(),
        ..fixture::report()
    }
}

#[test]
fn the_verdict_counts() {
    assert_eq!(verdict(&fixture::report()), "2026-03-01: 1 unknown, 1 known, 2 of 6 frames lost");
    assert_eq!(verdict(&empty()), "2026-03-01: 0 unknown, 0 known, no science frames");
    let mut report = fixture::report();
    report.candidates.iter_mut().for_each(|c| c.identity = Identity::Unchecked);
    assert_eq!(
        verdict(&report),
        "2026-03-01: 2 moving objects not compared with a list, 2 of 6 frames lost"
    );
}

#[test]
fn the_page_is_self_contained_and_escaped() {
    let page = render_html(&fixture::report(), &pictures()).expect("rendered");
    assert!(!page.contains("http:") && !page.contains("https:"), "no resource from elsewhere");
    assert!(!page.contains("<script") && !page.contains("url("));
    assert!(page.contains("22767 &#60;script&#62;alert(1)"));
    assert!(page.contains("a&#38;b.fits"));
    assert!(page.contains("data:image/gif;base64,R0lGOD"));
    assert!(page.contains("<h1>2026-03-01: 1 unknown, 1 known, 2 of 6 frames lost</h1>"));
    assert!(page.contains("cloud: 0.9 mag less"));
    assert!(page.contains("0.451 ± 0.012 ″/min") && page.contains("4 of 5 expected"));
    let unknown = page.find("U2BBBB").expect("named");
    assert!(unknown < page.find("K1AAAA").expect("named"), "unknown objects first");
    assert_eq!(page, render_html(&fixture::report(), &pictures()).expect("rendered"));
}

#[test]
fn all_tags_of_the_page_close() {
    for report in [fixture::report(), empty()] {
        let page = render_html(&report, &[]).expect("rendered");
        for tag in [
            "main", "article", "div", "table", "thead", "tbody", "tr", "td", "details", "svg", "dl",
        ] {
            let opened = page.matches(&format!("<{tag}>")).count()
                + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}

#[test]
fn the_text_reads_like_this() {
    let text = render_text(&fixture::report());
    let expected = "\
2026-03-01: 1 unknown, 1 known, 2 of 6 frames lost

Unknown
  U2BBBB
     G 19.22 ± 0.03, 0.451 ± 0.012 arcsec/min towards 116.6 deg, seen in 4 of 5 frames
     first at 21:36:00 UTC, 08 13 36.00 -05 15 00.0
     how sure: strong, by chance in 1 of 5,000 nights
  How sure: how many such nights it takes for one chance alignment as good as this.

Known
  22767 <script>alert(1)</script> (K1AAAA): O-C 0.31 arcsec
     G 17.82 ± 0.03, 0.451 ± 0.012 arcsec/min towards 116.6 deg, seen in 4 of 5 frames

Conditions of the frames used
  Zero point: 22.47 to 22.51, median 22.49 mag (4 frames)
  Seeing, FWHM: 2.4 to 2.8, median 2.6 arcsec (4 frames)
  Limiting magnitude, 5 sigma: 20.05 to 20.13, median 20.09 (4 frames)

Frames lost
  f2.fits: rejected, cloud: 0.9 mag less than the night's best zero point
  a&b.fits: failed, truncated, <1 of 1> image

Not done, and why
  a&b.fits: The file ends early: 1,440 of 2,880 bytes. It was left out; copy it again.

Master frames
  bias: median of 5 frames
  flat V: 6 frames

Attached
  2026-03-01.csv: 8 detections

autossos 0.1.0, simulated camera, profile generic
The whole report lies in the data folder under products/2026-03-01/report.
";
    assert_eq!(text.body, expected);
    assert_eq!(text.subject, "2026-03-01: 1 unknown, 1 known, 2 of 6 frames lost");
}

#[test]
fn the_mail_is_a_message_with_two_faces_and_no_randomness() {
    let to = ["Observer <a@example.org>".to_owned(), "b@example.org".to_owned()];
    // MJD 61101.25 is 2026-03-02 06:00 UTC, a Monday.
    let at = Epoch::from_mjd_utc(61_101.25);
    let envelope = Envelope { from: "autossos <dome@example.org>", to: &to, at };
    let mail = morning_mail(&fixture::report(), &Enclosed::default(), &envelope).expect("made");
    let text = String::from_utf8(mail.bytes.clone()).expect("ASCII");
    assert!(text.is_ascii());
    assert!(text.contains("Subject: 2026-03-01: 1 unknown, 1 known, 2 of 6 frames lost\r\n"));
    assert!(text.contains("Date: Mon, 02 Mar 2026 06:00:00 +0000\r\n"));
    assert!(text.contains(&format!("Message-ID: {}\r\n", mail.message_id)));
    assert!(
        mail.message_id.starts_with("<2026-03-01.") && mail.message_id.ends_with("@example.org>")
    );
    assert!(text.contains("multipart/alternative"));
    assert!(text.contains("text/plain") && text.contains("text/html"));
    let html = text.split("text/html").nth(1).expect("a second part");
    assert!(html.contains("U2BBBB") && !html.contains("<script"));
    assert_eq!(
        morning_mail(&fixture::report(), &Enclosed::default(), &envelope).expect("made"),
        mail
    );
    let later = Envelope { at: at.plus_seconds(60.0), ..envelope };
    assert_eq!(
        morning_mail(&fixture::report(), &Enclosed::default(), &later).expect("made").key,
        mail.key
    );
}

#[test]
fn bad_addresses_and_hostile_names_are_handled() {
    let at = Epoch::from_mjd_utc(f64::NAN);
    let none = Envelope { from: "a@example.org", to: &[], at };
    assert!(matches!(
        morning_mail(&fixture::report(), &Enclosed::default(), &none),
        Err(ReportError::NoRecipient { .. })
    ));
    let to = ["not an address".to_owned()];
    let bad = Envelope { from: "a@example.org", to: &to, at };
    assert!(matches!(
        morning_mail(&fixture::report(), &Enclosed::default(), &bad),
        Err(ReportError::Address { .. })
    ));
    let mut report = fixture::report();
    report.night = "n\r\nBcc: evil@example.org".to_owned();
    let to = ["b@example.org".to_owned()];
    let mail = morning_mail(
        &report,
        &Enclosed::default(),
        &Envelope { from: "a@example.org", to: &to, at },
    );
    let text = String::from_utf8(mail.expect("made").bytes).expect("ASCII");
    let head = text.split("\r\n\r\n").next().expect("a head");
    assert!(!head.lines().any(|line| line.starts_with("Bcc")));
}

/// Three nights of two telescopes, one of them mailed before.
fn nights() -> [NightReport; 3] {
    let named = |night: &str| NightReport { night: night.to_owned(), ..fixture::report() };
    [named("C14.2026-03-01"), named("RASA.2026-03-01"), named("RASA.2026-03-02")]
}

fn several(nights: &[NightReport], is_update: [bool; 3]) -> super::mail::ComposedMail {
    let views: Vec<DigestNight<'_>> = nights
        .iter()
        .zip(is_update)
        .map(|(report, is_update)| {
            let telescope = report.night.split_once('.').map_or("", |(telescope, _)| telescope);
            DigestNight { report, telescope, is_update, enclosed: Enclosed::default() }
        })
        .collect();
    let to = ["a@example.org".to_owned()];
    let at = Epoch::from_mjd_utc(61_102.25);
    digest_mail(&views, &[], &Envelope { from: "dome@example.org", to: &to, at }).expect("made")
}

/// The parts of a message as its reader sees them, soft line breaks and coded letters undone.
fn decoded(mail: &super::mail::ComposedMail) -> String {
    let text = String::from_utf8(mail.bytes.clone()).expect("ASCII").replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match code.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|_| byte == b'=') {
            Some(coded) => {
                bytes.push(coded);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n")
}

#[test]
fn several_nights_are_one_mail_by_telescope() {
    let mail = several(&nights(), [false, true, false]);
    assert_eq!(mail.subject, "3 nights of 2 telescopes: 3 unknown, 3 known, 6 of 18 frames lost");
    let text = decoded(&mail);
    let overview = "\
3 nights of 2 telescopes: 3 unknown, 3 known, 6 of 18 frames lost

C14
  C14.2026-03-01: 1 unknown, 1 known, 2 of 6 frames lost

RASA
  RASA.2026-03-01 (update): 1 unknown, 1 known, 2 of 6 frames lost
  RASA.2026-03-02: 1 unknown, 1 known, 2 of 6 frames lost

----------------------------------------------------------------------
C14.2026-03-01: 1 unknown, 1 known, 2 of 6 frames lost

Unknown
  U2BBBB
";
    assert!(text.contains(overview), "{text}");
    assert_eq!(text.matches("\nUnknown\n").count(), 3);
    let html = text.split("text/html").nth(1).expect("a page");
    assert!(html.contains("<h2>RASA</h2>") && !html.contains("<script"));
    assert_eq!(html.matches("<h3>U2BBBB</h3>").count(), 3);
    assert!(!html.contains(">Not compared<"), "a column that is empty is left away");
    for tag in ["h1", "h2", "h3", "table", "tr", "td", "ul", "li", "p", "body"] {
        let opened =
            html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    assert_eq!(several(&nights(), [false, true, false]), mail, "the same bytes");
}

#[test]
fn one_telescope_needs_no_heading_and_updates_are_told() {
    let mut nights = nights();
    for (night, day) in nights.iter_mut().zip(1..) {
        night.night = format!("2026-03-0{day}");
    }
    let mail = several(&nights, [true; 3]);
    assert_eq!(mail.subject, "Update: 3 nights: 3 unknown, 3 known, 6 of 18 frames lost");
    let text = decoded(&mail);
    assert!(!text.contains("telescope") && !text.contains("<h2>RASA</h2>"), "{text}");
    let mut parts = mail.key.split('/');
    assert_eq!(parts.next(), Some("digest"));
    assert_eq!(parts.nth(1).map(|all| all.split(',').count()), Some(3), "{}", mail.key);
}

#[test]
fn a_hundred_nights_stay_a_mail_of_reasonable_size() {
    let night = |n: usize| NightReport { night: format!("n{n:03}"), ..fixture::report() };
    let reports: Vec<NightReport> = (0..100).map(night).collect();
    let enclosed = Enclosed::default();
    let view = |report| DigestNight { report, telescope: "", is_update: false, enclosed };
    let views: Vec<DigestNight<'_>> = reports.iter().map(view).collect();
    let to = ["a@example.org".to_owned()];
    let at = Epoch::from_mjd_utc(61_102.25);
    let envelope = Envelope { from: "dome@example.org", to: &to, at };
    let mail = digest_mail(&views, &[], &envelope).expect("made");
    assert!(mail.bytes.len() < 200_000, "{} bytes", mail.bytes.len());
    let text = decoded(&mail);
    assert!(text.contains("69 of the nights are told in one line each"), "{text}");
    assert!(text.contains("  n000: 1 unknown") && text.contains("\nn099: 1 unknown"));
    assert!(!text.contains("\nn068: 1 unknown") && text.contains("\nn069: 1 unknown"));
}

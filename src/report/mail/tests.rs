//! What a mail holds at most, that it is the same twice, and that hostile names do no harm.

use super::super::fixture;
use super::*;
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::rating::Rating;
use crate::pipeline::artifact::report::Note;
use crate::report::digest::{DigestNight, digest_mail};

fn receivers() -> Vec<String> {
    vec!["a@example.org".to_owned()]
}

fn envelope(to: &[String]) -> Envelope<'_> {
    Envelope { from: "dome@example.org", to, at: Epoch::from_mjd_utc(61_101.25) }
}

/// Keeps a message in the folder `AUTOSSOS_MAIL_LOOK`, to be looked at.
#[expect(clippy::disallowed_methods, reason = "a test writes a file for a person")]
fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("AUTOSSOS_MAIL_LOOK") {
        std::fs::write(std::path::Path::new(&folder).join(name), bytes).expect("kept");
    }
}

fn mail_of(report: &NightReport, enclosed: &Enclosed<'_>) -> String {
    let mail = morning_mail(report, enclosed, &envelope(&receivers())).expect("made");
    assert!(mail.bytes.len() <= MESSAGE_BYTES_MAX, "{} bytes", mail.bytes.len());
    let again = morning_mail(report, enclosed, &envelope(&receivers())).expect("made");
    assert!(again == mail, "the same bytes");
    keep(&format!("{}-{}.eml", plain(&report.night), report.candidates.len()), &mail.bytes);
    String::from_utf8(mail.bytes).expect("ASCII")
}

fn unknown(id: &str, real_score: f64) -> Candidate {
    let mut candidate = fixture::report().candidates.remove(1);
    candidate.id = id.to_owned();
    let neo_rating = Some(62.4);
    let reasons = vec!["as wide as the stars".to_owned(), "moves 40 px".to_owned()];
    let rating = Rating { real_score, neo_rating, reasons, ..Rating::default() };
    candidate.rating = Some(rating);
    candidate
}

/// A night with so many candidates, half of them known, and so many notes.
fn crowded(n_candidates: usize, n_notes: usize) -> NightReport {
    let mut report = fixture::report();
    let mut candidates: Vec<Candidate> =
        (0..n_candidates).map(|n| unknown(&format!("C{n:04}"), 0.5)).collect();
    for candidate in candidates.iter_mut().skip(n_candidates / 2) {
        let name = format!("2026 AB{}", candidate.id);
        candidate.identity = Identity::Known { name, separation_arcsec: 0.2 };
    }
    report.candidates = candidates;
    let text = "it was left out for a reason that takes a line or two to tell, with what to do.";
    let note = |n: usize| Note { subject: format!("frame{n:05}.fits"), text: text.to_owned() };
    report.not_done = (0..n_notes).map(note).collect();
    report
}

fn picture(id: &str, n_bytes: usize) -> CandidatePictures {
    CandidatePictures { candidate_id: id.to_owned(), blink_gif: vec![7; n_bytes] }
}

fn page_of(report: &NightReport, enclosed: &Enclosed<'_>) -> (String, Vec<Inline>) {
    let (html, pictures) = page(report, enclosed, None, Shares::WHOLE).expect("rendered");
    assert!(html.len() <= PAGE_BYTES_MAX, "{} bytes", html.len());
    for picture in &pictures {
        assert_eq!(html.matches(&format!("src=\"cid:{}\"", picture.cid)).count(), 1);
    }
    assert_eq!(html.matches("src=").count(), pictures.len(), "no picture from elsewhere");
    assert_eq!(html.matches("<img ").count(), html.matches(" alt=\"").count());
    (html, pictures)
}

#[test]
fn a_crowded_night_stays_within_the_limits_and_says_what_is_missing() {
    let report = crowded(500, 5000);
    let pictures: Vec<CandidatePictures> =
        report.candidates.iter().map(|c| picture(&c.id, 90_000)).collect();
    let enclosed = Enclosed { pictures: &pictures, ..Enclosed::default() };
    let (html, shown) = page_of(&report, &enclosed);
    assert_eq!(shown.len(), 25, "24 objects and the conditions");
    assert!(html.contains("Moving pictures of 226 more would make this mail too large"));
    assert!(html.contains("more in the report"));
    let text = text(&report, &enclosed, Shares::WHOLE);
    assert!(text.len() <= TEXT_BYTES_MAX, "{} bytes", text.len());
    assert!(report.candidates.iter().all(|c| text.contains(&c.id)), "all objects");
    let n_notes = text.matches("it was left out for a reason").count();
    assert!(n_notes > 100 && text.contains(&format!("and {} more", 5000 - n_notes)));
    mail_of(&report, &enclosed);
}

#[test]
fn texts_of_any_length_do_not_break_the_limits() {
    let mut report = crowded(120, 300);
    let long = "é".repeat(3000);
    report.instrument.clone_from(&long);
    report.masters = vec![long.clone(); 50];
    report.not_done.iter_mut().for_each(|note| note.text = "é".repeat(1000));
    report.frames.iter_mut().for_each(|frame| frame.reason = Some(long.clone()));
    for candidate in &mut report.candidates {
        candidate.id = format!("{}{long}", candidate.id);
        if let Some(rating) = &mut candidate.rating {
            rating.reasons = vec![long.clone(); 50];
        }
    }
    let pictures: Vec<CandidatePictures> =
        report.candidates.iter().map(|c| picture(&c.id, 500_000)).collect();
    let psv = "x".repeat(2_000_000);
    let enclosed = Enclosed { pictures: &pictures, ades_psv: Some(&psv), ..Enclosed::default() };
    page_of(&report, &enclosed);
    let mail = mail_of(&report, &enclosed);
    assert!(!mail.contains("filename="), "neither table fits");
    let text = text(&report, &enclosed, Shares::WHOLE);
    assert!(text.contains("The table of") && text.contains("The ADES draft would make"));
}

#[test]
fn the_best_come_first_with_score_reasons_and_links() {
    let mut report = fixture::report();
    report.candidates = vec![unknown("WORSE", 0.2), unknown("BETTER", 0.97)];
    report.candidates[0].mag = Some(15.0);
    let pictures = [picture("BETTER", 300), picture("WORSE", 300), picture("OTHER", 300)];
    let house = ["Disk: more than 20 GiB free.".to_owned()];
    let enclosed = Enclosed {
        pictures: &pictures,
        page_url: Some("https://dome.example.org/base/night/2026-03-01"),
        ades_psv: Some("# version=2022\n"),
        house: &house,
    };
    let (html, shown) = page_of(&report, &enclosed);
    assert_eq!(shown.len(), 3);
    let text = text(&report, &enclosed, Shares::WHOLE);
    for face in [&html, &text] {
        assert!(face.find("BETTER").expect("told") < face.find("WORSE").expect("told"));
        let url = "https://dome.example.org/base/night/2026-03-01/candidate/BETTER";
        for told in [url, "as wide as the stars; moves 40 px", "0.97", "62", "20 GiB free"] {
            assert!(face.contains(told), "{told} in {face}");
        }
        assert!(face.contains("strong, by chance in 1 of 5,000 nights"));
        assert!(face.contains("2026-03-01.draft.psv"));
    }
    let mail = mail_of(&report, &enclosed);
    for kind in ["multipart/mixed", "multipart/alternative", "multipart/related"] {
        assert_eq!(mail.matches(kind).count(), 1, "{kind}");
    }
    let other = Enclosed { page_url: Some("javascript:alert(1)"), ..enclosed };
    assert!(!page_of(&report, &other).0.contains("javascript"));
}

#[test]
fn hostile_names_are_escaped_and_change_no_structure() {
    let mut report = fixture::report();
    let evil = "x\"><script>alert(1)</script>\r\n--autossos\r\nBcc: e@x.org\u{202e}";
    report.candidates[1].id = evil.to_owned();
    report.instrument = evil.to_owned();
    report.masters = vec![evil.to_owned()];
    report.not_done = vec![Note { subject: evil.to_owned(), text: evil.to_owned() }];
    report.night = "n\r\nBcc: evil@example.org".to_owned();
    let pictures = [picture(evil, 10)];
    let url = "https://x.org/\"onmouseover=\"alert(1)";
    let enclosed = Enclosed { pictures: &pictures, page_url: Some(url), ..Enclosed::default() };
    let (html, shown) = page_of(&report, &enclosed);
    assert_eq!(shown.len(), 2, "the object's and the conditions");
    assert!(!html.contains("<script") && !html.contains("\"onmouseover"), "{html}");
    assert!(html.contains("/candidate/x%22%3E%3Cscript"));
    assert!(!html.contains('\r') && !html.contains('\u{202e}'));
    let mail = mail_of(&report, &enclosed);
    let head = mail.split("\r\n\r\n").next().expect("a head");
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    let n_parts = mail.lines().filter(|line| line.starts_with("Content-Type: ")).count();
    // Three folders; text, page, two pictures, a table.
    assert_eq!(n_parts, 8);
    assert!(!mail.lines().any(|line| line == "--autossos"));
    assert!(mail.contains("filename=\"n__Bcc__evil_example_org.csv\""));
}

#[test]
fn what_stands_beside_the_report_is_no_news() {
    let report = fixture::report();
    let house = ["Disk: 5 MiB free".to_owned()];
    let enclosed = Enclosed { house: &house, ..Enclosed::default() };
    let to = receivers();
    let plain = morning_mail(&report, &Enclosed::default(), &envelope(&to)).expect("made");
    let other = morning_mail(&report, &enclosed, &envelope(&to)).expect("made");
    assert_eq!(plain.key, other.key);
    assert_ne!(plain.message_id, other.message_id, "another text is another message");
    let mut changed = report.clone();
    changed.candidates[1].rating = Some(Rating { real_score: 0.5, ..Rating::default() });
    assert_ne!(fingerprint(&changed).expect("made"), fingerprint(&report).expect("made"));
}

#[test]
fn a_mail_of_forty_crowded_nights_is_bounded_and_shares_its_pictures() {
    let reports: Vec<NightReport> =
        (0..40).map(|n| NightReport { night: format!("n{n:02}"), ..crowded(60, 100) }).collect();
    let pictures: Vec<CandidatePictures> =
        reports[0].candidates.iter().map(|c| picture(&c.id, 60_000)).collect();
    let enclosed = Enclosed { pictures: &pictures, ..Enclosed::default() };
    let view = |report| DigestNight { report, telescope: "", is_update: false, enclosed };
    let views: Vec<DigestNight<'_>> = reports.iter().map(view).collect();
    let to = receivers();
    let mail = digest_mail(&views, &["Disk: fine.".to_owned()], &envelope(&to)).expect("made");
    assert!(mail.bytes.len() <= MESSAGE_BYTES_MAX, "{} bytes", mail.bytes.len());
    let text = String::from_utf8(mail.bytes.clone()).expect("ASCII");
    let n_pictures = text.matches("image/gif").count();
    assert!((1..=31).contains(&n_pictures), "{n_pictures}");
    assert!(text.matches("Content-ID:").count() == n_pictures, "no chart");
    assert_eq!(text.matches("Disk: fine.").count(), 2, "once in the text, once in the page");
    let again = digest_mail(&views, &["Disk: fine.".to_owned()], &envelope(&to)).expect("made");
    assert!(again == mail);
    keep("digest.eml", &mail.bytes);
}

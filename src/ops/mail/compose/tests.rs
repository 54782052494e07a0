//! Which mail a night gets, at once or with others, and what a second closing does.

use crate::store::nights::{Closing, ClosingMail, NightSource};

use super::*;
use crate::ops::clock::SetClock;
use crate::ops::cutouts::save;
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::cutouts::{Cutouts, FrameCutout};
use crate::science::image::Image;
use crate::store::NightId;
use crate::store::outbox::{OutboxRow, OutboxState};

fn config(when: MailTime) -> Config {
    let mut config = Config::default();
    config.mail.from = Some("dome@example.org".to_owned());
    config.mail.to = vec!["a@example.org".to_owned(), "b@example.org".to_owned()];
    config.mail.when = when;
    config.mail.time_zone = Some("Europe/Madrid".to_owned());
    config
}

const HALF_PAST_SEVEN: MailTime = MailTime::At { hour: 7, minute: 30 };

fn report(night: &str, instrument: &str) -> NightReport {
    NightReport {
        night: night.to_owned(),
        version: "0.1.0".to_owned(),
        instrument: instrument.to_owned(),
        masters: Vec::new(),
        frames: Vec::new(),
        candidates: Vec::new(),
        faint: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        removed: Vec::new(),
        not_done: Vec::new(),
    }
}

/// 2 March 2026, 00:00 UTC.
fn midnight() -> Epoch {
    Epoch::from_date(2026, 3, 2, 0.0)
}

struct House {
    _folder: tempfile::TempDir,
    store: Store,
    clock: SetClock,
    config: Config,
}

impl House {
    fn new(when: MailTime) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path()).expect("opened");
        Self { _folder: folder, store, clock: SetClock::at(midnight()), config: config(when) }
    }

    /// Closes a night as the daemon does; the answer says what was done about mail.
    fn close(&self, night: &str, instrument: &str) -> MailAtClose {
        let id = NightId::new(night).expect("a good name");
        let (at, report) = (self.clock.now(), report(night, instrument));
        self.store.begin_night(&id, &NightSource::only("/raw"), at).expect("begun");
        let closing = ClosingNight { night: &id, report: &report, pictures: &[] };
        let decided = on_close(&self.store, &self.config, &closing, at).expect("composed");
        let mail = match &decided {
            MailAtClose::Queue(message) => ClosingMail::Now((**message).clone()),
            MailAtClose::DueLater => ClosingMail::Due,
            MailAtClose::Nothing => ClosingMail::None,
        };
        let closing = Closing { mail, ..Closing::plain(report) };
        self.store.close_night(&id, closing, at).expect("closed");
        decided
    }

    fn digest(&self) -> Digest {
        digest(&self.store, &self.config, &self.clock).expect("composed")
    }

    fn pass_hours(&self, hours: f64) {
        self.clock.pass(hours * 3600.0);
    }

    fn pending(&self) -> Vec<OutboxRow> {
        self.store.read().outbox(OutboxState::Pending).expect("read")
    }

    fn send_all(&self) {
        for row in self.pending() {
            self.store.mark_sent(&row, None, self.clock.now()).expect("marked");
        }
    }

    fn subjects(&self) -> Vec<String> {
        self.pending().into_iter().map(|row| row.message.subject).collect()
    }
}

#[test]
fn a_second_closing_replaces_updates_or_says_nothing() {
    let house = House::new(MailTime::AtClose);
    assert!(matches!(house.close("n1", "a"), MailAtClose::Queue(_)));
    assert_eq!(house.close("n1", "a"), MailAtClose::Nothing, "the same report again");
    house.close("n1", "b");
    assert_eq!(house.subjects(), ["n1: 0 unknown, 0 known, no science frames"]);
    let first = house.pending().remove(0).message;
    assert!(String::from_utf8_lossy(&first.body).contains("autossos 0.1.0, b"), "the later one");
    house.send_all();
    assert_eq!(house.close("n1", "b"), MailAtClose::Nothing, "mailed already");

    house.close("n1", "c");
    assert_eq!(house.subjects(), ["Update: n1: 0 unknown, 0 known, no science frames"]);
    let second = house.pending().remove(0).message;
    let text = String::from_utf8_lossy(&second.body).into_owned();
    assert!(text.contains(&format!("In-Reply-To: {}", first.message_id)), "{text}");
    assert!(text.contains("This replaces the report mailed before"), "{text}");
    house.send_all();
    // Back to what the first mail said: that is news as well, and another mail.
    assert!(matches!(house.close("n1", "b"), MailAtClose::Queue(_)));
    let third = house.pending().remove(0).message;
    assert_ne!(third.message_id, first.message_id);
}

#[test]
fn without_receivers_nothing_is_queued() {
    let mut house = House::new(MailTime::AtClose);
    house.config.mail.to.clear();
    assert_eq!(house.close("n1", "a"), MailAtClose::Nothing);
    house.config.mail.to = vec!["not an address".to_owned()];
    let (night, report) = (NightId::new("n1").expect("a good name"), report("n1", "a"));
    let closing = ClosingNight { night: &night, report: &report, pictures: &[] };
    let wrong = on_close(&house.store, &house.config, &closing, midnight());
    assert!(matches!(wrong, Err(MailError::Report(_))), "{wrong:?}");
}

#[test]
fn nights_wait_for_the_clock_time_and_go_in_one_mail() {
    let house = House::new(HALF_PAST_SEVEN);
    assert_eq!(house.digest(), Digest::NotYet, "the first look only starts the clock");
    assert_eq!(house.close("2026-02-28", "a"), MailAtClose::DueLater);
    assert_eq!(house.close("2026-03-01", "a"), MailAtClose::DueLater);
    house.pass_hours(6.4);
    assert_eq!(house.digest(), Digest::NotYet, "06:24 UTC is 07:24 in Madrid");
    house.pass_hours(0.2);
    assert_eq!(house.digest(), Digest::Queued(2));
    assert_eq!(house.digest(), Digest::NotYet, "once a day");
    assert_eq!(house.subjects(), ["2 nights: 0 unknown, 0 known, no science frames"]);
    assert_eq!(house.pending()[0].message.nights, ["2026-02-28", "2026-03-01"]);
    house.send_all();

    // The next day: one night again with another report, and one again as it was.
    house.close("2026-02-28", "b");
    house.close("2026-03-01", "a");
    house.pass_hours(24.0);
    assert_eq!(house.digest(), Digest::Queued(1));
    assert_eq!(house.subjects(), ["Update: 2026-02-28: 0 unknown, 0 known, no science frames"]);
    house.send_all();
    house.pass_hours(24.0);
    assert_eq!(house.digest(), Digest::NothingDue, "no mail about nothing");
    assert_eq!(house.digest(), Digest::NotYet);
}

#[test]
fn a_machine_that_was_off_at_mail_time_sends_once_when_it_is_back() {
    let house = House::new(HALF_PAST_SEVEN);
    house.digest();
    house.close("2026-03-01", "a");
    house.pass_hours(80.0);
    assert_eq!(house.digest(), Digest::Queued(1));
    house.send_all();
    assert_eq!(house.digest(), Digest::NotYet);
    // A clock that runs an hour back, or years: no mail twice, and not silent for ever.
    house.pass_hours(-24.0 * 1000.0);
    assert_eq!(house.digest(), Digest::NotYet);
    house.close("2026-03-02", "a");
    house.pass_hours(24.0);
    assert_eq!(house.digest(), Digest::Queued(1));
}

#[test]
fn reports_left_by_another_configuration_are_not_forgotten() {
    let mut house = House::new(HALF_PAST_SEVEN);
    house.close("2026-03-01", "a");
    house.config.mail.when = MailTime::AtClose;
    assert_eq!(house.digest(), Digest::Queued(1));
    assert_eq!(house.digest(), Digest::NothingDue);
}

/// An unknown object with the least that a report needs.
fn candidate(id: &str) -> Candidate {
    Candidate {
        id: id.to_owned(),
        identity: Identity::Unknown,
        false_alarms: 1e-4,
        rate_arcsec_per_min: 0.5,
        rate_err_arcsec_per_min: 0.01,
        pa_deg: 100.0,
        chi2_reduced: 1.0,
        rms_arcsec: 0.1,
        mag: None,
        detections: Vec::new(),
        n_expected: 4,
        n_covered: 4,
        photometry: Vec::new(),
        rating: None,
    }
}

fn cutouts(id: &str) -> Cutouts {
    let image = Image::from_pixels(5, 5, (0..25_u8).map(f32::from).collect()).expect("25 pixels");
    let frame = FrameCutout {
        frame: "a.fits".to_owned(),
        mid_mjd_utc: 61_100.5,
        predicted_deg: (10.0, 20.0),
        detected_deg: None,
        on_object: image.clone(),
        on_object_subtracted: None,
        on_sky: image,
        on_sky_subtracted: None,
    };
    Cutouts {
        candidate_id: id.to_owned(),
        side_px: 5,
        scale_arcsec: 1.0,
        sky_centre_deg: (10.0, 20.0),
        frames: vec![frame],
        neighbours: Vec::new(),
    }
}

#[test]
fn mails_about_nights_closed_before_show_the_kept_cut_outs_and_lead_to_the_page() {
    let mut house = House::new(HALF_PAST_SEVEN);
    house.config.web.listen = Some("127.0.0.1:8480".parse().expect("an address"));
    house.config.web.public_url = Some("https://dome.example.org".to_owned());
    house.config.web.base_path = "/vet".to_owned();
    house.digest();
    let close = |name: &str, id: &str| {
        let night = NightId::new(name).expect("a good name");
        let mut report = report(name, "a");
        report.candidates = vec![candidate(id), candidate("GONE")];
        let at = house.clock.now();
        house.store.begin_night(&night, &NightSource::only("/raw"), at).expect("begun");
        save(house.store.products(), &night, &cutouts(id)).expect("kept");
        let closing = Closing { mail: ClosingMail::Due, ..Closing::plain(report) };
        house.store.close_night(&night, closing, at).expect("closed");
    };
    let mail = || {
        house.pass_hours(24.0);
        assert!(matches!(house.digest(), Digest::Queued(_)));
        let text = String::from_utf8(house.pending().remove(0).message.body).expect("ASCII");
        house.send_all();
        // Soft line ends and coded signs of equality would hide the addresses.
        text.replace("=\r\n", "").replace("=3D", "=")
    };
    close("2026-03-01", "ONE");
    let one = mail();
    assert_eq!(one.matches("image/gif").count(), 1, "the other's cut-outs are gone: {one}");
    let link = "https://dome.example.org/vet/night/2026-03-01/candidate/ONE";
    assert!(one.contains(link) && one.contains("Disk: "), "{one}");
    close("2026-03-02", "TWO");
    close("2026-03-03", "THREE");
    let two = mail();
    assert_eq!(two.matches("image/gif").count(), 2, "{two}");
    assert!(two.contains("https://dome.example.org/vet/night/2026-03-03/candidate/THREE"));
    house.config.web.public_url = None;
    house.close("2026-03-04", "a");
    house.pass_hours(24.0);
    house.digest();
    let plain = house.pending().remove(0).message.body;
    let plain = String::from_utf8(plain).expect("ASCII");
    assert!(!plain.contains("/night/"), "an address of this machine only helps nobody: {plain}");
}

//! What goes, names, what a kill leaves, the files that are written; `holds`: what does not go.

mod holds;

use tempfile::TempDir;

use super::file::Prepared;
use super::*;
use crate::config::{Config, SubmitTelescope};
use crate::formats::ades::{Field, HeaderKey, Submission};
use crate::formats::obs80::Line80;
use crate::ops::vetting::{Judgement, judge};
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::report::NightReport;
use crate::pipeline::reduce::empty_record;
use crate::science::time::Epoch;
use crate::store::nights::{Closing, NightSource};
use crate::store::verdicts::{Act, Verdict};
use crate::store::{ProductFile, Store};

const START_MJD_UTC: f64 = 61_100.9;
const N_FRAMES: u32 = 5;

fn night() -> NightId {
    NightId::new("2026-03-01").expect("a good name")
}

fn now() -> Epoch {
    Epoch::from_mjd_utc(61_101.5)
}

fn config() -> Config {
    let mut config = Config::default();
    config.site.mpc_code = Some("J75".to_owned());
    let submit = &mut config.submit;
    submit.submitter = Some("N. Example".to_owned());
    submit.observers = vec!["A. Observer".to_owned(), "B. Ñandú".to_owned()];
    submit.measurers = vec!["A. Observer".to_owned()];
    submit.contact = Some("Example Street 1 [a@example.org]".to_owned());
    submit.telescope = SubmitTelescope {
        design: Some("reflector".to_owned()),
        aperture_m: Some(0.45),
        focal_ratio: Some(2.8),
        detector: Some("CCD".to_owned()),
        pixel_scale_arcsec: Some(1.6),
        mode: None,
        rms_time_s: None,
    };
    config
}

fn frame(number: u32) -> FrameRecord {
    FrameRecord {
        mid_mjd_utc: Some(START_MJD_UTC + 0.01 * f64::from(number)),
        mid_err_s: Some(0.1),
        exposure_s: Some(60.0),
        n_reference: Some(402),
        rms_arcsec: Some(0.051),
        fwhm_arcsec: Some(2.4),
        ..empty_record(&format!("f{number}.fits"), &format!("hash{number}"), FrameStatus::Ok)
    }
}

/// A candidate on all frames; `place` keeps the candidates apart [deg].
fn candidate(id: &str, identity: Identity, place: f64) -> Candidate {
    let detection = |number: u32| {
        let n = f64::from(number);
        CandidateDetection {
            frame: format!("f{number}.fits"),
            mid_mjd_utc: START_MJD_UTC + 0.01 * n,
            ra_deg: 123.4 + place + 0.002 * n,
            dec_deg: -5.25,
            x_px: 200.0 + n,
            y_px: 210.0,
            position_err_arcsec: 0.11,
            residual_arcsec: (0.05, -0.04),
            mag: Some(19.2 + 0.01 * n),
            mag_err: Some(0.06),
            snr: 18.0,
            is_recovered: false,
            is_foreseen: false,
        }
    };
    Candidate {
        id: id.to_owned(),
        identity,
        false_alarms: 1e-4,
        rate_arcsec_per_min: 0.5,
        rate_err_arcsec_per_min: 0.01,
        pa_deg: 90.0,
        chi2_reduced: 1.0,
        rms_arcsec: 0.05,
        mag: Some(19.2),
        detections: (0..N_FRAMES).map(detection).collect(),
        n_expected: N_FRAMES.into(),
        n_covered: N_FRAMES.into(),
        photometry: Vec::new(),
        rating: None,
    }
}

fn known(name: &str, separation_arcsec: f64) -> Identity {
    Identity::Known { name: name.to_owned(), separation_arcsec }
}

fn report(candidates: Vec<Candidate>) -> NightReport {
    NightReport {
        night: night().to_string(),
        version: "0.1.0".to_owned(),
        instrument: "iKon-L 936, profile maxim".to_owned(),
        masters: Vec::new(),
        frames: (0..N_FRAMES).map(frame).collect(),
        candidates,
        faint: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        removed: Vec::new(),
        not_done: Vec::new(),
    }
}

struct House {
    _folder: TempDir,
    store: Store,
}

impl House {
    fn new(report: NightReport) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path()).expect("opened");
        let house = Self { _folder: folder, store };
        house.store.begin_night(&night(), &NightSource::only("/"), now()).expect("begun");
        house.close(report);
        house
    }

    /// With these candidates, all judged real.
    fn judged(candidates: Vec<Candidate>) -> Self {
        let ids: Vec<String> = candidates.iter().map(|c| c.id.clone()).collect();
        let house = Self::new(report(candidates));
        ids.iter().for_each(|id| house.judge(id, "ana", Verdict::Real));
        house
    }

    fn close(&self, report: NightReport) {
        self.store.close_night(&night(), Closing::plain(report), now()).expect("closed");
    }

    fn judge(&self, candidate: &str, who: &str, verdict: Verdict) {
        let judgement = Judgement {
            candidate: candidate.to_owned(),
            act: Act::Judge(verdict),
            who: who.to_owned(),
            note: String::new(),
            token: format!("{candidate}-{who}"),
        };
        judge(&self.store, &night(), &judgement, now()).expect("judged");
    }

    fn plan(&self, config: &Config) -> Plan {
        plan(self.store.read(), config, &night(), now()).expect("a plan")
    }

    /// The reasons that a candidate, or one of its frames, is held back for.
    fn holds(&self, config: &Config, candidate: &str) -> Vec<Hold> {
        let held = self.plan(config).held;
        held.into_iter().filter(|h| h.candidate == candidate).map(|h| h.hold).collect()
    }

    fn ask(&self, config: &Config, format: SubmitFormat) -> SubmitAsk {
        let digest = self.plan(config).digest();
        SubmitAsk { night: night().to_string(), format, who: "ana".to_owned(), digest }
    }

    fn write(&self, config: &Config, format: SubmitFormat) -> Result<SubmitDone, SubmitError> {
        write(&self.store, config, &self.ask(config, format), now())
    }
}

#[test]
fn what_people_judged_real_goes() {
    let house = House::judged(vec![
        candidate("K1", known("22767 Sim22767", 0.3), 0.0),
        candidate("K2", known("2014 AA", 0.3), 0.1),
        candidate("U1", Identity::Unknown, 0.2),
    ]);
    let plan = house.plan(&config());
    assert!(plan.held.is_empty() && plan.missing.is_empty(), "{:?}", plan.held);
    assert_eq!(plan.submission.observations.len(), 15);
    plan.submission.check().expect("complete");
    let of = |field| -> Vec<Option<&str>> {
        plan.submission.observations.iter().step_by(5).map(|o| o.get(field)).collect()
    };
    let ids: Vec<_> = of(Field::PermId).into_iter().zip(of(Field::ProvId)).collect();
    assert!(ids.contains(&(Some("22767"), None)) && ids.contains(&(None, Some("2014 AA"))));
    let names: Vec<&str> = of(Field::TrkSub).into_iter().flatten().collect();
    assert_eq!(names.len(), 1, "only the unknown one bears a name of ours");
    assert_eq!(plan.going.iter().filter(|g| g.is_own_name).count(), 1);
}

#[test]
fn an_observation_tells_what_was_measured_and_no_more() {
    let house = House::judged(vec![candidate("K1", known("22767 Sim", 0.3), 0.0)]);
    let plan = house.plan(&config());
    let first = &plan.submission.observations[0];
    // 61100.9 = 2026-03-01T21:36:00; 0.11 arcsec earn six decimals of a degree.
    for (field, text) in [
        (Field::Mode, "CCD"),
        (Field::Stn, "J75"),
        (Field::ObsTime, "2026-03-01T21:36:00.00Z"),
        (Field::RmsTime, "0.10"),
        (Field::Ra, "123.400000"),
        (Field::Dec, "-5.250000"),
        (Field::RmsRa, "0.11"),
        (Field::RmsDec, "0.11"),
        (Field::RmsCorr, "0.00"),
        (Field::AstCat, "Gaia3"),
        (Field::Mag, "19.20"),
        (Field::RmsMag, "0.060"),
        (Field::Band, "G"),
        (Field::PhotCat, "Gaia3"),
        (Field::LogSnr, "1.26"),
        (Field::Seeing, "2.4"),
        (Field::Exp, "60.0"),
        (Field::RmsFit, "0.051"),
        (Field::NStars, "402"),
    ] {
        assert_eq!(first.get(field), Some(text), "{field:?}");
    }
    assert_eq!((first.get(Field::Notes), first.get(Field::TrkSub)), (None, None));
    // The configuration's clock wins over the profile's; a fast object leaves a trail.
    let mut other = config();
    other.submit.telescope.rms_time_s = Some(2.0);
    other.submit.telescope.mode = Some("CMO");
    other.submit.catalogue = "Gaia2";
    let mut fast = candidate("U1", Identity::Unknown, 0.0);
    fast.rate_arcsec_per_min = 3.0;
    fast.detections.iter_mut().for_each(|d| (d.mag, d.mag_err) = (None, None));
    let plan = House::judged(vec![fast]).plan(&other);
    let first = &plan.submission.observations[0];
    for (field, text) in [
        (Field::ObsTime, Some("2026-03-01T21:36:00Z")),
        (Field::RmsTime, Some("2.0")),
        (Field::Mode, Some("CMO")),
        (Field::AstCat, Some("Gaia2")),
        (Field::Notes, Some("t")),
        (Field::RmsCorr, None),
        (Field::Mag, None),
        (Field::Band, None),
        (Field::PhotCat, None),
    ] {
        assert_eq!(first.get(field), text, "{field:?}");
    }
}

#[test]
fn what_was_written_is_never_written_again() {
    let house = House::judged(vec![candidate("U1", Identity::Unknown, 0.0)]);
    let done = house.write(&config(), SubmitFormat::Psv).expect("written");
    assert_eq!((done.n_objects, done.n_observations), (1, 5));
    let text = std::fs::read(&done.path).expect("the file");
    let file = Submission::from_psv(&text).expect("reads");
    let name = file.observations[0].get(Field::TrkSub).expect("a name").to_owned();
    let holds = house.holds(&config(), "U1");
    assert_eq!(holds.iter().filter(|h| **h == Hold::AlreadyWritten).count(), 5);
    assert!(matches!(house.write(&config(), SubmitFormat::Xml), Err(SubmitError::Nothing { .. })));
    // Processed again: another identifier, places moved by a part of the error, one file copied
    // under another compression, three frames more. Only what is new goes, under the same name.
    let mut again = candidate("U9", Identity::Unknown, 0.000_02);
    let mut frames: Vec<FrameRecord> = (0..N_FRAMES + 3).map(frame).collect();
    frames[0].content_hash = "copied".to_owned();
    for number in N_FRAMES..N_FRAMES + 3 {
        let mut more = again.detections[0].clone();
        let n = f64::from(number);
        more.frame = format!("f{number}.fits");
        more.mid_mjd_utc = START_MJD_UTC + 0.01 * n;
        more.ra_deg = 123.400_02 + 0.002 * n;
        again.detections.push(more);
    }
    house.close(NightReport { frames, ..report(vec![again]) });
    house.judge("U9", "ana", Verdict::Real);
    let plan = house.plan(&config());
    assert_eq!(plan.held.iter().filter(|h| h.hold == Hold::AlreadyWritten).count(), 5);
    let names: Vec<&str> =
        plan.submission.observations.iter().filter_map(|o| o.get(Field::TrkSub)).collect();
    assert_eq!(names, [name.as_str(); 3]);
    house.write(&config(), SubmitFormat::Psv).expect("written");
    assert_eq!(house.store.read().submissions().expect("read").len(), 2);
}

#[test]
fn only_what_was_looked_at_is_written() {
    let house = House::judged(vec![
        candidate("U1", Identity::Unknown, 0.0),
        candidate("U2", Identity::Unknown, 0.1),
    ]);
    let ask = house.ask(&config(), SubmitFormat::Psv);
    house.judge("U2", "ben", Verdict::False);
    let refused = write(&house.store, &config(), &ask, now());
    assert!(matches!(refused, Err(SubmitError::Changed { .. })), "{refused:?}");
    for who in ["", "  ", "a\nb", &"x".repeat(65)] {
        let ask = SubmitAsk { who: who.to_owned(), ..house.ask(&config(), SubmitFormat::Psv) };
        let refused = write(&house.store, &config(), &ask, now());
        assert!(matches!(refused, Err(SubmitError::BadWho { .. })), "{who:?}");
    }
    let ask = SubmitAsk { night: "2020-01-01".to_owned(), ..ask };
    let refused = write(&house.store, &config(), &ask, now());
    assert!(matches!(refused, Err(SubmitError::Night(_))), "{refused:?}");
    assert!(house.store.read().submissions().expect("read").is_empty());
}

#[test]
fn a_kill_between_the_steps_is_mended() {
    let house = House::judged(vec![candidate("U1", Identity::Unknown, 0.0)]);
    let config = config();
    let ask = house.ask(&config, SubmitFormat::Psv);
    let batch = Prepared::new(&house.plan(&config), &ask, now()).expect("ready");
    let own_name = house.store.data_dir().join(&batch.record.path);
    // Killed before the record: the file goes, the batch can be written.
    let pending = batch.write_pending(&house.store).expect("written");
    assert_eq!(finish(&house.store).expect("mended"), Vec::<std::path::PathBuf>::new());
    assert!(!pending.exists() && !own_name.exists());
    assert_eq!(house.plan(&config).going.len(), 1);
    // Killed after the record: the file gets its name, the batch is not written again.
    let pending = batch.write_pending(&house.store).expect("written");
    house.store.record_submission(batch.record.clone()).expect("recorded");
    let refused = write(&house.store, &config, &ask, now());
    assert!(matches!(refused, Err(SubmitError::Nothing { .. })), "{refused:?}");
    assert!(own_name.exists() && !pending.exists());
    let file = Submission::from_psv(&std::fs::read(&own_name).expect("the file")).expect("reads");
    assert_eq!(file.observations.len(), 5);
    // A pending file of other bytes under a recorded name is not the recorded one.
    std::fs::remove_file(&own_name).expect("removed");
    ProductFile::write_bytes(&pending, b"half").expect("written");
    assert!(finish(&house.store).expect("mended").is_empty() && !own_name.exists());
}

#[test]
fn the_three_forms_say_the_same() {
    for (format, ending) in
        [(SubmitFormat::Psv, "psv"), (SubmitFormat::Xml, "xml"), (SubmitFormat::Obs80, "txt")]
    {
        let house = House::judged(vec![
            candidate("K1", known("100345 Somebody", 0.3), 0.0),
            candidate("U1", Identity::Unknown, 0.1),
        ]);
        let plan = house.plan(&config());
        let done = house.write(&config(), format).expect("written");
        let name = done.path.file_name().and_then(|n| n.to_str()).expect("a name");
        assert!(name.starts_with("2026-03-01-J75-") && name.ends_with(ending), "{name}");
        let bytes = std::fs::read(&done.path).expect("the file");
        match format {
            SubmitFormat::Psv => {
                assert_eq!(Submission::from_psv(&bytes).expect("reads"), plan.submission);
            }
            SubmitFormat::Xml => {
                assert_eq!(Submission::from_xml(&bytes).expect("reads"), plan.submission);
            }
            SubmitFormat::Obs80 => check_80(&String::from_utf8(bytes).expect("text")),
        }
        let row = &house.store.read().submissions().expect("read")[0];
        assert_eq!((row.approved_by.as_str(), row.station.as_str()), ("ana", "J75"));
        assert_eq!(house.store.data_dir().join(&row.path), done.path);
    }
}

fn check_80(text: &str) {
    let (header, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| l.len() < 80);
    for expected in [
        "COD J75",
        "CON N. Example, Example Street 1 [a@example.org]",
        "OBS A. Observer, B. Nandu",
        "MEA A. Observer",
        "TEL 0.45-m f/2.8 reflector + CCD",
        "NET Gaia-DR3",
        "ACK autossos 2026-03-01",
    ] {
        assert!(header.contains(&expected), "{expected}:\n{text}");
    }
    assert_eq!(lines.len(), 10, "{text}");
    let known = "A0345         C2026 03 01.90000008 13 36.00 -05 15 00.0          19.2 G      J75";
    let first = lines.iter().find(|l| l.starts_with("A0345")).expect("the known object");
    assert_eq!(*first, known);
    assert_eq!(lines.iter().filter(|l| l.as_bytes()[12] == b'*').count(), 1, "{text}");
    for line in lines {
        let read = Line80::read(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(read.write().expect("fits"), line);
    }
}

#[test]
fn a_draft_says_that_it_is_none() {
    let report = report(vec![
        candidate("K1", known("22767 Sim22767", 0.3), 0.0),
        candidate("K7Q2MA", Identity::Unknown, 0.1),
    ]);
    let text = draft(&Config::default(), &report).expect("observations");
    let read = Submission::from_psv(text.as_bytes()).expect("reads");
    assert_eq!(read.observations.len(), 10);
    let comments = read.header.get(HeaderKey::CommentLine);
    assert!(comments[0].contains("DO NOT SEND"), "{comments:?}");
    assert_eq!(read.header.get(HeaderKey::ObservatoryCode), ["XXX"]);
    for observation in &read.observations {
        assert_eq!(observation.get(Field::Stn), Some("XXX"));
    }
    assert_eq!(read.observations[0].get(Field::PermId), Some("22767"));
    assert_eq!(read.observations[5].get(Field::TrkSub), Some("K7Q2MA"));
    assert_eq!(draft(&config(), &report), draft(&config(), &report), "same night, same bytes");
    let empty = NightReport { candidates: Vec::new(), ..report.clone() };
    assert_eq!(draft(&config(), &empty), None);
    let demo = NightReport { night: "demo".to_owned(), ..report };
    assert!(draft(&config(), &demo).expect("observations").contains("SIMULATED"));
}

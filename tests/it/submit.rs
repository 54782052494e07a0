//! `autossosctl submit` with the real programs: files judged by the schema of the Minor Planet
//! Center, the yes that is needed, the service beside it, simulated nights.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use autossos::config;
use autossos::daemon::control::{Control, ControlSocket};
use autossos::daemon::log_tail::LogTail;
use autossos::daemon::state::ServiceState;
use autossos::formats::ades::{Field, Submission};
use autossos::ops::clock::SystemClock;
use autossos::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use autossos::pipeline::artifact::frame_record::FrameStatus;
use autossos::pipeline::artifact::report::NightReport;
use autossos::pipeline::reduce::empty_record;
use autossos::science::time::Epoch;
use autossos::store::nights::{Closing, ClosingMail, NightSource};
use autossos::store::stages::{NIGHT_SUBJECT, StageOutcome, StageRow};
use autossos::store::verdicts::{Act, Verdict, VerdictRow};
use autossos::store::{NightId, Reader, Store};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc, watch};

const START_MJD_UTC: f64 = 60_000.9;
const AT: Epoch = Epoch::from_mjd_utc(60_001.5);
const NIGHT: &str = "2023-02-25";
const CONFIG: &str = r#"
[site]
mpc_code = "J75"
[submit]
submitter = "N. Example & Sons <office>"
institution = "Example Observatory"
observers = ["A. Observer", "B. Ñandú"]
measurers = ["A. Observer"]
contact = "Example Street 1 [a@example.org]"
funding = "Example Foundation"
design = "reflector"
aperture_m = 0.45
focal_ratio = 2.8
detector = "CCD"
pixel_scale_arcsec = 1.6
"#;

/// A data folder with a closed night, and a configuration beside it.
struct House {
    folder: TempDir,
}

impl House {
    /// Candidates K1 (numbered), K2 (designated), U1 and U2 (unknown, U2 on two frames).
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("autossos.toml"), CONFIG).expect("written");
        let house = Self { folder };
        let store = Store::open(&house.data()).expect("opened");
        store.begin_night(&night(), &NightSource::only("/"), AT).expect("begun");
        let stage = StageRow {
            subject: NIGHT_SUBJECT.to_owned(),
            stage: "night".to_owned(),
            version: 1,
            key: "k".to_owned(),
            outcome: StageOutcome::Done,
            product: None,
            payload: "{}".to_owned(),
        };
        let closing = Closing { report: report(), stage, listing: None, mail: ClosingMail::None };
        store.close_night(&night(), closing, AT).expect("closed");
        store.close_cleanly().expect("closed");
        house
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("autossos.toml")
    }

    fn judge(&self, candidates: &[&str], verdict: Verdict) {
        let store = Store::open(&self.data()).expect("opened");
        for id in candidates {
            let row = VerdictRow {
                candidate_id: (*id).to_owned(),
                act: Act::Judge(verdict),
                who: "ana".to_owned(),
                at: AT,
                note: String::new(),
                token: format!("{id}-{verdict:?}"),
                about: String::new(),
            };
            store.record_verdict(&night(), row).expect("judged");
        }
        store.close_cleanly().expect("closed");
    }

    fn submit(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autossosctl"));
        command.args(["submit", NIGHT, "--config"]).arg(self.config());
        command.arg("--data").arg(self.data()).args(words);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.output().expect("the program starts")
    }

    fn n_submissions(&self) -> usize {
        Reader::open(&self.data()).expect("a database").submissions().expect("read").len()
    }

    fn folder_of_files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.data().join("submissions")) else {
            return Vec::new();
        };
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }
}

fn night() -> NightId {
    NightId::new(NIGHT).expect("a good name")
}

fn report() -> NightReport {
    let frame = |number: u32| {
        let mut frame =
            empty_record(&format!("f{number}.fits"), &format!("hash{number}"), FrameStatus::Ok);
        frame.mid_mjd_utc = Some(START_MJD_UTC + 0.01 * f64::from(number));
        frame.mid_err_s = Some(0.1);
        frame.exposure_s = Some(60.0);
        frame.n_reference = Some(402);
        frame.rms_arcsec = Some(0.051);
        frame.fwhm_arcsec = Some(2.4);
        frame
    };
    let known = |name: &str| Identity::Known { name: name.to_owned(), separation_arcsec: 0.3 };
    let mut short = candidate("U2", Identity::Unknown, 0.5);
    short.detections.truncate(2);
    let mut fast = candidate("U1", Identity::Unknown, 0.396);
    fast.rate_arcsec_per_min = 4.0;
    fast.detections[1].mag = None;
    NightReport {
        night: NIGHT.to_owned(),
        version: "0.1.0".to_owned(),
        instrument: "iKon-L 936, profile maxim".to_owned(),
        masters: Vec::new(),
        frames: (0..5).map(frame).collect(),
        candidates: vec![
            candidate("K1", known("620061 Somebody"), 0.1),
            candidate("K2", known("2026 CA620"), 0.2),
            fast,
            short,
        ],
        faint: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        removed: Vec::new(),
        not_done: Vec::new(),
    }
}

fn candidate(id: &str, identity: Identity, place: f64) -> Candidate {
    let detection = |number: u32| {
        let n = f64::from(number);
        CandidateDetection {
            frame: format!("f{number}.fits"),
            mid_mjd_utc: START_MJD_UTC + 0.01 * n,
            ra_deg: (359.6 + place + 0.002 * n).rem_euclid(360.0),
            dec_deg: -0.005 + 0.002 * n,
            x_px: 200.0 + n,
            y_px: 210.0,
            position_err_arcsec: 0.02 * 4_f64.powf(n),
            residual_arcsec: (0.01, -0.01),
            mag: Some(19.2 + 0.01 * n),
            mag_err: Some(0.02 + 0.02 * n),
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
        detections: (0..5).map(detection).collect(),
        n_expected: 5,
        n_covered: 5,
        photometry: Vec::new(),
        rating: None,
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The schema and the program that judges by it; says so when one is missing.
fn judge_of_xml() -> Option<PathBuf> {
    let must = std::env::var_os("AUTOSSOS_E2E").is_some();
    let there = Command::new("xmllint").arg("--version").output().is_ok();
    assert!(there || !must, "xmllint must be installed (libxml2-utils)");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/ades/submit.xsd");
    if !there || !schema.is_file() {
        println!("skipped: no xmllint or no {}", schema.display());
        return None;
    }
    Some(schema)
}

fn lint(schema: &Path, file: &Path) -> Output {
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema"]).arg(schema).arg(file);
    command.output().expect("xmllint starts")
}

#[test]
fn what_is_written_is_valid_by_the_schema() {
    let house = House::new();
    house.judge(&["K1", "K2", "U1", "U2"], Verdict::Real);
    let xml = house.folder.path().join("copy.xml");
    let written =
        house.submit(&["--write", "--format", "xml", "--yes", "--who", "Ana", "-o", "copy.xml"]);
    assert!(written.status.success(), "{}", err(&written));
    assert!(out(&written).contains("15 observations of 3 objects"), "{}", out(&written));
    let bytes = std::fs::read(&xml).expect("the copy");
    let read = Submission::from_xml(&bytes).expect("reads");
    // The same values by way of the other form.
    let psv = read.to_psv();
    assert_eq!(Submission::from_psv(psv.as_bytes()).expect("reads"), read);
    let Some(schema) = judge_of_xml() else { return };
    let judged = lint(&schema, &xml);
    assert!(judged.status.success(), "{}\n{}", err(&judged), String::from_utf8_lossy(&bytes));
    let from_psv = house.folder.path().join("from-psv.xml");
    let again = Submission::from_psv(psv.as_bytes()).expect("reads").to_xml();
    std::fs::write(&from_psv, again).expect("written");
    assert!(lint(&schema, &from_psv).status.success());
    // The judge sees mistakes.
    let broken = String::from_utf8_lossy(&bytes).replace("<stn>J75</stn>", "<stn>J7</stn>");
    std::fs::write(&from_psv, broken).expect("written");
    assert!(!lint(&schema, &from_psv).status.success());
}

#[test]
fn the_standards_samples_stay_valid_on_the_way_through() {
    let Some(schema) = judge_of_xml() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.xml");
    for name in ["2023MQ5.psv", "319.psv", "obs_v2022.xml"] {
        let bytes = std::fs::read(schema.with_file_name(name)).expect("the sample");
        let is_xml = name.ends_with("xml");
        let read = if is_xml { Submission::from_xml(&bytes) } else { Submission::from_psv(&bytes) };
        std::fs::write(&file, read.expect("reads").to_xml()).expect("written");
        let judged = lint(&schema, &file);
        assert!(judged.status.success(), "{name}: {}", err(&judged));
    }
}

#[test]
fn check_tells_what_goes_and_what_does_not_and_changes_nothing() {
    let house = House::new();
    house.judge(&["K1", "U2"], Verdict::Real);
    house.judge(&["U1"], Verdict::False);
    let check = house.submit(&["--check"]);
    assert!(check.status.success(), "{}", err(&check));
    let told = out(&check);
    for part in [
        "5 observations of night 2023-02-25 would go as station J75",
        "620061",
        "nobody has looked at it yet",
        "judged an artefact",
        "2 observations are left, 3 are needed",
    ] {
        assert!(told.contains(part), "{part} is not in:\n{told}");
    }
    let json: Value = serde_json::from_slice(&house.submit(&["--check", "--json"]).stdout)
        .expect("the output is JSON");
    assert_eq!(json["going"][0]["name"], "620061");
    let holds: Vec<&str> = json["held"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|h| h["hold"].as_str())
        .collect();
    for hold in ["not-vetted", "artefact", "few-observations"] {
        assert!(holds.contains(&hold), "{holds:?}");
    }
    assert_eq!((house.n_submissions(), house.folder_of_files().len()), (0, 0));
    // Without who and what, it says which keys are missing.
    std::fs::write(house.config(), "[site]\nmpc_code = \"J75\"\n").expect("written");
    let told = out(&house.submit(&["--check"]));
    assert!(told.contains("submit.submitter, submit.observers"), "{told}");
}

#[test]
fn nothing_is_written_without_a_persons_yes_and_nothing_twice() {
    let house = House::new();
    house.judge(&["K1", "U1"], Verdict::Real);
    let silent = house.submit(&["--write"]);
    assert_eq!(silent.status.code(), Some(1));
    assert!(err(&silent).contains("--yes --who"), "{}", err(&silent));
    let nobody = house.submit(&["--write", "--yes"]);
    assert_eq!(nobody.status.code(), Some(2), "a yes needs a name: {}", err(&nobody));
    assert_eq!(house.submit(&[]).status.code(), Some(2), "one of --check and --write");
    assert_eq!((house.n_submissions(), house.folder_of_files().len()), (0, 0));

    let written = house.submit(&["--write", "--yes", "--who", "Ana", "--json"]);
    assert!(written.status.success(), "{}", err(&written));
    let done: Value = serde_json::from_slice(&written.stdout).expect("the output is JSON");
    assert_eq!(done["n_observations"], 10);
    let rows = Reader::open(&house.data()).expect("a database").submissions().expect("read");
    assert_eq!((rows.len(), rows[0].approved_by.as_str()), (1, "Ana"));
    let file = house.folder_of_files();
    assert_eq!(file.len(), 1);
    let read = Submission::from_psv(&std::fs::read(&file[0]).expect("the file")).expect("reads");
    let new = read.observations.iter().find_map(|o| o.get(Field::TrkSub)).expect("a new name");
    assert!(new.len() <= 8 && new.bytes().all(|c| c.is_ascii_alphanumeric()), "{new}");

    let again = house.submit(&["--write", "--yes", "--who", "Ana"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(out(&again).contains("written before"), "{}", out(&again));
    assert_eq!((house.n_submissions(), house.folder_of_files().len()), (1, 1));
}

#[test]
fn the_demo_can_never_be_submitted() {
    let folder = tempfile::tempdir().expect("a folder");
    let ctl = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autossosctl"));
        command.args(words).current_dir(folder.path()).stdin(Stdio::null());
        command.output().expect("the program starts")
    };
    std::fs::write(folder.path().join("autossos.toml"), CONFIG).expect("written");
    let demo = ctl(&["demo", "--json", "--data", "data"]);
    assert!(demo.status.success(), "{}", err(&demo));
    let report: NightReport = serde_json::from_slice(&demo.stdout).expect("the output is JSON");
    assert!(report.frames.iter().all(|frame| frame.is_simulated), "each header says so");
    let place = ["--config", "autossos.toml", "--data", "data"];
    let check = ctl(&[&["submit", "demo", "--check"][..], &place].concat());
    assert!(out(&check).contains("simulated: no sky was seen"), "{}", out(&check));
    let write = ["submit", "demo", "--write", "--yes", "--who", "Ana"];
    let write = ctl(&[&write[..], &place].concat());
    assert_eq!(write.status.code(), Some(1));
    assert!(err(&write).contains("can never be submitted"), "{}", err(&write));
    assert!(!folder.path().join("data/submissions").exists());
}

#[test]
fn beside_a_running_service_the_service_writes() {
    let house = House::new();
    house.judge(&["K1", "U1"], Verdict::Real);
    let settings = config::load(Some(&house.config()), &[], std::iter::empty()).expect("valid");
    let store = Arc::new(Store::open(&house.data()).expect("opened"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (reload, _reloads) = mpsc::channel(1);
    let (publish, config) = watch::channel(Arc::new(settings.clone()));
    let control = Control {
        state: ServiceState::new(Arc::new(SystemClock), 300.0),
        log: LogTail::default(),
        store: Arc::clone(&store),
        wake: Arc::new(Notify::new()),
        reload,
        config,
    };
    let path = house.folder.path().join("sock");
    runtime.block_on(async {
        let socket = ControlSocket::bind(&path).expect("the socket is free");
        tokio::spawn(socket.serve(control));
    });
    let socket = path.to_str().expect("a plain path");
    // The service has other settings than the person saw: nothing is written.
    let mut other = settings.clone();
    other.submit.catalogue = "Gaia2";
    publish.send_replace(Arc::new(other));
    let words = ["--write", "--yes", "--who", "Ana", "-o", "copy.psv", "--socket", socket];
    let refused = house.submit(&words);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("no longer the one"), "{}", err(&refused));
    assert_eq!((house.n_submissions(), house.folder_of_files().len()), (0, 0));
    // With the same ones it writes; this program could not, the data folder is the service's.
    publish.send_replace(Arc::new(settings));
    let written = house.submit(&words);
    assert!(written.status.success(), "{}", err(&written));
    let files = house.folder_of_files();
    assert_eq!((house.n_submissions(), files.len()), (1, 1));
    let bytes = std::fs::read(&files[0]).expect("the file");
    assert_eq!(std::fs::read(house.folder.path().join("copy.psv")).expect("the copy"), bytes);
    let without = house.submit(&["--write", "--yes", "--who", "Ana"]);
    assert_eq!(without.status.code(), Some(1), "all is written: {}", err(&without));
}

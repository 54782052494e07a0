//! Known objects over the network: a SkyBoT on this machine that answers, fails, and comes back.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use autossos::config::Config;
use autossos::formats::known_csv::{number_and_name, read_known};
use autossos::ops::Silent;
use autossos::ops::export::{ExportFormat, export};
use autossos::ops::run::{RunRequest, RunSummary, run_night};
use autossos::pipeline::artifact::candidate::Identity;
use autossos::pipeline::artifact::report::NightReport;
use autossos::science::movers::known::{KnownPlace, KnownTrack};

use crate::simulated::{NightOnDisk, small};

/// What the service does with a question.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Answers,
    Nothing,
    Garbage,
    Slow,
    Down,
    /// Answers, but as from the Earth's centre whatever code is asked for.
    Deaf,
}

/// A service that knows the tracks of some objects.
struct Skybot {
    url: String,
    mood: Arc<Mutex<Mood>>,
    n_asked: Arc<AtomicUsize>,
}

impl Skybot {
    fn start(tracks: Vec<KnownTrack>, mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/conesearch.php", listener.local_addr().expect("an address"));
        let service = Self { url, mood: Arc::new(Mutex::new(mood)), n_asked: Arc::default() };
        let (mood, n_asked) = (Arc::clone(&service.mood), Arc::clone(&service.n_asked));
        let tracks = Arc::new(tracks);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (mood, tracks) = (*mood.lock().expect("unbroken"), Arc::clone(&tracks));
                n_asked.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || answer(stream, mood, &tracks));
            }
        });
        service
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().expect("unbroken") = mood;
    }

    fn n_asked(&self) -> usize {
        self.n_asked.load(Ordering::SeqCst)
    }

    /// The built-in configuration with this service.
    fn config(&self) -> Config {
        let mut config = Config::default();
        config.known.urls = vec![self.url.clone()];
        config.known.timeout_s = 1.0;
        config.site.mpc_code = Some("J75".to_owned());
        config
    }
}

fn answer(mut stream: TcpStream, mood: Mood, tracks: &[KnownTrack]) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let n = stream.read(&mut buffer).expect("a request");
        head.extend_from_slice(&buffer[..n]);
    }
    let head = String::from_utf8_lossy(&head);
    let query = head.split(' ').nth(1).and_then(|target| target.split_once('?'));
    let query: BTreeMap<&str, &str> = query
        .map(|(_, query)| query.split('&').filter_map(|part| part.split_once('=')).collect())
        .unwrap_or_default();
    let (status, body) = match mood {
        Mood::Answers => (200, votable(&query, tracks, query["-observer"])),
        Mood::Deaf => (200, votable(&query, tracks, "500")),
        Mood::Nothing => (200, String::new()),
        Mood::Garbage => (200, "<html><body>Down for maintenance</body></html>".to_owned()),
        Mood::Down => (503, String::new()),
        Mood::Slow => {
            std::thread::sleep(Duration::from_secs(4));
            return;
        }
    };
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} So\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).ok();
}

/// The objects at the time of a question, all of them.
fn votable(query: &BTreeMap<&str, &str>, tracks: &[KnownTrack], observer: &str) -> String {
    let jd: f64 = query["-ep"].parse().expect("a date");
    let mut rows = String::new();
    for track in tracks {
        let Some(at) = track.at(jd - 2_400_000.5) else { continue };
        let (number, name) = number_and_name(track.designation());
        let rate = at.rate_arcsec_per_h.expect("rates");
        rows.push_str(&format!(
            "<TR><TD>{}</TD><TD>{name}</TD><TD>0 0 0</TD><TD>0 0 0</TD><TD>MB</TD><TD>{:.2}</TD>\
             <TD>{:.2}</TD><TD>{:.4}</TD><TD>{:.4}</TD><TD>{:.9}</TD><TD>{:.9}</TD></TR>",
            number.unwrap_or("-"),
            track.v_mag().expect("a magnitude"),
            at.err_arcsec,
            rate.0,
            rate.1,
            at.ra_rad.to_degrees(),
            at.dec_rad.to_degrees(),
        ));
    }
    let names = [
        "Num",
        "Name",
        "RA",
        "DEC",
        "Class",
        "Mv",
        "ErrPos",
        "dRAcosDec",
        "dDEC",
        "_RAJ2000",
        "_DECJ2000",
    ];
    let fields: String = names
        .iter()
        .map(|name| format!("<FIELD name='{name}' datatype='char' arraysize='*'/>"))
        .collect();
    format!(
        "<?xml version='1.0'?><VOTABLE><RESOURCE><INFO name='QUERY_STATUS' value='OK'/>\
         <PARAM ID='observer' name='Observer' value='{observer}'/><TABLE>{fields}<DATA><TABLEDATA>\
         {rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
}

/// The tracks of a night's list, reaching an hour to either side.
fn tracks(night: &NightOnDisk) -> Vec<KnownTrack> {
    let bytes = std::fs::read(&night.files.known).expect("the list");
    let (places, _) = read_known(bytes.as_slice()).expect("a list");
    let mut objects: BTreeMap<String, Vec<(f64, KnownPlace)>> = BTreeMap::new();
    for place in places {
        let time = place.mid_mjd_utc.expect("a time");
        objects.entry(place.designation.clone()).or_default().push((time, place));
    }
    objects.into_values().filter_map(KnownTrack::new).collect()
}

fn request(night: &NightOnDisk, data: &str) -> RunRequest {
    RunRequest { known: Vec::new(), ..night.request(data) }
}

fn run(night: &NightOnDisk, data: &str, config: &Config) -> RunSummary {
    run_night(&request(night, data), config, &Silent).expect("the night is processed")
}

/// Names of the known candidates, sorted; and how many are unknown or not compared.
fn names(report: &NightReport) -> (Vec<String>, usize, usize) {
    let all = || report.candidates.iter().chain(&report.faint).map(|c| &c.identity);
    let mut names: Vec<String> = all()
        .filter_map(|identity| match identity {
            Identity::Known { name, .. } => Some(name.clone()),
            _ => None,
        })
        .collect();
    names.sort();
    let n = |wanted: &Identity| all().filter(|identity| *identity == wanted).count();
    (names, n(&Identity::Unknown), n(&Identity::Unchecked))
}

/// Everything that is said about naming.
fn said(report: &NightReport) -> String {
    let notes = report.not_done.iter().filter(|note| note.subject == "identification");
    notes.map(|note| note.text.clone() + "\n").collect()
}

#[test]
fn skybot_names_what_the_list_names_and_is_asked_once() {
    let night = NightOnDisk::new(&small(7));
    let by_list = names(&night.run("list").report);
    assert!(!by_list.0.is_empty(), "the night has known objects");
    let service = Skybot::start(tracks(&night), Mood::Answers);
    let config = service.config();
    let summary = run(&night, "skybot", &config);
    assert_eq!(names(&summary.report), by_list, "{}", said(&summary.report));
    assert_eq!(said(&summary.report), "");
    // A night of minutes lies between two half hours, or over three.
    let n_asked = service.n_asked();
    assert!((2..=3).contains(&n_asked), "{n_asked}");
    // Done again, with the service down: nothing is asked, nothing changes.
    service.set(Mood::Down);
    let again = run(&night, "skybot", &config);
    assert_eq!((&again.report, service.n_asked()), (&summary.report, n_asked));
    // Named objects have their offsets, in true arcseconds.
    let found = summary.report.known.iter().filter_map(|object| object.found.as_ref());
    let mut n_found = 0;
    for fit in found {
        n_found += 1;
        assert!(fit.offset_arcsec.0.hypot(fit.offset_arcsec.1) < 5.0 + 3.0 * 6.0);
        assert_eq!(fit.offsets_arcsec.len(), fit.predicted_deg.len());
    }
    assert_eq!(n_found, by_list.0.len());
    exports(&night, &by_list.0);
}

/// The exports about known objects of the night named by SkyBoT.
fn exports(night: &NightOnDisk, names: &[String]) {
    let write = |format, name: &str| {
        let path = night.data(name);
        export(&night.data("skybot"), "test", format, &path).expect("written");
        std::fs::read_to_string(path).expect("a text")
    };
    let ssos = write(ExportFormat::Ssos, "ssos.csv");
    let mut rows = ssos.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = rows.next().expect("a header");
    let at = |name: &str| head.iter().position(|column| *column == name).expect("a column");
    let mut matched = std::collections::BTreeSet::new();
    // Axes of the faintest sources cannot be measured.
    let (mut n_rows, mut n_shaped) = (0, 0);
    for row in rows {
        assert_eq!(row.len(), head.len());
        let number = |name: &str| row[at(name)].parse::<f64>().ok();
        assert!(number("FLUX").is_some(), "{row:?}");
        n_rows += 1;
        n_shaped += usize::from(number("AWIN_IMAGE").is_some());
        if row[at("MATCHED")] == "True" {
            matched.insert(format!("{} {}", row[at("SKYBOT_NUMBER")], row[at("SKYBOT_NAME")]));
            // Observed minus predicted, with the cosine of the declination.
            let off = |name| number(name).expect("a number");
            let cosine = off("DEC").to_radians().cos();
            let expected = 3600.0 * (off("RA") - off("SKYBOT_RA")) * cosine;
            assert!((off("SKYBOT_DELTARA") - expected).abs() < 0.01, "{row:?}");
        }
    }
    assert!(10 * n_shaped >= 8 * n_rows, "{n_shaped} of {n_rows}");
    let steady = names.iter().filter(|name| matched.contains(*name)).count();
    assert_eq!(steady, matched.len(), "{matched:?} of {names:?}");
    assert!(!matched.is_empty());
    let all = write(ExportFormat::Skybot, "skybot_all.csv");
    assert!(read_known(all.as_bytes()).is_ok_and(|(places, n_bad)| places.len() > 4 && n_bad == 0));
    assert!(write(ExportFormat::Known, "known.csv").contains(",found,"));
    for (format, name) in [
        (ExportFormat::SkybotResiduals, "skybot_residuals.svg"),
        (ExportFormat::SkybotPm, "skybot_pm.svg"),
        (ExportFormat::FieldMap, "map.svg"),
    ] {
        assert!(write(format, name).starts_with("<svg xmlns="), "{name}");
    }
}

#[test]
fn whatever_the_service_does_the_night_finishes_and_says_so() {
    let night = NightOnDisk::new(&small(7));
    let service = Skybot::start(tracks(&night), Mood::Down);
    let config = service.config();
    for (mood, word) in [
        (Mood::Down, "HTTP status 503"),
        (Mood::Garbage, "Down for maintenance"),
        (Mood::Slow, "did not answer within 1 s"),
        (Mood::Deaf, "took the observatory J75 for 500"),
    ] {
        service.set(mood);
        let began = Instant::now();
        let summary = run(&night, word, &config);
        assert!(began.elapsed() < Duration::from_secs(240), "{word}");
        let text = said(&summary.report);
        assert!(text.contains("SkyBoT did not answer") && text.contains(word), "{word}: {text}");
        let (named, n_unknown, n_unchecked) = names(&summary.report);
        assert!(named.is_empty() && n_unknown == 0 && n_unchecked > 0, "{word}");
        if mood != Mood::Down {
            continue;
        }
        // The port is closed: nobody there at all.
        let mut nobody = config.clone();
        nobody.known.urls = vec!["http://127.0.0.1:1/conesearch.php".to_owned()];
        let text = said(&run(&night, "nobody", &nobody).report);
        assert!(text.contains("cannot be reached"), "{text}");
    }
    // Nothing there is an answer: everything is unknown, and there is nothing to excuse.
    service.set(Mood::Nothing);
    let empty = run(&night, "empty", &config).report;
    let (named, n_unknown, n_unchecked) = names(&empty);
    assert!(named.is_empty() && n_unknown > 0 && n_unchecked == 0);
    assert_eq!(said(&empty), "");
    // Once the service answers, the same night is named.
    service.set(Mood::Answers);
    let named = names(&run(&night, "HTTP status 503", &config).report);
    assert_eq!(named, names(&night.run("list").report));
}

#[test]
fn a_simulated_night_is_not_compared_with_the_real_sky() {
    let night = NightOnDisk::new(&small(8));
    // The built-in address: a question to it would fail here, or name wrong objects elsewhere.
    let summary = run(&night, "demo", &Config::default());
    let (named, _, n_unchecked) = names(&summary.report);
    assert!(named.is_empty() && n_unchecked > 0);
    assert!(
        said(&summary.report).contains("no frame of the real sky"),
        "{}",
        said(&summary.report)
    );
}

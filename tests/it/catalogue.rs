//! Nights solved with a fetched star catalogue: from a service on this machine, from the store when
//! the service is gone, and without any stars; and the same by the real programs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use autossos::config::{self, Config};
use autossos::formats::reference_csv::read_reference_csv;
use autossos::ops::run::{RunRequest, RunSummary, run_night};
use autossos::ops::{Silent, catalog};
use autossos::pipeline::artifact::frame_record::FrameStatus;
use autossos::science::reference::{ReferenceStar, Release, Tile};
use autossos::store::Reader;
use autossos::store::tiles::TileFolder;

use crate::observatory::{Observatory, output};
use crate::simulated::{NightOnDisk, small, used_frames, wcs_error_arcsec};

/// Rows that the service gives at once, without saying so: as the Gaia archive.
const ROWS_MAX: usize = 300;
/// Frames of the night that is run again and again.
const N_FRAMES: usize = 3;
/// Nobody listens at port 1 of this machine.
const NOBODY: &str = "http://127.0.0.1:1/tap";

/// A service that holds a list of stars, and one star in every tile beside them.
struct Service {
    url: String,
    n_asked: Arc<AtomicUsize>,
}

impl Service {
    fn of(list: &Path) -> Self {
        let bytes = std::fs::read(list).expect("a list");
        let stars = read_reference_csv(bytes.as_slice()).expect("a list").stars;
        // Identifiers that begin with the star's cell, as Gaia's do.
        let mut stars: Vec<ReferenceStar> = (0..)
            .zip(stars)
            .map(|(k, star)| {
                let cell = cdshealpix::nested::hash(12, star.ra_rad, star.dec_rad);
                let source_id = i64::try_from(cell << 35).expect("positive") + k;
                ReferenceStar { source_id, ..star }
            })
            .collect();
        stars.sort_by_key(|star| star.source_id);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/tap", listener.local_addr().expect("an address"));
        let n_asked = Arc::new(AtomicUsize::new(0));
        let service = Self { url, n_asked: Arc::clone(&n_asked) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                n_asked.fetch_add(1, Ordering::SeqCst);
                serve(stream, &stars);
            }
        });
        service
    }
}

/// Answers one question: `SELECT .. WHERE source_id BETWEEN a AND b AND ..`.
fn serve(mut stream: TcpStream, stars: &[ReferenceStar]) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let body = loop {
        let n = stream.read(&mut buffer).expect("a request");
        bytes.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
        });
        if body.len() >= length.expect("a length") {
            break body.to_owned();
        }
    };
    let query = form_urlencoded::parse(body.as_bytes()).find(|(key, _)| key == "QUERY");
    let query = query.expect("a query").1.into_owned();
    let numbers: Vec<i64> = query.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let (first, last) = (numbers[0], numbers[1]);
    let tile = Tile::new(u32::try_from(first >> 47).expect("a tile")).expect("a tile");
    let lonely = ReferenceStar {
        g_mag: Some(14.0),
        ..ReferenceStar::at(tile.cell().source_ids().0, tile.centre_rad(), 2016.0)
    };
    let inside = stars.iter().chain([&lonely]).filter(|s| (first..=last).contains(&s.source_id));
    let is_bright = |star: &&ReferenceStar| star.g_mag.is_some_and(|g| g <= 21.0);
    let inside: Vec<&ReferenceStar> = inside.filter(is_bright).collect();
    let (fields, rows) = if query.contains("COUNT") {
        let row = format!("<TR><TD>{}</TD></TR>", inside.len());
        ("<FIELD name='n' datatype='long'/>".to_owned(), row)
    } else {
        table(&inside)
    };
    let text = format!(
        "<VOTABLE><RESOURCE type='results'><INFO name='QUERY_STATUS' value='OK'/><TABLE>{fields}\
         <DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    );
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
    stream.write_all((head + &text).as_bytes()).ok();
}

/// Fields and rows of stars.
fn table(stars: &[&ReferenceStar]) -> (String, String) {
    let names = [
        "ra",
        "dec",
        "ra_error",
        "dec_error",
        "ref_epoch",
        "parallax",
        "parallax_error",
        "pmra",
        "pmdec",
        "pmra_error",
        "pmdec_error",
        "phot_g_mean_mag",
        "phot_bp_mean_mag",
        "phot_rp_mean_mag",
    ];
    let field = |name: &str| format!("<FIELD name='{name}' datatype='double'/>");
    let fields: String = names.iter().map(|name| field(name)).collect();
    let cell = |value: Option<f64>| {
        format!("<TD>{}</TD>", value.map(|v| v.to_string()).unwrap_or_default())
    };
    let row = |star: &&ReferenceStar| {
        let values = [
            Some(star.ra_rad.to_degrees()),
            Some(star.dec_rad.to_degrees()),
            star.ra_err_mas,
            star.dec_err_mas,
            Some(star.ref_epoch_yr),
            star.parallax_mas,
            star.parallax_err_mas,
            star.pm_ra_mas_per_yr,
            star.pm_dec_mas_per_yr,
            star.pm_ra_err_mas_per_yr,
            star.pm_dec_err_mas_per_yr,
            star.g_mag,
            star.bp_mag,
            star.rp_mag,
        ];
        let cells: String = values.into_iter().map(cell).collect();
        format!("<TR><TD>{}</TD>{cells}</TR>", star.source_id)
    };
    let fields = format!("<FIELD name='source_id' datatype='long'/>{fields}");
    (fields, stars.iter().take(ROWS_MAX).map(row).collect())
}

fn configured(url: &str) -> Config {
    let sets = ["reference.source=tap", "reference.magnitude_max=21", "reference.timeout_s=5"];
    let mut sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    sets.push(format!("reference.urls=[\"{url}\"]"));
    config::load(None, &sets, std::iter::empty()).expect("a configuration")
}

fn run(night: &NightOnDisk, data: &str, url: &str) -> RunSummary {
    let request = RunRequest { reference: Vec::new(), ..night.request(data) };
    run_night(&request, &configured(url), &Silent).expect("the night is processed")
}

/// What the report says of the catalogue.
fn remarks(summary: &RunSummary) -> Vec<&str> {
    let notes = summary.report.not_done.iter().filter(|note| note.subject == "reference");
    notes.map(|note| note.text.as_str()).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let there = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &there);
        } else {
            std::fs::copy(entry.path(), there).expect("copied");
        }
    }
}

#[test]
fn stars_are_fetched_once_and_missing_ones_are_told() {
    let mut scenario = small(11);
    (scenario.n_science, scenario.n_bias, scenario.n_flat) = (N_FRAMES, 0, 0);
    let night = NightOnDisk::new(&scenario);
    let service = Service::of(&night.files.reference);

    let fetched = run(&night, "fetched", &service.url);
    assert_eq!(remarks(&fetched), Vec::<&str>::new());
    let n_ok = used_frames(&fetched.report).len();
    assert_eq!(n_ok, N_FRAMES, "{:?}", fetched.report.frames);
    for record in fetched.report.frames.iter().filter(|f| f.status == FrameStatus::Ok) {
        assert!(wcs_error_arcsec(record, &night.truth) < 0.1);
    }
    let n_asked = service.n_asked.load(Ordering::SeqCst);
    assert!(n_asked > 4);
    let again = run(&night, "fetched", &service.url);
    assert_eq!((again.n_reduced, service.n_asked.load(Ordering::SeqCst)), (0, n_asked));

    // The same stars without the service.
    copy(&night.data("fetched").join("reference"), &night.data("alone").join("reference"));
    let alone = run(&night, "alone", NOBODY);
    assert_eq!(remarks(&alone), Vec::<&str>::new());
    assert_eq!(alone.report, fetched.report);

    // No stars at all: a note that says what to do, within seconds, and nothing invented.
    let began = Instant::now();
    let without = run(&night, "without", NOBODY);
    println!("a night without stars took {:.1} s", began.elapsed().as_secs_f64());
    assert!(used_frames(&without.report).is_empty());
    let told = remarks(&without);
    assert!(told.len() == 1 && told[0].contains("autossosctl catalog fetch --ra"), "{told:?}");
    assert!(told[0].contains("127.0.0.1:1 cannot be reached"), "{told:?}");
    let notes = &without.report.frames[0].notes;
    assert!(notes.iter().any(|note| note.contains("lacks")), "{notes:?}");
    let wanted = |data: &str| {
        let reader = Reader::open(&night.data(data)).expect("a database");
        reader.wanted_tiles(Release::GaiaDr3).expect("read").len()
    };
    assert!(wanted("without") > 0 && wanted("fetched") == 0);

    // The stars come by another way: the frames are done again, and then no more.
    copy(&night.data("fetched").join("reference"), &night.data("without").join("reference"));
    let mended = run(&night, "without", NOBODY);
    assert_eq!((mended.n_reduced, wanted("without")), (N_FRAMES, 0));
    assert_eq!(mended.report, fetched.report);
    let far = Tile::of(3.0, -1.3);
    let folder = TileFolder::below(&night.data("without"), Release::GaiaDr3);
    let star = ReferenceStar::at(1, far.centre_rad(), 2016.0);
    folder.put(vec![star], &Default::default(), far).expect("written");
    assert_eq!(run(&night, "without", NOBODY).n_reduced, 0);

    // A damaged tile is fetched again; without the service it is missing.
    let there = folder.list().expect("tiles").into_iter().find(|tile| *tile != far);
    let path = folder.path(there.expect("a tile"));
    let mut bytes = std::fs::read(&path).expect("a tile");
    bytes.truncate(200);
    std::fs::write(path.with_extension("new"), bytes).expect("written");
    std::fs::rename(path.with_extension("new"), &path).expect("renamed");
    let damaged = run(&night, "without", NOBODY);
    assert_eq!(remarks(&damaged).len(), 1);
    assert!(path.with_extension("damaged").is_file());
    let whole = run(&night, "without", &service.url);
    assert_eq!(remarks(&whole), Vec::<&str>::new());
    assert_eq!(whole.report, fetched.report);
}

#[test]
fn the_programs_fetch_tell_and_come_back_to_a_night() {
    let night = NightOnDisk::new(&small(12));
    let service = Service::of(&night.files.reference);
    let lines = |url: &str| {
        format!(
            "settle_s = 0.1\ndisk_free_min_mib = 0\n[reference]\nsource = \"tap\"\n\
             magnitude_max = 21.0\n\
             urls = [\"{url}\"]\n"
        )
    };
    let observatory = Observatory::new(&lines(NOBODY));
    observatory.receive(&night, "2026-03-01");
    std::thread::sleep(Duration::from_millis(150));
    let once = || output(observatory.command(&["--once"]));
    let (_, text) = once();
    assert_eq!(observatory.n_frames_ok("2026-03-01"), Some(0), "{text}");

    let ctl = |words: &[&str]| observatory.ctl(words);
    let (_, _, ra_deg, dec_deg) = night.truth.frames[0].grid[0];
    let (ra, dec) = (ra_deg.to_string(), dec_deg.to_string());
    let fetch = ["catalog", "fetch", "--ra", &ra, "--dec", &dec, "--radius", "1.2"];
    let (code, text) = ctl(&fetch);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot be reached") && text.contains("catalog import"), "{text}");
    observatory.configure(&lines(&service.url));
    let (code, text) = ctl(&fetch);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = ctl(&["catalog", "info", "--json"]);
    assert!(code == Some(0) && text.contains("\"release\":\"gaia-dr3\""), "{text}");
    let (code, text) = ctl(&["catalog", "verify"]);
    assert!(code == Some(0) && text.contains("are whole"), "{text}");

    // The network is gone again, but the stars are there: the night is opened and done.
    observatory.configure(&lines(NOBODY));
    let (code, text) = once();
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(observatory.n_frames_ok("2026-03-01"), Some(5), "{text}");
    let stored = catalog::info(&observatory.path("data")).expect("read");
    assert!(stored[0].n_complete > 0 && stored[0].faults.is_empty());
}

#[test]
fn a_silent_network_does_not_hold_a_night() {
    // Takes calls and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/tap", listener.local_addr().expect("an address"));
    let mut scenario = small(13);
    (scenario.n_science, scenario.n_bias, scenario.n_flat) = (1, 0, 0);
    let night = NightOnDisk::new(&scenario);
    let mut config = configured(&url);
    config.reference.timeout_s = 1.0;
    let request = RunRequest { reference: Vec::new(), ..night.request("data") };
    let began = Instant::now();
    let summary = run_night(&request, &config, &Silent).expect("the night is processed");
    // Three tries of a second, their rests, and the night itself.
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    assert!(remarks(&summary)[0].contains("did not answer within 1 s"), "{:?}", remarks(&summary));
    drop(listener);
}

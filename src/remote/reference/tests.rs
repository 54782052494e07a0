//! A service on this machine: recorded answers, made-up tiles, and everything that goes wrong.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::*;
use crate::formats::service_table::ServiceTableError;
use crate::remote::HttpError;
use crate::remote::test_server::{Reply, Server};
use crate::science::reference::tile::Cell;

const TILE: u32 = 17_000;

fn tile(number: u32) -> Tile {
    Tile::new(number).expect("a tile")
}

/// Cells of depth 12 of a tile that hold a star, and a crowded one with ten.
fn sky(first: i64, last: i64) -> Vec<i64> {
    let cell = Cell { depth: 12, number: u64::try_from(first >> 35).expect("positive") };
    let cells = cell.number..=u64::try_from(last >> 35).expect("positive");
    cells
        .filter(|cell| cell % 4 == 0)
        .flat_map(|cell| {
            let n = if cell % 4096 == 0 { 10 } else { 1 };
            (0..n).map(move |k| i64::try_from((cell << 35) + 77 + k).expect("positive"))
        })
        .filter(|id| (first..=last).contains(id))
        .collect()
}

/// Stars of a tile.
const N_STARS: usize = 1024 + 9;

fn votable(fields: &str, rows: &str, end: &str) -> String {
    format!(
        "<?xml version='1.0'?><VOTABLE><RESOURCE type='results'>\
         <INFO name='QUERY_STATUS' value='OK'/><TABLE>{fields}<DATA><TABLEDATA>{rows}</TABLEDATA>\
         </DATA></TABLE>{end}</RESOURCE></VOTABLE>"
    )
}

/// The right answer to a query, at most so many rows.
fn right(query: &str, rows_max: usize, end: &str) -> String {
    let numbers: Vec<i64> = query.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let ids = sky(numbers[0], numbers[1]);
    if query.starts_with("SELECT COUNT(*)") {
        let row = format!("<TR><TD>{}</TD></TR>", ids.len());
        return votable("<FIELD name='n' datatype='long'/>", &row, "");
    }
    let mut rows = String::new();
    for id in ids.iter().take(rows_max) {
        let (ra, dec) = cdshealpix::nested::center(12, u64::try_from(id >> 35).expect("positive"));
        let (ra, dec) = (ra.to_degrees(), dec.to_degrees());
        rows.push_str(&format!("<TR><TD>{id}</TD><TD>{ra}</TD><TD>{dec}</TD><TD>14</TD></TR>"));
    }
    let fields = "<FIELD name='source_id' datatype='long'/><FIELD name='ra' datatype='double'/>\
                  <FIELD name='dec' datatype='double'/>\
                  <FIELD name='phot_g_mean_mag' datatype='float'/>";
    votable(fields, &rows, if ids.len() > rows_max { end } else { "" })
}

const OVERFLOW: &str = "<INFO name='QUERY_STATUS' value='OVERFLOW'/>";

fn good(query: &str) -> Reply {
    Reply::Text(200, right(query, usize::MAX, ""))
}

fn service(servers: &[&Server]) -> ReferenceService {
    ReferenceService {
        kind: ServiceKind::Gaia,
        urls: servers.iter().map(|server| server.url.clone()).collect(),
        release: Release::GaiaDr3,
        g_max_mag: 18.0,
        tile_stars_max: TILE_STARS_MAX,
        limits: ServiceLimits {
            answer: Duration::from_millis(700),
            back_off: Duration::from_millis(20),
            patience: Duration::from_secs(60),
            ..ServiceLimits::default()
        },
    }
}

type Told = Vec<(Tile, Result<Vec<ReferenceStar>, FetchError>)>;

fn fetch(service: &ReferenceService, tiles: &[Tile]) -> Told {
    let mut told = Vec::new();
    let mut on_step = |step| {
        if let FetchStep::Tile(tile, stars) = step {
            told.push((tile, stars));
        }
        ControlFlow::Continue(())
    };
    service.fetch(tiles, &mut on_step).expect("begun");
    told.sort_by_key(|(tile, _)| *tile);
    told
}

/// The result for the one tile.
fn fetch_one(service: &ReferenceService) -> Result<Vec<ReferenceStar>, FetchError> {
    let mut told = fetch(service, &[tile(TILE)]);
    assert_eq!(told.len(), 1);
    told.remove(0).1
}

#[test]
fn a_tile_comes_whole_whatever_the_service_gives_at_once() {
    // All at once; with an honest limit; with one that is not told, as the Gaia archive's 2000.
    for (rows_max, end) in [(usize::MAX, ""), (300, OVERFLOW), (37, OVERFLOW), (300, "")] {
        let server = Server::start(move |_, q| Reply::Text(200, right(q, rows_max, end)));
        let stars = fetch_one(&service(&[&server])).expect("a tile");
        let mut ids: Vec<i64> = stars.iter().map(|star| star.source_id).collect();
        ids.sort_unstable();
        let (first, last) = tile(TILE).cell().source_ids();
        assert_eq!(ids, sky(first, last), "{rows_max} rows");
        assert_eq!(ids.len(), N_STARS);
        // Nothing is asked for much more often than the rows ask for.
        let least = 1 + N_STARS.div_ceil(rows_max.min(N_STARS));
        assert!(server.n_asked() <= 2 + 6 * least, "{} questions", server.n_asked());
    }
}

#[test]
fn the_archives_recorded_answers() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/services/");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}{name}")).ok();
    let (Some(json), Some(vot)) = (read("gaia_tap_cone_search.json"), read("gaia_tap_result.vot"))
    else {
        println!("skipped: no {folder}");
        return;
    };
    let count = |n: usize| {
        let row = format!("<TR><TD>{n}</TD></TR>");
        votable("<FIELD name='COUNT' datatype='int'/>", &row, "")
    };
    // 50 stars of one tile (their identifiers begin with its number).
    let rule = move |json: String, n: usize| {
        move |_: usize, query: &str| {
            Reply::Text(200, if query.contains("COUNT") { count(n) } else { json.clone() })
        }
    };
    let server = Server::start(rule(json.clone(), 50));
    let deep = ReferenceService { g_max_mag: 22.0, ..service(&[&server]) };
    let mut told = fetch(&deep, &[tile(RECORDED_TILE)]);
    let stars = told.remove(0).1.expect("the tile");
    assert_eq!(stars.len(), 50);
    assert!(stars.iter().all(|s| s.parallax_err_mas.is_some() || s.pm_ra_mas_per_yr.is_none()));
    // Where 60 are counted, 50 are not all of them.
    let server = Server::start(rule(json, 60));
    let deep = ReferenceService { g_max_mag: 22.0, ..service(&[&server]) };
    let mut told = fetch(&deep, &[tile(RECORDED_TILE)]);
    let refused = told.remove(0).1.expect_err("a part");
    assert!(matches!(refused, FetchError::Incomplete { .. }), "{refused:?}");
    // The answer to another question.
    let server = Server::start(rule(vot, 2));
    let refused = fetch_one(&service(&[&server])).expect_err("other stars");
    assert!(matches!(refused, FetchError::OtherTable { .. }), "{refused:?}");
}

/// The tile of the recorded cone.
const RECORDED_TILE: u32 = 47_152;

#[test]
fn each_fault_is_told_by_its_name_and_a_second_try_mends_it() {
    let faults: [(Fault, IsNamed); 6] = [
        (
            |_| Reply::Text(500, "oops".to_owned()),
            |e| matches!(e, FetchError::Http(HttpError::Status { status: 500, .. })),
        ),
        (
            |_| Reply::Text(200, PAGE.to_owned()),
            |e| matches!(e, FetchError::NoTable { source: ServiceTableError::NoTable { .. }, .. }),
        ),
        (
            |q| Reply::Half(right(q, usize::MAX, "")),
            |e| matches!(e, FetchError::Http(HttpError::BrokenOff { .. })),
        ),
        (
            |q| {
                let text = right(q, usize::MAX, "");
                Reply::Text(200, text.chars().take(text.len() / 2).collect())
            },
            |e| matches!(e, FetchError::NoTable { .. }),
        ),
        (
            |_| Reply::Silence(Duration::from_millis(1500)),
            |e| matches!(e, FetchError::Http(HttpError::TimedOut { .. })),
        ),
        (
            |q| Reply::Text(200, right(q, 0, "")),
            |e| matches!(e, FetchError::OtherTable { .. } | FetchError::Incomplete { .. }),
        ),
    ];
    for (i, (fault, is_named)) in faults.into_iter().enumerate() {
        let broken = Server::start(move |_, query| fault(query));
        let began = Instant::now();
        let refused = fetch_one(&service(&[&broken])).expect_err("no tile");
        assert!(is_named(&refused), "fault {i}: {refused:?}");
        assert_eq!(refused.retry(), FetchRetry::Later);
        assert!(broken.n_asked() <= 3 && began.elapsed() < Duration::from_secs(30), "fault {i}");
        if i < 5 {
            assert_eq!(broken.n_asked(), 3, "fault {i}");
            let once = Server::start(move |n, q| if n == 0 { fault(q) } else { good(q) });
            assert_eq!(fetch_one(&service(&[&once])).expect("a tile").len(), N_STARS);
        }
    }
}

/// What a server does wrong, and whether it is called so.
type Fault = fn(&str) -> Reply;
type IsNamed = fn(&FetchError) -> bool;

const PAGE: &str = "<html><head><title>Maintenance</title></head><body>Back soon</body></html>";

#[test]
fn mirrors_are_asked_in_order() {
    let down = Server::start(|_, _| Reply::Text(503, String::new()));
    let up = Server::start(|_, query| good(query));
    let last = Server::start(|_, query| good(query));
    assert!(fetch_one(&service(&[&down, &up, &last])).is_ok());
    assert_eq!((down.n_asked(), up.n_asked(), last.n_asked()), (2, 2, 0));
    // A question that is wrong for one mirror is not asked there again.
    let wrong = Server::start(|_, _| {
        let said = "<VOTABLE><RESOURCE><INFO name='QUERY_STATUS' value='ERROR'>no such table</INFO>\
                    </RESOURCE></VOTABLE>";
        Reply::Text(200, said.to_owned())
    });
    let refused = fetch_one(&service(&[&wrong, &wrong])).expect_err("refused");
    let text = format!("{:#}", anyhow::Error::from(refused));
    assert!(text.contains("no such table"), "{text}");
    assert_eq!(wrong.n_asked(), 2);
}

#[test]
fn a_service_that_is_down_costs_seconds_and_is_left_alone() {
    let mut nobody = service(&[]);
    // Port 1 of this machine: nobody listens.
    nobody.urls = vec!["http://127.0.0.1:1/tap".to_owned()];
    let tiles: Vec<Tile> = (100..140).map(tile).collect();
    let began = Instant::now();
    let told = fetch(&nobody, &tiles);
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(told.len(), tiles.len());
    let is_down = |e: &FetchError| {
        matches!(
            e,
            FetchError::Http(HttpError::Unreachable { .. })
                | FetchError::Http(HttpError::LeftAlone)
        )
    };
    for (_, stars) in told {
        let error = stars.expect_err("nobody there");
        assert!(is_down(&error), "{error:?}");
        assert!(!format!("{:#}", anyhow::Error::from(error)).contains("/tap"));
    }
    // One that never answers: patience ends it before the third try.
    let silent = Server::start(|_, _| Reply::Silence(Duration::from_secs(3)));
    let mut impatient = service(&[&silent]);
    impatient.limits.patience = Duration::from_millis(900);
    assert!(fetch(&impatient, &tiles).iter().all(|(_, stars)| stars.is_err()));
    assert!(silent.n_asked() <= 4, "{}", silent.n_asked());
}

#[test]
fn two_questions_at_a_time_and_a_stop_is_heard() {
    let slow = Server::start(|_, query| {
        Reply::Late(Duration::from_millis(20), right(query, usize::MAX, ""))
    });
    let tiles: Vec<Tile> = (TILE..TILE + 8).map(tile).collect();
    // Two fetches side by side share the two places.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let told = fetch(&service(&[&slow]), &tiles);
                assert!(told.iter().all(|(_, stars)| stars.is_ok()));
            });
        }
    });
    assert_eq!(slow.n_asked(), 32);
    assert!(slow.most_at_a_time.load(Ordering::SeqCst) <= 2);

    let mut n_told = 0;
    let mut stop = |_| {
        n_told += 1;
        ControlFlow::Break(())
    };
    service(&[&slow]).fetch(&tiles, &mut stop).expect("begun");
    assert_eq!(n_told, 1);
    assert!(slow.n_asked() < 40);
}

#[test]
fn what_is_too_much_is_refused() {
    let server = Server::start(|_, query| good(query));
    let mut small = service(&[&server]);
    small.limits.answer_bytes_max = 2_000;
    let refused = fetch_one(&small).expect_err("too long");
    assert!(matches!(refused, FetchError::Http(HttpError::TooLong { .. })), "{refused:?}");
    let mut few = service(&[&server]);
    few.tile_stars_max = 100;
    let refused = fetch_one(&few).expect_err("too many");
    assert!(matches!(refused, FetchError::TooMany { found: 1033, limit: 100 }), "{refused:?}");
    assert_eq!(refused.retry(), FetchRetry::Never);
}

//! The service on this machine: answers, nothing there, and everything that goes wrong.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::*;
use crate::formats::skybot::SkybotObserver;
use crate::remote::HttpError;
use crate::remote::test_server::{Reply, Server};

const TEXT: &str = "# Flag: 1\n# Ticket: 1\n# Num | Name | RA(h) | DE(deg) | Class | Mv | \
    Err(arcsec) | d(arcsec) | dRA(arcsec/h) | dDEC(arcsec/h) | Dg(ua) | Dh(ua)\n\
    397879 | 2008 UC100 | 12 00 31.7111 | +00 03 45.841 | MB>Inner | 23.4 | 2.017 | 129.546 | \
    22.1342 | -9.885 | 2.406 | 2.9\n";

fn requests(n: usize) -> Vec<ConeRequest> {
    let request = |i: usize| ConeRequest {
        mjd_utc: 60_000.0 + i as f64 / 48.0,
        ra_deg: 180.0,
        dec_deg: 0.0,
        radius_arcsec: 600.0,
        observer: SkybotObserver::Code("688".to_owned()),
    };
    (0..n).map(request).collect()
}

fn service(urls: &[&str]) -> SkybotService {
    let mut service = SkybotService::new(urls.iter().map(|url| (*url).to_owned()).collect(), 0.7);
    service.limits.back_off = Duration::from_millis(20);
    service
}

type Told = Vec<Result<SkybotReply, SkybotFetchError>>;

fn fetch(service: &SkybotService, requests: &[ConeRequest]) -> Told {
    let mut told = Vec::new();
    let mut on_step = |step| {
        if let SkybotStep::Reply(_, reply) = step {
            told.push(reply);
        }
        ControlFlow::Continue(())
    };
    service.fetch(requests, &mut on_step).expect("begun");
    told
}

fn one(server: &Server) -> Result<SkybotReply, SkybotFetchError> {
    let mut told = fetch(&service(&[&server.url]), &requests(1));
    assert_eq!(told.len(), 1);
    told.remove(0)
}

#[test]
fn objects_come_two_at_a_time() {
    let server = Server::start(|_, _| Reply::Late(Duration::from_millis(30), TEXT.to_owned()));
    let told = fetch(&service(&[&server.url]), &requests(7));
    assert_eq!(told.len(), 7);
    assert!(told.iter().all(|reply| reply.as_ref().is_ok_and(|r| r.places.len() == 1)));
    assert!(server.most_at_a_time.load(Ordering::SeqCst) <= 2);
    let queries = server.queries();
    assert_eq!(queries.len(), 7);
    assert!(queries.iter().all(|q| q.contains("-observer=688") && q.contains("-mime=votable")));
}

#[test]
fn nothing_there_is_no_failure_and_asked_once() {
    let server = Server::start(|_, _| Reply::Text(200, String::new()));
    assert_eq!(one(&server).expect("an answer"), SkybotReply::default());
    assert_eq!(server.n_asked(), 1);
}

#[test]
fn each_fault_is_told_and_a_second_try_mends_it() {
    type Fault = fn() -> Reply;
    type IsNamed = fn(&SkybotFetchError) -> bool;
    const PAGE: &str = "<html><head><title>Maintenance</title></head><body>Back soon</body></html>";
    let faults: [(Fault, IsNamed); 5] = [
        (
            || Reply::Text(503, PAGE.to_owned()),
            |e| matches!(e, SkybotFetchError::Http(HttpError::Status { status: 503, .. })),
        ),
        (
            || Reply::Text(200, PAGE.to_owned()),
            |e| matches!(e, SkybotFetchError::Reply { source: SkybotError::NoReply { .. }, .. }),
        ),
        (
            || Reply::Half(TEXT.to_owned()),
            |e| matches!(e, SkybotFetchError::Http(HttpError::BrokenOff { .. })),
        ),
        (
            || Reply::Text(200, TEXT.get(..TEXT.len() - 40).expect("letters").to_owned()),
            |e| matches!(e, SkybotFetchError::Reply { source: SkybotError::Broken { .. }, .. }),
        ),
        (
            || Reply::Silence(Duration::from_millis(1500)),
            |e| matches!(e, SkybotFetchError::Http(HttpError::TimedOut { .. })),
        ),
    ];
    for (i, (fault, is_named)) in faults.into_iter().enumerate() {
        let broken = Server::start(move |_, _| fault());
        let error = one(&broken).expect_err("no answer");
        assert!(is_named(&error), "fault {i}: {error:?}");
        assert_eq!(broken.n_asked(), 3, "fault {i}");
        let once = Server::start(
            move |n, _| {
                if n == 0 { fault() } else { Reply::Text(200, TEXT.to_owned()) }
            },
        );
        assert_eq!(one(&once).expect("objects").places.len(), 1, "fault {i}");
    }
}

#[test]
fn a_service_that_refuses_one_question_is_asked_the_others() {
    // What it says comes with status 200; it is not asked again, except without satellites.
    let server = Server::start(|_, query| {
        let is_bad = query.contains("-ep=2460000.50000000");
        let is_all = query.contains("-objFilter=111");
        match (is_bad, is_all) {
            (true, _) => Reply::Text(200, "# Flag: -1\n# Ticket: 1\nbad epoch\n".to_owned()),
            (false, true) => {
                Reply::Text(200, "# Flag: -1\n\ncalceph_compute_unit error #0\n".to_owned())
            }
            (false, false) => Reply::Text(200, TEXT.to_owned()),
        }
    });
    let told = fetch(&service(&[&server.url]), &requests(3));
    let refused = told.iter().filter(|reply| reply.is_err()).count();
    assert_eq!((told.len(), refused), (3, 1));
    assert!(told.iter().flatten().all(|reply| reply.is_asteroids_only));
    assert_eq!(server.n_asked(), 5);
}

#[test]
fn a_service_that_is_down_costs_seconds_and_mirrors_help() {
    // Port 1 of this machine: nobody listens.
    let nobody = "http://127.0.0.1:1/conesearch.php";
    let began = Instant::now();
    let told = fetch(&service(&[nobody]), &requests(60));
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(told.len(), 60);
    for reply in told {
        let text = format!("{:#}", anyhow::Error::from(reply.expect_err("nobody there")));
        assert!(!text.contains("conesearch"), "{text}");
    }
    let up = Server::start(|_, _| Reply::Text(200, TEXT.to_owned()));
    assert!(fetch(&service(&[nobody, &up.url]), &requests(3)).iter().all(Result::is_ok));
}

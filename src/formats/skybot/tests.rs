//! The recorded answer, texts by the service's description, and everything that is no answer.

use super::*;

fn request(observer: SkybotObserver) -> ConeRequest {
    ConeRequest {
        mjd_utc: 60_676.0,
        ra_deg: 81.2833,
        dec_deg: 4.49278,
        radius_arcsec: 720.0,
        observer,
    }
}

/// A row of the service's own (397879), one whose name holds bars, one without a number.
const TEXT: &str = "# Flag: 1\n# Ticket: 183080492634082511\n\
    # Num | Name | RA(h) | DE(deg) | Class | Mv | Err(arcsec) | d(arcsec) | dRA(arcsec/h) | \
    dDEC(arcsec/h) | Dg(ua) | Dh(ua)\n\
    397879 | 2008 UC100 | 12 00 31.7111 | +00 03 45.841 | MB>Inner | 23.4 | 2.017 | 129.546 | \
    22.1342 | -9.885 | 2.40648073312 | 2.9\n \
    229762 | G!kun||'homdima | 05 25 12.7657 | -00 29 25.081 | KBO>Detached | 19.6 | 0.025 | \
    71.942 | -2.9183 | 0.419 | 39.58 | 40.45\n \
    - | 2019 RB21 | 05 24 50.9495 | +04 37 58.166 | MB>Middle | 22.1 | 0.077 | 564.902 | -28.3830 \
    | 8.157 | 1.59 | 2.50\n";

#[test]
fn the_recorded_votable() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/services/skybot_conesearch.vot");
    let Ok(bytes) = std::fs::read(path) else {
        println!("skipped: no {path}");
        return;
    };
    let asked = request(SkybotObserver::Geocentre);
    let reply = read_reply(&bytes, &asked).expect("an answer");
    assert_eq!((reply.places.len(), reply.n_bad), (4, 0));
    let names: Vec<&str> = reply.places.iter().map(|p| p.designation.as_str()).collect();
    let expected = ["229762 G!kun||'homdima", "523748 2014 UP224", "2019 RB21", "2007 TE366"];
    assert_eq!(names, expected);
    let first = &reply.places[0];
    assert!((first.ra_deg - 81.303_190_599_627_36).abs() < 1e-12);
    assert_eq!(first.rate_arcsec_per_h, Some((-2.9183, 0.419)));
    assert_eq!((first.err_arcsec, first.v_mag), (0.025, Some(19.6)));
    assert_eq!((first.class.as_deref(), first.mid_mjd_utc), (Some("KBO>Detached"), Some(60_676.0)));
    // These places are for the Earth's centre: whoever asked for a code did not get what he wanted.
    let other = read_reply(&bytes, &request(SkybotObserver::Code("688".to_owned())));
    assert!(matches!(other, Err(SkybotError::OtherObserver { .. })), "{other:?}");
    // No beginning of it is taken for all.
    let text = String::from_utf8(bytes).expect("text");
    for length in (200..text.trim_end().len()).step_by(97) {
        let part = text.get(..length).expect("plain letters");
        assert!(read_reply(part.as_bytes(), &asked).is_err(), "{length} bytes");
    }
}

#[test]
fn text_with_bars_in_a_name() {
    let reply = read_reply(TEXT.as_bytes(), &request(SkybotObserver::Geocentre)).expect("objects");
    let names: Vec<&str> = reply.places.iter().map(|p| p.designation.as_str()).collect();
    assert_eq!(names, ["397879 2008 UC100", "229762 G!kun||'homdima", "2019 RB21"]);
    // 12h 00m 31.7111s = 180 deg + 31.7111 x 15 arcsec; -0d 29' 25.081" keeps its sign.
    assert!((reply.places[0].ra_deg - (180.0 + 31.7111 * 15.0 / 3600.0)).abs() < 1e-9);
    assert!((reply.places[1].dec_deg + (29.0 / 60.0 + 25.081 / 3600.0)).abs() < 1e-9);
    assert_eq!(reply.places[2].rate_arcsec_per_h, Some((-28.383, 8.157)));
    assert!((reply.places[0].err_arcsec - 2.017).abs() < 1e-12);
    // A row that breaks off is no row.
    let cut = TEXT.get(..TEXT.len() - 60).expect("plain letters");
    let broken = read_reply(cut.as_bytes(), &request(SkybotObserver::Geocentre));
    assert!(matches!(broken, Err(SkybotError::Broken { .. })), "{broken:?}");
}

#[test]
fn nothing_there_is_an_answer() {
    let asked = request(SkybotObserver::Code("688".to_owned()));
    for text in [
        "",
        "\n",
        "# Flag: 0\n# Ticket: 1\n# No solar system object was found in the requested FOV\n",
        "# Flag: -1\n# Ticket: 1\nNo solar system object was found in the requested FOV\n",
        "No solar system object was found in the requested FOV",
        "<?xml version='1.0'?><VOTABLE><RESOURCE><INFO name='QUERY_STATUS' value='ERROR'>No solar \
         system object was found in the requested FOV</INFO></RESOURCE></VOTABLE>",
    ] {
        assert_eq!(
            read_reply(text.as_bytes(), &asked).ok(),
            Some(SkybotReply::default()),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_answer_is_called_by_its_name() {
    let asked = request(SkybotObserver::Code("688".to_owned()));
    let refuse = |text: &[u8]| read_reply(text, &asked).expect_err("no answer");
    let error = refuse(b"# Flag: -1\n# Ticket: 7\n# calceph_compute_unit error #0\n");
    assert!(
        matches!(&error, SkybotError::Refused { said } if said.contains("calceph")),
        "{error:?}"
    );
    let error = refuse(
        b"<?xml version='1.0'?><VOTABLE><RESOURCE><INFO name='QUERY_STATUS' value='ERROR'>Bad epoch\
          </INFO></RESOURCE></VOTABLE>",
    );
    assert!(matches!(&error, SkybotError::Refused { said } if said == "Bad epoch"), "{error:?}");
    for page in [
        &b"<html><head><title>Maintenance</title></head><body>Back soon</body></html>"[..],
        b"<!DOCTYPE html><html></html>",
        b"Bad gateway",
        b"# hello",
        &[0xff, 0xfe, 0x00, 0x80],
        b"{\"flag\": -1}",
    ] {
        let error = refuse(page);
        assert!(matches!(error, SkybotError::NoReply { .. }), "{error:?}");
    }
    for text in ["# Flag: 1\n", "# Flag: 1\n# Num | Name\n1 | a\n"] {
        assert!(matches!(refuse(text.as_bytes()), SkybotError::Broken { .. }));
    }
}

#[test]
fn rows_without_a_place_are_counted() {
    let text = TEXT.replace("12 00 31.7111", "12 75 31.7111");
    let reply = read_reply(text.as_bytes(), &request(SkybotObserver::Geocentre)).expect("objects");
    assert_eq!((reply.places.len(), reply.n_bad), (2, 1));
}

#[test]
fn the_question_and_back() {
    let asked = request(SkybotObserver::Code("J75".to_owned()));
    let query = asked.query(Bodies::All);
    // The code goes where it is heeded, the date has no exponent.
    assert!(query.contains("&-observer=J75&") && !query.contains("-loc="), "{query}");
    assert!(
        query.starts_with("-ep=2460676.50000000&-ra=81.28330&-dec=4.49278&-rs=720&"),
        "{query}"
    );
    assert!(query.contains("-objFilter=111") && asked.query(Bodies::Asteroids).contains("=100"));
    for observer in [
        SkybotObserver::Code("J75".to_owned()),
        SkybotObserver::Geocentre,
        SkybotObserver::Place { longitude_deg: -2.57, latitude_deg: 37.98, height_m: 1530.0 },
    ] {
        let one = request(observer);
        assert_eq!(ConeRequest::from_query(&one.query(Bodies::All)), Some(one));
    }
    assert_eq!(ConeRequest::from_query("-ep=1"), None);
}

#[test]
fn the_simulated_nights_texts_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/nights/wide/inputs/skybot");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("skipped: no {folder}");
        return;
    };
    let mut n = 0;
    for file in files {
        let bytes = std::fs::read(file.expect("a file").path()).expect("a text");
        let reply = read_reply(&bytes, &request(SkybotObserver::Geocentre)).expect("objects");
        assert_eq!(reply.n_bad, 0);
        n += reply.places.len();
    }
    assert!(n > 100, "{n}");
}

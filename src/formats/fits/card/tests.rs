//! Cards as cameras and archives write them, and our own read back.

use super::*;

fn line(text: &str) -> [u8; CARD_BYTES] {
    let mut raw = [b' '; CARD_BYTES];
    raw[..text.len()].copy_from_slice(text.as_bytes());
    raw
}

fn card(text: &str) -> Card {
    match parse(&line(text)) {
        Line::Card(card) => card,
        _ => panic!("{text} is a card"),
    }
}

#[test]
fn values_of_every_kind_are_read() {
    let cases = [
        ("SIMPLE  =                    T / ok", Some(Value::Logical(true))),
        ("naxis   = 2", Some(Value::Integer(2))),
        ("EXPTIME =                   3.", Some(Value::Real(3.0))),
        ("SCALE   = 1.5D-3 / double", Some(Value::Real(0.0015))),
        ("OBJECT  = 'O''Neil / 3  ' / name", Some(Value::from("O'Neil / 3"))),
        ("EMPTY   = ''", Some(Value::from(""))),
        ("UNDEF   =                      / nothing", None),
        ("LOOSE   =2024-04-11", Some(Value::from("2024-04-11"))),
        ("BAD     = nan", Some(Value::from("nan"))),
        ("OPEN    = 'no end", Some(Value::from("no end"))),
        ("BIG     = 99999999999999999999", Some(Value::Real(1e20))),
    ];
    for (text, value) in cases {
        assert_eq!(card(text).value, value, "{text}");
    }
    assert_eq!(card("naxis   = 2").key, "NAXIS");
    assert_eq!(card("OBJECT  = 'a/b' / name ").comment, "name");
}

#[test]
fn hierarch_and_remarks_are_read() {
    let long = card("HIERARCH ESO DET dit = 2.5 / [s]");
    assert_eq!((long.key.as_str(), long.comment.as_str()), ("ESO DET DIT", "[s]"));
    assert_eq!(long.value, Some(Value::Real(2.5)));
    let remark = card("HISTORY = this is no value");
    assert_eq!((remark.value, remark.comment.as_str()), (None, "= this is no value"));
    assert!(matches!(parse(&line("")), Line::Blank));
    assert!(matches!(parse(&line("END")), Line::End));
}

#[test]
fn foreign_bytes_do_no_harm() {
    let mut raw = line("TEMP    = '12");
    raw[13..17].copy_from_slice(&[0xb0, b'C', b'\'', 0]);
    let Line::Card(card) = parse(&raw) else { panic!("a card") };
    assert_eq!(card.value, Some(Value::from("12?C")));
    // Any byte in any place: no panic.
    for byte in 0..=255_u8 {
        for at in 0..CARD_BYTES {
            let mut raw = line("HIERARCH A B = 'x' / y");
            raw[at] = byte;
            parse(&raw);
        }
    }
}

#[test]
fn written_cards_read_back() {
    let mut header = Header::new();
    header.set("A", 0.1, "tenth");
    header.set("B", -1.25e-300, "");
    header.set("C", i64::MIN, "");
    header.set("D", false, "no");
    header.set("E", "it's & more &".repeat(20), "long");
    header.set("ESO TEL FOC ID", "x", "long keyword");
    header.set("F", "", "");
    header.set("G", 1e22, "");
    header.push_history(&"h".repeat(72));
    let mut lines = Vec::new();
    for card in header.cards() {
        write(card, &mut lines);
    }
    assert_eq!(lines.len() % CARD_BYTES, 0);
    assert_eq!(parse_header(&lines), header);
}

#[test]
fn strings_of_every_length_read_back() {
    for length in 0..300 {
        let text: String = (0..length).map(|i| if i % 7 == 3 { '\'' } else { 'x' }).collect();
        let card =
            Card { key: "TEXT".to_owned(), value: Some(text.into()), comment: String::new() };
        let mut lines = Vec::new();
        write(&card, &mut lines);
        assert_eq!(parse_header(&lines).cards(), [card]);
    }
}

#[test]
fn what_cannot_be_a_value_is_undefined_or_a_comment() {
    let mut header = Header::new();
    header.set("NAN", f64::NAN, "");
    header.set(&"K".repeat(70), 1_i64, "");
    let mut lines = Vec::new();
    for card in header.cards() {
        write(card, &mut lines);
    }
    let back = parse_header(&lines);
    assert!(back.contains("NAN") && back.value("NAN").is_none());
    assert!(back.cards()[1..].iter().all(Card::is_remark));
}

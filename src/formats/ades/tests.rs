//! The standard's own samples, the round trip, and files that are refused.

use std::path::PathBuf;

use super::*;

fn sample(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/ades").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: no {}", path.display());
    }
    bytes
}

fn observation(values: &[(Field, &str)]) -> Observation {
    let mut observation = Observation::default();
    for (field, value) in values {
        observation.set(*field, value).unwrap_or_else(|e| panic!("{field:?} {value}: {e}"));
    }
    observation
}

/// A file that uses what the product uses, with text that both forms must escape or keep.
fn full() -> Submission {
    let mut header = Header::default();
    for (key, value) in [
        (HeaderKey::ObservatoryCode, "J75"),
        (HeaderKey::SubmitterName, "N. Example & <Son>"),
        (HeaderKey::Observer, "A. Ñandú"),
        (HeaderKey::Observer, "B. \"Quote\" 'apostrophe'"),
        (HeaderKey::Measurer, "A. Ñandú"),
        (HeaderKey::TelescopeDesign, "reflector"),
        (HeaderKey::TelescopeAperture, "0.45"),
        (HeaderKey::TelescopeDetector, "CCD"),
        (HeaderKey::TelescopePixelScale, "1.60"),
        (HeaderKey::FundingSource, "none of note"),
        (HeaderKey::CommentLine, "! # first"),
        (HeaderKey::CommentLine, "second"),
    ] {
        header.add(key, value).expect("fits");
    }
    let common = [
        (Field::Mode, "CCD"),
        (Field::Stn, "J75"),
        (Field::ObsTime, "2026-03-01T21:36:05.12Z"),
        (Field::RmsTime, "0.10"),
        (Field::Ra, "123.456789"),
        (Field::Dec, "-5.250000"),
        (Field::RmsRa, "0.11"),
        (Field::RmsDec, "0.12"),
        (Field::RmsCorr, "0.00"),
        (Field::AstCat, "Gaia3"),
    ];
    let mut new = observation(&common);
    new.set(Field::TrkSub, "AB12cd7").expect("fits");
    let mut known = observation(&common);
    for (field, value) in [
        (Field::PermId, "22767"),
        (Field::Mag, "19.21"),
        (Field::RmsMag, "0.08"),
        (Field::Band, "G"),
        (Field::PhotCat, "Gaia3"),
        (Field::LogSnr, "1.05"),
        (Field::Seeing, "2.4"),
        (Field::Exp, "60.0"),
        (Field::RmsFit, "0.051"),
        (Field::NStars, "402"),
        (Field::Notes, "t"),
        (Field::Remarks, "a <b> & c; d > \"e\""),
    ] {
        known.set(field, value).expect("fits");
    }
    Submission { header, observations: vec![new, known] }
}

#[test]
fn psv_and_xml_hold_the_same_values() {
    let full = full();
    full.check().expect("complete");
    let psv = full.to_psv();
    let from_psv = Submission::from_psv(psv.as_bytes()).expect("reads");
    assert_eq!(from_psv, full);
    let xml = from_psv.to_xml();
    let from_xml = Submission::from_xml(xml.as_bytes()).expect("reads");
    assert_eq!(from_xml, full);
    assert_eq!(from_xml.to_psv(), psv, "byte for byte");
}

#[test]
fn the_fields_of_a_row_have_the_schemas_order() {
    let psv = full().to_psv();
    let names = psv.lines().find(|line| line.starts_with("permID")).expect("the columns");
    let names: Vec<&str> = names.split('|').map(str::trim).collect();
    let expected = "permID trkSub mode stn obsTime rmsTime ra dec rmsRA rmsDec rmsCorr astCat mag \
                    rmsMag band photCat logSNR seeing exp rmsFit nStars notes remarks";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    assert!(psv.starts_with("# version=2022\n# observatory\n! mpcCode J75\n# submitter\n"));
}

#[test]
fn the_standards_samples_read_back() {
    for (name, n_observations) in [("2023MQ5.psv", 2), ("319.psv", 4)] {
        let Some(bytes) = sample(name) else { return };
        let read = Submission::from_psv(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        read.check().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.observations.len(), n_observations, "{name}");
        assert_eq!(Submission::from_xml(read.to_xml().as_bytes()).expect("reads"), read, "{name}");
        assert_eq!(Submission::from_psv(read.to_psv().as_bytes()).expect("reads"), read, "{name}");
    }
    let Some(bytes) = sample("2023MQ5.psv") else { return };
    let read = Submission::from_psv(&bytes).expect("reads");
    let first = &read.observations[0];
    assert_eq!(first.get(Field::ProvId), Some("2023 MQ5"));
    assert_eq!(first.number(Field::Ra), Some(273.131_41));
    assert_eq!(read.header.get(HeaderKey::TelescopeFRatio), ["6.3"]);
    assert_eq!(read.observations[1].get(Field::Mag), None);

    let Some(bytes) = sample("obs_v2022.xml") else { return };
    let read = Submission::from_xml(&bytes).expect("reads");
    read.check().expect("complete");
    assert_eq!(read.observations.len(), 4);
    assert_eq!(read.header.get(HeaderKey::FundingSource), ["NASA 80NSSC21K0807"]);
    assert_eq!(read.header.get(HeaderKey::CommentLine).len(), 4);
    assert_eq!(read.observations[3].get(Field::Notes), Some("K"));
    let psv = read.to_psv();
    assert_eq!(Submission::from_psv(psv.as_bytes()).expect("reads"), read);
}

#[test]
fn values_that_break_their_rule_are_refused() {
    let mut observation = Observation::default();
    for (field, wrong) in [
        (Field::TrkSub, "toolong12"),
        (Field::TrkSub, "a b"),
        (Field::Stn, "J7"),
        (Field::ObsTime, "2026-02-29T00:00:00Z"),
        (Field::ObsTime, "2026-03-01T24:00:00Z"),
        (Field::ObsTime, "2026-03-01T00:00:60Z"),
        (Field::ObsTime, "2026-03-01T00:00:00.1234567Z"),
        (Field::ObsTime, "2026-03-01T00:00:00"),
        (Field::Ra, "360.0"),
        (Field::Ra, "-0.1"),
        (Field::Ra, "nan"),
        (Field::Ra, "1e2"),
        (Field::Ra, "1.0123456789"),
        (Field::Dec, "90.1"),
        (Field::Dec, "--1"),
        (Field::RmsRa, "0.0"),
        (Field::RmsRa, "-0.1"),
        (Field::RmsRa, "0.123456"),
        (Field::RmsCorr, "1.0"),
        (Field::Mag, "35.1"),
        (Field::Remarks, "a|b"),
        (Field::Remarks, "a\nb"),
        (Field::Remarks, "  "),
        (Field::PermId, "12X"),
        (Field::ProvId, "2014 IA"),
        (Field::ProvId, "2014AA"),
        (Field::NStars, "1000000"),
    ] {
        let refused = observation.set(field, wrong);
        assert!(matches!(refused, Err(AdesError::Value { .. })), "{field:?} {wrong}");
    }
    for (field, right) in [
        (Field::ObsTime, "2016-12-31T23:59:60.5Z"),
        (Field::ObsTime, "2024-02-29T00:00:00Z"),
        (Field::PermId, "73P-B"),
        (Field::PermId, "1I"),
        (Field::ProvId, "4101 T-3"),
        (Field::ProvId, "C/2023 A3"),
        (Field::ProvId, "P/2019 LD2"),
    ] {
        observation.set(field, right).unwrap_or_else(|e| panic!("{right}: {e}"));
    }
}

#[test]
fn incomplete_files_say_what_is_missing() {
    let mut lacking = full();
    lacking.observations[1] = observation(&[(Field::TrkSub, "A"), (Field::Mag, "19.0")]);
    let told = lacking.check().expect_err("incomplete").to_string();
    assert_eq!(told, "observation 2 has no `mode`");
    let mut no_band = full();
    no_band.observations[0].set(Field::Mag, "19.0").expect("fits");
    assert!(no_band.check().expect_err("incomplete").to_string().contains("`band`"));
    no_band.header = Header::default();
    let told = no_band.check().expect_err("incomplete").to_string();
    assert_eq!(told, "`observatory/mpcCode` is missing in the header");
    let empty = Submission { header: full().header, observations: Vec::new() };
    assert!(matches!(empty.check(), Err(AdesError::NoObservation)));
}

#[test]
fn hostile_psv_is_refused_with_a_reason() {
    let head = "# version=2022\n# observatory\n! mpcCode J75\n";
    for (text, part) in [
        ("", None),
        ("permID|mode\n", Some("line 1: the version")),
        ("# version=1999\n", Some("line 1: the version")),
        ("# observatory\n", Some("line 1: the version")),
        ("# version=2022\n# moon\n", Some("line 2: no such part")),
        ("# version=2022\n! mpcCode J75\n", Some("line 2: no such line")),
        (&format!("{head}! mpcCode J76\n"), Some("`observatory/mpcCode` is there twice")),
        (&format!("{head}1|2\n"), Some("line 4: the names")),
        (&format!("{head}mode|moon\n"), Some("line 4: no such field")),
        (&format!("{head}mode|mode\n"), Some("`mode` is there twice")),
        (&format!("{head}mode|stn\nCCD\n"), Some("line 5: 1 cells for 2 columns")),
        (&format!("{head}mode|stn\nCCD|J75|x\n"), Some("line 5: 3 cells for 2 columns")),
        (&format!("{head}mode|stn\nCCD|J75\n# observatory\n"), Some("line 6: a second block")),
        (&format!("{head}mode|stn\nCCD|{}\n", "x".repeat(99)), Some("the value of `stn`")),
        (&format!("{head}{}\n", "|".repeat(99_999)), Some("cells for 64 columns")),
    ] {
        let read = Submission::from_psv(text.as_bytes());
        match (read, part) {
            (Ok(read), None) => assert!(read.check().is_err()),
            (Err(error), Some(part)) => {
                assert!(error.to_string().contains(part), "{text:?}: {error}");
            }
            (read, part) => panic!("{text:?}: {read:?}, expected {part:?}"),
        }
    }
    let no_text = Submission::from_psv(b"# version=2022\n\xff\n");
    assert!(matches!(no_text, Err(AdesError::NoText { .. })));
    let huge = Submission::from_psv(&vec![b' '; SIZE_MAX_BYTES + 1]);
    assert!(matches!(huge, Err(AdesError::TooLarge { .. })));
}

#[test]
fn hostile_xml_is_refused_with_a_reason() {
    let block = |inner: &str| format!("<ades version='2022'><obsBlock>{inner}</obsBlock></ades>");
    let data = |inner: &str| block(&format!("<obsData><optical>{inner}</optical></obsData>"));
    for text in [
        String::new(),
        "<ades".to_owned(),
        "<ades version='2022'>".to_owned(),
        "<ades version='2022'></ades>".to_owned(),
        "<ades><obsBlock/></ades>".to_owned(),
        "<moon/>".to_owned(),
        "text".to_owned(),
        block("<obsContext><moon/></obsContext>"),
        block("<obsContext><submitter><moon/></submitter></obsContext>"),
        block("<obsContext>text</obsContext>"),
        block("<obsData><radar/></obsData>"),
        data("<moon>1</moon>"),
        data("<mode>CCD</mode><mode>CCD</mode>"),
        data("<mode><mode>CCD</mode></mode>"),
        data("<mode>&lol;</mode>"),
        data("<mode>C&#0;D</mode>"),
        data(&format!("<remarks>{}</remarks>", "x".repeat(5000))),
        "<!DOCTYPE ades [<!ENTITY a 'b'>]><ades version='2022'/>".to_owned(),
        format!("{}{}", block(""), block("")),
        "<ades version='2022'><obsBlock/><obsBlock/></ades>".to_owned(),
        "<a>".repeat(100_000),
        format!("<ades version='2022'>{}", "<obsBlock>".repeat(50)),
    ] {
        let start: String = text.chars().take(80).collect();
        assert!(Submission::from_xml(text.as_bytes()).is_err(), "{start}");
    }
    let odd = data("<remarks><![CDATA[a < b]]> &amp; c</remarks><!-- x -->");
    let read = Submission::from_xml(odd.as_bytes()).expect("reads");
    assert_eq!(read.observations[0].get(Field::Remarks), Some("a < b & c"));
}

#[test]
fn any_cut_or_changed_byte_gives_an_error_or_a_file_and_no_panic() {
    let (psv, xml) = (full().to_psv(), full().to_xml());
    for text in [psv.as_bytes(), xml.as_bytes()] {
        for at in 0..text.len() {
            Submission::from_psv(&text[..at]).ok();
            Submission::from_xml(&text[..at]).ok();
            let mut changed = text.to_vec();
            for byte in [0, b'|', b'<', b'&', 0xff] {
                changed[at] = byte;
                Submission::from_psv(&changed).ok();
                Submission::from_xml(&changed).ok();
            }
        }
    }
}

//! Recorded answers of the real services, cut off at many places, and other than tables.

use super::*;

/// A recorded answer; `None` where the shared data is not there.
fn recorded(name: &str) -> Option<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/services/");
    let bytes = std::fs::read(format!("{folder}{name}")).ok();
    if bytes.is_none() {
        println!("skipped: no {folder}{name}");
    }
    bytes
}

fn number(table: &ServiceTable, row: usize, name: &str) -> Option<f64> {
    let column = table.names.iter().position(|n| n == name).expect("a column");
    table.row(row).number(column)
}

#[test]
fn the_archives_binary_answer_is_read() {
    let Some(bytes) = recorded("gaia_tap_result.vot") else { return };
    let table = ServiceTable::read(&bytes).expect("a table");
    assert_eq!((table.n_rows(), table.names.len(), table.is_overflown), (2, 152, false));
    // As astropy 8.0.2 reads the same file (astropy.io.votable.parse_single_table); made once.
    let expected = EXPECTED;
    for (row, values) in expected.iter().enumerate() {
        for (name, value) in values {
            let found = number(&table, row, name);
            match value {
                Some(value) => {
                    let found = found.expect("a value");
                    assert!((found - value).abs() <= 2e-7 * value.abs(), "{name} {found} {value}");
                }
                None => assert_eq!(found, None, "{name}"),
            }
        }
    }
    let (stars, n_bad) = table.stars(2000.0).expect("the columns");
    assert_eq!((stars.len(), n_bad), (2, 0));
    let mut ids: Vec<i64> = stars.iter().map(|star| star.source_id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [4_583_627_001_381_815_936, 5_348_723_816_842_275_584]);
    assert!(stars.iter().all(|star| (star.ref_epoch_yr - 2016.0).abs() < 1e-12));
}

/// Values of some columns, row by row.
const EXPECTED: [[(&str, Option<f64>); 8]; 2] = [
    [
        ("ra", Some(268.0676646661466)),
        ("dec", Some(26.50748605871529)),
        ("parallax", Some(2.3034086430210925)),
        ("pmra", Some(-8.5440331309214)),
        ("phot_g_mean_mag", Some(7.01201868057251)),
        ("bp_rp", Some(3.664543628692627)),
        ("radial_velocity", Some(-20.302576065063477)),
        ("ref_epoch", Some(2016.0)),
    ],
    [
        ("ra", Some(171.55081173633306)),
        ("dec", Some(-51.3606309660715)),
        ("parallax", Some(1.0704678100897584)),
        ("pmra", Some(-12.518990461622858)),
        ("phot_g_mean_mag", Some(7.0179033279418945)),
        ("bp_rp", Some(4.222786903381348)),
        ("radial_velocity", Some(-8.207155227661133)),
        ("ref_epoch", Some(2016.0)),
    ],
];

#[test]
fn texts_and_numbers_of_a_job_are_read() {
    let Some(bytes) = recorded("gaia_tap_job.vot") else { return };
    let table = ServiceTable::read(&bytes).expect("a table");
    assert_eq!(table.names, ["alpha", "delta", "source_id", "table1_oid"]);
    // The stream's bytes by hand: 1.0, 2.0, "a", 1; 3.0, 4.0, "b", 2; 5.0, 6.0, "c", 3.
    for (row, (alpha, oid)) in [(1.0, 1), (3.0, 2), (5.0, 3)].into_iter().enumerate() {
        let cells = [
            TableCell::Number(alpha),
            TableCell::Number(alpha + 1.0),
            TableCell::Empty,
            TableCell::Whole(oid),
        ];
        assert_eq!(table.row(row), cells);
    }
}

#[test]
fn the_archives_json_is_read() {
    let Some(bytes) = recorded("gaia_tap_cone_search.json") else { return };
    let table = ServiceTable::read(&bytes).expect("a table");
    assert_eq!((table.n_rows(), table.names.len()), (50, 153));
    let (stars, n_bad) = table.stars(2000.0).expect("the columns");
    assert_eq!((stars.len(), n_bad), (50, 0));
    // The last row of the file ends with l, b = 335.474, -21.868 and ecliptic 276.20, -36.78 deg;
    // all 50 lie within a degree or so of each other.
    let first = stars[0];
    let near = |star: &ReferenceStar| {
        let a = (star.ra_rad, star.dec_rad);
        crate::science::sky::vector::separation_rad(a, (first.ra_rad, first.dec_rad)) < 0.02
    };
    assert!(stars.iter().all(near));
    assert!(stars.iter().all(|star| star.source_id > 1_i64 << 60));
    assert!(bytes.len() > 90_000);
    for cut in (1..bytes.len()).step_by(997) {
        assert!(ServiceTable::read(&bytes[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn half_an_answer_is_none() {
    for name in ["gaia_tap_result.vot", "gaia_tap_job.vot"] {
        let Some(bytes) = recorded(name) else { return };
        let end = bytes.iter().rposition(|b| *b == b'>').expect("an end");
        for cut in (0..end).step_by(37).chain([end]) {
            assert!(ServiceTable::read(&bytes[..cut]).is_err(), "{name} {cut}");
        }
    }
}

/// A document with this inside its result.
fn document(inside: &str) -> String {
    format!(
        "<?xml version='1.0'?><vot:VOTABLE xmlns:vot='x'><vot:RESOURCE type='results'>{inside}\
         </vot:RESOURCE></vot:VOTABLE>"
    )
}

const FIELDS: &str = "<FIELD name='n' datatype='long'/><FIELD name='g' datatype='float'/>";
const OK: &str = "<INFO name='QUERY_STATUS' value='OK'/>";

#[test]
fn plain_rows_and_what_the_service_says_of_them() {
    let rows = "<DATA><TABLEDATA><TR><TD>9007199254740993</TD><TD>1.5</TD></TR>\
                <TR><TD/><TD>NaN</TD></TR></TABLEDATA></DATA>";
    let whole = document(&format!("{OK}<TABLE nrows='2'>{FIELDS}{rows}</TABLE>"));
    let table = ServiceTable::read(whole.as_bytes()).expect("a table");
    let first = [TableCell::Whole(9_007_199_254_740_993), TableCell::Number(1.5)];
    assert_eq!((table.row(0), table.row(1)), (&first[..], &[TableCell::Empty; 2][..]));
    assert!(!table.is_overflown);

    let more = document(&format!(
        "{OK}<TABLE>{FIELDS}{rows}</TABLE><INFO name='QUERY_STATUS' value='OVERFLOW'/>"
    ));
    assert!(ServiceTable::read(more.as_bytes()).expect("a table").is_overflown);

    let short = document(&format!("{OK}<TABLE nrows='3'>{FIELDS}{rows}</TABLE>"));
    assert!(matches!(
        ServiceTable::read(short.as_bytes()),
        Err(ServiceTableError::Broken { what: "rows" })
    ));
    let uneven = document(&format!("{OK}<TABLE>{FIELDS}{}</TABLE>", rows.replace("<TD/>", "")));
    assert!(ServiceTable::read(uneven.as_bytes()).is_err());
    let unsaid = document(&format!("<TABLE>{FIELDS}{rows}</TABLE>"));
    assert!(ServiceTable::read(unsaid.as_bytes()).is_err());

    let refused = document("<INFO name='QUERY_STATUS' value='ERROR'>Unknown &lt;table&gt;</INFO>");
    match ServiceTable::read(refused.as_bytes()) {
        Err(ServiceTableError::Refused { said }) => assert_eq!(said, "Unknown <table>"),
        other => panic!("{other:?}"),
    }
    let count = document(&format!(
        "{OK}<TABLE><FIELD name='n' datatype='long'/><DATA><TABLEDATA><TR><TD>17</TD></TR>\
         </TABLEDATA></DATA></TABLE>"
    ));
    assert_eq!(ServiceTable::read(count.as_bytes()).expect("a table").count(), Some(17));
    assert_eq!(table.count(), None);
}

#[test]
fn bytes_without_masks_are_read_too() {
    // BINARY: long 5, float 1.5; long 6, float NaN.
    let mut bytes = Vec::new();
    for (n, g) in [(5_i64, 1.5_f32), (6, f32::NAN)] {
        bytes.extend(n.to_be_bytes());
        bytes.extend(g.to_be_bytes());
    }
    use base64::Engine as _;
    let packed = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let stream = |packed: &str| {
        document(&format!(
            "{OK}<TABLE>{FIELDS}<DATA><BINARY><STREAM encoding='base64'>{packed}</STREAM></BINARY>\
             </DATA></TABLE>"
        ))
    };
    let table = ServiceTable::read(stream(&packed).as_bytes()).expect("a table");
    assert_eq!(table.row(0), [TableCell::Whole(5), TableCell::Number(1.5)]);
    assert_eq!(table.row(1), [TableCell::Whole(6), TableCell::Empty]);
    // Three of four characters less: a row is not whole.
    assert!(
        ServiceTable::read(stream(packed.get(..packed.len() - 4).expect("longer")).as_bytes())
            .is_err()
    );
    // A length beyond all bytes.
    let long = document(&format!(
        "{OK}<TABLE><FIELD name='t' datatype='char' arraysize='*'/><DATA><BINARY>\
         <STREAM>/////w==</STREAM></BINARY></DATA></TABLE>"
    ));
    assert!(ServiceTable::read(long.as_bytes()).is_err());
}

#[test]
fn other_things_are_no_tables() {
    let page = "<!DOCTYPE html><html><body><h1>Scheduled maintenance</h1></body></html>";
    let plain = "<html><body>Down for maintenance, back on <b>Monday</b></body></html>";
    for text in [page, plain, "", "   ", "Service unavailable", "\u{feff}<a/>"] {
        let refused = ServiceTable::read(text.as_bytes());
        assert!(matches!(refused, Err(ServiceTableError::NoTable { .. })), "{refused:?}");
    }
    assert!(ServiceTable::read(b"{\"error\": \"down\"}").is_err());
    assert!(
        ServiceTable::read(b"{\"metadata\": [{\"name\": \"a\"}], \"data\": [[1, 2]]}").is_err()
    );
    assert!(ServiceTable::read(b"\xff\xfe").is_err());
    let deep = format!("<VOTABLE>{}", "<RESOURCE>".repeat(200));
    assert!(ServiceTable::read(deep.as_bytes()).is_err());
    let entity = "<!DOCTYPE a [<!ENTITY x 'y'>]><VOTABLE>&x;</VOTABLE>";
    assert!(ServiceTable::read(entity.as_bytes()).is_err());
}

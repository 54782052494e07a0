//! The published examples, both ways; names as lists of known objects give them.

use super::*;

fn named(text: &str) -> Designation {
    Designation::from_name(text).unwrap_or_else(|| panic!("{text} names nothing"))
}

/// Examples of the Minor Planet Center's page on packed designations and of the page on the
/// extended scheme; those of `projectpluto.com/packed.htm` for `~AZaz`, `_QC0aEM`, `_AH9fZ7`.
const PUBLISHED: [(&str, &str); 35] = [
    ("J95X00A", "1995 XA"),
    ("J95X01L", "1995 XL1"),
    ("J95F13B", "1995 FB13"),
    ("J98SA8Q", "1998 SQ108"),
    ("J98SC7V", "1998 SV127"),
    ("J98SG2S", "1998 SS162"),
    ("K99AJ3Z", "2099 AZ193"),
    ("K08Aa0A", "2008 AA360"),
    ("K07Tf8A", "2007 TA418"),
    ("K14A00A", "2014 AA"),
    ("J99A10N", "1999 AN10"),
    ("PLS2040", "2040 P-L"),
    ("T1S3138", "3138 T-1"),
    ("T2S1010", "1010 T-2"),
    ("T3S4101", "4101 T-3"),
    ("_QC0000", "2026 CA620"),
    ("_QC0aEM", "2026 CZ6190"),
    ("_QCzzzz", "2026 CL591673"),
    ("_AH9fZ7", "2010 HJ92809"),
    ("03202", "3202"),
    ("50000", "50000"),
    ("A0345", "100345"),
    ("a0017", "360017"),
    ("K3289", "203289"),
    ("G4060", "164060"),
    ("n1415", "491415"),
    ("z9999", "619999"),
    ("~0000", "620000"),
    ("~000z", "620061"),
    ("~AZaz", "3140113"),
    ("~zzzz", "15396335"),
    ("J04O00A", "A904 OA"),
    ("00001", "1"),
    ("00433", "433"),
    ("99999", "99999"),
];

#[test]
fn the_published_examples_pack_and_unpack() {
    for (packed, unpacked) in PUBLISHED {
        let by_name = named(unpacked);
        assert_eq!(by_name.columns().trim(), packed, "{unpacked}");
        assert_eq!(by_name.to_string(), unpacked);
        assert_eq!(Designation::from_packed(packed), Some(by_name.clone()), "{packed}");
        let columns = by_name.columns();
        assert_eq!(columns.len(), 12);
        assert_eq!(Designation::from_packed(&columns), Some(by_name), "{columns}");
    }
}

#[test]
fn comets_pack_into_twelve_columns() {
    for (columns, unpacked) in [
        ("    CJ95A010", "C/1995 A1"),
        ("    PJ94P01b", "P/1994 P1-B"),
        ("    CK48X130", "C/2048 X13"),
        ("    CK33L89c", "C/2033 L89-C"),
        ("    CK88AA30", "C/2088 A103"),
        ("    PK19L02D", "P/2019 LD2"),
        ("0012P       ", "12P"),
        ("0073P     ba", "73P-BA"),
        ("3141P      e", "3141P-E"),
        ("0001I       ", "1I"),
    ] {
        let comet = named(unpacked);
        assert_eq!(comet.columns(), columns, "{unpacked}");
        assert_eq!(comet.to_string(), unpacked);
        assert_eq!(Designation::from_packed(columns), Some(comet), "{columns}");
    }
}

#[test]
fn names_of_lists_are_understood() {
    for (text, perm_id, prov_id) in [
        ("22767 Sim22767", Some("22767"), None),
        ("12 Victoria", Some("12"), None),
        ("(433) Eros", Some("433"), None),
        ("2001 Einstein", Some("2001"), None),
        ("29075 1950 DA", Some("29075"), None),
        ("2008 UC100", None, Some("2008 UC100")),
        (" 2014 AA ", None, Some("2014 AA")),
        ("4101 T-3", None, Some("4101 T-3")),
        ("12P/Pons-Brooks", Some("12P"), None),
        ("1I/'Oumuamua", Some("1I"), None),
        ("C/2023 A3 (Tsuchinshan-ATLAS)", None, Some("C/2023 A3")),
        ("A904 OA", None, None),
    ] {
        let found = named(text);
        assert_eq!(found.perm_id().as_deref(), perm_id, "{text}");
        assert_eq!(found.prov_id().as_deref(), prov_id, "{text}");
    }
}

#[test]
fn what_names_nothing_is_not_guessed() {
    for text in [
        "",
        " ",
        "Ceres",
        "0",
        "0 Nobody",
        "15396336",
        "99999999999",
        "2014 IA",
        "2014 AI",
        "2014 ZA",
        "2014 A",
        "2014 aa",
        "1904 OA",
        "A950 OA",
        "20144 AA1x",
        "-5",
        "1.5",
        "C/",
        "C/2023",
        "C/2023 I3",
        "Q/2023 A3",
        "/2023 A3",
        "0P",
        "P",
        "2014 AA99999999999",
        "ü",
        "C/2023 A3-ABC",
        "2026 CZ99999999",
    ] {
        if let Some(found) = Designation::from_name(text) {
            // "20144 AA1x" is a number with an odd name.
            assert_eq!((text, found), ("20144 AA1x", Designation::Number(20_144)));
        }
    }
    for packed in [
        "",
        "0000",
        "00000",
        "~000",
        "~00!0",
        "J95X00a",
        "J95I00A",
        "A95X00A",
        "_!C0000",
        "_QI0000",
        "PLSxxxx",
        "äöü",
        "            ",
        "    Q       ",
        "     J9 X00A",
        "12345678",
    ] {
        assert_eq!(Designation::from_packed(packed), None, "{packed}");
    }
}

#[test]
fn all_cycles_and_numbers_come_back() {
    for cycle in (0..2000).chain([591_672]) {
        for letter in ["A", "H", "J"] {
            let text = format!(
                "2026 C{letter}{}",
                if cycle == 0 { String::new() } else { cycle.to_string() }
            );
            let one = named(&text);
            assert_eq!(Designation::from_packed(&one.columns()), Some(one), "{text}");
        }
    }
    for number in (1..NUMBER_MAX).step_by(9973) {
        let one = Designation::Number(number);
        assert_eq!(Designation::from_packed(&one.columns()), Some(one));
    }
}

//! Columns and flags as the seeds have them.

use super::*;

#[test]
fn columns_stand_where_the_seeds_have_them() {
    // Numbers of ../shared/spec/seeds.md 2.11, from 1.
    for (number, name) in [
        (1, "SOURCE_NUMBER"),
        (5, "EPOCH"),
        (10, "PM"),
        (16, "MID_EXPOSURE_MJD"),
        (21, "RA_IMAGE"),
        (23, "MATCHED"),
        (27, "SKYBOT_MAG"),
        (32, "SKYBOT_DELTARA"),
        (36, "XWIN_IMAGE"),
        (44, "ERRA_WORLD"),
        (50, "FLAGS_SSOS"),
    ] {
        assert_eq!(COLUMNS[number - 1], name);
    }
}

#[test]
fn an_aperture_comes_behind_the_magnitude_and_the_rest_as_in_ssos() {
    let mut columns: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
    with_aperture(&mut columns, APERTURE_COLUMNS.map(str::to_owned));
    assert_eq!(columns.len(), COLUMNS.len() + 4);
    // ../shared/spec/seeds.md 2.11: four columns after MAGERR, the SkyBoT block before OBJECT.
    for (number, name) in [
        (7, "MAGERR"),
        (8, "MAG_APER"),
        (11, "FLUX_APER_ERR"),
        (12, "FLUX"),
        (22, "EXPTIME"),
        (23, "MATCHED"),
        (33, "SKYBOT_DELTADEC"),
        (34, "OBJECT"),
        (38, "IMAGE_FILENAME"),
        (54, "FLAGS_SSOS"),
    ] {
        assert_eq!(columns[number - 1], name, "{number}");
    }
}

#[test]
fn flags_are_those_of_sextractor() {
    let all = SourceFlags::BLENDED.with(SourceFlags::SATURATED).with(SourceFlags::MASKED);
    assert_eq!(extraction_flags(all), 2 + 4 + 16);
    assert_eq!(extraction_flags(SourceFlags::SHARP), 0);
}

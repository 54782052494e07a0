//! `match_full_N.cat`: each detection beside the catalogue star within an arcsecond of it.
//!
//! Rule and columns of Automatic-SSOs (../shared/spec/seeds.md 1.12): for each frame the nearest
//! catalogue star of every detection, several detections may take the same star; the star's columns
//! in small letters, the detection's in capitals, `Sep` [arcsec] at the end.

use super::full::{FullRow, full_columns};
use crate::formats::fits::{Column, ColumnData};
use crate::science::sky::neighbours::SkyIndex;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Farthest a detection may be from its star [arcsec].
const RADIUS_ARCSEC: f64 = 1.0;

/// The columns of the table; frames in order of their numbers.
pub(super) fn match_columns(rows: &[FullRow]) -> Vec<Column> {
    let radians = |row: &FullRow| (row.place_deg.0 * DEG_RAD, row.place_deg.1 * DEG_RAD);
    let (stars, mut detections): (Vec<&FullRow>, Vec<&FullRow>) =
        rows.iter().partition(|row| row.catalog_number == 0);
    detections.sort_by_key(|row| row.catalog_number);
    let index = SkyIndex::new(&stars.iter().map(|star| radians(star)).collect::<Vec<_>>());
    let (mut left, mut right, mut separations) = (Vec::new(), Vec::new(), Vec::new());
    for row in detections {
        if let Some((star, separation)) = index.nearest(radians(row), RADIUS_ARCSEC * ARCSEC_RAD) {
            left.push(stars[star].clone());
            right.push(row.clone());
            separations.push(separation / ARCSEC_RAD);
        }
    }
    let mut columns = full_columns(&left);
    for column in &mut columns {
        column.name.make_ascii_lowercase();
    }
    columns.extend(full_columns(&right));
    columns.push(Column {
        name: "Sep".to_owned(),
        unit: "arcsec".to_owned(),
        data: ColumnData::F64(separations),
    });
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_star_is_taken_and_may_be_taken_twice() {
        let row = |catalog_number, offset_arcsec: f64| FullRow {
            catalog_number,
            place_deg: (180.0, offset_arcsec / 3600.0),
            mag: f64::from(catalog_number) + offset_arcsec,
            ..FullRow::default()
        };
        let rows = [row(0, 0.0), row(0, 1.5), row(2, 0.9), row(1, 0.5), row(1, -0.5), row(2, 9.0)];
        let columns = match_columns(&rows);
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names.len(), 2 * 21 + 1);
        assert_eq!((names[0], names[16], names[21]), ("source_number", "mag", "SOURCE_NUMBER"));
        assert_eq!((names[37], names[42]), ("MAG", "Sep"));
        // Frame 1 first; its two detections share a star, that of frame 2 has the other.
        let ColumnData::I32(frames) = &columns[22].data else { panic!("whole numbers") };
        assert_eq!(frames, &[1, 1, 2]);
        let ColumnData::F32(star_mags) = &columns[16].data else { panic!("real numbers") };
        assert!((star_mags[0] - star_mags[1]).abs() < 1e-6 && (star_mags[2] - 1.5).abs() < 1e-6);
        let ColumnData::F64(separations) = &columns[42].data else { panic!("real numbers") };
        for (found, expected) in separations.iter().zip([0.5, 0.5, 0.6]) {
            assert!((found - expected).abs() < 1e-6, "{found}");
        }
    }
}

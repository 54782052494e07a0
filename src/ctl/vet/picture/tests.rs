//! Pictures on a screen that is looked at cell by cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::fixture::cutouts;
use super::*;
use crate::pipeline::artifact::cutouts::Centring;

const LOOK: Look = Look { is_inverse: false, has_marks: true };

fn drawn(easel: &mut Easel, area: Rect) -> Buffer {
    let sequence = Sequence::new(&cutouts("A", 3), Centring::OnObject, true).expect("a sequence");
    let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 20));
    easel.draw((&sequence, 1), LOOK, area, &mut buffer);
    buffer
}

fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..area.height).map(row).collect()
}

#[test]
fn characters_show_a_point_in_the_middle_and_its_marks() {
    let mut easel = Easel::new(Kind::Shades, Dress::PLAIN, (8, 16), 1);
    let rows = rows(&drawn(&mut easel, Rect::new(0, 0, 40, 20)));
    let middle: String = rows[9..11].iter().flat_map(|row| row.chars().skip(17).take(5)).collect();
    assert!(middle.contains(['%', '@', '#']), "{rows:#?}");
    assert!(rows[7..9].iter().any(|row| row.contains('|')), "a mark above: {rows:#?}");
    assert!(rows.iter().all(|row| row.is_ascii()));
}

#[test]
fn half_blocks_have_two_greys_a_cell_and_stay_in_their_area() {
    let dress = Dress { depth: Depth::True, is_ascii: false };
    let mut easel = Easel::new(Kind::Blocks, dress, (8, 16), 1);
    let area = Rect::new(5, 2, 30, 10);
    assert_eq!(easel.size(area), Size::new(20, 10));
    let buffer = drawn(&mut easel, area);
    for y in 0..20 {
        for x in 0..40 {
            let is_inside = (5..25).contains(&x) && (2..12).contains(&y);
            assert_eq!(buffer[(x, y)].symbol() == "▀", is_inside, "({x}, {y})");
        }
    }
    let bright = |x, y| match buffer[(x, y)].fg {
        Color::Rgb(r, g, b) if r == g && g == b => r,
        other => panic!("{other:?}"),
    };
    assert!(bright(15, 7) > 150 && bright(6, 3) < 130);
}

#[test]
fn sixteen_colours_show_greys_between_by_dithering() {
    let dress = Dress { depth: Depth::Sixteen, is_ascii: false };
    let easel = Easel::new(Kind::Blocks, dress, (8, 16), 1);
    let of = |grey| -> std::collections::BTreeSet<String> {
        (0..16).map(|i| format!("{:?}", easel.colour(Dot::Grey(grey), i % 4, i / 4))).collect()
    };
    assert_eq!(of(0).len(), 1);
    assert_eq!(of(255).len(), 1);
    assert_eq!(of(64).len(), 2, "between black and the first grey");
}

#[test]
fn kitty_gets_each_picture_once_and_is_told_to_forget_them() {
    let dress = Dress { depth: Depth::True, is_ascii: false };
    let mut easel = Easel::new(Kind::Kitty, dress, (8, 16), 7);
    let area = Rect::new(0, 0, 20, 10);
    let first = drawn(&mut easel, area);
    assert!(first[(0, 0)].symbol().starts_with("\u{1b}_Gq=2,i="), "{:?}", first[(0, 0)]);
    let again = drawn(&mut easel, area);
    assert!(!again[(0, 0)].symbol().contains("i="), "sent again");
    assert_eq!(again[(0, 0)].fg, first[(0, 0)].fg, "the colour is the picture's name");
    assert_eq!(easel.farewell().matches("d=I,i=").count(), 2, "frames 0 and 1");
    easel.forget();
    assert!(drawn(&mut easel, area)[(0, 0)].symbol().contains("i="));
}

#[test]
fn sixels_fill_whole_cells() {
    let dress = Dress { depth: Depth::True, is_ascii: false };
    let mut easel = Easel::new(Kind::Sixel, dress, (9, 17), 7);
    let area = Rect::new(1, 1, 20, 10);
    // 20 columns of 9 px and 10 rows of 17 px: a square of 170 px, 19 columns by 10 rows.
    assert_eq!(easel.size(area), Size::new(19, 10));
    let buffer = drawn(&mut easel, area);
    let data = buffer[(1, 1)].symbol();
    assert!(data.contains("\u{1b}P") && data.contains("171;170"), "{}", data.len());
}

#[test]
fn no_room_is_no_picture() {
    let dress = Dress { depth: Depth::True, is_ascii: false };
    for kind in [Kind::Kitty, Kind::Sixel, Kind::Blocks, Kind::Shades] {
        let mut easel = Easel::new(kind, dress, (0, 0), 7);
        for area in [Rect::new(0, 0, 0, 5), Rect::new(0, 0, 1, 1), Rect::new(0, 0, 5, 0)] {
            drawn(&mut easel, area);
        }
    }
}

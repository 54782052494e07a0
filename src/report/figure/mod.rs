//! Charts of one size that people read and print: paper, axes, colours; as SVG and PNG.

mod drawing;

pub(super) use drawing::Drawing;
pub use drawing::Picture;

use super::raster::{Anchor, Colour, Pen};
use super::scale::Scale;

/// Width and height of a chart [px].
pub(super) const WIDTH: usize = 1000;
pub(super) const HEIGHT: usize = 460;
/// Edges of its plotting area [px].
pub(super) const LEFT: f64 = 118.0;
pub(super) const RIGHT: f64 = 972.0;
pub(super) const TOP: f64 = 56.0;
pub(super) const BOTTOM: f64 = 384.0;
/// Size of letters: units of the grid [px].
const TITLE_UNIT_PX: f64 = 2.7;
pub(super) const NUMBER_UNIT_PX: f64 = 2.4;
/// Ticks of an axis.
const TICKS_MAX: usize = 7;
/// How pale error bars are: share of paper in their colour.
const PALE: f64 = 0.6;

pub(super) const INK: Colour = [34, 38, 43];
const SOFT: Colour = [84, 92, 102];
const GRID: Colour = [222, 225, 229];
/// Lines through points, and what is refused.
pub(super) const LINE: Colour = [179, 54, 31];
/// Series in turn; told apart by most eyes.
pub(super) const SERIES: [Colour; 6] =
    [[47, 111, 181], [213, 132, 20], [0, 128, 96], [134, 84, 160], [90, 90, 90], [30, 160, 190]];

/// Title, grid, numbers and names of the axes.
pub(super) fn axes(
    title: &str,
    (x, x_name): (&Scale, &str),
    (y, y_name): (&Scale, &str),
) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    let pen = |unit_px: f64, colour: Colour| Pen { unit_px, colour };
    drawing.text(title, (LEFT, 24.0), Anchor::Start, pen(TITLE_UNIT_PX, INK));
    drawing.text(y_name, (LEFT, 47.0), Anchor::Start, pen(NUMBER_UNIT_PX, SOFT));
    let number = pen(NUMBER_UNIT_PX, INK);
    let (ticks, decimals) = y.ticks(TICKS_MAX);
    for tick in ticks {
        let place = y.place(tick);
        drawing.line((LEFT, place), (RIGHT, place), 1.0, GRID);
        let text = format!("{tick:.decimals$}");
        drawing.text(&text, (LEFT - 12.0, place + 7.0), Anchor::End, number);
    }
    let (ticks, decimals) = x.ticks(TICKS_MAX);
    for tick in ticks {
        let place = x.place(tick);
        drawing.line((place, TOP), (place, BOTTOM), 1.0, GRID);
        let text = format!("{tick:.decimals$}");
        drawing.text(&text, (place, BOTTOM + 26.0), Anchor::Middle, number);
    }
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), 1.5, INK);
    drawing.line((LEFT, TOP), (LEFT, BOTTOM), 1.5, INK);
    let middle = 0.5 * (LEFT + RIGHT);
    drawing.text(x_name, (middle, BOTTOM + 58.0), Anchor::Middle, pen(NUMBER_UNIT_PX, SOFT));
    drawing
}

/// A colour mixed with the paper's white.
pub(super) fn pale(ink: Colour) -> Colour {
    // Between two bytes.
    ink.map(|c| (f64::from(c) * (1.0 - PALE) + 255.0 * PALE).round() as u8)
}

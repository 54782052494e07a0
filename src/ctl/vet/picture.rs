//! A picture on the screen: by the terminal's own pictures, by half blocks, or by characters.

use image::{DynamicImage, RgbImage};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;
use ratatui_image::Image as ImageWidget;
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::kitty::Kitty;
use ratatui_image::protocol::sixel::Sixel;

use super::dress::{Depth, Dress};
use super::sequence::{Dot, FRAMES_MAX, Look, Sequence};

/// Largest side of a picture that is sent to the terminal [px].
const SIDE_MAX_PX: usize = 480;
/// Characters from dark to bright.
const SHADES: &[u8] = b" .:-=+*#%@";
/// Ranks of ordered dithering (Bayer 1973).
const BAYER: [[u32; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];
/// Greys of the sixteen colours.
const FEW_GREYS: [u8; 4] = [0, 85, 170, 255];

/// How pictures get on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The graphics protocol of kitty.
    Kitty,
    /// Sixel graphics.
    Sixel,
    /// Two dots per character cell, in colours.
    Blocks,
    /// A character per two dots.
    Shades,
}

/// Draws pictures; keeps those that are made for the terminal.
pub(super) struct Easel {
    /// How it draws.
    pub(super) kind: Kind,
    dress: Dress,
    /// Size of a character cell [px].
    cell_px: (u16, u16),
    /// Name of the first picture in the terminal's memory.
    first_id: u32,
    n_ids: u32,
    key: Option<(Look, Rect)>,
    made: Vec<Option<Protocol>>,
}

impl Easel {
    /// An easel for a terminal.
    ///
    /// * `cell_px`: width and height of a character cell [px].
    /// * `name`: tells this process's pictures from others' in the same terminal.
    pub(super) fn new(kind: Kind, dress: Dress, cell_px: (u16, u16), name: u32) -> Self {
        let first_id = 0x0053_0000 | ((name & 0xff) << 8);
        let cell_px = (cell_px.0.max(1), cell_px.1.max(1));
        Self { kind, dress, cell_px, first_id, n_ids: 0, key: None, made: Vec::new() }
    }

    /// Forgets what was made: another sequence follows.
    pub(super) fn forget(&mut self) {
        (self.key, self.made) = (None, Vec::new());
    }

    /// What takes this program's pictures out of the terminal's memory.
    pub(super) fn farewell(&self) -> String {
        let ids = self.first_id..self.first_id + self.n_ids;
        ids.map(|id| format!("\x1b_Ga=d,d=I,i={id},q=2\x1b\\")).collect()
    }

    /// Columns and rows that a picture takes in an area; it is a square in its upper left corner.
    pub(super) fn size(&self, area: Rect) -> Size {
        match self.kind {
            Kind::Blocks | Kind::Shades => {
                let rows = area.height.min(area.width / 2);
                Size::new(2 * rows, rows)
            }
            Kind::Kitty | Kind::Sixel => {
                let side = self.side_px(area) as u16;
                Size::new(side.div_ceil(self.cell_px.0), side.div_ceil(self.cell_px.1))
            }
        }
    }

    fn side_px(&self, area: Rect) -> usize {
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let (cell_x, cell_y) = (usize::from(self.cell_px.0), usize::from(self.cell_px.1));
        (width * cell_x).min(height * cell_y).min(SIDE_MAX_PX)
    }

    /// Draws a frame.
    pub(super) fn draw(
        &mut self,
        (sequence, index): (&Sequence, usize),
        look: Look,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let size = self.size(area);
        if size.width == 0 || size.height == 0 {
            return;
        }
        match self.kind {
            Kind::Blocks | Kind::Shades => {
                let n = usize::from(size.width);
                let dots = sequence.dots(index, n, look);
                for row in 0..size.height {
                    for column in 0..size.width {
                        let at = |y: usize| dots[y * n + usize::from(column)];
                        let top = 2 * usize::from(row);
                        let place = (area.x + column, area.y + row);
                        self.cell((at(top), at(top + 1)), place, (column, row), buffer);
                    }
                }
            }
            Kind::Kitty | Kind::Sixel => self.draw_made((sequence, index), look, area, buffer),
        }
    }

    /// Draws one character cell of two dots.
    fn cell(&self, dots: (Dot, Dot), at: (u16, u16), inside: (u16, u16), buffer: &mut Buffer) {
        let Some(cell) = buffer.cell_mut(at) else {
            return;
        };
        if self.kind == Kind::Shades {
            cell.set_char(shade(dots)).set_style(Style::new());
            return;
        }
        let (x, y) = (usize::from(inside.0), 2 * usize::from(inside.1));
        cell.set_char('▀').set_fg(self.colour(dots.0, x, y)).set_bg(self.colour(dots.1, x, y + 1));
    }

    fn colour(&self, dot: Dot, x: usize, y: usize) -> Color {
        match dot {
            Dot::Mark { is_detected } => self.dress.mark(is_detected),
            Dot::Grey(grey) if self.dress.depth == Depth::Sixteen => {
                // The share above the darker of two greys against a threshold of (rank + 1/2) / 16.
                let rank = BAYER[y % 4][x % 4];
                let level = (u32::from(grey) * 3 * 32 + (2 * rank + 1) * 255) / (255 * 32);
                self.dress.grey(FEW_GREYS[level.min(3) as usize])
            }
            Dot::Grey(grey) => self.dress.grey(grey),
        }
    }

    /// Draws a picture that the terminal shows by itself; each is made once.
    fn draw_made(
        &mut self,
        (sequence, index): (&Sequence, usize),
        look: Look,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        if self.key != Some((look, area)) {
            self.key = Some((look, area));
            self.made = (0..sequence.len().min(FRAMES_MAX)).map(|_| None).collect();
        }
        if self.made.get(index).is_some_and(Option::is_none) {
            let made = self.make(&sequence.dots(index, self.side_px(area), look), index, area);
            self.made[index] = made;
        }
        match self.made.get(index) {
            Some(Some(made)) => ImageWidget::new(made).render(area, buffer),
            _ => {
                let text = "This picture could not be made: --picture=blocks";
                buffer.set_stringn(area.x, area.y, text, usize::from(area.width), Style::new());
            }
        }
    }

    /// Encodes a picture, padded to whole character cells.
    fn make(&mut self, dots: &[Dot], index: usize, area: Rect) -> Option<Protocol> {
        let (size, side) = (self.size(area), self.side_px(area));
        let width = u32::from(size.width) * u32::from(self.cell_px.0);
        let height = u32::from(size.height) * u32::from(self.cell_px.1);
        let mut picture = RgbImage::new(width, height);
        let all = Dress { depth: Depth::True, is_ascii: false };
        for (y, row) in dots.chunks(side).enumerate() {
            for (x, dot) in row.iter().enumerate() {
                let colour = match dot {
                    Dot::Grey(grey) => all.grey(*grey),
                    Dot::Mark { is_detected } => all.mark(*is_detected),
                };
                if let Color::Rgb(r, g, b) = colour {
                    // Sides are at most SIDE_MAX_PX and a cell.
                    picture.put_pixel(x as u32, y as u32, image::Rgb([r, g, b]));
                }
            }
        }
        let picture = DynamicImage::ImageRgb8(picture);
        if self.kind == Kind::Sixel {
            return Sixel::new(picture, size, false).ok().map(Protocol::Sixel);
        }
        // The same few names again and again: the terminal's memory does not fill.
        let number = index as u32;
        self.n_ids = self.n_ids.max(number + 1);
        Kitty::new(picture, size, self.first_id + number, false, true).ok().map(Protocol::Kitty)
    }
}

/// The character of two dots, one above the other.
fn shade(dots: (Dot, Dot)) -> char {
    let grey = |dot| match dot {
        Dot::Grey(grey) => Some(usize::from(grey)),
        Dot::Mark { .. } => None,
    };
    match (grey(dots.0), grey(dots.1)) {
        (Some(upper), Some(lower)) => {
            // The square: the sky's grey must be a light character, or nothing stands out.
            let sum = upper + lower;
            char::from(SHADES[sum * sum * SHADES.len() / (511 * 511)])
        }
        (None, None) => '|',
        (None, Some(_)) => '\'',
        (Some(_), None) => '_',
    }
}

#[cfg(test)]
mod tests;

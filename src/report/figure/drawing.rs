//! A drawing that becomes SVG or PNG: lines, dots and texts in the order they are put.

use std::fmt::Write as _;

use crate::report::ReportError;
use crate::report::raster::{Anchor, Colour, Pen, Raster};

/// Height of SVG letters per grid unit of the drawn ones.
const FONT_PER_UNIT: f64 = 8.6;

const PAPER: Colour = [255, 255, 255];

/// A chart's two files.
#[derive(Debug, Clone)]
pub struct Picture {
    /// What it shows, as part of a file's name.
    pub name: &'static str,
    /// As SVG.
    pub svg: String,
    /// As PNG.
    pub png: Vec<u8>,
}

enum Mark {
    Line { from: (f64, f64), to: (f64, f64), width_px: f64, ink: Colour },
    Dot { centre: (f64, f64), radius_px: f64, ink: Colour },
    Text { text: String, place: (f64, f64), anchor: Anchor, pen: Pen },
}

impl Mark {
    /// The same mark elsewhere.
    fn moved(self, (dx, dy): (f64, f64)) -> Self {
        let to = |(x, y): (f64, f64)| (x + dx, y + dy);
        match self {
            Self::Line { from, to: end, width_px, ink } => {
                Self::Line { from: to(from), to: to(end), width_px, ink }
            }
            Self::Dot { centre, radius_px, ink } => {
                Self::Dot { centre: to(centre), radius_px, ink }
            }
            Self::Text { text, place, anchor, pen } => {
                Self::Text { text, place: to(place), anchor, pen }
            }
        }
    }
}

/// Marks on a paper; places are [px] from the upper left corner.
pub(in crate::report) struct Drawing {
    width: usize,
    height: usize,
    marks: Vec<Mark>,
}

impl Drawing {
    pub(in crate::report) fn new(width: usize, height: usize) -> Self {
        Self { width, height, marks: Vec::new() }
    }

    /// Drawings of one size as one, so many in a row.
    pub(in crate::report) fn tiled(parts: Vec<Self>, columns: usize) -> Self {
        let columns = columns.max(1);
        let (width, height) = parts.first().map_or((1, 1), |part| (part.width, part.height));
        let mut whole = Self::new(width * columns, height * parts.len().div_ceil(columns).max(1));
        for (i, part) in parts.into_iter().enumerate() {
            let off = ((i % columns * width) as f64, (i / columns * height) as f64);
            whole.marks.extend(part.marks.into_iter().map(|mark| mark.moved(off)));
        }
        whole
    }

    pub(in crate::report) fn line(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        width_px: f64,
        ink: Colour,
    ) {
        self.marks.push(Mark::Line { from, to, width_px, ink });
    }

    pub(in crate::report) fn dot(&mut self, centre: (f64, f64), radius_px: f64, ink: Colour) {
        self.marks.push(Mark::Dot { centre, radius_px, ink });
    }

    pub(in crate::report) fn text(
        &mut self,
        text: &str,
        place: (f64, f64),
        anchor: Anchor,
        pen: Pen,
    ) {
        self.marks.push(Mark::Text { text: text.to_owned(), place, anchor, pen });
    }

    /// The drawing's files under a name.
    pub(in crate::report) fn picture(&self, name: &'static str) -> Result<Picture, ReportError> {
        Ok(Picture { name, svg: self.svg(), png: self.png()? })
    }

    /// The drawing as an SVG file.
    fn svg(&self) -> String {
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\">\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        );
        for mark in &self.marks {
            let put = match mark {
                Mark::Line { from, to, width_px, ink } => writeln!(
                    svg,
                    "<path d=\"M{:.2} {:.2}L{:.2} {:.2}\" stroke=\"{}\" \
                     stroke-width=\"{width_px}\" stroke-linecap=\"round\"/>",
                    from.0,
                    from.1,
                    to.0,
                    to.1,
                    hex(*ink)
                ),
                Mark::Dot { centre, radius_px, ink } => writeln!(
                    svg,
                    "<circle cx=\"{:.2}\" cy=\"{:.2}\" r=\"{radius_px}\" fill=\"{}\"/>",
                    centre.0,
                    centre.1,
                    hex(*ink)
                ),
                Mark::Text { text, place, anchor, pen } => writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{:.1}\" text-anchor=\"{}\" \
                     fill=\"{}\">{}</text>",
                    place.0,
                    place.1,
                    FONT_PER_UNIT * pen.unit_px,
                    match anchor {
                        Anchor::Start => "start",
                        Anchor::Middle => "middle",
                        Anchor::End => "end",
                    },
                    hex(pen.colour),
                    escaped(text)
                ),
            };
            put.expect("a String takes any text");
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// The drawing as a PNG file.
    fn png(&self) -> Result<Vec<u8>, ReportError> {
        let mut raster = Raster::new(self.width, self.height, PAPER);
        for mark in &self.marks {
            match mark {
                Mark::Line { from, to, width_px, ink } => raster.line(*from, *to, *width_px, *ink),
                Mark::Dot { centre, radius_px, ink } => raster.disc(*centre, *radius_px, *ink),
                Mark::Text { text, place, anchor, pen } => {
                    raster.text(text, *place, *anchor, *pen);
                }
            }
        }
        raster.into_png()
    }
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text that may stand in XML.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            c if c.is_control() => String::new(),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_out_and_names_do_no_harm() {
        let mut drawing = Drawing::new(40, 30);
        drawing.line((1.0, 2.0), (30.0, 2.0), 2.0, [0, 0, 0]);
        drawing.dot((9.0, 9.0), 3.0, [255, 0, 0]);
        let pen = Pen { unit_px: 1.0, colour: [1, 2, 3] };
        drawing.text("<b>&\u{7}", (1.0, 20.0), Anchor::Start, pen);
        let svg = drawing.svg();
        assert!(svg.contains("&lt;b&gt;&amp;</text>") && svg.contains("#010203"), "{svg}");
        assert_eq!((svg.matches("<circle").count(), svg.matches("<path").count()), (1, 1));
        assert!(drawing.png().expect("a picture").starts_with(b"\x89PNG"));
    }

    #[test]
    fn drawings_stand_side_by_side() {
        let dot = || {
            let mut drawing = Drawing::new(40, 30);
            drawing.dot((9.0, 8.0), 3.0, [255, 0, 0]);
            drawing
        };
        let svg = Drawing::tiled(vec![dot(), dot(), dot()], 2).svg();
        assert!(svg.contains("width=\"80\" height=\"60\""), "{svg}");
        for place in ["cx=\"9.00\" cy=\"8.00\"", "cx=\"49.00\" cy=\"8.00\""] {
            assert!(svg.contains(place), "{svg}");
        }
        assert!(svg.contains("cx=\"9.00\" cy=\"38.00\""), "{svg}");
    }
}

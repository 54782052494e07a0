//! What people read of a period: a text, numbers for programs, and three charts.
//!
//! `facts` puts an analysis into numbers with units, `text` into words, `charts` draws the
//! periodogram, the folded curve and its residuals on a `drawing`, which writes SVG and PNG.

mod charts;
mod drawing;
mod facts;
mod text;

pub use charts::{PeriodPictures, draw};
pub use facts::{PeriodFacts, RivalFacts, SineFacts, facts};
pub use text::{period_file, period_text};

//! What people read of a period: a text, numbers for programs, and three charts.
//!
//! `facts` puts an analysis into numbers with units, `text` into words, `charts` draws the
//! periodogram, the folded curve and its residuals (`crate::report::figure`).

mod charts;
mod facts;
mod text;

pub use charts::draw;
pub use facts::{PeriodFacts, RivalFacts, SineFacts, facts};
pub use text::{period_file, period_text};

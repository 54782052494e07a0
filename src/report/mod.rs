//! What people read of a night: page, mail, text, tables, pictures. Pure rendering, no sending.
//!
//! Everything is a function of a [`NightReport`] and of pixels handed in: the same night gives
//! the same bytes, so nothing here asks for the time. `verdict` counts, `words` puts numbers into
//! words, `stretch`, `blink` and `strip` make pictures of cut-outs, `plot` makes charts,
//! `known` and `map` those of known objects and fields,
//! `conditions` one as a picture (`raster`, `strokes`); `html`, `text` and `table` put them
//! together. `mail` makes a message of a night, `digest` of several, `alert` of a trouble.

pub mod alert;
pub mod blink;
mod canvas;
pub mod checkplots;
pub mod conditions;
pub mod digest;
pub mod figure;
mod glyphs;
pub mod html;
pub mod known;
pub mod light_curve;
pub mod mail;
pub mod map;
mod page;
pub mod period;
pub mod photometry_charts;
mod picture;
pub mod plot;
pub mod quicklook;
mod raster;
pub mod ratings;
mod scale;
pub mod stretch;
pub mod strip;
mod strokes;
pub mod table;
pub mod text;
pub mod verdict;
pub mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use blink::{blink_apng, blink_gif};
pub use html::{CandidatePictures, render_html};
pub use known::{known_csv, known_rates_svg, known_residuals_svg};
pub use map::{field_maps_svg, standalone_svg};
pub use picture::{stamp_png16, stamp_range};
pub use ratings::{candidates_csv, rating_cells, rating_columns};
pub use stretch::Stretch;
pub use strip::strip_png;
pub use table::{csv_text, detections_csv, frames_csv, not_solved_csv, outliers_csv, removed_csv};

use crate::pipeline::artifact::report::NightReport;

/// A report that could not be rendered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The page's or the mail's template failed.
    #[error("The report of night {night} could not be put into its template.")]
    Template {
        /// The night.
        night: String,
        /// What the template said.
        source: askama::Error,
    },
    /// The blinking picture could not be encoded.
    #[error("A blinking picture could not be encoded.")]
    Gif {
        /// What the encoder said.
        source: gif::EncodingError,
    },
    /// The PNG could not be encoded.
    #[error("A picture could not be encoded as PNG.")]
    Png {
        /// What the encoder said.
        source: png::EncodingError,
    },
    /// There was no frame to make a picture of.
    #[error("There is no cut-out with pixels: the static sky needs at least four frames.")]
    NoStamps,
    /// A mail address is not one.
    #[error("{address:?} is no mail address: write it as name@host or Name <name@host>.")]
    Address {
        /// The refused text.
        address: String,
        /// What is wrong with it.
        source: lettre::address::AddressError,
    },
    /// No address to send to.
    #[error("The mail {subject:?} has no address to go to: name one as mail.to.")]
    NoRecipient {
        /// Its subject.
        subject: String,
    },
    /// The mail could not be put together.
    #[error("The mail {subject:?} could not be put together.")]
    Mail {
        /// Its subject.
        subject: String,
        /// What the mail library said.
        source: lettre::error::Error,
    },
}

impl ReportError {
    /// The error of a template, for `map_err`.
    fn template(report: &NightReport) -> impl FnOnce(askama::Error) -> Self {
        let night = report.night.clone();
        move |source| Self::Template { night, source }
    }
}

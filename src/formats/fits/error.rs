//! What can go wrong while reading or writing FITS, with the numbers that explain it.

use std::io;
use std::path::PathBuf;

/// Failure of one FITS operation. Sizes are in bytes, `n` of pixels are counts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitsError {
    /// The file could not be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The path is a directory, a pipe or a device.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The system failed to deliver bytes.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The system failed to take bytes.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The gzip stream is damaged.
    #[error("the gzip stream is damaged")]
    Gzip {
        /// What the decoder said.
        source: io::Error,
    },
    /// The file has no bytes at all.
    #[error("the file is empty")]
    Empty,
    /// The file is larger than the limit.
    #[error("the file has {found_bytes} bytes, more than the {allowed_bytes} allowed")]
    FileTooLarge {
        /// Size on disk.
        found_bytes: u64,
        /// Limit.
        allowed_bytes: u64,
    },
    /// The file does not begin like a FITS file.
    #[error("this is not a FITS file")]
    NotFits,
    /// The file ends inside a header.
    #[error("the file ends after {found_bytes} bytes, inside a header")]
    NoEnd {
        /// Bytes read until then.
        found_bytes: u64,
    },
    /// A header has more cards than the limit.
    #[error("a header has more than the {allowed_cards} cards allowed")]
    HeaderTooLong {
        /// Limit.
        allowed_cards: usize,
    },
    /// No image within the allowed number of HDUs.
    #[error("no image in the first {allowed_hdus} HDUs")]
    TooManyHdus {
        /// Limit.
        allowed_hdus: usize,
    },
    /// The file ends before the data its header announces.
    #[error("the header announces {expected_bytes} bytes, the file has {found_bytes}")]
    Truncated {
        /// Bytes up to the end of the announced data.
        expected_bytes: u64,
        /// Bytes there are.
        found_bytes: u64,
    },
    /// A structural keyword is missing or has an impossible value.
    #[error("keyword {key} is missing or impossible")]
    BadKeyword {
        /// The keyword; `n` stands for an index.
        key: &'static str,
    },
    /// The image has more pixels than the limit.
    #[error("the image has {nx} x {ny} pixels, more than the {allowed} allowed")]
    TooManyPixels {
        /// Columns.
        nx: u64,
        /// Rows.
        ny: u64,
        /// Limit.
        allowed: u64,
    },
    /// The file claims to hold improbably much in few bytes.
    #[error(
        "{expanded_bytes} bytes out of {stored_bytes} exceed the ratio {allowed_ratio} allowed"
    )]
    RatioTooHigh {
        /// Size after decompression.
        expanded_bytes: u64,
        /// Size as stored.
        stored_bytes: u64,
        /// Limit.
        allowed_ratio: f64,
    },
    /// No HDU holds a two-dimensional image.
    #[error("none of the {hdus} HDUs holds a two-dimensional image")]
    NoImage {
        /// HDUs looked at.
        hdus: usize,
    },
    /// No HDU holds a binary table.
    #[error("none of the {hdus} HDUs holds a binary table")]
    NoTable {
        /// HDUs looked at.
        hdus: usize,
    },
    /// The tile compression is not one that we let in.
    #[error("tile compression {algorithm} is not read")]
    CompressionRefused {
        /// Value of `ZCMPTYPE`.
        algorithm: String,
    },
    /// The header of a tile-compressed image contradicts itself.
    #[error("the tile-compressed image contradicts itself in {key}")]
    TileTable {
        /// The keyword at fault; `n` stands for an index.
        key: &'static str,
    },
    /// The data of one tile are damaged.
    #[error("the data of tile {tile} are damaged")]
    TileData {
        /// Table row, 0-based.
        tile: usize,
    },
    /// cfitsio refused the (already checked) compressed image.
    #[error("cfitsio ended with status {status}")]
    Cfitsio {
        /// Its status code.
        status: i32,
    },
    /// The file is another one than at the time of the probe.
    #[error("the file changed between probe and reading")]
    Changed,
    /// Columns of one table differ in length.
    #[error("column {column} has {found_rows} rows, the first one {expected_rows}")]
    ColumnLength {
        /// Index of the column, 0-based.
        column: usize,
        /// Rows of the first column.
        expected_rows: usize,
        /// Rows of this column.
        found_rows: usize,
    },
    /// A column is not a scalar of a type that we read.
    #[error("column {column} has a form that is not read")]
    ColumnForm {
        /// Index of the column, 0-based.
        column: usize,
    },
}

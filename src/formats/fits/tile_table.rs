//! The binary table that holds a tile-compressed image, checked in every number.
//!
//! Source: FITS standard 4.0, section 10. Refused: `HCOMPRESS_1` and `PLIO_1`, whose decoders in
//! cfitsio trust their input, null-pixel masks and tables with columns of other purpose.

use super::error::FitsError;
use super::hdu::{self, Hdu};
use super::header::{Card, Header};
use super::pixels::Scale;
use super::rice::Width;

/// Most columns of such a table.
const COLUMNS_MAX: i64 = 8;
/// Largest block of a Rice stream [px].
const RICE_BLOCK_MAX: i64 = 4096;
/// Seeds of the dithering run from 1 to this.
const DITHER_SEED_MAX: i64 = 10_000;

/// How tiles are compressed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Codec {
    /// `RICE_1`.
    Rice {
        /// Width of its numbers.
        width: Width,
        /// Pixels per block.
        block_px: usize,
    },
    /// `GZIP_1`: big-endian numbers, gzipped.
    Gzip,
    /// `GZIP_2`: first bytes of all numbers first, then the second ones, gzipped.
    GzipShuffled,
}

/// Purpose of a column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Compressed tiles.
    Compressed,
    /// Tiles gzipped without loss, where the compression failed.
    Gzipped,
    /// Tiles as they are.
    Plain,
    /// Scale, zero or blank of a quantised tile.
    Quantum,
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TileColumn {
    /// Its name, one of the standard's.
    pub(super) name: &'static str,
    /// What it is for.
    pub(super) purpose: Purpose,
    /// `P`, `Q` (descriptors of 2 x 4 or 2 x 8 bytes), or the type of a number.
    pub(super) kind: u8,
    /// Type of the elements behind a descriptor.
    pub(super) element: u8,
    /// Place in the row [bytes].
    pub(super) at: usize,
}

/// Layout of a tile-compressed image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TileTable {
    /// Columns and rows of the image [px].
    pub(super) size: (usize, usize),
    /// Columns and rows of a tile [px].
    pub(super) tile: (usize, usize),
    /// Type of the pixels.
    pub(super) bitpix: i32,
    /// Compression.
    pub(super) codec: Codec,
    /// From numbers to values.
    pub(super) scale: Scale,
    /// Size of a table row [bytes].
    pub(super) row_bytes: usize,
    /// Rows of the table, one for each tile.
    pub(super) rows: usize,
    /// Start of the heap within the data [bytes].
    pub(super) heap_start: usize,
    /// Size of rows and heap [bytes].
    pub(super) data_bytes: u64,
    /// Columns in order.
    pub(super) columns: Vec<TileColumn>,
    /// Cards of the quantisation; `None` for images compressed without it.
    pub(super) quantum: Option<Vec<Card>>,
}

impl TileTable {
    /// Checks the header of a compressed image of `size` [px] with `axes` axes.
    pub(super) fn of(
        hdu: &Hdu,
        size: (usize, usize),
        axes: usize,
        bitpix: i32,
    ) -> Result<Self, FitsError> {
        let header = &hdu.header;
        let (row_bytes, rows, heap_start) = table_layout(hdu)?;
        let tile = tile_size(header, size, axes)?;
        let tiles = size.0.div_ceil(tile.0).checked_mul(size.1.div_ceil(tile.1));
        if tiles != Some(rows) {
            return Err(FitsError::TileTable { key: "ZTILEn" });
        }
        let codec = codec(header, bitpix)?;
        let columns = columns(header, row_bytes)?;
        let is_quantised = is_quantised(header, &columns)?;
        let is_float = bitpix < 0;
        let is_rice = matches!(codec, Codec::Rice { .. });
        if (is_quantised && !is_float) || (is_float && is_rice && !is_quantised) {
            return Err(FitsError::TileTable { key: "ZSCALE" });
        }
        let quantum = is_quantised.then(|| quantum_cards(header)).transpose()?;
        let mut scale = Scale::of(header, bitpix)?;
        if !is_float && scale.blank.is_none() {
            scale.blank = header.integer("ZBLANK");
        }
        let data_bytes = hdu.data_bytes;
        let table = Self {
            size,
            tile,
            bitpix,
            codec,
            scale,
            row_bytes,
            rows,
            heap_start,
            data_bytes,
            columns,
            quantum,
        };
        Ok(table)
    }

    /// Place and size of a tile [px]: x, y, columns, rows.
    pub(super) fn place(&self, tile: usize) -> (usize, usize, usize, usize) {
        let across = self.size.0.div_ceil(self.tile.0);
        let (x, y) = ((tile % across) * self.tile.0, (tile / across) * self.tile.1);
        (x, y, self.tile.0.min(self.size.0 - x), self.tile.1.min(self.size.1 - y))
    }

    /// The column of a purpose.
    pub(super) fn column(&self, purpose: Purpose) -> Option<&TileColumn> {
        self.columns.iter().find(|column| column.purpose == purpose)
    }
}

/// Bytes of a row, rows, start of the heap.
fn table_layout(hdu: &Hdu) -> Result<(usize, usize, usize), FitsError> {
    let header = &hdu.header;
    let natural = |key: &'static str, number: i64| {
        usize::try_from(number).map_err(|_| FitsError::TileTable { key })
    };
    let axes = hdu::axes(header, "NAXIS")?;
    let &[row_bytes, rows] = axes.as_slice() else {
        return Err(FitsError::TileTable { key: "NAXIS" });
    };
    if hdu::required(header, "BITPIX")? != 8 || hdu::optional(header, "GCOUNT", 1)? != 1 {
        return Err(FitsError::TileTable { key: "BITPIX" });
    }
    // `data_bytes` is their sum and fits i64, so the product does.
    let rows_bytes = (row_bytes * rows) as i64;
    let heap_start = hdu::optional(header, "THEAP", rows_bytes)?;
    if heap_start < rows_bytes || heap_start > hdu.data_bytes as i64 {
        return Err(FitsError::TileTable { key: "THEAP" });
    }
    let row_bytes = natural("NAXIS1", row_bytes as i64)?;
    Ok((row_bytes, natural("NAXIS2", rows as i64)?, natural("THEAP", heap_start)?))
}

/// Columns and rows of a tile; the whole row where the header is silent.
fn tile_size(
    header: &Header,
    size: (usize, usize),
    axes: usize,
) -> Result<(usize, usize), FitsError> {
    let bad = || FitsError::TileTable { key: "ZTILEn" };
    let length = |axis: usize, or: usize, most: usize| {
        let key = format!("ZTILE{axis}");
        let found = if header.contains(&key) { header.integer(&key) } else { Some(or as i64) };
        let length = found.and_then(|length| usize::try_from(length).ok());
        length.filter(|length| (1..=most).contains(length)).ok_or_else(bad)
    };
    for axis in 3..=axes {
        length(axis, 1, 1)?;
    }
    Ok((length(1, size.0, size.0)?, length(2, 1, size.1)?))
}

/// The columns, whose widths must add up to the row.
fn columns(header: &Header, row_bytes: usize) -> Result<Vec<TileColumn>, FitsError> {
    let count = hdu::required(header, "TFIELDS")?;
    if !(1..=COLUMNS_MAX).contains(&count) {
        return Err(FitsError::TileTable { key: "TFIELDS" });
    }
    let mut columns: Vec<TileColumn> = Vec::new();
    let mut at = 0;
    for index in 1..=count {
        let name = header.text(&format!("TTYPE{index}")).unwrap_or_default();
        let (name, purpose) =
            purpose_of(name.trim()).ok_or(FitsError::TileTable { key: "TTYPEn" })?;
        let form = header.text(&format!("TFORM{index}")).unwrap_or_default();
        let (kind, element, bytes) =
            form_of(form.trim(), purpose).ok_or(FitsError::TileTable { key: "TFORMn" })?;
        if columns.iter().any(|column| column.name == name) {
            return Err(FitsError::TileTable { key: "TTYPEn" });
        }
        columns.push(TileColumn { name, purpose, kind, element, at });
        at += bytes;
    }
    let has_tiles = columns.iter().any(|column| column.purpose == Purpose::Compressed);
    if at != row_bytes || !has_tiles {
        return Err(FitsError::TileTable { key: "NAXIS1" });
    }
    Ok(columns)
}

/// The standard's name and the purpose of a column.
fn purpose_of(name: &str) -> Option<(&'static str, Purpose)> {
    const KNOWN: [(&str, Purpose); 6] = [
        ("COMPRESSED_DATA", Purpose::Compressed),
        ("GZIP_COMPRESSED_DATA", Purpose::Gzipped),
        ("UNCOMPRESSED_DATA", Purpose::Plain),
        ("ZSCALE", Purpose::Quantum),
        ("ZZERO", Purpose::Quantum),
        ("ZBLANK", Purpose::Quantum),
    ];
    KNOWN.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// Kind, element type and bytes in the row of a `TFORM` such as `1PB(618)` or `1D`.
fn form_of(form: &str, purpose: Purpose) -> Option<(u8, u8, usize)> {
    let form = form.strip_prefix('1').unwrap_or(form).as_bytes();
    let (&kind, rest) = form.split_first()?;
    if purpose == Purpose::Quantum {
        let bytes = match kind {
            b'J' | b'E' => 4,
            b'D' => 8,
            _ => return None,
        };
        return rest.is_empty().then_some((kind, kind, bytes));
    }
    let bytes = match kind {
        b'P' => 8,
        b'Q' => 16,
        _ => return None,
    };
    let (&element, most) = rest.split_first()?;
    let allowed: &[u8] = if purpose == Purpose::Plain { b"BIJED" } else { b"B" };
    let is_count = |byte: &u8| byte.is_ascii_digit() || b"()".contains(byte);
    (allowed.contains(&element) && most.iter().all(is_count)).then_some((kind, element, bytes))
}

/// The compression and its parameters.
fn codec(header: &Header, bitpix: i32) -> Result<Codec, FitsError> {
    let algorithm = header.text("ZCMPTYPE").unwrap_or_default();
    match algorithm {
        "RICE_1" | "RICE_ONE" => {}
        "GZIP_1" => return Ok(Codec::Gzip),
        "GZIP_2" => return Ok(Codec::GzipShuffled),
        other => {
            return Err(FitsError::CompressionRefused { algorithm: other.to_owned() });
        }
    }
    let bytes = parameter(header, "BYTEPIX", 4)?;
    let block = parameter(header, "BLOCKSIZE", 32)?;
    let bad = FitsError::TileTable { key: "ZVALn" };
    // Numbers as wide as the pixels, or the default of four bytes.
    let is_fitting = bytes == 4 || matches!((bytes, bitpix), (1, 8) | (2, 16));
    match (Width::from_bytes(bytes), usize::try_from(block)) {
        (Some(width), Ok(block_px)) if is_fitting && (1..=RICE_BLOCK_MAX).contains(&block) => {
            Ok(Codec::Rice { width, block_px })
        }
        _ => Err(bad),
    }
}

/// A parameter of the compression, by name.
fn parameter(header: &Header, name: &str, or: i64) -> Result<i64, FitsError> {
    for index in 1..=9 {
        if header.text(&format!("ZNAME{index}")).map(str::trim) == Some(name) {
            let value = header.integer(&format!("ZVAL{index}"));
            return value.ok_or(FitsError::TileTable { key: "ZVALn" });
        }
    }
    Ok(or)
}

/// Tells whether tiles hold whole numbers that stand for floats.
///
/// cfitsio takes the scale from columns only and, where there are none, the numbers for floats:
/// a scale given by keywords alone is refused here rather than misread there.
fn is_quantised(header: &Header, columns: &[TileColumn]) -> Result<bool, FitsError> {
    let has = |name| columns.iter().any(|column| column.name == name);
    let is_whole = has("ZSCALE") == has("ZZERO");
    if !is_whole || header.contains("ZSCALE") || header.contains("ZZERO") {
        return Err(FitsError::TileTable { key: "ZSCALE" });
    }
    Ok(has("ZSCALE") && header.text("ZQUANTIZ") != Some("NONE"))
}

/// Checked cards that tell how numbers of tiles become real values.
fn quantum_cards(header: &Header) -> Result<Vec<Card>, FitsError> {
    const METHODS: [&str; 3] = ["NO_DITHER", "SUBTRACTIVE_DITHER_1", "SUBTRACTIVE_DITHER_2"];
    let mut clean = Header::new();
    if let Some(method) = header.text("ZQUANTIZ") {
        if !METHODS.contains(&method) {
            return Err(FitsError::TileTable { key: "ZQUANTIZ" });
        }
        clean.set("ZQUANTIZ", method, "");
    }
    let seed = hdu::optional(header, "ZDITHER0", 1)?;
    if !(1..=DITHER_SEED_MAX).contains(&seed) {
        return Err(FitsError::TileTable { key: "ZDITHER0" });
    }
    clean.set("ZDITHER0", seed, "");
    if header.contains("ZBLANK") {
        let blank = header.integer("ZBLANK").filter(|&blank| i32::try_from(blank).is_ok());
        clean.set("ZBLANK", blank.ok_or(FitsError::TileTable { key: "ZBLANK" })?, "");
    }
    Ok(clean.cards().to_vec())
}

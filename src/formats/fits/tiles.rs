//! Pixels of tile-compressed images.
//!
//! Whole numbers (Rice, gzip) and floats gzipped without loss are decoded here. Quantised floats
//! (rare for raw frames) go to cfitsio, after each of their streams was found to be sound.

use std::io::Read;

use flate2::read::GzDecoder;

use super::cfitsio;
use super::error::FitsError;
use super::pixels::{self, pixel_bytes};
use super::rice;
use super::tile_table::{Codec, Purpose, TileColumn, TileTable};

/// Widest pixel [bytes].
const PIXEL_BYTES_MAX: usize = 8;

/// Decodes all tiles; `data` are the rows and the heap of the table, `out` the whole image.
pub(super) fn read(table: &TileTable, data: &[u8], out: &mut [f32]) -> Result<(), FitsError> {
    if table.quantum.is_some() {
        check_quantised(table, data)?;
        return cfitsio::read_quantised(table, data, out);
    }
    let column = table.column(Purpose::Compressed).ok_or(FitsError::TileTable { key: "TTYPEn" })?;
    let mut buffers = Buffers::default();
    let nx = table.size.0;
    for tile in 0..table.rows {
        let damaged = FitsError::TileData { tile };
        let (x, y, columns, rows) = table.place(tile);
        let stream = stream(table, data, column, tile).ok_or(FitsError::TileData { tile })?;
        if columns == nx {
            let part = &mut out[y * nx..(y + rows) * nx];
            decode(table, stream, &mut buffers, part).ok_or(damaged)?;
            continue;
        }
        let mut part = vec![0.0; columns * rows];
        decode(table, stream, &mut buffers, &mut part).ok_or(damaged)?;
        for (row, line) in part.chunks_exact(columns).enumerate() {
            let start = (y + row) * nx + x;
            out[start..start + columns].copy_from_slice(line);
        }
    }
    Ok(())
}

/// Memory used for tile after tile.
#[derive(Default)]
struct Buffers {
    whole: Vec<i32>,
    bytes: Vec<u8>,
    sorted: Vec<u8>,
}

/// Bytes behind a tile's descriptor; `None` where they lie outside the heap.
pub(super) fn stream<'a>(
    table: &TileTable,
    data: &'a [u8],
    column: &TileColumn,
    tile: usize,
) -> Option<&'a [u8]> {
    let descriptor = data.get(tile * table.row_bytes + column.at..)?;
    let (count, place) = if column.kind == b'Q' {
        let (count, rest) = descriptor.split_first_chunk::<8>()?;
        (u64::from_be_bytes(*count), u64::from_be_bytes(*rest.first_chunk::<8>()?))
    } else {
        let (count, rest) = descriptor.split_first_chunk::<4>()?;
        let place = u32::from_be_bytes(*rest.first_chunk::<4>()?);
        (u32::from_be_bytes(*count).into(), place.into())
    };
    let bytes = usize::try_from(count).ok()?.checked_mul(element_bytes(column.element))?;
    let start = table.heap_start.checked_add(usize::try_from(place).ok()?)?;
    if bytes == 0 {
        return Some(&[]);
    }
    data.get(start..start.checked_add(bytes)?)
}

/// Bytes of an element behind a descriptor.
fn element_bytes(element: u8) -> usize {
    match element {
        b'I' => 2,
        b'J' | b'E' => 4,
        b'D' => 8,
        _ => 1,
    }
}

/// Decodes one tile without quantisation.
fn decode(table: &TileTable, stream: &[u8], buffers: &mut Buffers, out: &mut [f32]) -> Option<()> {
    if let Codec::Rice { width, block_px } = table.codec {
        buffers.whole.resize(out.len(), 0);
        rice::decode(stream, width, block_px, &mut buffers.whole)?;
        for (value, &whole) in out.iter_mut().zip(&buffers.whole) {
            *value = table.scale.whole(whole.into());
        }
        return Some(());
    }
    let bitpix = inflate(table, stream, out.len(), &mut buffers.bytes)?;
    if table.codec == Codec::GzipShuffled {
        unshuffle(&buffers.bytes, out.len(), &mut buffers.sorted);
        std::mem::swap(&mut buffers.bytes, &mut buffers.sorted);
    }
    pixels::decode(&buffers.bytes, bitpix, &table.scale, out);
    Some(())
}

/// Gunzips exactly `count` numbers; their type: the image's, or 32 bits for whole numbers.
fn inflate(table: &TileTable, stream: &[u8], count: usize, bytes: &mut Vec<u8>) -> Option<i32> {
    bytes.clear();
    let most = (count * PIXEL_BYTES_MAX + 1) as u64;
    GzDecoder::new(stream).take(most).read_to_end(bytes).ok()?;
    let unit = usize::try_from(pixel_bytes(table.bitpix.into())?).ok()?;
    if bytes.len() == count * unit {
        return Some(table.bitpix);
    }
    (bytes.len() == count * 4 && table.bitpix > 0).then_some(32)
}

/// Brings the bytes of each number together again.
fn unshuffle(bytes: &[u8], count: usize, sorted: &mut Vec<u8>) {
    let unit = bytes.len() / count;
    sorted.clear();
    sorted.resize(bytes.len(), 0);
    for (plane, values) in bytes.chunks_exact(count).enumerate() {
        for (slot, &byte) in sorted.iter_mut().skip(plane).step_by(unit).zip(values) {
            *slot = byte;
        }
    }
}

/// Decodes every stream of a quantised image for nothing but the proof that it is sound.
fn check_quantised(table: &TileTable, data: &[u8]) -> Result<(), FitsError> {
    let mut buffers = Buffers::default();
    for tile in 0..table.rows {
        let (_, _, columns, rows) = table.place(tile);
        check_tile(table, data, tile, columns * rows, &mut buffers)
            .ok_or(FitsError::TileData { tile })?;
    }
    Ok(())
}

/// Checks the one stream that a tile must have.
fn check_tile(
    table: &TileTable,
    data: &[u8],
    tile: usize,
    count: usize,
    buffers: &mut Buffers,
) -> Option<()> {
    let mut found = 0;
    for column in table.columns.iter().filter(|column| column.purpose != Purpose::Quantum) {
        let bytes = stream(table, data, column, tile)?;
        if bytes.is_empty() {
            continue;
        }
        found += 1;
        match (column.purpose, table.codec) {
            (Purpose::Plain, _) if bytes.len() == count * element_bytes(column.element) => {}
            (Purpose::Plain, _) => return None,
            (Purpose::Compressed, Codec::Rice { width, block_px }) => {
                buffers.whole.resize(count, 0);
                rice::decode(bytes, width, block_px, &mut buffers.whole)?;
            }
            // Quantised numbers have four bytes; floats kept as they are have their own size.
            (Purpose::Compressed, _) => {
                buffers.bytes.clear();
                let most = (count * PIXEL_BYTES_MAX + 1) as u64;
                GzDecoder::new(bytes).take(most).read_to_end(&mut buffers.bytes).ok()?;
                (buffers.bytes.len() == count * 4).then_some(())?;
            }
            _ => {
                inflate(table, bytes, count, &mut buffers.bytes)?;
            }
        }
    }
    (found == 1).then_some(())
}

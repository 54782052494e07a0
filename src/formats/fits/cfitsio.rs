//! The one door to cfitsio: quantised floats, whose dithering it knows.
//!
//! cfitsio never sees the file, its name or its header. It gets a small FITS file in memory
//! with a header written by us from checked numbers, and streams already found to be sound. No
//! scaling keywords go in, so that `BSCALE` and `BZERO` are applied once, by us.
#![expect(unsafe_code, reason = "calls into the C library cfitsio")]

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use super::error::FitsError;
use super::hdu::BLOCK_BYTES;
use super::header::Header;
use super::tile_table::{Codec, Purpose, TileTable};
use super::{tiles, write};

/// A system's cfitsio may be built without thread safety; this kind of file is rare.
static ONE_CALLER: Mutex<()> = Mutex::new(());

/// Reads all pixels of an image whose streams have been checked.
pub(super) fn read_quantised(
    table: &TileTable,
    data: &[u8],
    out: &mut [f32],
) -> Result<(), FitsError> {
    let mut file = clean_file(table, data);
    let guard = ONE_CALLER.lock().unwrap_or_else(PoisonError::into_inner);
    let result = read_image(&mut file, out);
    drop(guard);
    result.map_err(|status| FitsError::Cfitsio { status })?;
    for value in out {
        *value = table.scale.real(f64::from(*value));
    }
    Ok(())
}

/// Reads the image of HDU 2 of a file in memory; undefined pixels are NaN.
fn read_image(file: &mut [u8], out: &mut [f32]) -> Result<(), c_int> {
    let mut handle: *mut fitsio_sys::fitsfile = ptr::null_mut();
    let mut buffer: *mut c_void = file.as_mut_ptr().cast();
    let mut size = file.len();
    let count = i64::try_from(out.len()).map_err(|_| -1)?;
    let (mut status, mut close_status, mut kind, mut any_null) = (0, 0, 0, 0);
    // SAFETY: `buffer` and `size` describe `file`, which outlives the handle; mode 0 (read only)
    // and no reallocation function keep cfitsio from changing or moving it. The name is a
    // constant C string. `out` has room for the `count` numbers asked for. The handle is closed
    // before the buffer's owner goes, also after a failure.
    unsafe {
        let name = c"checked.fits".as_ptr();
        fitsio_sys::ffomem(&mut handle, name, 0, &mut buffer, &mut size, 0, None, &mut status);
        if status == 0 {
            fitsio_sys::ffmahd(handle, 2, &mut kind, &mut status);
            let (first, null) = (1, f32::NAN);
            let pixels = out.as_mut_ptr();
            fitsio_sys::ffgpve(handle, 1, first, count, null, pixels, &mut any_null, &mut status);
        }
        if !handle.is_null() {
            fitsio_sys::ffclos(handle, &mut close_status);
        }
        fitsio_sys::ffcmsg();
    }
    if status == 0 { Ok(()) } else { Err(status) }
}

/// A FITS file with nothing but the compressed image.
fn clean_file(table: &TileTable, data: &[u8]) -> Vec<u8> {
    let mut primary = Header::new();
    primary.set("SIMPLE", true, "");
    primary.set("BITPIX", 8_i64, "");
    primary.set("NAXIS", 0_i64, "");
    primary.set("EXTEND", true, "");
    let mut header = Header::new();
    header.set("XTENSION", "BINTABLE", "");
    let rows_bytes = table.row_bytes * table.rows;
    for (key, number) in [
        ("BITPIX", 8),
        ("NAXIS", 2),
        ("NAXIS1", table.row_bytes),
        ("NAXIS2", table.rows),
        ("PCOUNT", data.len() - rows_bytes),
        ("GCOUNT", 1),
        ("TFIELDS", table.columns.len()),
        ("THEAP", table.heap_start),
    ] {
        header.set(key, number as i64, "");
    }
    for (index, column) in table.columns.iter().enumerate() {
        let kind = char::from(column.kind);
        let form = if column.purpose == Purpose::Quantum {
            format!("1{kind}")
        } else {
            let longest = (0..table.rows)
                .filter_map(|tile| tiles::stream(table, data, column, tile))
                .map(<[u8]>::len)
                .max();
            format!("1{kind}{}({})", char::from(column.element), longest.unwrap_or(0))
        };
        header.set(&format!("TTYPE{}", index + 1), column.name, "");
        header.set(&format!("TFORM{}", index + 1), form, "");
    }
    image_cards(table, &mut header);
    let mut file = write::header_block(&primary);
    file.extend(write::header_block(&header));
    file.extend_from_slice(data);
    file.resize(file.len().next_multiple_of(BLOCK_BYTES), 0);
    file
}

/// The cards that describe the image behind the table.
fn image_cards(table: &TileTable, header: &mut Header) {
    header.set("ZIMAGE", true, "");
    for (key, number) in [
        ("ZBITPIX", i64::from(table.bitpix)),
        ("ZNAXIS", 2),
        ("ZNAXIS1", table.size.0 as i64),
        ("ZNAXIS2", table.size.1 as i64),
        ("ZTILE1", table.tile.0 as i64),
        ("ZTILE2", table.tile.1 as i64),
    ] {
        header.set(key, number, "");
    }
    match table.codec {
        Codec::Gzip => header.set("ZCMPTYPE", "GZIP_1", ""),
        Codec::GzipShuffled => header.set("ZCMPTYPE", "GZIP_2", ""),
        Codec::Rice { block_px, .. } => {
            header.set("ZCMPTYPE", "RICE_1", "");
            header.set("ZNAME1", "BLOCKSIZE", "");
            header.set("ZVAL1", block_px as i64, "");
            header.set("ZNAME2", "BYTEPIX", "");
            // Floats are quantised to numbers of four bytes, as the probe has checked.
            header.set("ZVAL2", 4_i64, "");
        }
    }
    for card in table.quantum.iter().flatten() {
        header.push(card.clone());
    }
}

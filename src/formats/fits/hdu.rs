//! Walks over the HDUs of a file and measures them, trusting nothing.

use super::card::{self, CARD_BYTES};
use super::error::FitsError;
use super::header::{Header, Value};
use super::limits::Limits;
use super::pixels::pixel_bytes;
use super::source::Source;

/// Bytes of a FITS block.
pub(super) const BLOCK_BYTES: usize = 2880;
/// Most axes (FITS standard 4.0, section 4.4.1.1).
const AXES_MAX: i64 = 999;

/// One header and the size of the data that follow it.
pub(super) struct Hdu {
    /// Its header.
    pub(super) header: Header,
    /// Place of its data [bytes].
    pub(super) data_start: u64,
    /// Size of its data without padding [bytes].
    pub(super) data_bytes: u64,
}

/// Reads the next header; `None` at the end of the HDUs.
pub(super) fn next(source: &mut Source, limits: &Limits) -> Result<Option<Hdu>, FitsError> {
    let is_first = source.position() == 0;
    let magic: &[u8] = if is_first { b"SIMPLE  =" } else { b"XTENSION" };
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        bytes.resize(start + BLOCK_BYTES, 0);
        let count = source.read_up_to(&mut bytes[start..])?;
        if start == 0 && !bytes.starts_with(magic) {
            return match (is_first, count) {
                (true, 0) => Err(FitsError::Empty),
                (true, _) => Err(FitsError::NotFits),
                // What follows the last HDU is none of our business.
                (false, _) => Ok(None),
            };
        }
        if count < BLOCK_BYTES {
            return Err(FitsError::NoEnd { found_bytes: source.position() });
        }
        if bytes[start..].as_chunks::<CARD_BYTES>().0.iter().any(is_end) {
            break;
        }
        if bytes.len() / CARD_BYTES > limits.header_cards_max {
            return Err(FitsError::HeaderTooLong { allowed_cards: limits.header_cards_max });
        }
    }
    let header = card::parse_header(&bytes);
    let data_bytes = data_bytes(&header)?;
    Ok(Some(Hdu { header, data_start: source.position(), data_bytes }))
}

/// Goes to the next header.
pub(super) fn skip(source: &mut Source, hdu: &Hdu) -> Result<(), FitsError> {
    source.skip(hdu.data_bytes)?;
    skip_padding(source, hdu)
}

/// Goes over the padding behind data that were read.
pub(super) fn skip_padding(source: &mut Source, hdu: &Hdu) -> Result<(), FitsError> {
    let block = BLOCK_BYTES as u64;
    let padding = (block - hdu.data_bytes % block) % block;
    // Some writers leave the padding of the last block out.
    let mut unused = [0; BLOCK_BYTES];
    source.read_up_to(&mut unused[..padding as usize]).map(|_| ())
}

/// Tells whether a line is the `END` card.
fn is_end(line: &[u8; CARD_BYTES]) -> bool {
    line.starts_with(b"END") && line[3..8].iter().all(|&byte| byte <= b' ')
}

/// A whole number that must be there, written as a number.
pub(super) fn required(header: &Header, key: &'static str) -> Result<i64, FitsError> {
    match header.value(key) {
        Some(Value::Integer(number)) => Ok(*number),
        _ => Err(FitsError::BadKeyword { key }),
    }
}

/// A whole number that may be absent.
pub(super) fn optional(header: &Header, key: &'static str, or: i64) -> Result<i64, FitsError> {
    if header.contains(key) { required(header, key) } else { Ok(or) }
}

/// Lengths of the axes, `prefix` being `NAXIS` or `ZNAXIS`.
pub(super) fn axes(header: &Header, prefix: &'static str) -> Result<Vec<u64>, FitsError> {
    let count = required(header, prefix)?;
    let bad = FitsError::BadKeyword { key: prefix };
    if !(0..=AXES_MAX).contains(&count) {
        return Err(bad);
    }
    let length = |axis: i64| match header.value(&format!("{prefix}{axis}")) {
        Some(Value::Integer(length)) => u64::try_from(*length).ok(),
        _ => None,
    };
    (1..=count).map(length).collect::<Option<_>>().ok_or(bad)
}

/// Size of the data: |BITPIX| / 8 * GCOUNT * (PCOUNT + NAXIS1 * NAXIS2 ...).
fn data_bytes(header: &Header) -> Result<u64, FitsError> {
    let bitpix = required(header, "BITPIX")?;
    let unit = pixel_bytes(bitpix).ok_or(FitsError::BadKeyword { key: "BITPIX" })?;
    let axes = axes(header, "NAXIS")?;
    let natural = |key, or| {
        let number = optional(header, key, or)?;
        u64::try_from(number).map_err(|_| FitsError::BadKeyword { key })
    };
    let (pcount, gcount) = (natural("PCOUNT", 0)?, natural("GCOUNT", 1)?);
    let is_groups = header.logical("GROUPS") == Some(true) && axes.first() == Some(&0);
    let counted = if is_groups { &axes[1..] } else { &axes[..] };
    if counted.is_empty() {
        return Ok(0);
    }
    let pixels = counted.iter().try_fold(1_u64, |product, &length| product.checked_mul(length));
    pixels
        .and_then(|pixels| pixels.checked_add(pcount))
        .and_then(|elements| elements.checked_mul(gcount))
        .and_then(|elements| elements.checked_mul(unit))
        .filter(|&bytes| bytes <= i64::MAX as u64)
        .ok_or(FitsError::BadKeyword { key: "NAXIS" })
}

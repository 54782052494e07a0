//! The rows of a VOTable as bytes: BINARY and BINARY2 (VOTable 1.4, sections 5.3 and 5.4).

use super::{ServiceTableError, TableCell, number_cell};

/// Kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A truth value, a byte or a character: one byte.
    Byte,
    /// A bit of a packed list.
    Bit,
    /// Two bytes.
    Short,
    /// A character of two bytes.
    WideCharacter,
    /// Four bytes.
    Int,
    /// Eight bytes.
    Long,
    /// Four bytes, IEEE 754.
    Float,
    /// Eight bytes, IEEE 754.
    Double,
    /// Two floats.
    FloatComplex,
    /// Two doubles.
    DoubleComplex,
}

/// How many values a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// One.
    One,
    /// So many.
    Fixed(usize),
    /// Told before the values.
    Told,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) kind: Kind,
    pub(super) length: Length,
}

/// Whether rows begin with a mask of empty cells (BINARY2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Masks {
    /// Yes.
    Before,
    /// No.
    None,
}

impl Form {
    /// From the attributes of a FIELD; `None` for a type that the standard does not know.
    pub(super) fn of(datatype: &str, arraysize: Option<&str>) -> Option<Self> {
        let kind = match datatype {
            "boolean" | "unsignedByte" | "char" => Kind::Byte,
            "bit" => Kind::Bit,
            "short" => Kind::Short,
            "unicodeChar" => Kind::WideCharacter,
            "int" => Kind::Int,
            "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "floatComplex" => Kind::FloatComplex,
            "doubleComplex" => Kind::DoubleComplex,
            _ => return None,
        };
        let length = match arraysize.map(str::trim) {
            None | Some("" | "1") => Length::One,
            Some(text) if text.ends_with('*') => Length::Told,
            Some(text) => {
                let sides = text.split('x').map(|side| side.trim().parse::<usize>().ok());
                let n = sides.collect::<Option<Vec<usize>>>()?.into_iter();
                Length::Fixed(n.fold(1_usize, usize::saturating_mul))
            }
        };
        Some(Self { kind, length })
    }

    /// Bytes of this many values; saturates.
    fn bytes_of(self, n: usize) -> usize {
        match self.kind {
            Kind::Bit => n.div_ceil(8),
            Kind::Byte => n,
            Kind::Short | Kind::WideCharacter => n.saturating_mul(2),
            Kind::Int | Kind::Float => n.saturating_mul(4),
            Kind::Long | Kind::Double | Kind::FloatComplex => n.saturating_mul(8),
            Kind::DoubleComplex => n.saturating_mul(16),
        }
    }

    /// The cell of a single value's bytes.
    fn cell(self, bytes: &[u8]) -> TableCell {
        let mut wide = [0; 8];
        let n = bytes.len().min(8);
        wide[..n].copy_from_slice(&bytes[..n]);
        let [a, b, c, d, ..] = wide;
        match self.kind {
            Kind::Short => TableCell::Whole(i64::from(i16::from_be_bytes([a, b]))),
            Kind::Int => TableCell::Whole(i64::from(i32::from_be_bytes([a, b, c, d]))),
            Kind::Long => TableCell::Whole(i64::from_be_bytes(wide)),
            Kind::Float => number_cell(shortest(f32::from_be_bytes([a, b, c, d]))),
            Kind::Double => number_cell(f64::from_be_bytes(wide)),
            Kind::Byte
            | Kind::Bit
            | Kind::WideCharacter
            | Kind::FloatComplex
            | Kind::DoubleComplex => TableCell::Empty,
        }
    }
}

/// A single-precision number as the shortest decimal that means it, as text formats write it.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// Reads all rows.
pub(super) fn rows(
    mut bytes: &[u8],
    forms: &[Form],
    masks: Masks,
) -> Result<Vec<TableCell>, ServiceTableError> {
    let cut_off = || ServiceTableError::Broken { what: "the last row is not whole" };
    let mask_bytes = if masks == Masks::Before { forms.len().div_ceil(8) } else { 0 };
    let least: usize = mask_bytes
        + forms
            .iter()
            .map(|form| match form.length {
                Length::One => form.bytes_of(1),
                Length::Fixed(n) => form.bytes_of(n),
                Length::Told => 4,
            })
            .fold(0_usize, usize::saturating_add);
    let mut cells = Vec::with_capacity((bytes.len() / least.max(1)) * forms.len());
    if least == 0 {
        return Err(ServiceTableError::Broken { what: "rows without bytes" });
    }
    while !bytes.is_empty() {
        let (mask, rest) = bytes.split_at_checked(mask_bytes).ok_or_else(cut_off)?;
        bytes = rest;
        for (i, form) in forms.iter().enumerate() {
            let n = match form.length {
                Length::One => 1,
                Length::Fixed(n) => n,
                Length::Told => {
                    let (told, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut_off)?;
                    bytes = rest;
                    u32::from_be_bytes(*told) as usize
                }
            };
            let (value, rest) = bytes.split_at_checked(form.bytes_of(n)).ok_or_else(cut_off)?;
            bytes = rest;
            // The first column is the highest bit.
            let is_empty = mask.get(i / 8).is_some_and(|byte| byte & (0x80 >> (i % 8)) != 0);
            let is_single = form.length == Length::One;
            cells.push(if is_empty || !is_single { TableCell::Empty } else { form.cell(value) });
        }
    }
    Ok(cells)
}

//! Binary tables of scalar columns, to and from disk.
//!
//! Written: an empty primary HDU with the header's cards, then one `BINTABLE`. Read: the first
//! `BINTABLE` of a file whose columns are scalars or texts. Not handled: arrays, scaled columns,
//! `TNULLn`, ASCII tables.

use std::path::Path;

use super::card::CARD_BYTES;
use super::error::FitsError;
use super::hdu::{self, Hdu};
use super::header::Header;
use super::limits::Limits;
use super::probe::append_observation;
use super::source::Source;
use super::write::{self, Sink};

/// Most columns (FITS standard 4.0, section 7.3.1).
const COLUMNS_MAX: i64 = 999;

/// Values of a column, one for each row.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 16-bit whole numbers; read back as 32-bit ones.
    I16(Vec<i16>),
    /// 32-bit whole numbers.
    I32(Vec<i32>),
    /// 64-bit whole numbers.
    I64(Vec<i64>),
    /// Texts; printable ASCII, other characters are written as `?`.
    Text(Vec<String>),
    /// A single cell with the lines of a header, as LDAC keeps them; written, not read.
    Cards(Box<Header>),
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name (`TTYPEn`).
    pub name: String,
    /// Unit (`TUNITn`), empty where there is none.
    pub unit: String,
    /// Values.
    pub data: ColumnData,
}

impl ColumnData {
    /// Number of rows.
    fn rows(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Cards(_) => 1,
        }
    }

    /// Bytes of a cell.
    fn width(&self) -> usize {
        match self {
            Self::F64(_) | Self::I64(_) => 8,
            Self::F32(_) | Self::I32(_) => 4,
            Self::I16(_) => 2,
            Self::Cards(header) => write::header_block(header).len(),
            Self::Text(values) => {
                values.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1)
            }
        }
    }

    /// `TFORMn`.
    fn form(&self) -> String {
        match self {
            Self::F64(_) => "1D".to_owned(),
            Self::F32(_) => "1E".to_owned(),
            Self::I16(_) => "1I".to_owned(),
            Self::I32(_) => "1J".to_owned(),
            Self::I64(_) => "1K".to_owned(),
            Self::Text(_) | Self::Cards(_) => format!("{}A", self.width()),
        }
    }

    /// `TDIMn`, for cells of several texts.
    fn shape(&self) -> Option<String> {
        match self {
            Self::Cards(_) => Some(format!("({CARD_BYTES}, {})", self.width() / CARD_BYTES)),
            _ => None,
        }
    }

    /// Writes the cell of a row; `cell` is as wide as the column.
    fn put(&self, row: usize, cell: &mut [u8]) {
        match self {
            Self::F64(values) => cell.copy_from_slice(&values[row].to_be_bytes()),
            Self::F32(values) => cell.copy_from_slice(&values[row].to_be_bytes()),
            Self::I16(values) => cell.copy_from_slice(&values[row].to_be_bytes()),
            Self::I32(values) => cell.copy_from_slice(&values[row].to_be_bytes()),
            Self::Cards(header) => cell.copy_from_slice(&write::header_block(header)),
            Self::I64(values) => cell.copy_from_slice(&values[row].to_be_bytes()),
            Self::Text(values) => {
                cell.fill(b' ');
                for (byte, c) in cell.iter_mut().zip(values[row].chars()) {
                    *byte =
                        u8::try_from(c).ok().filter(|b| (b' '..=b'~').contains(b)).unwrap_or(b'?');
                }
            }
        }
    }
}

/// Writes a table, readable by every FITS tool; columns must have the same length.
pub fn write_table(
    path: &Path,
    columns: &[Column],
    header: &Header,
    extname: &str,
) -> Result<(), FitsError> {
    let mut primary = write::empty_primary("a table follows", header);
    primary.remove("EXTNAME");
    let mut sink = Sink::create(path)?;
    sink.put(&write::header_block(&primary))?;
    put_table(&mut sink, columns, extname)?;
    sink.finish()
}

/// Appends the HDU of a table, without the padding of its last block.
pub(super) fn put_table(
    sink: &mut Sink<'_>,
    columns: &[Column],
    extname: &str,
) -> Result<(), FitsError> {
    let expected_rows = columns.first().map_or(0, |column| column.data.rows());
    let lengths = columns.iter().map(|column| column.data.rows()).enumerate();
    for (column, found_rows) in lengths {
        if found_rows != expected_rows {
            return Err(FitsError::ColumnLength { column, expected_rows, found_rows });
        }
    }
    let widths: Vec<usize> = columns.iter().map(|column| column.data.width()).collect();
    sink.put(&write::header_block(&table_header(columns, &widths, expected_rows, extname)))?;
    let mut line = vec![0; widths.iter().sum()];
    for row in 0..expected_rows {
        let mut rest = line.as_mut_slice();
        for (column, &width) in columns.iter().zip(&widths) {
            let (cell, later) = rest.split_at_mut(width);
            column.data.put(row, cell);
            rest = later;
        }
        sink.put(&line)?;
    }
    Ok(())
}

/// The header of the table's HDU.
fn table_header(columns: &[Column], widths: &[usize], rows: usize, extname: &str) -> Header {
    let mut header = Header::new();
    header.set("XTENSION", "BINTABLE", "binary table");
    header.set("BITPIX", 8_i64, "bytes");
    header.set("NAXIS", 2_i64, "");
    header.set("NAXIS1", widths.iter().sum::<usize>() as i64, "bytes of a row");
    header.set("NAXIS2", rows as i64, "rows");
    header.set("PCOUNT", 0_i64, "");
    header.set("GCOUNT", 1_i64, "");
    header.set("TFIELDS", columns.len() as i64, "columns");
    header.set("EXTNAME", extname, "");
    for (index, column) in (1..).zip(columns) {
        header.set(&format!("TTYPE{index}"), column.name.as_str(), "");
        header.set(&format!("TFORM{index}"), column.data.form(), "");
        if let Some(shape) = column.data.shape() {
            header.set(&format!("TDIM{index}"), shape, "");
        }
        if !column.unit.is_empty() {
            header.set(&format!("TUNIT{index}"), column.unit.as_str(), "");
        }
    }
    header
}

/// Reads the first binary table of a file: the cards that describe it, and its columns.
///
/// 16-bit and 8-bit whole numbers become 32-bit ones. Errors: `ColumnForm` for columns that are
/// no scalars.
pub fn read_table(path: &Path, limits: &Limits) -> Result<(Header, Vec<Column>), FitsError> {
    let mut source = Source::open(path, limits)?;
    let mut primary: Option<Header> = None;
    for hdus in 0..limits.hdus_max {
        let Some(hdu) = hdu::next(&mut source, limits)? else {
            return Err(FitsError::NoTable { hdus });
        };
        if hdu.header.text("XTENSION") == Some("BINTABLE") {
            let mut header = Header::new();
            append_observation(&mut header, primary.as_ref(), &hdu.header, false);
            return Ok((header, read_columns(&mut source, &hdu, limits)?));
        }
        hdu::skip(&mut source, &hdu)?;
        primary.get_or_insert(hdu.header);
    }
    Err(FitsError::TooManyHdus { allowed_hdus: limits.hdus_max })
}

/// Place, width and type of a column.
struct Form {
    at: usize,
    width: usize,
    kind: u8,
}

fn read_columns(source: &mut Source, hdu: &Hdu, limits: &Limits) -> Result<Vec<Column>, FitsError> {
    let header = &hdu.header;
    let &[row_bytes, rows] = hdu::axes(header, "NAXIS")?.as_slice() else {
        return Err(FitsError::BadKeyword { key: "NAXIS" });
    };
    let count = hdu::required(header, "TFIELDS")?;
    if !(0..=COLUMNS_MAX).contains(&count) {
        return Err(FitsError::BadKeyword { key: "TFIELDS" });
    }
    if hdu::required(header, "BITPIX")? != 8 || hdu::optional(header, "GCOUNT", 1)? != 1 {
        return Err(FitsError::BadKeyword { key: "BITPIX" });
    }
    let cells = rows.checked_mul(count as u64).filter(|&cells| cells <= limits.pixels_max);
    if cells.is_none() {
        let allowed = limits.pixels_max;
        return Err(FitsError::TooManyPixels { nx: count as u64, ny: rows, allowed });
    }
    let forms = forms(header, count as usize)?;
    let width: usize = forms.iter().map(|form| form.width).sum();
    if width as u64 != row_bytes || (width == 0 && rows > 0) {
        return Err(FitsError::BadKeyword { key: "NAXIS1" });
    }
    let data = source.read_block(row_bytes * rows)?;
    let text = |key: String| header.text(&key).unwrap_or_default().trim().to_owned();
    let column = |(index, form): (usize, &Form)| Column {
        name: text(format!("TTYPE{}", index + 1)),
        unit: text(format!("TUNIT{}", index + 1)),
        data: values(&data, width, form),
    };
    Ok(forms.iter().enumerate().map(column).collect())
}

/// The forms of all columns; scaled ones are not read.
fn forms(header: &Header, count: usize) -> Result<Vec<Form>, FitsError> {
    let mut forms = Vec::with_capacity(count);
    let mut at = 0;
    for column in 0..count {
        let refused = FitsError::ColumnForm { column };
        let key = |stem: &str| format!("{stem}{}", column + 1);
        let text = header.text(&key("TFORM")).unwrap_or_default().trim();
        let kind = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let repeat = text.strip_suffix(kind).unwrap_or_default();
        let repeat = if repeat.is_empty() { Some(1) } else { repeat.parse::<u32>().ok() };
        let width = match (kind, repeat) {
            ("A", Some(count)) if count > 0 => count as usize,
            ("D" | "K", Some(1)) => 8,
            ("E" | "J", Some(1)) => 4,
            ("I", Some(1)) => 2,
            ("B", Some(1)) => 1,
            _ => return Err(refused),
        };
        if header.contains(&key("TSCAL")) || header.contains(&key("TZERO")) {
            return Err(refused);
        }
        forms.push(Form { at, width, kind: kind.as_bytes()[0] });
        at += width;
    }
    Ok(forms)
}

/// The values of a column.
fn values(data: &[u8], row_bytes: usize, form: &Form) -> ColumnData {
    let cells = data.chunks_exact(row_bytes.max(1)).map(|row| &row[form.at..form.at + form.width]);
    match form.kind {
        b'D' => ColumnData::F64(cells.map(|c| f64::from_be_bytes(bytes(c))).collect()),
        b'E' => ColumnData::F32(cells.map(|c| f32::from_be_bytes(bytes(c))).collect()),
        b'K' => ColumnData::I64(cells.map(|c| i64::from_be_bytes(bytes(c))).collect()),
        b'J' => ColumnData::I32(cells.map(|c| i32::from_be_bytes(bytes(c))).collect()),
        b'I' => ColumnData::I32(cells.map(|c| i16::from_be_bytes(bytes(c)).into()).collect()),
        b'B' => ColumnData::I32(cells.map(|c| c[0].into()).collect()),
        _ => ColumnData::Text(cells.map(text_of).collect()),
    }
}

/// A cell as an array; `forms` made it as wide as its type.
fn bytes<const N: usize>(cell: &[u8]) -> [u8; N] {
    *cell.first_chunk().expect("the form's width is that of its type")
}

/// A text ends with its first zero byte; trailing blanks are not part of it.
fn text_of(cell: &[u8]) -> String {
    let end = cell.iter().position(|&byte| byte == 0).unwrap_or(cell.len());
    let text: String = cell[..end]
        .iter()
        .map(|&b| if (b' '..=b'~').contains(&b) { char::from(b) } else { '?' })
        .collect();
    text.trim_end().to_owned()
}

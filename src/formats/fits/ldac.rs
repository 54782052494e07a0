//! FITS_LDAC: catalogues in the form that SExtractor writes and SCAMP takes.
//!
//! Behind an empty primary HDU two tables a frame: `LDAC_IMHEAD`, one row with the header of the
//! frame as a text of lines of 80 bytes, and `LDAC_OBJECTS`, a row per source.
//! Source: SExtractor's manual, "The FITS_LDAC format"; ../shared/spec/seeds.md 2.6.

use std::path::Path;

use super::card::CARD_BYTES;
use super::error::FitsError;
use super::header::Header;
use super::table::{Column, ColumnData, put_table};
use super::write::{self, Sink};

/// Type of the pixels that a frame's header tells: 32-bit floats, as our frames have them.
const BITPIX: i64 = -32;

/// A frame of a catalogue.
#[derive(Debug, Clone)]
pub struct LdacPart<'a> {
    /// Header of the frame; the layout's own keywords in it are left out.
    pub header: &'a Header,
    /// Columns and rows of the frame [px].
    pub size_px: (usize, usize),
    /// Its sources.
    pub columns: &'a [Column],
}

/// Writes a catalogue of frames; columns of a frame must have the same length.
pub fn write_ldac(path: &Path, parts: &[LdacPart<'_>]) -> Result<(), FitsError> {
    let mut sink = Sink::create(path)?;
    sink.put(&write::header_block(&write::empty_primary("tables follow", &Header::new())))?;
    for part in parts {
        let header = write::header_of(part.size_px, BITPIX, part.header);
        let head = Column {
            name: "Field Header Card".to_owned(),
            unit: String::new(),
            data: ColumnData::Cards(Box::new(header)),
        };
        put_table(&mut sink, &[head], "LDAC_IMHEAD")?;
        sink.pad()?;
        put_table(&mut sink, part.columns, "LDAC_OBJECTS")?;
        sink.pad()?;
    }
    sink.finish()
}

/// A header as text, a line a card without trailing blanks, `END` the last: what SCAMP reads and
/// writes as `.ahead` and `.head`.
pub fn header_text(header: &Header) -> String {
    let block = write::header_block(header);
    let mut text = String::new();
    for line in block.chunks(CARD_BYTES) {
        let line = String::from_utf8_lossy(line);
        text.push_str(line.trim_end());
        text.push('\n');
        if line.trim_end() == "END" {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_sources_stand_where_other_programs_look() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.cat");
        let mut header = Header::new();
        header.set("OBJECT", "it's a field", "");
        header.set("NAXIS1", 7_i64, "of another file");
        let columns = [
            Column {
                name: "NUMBER".to_owned(),
                unit: String::new(),
                data: ColumnData::I16(vec![1, -2]),
            },
            Column {
                name: "XWIN_IMAGE".to_owned(),
                unit: "pixel".to_owned(),
                data: ColumnData::F64(vec![1.5, 2.5]),
            },
        ];
        let part = LdacPart { header: &header, size_px: (300, 200), columns: &columns };
        write_ldac(&path, &[part.clone(), part]).expect("written");
        // cfitsio's opinion of the third HDU, as readers of SCAMP's catalogues ask for it.
        let mut file = fitsio::FitsFile::open(&path).expect("cfitsio opens it");
        let objects = file.hdu(2).expect("a third HDU");
        let x: Vec<f64> = objects.read_col(&mut file, "XWIN_IMAGE").expect("a column");
        assert!((x[0] - 1.5).abs() < 1e-12 && x.len() == 2);
        let numbers: Vec<i32> = objects.read_col(&mut file, "NUMBER").expect("a column");
        assert_eq!(numbers, [1, -2]);
        let bytes = std::fs::read(&path).expect("read");
        assert_eq!(bytes.len() % 2880, 0);
        let lines = header_text(&header);
        assert_eq!(lines.lines().next(), Some("OBJECT  = 'it''s a field'"), "{lines}");
        assert!(lines.ends_with("\nEND\n"), "{lines}");
        let text = String::from_utf8_lossy(&bytes);
        // The cell: primary header, header of its table, then the frame's.
        let cell = text.get(2 * 2880..3 * 2880).expect("a cell");
        assert!(cell.starts_with("SIMPLE  =                    T"), "{cell}");
        assert!(cell.contains("NAXIS1  =                  300") && !cell.contains("of another"));
        assert!(cell.contains("OBJECT  = 'it''s a field'"), "{cell}");
        assert!(text.contains("TDIM1   = '(80, 36)'"));
        assert_eq!(text.matches("LDAC_OBJECTS").count(), 2);
    }
}

//! VOTable: the first table of the result, in any of the three ways to write rows.
//!
//! Cells are kept as numbers, or as their texts when a table of words is read; such a table has its
//! rows as elements.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::binary::{Form, Masks, rows};
use super::{
    COLUMNS_MAX, ServiceTable, ServiceTableError, TableCell, TextTable, no_table, said, text_cell,
};

/// Deepest nesting of elements.
const DEPTH_MAX: usize = 32;

/// What was read so far.
#[derive(Default)]
struct Reading {
    /// Names of the open elements without name spaces, the outermost first.
    path: Vec<String>,
    /// Text of the innermost element that is of use.
    text: String,
    names: Vec<String>,
    forms: Vec<Option<Form>>,
    cells: Vec<TableCell>,
    /// The cells as texts, when they are wanted so.
    texts: Option<Vec<String>>,
    /// Names or identifiers of parameters, and their values; kept beside texts only.
    parameters: Vec<(String, String)>,
    /// Cells of the row in work.
    n_row: usize,
    n_tables: usize,
    n_rows_told: Option<usize>,
    status: Status,
    is_closed: bool,
}

/// What the service says of the query, and in how many words.
#[derive(Default)]
struct Status {
    word: String,
    said: String,
    is_overflown: bool,
}

/// Most parameters of a document that are kept.
const PARAMETERS_MAX: usize = 200;

/// Reads a document as numbers.
pub(super) fn read(text: &str) -> Result<ServiceTable, ServiceTableError> {
    read_into(Reading::default(), text)?.finish(text).map(|(table, _)| table)
}

/// Reads a document as texts.
pub(super) fn read_texts(text: &str) -> Result<TextTable, ServiceTableError> {
    let wanted = Reading { texts: Some(Vec::new()), ..Reading::default() };
    read_into(wanted, text)?.finish(text).map(|(_, texts)| texts)
}

/// Takes a document in.
fn read_into(mut reading: Reading, text: &str) -> Result<Reading, ServiceTableError> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(ServiceTableError::Xml)? {
            Event::Start(start) => reading.start(&start, text)?,
            Event::Empty(start) => {
                reading.start(&start, text)?;
                reading.end()?;
            }
            Event::End(_) => reading.end()?,
            Event::Text(part) => reading.add(&part.xml10_content()),
            Event::CData(part) => reading.add(&part.xml10_content()),
            Event::GeneralRef(entity) => {
                // Unknown entities are left out: no number has one.
                let character = entity.resolve_char_ref().ok().flatten();
                let character = character.map(|c| c.to_string());
                let named = resolve_predefined_entity(&entity).map(str::to_owned);
                reading.add(&character.or(named).unwrap_or_default());
            }
            Event::DocType(_) => return Err(no_table(text.as_bytes())),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return Ok(reading),
        }
    }
}

/// The value of an attribute.
fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    start.try_get_attribute(name).ok().flatten().map(|a| a.value.to_string())
}

impl Reading {
    fn start(&mut self, start: &BytesStart<'_>, text: &str) -> Result<(), ServiceTableError> {
        let qualified = start.name();
        let name: &str = qualified.as_ref();
        let name = name.rsplit(':').next().unwrap_or(name);
        if self.path.is_empty() && name != "VOTABLE" {
            return Err(no_table(text.as_bytes()));
        }
        if self.path.len() >= DEPTH_MAX {
            return Err(ServiceTableError::Broken { what: "nested too deep" });
        }
        match name {
            "TABLE" => {
                self.n_tables += 1;
                if self.is_first_table() {
                    self.n_rows_told = attribute(start, "nrows").and_then(|n| n.parse().ok());
                }
            }
            "FIELD" if self.is_first_table() => {
                if self.names.len() >= COLUMNS_MAX {
                    return Err(ServiceTableError::Broken { what: "far too many columns" });
                }
                let datatype = attribute(start, "datatype").unwrap_or_default();
                self.forms.push(Form::of(&datatype, attribute(start, "arraysize").as_deref()));
                self.names.push(attribute(start, "name").unwrap_or_default());
            }
            "INFO" if attribute(start, "name").as_deref() == Some("QUERY_STATUS") => {
                let word = attribute(start, "value").unwrap_or_default().to_ascii_uppercase();
                // An overflow is told after the rows; the word before them stays.
                self.status.is_overflown |= word == "OVERFLOW";
                if self.status.word.is_empty() || word == "ERROR" {
                    self.status.word = word;
                }
            }
            "PARAM" if self.texts.is_some() && self.parameters.len() < PARAMETERS_MAX => {
                let value = attribute(start, "value").unwrap_or_default();
                let name = attribute(start, "ID").or_else(|| attribute(start, "name"));
                self.parameters.push((name.unwrap_or_default(), value));
            }
            "TR" => self.n_row = 0,
            _ => {}
        }
        self.path.push(name.to_owned());
        self.text.clear();
        Ok(())
    }

    fn is_first_table(&self) -> bool {
        self.n_tables == 1
    }

    /// Tells whether the text of the open element is of use.
    fn add(&mut self, text: &str) {
        if matches!(self.path.last().map(String::as_str), Some("TD" | "STREAM" | "INFO")) {
            self.text.push_str(text);
        }
    }

    fn end(&mut self) -> Result<(), ServiceTableError> {
        let Some(name) = self.path.pop() else { return Ok(()) };
        let within = self.path.last().map(String::as_str);
        let text = std::mem::take(&mut self.text);
        match name.as_str() {
            "TD" if self.is_first_table() => {
                match &mut self.texts {
                    Some(texts) => texts.push(text.trim().to_owned()),
                    None => self.cells.push(text_cell(&text)),
                }
                self.n_row += 1;
            }
            "TR" if self.is_first_table() && self.n_row != self.names.len() => {
                return Err(ServiceTableError::Broken {
                    what: "a row with another number of cells",
                });
            }
            "STREAM" if self.is_first_table() && self.texts.is_some() => {
                return Err(ServiceTableError::Broken { what: "rows in an unknown form" });
            }
            "STREAM" if self.is_first_table() => match within {
                Some("BINARY2") => self.unpack(&text, Masks::Before)?,
                Some("BINARY") => self.unpack(&text, Masks::None)?,
                _ => return Err(ServiceTableError::Broken { what: "rows in an unknown form" }),
            },
            "INFO" if self.status.word == "ERROR" && self.status.said.is_empty() => {
                self.status.said = said(&text);
            }
            "VOTABLE" => self.is_closed = true,
            _ => {}
        }
        Ok(())
    }

    /// Rows as bytes in base64.
    fn unpack(&mut self, text: &str, masks: Masks) -> Result<(), ServiceTableError> {
        let packed: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode(packed);
        let bytes = bytes.map_err(|_| ServiceTableError::Broken { what: "no valid base64" })?;
        let forms: Option<Vec<Form>> = self.forms.iter().copied().collect();
        let forms = forms.ok_or(ServiceTableError::Broken { what: "a column of unknown type" })?;
        self.cells = rows(&bytes, &forms, masks)?;
        Ok(())
    }

    fn finish(self, text: &str) -> Result<(ServiceTable, TextTable), ServiceTableError> {
        if self.status.word == "ERROR" {
            return Err(ServiceTableError::Refused { said: self.status.said });
        }
        if !self.is_closed || !self.path.is_empty() {
            return Err(if self.n_tables == 0 && self.path.is_empty() {
                no_table(text.as_bytes())
            } else {
                ServiceTableError::Broken { what: "its end" }
            });
        }
        if self.names.is_empty() {
            return Err(ServiceTableError::Broken { what: "the columns" });
        }
        if self.status.word.is_empty() {
            return Err(ServiceTableError::Broken { what: "the status of the query" });
        }
        let texts = TextTable {
            names: if self.texts.is_some() { self.names.clone() } else { Vec::new() },
            cells: self.texts.unwrap_or_default(),
            parameters: self.parameters,
        };
        let table = ServiceTable {
            names: self.names,
            cells: self.cells,
            is_overflown: self.status.is_overflown,
        };
        let n_rows = table.n_rows() + texts.n_rows();
        if self.n_rows_told.is_some_and(|told| told != n_rows) {
            return Err(ServiceTableError::Broken { what: "rows" });
        }
        Ok((table, texts))
    }
}

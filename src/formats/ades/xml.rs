//! XML: `ades/obsBlock/obsContext` holds the header, `ades/obsBlock/obsData` the observations.

use std::borrow::Cow;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};

use super::error::AdesError;
use super::field::{Field, Observation};
use super::header::{Header, HeaderKey};
use super::{Submission, VERSION, VERSIONS_READ};

/// Deepest nesting: ades, obsBlock, obsContext, a group, a line.
const DEPTH_MAX: usize = 6;
/// Longest text of an element [bytes]; fields hold at most 300 characters.
const TEXT_MAX_BYTES: usize = 4096;
/// Why writing cannot fail.
const IN_MEMORY: &str = "memory takes what is written";

type Out = Writer<Vec<u8>>;

/// Writes a file.
pub(super) fn write(submission: &Submission) -> String {
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    let mut put = |event: Event<'_>| out.write_event(event).expect(IN_MEMORY);
    put(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    put(Event::Start(BytesStart::new("ades").with_attributes([("version", VERSION)])));
    put(Event::Start(BytesStart::new("obsBlock")));
    put(Event::Start(BytesStart::new("obsContext")));
    write_header(&submission.header, &mut out);
    let mut put = |event: Event<'_>| out.write_event(event).expect(IN_MEMORY);
    put(Event::End(BytesEnd::new("obsContext")));
    put(Event::Start(BytesStart::new("obsData")));
    for observation in &submission.observations {
        write_observation(observation, &mut out);
    }
    for name in ["obsData", "obsBlock", "ades"] {
        out.write_event(Event::End(BytesEnd::new(name))).expect(IN_MEMORY);
    }
    let mut text = String::from_utf8(out.into_inner()).expect("names and values are texts");
    text.push('\n');
    text
}

fn write_header(header: &Header, out: &mut Out) {
    let mut open: Option<&str> = None;
    for (key, value) in header.lines() {
        if open != Some(key.group()) {
            if let Some(group) = open.take() {
                out.write_event(Event::End(BytesEnd::new(group))).expect(IN_MEMORY);
            }
            if !key.tag().is_empty() {
                out.write_event(Event::Start(BytesStart::new(key.group()))).expect(IN_MEMORY);
                open = Some(key.group());
            }
        }
        let tag = if key.tag().is_empty() { key.group() } else { key.tag() };
        write_text(tag, value, out);
    }
    if let Some(group) = open {
        out.write_event(Event::End(BytesEnd::new(group))).expect(IN_MEMORY);
    }
}

fn write_observation(observation: &Observation, out: &mut Out) {
    let name = if observation.is_occultation() { "occultation" } else { "optical" };
    out.write_event(Event::Start(BytesStart::new(name))).expect(IN_MEMORY);
    for (field, value) in observation.fields() {
        write_text(field.tag(), value, out);
    }
    out.write_event(Event::End(BytesEnd::new(name))).expect(IN_MEMORY);
}

fn write_text(tag: &str, value: &str, out: &mut Out) {
    out.create_element(tag).write_text_content(BytesText::new(value)).expect(IN_MEMORY);
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    submission: Submission,
    /// Names of the open elements, the outermost first.
    path: Vec<String>,
    /// Text of the innermost element.
    text: String,
    observation: Observation,
    n_blocks: usize,
}

/// Reads a file of one block.
pub(super) fn read(text: &str) -> Result<Submission, AdesError> {
    let mut reader = Reader::from_str(text);
    let mut reading = Reading::default();
    let mut place = Lines { text, at: 0, line: 1 };
    loop {
        let event = reader.read_event();
        let line = place.line_at(reader.buffer_position());
        let event = event.map_err(|source| AdesError::Xml { line, source })?;
        match event {
            Event::Start(start) => reading.start(&start, line)?,
            Event::Empty(start) => {
                reading.start(&start, line)?;
                reading.end(line)?;
            }
            Event::End(_) => reading.end(line)?,
            Event::Text(text) => reading.add(&text.xml10_content(), line)?,
            Event::CData(text) => reading.add(&text.xml10_content(), line)?,
            Event::GeneralRef(entity) => {
                let character = entity.resolve_char_ref();
                let character = character.map_err(|source| AdesError::Xml { line, source })?;
                let named = || resolve_predefined_entity(&entity).map(Cow::Borrowed);
                let text = character.map(|c| Cow::Owned(c.to_string())).or_else(named);
                reading.add(&text.ok_or(AdesError::Misplaced { line })?, line)?;
            }
            // Entities of one's own have no place here.
            Event::DocType(_) => return Err(AdesError::Misplaced { line }),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => {
                let is_whole = reading.path.is_empty() && reading.n_blocks == 1;
                return if is_whole {
                    Ok(reading.submission)
                } else {
                    Err(AdesError::Misplaced { line })
                };
            }
        }
    }
}

impl Reading {
    fn start(&mut self, start: &BytesStart<'_>, line: usize) -> Result<(), AdesError> {
        let misplaced = || AdesError::Misplaced { line };
        let qualified = start.name();
        let name: &str = qualified.as_ref();
        if !self.text.trim().is_empty() || self.path.len() >= DEPTH_MAX {
            return Err(misplaced());
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match (path.as_slice(), name) {
            ([], "ades") => check_version(start, line)?,
            (["ades"], "obsBlock") => {
                self.n_blocks += 1;
                if self.n_blocks > 1 {
                    return Err(AdesError::SecondBlock { line });
                }
            }
            (["ades", "obsBlock"], "obsContext" | "obsData") => {}
            (["ades", "obsBlock", "obsContext"], group) => {
                if !HeaderKey::is_group(group) {
                    return Err(AdesError::UnknownGroup { line });
                }
            }
            (["ades", "obsBlock", "obsContext", group], tag) => {
                let key = HeaderKey::find(group, tag);
                key.ok_or(AdesError::UnknownHeaderLine { line })?;
            }
            (["ades", "obsBlock", "obsData"], "optical" | "occultation") => {
                self.observation = Observation::default();
            }
            (["ades", "obsBlock", "obsData", _], tag) => {
                let field = Field::from_tag(tag).ok_or(AdesError::UnknownField { line })?;
                if self.observation.get(field).is_some() {
                    return Err(AdesError::FieldTwice { line, tag: field.tag() });
                }
            }
            _ => return Err(misplaced()),
        }
        self.path.push(name.to_owned());
        self.text.clear();
        Ok(())
    }

    fn end(&mut self, line: usize) -> Result<(), AdesError> {
        let text = std::mem::take(&mut self.text);
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            [_, _, "obsContext", group, tag] => {
                let key = HeaderKey::find(group, tag);
                let key = key.ok_or(AdesError::UnknownHeaderLine { line })?;
                self.submission.header.add(key, &text)?;
            }
            [_, _, "obsContext", group] => {
                if let Some(key) = HeaderKey::find(group, "") {
                    self.submission.header.add(key, &text)?;
                } else if !text.trim().is_empty() {
                    return Err(AdesError::Misplaced { line });
                }
            }
            [_, _, "obsData", _, tag] => {
                let field = Field::from_tag(tag).ok_or(AdesError::UnknownField { line })?;
                self.observation.set(field, &text)?;
            }
            [_, _, "obsData", _] if text.trim().is_empty() => {
                let observation = std::mem::take(&mut self.observation);
                self.submission.push(observation)?;
            }
            _ if text.trim().is_empty() => {}
            _ => return Err(AdesError::Misplaced { line }),
        }
        self.path.pop();
        Ok(())
    }

    fn add(&mut self, text: &str, line: usize) -> Result<(), AdesError> {
        self.text.push_str(text);
        let is_outside = self.path.is_empty() && !text.trim().is_empty();
        if is_outside || self.text.len() > TEXT_MAX_BYTES {
            return Err(AdesError::Misplaced { line });
        }
        Ok(())
    }
}

fn check_version(start: &BytesStart<'_>, line: usize) -> Result<(), AdesError> {
    let version = start.try_get_attribute("version");
    let version = version.ok().flatten().ok_or(AdesError::Version { line })?;
    let is_known = VERSIONS_READ.iter().any(|known| known.as_bytes() == version.value.as_bytes());
    if is_known { Ok(()) } else { Err(AdesError::Version { line }) }
}

/// Counts lines up to a place that only moves forward.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn line_at(&mut self, byte: u64) -> usize {
        let to = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..to).unwrap_or_default();
        self.line += passed.iter().filter(|c| **c == b'\n').count();
        self.at = to.max(self.at);
        self.line
    }
}

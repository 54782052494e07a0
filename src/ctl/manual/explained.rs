//! The shipped configuration file, taken apart: sections, keys, and what their comments say.

/// The file.
#[derive(Debug, Default)]
pub(super) struct Explained<'a> {
    /// Lines of the head, before the first section.
    pub(super) told: Vec<&'a str>,
    /// Its sections.
    pub(super) sections: Vec<Section<'a>>,
}

/// A section.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// As it stands in the file, as `[site]` or `[[telescope]]`.
    pub(super) heading: &'a str,
    /// Lines of what is said of it.
    pub(super) told: Vec<&'a str>,
    /// Its keys.
    pub(super) keys: Vec<Entry<'a>>,
}

/// A key.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    /// Lines of what is said of it.
    pub(super) told: Vec<&'a str>,
    /// Its built-in value, or an example.
    pub(super) value: &'a str,
    /// Whether that is a built-in value.
    pub(super) is_set: bool,
}

/// Takes the file apart: comments stand in front of what they explain; a key behind `#` has no
/// built-in value.
pub(super) fn explained(toml: &str) -> Explained<'_> {
    let mut all = Explained::default();
    let mut told = Vec::new();
    for line in toml.lines() {
        let line = line.trim();
        let (bare, is_set) = line.strip_prefix('#').map_or((line, true), |rest| (rest, false));
        if bare.starts_with('[') {
            let told = std::mem::take(&mut told);
            all.sections.push(Section { heading: bare, told, keys: Vec::new() });
        } else if let Some(comment) = line.strip_prefix("# ") {
            told.push(comment);
        } else if let Some((name, value)) = bare.split_once(" = ") {
            let told = std::mem::take(&mut told);
            let entry = Entry { name: name.trim(), told, value: value.trim(), is_set };
            if let Some(section) = all.sections.last_mut() {
                section.keys.push(entry);
            }
        } else if line.is_empty() {
            let of = all.sections.last_mut().map_or(&mut all.told, |section| &mut section.told);
            of.append(&mut told);
        }
    }
    all
}

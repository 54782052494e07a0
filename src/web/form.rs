//! Fields of forms and queries; the first of a name counts.

use axum::body::Bytes;

/// Most fields that are looked at.
const FIELDS_MAX: usize = 32;

/// The fields of a form or a query.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// From a body of the kind that browsers send.
    pub(super) fn of_body(body: &Bytes) -> Self {
        Self::parsed(body)
    }

    /// From what follows the `?` of an address.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        Self::parsed(query.unwrap_or_default().as_bytes())
    }

    fn parsed(bytes: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(bytes).take(FIELDS_MAX);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// A field; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Whether a field is there and not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }
}

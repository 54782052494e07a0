//! The answer as text: lines with `#`, then a row per object, cells between bars.

use super::{
    Columns, ConeRequest, OBJECTS_MAX, SkybotError, SkybotReply, nothing_or_refused, said,
};

/// Reads the text.
pub(super) fn read(text: &str, request: &ConeRequest) -> Result<SkybotReply, SkybotError> {
    let remark = |line: &str, name: &str| {
        let rest = line.strip_prefix('#')?.trim().strip_prefix(name)?;
        rest.trim().strip_prefix(':').map(|value| value.trim().to_owned())
    };
    let find = |name: &str| text.lines().find_map(|line| remark(line.trim(), name));
    let flag = find("Flag").ok_or_else(|| SkybotError::NoReply { begin: said(text) })?;
    match flag.as_str() {
        "0" => return Ok(SkybotReply::default()),
        "1" => {}
        _ => {
            // What is wrong stands in the last line.
            let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(text);
            return nothing_or_refused(said(last.trim_start_matches(['#', ' '])));
        }
    }
    let head = text.lines().find(|line| line.starts_with('#') && line.contains('|'));
    let head = head.ok_or(SkybotError::Broken { what: "the names of the columns" })?;
    let names: Vec<&str> = head.trim_start_matches('#').split('|').collect();
    let columns = Columns::find(&names).ok_or(SkybotError::Broken { what: "a column" })?;
    let mut reply = SkybotReply::default();
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    for row in rows.take(OBJECTS_MAX) {
        let cells = cells(row, names.len())
            .ok_or(SkybotError::Broken { what: "a row with too few cells" })?;
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        reply.add(columns.place(&cells, request));
    }
    let n_told = find("Solar system objects").and_then(|n| n.parse::<usize>().ok());
    if n_told.is_some_and(|told| told.min(OBJECTS_MAX) != reply.places.len() + reply.n_bad) {
        return Err(SkybotError::Broken { what: "rows" });
    }
    Ok(reply)
}

/// The cells of a row. A name may hold bars: what is neither number nor one of the last cells is
/// the name.
fn cells(row: &str, n_columns: usize) -> Option<Vec<String>> {
    let parts: Vec<&str> = row.split('|').collect();
    let n_last = n_columns.checked_sub(2)?;
    let name_end = parts.len().checked_sub(n_last).filter(|end| *end >= 2)?;
    let name = parts[1..name_end].join("|");
    let own = [parts[0].trim().to_owned(), name.trim().to_owned()];
    let last = parts[name_end..].iter().map(|part| part.trim().to_owned());
    Some(own.into_iter().chain(last).collect())
}

//! The JSON that the Gaia archive writes: `{"metadata": [{"name": ..}, ..], "data": [[..], ..]}`.

use serde::Deserialize;
use serde_json::Value;

use super::{COLUMNS_MAX, ServiceTable, ServiceTableError, TableCell, number_cell, said};

#[derive(Deserialize)]
struct Answer {
    metadata: Option<Vec<Column>>,
    data: Option<Vec<Vec<Value>>>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

/// Reads an answer. The format cannot say that rows are missing: who asks must count them.
pub(super) fn read(text: &str) -> Result<ServiceTable, ServiceTableError> {
    let answer: Answer = serde_json::from_str(text).map_err(ServiceTableError::Json)?;
    let (Some(metadata), Some(data)) = (answer.metadata, answer.data) else {
        return Err(ServiceTableError::Refused { said: said(text) });
    };
    if metadata.is_empty() || metadata.len() > COLUMNS_MAX {
        return Err(ServiceTableError::Broken { what: "no columns, or far too many" });
    }
    let names: Vec<String> = metadata.into_iter().map(|column| column.name).collect();
    let mut cells = Vec::with_capacity(data.len() * names.len());
    for row in data {
        if row.len() != names.len() {
            return Err(ServiceTableError::Broken { what: "a row with another number of cells" });
        }
        cells.extend(row.iter().map(cell));
    }
    Ok(ServiceTable { names, cells, is_overflown: false })
}

fn cell(value: &Value) -> TableCell {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => TableCell::Whole(whole),
            None => number_cell(number.as_f64().unwrap_or(f64::NAN)),
        },
        // Some services write identifiers as text.
        Value::String(text) => super::text_cell(text),
        _ => TableCell::Empty,
    }
}

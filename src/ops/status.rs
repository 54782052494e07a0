//! What is in a data folder: nights and how they ended.

use std::path::Path;

use super::error::OpsError;
use crate::store::Reader;
use crate::store::nights::NightRow;

/// All nights of a data folder in order of their names.
pub fn nights(data_dir: &Path) -> Result<Vec<NightRow>, OpsError> {
    Ok(Reader::open(data_dir)?.nights()?)
}

//! Fetches orbits and observatory codes from the Minor Planet Center.

use std::io::Cursor;
use std::path::Path;

use super::{ImportedOrbits, OnCount, OrbitsError, import_from};
use crate::formats::obscodes::read_obscodes;
use crate::remote::orbits::{Download, DownloadLimits, download};
use crate::store::orbits::OrbitFolder;

/// Where all orbits are fetched when nothing else is said.
pub const MPCORB_URL: &str = "https://www.minorplanetcenter.net/iau/MPCORB/MPCORB.DAT.gz";
/// Where observatory codes are fetched when nothing else is said.
pub const CODES_URL: &str =
    "https://www.minorplanetcenter.net/Extended_Files/obscodes_extended.json.gz";

/// What an update came to.
#[derive(Debug)]
pub struct Updated {
    /// The new orbits; `None` when the stored ones are the newest.
    pub orbits: Option<ImportedOrbits>,
    /// How many observatory codes have a place now, or why they could not be fetched.
    pub codes: Result<usize, OrbitsError>,
}

/// Fetches orbits that are newer than the stored ones, and the list of codes.
///
/// What is stored stays until the new file is whole and read to its end. A list of codes that
/// cannot be fetched is told and no failure.
pub fn update(
    data_dir: &Path,
    (orbits_url, codes_url): (&str, &str),
    limits: &DownloadLimits,
    on_count: OnCount<'_>,
) -> Result<Updated, OrbitsError> {
    let folder = OrbitFolder::below(data_dir);
    // A damaged table is fetched anew.
    let is_stored = matches!(folder.open(), Ok(Some(_)));
    let since = folder.modified(orbits_url).filter(|_| is_stored);
    let came = download(orbits_url, since.as_deref(), limits, &|n, all| on_count(n, all))?;
    let orbits = match came {
        Download::Unchanged => None,
        Download::File { bytes, modified } => {
            let name = Path::new(orbits_url);
            let imported = import_from(data_dir, name, Cursor::new(bytes), on_count)?;
            if let Some(modified) = modified {
                folder.put_modified(orbits_url, &modified)?;
            }
            Some(imported)
        }
    };
    let codes = codes(&folder, codes_url, limits, on_count);
    Ok(Updated { orbits, codes })
}

fn codes(
    folder: &OrbitFolder,
    url: &str,
    limits: &DownloadLimits,
    on_count: OnCount<'_>,
) -> Result<usize, OrbitsError> {
    match download(url, None, limits, &|n, all| on_count(n, all))? {
        Download::Unchanged => Ok(0),
        Download::File { bytes, .. } => {
            let n_codes = read_obscodes(&bytes)?.len();
            folder.put_codes(&bytes)?;
            Ok(n_codes)
        }
    }
}

//! Masters of the night: made from its calibration frames, kept for later nights.

use std::sync::Arc;

use super::super::error::OpsError;
use super::master_files::{MasterUse, StoredMasters, keep_master};
use super::take::{Scanned, ScannedFrame, chain};
use crate::config::Config;
use crate::pipeline::masters::build::build_masters;
use crate::pipeline::masters::prepare::key_of;
use crate::pipeline::masters::{CalibrationFrame, MasterLibrary, MasterOrigin};
use crate::store::{NightId, Store};

/// Makes the masters of the night's calibration frames.
pub(super) fn make(scanned: &Scanned, config: &Config, earlier: &StoredMasters) -> MasterLibrary {
    let frames: Vec<CalibrationFrame> = scanned
        .calibration
        .iter()
        .map(|f| CalibrationFrame::new(f.file.name.clone(), f.info.clone()))
        .collect();
    let find = |name: &str| scanned.calibration.iter().find(|f| f.file.name == name);
    let load = |frame: &CalibrationFrame| match find(&frame.name) {
        Some(found) => {
            let read = found.read(&config.fits_limits());
            read.map(|(pixels, _)| pixels).map_err(|error| chain(&error))
        }
        None => Err("not found".to_owned()),
    };
    build_masters(&frames, &load, earlier, &config.master_params())
}

/// Keeps the night's own masters as products for later nights.
pub(super) fn keep(
    store: &Store,
    night: &NightId,
    library: &MasterLibrary,
    (scanned, config): (&Scanned, &Config),
) -> Result<(), OpsError> {
    let params = config.master_params();
    let own = library.masters.iter().filter(|m| m.origin == MasterOrigin::Night);
    let own = own.map(|m| (m, MasterUse::Accepted));
    let refused = library.refused.iter().map(|m| (m, MasterUse::Refused));
    for (master, use_as) in own.chain(refused) {
        let of_key = |f: &&Arc<ScannedFrame>| {
            f.info.kind == master.key.kind && key_of(&f.info, f.info.kind, &params) == master.key
        };
        let parts: Vec<&Arc<ScannedFrame>> = scanned.calibration.iter().filter(of_key).collect();
        let made_from = parts.iter().map(|f| f.content_hash.clone()).collect();
        let taken =
            parts.iter().filter_map(|f| f.info.mid).reduce(|a, b| if a > b { a } else { b });
        if let Some(taken) = taken {
            keep_master(store, night, master, (made_from, taken), use_as)?;
        }
    }
    Ok(())
}

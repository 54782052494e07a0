//! Masters as files of the store: kept for later nights, found by what must be equal.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::super::error::OpsError;
use crate::formats::fits::{self, Header, Limits};
use crate::pipeline::artifact::frame_info::FrameKind;
use crate::pipeline::masters::{EarlierMasters, Master, MasterKey, MasterOrigin};
use crate::science::time::Epoch;
use crate::store::masters::MasterRow;
use crate::store::{NightId, ProductFile, ProductKind, Store};

/// What of a master is not in its pixels.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    name: String,
    night: String,
    noise: f64,
    frame_noise: f64,
    n_frames: usize,
    has_pedestal: bool,
    exposure_s: f64,
    temperature_c: Option<f64>,
}

/// Masters of earlier nights in the store; each file is read once.
pub(super) struct StoredMasters {
    store: Arc<Store>,
    night: NightId,
    until: Option<Epoch>,
    read: Mutex<Vec<(MasterKey, Option<Arc<Master>>)>>,
}

impl StoredMasters {
    /// The masters taken before an instant in other nights than this one.
    pub(super) fn before(store: &Arc<Store>, night: &NightId, until: Option<Epoch>) -> Self {
        let (store, night) = (Arc::clone(store), night.clone());
        Self { store, night, until, read: Mutex::new(Vec::new()) }
    }

    /// The instant.
    pub(super) fn until(&self) -> Option<Epoch> {
        self.until
    }

    fn look_up(&self, want: &MasterKey) -> Option<Arc<Master>> {
        let rows = self.store.read().masters(&key_prefix(want)).ok()?;
        let until = self.until.unwrap_or(Epoch::from_mjd_utc(f64::INFINITY));
        rows.into_iter().filter(|row| row.taken <= until).find_map(|row| {
            let payload: Payload = serde_json::from_str(&row.payload).ok()?;
            if payload.night == self.night.as_str() {
                return None;
            }
            let is_dark = want.kind == FrameKind::Dark;
            if !is_dark && row.key != key_text(want) {
                return None;
            }
            let path = self.store.products().resolve(&row.path).ok()?;
            let image = fits::probe(&path, &Limits::default()).ok()?;
            let pixels = fits::read_pixels(&path, &image).ok()?;
            let exposure_ms = is_dark.then(|| (payload.exposure_s * 1000.0).round() as u64);
            Some(Arc::new(Master {
                key: MasterKey { exposure_ms, ..want.clone() },
                name: payload.name,
                origin: MasterOrigin::Earlier { night: payload.night },
                pixels,
                noise: payload.noise,
                frame_noise: payload.frame_noise,
                n_frames: payload.n_frames,
                has_pedestal: payload.has_pedestal,
                exposure_s: payload.exposure_s,
                temperature_c: payload.temperature_c,
                turned: Default::default(),
                bad: Default::default(),
            }))
        })
    }
}

impl EarlierMasters for StoredMasters {
    fn newest(&self, want: &MasterKey) -> Option<Arc<Master>> {
        let mut read = self.read.lock().ok()?;
        if let Some((_, found)) = read.iter().find(|(key, _)| key == want) {
            return found.clone();
        }
        let found = self.look_up(want);
        read.push((want.clone(), found.clone()));
        found
    }
}

/// Writes a master of the night and its row.
pub(super) fn keep_master(
    store: &Store,
    night: &NightId,
    master: &Master,
    (made_from, taken): (Vec<String>, Epoch),
) -> Result<(), OpsError> {
    let key = key_text(&master.key);
    let digest: String = blake3::hash(key.as_bytes()).to_hex().chars().take(10).collect();
    let kind = format!("{:?}", master.key.kind).to_ascii_lowercase();
    let relative = store.products().relative_path(
        night,
        ProductKind::Masters,
        &format!("{kind}-{digest}.fits"),
    )?;
    let mut header = Header::new();
    header.set("IMAGETYP", format!("Master {kind}"), "kind of master");
    header.set("NCOMBINE", master.n_frames as i64, "frames combined");
    header.set("EXPTIME", master.exposure_s, "[s] exposure");
    header.push_history(&format!("autossos {}: {}", env!("CARGO_PKG_VERSION"), master.name));
    ProductFile::write(&store.products().resolve(&relative)?, |path| {
        Ok(fits::write_image(path, &master.pixels, &header)?)
    })?;
    let payload = Payload {
        name: master.name.clone(),
        night: night.to_string(),
        noise: master.noise,
        frame_noise: master.frame_noise,
        n_frames: master.n_frames,
        has_pedestal: master.has_pedestal,
        exposure_s: master.exposure_s,
        temperature_c: master.temperature_c,
    };
    let payload = serde_json::to_string(&payload)
        .map_err(|source| OpsError::Payload { subject: master.name.clone(), source })?;
    store.put_master(night, &MasterRow { key, path: relative, made_from, taken, payload })?;
    Ok(())
}

/// What two masters must share besides exposure and temperature.
fn key_prefix(key: &MasterKey) -> String {
    let g = &key.geometry;
    format!(
        "{:?}/{}/{}x{}/{}x{}+{}+{}/{}/",
        key.kind,
        g.instrument,
        g.binning.0,
        g.binning.1,
        g.nx,
        g.ny,
        g.origin_px.0,
        g.origin_px.1,
        if g.is_overscan_subtracted { "overscan" } else { "plain" },
    )
}

fn key_text(key: &MasterKey) -> String {
    let filter = key.filter.as_deref().unwrap_or("-");
    let exposure = key.exposure_ms.map_or("-".to_owned(), |ms| ms.to_string());
    let class = key.temperature_class.map_or("-".to_owned(), |c| c.to_string());
    format!("{}{filter}/{exposure}/{class}", key_prefix(key))
}

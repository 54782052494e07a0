//! Masters as files of the store: kept for later nights, found by what must be equal.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::super::error::OpsError;
use crate::formats::fits::{self, Header, Limits};
use crate::pipeline::artifact::frame_info::FrameKind;
use crate::pipeline::masters::{
    EarlierMasters, Master, MasterFacts, MasterKey, MasterOrigin, MeasuredDetector,
};
use crate::science::calib::gain::Measured;
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
    /// Gain [e-/ADU] and read noise [ADU] measured in its night, each with its error.
    #[serde(default)]
    gain_e_per_adu: Option<(f64, f64)>,
    #[serde(default)]
    read_noise_adu: Option<(f64, f64)>,
    /// Whether it was refused because it differed from the one before.
    #[serde(default)]
    is_refused: bool,
}

/// A row with what its payload says.
type KnownMaster = (MasterRow, Payload);

/// Masters that were read, by file and content; `None` where that failed.
type ReadMasters = BTreeMap<(PathBuf, String), Option<Arc<Master>>>;

/// Masters of earlier nights in the store; rows and files are read once.
pub(super) struct StoredMasters {
    store: Arc<Store>,
    night: NightId,
    until: Option<Epoch>,
    known: Mutex<BTreeMap<String, Arc<Vec<KnownMaster>>>>,
    read: Mutex<ReadMasters>,
}

impl StoredMasters {
    /// The masters taken before an instant in other nights than this one.
    pub(super) fn before(store: &Arc<Store>, night: &NightId, until: Option<Epoch>) -> Self {
        let (store, night) = (Arc::clone(store), night.clone());
        Self { store, night, until, known: Mutex::default(), read: Mutex::default() }
    }

    /// The instant.
    pub(super) fn until(&self) -> Option<Epoch> {
        self.until
    }

    /// Masters of other nights with the geometry of a key, newest first.
    fn known(&self, want: &MasterKey) -> Option<Arc<Vec<KnownMaster>>> {
        let prefix = key_prefix(want);
        let mut known = self.known.lock().ok()?;
        if let Some(found) = known.get(&prefix) {
            return Some(Arc::clone(found));
        }
        let until = self.until.unwrap_or(Epoch::from_mjd_utc(f64::INFINITY));
        let rows = self.store.read().masters(&prefix).ok()?;
        let found = rows.into_iter().filter(|row| row.taken <= until).filter_map(|row| {
            let payload: Payload = serde_json::from_str(&row.payload).ok()?;
            (payload.night != self.night.as_str()).then_some((row, payload))
        });
        let found = Arc::new(found.collect());
        known.insert(prefix, Arc::clone(&found));
        Some(found)
    }

    /// The newest one that fits and can be read.
    fn look_up(
        &self,
        want: &MasterKey,
        is_refused: bool,
        is_fit: &dyn Fn(&MasterFacts) -> bool,
    ) -> Option<Arc<Master>> {
        let is_dark = want.kind == FrameKind::Dark;
        let fits_key = |row: &MasterRow| is_dark || row.key == key_text(want);
        let known = self.known(want)?;
        let fitting = known.iter().filter(|(row, payload)| {
            payload.is_refused == is_refused && fits_key(row) && is_fit(&payload.facts())
        });
        fitting.into_iter().find_map(|(row, payload)| self.load(want, row, payload))
    }

    fn load(&self, want: &MasterKey, row: &MasterRow, payload: &Payload) -> Option<Arc<Master>> {
        let mut read = self.read.lock().ok()?;
        let place = (row.path.clone(), row.key.clone());
        if let Some(found) = read.get(&place) {
            return found.clone();
        }
        let found = self.read_file(want, row, payload);
        read.insert(place, found.clone());
        found
    }

    fn read_file(
        &self,
        want: &MasterKey,
        row: &MasterRow,
        payload: &Payload,
    ) -> Option<Arc<Master>> {
        let path = self.store.products().resolve(&row.path).ok()?;
        let image = fits::probe(&path, &Limits::default()).ok()?;
        let pixels = fits::read_pixels(&path, &image).ok()?;
        let is_dark = want.kind == FrameKind::Dark;
        let exposure_ms = is_dark.then(|| (payload.exposure_s * 1000.0).round() as u64);
        let measured =
            |pair: Option<(f64, f64)>| pair.map(|(value, error)| Measured { value, error });
        Some(Arc::new(Master {
            key: MasterKey { exposure_ms, ..want.clone() },
            name: payload.name.clone(),
            origin: MasterOrigin::Earlier { night: payload.night.clone() },
            pixels,
            noise: payload.noise,
            frame_noise: payload.frame_noise,
            n_frames: payload.n_frames,
            has_pedestal: payload.has_pedestal,
            exposure_s: payload.exposure_s,
            temperature_c: payload.temperature_c,
            measured: MeasuredDetector {
                gain_e_per_adu: measured(payload.gain_e_per_adu),
                read_noise_adu: measured(payload.read_noise_adu),
            },
            turned: Default::default(),
            bad: Default::default(),
        }))
    }
}

impl Payload {
    fn facts(&self) -> MasterFacts {
        let (exposure_s, temperature_c) = (self.exposure_s, self.temperature_c);
        MasterFacts { exposure_s, temperature_c, has_pedestal: self.has_pedestal }
    }
}

impl EarlierMasters for StoredMasters {
    fn newest(
        &self,
        want: &MasterKey,
        is_fit: &dyn Fn(&MasterFacts) -> bool,
    ) -> Option<Arc<Master>> {
        self.look_up(want, false, is_fit)
    }

    fn newest_refused(
        &self,
        want: &MasterKey,
        is_fit: &dyn Fn(&MasterFacts) -> bool,
    ) -> Option<Arc<Master>> {
        self.look_up(want, true, is_fit)
    }
}

/// Whether a master may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MasterUse {
    /// It may.
    Accepted,
    /// It differs too much from the one before and only is remembered.
    Refused,
}

/// Writes a master of the night and its row.
pub(super) fn keep_master(
    store: &Store,
    night: &NightId,
    master: &Master,
    (made_from, taken): (Vec<String>, Epoch),
    use_as: MasterUse,
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
        gain_e_per_adu: master.measured.gain_e_per_adu.map(|m| (m.value, m.error)),
        read_noise_adu: master.measured.read_noise_adu.map(|m| (m.value, m.error)),
        is_refused: use_as == MasterUse::Refused,
    };
    let payload = serde_json::to_string(&payload)
        .map_err(|source| OpsError::Payload { subject: master.name.clone(), source })?;
    store.put_master(night, &MasterRow { key, path: relative, made_from, taken, payload })?;
    Ok(())
}

/// What two masters must share besides exposure and temperature.
fn key_prefix(key: &MasterKey) -> String {
    let g = &key.geometry;
    let window = match g.window_px {
        (0, 0) => String::new(),
        (x, y) => format!("@{x}+{y}"),
    };
    // A slash belongs to no chip: one of that name cannot be taken for another size.
    let chip = match g.chip.replace('/', "|") {
        chip if chip.is_empty() => chip,
        chip => format!("[{chip}]"),
    };
    format!(
        "{:?}/{}{chip}/{}x{}/{}x{}+{}+{}{}/{}/",
        key.kind,
        g.instrument,
        g.binning.0,
        g.binning.1,
        g.nx,
        g.ny,
        g.origin_px.0,
        g.origin_px.1,
        window,
        if g.is_overscan_subtracted { "overscan" } else { "plain" },
    )
}

fn key_text(key: &MasterKey) -> String {
    let filter = key.filter.as_deref().unwrap_or("-");
    let exposure = key.exposure_ms.map_or("-".to_owned(), |ms| ms.to_string());
    let class = key.temperature_class.map_or("-".to_owned(), |c| c.to_string());
    format!("{}{filter}/{exposure}/{class}", key_prefix(key))
}

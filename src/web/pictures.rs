//! Pictures of frames and candidates, made when they are asked for and kept in memory, a bounded
//! number of bytes of them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::error::Refusal;
use super::form::Fields;
use super::page::Page;
use super::session::Visitor;
use crate::formats::fits::{self, Limits};
use crate::ops::cutouts;
use crate::pipeline::artifact::cutouts::View;
use crate::report::blink_apng;
use crate::report::quicklook::{binned, grey_png};
use crate::store::NightId;

/// Bytes of pictures that are kept.
pub(super) const SIZE_MAX_BYTES: usize = 64 << 20;
/// Sides of a frame's pictures [px].
const LARGE_PX: usize = 512;
const SMALL_PX: usize = 128;
/// Side of a candidate's small picture [px].
const THUMB_PX: usize = 64;
/// Frames whose pixels are read at the same time: each may take hundreds of MiB.
static FRAMES_READ: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(1));

/// What is kept, by name; what was not asked for the longest goes first.
#[derive(Debug)]
pub(super) struct Pictures {
    kept: Mutex<Kept>,
    size_max_bytes: usize,
}

#[derive(Debug, Default)]
struct Kept {
    by_name: HashMap<String, (Bytes, u64)>,
    size_bytes: usize,
    n_asked: u64,
}

impl Pictures {
    pub(super) fn new(size_max_bytes: usize) -> Self {
        Self { kept: Mutex::default(), size_max_bytes }
    }

    fn find(&self, name: &str) -> Option<Bytes> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.n_asked += 1;
        let now = kept.n_asked;
        let (bytes, asked) = kept.by_name.get_mut(name)?;
        *asked = now;
        Some(bytes.clone())
    }

    fn keep(&self, name: String, bytes: Bytes) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.n_asked += 1;
        let now = kept.n_asked;
        kept.size_bytes += bytes.len();
        if let Some((former, _)) = kept.by_name.insert(name, (bytes, now)) {
            kept.size_bytes -= former.len();
        }
        while kept.size_bytes > self.size_max_bytes {
            let oldest = kept.by_name.iter().min_by_key(|(_, (_, asked))| *asked);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else { break };
            if let Some((gone, _)) = kept.by_name.remove(&oldest) {
                kept.size_bytes -= gone.len();
            }
        }
    }

    /// What is kept under a name, or what `make` makes.
    pub(super) fn get(
        &self,
        name: String,
        make: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<Bytes> {
        if let Some(bytes) = self.find(&name) {
            return Some(bytes);
        }
        let bytes = Bytes::from(make()?);
        self.keep(name, bytes.clone());
        Some(bytes)
    }
}

/// Names the state of a night's products: another one when the night is closed anew.
pub(super) fn version(page: &Page, night: &NightId) -> Result<String, Refusal> {
    let closed = page.store.read().night_closed_at(night)?;
    Ok(format!("{:x}", closed.map_or(0, f64::to_bits)))
}

/// A picture as an answer; for ever when its address names the present state.
pub(super) fn answer(bytes: Bytes, kind: &'static str, is_present: bool) -> Response {
    let cache = if is_present { "private, max-age=31536000, immutable" } else { "no-cache" };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], bytes).into_response()
}

/// A picture of a candidate: `thumb.png`, or an animation named by its view, as `sky.png`.
pub(super) async fn candidate(
    State(page): State<Arc<Page>>,
    _visitor: Visitor,
    Path((night, id, name)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    page.work(move |page| {
        let night = page.night(&night)?;
        let version = version(page, &night)?;
        let stem = name.strip_suffix(".png").ok_or(Refusal::NoPicture)?;
        let view = View::named(stem);
        if view.is_none() && stem != "thumb" {
            return Err(Refusal::NoPicture);
        }
        let key = format!("candidate/{night}/{version}/{id}/{stem}");
        let make = || {
            let cutouts = cutouts::load(page.store.products(), &night, &id)?;
            let Some(view) = view else {
                let middle = cutouts.frames.get(cutouts.frames.len() / 2)?;
                return grey_png(&binned(&middle.on_object, THUMB_PX));
            };
            blink_apng(&cutouts, view, page.blink_ms).ok()
        };
        let bytes = page.pictures.get(key, make).ok_or(Refusal::NoPicture)?;
        let is_present = Fields::of_query(query.as_deref()).text("v") == version;
        Ok(answer(bytes, "image/png", is_present))
    })
    .await
}

/// A picture of a frame: `large.png` or `small.png`.
pub(super) async fn frame(
    State(page): State<Arc<Page>>,
    _visitor: Visitor,
    Path((night, hash, name)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let is_known = name == "large.png" || name == "small.png";
    if !is_known || hash.is_empty() || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::NoPicture);
    }
    let is_kept = {
        let (name, hash, night) = (name.clone(), hash.clone(), night.clone());
        let find = move |page: &Page| {
            let night = page.night(&night)?;
            let version = version(page, &night)?;
            let is_present = Fields::of_query(query.as_deref()).text("v") == version;
            let prefix = format!("frame/{night}/{version}/{hash}/");
            let found = page.pictures.find(&format!("{prefix}{name}"));
            Ok((night, prefix, is_present, found))
        };
        Arc::clone(&page).work(find).await?
    };
    let (night, prefix, is_present, found) = is_kept;
    if let Some(bytes) = found {
        return Ok(answer(bytes, "image/png", is_present));
    }
    let Ok(_turn) = FRAMES_READ.acquire().await else { return Err(Refusal::Busy) };
    page.work(move |page| {
        // Somebody else may have made it meanwhile.
        let key = format!("{prefix}{name}");
        if page.pictures.find(&key).is_none() {
            make_frame(page, &night, &hash, &prefix)?;
        }
        let bytes = page.pictures.find(&key).ok_or(Refusal::NoPicture)?;
        Ok(answer(bytes, "image/png", is_present))
    })
    .await
}

/// Makes both pictures of a frame from its calibrated product.
fn make_frame(page: &Page, night: &NightId, hash: &str, prefix: &str) -> Result<(), Refusal> {
    let results = page.store.read().frame_results(night, Some(hash))?;
    let calibrated = results.iter().find_map(|result| {
        let payload: serde_json::Value = serde_json::from_str(&result.payload).ok()?;
        Some(payload.get("products")?.get("calibrated")?.as_str()?.to_owned())
    });
    let image = calibrated.and_then(|relative| {
        let path = page.store.products().resolve(std::path::Path::new(&relative)).ok()?;
        let info = fits::probe(&path, &Limits::default()).ok()?;
        fits::read_pixels(&path, &info).ok()
    });
    let image = image.ok_or(Refusal::NoPicture)?;
    for (name, side_px) in [("large.png", LARGE_PX), ("small.png", SMALL_PX)] {
        let bytes = grey_png(&binned(&image, side_px)).ok_or(Refusal::NoPicture)?;
        page.pictures.keep(format!("{prefix}{name}"), Bytes::from(bytes));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let pictures = Pictures::new(100);
        let make = || Some(vec![0; 40]);
        for name in ["a", "b", "a", "c"] {
            assert!(pictures.get(name.to_owned(), make).is_some());
        }
        assert!(pictures.find("b").is_none(), "the one not asked for the longest");
        assert!(pictures.find("a").is_some() && pictures.find("c").is_some());
        assert_eq!(pictures.get("d".to_owned(), || None), None);
        assert!(pictures.get("large".to_owned(), || Some(vec![0; 200])).is_some());
        let kept = pictures.kept.lock().expect("no panic");
        assert_eq!((kept.size_bytes, kept.by_name.len()), (0, 0));
    }
}

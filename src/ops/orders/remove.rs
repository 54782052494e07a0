//! Taking away what was made of a frame, or a master: files and rows, never raw files.
//!
//! Both are made again by the next run. A frame is left alone for good by a rule
//! (`instrument.rules_files`), which the command line writes before it gives this order.

use std::path::{Path, PathBuf};

use super::{OrderDone, OrderError, done_for, find_frame, find_night};
use crate::ops::frame_list::{MasterView, find_master};
use crate::ops::overview;
use crate::store::requests::Forget;
use crate::store::{NightId, ProductKind, Reader, Store};

/// What a text means: a frame with its products, or a master.
#[derive(Debug, Clone, PartialEq)]
pub enum Removable {
    /// A science frame.
    Frame {
        /// Its night.
        night: NightId,
        /// Its file's name.
        name: String,
        /// Its content hash, hexadecimal.
        content_hash: String,
        /// Its products, relative to the data folder.
        products: Vec<String>,
    },
    /// A master.
    Master {
        /// Its night.
        night: NightId,
        /// The master.
        view: Box<MasterView>,
    },
}

impl Removable {
    /// The files that go, relative to the data folder.
    pub fn files(&self) -> Vec<String> {
        match self {
            Self::Frame { products, .. } => products.clone(),
            Self::Master { view, .. } => vec![view.path.clone()],
        }
    }
}

/// Finds the frame or the master that a person means.
pub fn find(reader: &Reader, what: &str, night: Option<&str>) -> Result<Removable, OrderError> {
    let night = night.map(|night| find_night(reader, night)).transpose()?;
    let unknown = match find_frame(reader, what, night.as_ref()) {
        Ok(found) => {
            let night = find_night(reader, &found.night)?;
            let view = overview::frame(reader, &found).map_err(|e| OrderError::Ops(Box::new(e)))?;
            let (name, content_hash) = (found.name, found.content_hash);
            return Ok(Removable::Frame { night, name, content_hash, products: view.products });
        }
        Err(unknown @ OrderError::UnknownFrame { .. }) => unknown,
        Err(error) => return Err(error),
    };
    let masters =
        find_master(reader, what, night.as_ref()).map_err(|e| OrderError::Ops(Box::new(e)))?;
    match &masters[..] {
        [] => Err(unknown),
        [one] => Ok(Removable::Master {
            night: find_night(reader, &one.night)?,
            view: Box::new(one.clone()),
        }),
        [..] => {
            let choices: Vec<String> =
                masters.iter().map(|m| format!("{} of {} ({})", m.name, m.night, m.path)).collect();
            let choices = super::list(choices.iter().map(String::as_str));
            Err(OrderError::AmbiguousFrame { frame: what.to_owned(), choices })
        }
    }
}

/// Takes it away.
pub(super) fn remove(
    store: &Store,
    what: &str,
    night: Option<&str>,
) -> Result<OrderDone, OrderError> {
    let found = find(store.read(), what, night)?;
    let files = found.files();
    let (night, text) = match found {
        Removable::Frame { night, name, content_hash, .. } => {
            let folder = store.read().night_folder(&night)?.unwrap_or_default();
            if !folder.is_dir() {
                return Err(OrderError::NoRawFiles { night, folder });
            }
            store.forget_stages(&night, &Forget::Frame(content_hash))?;
            store.forget_frame(&night, &name)?;
            let text = format!(
                "What was made of frame {name} of night {night} is taken away ({} files); it is \
                 made again by the next run unless a rule leaves the frame alone.",
                files.len()
            );
            (night, text)
        }
        Removable::Master { night, view } => {
            store.forget_stages(&night, &Forget::Night)?;
            store.forget_master(&night, &view.key)?;
            let text = format!(
                "Master {} of night {night} is taken away; it is made again by the next run of \
                 that night.",
                view.name
            );
            (night, text)
        }
    };
    delete(store, &night, &files)?;
    Ok(done_for(&night, text))
}

/// Deletes product files of a night; those that are gone are no error.
fn delete(store: &Store, night: &NightId, files: &[String]) -> Result<(), OrderError> {
    let paths: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    for kind in [ProductKind::Calibrated, ProductKind::Catalogue, ProductKind::Masters] {
        for product in store.products().found(night, kind)? {
            if paths.iter().any(|path| Path::new(path) == product.relative) {
                store.products().remove(night, kind, &product)?;
            }
        }
    }
    Ok(())
}

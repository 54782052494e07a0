//! The kept cut-outs of a night: a FITS file per candidate; and pictures of them for people.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::OpsError;
use crate::formats::fits::{self, FitsError};
use crate::pipeline::artifact::cutout_hdus::{NEIGHBOURS_EXTNAME, limits};
use crate::pipeline::artifact::cutouts::{Cutouts, View};
use crate::report::{ReportError, blink_apng, blink_gif, strip_png};
use crate::store::{NightId, ProductFile, ProductKind, Products};

/// The cut-outs of a candidate; `None` when there are none (an old night, a pruned one), or when
/// their file is damaged, which the log tells.
pub fn load(products: &Products, night: &NightId, candidate: &str) -> Option<Cutouts> {
    let relative = products.relative_path(night, ProductKind::Cutouts, &name(candidate)).ok()?;
    let path = products.resolve(&relative).ok()?;
    if !path.is_file() {
        return None;
    }
    let read = || -> Result<Option<Cutouts>, FitsError> {
        let (primary, hdus) = fits::read_extensions(&path, &limits())?;
        let (_, neighbours) = fits::read_table(&path, &limits())?;
        Ok(Cutouts::from_hdus(&primary, hdus, &neighbours))
    };
    match read() {
        Ok(Some(cutouts)) => Some(cutouts),
        Ok(None) => {
            tracing::warn!(path = %path.display(), "Cut-outs are not whole: reprocess the night.");
            None
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "Cut-outs cannot be read.");
            None
        }
    }
}

/// Whether there is a file of a candidate's cut-outs.
pub fn is_kept(products: &Products, night: &NightId, candidate: &str) -> bool {
    let relative = products.relative_path(night, ProductKind::Cutouts, &name(candidate));
    let path = relative.and_then(|relative| products.resolve(&relative));
    path.is_ok_and(|path| path.is_file())
}

/// Keeps the cut-outs of a candidate; returns their path relative to the data folder.
pub fn save(products: &Products, night: &NightId, cutouts: &Cutouts) -> Result<PathBuf, OpsError> {
    let name = name(&cutouts.candidate_id);
    let relative = products.relative_path(night, ProductKind::Cutouts, &name)?;
    ProductFile::write(&products.resolve(&relative)?, |path| {
        let table = cutouts.neighbour_columns();
        let (primary, hdus) = (cutouts.primary_header(), cutouts.to_hdus());
        Ok(fits::write_extensions(path, &primary, &hdus, (&table, NEIGHBOURS_EXTNAME))?)
    })?;
    Ok(relative)
}

/// Removes the cut-outs of a night but for these.
pub(super) fn remove_others(
    products: &Products,
    night: &NightId,
    kept: &BTreeSet<PathBuf>,
) -> Result<(), OpsError> {
    for file in products.found(night, ProductKind::Cutouts)? {
        if !kept.contains(&file.relative) {
            products.remove(night, ProductKind::Cutouts, &file)?;
        }
    }
    Ok(())
}

/// What cut-outs are exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutoutFormat {
    /// All frames side by side.
    Png,
    /// An animation of limited size.
    Gif,
    /// An animation of all frames.
    Apng,
    /// The stamps themselves, in all views.
    Fits,
}

/// How cut-outs are exported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutoutExport {
    /// As what.
    pub format: CutoutFormat,
    /// Which stamps; those that show the motion best when none is named.
    pub view: Option<View>,
    /// Time of a picture in an animation [ms].
    pub blink_ms: u64,
}

/// What became of an export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CutoutsExported {
    /// Files written.
    pub files: Vec<PathBuf>,
    /// Candidates whose cut-outs cannot be shown so: damaged, or without a static sky.
    pub left_out: Vec<String>,
}

/// Candidates of a night that have cut-outs, in order of their names.
pub fn candidates(products: &Products, night: &NightId) -> Result<Vec<String>, OpsError> {
    let files = products.found(night, ProductKind::Cutouts)?;
    let stem = |path: &Path| Some(path.file_stem()?.to_str()?.to_owned());
    Ok(files.iter().filter_map(|file| stem(&file.relative)).collect())
}

/// Writes the cut-outs of candidates into a folder, a file each; replaces files of their names.
pub fn export(
    products: &Products,
    night: &NightId,
    candidates: &[String],
    folder: &Path,
    how: CutoutExport,
) -> Result<CutoutsExported, OpsError> {
    let mut done = CutoutsExported::default();
    for candidate in candidates {
        match exported(products, night, candidate, how)? {
            Some((ending, bytes)) => {
                let path = folder.join(format!("{night}-{candidate}{ending}"));
                ProductFile::write_bytes(&path, &bytes)?;
                done.files.push(path);
            }
            None => done.left_out.push(candidate.clone()),
        }
    }
    Ok(done)
}

/// The end of a file's name and its content; `None` when there is nothing to show.
fn exported(
    products: &Products,
    night: &NightId,
    candidate: &str,
    how: CutoutExport,
) -> Result<Option<(String, Vec<u8>)>, OpsError> {
    let Some(cutouts) = load(products, night, candidate) else { return Ok(None) };
    let view = how.view.unwrap_or_else(|| cutouts.best_view());
    let (ending, drawn) = match how.format {
        CutoutFormat::Png => ("png", strip_png(&cutouts, view)),
        CutoutFormat::Gif => ("gif", blink_gif(&cutouts, view, how.blink_ms)),
        CutoutFormat::Apng => ("apng", blink_apng(&cutouts, view, how.blink_ms)),
        CutoutFormat::Fits => {
            let relative = products.relative_path(night, ProductKind::Cutouts, &name(candidate))?;
            let path = products.resolve(&relative)?;
            let bytes = std::fs::read(&path).map_err(|source| OpsError::Read { path, source })?;
            return Ok(Some((".fits".to_owned(), bytes)));
        }
    };
    match drawn {
        Ok(bytes) => Ok(Some((format!("-{}.{ending}", view.name()), bytes))),
        Err(ReportError::NoStamps) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Name of a candidate's file.
fn name(candidate: &str) -> String {
    format!("{candidate}.fits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::artifact::cutouts::FrameCutout;
    use crate::science::image::Image;

    fn cutouts(candidate: &str) -> Cutouts {
        let image = Image::from_pixels(3, 3, (0..9_u8).map(f32::from).collect()).expect("nine");
        Cutouts {
            candidate_id: candidate.to_owned(),
            side_px: 3,
            scale_arcsec: 0.7,
            sky_centre_deg: (10.0, 20.0),
            frames: vec![FrameCutout {
                frame: "a.fits".to_owned(),
                mid_mjd_utc: 61_100.5,
                predicted_deg: (10.0, 20.0),
                detected_deg: None,
                on_object: image.clone(),
                on_object_subtracted: None,
                on_sky: image.clone(),
                on_sky_subtracted: Some(image),
            }],
            neighbours: Vec::new(),
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
    fn what_is_kept_is_loaded_and_what_vanished_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let products = Products::below(folder.path());
        let night = NightId::new("2026-03-01").expect("a name");
        assert_eq!(load(&products, &night, "ABC"), None);
        let first = save(&products, &night, &cutouts("ABC")).expect("kept");
        let bytes = std::fs::read(folder.path().join(&first)).expect("read");
        save(&products, &night, &cutouts("ABC")).expect("kept again");
        assert_eq!(bytes, std::fs::read(folder.path().join(&first)).expect("read"), "same bytes");
        save(&products, &night, &cutouts("OLD")).expect("kept");
        assert_eq!(load(&products, &night, "ABC"), Some(cutouts("ABC")));
        let how = CutoutExport { format: CutoutFormat::Png, view: None, blink_ms: 400 };
        let all = candidates(&products, &night).expect("listed");
        assert_eq!(all, ["ABC", "OLD"]);
        let out = folder.path().join("out");
        let done = export(&products, &night, &all, &out, how).expect("written");
        assert_eq!(done.files.last(), Some(&out.join("2026-03-01-OLD-sky.png")));
        let view = View::named("object-subtracted");
        let how = CutoutExport { view, ..how };
        let done = export(&products, &night, &all, &out, how).expect("nothing to write");
        assert_eq!((done.files.len(), done.left_out.len()), (0, 2), "no static sky");
        let how = CutoutExport { format: CutoutFormat::Fits, ..how };
        let done = export(&products, &night, &all, &out, how).expect("written");
        assert_eq!(std::fs::read(&done.files[0]).expect("read"), bytes);
        for trick in ["../cutouts/ABC", "", ".", "/etc/passwd", "A\0"] {
            assert_eq!(load(&products, &night, trick), None, "{trick:?}");
        }
        remove_others(&products, &night, &BTreeSet::from([first.clone()])).expect("removed");
        assert_eq!(load(&products, &night, "OLD"), None);
        assert!(load(&products, &night, "ABC").is_some());
        std::fs::write(folder.path().join(first), &bytes[..bytes.len() / 2]).expect("damaged");
        assert_eq!(load(&products, &night, "ABC"), None, "damaged");
    }
}

//! Maps of weights beside the frames: `calibrate.weight_dir` (WEIGHT_IMAGES of ssos).
//!
//! The map of `a.fits` is `a.weight.fits`, that of its HDU 2 `a_2.weight.fits` or HDU 2 of
//! `a.weight.fits`; `.weight` alone and packed files serve too. A map's content is part of what a
//! frame's result depends on, so that a new map makes the frame anew.

use std::path::{Path, PathBuf};

use super::take::{chain, content_hash};
use crate::config::Config;
use crate::formats::fits::{self, FitsError, Limits};
use crate::pipeline::artifact::frame_info::{FileImage, FrameInfo, FrameKind};
use crate::pipeline::identify::stem;
use crate::science::image::Image;

/// What may stand behind `.weight`.
const ENDINGS: [&str; 6] = ["", ".fits", ".fits.fz", ".fits.gz", ".fit", ".fts"];

/// Whether there is a map for a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WeightMap {
    /// Nobody asks for one.
    Off,
    /// There is none of this name.
    Missing(String),
    /// There is one.
    Found {
        /// Its file.
        path: PathBuf,
        /// Number of the HDU from which on its image is.
        hdu: usize,
        /// Hash of the file's content, or why it cannot be read.
        content: String,
    },
}

impl WeightMap {
    /// Looks for the map of a science frame.
    ///
    /// * `file`: name of the frame's file, with folders.
    pub(super) fn look_for(file: &str, info: &FrameInfo, config: &Config) -> Self {
        match config.calibrate.weight_dir.as_deref() {
            Some(folder) if info.kind == FrameKind::Science => {
                Self::look_in(folder, file, info.image.as_ref())
            }
            _ => Self::Off,
        }
    }

    fn look_in(folder: &Path, file: &str, image: Option<&FileImage>) -> Self {
        let stem = stem(file);
        let own = image.map(|image| (format!("{stem}_{}", image.hdu), 0));
        let of_file = (stem.to_owned(), image.map_or(0, |image| image.hdu as usize));
        let expected = own.as_ref().map_or(stem, |(name, _)| name.as_str());
        let expected = format!("{expected}.weight.fits");
        let found = own.into_iter().chain([of_file]).find_map(|(name, hdu)| {
            let names = ENDINGS.iter().map(|ending| format!("{name}.weight{ending}"));
            names.map(|name| folder.join(name)).find(|path| path.is_file()).map(|path| (path, hdu))
        });
        match found {
            None => Self::Missing(expected),
            Some((path, hdu)) => {
                let content = content_hash(&path).unwrap_or_else(|error| error.to_string());
                Self::Found { path, hdu, content }
            }
        }
    }

    /// What a frame's result depends on.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Off => "",
            Self::Missing(_) => "no weights",
            Self::Found { content, .. } => content,
        }
    }

    /// The map's pixels; else a remark, unless nobody asked for one.
    pub(super) fn read(&self, limits: &Limits) -> Result<Image<f32>, Option<String>> {
        match self {
            Self::Off => Err(None),
            Self::Missing(name) => {
                Err(Some(format!("no map of weights {name}: every pixel counts alike")))
            }
            Self::Found { path, hdu, .. } => pixels(path, *hdu, limits).map_err(|error| {
                let why = chain(&error);
                Some(format!("WARNING: map of weights {} not used: {why}", path.display()))
            }),
        }
    }
}

fn pixels(path: &Path, hdu: usize, limits: &Limits) -> Result<Image<f32>, FitsError> {
    fits::read_pixels(path, &fits::probe_from(path, limits, hdu)?)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use super::*;

    #[test]
    fn maps_are_found_by_the_names_of_frames() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.weight.fits", "b_2.weight", "b.weight.fits.gz"] {
            std::fs::write(folder.path().join(name), name).expect("a file");
        }
        let part = |hdu| FileImage { hdu, number: hdu, chip: "X".to_owned() };
        let look = |file: &str, image: Option<&FileImage>| match WeightMap::look_in(
            folder.path(),
            file,
            image,
        ) {
            WeightMap::Off => "off".to_owned(),
            WeightMap::Missing(name) => format!("no {name}"),
            WeightMap::Found { path, hdu, .. } => {
                format!("{} from {hdu}", path.file_name().expect("a name").to_string_lossy())
            }
        };
        assert_eq!(look("a.fits", None), "a.weight.fits from 0");
        assert_eq!(look("x/b.fits", Some(&part(2))), "b_2.weight from 0");
        assert_eq!(look("b.fits", Some(&part(3))), "b.weight.fits.gz from 3");
        assert_eq!(look("c.fits", Some(&part(3))), "no c_3.weight.fits");
    }
}

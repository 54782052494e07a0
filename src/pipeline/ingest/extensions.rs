//! Which images of a file are frames.
//!
//! A file's frame is the image of its primary HDU. A file whose images lie in extensions gives a
//! frame for each that is a picture of the sky (`SCI_EXTENSION All` of ssos); maps beside it, as
//! masks, errors and weights, are known by their names and left out. A list of numbers or names
//! says otherwise. A file with one image needs no choice: that is the frame, whatever is listed.

use serde::Deserialize;

use crate::formats::fits::{Header, ImageInfo};
use crate::pipeline::artifact::frame_info::FileImage;

/// Names of extensions (EXTNAME, digits behind them aside) that hold no picture of the sky.
const MAPS: [&str; 24] = [
    "MASK",
    "BPM",
    "BADPIX",
    "DQ",
    "FLAG",
    "FLAGS",
    "ERR",
    "ERROR",
    "SIGMA",
    "RMS",
    "VAR",
    "VARIANCE",
    "UNCERT",
    "UNC",
    "WEIGHT",
    "WHT",
    "WGT",
    "IVAR",
    "INVVAR",
    "SAMP",
    "TIME",
    "CON",
    "BKG",
    "BACKGROUND",
];

/// An extension in a list: its HDU's number (the primary one is 0) or its EXTNAME.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ExtensionName {
    /// Number of the HDU.
    Number(u32),
    /// EXTNAME, or EXTNAME and EXTVER as `SCI,2`.
    Name(String),
}

impl ExtensionName {
    /// Reads a number or a name; `None` when nothing is written.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse() {
            Ok(number) => Some(Self::Number(number)),
            Err(_) => (!text.is_empty()).then(|| Self::Name(text.to_owned())),
        }
    }

    fn means(&self, image: &ImageInfo) -> bool {
        match self {
            Self::Number(number) => *number as usize == image.hdu,
            Self::Name(name) => {
                let own = own_name(&image.header).unwrap_or_default();
                let full = chip(image);
                name.eq_ignore_ascii_case(own) || name.eq_ignore_ascii_case(&full)
            }
        }
    }

    fn told(&self) -> String {
        match self {
            Self::Number(number) => format!("HDU {number}"),
            Self::Name(name) => format!("an extension {name}"),
        }
    }
}

/// An image that was chosen, or why it cannot be.
#[derive(Debug, Clone, PartialEq)]
pub enum Chosen {
    /// The one image of its file.
    Whole(Box<ImageInfo>),
    /// One of several.
    Part(Box<ImageInfo>, FileImage),
    /// What is listed and not there.
    Missing {
        /// What was listed, as it was written.
        listed: String,
        /// What there is instead, for people.
        why: String,
    },
}

/// Chooses the frames among a file's images, in order.
///
/// * `listed`: the wanted ones; none = those that are pictures of the sky.
pub fn choose_images(images: Vec<ImageInfo>, listed: &[ExtensionName]) -> Vec<Chosen> {
    let n_images = images.len();
    if n_images <= 1 {
        return images.into_iter().map(|image| Chosen::Whole(Box::new(image))).collect();
    }
    let is_wanted = |image: &ImageInfo| {
        if listed.is_empty() { is_sky(&image.header) } else { means_any(listed, image) }
    };
    let missing: Vec<Chosen> = listed
        .iter()
        .filter(|wanted| !images.iter().any(|image| wanted.means(image)))
        .map(|wanted| Chosen::Missing {
            listed: match wanted {
                ExtensionName::Number(number) => number.to_string(),
                ExtensionName::Name(name) => name.clone(),
            },
            why: format!(
                "instrument.extensions asks for {}, which is no image here; the images are {}",
                wanted.told(),
                images.iter().map(described).collect::<Vec<_>>().join(", ")
            ),
        })
        .collect();
    let n_wanted = images.iter().filter(|image| is_wanted(image)).count();
    let numbered = (1_u32..).zip(images);
    if listed.is_empty() && n_wanted <= 1 {
        // One picture and its maps: nothing to tell apart.
        let mut all: Vec<ImageInfo> = numbered.map(|(_, image)| image).collect();
        let at = all.iter().position(|image| is_sky(&image.header)).unwrap_or(0);
        return vec![Chosen::Whole(Box::new(all.swap_remove(at)))];
    }
    let parts = numbered.filter(|(_, image)| is_wanted(image));
    let parts = parts.map(|(number, image)| {
        let part = FileImage { hdu: image.hdu as u32, number, chip: chip(&image) };
        Chosen::Part(Box::new(image), part)
    });
    parts.chain(missing).collect()
}

fn means_any(listed: &[ExtensionName], image: &ImageInfo) -> bool {
    listed.iter().any(|wanted| wanted.means(image))
}

fn own_name(header: &Header) -> Option<&str> {
    header.text("EXTNAME").map(str::trim).filter(|name| !name.is_empty())
}

/// Whether an image is a picture of the sky, by its name; one without a name is.
fn is_sky(header: &Header) -> bool {
    let Some(name) = own_name(header) else { return true };
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || "_-. ".contains(c));
    !MAPS.iter().any(|map| map.eq_ignore_ascii_case(stem))
}

/// What tells the parts of a detector apart: the same in all files of a camera.
fn chip(image: &ImageInfo) -> String {
    match (own_name(&image.header), image.header.integer("EXTVER")) {
        (Some(name), Some(version)) if version > 1 => format!("{name},{version}"),
        (Some(name), _) => name.to_owned(),
        (None, _) => format!("HDU {}", image.hdu),
    }
}

/// An image's number and name.
fn described(image: &ImageInfo) -> String {
    match own_name(&image.header) {
        Some(name) => format!("{} ({name})", image.hdu),
        None => image.hdu.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::fits::{ImageHdu, Limits, probe_images, write_extensions};
    use crate::science::image::Image;

    /// The images of a file with extensions of these names.
    fn images(names: &[&str]) -> Vec<ImageInfo> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.fits");
        let hdu = |name: &&str| {
            let mut header = Header::new();
            if !name.is_empty() {
                header.set("EXTNAME", *name, "");
            }
            ImageHdu { header, image: Image::filled(3, 2, 1.0) }
        };
        let hdus: Vec<ImageHdu> = names.iter().map(hdu).collect();
        write_extensions(&path, &Header::new(), &hdus, (&[], "TABLE")).expect("a file");
        probe_images(&path, &Limits::default()).expect("images")
    }

    fn parts(chosen: &[Chosen]) -> Vec<(u32, u32, &str)> {
        chosen
            .iter()
            .map(|chosen| match chosen {
                Chosen::Part(_, part) => (part.hdu, part.number, part.chip.as_str()),
                Chosen::Whole(image) => (image.hdu as u32, 0, ""),
                Chosen::Missing { .. } => (99, 99, ""),
            })
            .collect()
    }

    #[test]
    fn pictures_of_the_sky_are_frames_and_maps_are_not() {
        let all = choose_images(images(&["CHIP1", "mask_1", "CHIP2", "WEIGHT2", ""]), &[]);
        assert_eq!(parts(&all), [(1, 1, "CHIP1"), (3, 3, "CHIP2"), (5, 5, "HDU 5")]);
        // One picture with its maps is the file's frame, wherever it stands.
        assert_eq!(parts(&choose_images(images(&["BPM", "SCI"]), &[])), [(2, 0, "")]);
        assert_eq!(parts(&choose_images(images(&["ERR"]), &[])), [(1, 0, "")]);
        assert_eq!(parts(&choose_images(images(&["DQ", "ERR"]), &[])), [(1, 0, "")]);
    }

    #[test]
    fn a_list_says_which() {
        let listed = ["3", "chip1", "7"].map(|text| ExtensionName::parse(text).expect("a name"));
        let all = choose_images(images(&["CHIP1", "CHIP2", "MASK"]), &listed);
        assert_eq!(parts(&all), [(1, 1, "CHIP1"), (3, 3, "MASK"), (99, 99, "")]);
        let Chosen::Missing { listed: number, why } = &all[2] else { panic!("not there") };
        assert_eq!(number, "7");
        assert!(why.contains("HDU 7") && why.contains("2 (CHIP2)"), "{why}");
        // What is alone is not asked for.
        assert_eq!(parts(&choose_images(images(&["SCI"]), &listed)), [(1, 0, "")]);
        assert_eq!(ExtensionName::parse("  "), None);
        let profile = "name = \"x\"\nextensions = [1, \"CCD4\"]\n";
        let profile = crate::pipeline::ingest::Profile::parse(profile).expect("a profile");
        let told = [ExtensionName::Number(1), ExtensionName::Name("CCD4".to_owned())];
        assert_eq!(profile.extensions, told);
    }
}

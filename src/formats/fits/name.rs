//! Which names of files are those of frames.

/// Endings of FITS files, in lower case.
const ENDINGS: [&str; 3] = [".fits", ".fit", ".fts"];
/// Endings of their compressed forms.
const COMPRESSED: [&str; 2] = [".fz", ".gz"];

/// Tells whether a file's name is that of a FITS file, packed or not, in any case.
pub fn is_frame_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let packed = COMPRESSED.iter().find_map(|ending| lower.strip_suffix(ending));
    let plain = packed.unwrap_or(&lower);
    ENDINGS.iter().any(|ending| plain.len() > ending.len() && plain.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_count_in_any_case() {
        for name in ["a.fits", "A.FIT", "m 31.fts", "a.fits.gz", "a.FITS.FZ", "a.b.fit.Gz"] {
            assert!(is_frame_name(name), "{name}");
        }
        for name in ["a.fit.part", "a.fits.bz2", "fits", ".fits", "a.gz", "a.fits~", "a.jpg", ""] {
            assert!(!is_frame_name(name), "{name}");
        }
    }
}

//! A whole file as bytes, mapped into memory: read by the system when and where it is looked at.

#![expect(unsafe_code, reason = "the one place that maps files")]

use std::fs::File;
use std::io;
use std::path::Path;

/// The bytes of a file.
///
/// Only for files that are put in place whole and never changed afterwards, as the store's are: a
/// newer one takes the name by a rename, the mapped one stays as it was until this is dropped.
#[derive(Debug)]
pub struct Mapped(Option<memmap2::Mmap>);

impl Mapped {
    /// Maps a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Self(None));
        }
        // SAFETY: the bytes may not change while they are looked at. Files that are mapped are
        // written under another name and renamed (`store::files`), and no part of the program
        // opens them for writing; who cuts one short from outside ends the process (SIGBUS), which
        // costs time only.
        let map = unsafe { memmap2::Mmap::map(&file) }?;
        Ok(Self(Some(map)))
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_bytes_also_after_another_took_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&path, b"first").expect("written");
        let mapped = Mapped::open(&path).expect("mapped");
        std::fs::write(&other, b"second one").expect("written");
        std::fs::rename(&other, &path).expect("renamed");
        assert_eq!(mapped.as_ref(), b"first");
        assert_eq!(Mapped::open(&path).expect("mapped").as_ref(), b"second one");
        std::fs::write(&other, b"").expect("written");
        assert!(Mapped::open(&other).expect("an empty file").as_ref().is_empty());
        assert!(Mapped::open(&folder.path().join("none")).is_err());
    }
}

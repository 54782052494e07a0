//! What a file system is and how much space it has.

use std::io;
use std::path::Path;

use rustix::fs::{statfs, statvfs};

/// Magic numbers of network file systems (statfs(2), linux/magic.h): NFS, SMB, SMB2, CIFS, 9P,
/// AFS, Coda, NCP, Ceph, and FUSE, whose most common one is sshfs.
const NETWORK_MAGICS: [u32; 10] = [
    0x0000_6969,
    0x0000_517B,
    0xFE53_4D42,
    0xFF53_4D42,
    0x0102_1997,
    0x5346_414F,
    0x7375_7245,
    0x0000_564C,
    0x00C3_6400,
    0x6573_5546,
];

/// Tells whether a path lies on a network file system: no events, and locks that lie.
pub fn is_network(path: &Path) -> io::Result<bool> {
    // The field's width differs between machines; the numbers have 32 bits.
    let magic = statfs(path)?.f_type as u32;
    Ok(NETWORK_MAGICS.contains(&magic))
}

/// Space that a user without privileges may still use on the file system of a path [bytes].
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let found = statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_folder_is_local_and_has_space() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!is_network(folder.path()).expect("a file system"));
        assert!(free_bytes(folder.path()).expect("a file system") > 0);
        assert!(is_network(Path::new("/does/not/exist")).is_err());
    }
}

//! The disk guard: work pauses before the disk is full and goes on by itself.

use std::path::Path;

use crate::store::filesystem;

/// Bytes of a mebibyte.
pub(super) const BYTES_PER_MIB: u64 = 1 << 20;
/// Free space at which paused work goes on, per tenth of the limit: 1.1 times the limit.
const RESUME_TENTHS: u64 = 11;

/// What a look at the disk gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskState {
    /// Work may go on.
    Enough,
    /// Work must pause.
    Low {
        /// Space that is there [MiB].
        free_mib: u64,
        /// Space at which work goes on [MiB].
        wanted_mib: u64,
    },
}

/// Watches the free space of the data folder's disk.
#[derive(Debug, Clone)]
pub struct DiskGuard {
    free_min_mib: u64,
    is_paused: bool,
}

impl DiskGuard {
    /// A guard that pauses below a free space [MiB]; 0 = never.
    pub const fn new(free_min_mib: u64) -> Self {
        Self { free_min_mib, is_paused: false }
    }

    /// Looks at the disk of the data folder; when it cannot be measured the last answer holds.
    pub fn look(&mut self, data_dir: &Path) -> DiskState {
        match filesystem::free_bytes(data_dir) {
            Ok(free_bytes) => self.judge(free_bytes / BYTES_PER_MIB),
            Err(error) => {
                tracing::warn!(folder = %data_dir.display(), %error, "Free space not measured.");
                if self.is_paused { self.low(0) } else { DiskState::Enough }
            }
        }
    }

    /// Judges a free space [MiB].
    fn judge(&mut self, free_mib: u64) -> DiskState {
        self.is_paused = match self.is_paused {
            true => free_mib < self.wanted_mib(),
            false => free_mib < self.free_min_mib,
        };
        if self.is_paused { self.low(free_mib) } else { DiskState::Enough }
    }

    const fn low(&self, free_mib: u64) -> DiskState {
        DiskState::Low { free_mib, wanted_mib: self.wanted_mib() }
    }

    const fn wanted_mib(&self) -> u64 {
        self.free_min_mib.saturating_mul(RESUME_TENTHS).div_ceil(10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_pauses_below_the_limit_and_goes_on_well_above_it() {
        let mut guard = DiskGuard::new(2000);
        let low = |free_mib| DiskState::Low { free_mib, wanted_mib: 2200 };
        for (free_mib, expected) in [
            (5000, DiskState::Enough),
            (2000, DiskState::Enough),
            (1999, low(1999)),
            (2100, low(2100)),
            (2199, low(2199)),
            (2200, DiskState::Enough),
            (2100, DiskState::Enough),
            (0, low(0)),
        ] {
            assert_eq!(guard.judge(free_mib), expected, "{free_mib} MiB");
        }
    }

    #[test]
    fn no_limit_never_pauses_and_a_huge_one_always() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(DiskGuard::new(0).judge(0), DiskState::Enough);
        assert_eq!(DiskGuard::new(0).look(folder.path()), DiskState::Enough);
        let mut guard = DiskGuard::new(u64::MAX);
        assert!(matches!(guard.look(folder.path()), DiskState::Low { .. }));
        let missing = guard.look(Path::new("/does/not/exist"));
        assert!(matches!(missing, DiskState::Low { .. }), "the last answer holds");
    }
}

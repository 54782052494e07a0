//! Which names in the incoming folder are frames, which are not yet, and which never are.
//!
//! Programs that copy write under another name and rename when they are done; until then the
//! file is nobody's business, except that somebody is still at work.

use crate::formats::fits::is_frame_name;

/// Endings of names that copying and downloading programs take away when they are done: rsync,
/// browsers, FileZilla and other FTP clients, Syncthing, uTorrent, wget, editors, cameras.
const TEMPORARY_ENDINGS: [&str; 14] = [
    ".part",
    ".partial",
    ".filepart",
    ".tmp",
    ".temp",
    "~",
    ".crdownload",
    ".download",
    ".!ut",
    ".!sync",
    ".opdownload",
    ".upload",
    ".uploading",
    "_tmp",
];
/// Beginnings of such names: Office and Samba, Syncthing; hidden names are known by their dot.
const TEMPORARY_BEGINNINGS: [&str; 2] = ["~$", "~syncthing~"];
/// Parts before a frame's ending (`a.tmp.fits`, `a_tmp.fits`) that say the same.
const TEMPORARY_MIDDLES: [&str; 5] = [".tmp", "_tmp", ".part", ".partial", ".temp"];
/// Longest pattern of the configuration that is used, and longest name [bytes].
const LENGTH_MAX: usize = 4096;

/// What a name says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) enum NameKind {
    /// A frame.
    Frame,
    /// Something on its way, to be renamed.
    Temporary,
    /// The file that closes a night.
    Marker,
    /// None of our business.
    Other,
}

/// The rules of one configuration.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct NameRules {
    ignore: Vec<String>,
    marker: String,
}

impl NameRules {
    /// Rules with the configuration's own patterns and the marker's name.
    pub(in crate::daemon) fn new(ignore: &[String], marker: &str) -> Self {
        Self { ignore: ignore.to_vec(), marker: marker.to_owned() }
    }

    /// Sorts a file by its name, without its folders.
    pub(in crate::daemon) fn kind_of(&self, name: &str) -> NameKind {
        if name == self.marker {
            return NameKind::Marker;
        }
        if self.ignore.iter().any(|pattern| matches(pattern, name)) {
            return NameKind::Other;
        }
        if is_temporary(name) {
            return NameKind::Temporary;
        }
        if is_frame_name(name) { NameKind::Frame } else { NameKind::Other }
    }

    /// Tells whether a folder is looked into.
    pub(in crate::daemon) fn is_open_folder(&self, name: &str) -> bool {
        !is_temporary(name) && !self.ignore.iter().any(|pattern| matches(pattern, name))
    }
}

/// Tells whether a name is that of a file on its way; every hidden name counts.
fn is_temporary(name: &str) -> bool {
    if name.starts_with('.') {
        return true;
    }
    let lower = name.to_ascii_lowercase();
    if TEMPORARY_BEGINNINGS.iter().any(|start| lower.starts_with(start))
        || TEMPORARY_ENDINGS.iter().any(|end| lower.ends_with(end))
    {
        return true;
    }
    if !is_frame_name(&lower) {
        return false;
    }
    let packed = lower.strip_suffix(".fz").or_else(|| lower.strip_suffix(".gz"));
    let stem = packed.unwrap_or(&lower).rsplit_once('.').map_or("", |(stem, _)| stem);
    TEMPORARY_MIDDLES.iter().any(|middle| stem.ends_with(middle))
}

/// Tells whether a name matches a pattern: `*` is any text, `?` one character, case counts.
///
/// Two marks are enough: when a text after a `*` does not fit, only the last `*` need take one
/// more character. At worst pattern times name steps, both of which are bounded.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern.len() > LENGTH_MAX || name.len() > LENGTH_MAX {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Place behind the last `*`, and where the text after it was tried.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                star = Some((p, n));
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((after, tried)) = star else { return false };
                star = Some((after, tried + 1));
                (p, n) = (after, tried + 1);
            }
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_their_way_are_no_frames() {
        let rules = NameRules::new(&[], "night.done");
        let on_their_way = [
            ".a.fits.Xa3bQ1", // rsync
            ".~tmp~",         // rsync --delay-updates
            ".in.a.fits.",    // proftpd
            ".nfs0001",       // deleted while open
            "._a.fits",       // macOS
            ".fits",
            "a.fits.part",
            "a.fits.PARTIAL",
            "a.fits.filepart", // WinSCP
            "a.fits.tmp",
            "a.fit.temp",
            "a.fits~",
            "~$a.fits",
            "a.fits.crdownload",
            "a.fits.!ut",
            "a.fits_tmp",
            "a_tmp.fits",
            "a.tmp.fits.fz",
            "~syncthing~a.fits.tmp",
        ];
        for name in on_their_way {
            assert_eq!(rules.kind_of(name), NameKind::Temporary, "{name}");
        }
        for name in ["a.fits", "A.FIT", "a b.fts.gz", "part.fits", "tmp.fits", "M31.fits.fz"] {
            assert_eq!(rules.kind_of(name), NameKind::Frame, "{name}");
        }
        for name in ["desktop.ini", "Thumbs.db", "log.txt", "a.jpg", "night.done2", ""] {
            assert_eq!(rules.kind_of(name), NameKind::Other, "{name}");
        }
        assert_eq!(rules.kind_of("night.done"), NameKind::Marker);
        assert!(!rules.is_open_folder(".~tmp~") && rules.is_open_folder("flat"));
    }

    #[test]
    fn the_configuration_adds_its_own() {
        let ignore = ["focus_*".to_owned(), "*_stacked.*".to_owned(), "snapshots".to_owned()];
        let rules = NameRules::new(&ignore, ".done");
        assert_eq!(rules.kind_of("focus_01.fits"), NameKind::Other);
        assert_eq!(rules.kind_of("m31_stacked.fits"), NameKind::Other);
        assert_eq!(rules.kind_of("m31.fits"), NameKind::Frame);
        assert_eq!(rules.kind_of(".done"), NameKind::Marker, "a hidden marker is a marker");
        assert!(!rules.is_open_folder("snapshots"));
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "abc"),
            ("a?c", "abc"),
            ("a?c", "aßc"),
            ("*b*", "abc"),
            ("a*c", "abcc"),
            ("**a", "a"),
            ("*ab", "aab"),
            ("*.fit*", "x.fits"),
            ("", ""),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a", "A"), ("a?c", "ac"), ("*b", "abc"), ("a*", "ba"), ("", "a"), ("??", "a")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        // Exponential in matchers that try every split: 30 stars over 255 characters.
        let pattern = format!("{}b", "*a".repeat(30));
        let name = "a".repeat(255);
        assert!(!matches(&pattern, &name));
        // The naive matcher as a twin, on all texts of up to 5 of two letters.
        fn naive(pattern: &[u8], name: &[u8]) -> bool {
            match (pattern.first(), name.first()) {
                (None, _) => name.is_empty(),
                (Some(b'*'), _) => (0..=name.len()).any(|skip| naive(&pattern[1..], &name[skip..])),
                (Some(b'?'), Some(_)) => naive(&pattern[1..], &name[1..]),
                (Some(p), Some(n)) => p == n && naive(&pattern[1..], &name[1..]),
                (Some(_), None) => false,
            }
        }
        let texts = |letters: &[u8], length_max: u32| -> Vec<String> {
            let n = letters.len();
            (0..=length_max)
                .flat_map(|length| {
                    (0..n.pow(length)).map(move |code| {
                        (0..length).map(|i| char::from(letters[code / n.pow(i) % n])).collect()
                    })
                })
                .collect()
        };
        for pattern in texts(b"ab*?", 4) {
            for name in texts(b"ab", 5) {
                let expected = naive(pattern.as_bytes(), name.as_bytes());
                assert_eq!(matches(&pattern, &name), expected, "{pattern} {name}");
            }
        }
    }
}

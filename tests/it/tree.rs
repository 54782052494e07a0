//! The package's own text: its files, and Rust source with comments, strings and tests taken off.
//!
//! No parser: rustfmt has brought every file into one form, so lines and braces tell enough.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Deepest folder that is searched.
const DEPTH_MAX: usize = 8;

/// A file of the package.
pub struct TreeFile {
    /// Path below the package's folder, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// The package's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All text files below `folders` with one of the endings, sorted by path; no ending = all files.
pub fn files(folders: &[&str], endings: &[&str]) -> Vec<TreeFile> {
    let mut paths = BTreeSet::new();
    for folder in folders {
        collect(&root().join(folder), DEPTH_MAX, &mut paths);
    }
    paths
        .into_iter()
        .filter(|path| {
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            endings.is_empty() || endings.contains(&ending)
        })
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            let below = path.strip_prefix(root()).expect("found below the root");
            Some(TreeFile { path: below.to_string_lossy().replace('\\', "/"), text })
        })
        .collect()
}

/// All Rust files of the library and the programs.
pub fn sources() -> Vec<TreeFile> {
    let found = files(&["src"], &["rs"]);
    assert!(found.len() > 100, "the tree was not found below {}", root().display());
    found
}

fn collect(path: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    if path.is_file() {
        found.insert(path.to_owned());
        return;
    }
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        if depth > 0 {
            collect(&entry.path(), depth - 1, found);
        }
    }
}

/// Rust source with comments and the content of strings and characters as spaces; lines stay.
pub fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let end = end_of_blank(&chars, i);
        if end == i {
            code.push(chars[i]);
            i += 1;
            continue;
        }
        code.extend(chars[i..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
        i = end;
    }
    code
}

/// End of the comment, string or character that begins at `i`; `i` itself when none does.
fn end_of_blank(chars: &[char], i: usize) -> usize {
    let at = |k: usize| chars.get(k).copied().unwrap_or('\0');
    match (at(i), at(i + 1)) {
        ('/', '/') => chars[i..].iter().position(|&c| c == '\n').map_or(chars.len(), |n| i + n),
        ('/', '*') => end_of_block_comment(chars, i),
        ('"', _) => end_of_quoted(chars, i, '"'),
        ('\'', '\\') => end_of_quoted(chars, i, '\''),
        ('\'', _) if at(i + 2) == '\'' => i + 3,
        ('r', '"' | '#') if i == 0 || !is_word(at(i - 1)) || at(i - 1) == 'b' => {
            let hashes = chars[i + 1..].iter().take_while(|&&c| c == '#').count();
            if at(i + 1 + hashes) == '"' { end_of_raw(chars, i + 2 + hashes, hashes) } else { i }
        }
        _ => i,
    }
}

fn end_of_block_comment(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0_usize, start);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn end_of_quoted(chars: &[char], start: usize, quote: char) -> usize {
    let mut i = start + 1;
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

fn end_of_raw(chars: &[char], start: usize, hashes: usize) -> usize {
    let closes = |i: usize| {
        chars[i] == '"'
            && chars.len() > i + hashes
            && chars[i + 1..=i + hashes].iter().all(|&c| c == '#')
    };
    (start..chars.len()).find(|&i| closes(i)).map_or(chars.len(), |i| i + 1 + hashes)
}

/// Tells whether a character can be part of a Rust name.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Code without its inline test modules (`#[cfg(test)] mod ... { ... }`); lines stay.
pub fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let (mut is_marked, mut skipped_indent) = (false, None);
    for line in code.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some(start) = skipped_indent {
            if indent == start && line.trim() == "}" {
                skipped_indent = None;
            }
        } else if is_marked && line.trim_start().starts_with("mod ") && line.ends_with('{') {
            skipped_indent = Some(indent);
        } else {
            kept.push_str(line);
        }
        // Attributes between the mark and the module keep the mark.
        is_marked = line.trim() == "#[cfg(test)]" || is_marked && line.trim().starts_with("#[");
        kept.push('\n');
    }
    kept
}

/// Paths of the files that are test modules by their declaration (`#[cfg(test)] mod name;`).
pub fn test_files(sources: &[TreeFile]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in sources {
        let (folder, name) = file.path.rsplit_once('/').expect("below src");
        let stem = name.trim_end_matches(".rs");
        let own = if stem == "mod" { folder.to_owned() } else { format!("{folder}/{stem}") };
        let (mut is_marked, mut path) = (false, None);
        for line in file.text.lines().map(str::trim) {
            if line.starts_with("#[path = ") {
                path = line.split('"').nth(1).map(|p| format!("{folder}/{p}"));
            } else if let Some(module) = line
                .trim_start_matches("pub(super) ")
                .strip_prefix("mod ")
                .and_then(|l| l.strip_suffix(';'))
            {
                if is_marked {
                    found.insert(path.take().unwrap_or_else(|| format!("{own}/{module}.rs")));
                }
                path = None;
            }
            is_marked = line == "#[cfg(test)]" || is_marked && line.starts_with("#[");
        }
    }
    // What a test module declares is for tests too.
    let below: Vec<String> = sources
        .iter()
        .map(|f| f.path.clone())
        .filter(|p| found.iter().any(|t| p.starts_with(&format!("{}/", t.trim_end_matches(".rs")))))
        .collect();
    found.extend(below);
    found
}

#[test]
fn comments_strings_and_tests_are_taken_off() {
    let text = "let a = \"crate::x\"; // crate::y\n/* a /* b */ */ let c = 'x'; let d: &'a str;\n\
                let r = r#\"q\"uote\"#; f(b'\\'', '\"', r\"\\\");\n\
                #[cfg(test)]\n#[expect(a)]\nmod tests {\n    fn t() {\n    }\n}\nfn g() {}\n";
    let code = code_of(text);
    for gone in ["crate", "b */", "uote", "\""] {
        assert!(!code.contains(gone), "{gone} in {code}");
    }
    assert!(code.contains("let d: &'a str;") && code.contains("mod tests"));
    assert_eq!(code.lines().count(), text.lines().count());
    let kept = without_tests(&code);
    assert!(!kept.contains("fn t()") && kept.contains("fn g() {}"), "{kept}");
    assert_eq!(kept.lines().count(), text.lines().count());
}

//! The manual in docs says what the program does: the reference of the configuration, links, the
//! table of messages. The command lines are tried by `ctl::manual::words`.

use std::process::Command;

use crate::tree::{TreeFile, files, root, sources};

/// The page of messages.
const TROUBLE: &str = "docs/TROUBLE.md";
/// Where a message has a field that is filled in.
const FIELD: char = '…';
/// A part of a message with fewer letters tells nothing.
const LETTERS_MIN: usize = 5;
/// Files with errors that no user meets as such, and why.
const NO_USER: &[(&str, &str)] = &[
    ("src/formats/ades/error.rs", "only tests read ADES; `submit` checks what it writes"),
    ("src/formats/obs80.rs", "only tests read 80 columns; `submit` checks what it writes"),
    ("src/science/simulate/limits.rs", "scenarios are written in code and tests"),
    ("src/science/reference/tiles.rs", "is told by what wraps it"),
];

fn pages() -> Vec<TreeFile> {
    let mut pages = files(&["docs"], &["md"]);
    let readme = root().join("README.md");
    let text = std::fs::read_to_string(readme).expect("the front door");
    pages.push(TreeFile { path: "README.md".to_owned(), text });
    pages
}

/// Lines of a page outside blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

#[test]
fn the_reference_of_the_configuration_is_that_of_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("CONFIGURATION.md");
    let output = Command::new(env!("CARGO_BIN_EXE_autossosctl"))
        .args(["man", "--configuration", made.to_str().expect("UTF-8")])
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    let made = std::fs::read_to_string(made).expect("the page");
    let kept = std::fs::read_to_string(root().join("docs/CONFIGURATION.md")).expect("the page");
    let differs = made.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "docs/CONFIGURATION.md is out of date, at {differs:?}: write it anew with \
         `autossosctl man --configuration docs/CONFIGURATION.md`"
    );
}

/// Blocks of a language in a page.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    // The block that is open, and whether it is of the language.
    let mut open: Option<(String, bool)> = None;
    for line in text.lines().map(str::trim_start) {
        match (line.starts_with("```"), open.take()) {
            (true, None) => open = Some((String::new(), line == fence)),
            (true, Some((block, true))) => blocks.push(block),
            (true, Some((_, false))) | (false, None) => {}
            (false, Some((block, is_wanted))) => open = Some((block + line + "\n", is_wanted)),
        }
    }
    blocks
}

#[test]
fn each_configuration_of_the_manual_is_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("autossos.toml");
    let mut n_blocks = 0;
    for page in pages() {
        for block in blocks(&page.text, "toml") {
            // A profile's file that is named must be there.
            std::fs::write(folder.path().join("my-camera.toml"), "name = \"my-camera\"\n")
                .expect("a file");
            std::fs::write(&path, &block).expect("a file");
            if let Err(error) = autossos::config::load(Some(&path), &[], std::iter::empty()) {
                panic!("{}: {error}\n{block}", page.path);
            }
            n_blocks += 1;
        }
    }
    assert!(n_blocks >= 5, "only {n_blocks} blocks were found");
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Targets of the links and pictures of a line.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn links_lead_somewhere() {
    let (mut faults, mut n_links) = (Vec::new(), 0);
    for page in pages() {
        let folder = root().join(&page.path).parent().expect("a folder").to_owned();
        for target in prose(&page.text).flat_map(targets) {
            if target.starts_with("http://") || target.starts_with("https://") {
                continue;
            }
            n_links += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { root().join(&page.path) } else { folder.join(file) };
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let mut headings = prose(&text).filter(|line| line.starts_with('#')).map(anchor);
            if !path.exists() {
                faults.push(format!("{}: {target} is not there", page.path));
            } else if !heading.is_empty() && !headings.any(|there| there == heading) {
                faults.push(format!("{}: {target}: no such heading", page.path));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(n_links > 40, "only {n_links} links were found");
}

#[test]
fn pages_that_are_named_are_there() {
    let mut named = pages();
    named.extend(files(&["config", "systemd", "src"], &[]));
    let mut n_names = 0;
    for file in named {
        for rest in file.text.split("docs/").skip(1) {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "_-/.".contains(*c))
                .collect();
            if let Some(name) = name.split_once(".md").map(|(name, _)| format!("docs/{name}.md")) {
                n_names += 1;
                assert!(root().join(&name).exists(), "{}: {name} is not there", file.path);
            }
        }
    }
    assert!(n_names > 10, "only {n_names} names were found");
}

#[test]
fn pages_and_pictures_are_small() {
    for page in pages() {
        for (n, line) in page.text.lines().enumerate().filter(|(_, line)| !line.starts_with('|')) {
            let width = line.chars().count();
            assert!(width <= 100, "{}:{}: {width} characters", page.path, n + 1);
        }
    }
    let folder = root().join("docs/pictures");
    let mut total = 0;
    for picture in std::fs::read_dir(folder).expect("pictures").map(|entry| entry.expect("a file"))
    {
        let size = picture.metadata().expect("a file").len();
        assert!(size < 150_000, "{:?} has {size} bytes", picture.path());
        let name = picture.file_name().to_string_lossy().into_owned();
        let is_shown = pages().iter().any(|page| page.text.contains(&format!("pictures/{name})")));
        assert!(is_shown, "no page shows {name}");
        total += size;
    }
    assert!(total < 1_000_000, "{total} bytes");
}

/// The messages of the table: each as its parts between fields.
fn messages() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(root().join(TROUBLE)).expect("the page of messages");
    let rows = prose(&text).filter(|line| line.starts_with("| ") && !line.starts_with("| message"));
    let mut messages = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert!(cells.len() >= 3, "three cells are needed: {row}");
        for message in cells[0].split("<br>") {
            let parts = message.split(FIELD).map(|part| part.trim().to_owned());
            messages.push(parts.filter(|part| !part.is_empty()).collect());
        }
    }
    messages
}

/// Source text with the line breaks inside of texts taken out.
fn joined(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.to_owned();
        while let Some(begun) = line.strip_suffix('\\') {
            line = format!("{begun}{}", lines.next().unwrap_or_default().trim_start());
        }
        joined.push_str(&line);
        joined.push('\n');
    }
    joined.replace("\\\"", "\"").replace("{{", "{").replace("}}", "}")
}

/// Whether the parts stand in a text, in their order.
fn stands_in(parts: &[String], text: &str) -> bool {
    let mut rest = text;
    parts.iter().all(|part| match rest.split_once(part.as_str()) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

#[test]
fn each_message_of_the_table_is_one_of_the_program() {
    let sources: Vec<String> = sources().iter().map(|file| joined(&file.text)).collect();
    let messages = messages();
    for parts in &messages {
        let letters = parts.iter().flat_map(|p| p.chars()).filter(|c| c.is_alphabetic()).count();
        assert!(letters >= LETTERS_MIN, "{parts:?} tells nothing");
        for part in parts {
            assert!(
                sources.iter().any(|s| s.contains(part)),
                "no source says {part:?} ({parts:?})"
            );
        }
    }
    assert!(messages.len() > 100, "only {} messages were found", messages.len());
}

/// The texts behind `#[error(` of a file.
fn errors(text: &str) -> Vec<String> {
    let joined = joined(&text.replace("\\\"", "\u{1}"));
    let told = joined.split("#[error(").skip(1).map(str::trim_start);
    let texts = told.filter_map(|rest| rest.strip_prefix('"')?.split('"').next());
    texts.map(|text| text.replace('\u{1}', "\"")).collect()
}

/// The file that says why a frame is not used.
const REASONS: &str = "src/pipeline/stage.rs";

/// The beginnings of texts behind `write!(f,` of a file.
fn written(text: &str) -> Vec<String> {
    let joined = joined(&text.replace("\\\"", "\u{1}"));
    let told = joined.split("write!(").skip(1).filter_map(|rest| rest.trim().strip_prefix("f,"));
    let texts = told.filter_map(|rest| rest.trim().strip_prefix('"')?.split('"').next());
    let begin = |text: &&str| text.starts_with(char::is_alphabetic);
    texts.filter(begin).map(|text| text.replace('\u{1}', "\"")).collect()
}

#[test]
fn each_reason_of_a_frame_has_a_row() {
    let messages = messages();
    let text = std::fs::read_to_string(root().join(REASONS)).expect("the reasons");
    let reasons = written(&text);
    assert!(reasons.len() > 10, "only {reasons:?} were found");
    for reason in reasons {
        let is_told = messages.iter().any(|parts| stands_in(parts, &reason));
        assert!(is_told, "{TROUBLE} has no row for: {reason}");
    }
}

#[test]
fn each_error_of_the_program_has_a_row() {
    let messages = messages();
    let (mut lacking, mut n_errors) = (Vec::new(), 0);
    for file in sources() {
        if NO_USER.iter().any(|(path, _)| *path == file.path) {
            continue;
        }
        for error in errors(&file.text) {
            n_errors += 1;
            let has_words = error.chars().filter(|c| c.is_alphabetic()).count() > LETTERS_MIN;
            let is_told = messages.iter().any(|parts| stands_in(parts, &error));
            if has_words && !is_told {
                lacking.push(format!("{}: {error}", file.path));
            }
        }
    }
    assert!(lacking.is_empty(), "{TROUBLE} has no row for:\n{}", lacking.join("\n"));
    assert!(n_errors > 200, "only {n_errors} errors were found");
}

#[test]
fn each_key_of_a_profile_and_of_a_rule_is_explained() {
    let page = std::fs::read_to_string(root().join("docs/PROFILES.md")).expect("the page");
    let mut n_keys = 0;
    for path in ["profile.rs", "frame_rules.rs"] {
        let path = root().join("src/pipeline/ingest").join(path);
        let text = std::fs::read_to_string(path).expect("the keys");
        let items = text.split("Deserialize)]\n").skip(1);
        let structs = items.filter_map(|item| {
            let item = item.lines().skip_while(|line| line.starts_with("#["));
            let body = item.take_while(|line| *line != "}").collect::<Vec<_>>().join("\n");
            body.starts_with("pub struct ").then_some(body)
        });
        for body in structs {
            for line in body.lines().filter_map(|line| line.strip_prefix("    pub ")) {
                let name = line.split(':').next().unwrap_or_default();
                let is_section = ["rule", "matches"].contains(&name);
                let told = format!("`{name}`");
                let is_told = page.contains(&told) || page.contains(&format!("[{name}]`"));
                assert!(is_told || is_section, "docs/PROFILES.md does not explain {name}");
                n_keys += 1;
            }
        }
    }
    assert!(n_keys > 60, "only {n_keys} keys were found");
}

//! The command lines of the manual, tried with the parsers of the programs.
//!
//! Each line of a block ```` ```sh ```` of README.md and docs that begins with `autossosctl` or
//! `autossosd` must be one that the program takes; where such words stand in a sentence, in
//! `code`, what is left out must be all that is wrong with them.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _};

use super::super::args::Args;
use crate::daemon;

/// README.md and all pages of docs.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// The words of a line as a shell would pass them on: up to a remark, a pipe or a redirection.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut is_open, mut quote) = (String::new(), false, None);
    for sign in line.chars() {
        match (quote, sign) {
            (Some(open), _) if sign == open => quote = None,
            (Some(_), _) => word.push(sign),
            (None, '\'' | '"') => (quote, is_open) = (Some(sign), true),
            (None, ' ') => {
                if is_open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            (None, '#') if word.is_empty() => break,
            (None, '|' | '>' | '&' | ';') => break,
            (None, _) => word.push(sign),
        }
    }
    if is_open || !word.is_empty() {
        words.push(word);
    }
    words
}

/// The parser of a program.
fn parser(program: &str) -> Option<Command> {
    match program {
        "autossosctl" => Some(Args::command()),
        "autossosd" => Some(daemon::command()),
        _ => None,
    }
}

/// What a program says against a line.
fn complaint(line: &str, is_part: impl Fn(ErrorKind) -> bool) -> Option<String> {
    let words = words(line);
    let error = parser(words.first()?)?.try_get_matches_from(&words).err()?;
    let is_fine = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    (!is_fine && !is_part(error.kind())).then(|| error.to_string())
}

/// Words of code in the sentences of a line, without placeholders in brackets.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Lines of a page as (number, text, language of the block they are in).
fn lines(text: &str) -> Vec<(usize, &str, Option<&str>)> {
    let mut block = None;
    let mut told = Vec::new();
    for (n, line) in text.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(language) => block = if block.is_some() { None } else { Some(language) },
            None => told.push((n + 1, line, block)),
        }
    }
    told
}

#[test]
fn each_command_line_of_the_manual_is_real() {
    let (mut faults, mut tried) = (Vec::new(), 0);
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for (n, line, block) in lines(&text) {
            let line = line.trim();
            let is_command = line.starts_with("autossosctl ") || line.starts_with("autossosd ");
            if is_command && block == Some("sh") {
                tried += 1;
                let complaint = complaint(line, |_| false);
                faults.extend(complaint.map(|c| format!("{}:{n}: {line}\n{c}", page.display())));
            } else if is_command && block.is_none() && text.lines().nth(n - 1) != Some(line) {
                faults.push(format!("{}:{n}: to be put into ```sh", page.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(tried > 40, "only {tried} lines were found");
}

#[test]
fn words_in_sentences_are_real() {
    let is_part = |kind| {
        use ErrorKind::{
            DisplayHelpOnMissingArgumentOrSubcommand, InvalidValue, MissingRequiredArgument,
            MissingSubcommand,
        };
        let missing = matches!(kind, MissingRequiredArgument | MissingSubcommand);
        // `--format ...` and `--set` without a value.
        missing || matches!(kind, DisplayHelpOnMissingArgumentOrSubcommand | InvalidValue)
    };
    let (mut faults, mut tried) = (Vec::new(), 0);
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for (n, line, _) in lines(&text).into_iter().filter(|(_, _, block)| block.is_none()) {
            for span in spans(line).filter(|span| span.starts_with("autossos")) {
                tried += 1;
                let complaint = complaint(&span.replace("...", ""), is_part);
                faults.extend(complaint.map(|c| format!("{}:{n}: {span}\n{c}", page.display())));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(tried > 20, "only {tried} words were found");
}

#[test]
fn lines_become_words_as_in_a_shell() {
    assert_eq!(words("a 'b c' --d=\"e f\" g  # h"), ["a", "b c", "--d=e f", "g"]);
    assert_eq!(words("a '' b | c"), ["a", "", "b"]);
    assert!(complaint("autossosctl nonsense", |_| false).is_some());
    assert!(complaint("autossosctl night list --json", |_| false).is_none());
}

//! Completions for shells and pages for `man`, made of what the programs themselves read.
//!
//! The pages of the commands come from their command lines, that of the configuration from
//! [`DEFAULT_TOML`]: none of them can say something else than the program. `markdown` writes
//! docs/CONFIGURATION.md from the same file; `words` tries the command lines of the manual.

mod explained;
mod markdown;
#[cfg(test)]
mod words;

use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use clap_mangen::Man;

use self::explained::explained;
use super::args::{ManArgs, Shell};
use crate::config::DEFAULT_TOML;
use crate::daemon;
use crate::store::files::ProductFile;

/// Head line of the pages, in the middle.
const MANUAL: &str = "autossos";

/// Prints what a shell reads to complete the words of `autossosctl`.
pub(super) fn completions(mut command: clap::Command, shell: Shell) -> anyhow::Result<()> {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    std::io::stdout().write_all(&text).context("printing the completions")
}

/// Writes what is wanted.
pub(super) fn write(command: clap::Command, wanted: &ManArgs) -> anyhow::Result<()> {
    if let Some(to) = &wanted.to {
        pages(command, to)?;
    }
    if let Some(to) = &wanted.configuration {
        configuration(to)?;
    }
    Ok(())
}

/// Writes all pages into a folder: `autossosctl(1)` and one per verb, `autossosd(8)` and
/// `autossos.toml(5)`.
fn pages(command: clap::Command, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("making the folder {}", to.display()))?;
    // The verb `help` is explained by each page itself.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    command_pages(command, to)?;
    write_page(Man::new(daemon::command()).section("8"), to)?;
    let page = configuration_page(DEFAULT_TOML);
    Ok(ProductFile::write_bytes(&to.join("autossos.toml.5"), page.as_bytes())?)
}

/// Writes the reference of the configuration, docs/CONFIGURATION.md.
fn configuration(to: &Path) -> anyhow::Result<()> {
    Ok(ProductFile::write_bytes(to, markdown::configuration(DEFAULT_TOML).as_bytes())?)
}

/// Writes the page of a command and of those below it; the command line is not deep.
fn command_pages(command: clap::Command, to: &Path) -> anyhow::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        command_pages(below.clone(), to)?;
    }
    write_page(Man::new(command), to)
}

fn write_page(page: Man, to: &Path) -> anyhow::Result<()> {
    let page = page.manual(MANUAL).source(concat!("autossos ", env!("CARGO_PKG_VERSION")));
    let path = to.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text).with_context(|| format!("making {}", path.display()))?;
    Ok(ProductFile::write_bytes(&path, &text)?)
}

/// The page of the configuration file.
///
/// * `toml`: the shipped file.
fn configuration_page(toml: &str) -> String {
    let mut page = format!(
        ".TH autossos.toml 5 \"\" \"autossos {}\" {MANUAL}\n.SH NAME\nautossos.toml \\- \
         configuration of autossosd and autossosctl\n.SH DESCRIPTION\n",
        env!("CARGO_PKG_VERSION")
    );
    let file = explained(toml);
    page.push_str(&paragraph(&file.told));
    for section in &file.sections {
        page.push_str(&format!(".SH {}\n{}", escaped(section.heading), paragraph(&section.told)));
        for key in &section.keys {
            let start = if key.is_set { "Built in: " } else { "No built\\-in value; as: " };
            page.push_str(&format!(
                ".TP\n\\fB{}\\fR\n{}{start}\\fI{}\\fR\n",
                escaped(key.name),
                paragraph(&key.told),
                escaped(key.value)
            ));
        }
    }
    page.push_str(".SH SEE ALSO\n\\fBautossosd\\fR(8), \\fBautossosctl\\fR(1)\n");
    page
}

fn paragraph(lines: &[&str]) -> String {
    lines.iter().map(|line| escaped(line) + "\n").collect()
}

/// A line as roff reads it: no sign has a meaning.
fn escaped(line: &str) -> String {
    let plain = line.replace('\\', "\\(rs").replace('-', "\\-");
    if plain.starts_with(['.', '\'']) { format!("\\&{plain}") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_sections_keys_and_values() {
        let toml = "# What it is.\n# Second line.\n\n[site]\n# Height [m].\n#height_m = 1.5\n\n\
                    # Many of them.\n#[[telescope]]\n# 'Odd' - \\ name.\nname = \"a-b\"\n";
        let page = configuration_page(toml);
        let expected = ".SH DESCRIPTION\nWhat it is.\nSecond line.\n.SH [site]\n.TP\n\
            \\fBheight_m\\fR\nHeight [m].\nNo built\\-in value; as: \\fI1.5\\fR\n\
            .SH [[telescope]]\nMany of them.\n.TP\n\\fBname\\fR\n\\&'Odd' \\- \\(rs name.\n\
            Built in: \\fI\"a\\-b\"\\fR\n.SH SEE ALSO\n";
        assert!(page.contains(expected), "{page}");
    }

    #[test]
    fn each_line_of_the_shipped_file_is_on_its_page() {
        let page = configuration_page(DEFAULT_TOML);
        let lines = || DEFAULT_TOML.lines().filter(|line| !line.is_empty());
        for line in lines() {
            let part = line.trim_start_matches(['#', ' ']).split(" = ").next().expect("a part");
            assert!(page.contains(&escaped(part)), "{line}");
        }
        let is_key = |line: &&str| line.contains(" = ") && !line.starts_with("# ");
        assert_eq!(page.matches(".TP\n").count(), lines().filter(is_key).count());
    }
}

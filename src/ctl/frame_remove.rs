//! `frame remove`: what was made of a frame goes; by a rule, for good.

use anyhow::{Context, bail};

use super::args::{FrameRemoveArgs, PlaceArgs};
use super::client::{DoneBy, Place, configured};
use super::output::{say, write_file};
use crate::ops::orders::Order;
use crate::ops::orders::remove::{Removable, find};
use crate::ops::orders::wire::Request;
use crate::pipeline::ingest::FrameRules;
use crate::report::words::printable;

/// Takes it away, or tells what would go.
pub(super) fn remove(args: &FrameRemoveArgs) -> anyhow::Result<()> {
    let place = Place::find(&args.place)?;
    let found = find(&place.reader()?, &args.frame, args.night.as_deref())?;
    let files: Vec<String> =
        found.files().iter().map(|path| format!("  {}", printable(path))).collect();
    if !args.yes {
        return say(&format!(
            "These files and their rows would go (raw files never):\n{}\nSay --yes to do it.",
            files.join("\n")
        ));
    }
    if let Some(reason) = &args.exclude {
        let rules = exclude(&args.place, &found, reason)?;
        say(&format!("{rules} leaves the frame alone from now on."))?;
        // The service reads the rule before it looks at the night again.
        place.ask(&Request::Reload)?;
    }
    let order = Order::Remove { what: args.frame.clone(), night: args.night.clone() };
    let (done, by) = place.order(order)?;
    say(&printable(&done.text))?;
    match by {
        DoneBy::Service => Ok(()),
        DoneBy::Database => say("The service is not running: `run` or the service makes it again."),
    }
}

/// Adds a rule for the frame to the first rules file; gives the file's name.
fn exclude(place: &PlaceArgs, found: &Removable, reason: &str) -> anyhow::Result<String> {
    let Removable::Frame { night, name, .. } = found else {
        bail!("a master is not excluded: exclude the raw files that it is made from");
    };
    let (config, _) = configured(place.config.as_deref(), place.data.as_deref(), &[])?;
    let Some(path) = config.instrument.rules_files.first() else {
        bail!(
            "no file of rules is configured: make an empty one, name it in \
             instrument.rules_files, and give its configuration by --config"
        );
    };
    let before =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let rule = rule(night.as_str(), name, reason);
    let text = format!("{}\n{rule}", before.trim_end());
    FrameRules::parse(&text).with_context(|| {
        format!("the rule for {name} does not fit into {}: write it by hand", path.display())
    })?;
    write_file(path, text.as_bytes())?;
    Ok(path.display().to_string())
}

/// A rule that leaves a file of a night alone.
fn rule(night: &str, name: &str, reason: &str) -> String {
    let text = |text: &str| toml_string(&text.replace('*', "?"));
    let reason: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!(
        "\n# {}\n[[rule]]\nnight = {}\nfiles = [{}]\nignore = true\n",
        reason.trim(),
        text(night),
        text(name)
    )
}

/// A TOML string; characters that it cannot hold become `?`, which fits any.
fn toml_string(text: &str) -> String {
    let plain = |c: char| if c.is_control() || c == '"' || c == '\\' { '?' } else { c };
    format!("\"{}\"", text.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_leaves_one_file_alone_whatever_its_name() {
        for name in ["img 1.fits", "a\"b\\c*.fits", "x\ny.fits"] {
            let rules = FrameRules::parse(&rule("n", name, "cloud\n[[rule]]")).expect("a rule");
            assert_eq!(rules.rule.len(), 1, "{name}");
            let mut header = crate::formats::fits::Header::new();
            assert!(rules.apply(("n", name), &mut header).is_ignored, "{name}");
            assert!(!rules.apply(("m", name), &mut header).is_ignored, "{name}");
            assert!(!rules.apply(("n", "other"), &mut header).is_ignored, "{name}");
        }
    }
}

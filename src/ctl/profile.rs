//! `profile`: an instrument profile proposed from headers.

use super::args::{ProfileCommand, ProfileGuessArgs};
use super::config::write_new;
use super::output::say;
use crate::ops::profile::{Proposal, propose};
use crate::report::words::printable;

/// Most unreadable files told one by one.
const UNREADABLE_TOLD: usize = 5;

/// Does what the words say.
pub(super) fn act(command: &ProfileCommand) -> anyhow::Result<()> {
    match command {
        ProfileCommand::Guess(args) => guess(args),
    }
}

/// Writes or prints the profile; what is to be told goes to stderr when it is printed.
fn guess(args: &ProfileGuessArgs) -> anyhow::Result<()> {
    let proposal = propose(&args.files, &args.name)?;
    for why in proposal.unreadable.iter().take(UNREADABLE_TOLD) {
        eprintln!("autossosctl: not read: {}", printable(why));
    }
    let Some(path) = &args.to else {
        say(proposal.guess.toml.trim_end())?;
        eprintln!("{}", summary(&proposal));
        return Ok(());
    };
    write_new(path, &proposal.guess.toml)?;
    say(&format!(
        "{}\n{} is written. Look at the lines with `# ?` and at what it makes of the files (at its \
         end). Then name it in the configuration:\n  [instrument]\n  profile_files = [\"{}\"]",
        summary(&proposal),
        path.display(),
        path.display(),
    ))
}

fn summary(proposal: &Proposal) -> String {
    let guess = &proposal.guess;
    let mut text = format!("Read: {}", guess.counts.words());
    if !proposal.unreadable.is_empty() {
        text.push_str(&format!("; {} files could not be read", proposal.unreadable.len()));
    }
    text.push_str(&format!(". {} places are marked `# ?`.", guess.n_doubts));
    if let Some(shipped) = &guess.shipped {
        text.push_str(&format!(
            "\nThe shipped profile \"{shipped}\" reads these files already; nothing need be \
             configured unless it is wrong for them."
        ));
    }
    text
}

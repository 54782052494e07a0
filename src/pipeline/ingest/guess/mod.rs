//! A profile proposed from headers: which keywords a camera writes, and what they mean.
//!
//! Known keywords are those of the generic profile and some more; comments beside the values tell
//! further ones and settle meanings. Every key is written with the values seen and the reason;
//! what had to be guessed, or is left to the owner, has a line that begins with `# ?`. The profile
//! is then read back over the same headers, and what it makes of them is told at its end.

mod detector;
mod draft;
mod identity;
mod kind;
mod place;
mod read_back;
mod seen;
mod time;

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::{Profile, ProfileError};
use draft::Draft;
pub use read_back::Counts;
pub use seen::Sample;
use seen::Seen;

/// A proposed profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The profile with remarks, TOML.
    pub toml: String,
    /// Places marked `# ?`.
    pub n_doubts: usize,
    /// The shipped profile that reads all the headers already.
    pub shipped: Option<String>,
    /// What the profile makes of the files.
    pub counts: Counts,
}

/// Why no profile can be proposed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GuessError {
    /// There is no header.
    #[error("no header was read: name FITS files of the camera, best of each kind")]
    NoHeaders,
    /// The profile made is none.
    #[error("the headers give no sound profile; choose another name, or report this as a defect")]
    Profile {
        /// What is wrong with it.
        #[source]
        source: ProfileError,
    },
}

/// Proposes a profile for the camera that wrote the headers.
///
/// * `samples`: headers of files of one camera, best some of each kind of frame.
/// * `name`: name of the profile.
///
/// The profile is one that the configuration accepts. Errors: no header; a name that no profile
/// may have.
pub fn guess(samples: &[Sample], name: &str) -> Result<Guess, GuessError> {
    if samples.is_empty() {
        return Err(GuessError::NoHeaders);
    }
    let seen = Seen { samples };
    let mut draft = Draft::default();
    draft.why(&format!(
        "Instrument profile, proposed by `autossosctl profile guess` from {} files.",
        samples.len()
    ));
    draft.why(
        "Each key has the header's values (number of files) and comment above it. Lines with `# ?` \
         are guesses or gaps: look at each, mend it, take the mark away.",
    );
    let shipped = identity::shipped_match(&seen);
    if let Some(shipped) = &shipped {
        draft.why(&format!(
            "The shipped profile \"{shipped}\" reads all these files already: this one is only \
             needed if that is wrong for them."
        ));
    }
    let kinds = kind::find(&seen);
    identity::write(&seen, &mut draft, name, &kinds.keywords);
    kind::write(&seen, &mut draft, &kinds);
    time::write(&seen, &mut draft);
    place::write(&seen, &mut draft);
    detector::write(&seen, &mut draft);
    let (toml, n_doubts) = draft.finish();
    let profile = Profile::parse(&toml).map_err(|source| GuessError::Profile { source })?;
    let mut told = Draft::default();
    let counts = read_back::write(&seen, &profile, &mut told);
    let (told, n_more) = told.finish();
    Ok(Guess { toml: toml + &told, n_doubts: n_doubts + n_more, shipped, counts })
}

//! What the service needs to know before it begins; a human must mend what is wrong here.

use crate::config::{Config, Telescope};
use crate::ops::preflight::{absolute, preflight};

/// Why the service does not begin; exit code 78.
pub(super) use crate::ops::preflight::PreflightError as StartError;

/// A configuration that the service can begin with.
#[derive(Debug)]
pub(super) struct Service {
    /// As the user wrote it, with the data folder absolute.
    pub(super) config: Config,
    /// The telescopes, at least one, their incoming folders absolute.
    pub(super) telescopes: Vec<Telescope>,
}

/// What becomes of an incoming folder that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingFolder {
    /// It is a mistake.
    Refuse,
    /// It is told and waited for: a file server may be slower than this machine.
    Await,
}

impl Service {
    /// Checks what the service needs beyond a right configuration.
    ///
    /// Errors: the first mistake; `autossosctl config check` tells all.
    pub(super) fn new(mut config: Config, missing: MissingFolder) -> Result<Self, StartError> {
        let telescopes = preflight(&config).or_else(|mistakes| {
            let is_awaited = |mistake: &StartError| {
                missing == MissingFolder::Await && matches!(mistake, StartError::Incoming { .. })
            };
            let (awaited, others): (Vec<_>, Vec<_>) = mistakes.into_iter().partition(is_awaited);
            if let Some(first) = others.into_iter().next() {
                return Err(first);
            }
            for mistake in awaited {
                tracing::error!("{mistake}; it is waited for.");
            }
            config
                .telescopes()
                .into_iter()
                .map(|t| Ok(Telescope { incoming: absolute(&t.incoming)?, ..t }))
                .collect()
        })?;
        config.daemon.data = absolute(&config.daemon.data)?;
        if telescopes.is_empty() {
            return Err(StartError::NoIncoming);
        }
        Ok(Self { config, telescopes })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn paths_become_absolute_and_a_mistake_is_told() {
        assert!(matches!(
            Service::new(Config::default(), MissingFolder::Await),
            Err(StartError::NoIncoming)
        ));
        let mut config = Config::default();
        config.daemon.incoming = Some(PathBuf::from("src"));
        let service =
            Service::new(config.clone(), MissingFolder::Refuse).expect("a folder of this package");
        let here = std::path::absolute("src").expect("a path");
        assert_eq!(service.telescopes.len(), 1);
        assert_eq!(service.telescopes[0].incoming, here);
        assert!(service.config.daemon.data.is_absolute());

        config.daemon.incoming = Some(PathBuf::from("nowhere"));
        let refused = Service::new(config.clone(), MissingFolder::Refuse);
        assert!(matches!(refused, Err(StartError::Incoming { .. })));
        let waiting = Service::new(config, MissingFolder::Await).expect("it may come later");
        assert!(waiting.telescopes[0].incoming.is_absolute());
    }
}

//! What the service needs to know before it begins; a human must mend what is wrong here.

use std::path::{Path, PathBuf};

use crate::config::Config;

/// Why the service does not begin; exit code 78.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// No incoming folder is named.
    #[error(
        "`daemon.incoming` is not set: name the folder that receives the raw frames, in the \
         configuration file below [daemon] or as AUTOSSOS_DAEMON__INCOMING in the environment"
    )]
    NoIncoming,
    /// The incoming folder is not there.
    #[error("`daemon.incoming`: {path} is no folder that can be read: make it, or mend the path")]
    Incoming {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A star catalogue is not there.
    #[error("`reference.files`: {path} cannot be read: fetch it, or take it off the list")]
    Reference {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Products would be taken for raw frames.
    #[error("`daemon.data`: {data} lies in the incoming folder {incoming}: move it elsewhere")]
    DataInIncoming {
        /// The data folder.
        data: PathBuf,
        /// The incoming folder.
        incoming: PathBuf,
    },
    /// A path cannot be made absolute.
    #[error("the path {path} cannot be used")]
    Path {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A configuration that the service can begin with.
#[derive(Debug)]
pub(super) struct Service {
    /// As the user wrote it.
    pub(super) config: Config,
    /// Folder that receives the raw frames, absolute.
    pub(super) incoming: PathBuf,
}

impl Service {
    /// Checks what the service needs beyond a right configuration.
    pub(super) fn new(config: Config) -> Result<Self, StartError> {
        let incoming = absolute(config.daemon.incoming.as_deref().ok_or(StartError::NoIncoming)?)?;
        std::fs::read_dir(&incoming)
            .map_err(|source| StartError::Incoming { path: incoming.clone(), source })?;
        for path in &config.reference.files {
            std::fs::File::open(path)
                .map_err(|source| StartError::Reference { path: path.clone(), source })?;
        }
        let data = absolute(&config.daemon.data)?;
        if data.starts_with(&incoming) {
            return Err(StartError::DataInIncoming { data, incoming });
        }
        Ok(Self { config, incoming })
    }
}

fn absolute(path: &Path) -> Result<PathBuf, StartError> {
    std::path::absolute(path).map_err(|source| StartError::Path { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_with(incoming: &Path, data: &Path) -> Config {
        let mut config = Config::default();
        config.daemon.incoming = Some(incoming.to_owned());
        config.daemon.data = data.to_owned();
        config
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Service::new(Config::default()).expect_err("no incoming folder");
        assert!(error.to_string().contains("daemon.incoming"), "{error}");

        let folder = tempfile::tempdir().expect("a folder");
        let (incoming, data) = (folder.path().join("in"), folder.path().join("data"));
        let config = config_with(&incoming, &data);
        assert!(matches!(Service::new(config.clone()), Err(StartError::Incoming { .. })));

        std::fs::create_dir(&incoming).expect("a folder");
        let service = Service::new(config.clone()).expect("all is there");
        assert_eq!(service.incoming, incoming);

        let mut without_stars = config;
        without_stars.reference.files = vec![folder.path().join("gaia.csv")];
        assert!(matches!(Service::new(without_stars), Err(StartError::Reference { .. })));

        let inside = config_with(&incoming, &incoming.join("data"));
        assert!(matches!(Service::new(inside), Err(StartError::DataInIncoming { .. })));
    }
}

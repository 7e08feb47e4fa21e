//! What can go wrong around a private server.

use std::{io, path::PathBuf, time::Duration};

/// Why a private server could not be started, stopped or spoken to.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A program is missing; `package` is the Debian package that holds it.
    #[error(
        "{program} is not installed: install the package {package} (deploy/packages.sh does it)"
    )]
    NotInstalled {
        /// The program that was looked for.
        program: &'static str,
        /// The Debian package that contains it.
        package: &'static str,
    },
    /// A file, directory or process could not be worked with.
    #[error("{doing} {path} failed")]
    Io {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// Another live program runs a server on this directory.
    #[error(
        "{dir} is in use by a private server of another program: stop that program or choose another directory"
    )]
    InUse {
        /// The directory that is taken.
        dir: PathBuf,
    },
    /// A tool of the server ended with an error, or not in time.
    #[error("{what} failed ({outcome}): {output}")]
    Tool {
        /// The tool and what it was asked.
        what: String,
        /// Its exit status, or that its time ran out.
        outcome: String,
        /// The last lines that it printed.
        output: String,
    },
    /// The server ended before it was up.
    #[error("{server} ended while starting ({outcome}); its log {log} ends with: {tail}")]
    Exited {
        /// Which server.
        server: &'static str,
        /// Its exit status.
        outcome: String,
        /// Its whole log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The server did not get to the wanted state in time.
    #[error("{server} was not {wanted} within {} s; see {log}", within.as_secs())]
    Deadline {
        /// Which server.
        server: &'static str,
        /// The state that was waited for.
        wanted: &'static str,
        /// How long.
        within: Duration,
        /// Its log.
        log: PathBuf,
    },
    /// Every port that was tried was taken by somebody else.
    #[error("no free port on 127.0.0.1 below 32768 was found for {server}")]
    NoPort {
        /// Which server.
        server: &'static str,
    },
    /// `DATABASE_URL` or `AMQP_URL` is not a URL of the right kind.
    #[error("the given {what} is not usable: it must be a {scheme}:// URL")]
    BadUrl {
        /// Which setting.
        what: &'static str,
        /// The scheme that is expected.
        scheme: &'static str,
    },
}

impl ServerError {
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

//! As whom PostgreSQL runs: it refuses root.

use std::{
    fmt,
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{error::ServerError, tool};

/// The identity of the server and of `initdb`.
#[derive(Debug)]
pub(super) struct RunAs {
    kind: Kind,
    prefix: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// We are not root.
    Ourselves,
    /// We are root, and the user `postgres` can enter the directory.
    UserPostgres,
    /// We are root, and it cannot (the directory is below root's home, say): a user namespace in which our files
    /// belong to an ordinary user id.
    MappedUser,
}

impl RunAs {
    /// Existing `data` is run by whom it belongs to. `dir` is made passable, but not readable, for others.
    pub(super) fn choose(data: &Path, dir: &Path) -> Result<Self, ServerError> {
        let me = owner(Path::new("/proc/self"))?;
        let kind = if me != 0 {
            Kind::Ourselves
        } else if data.exists() {
            if owner(data)? == 0 {
                Kind::MappedUser
            } else {
                Kind::UserPostgres
            }
        } else {
            fs::set_permissions(dir, Permissions::from_mode(0o711))
                .map_err(ServerError::io("opening the way through", dir))?;
            if postgres_can_enter(dir) {
                Kind::UserPostgres
            } else {
                Kind::MappedUser
            }
        };
        Ok(Self {
            kind,
            prefix: kind.prefix(),
        })
    }

    /// The words that go before a program.
    pub(super) fn prefix(&self) -> &[String] {
        &self.prefix
    }

    /// A command for `program` under this identity.
    pub(super) fn command(&self, program: &Path) -> Command {
        match self.prefix.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        }
    }

    /// Makes a directory that only this identity can read.
    pub(super) async fn make_directory(&self, path: &Path) -> Result<(), ServerError> {
        let mut command = Command::new("install");
        command.args(["-d", "-m", "0700"]);
        if matches!(self.kind, Kind::UserPostgres) {
            command.args(["-o", "postgres", "-g", "postgres"]);
        }
        command.arg(path);
        tool::run(
            command,
            &format!("making the directory {}", path.display()),
            Duration::from_secs(10),
        )
        .await?;
        Ok(())
    }
}

impl fmt::Display for RunAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Ourselves => "as the current user",
            Kind::UserPostgres => "as the user postgres",
            Kind::MappedUser => {
                "in a user namespace, because the user postgres cannot enter the directory; if this system forbids \
                 user namespaces, use a directory that every user can enter"
            }
        })
    }
}

impl Kind {
    fn prefix(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Ourselves => &[],
            Self::UserPostgres => &AS_POSTGRES,
            // Any id but root's will do; PostgreSQL wants its name to be known, and 1 is known everywhere.
            Self::MappedUser => &["unshare", "--user", "--map-user=1", "--map-group=1", "--"],
        };
        words.iter().map(ToString::to_string).collect()
    }
}

const AS_POSTGRES: [&str; 5] = [
    "setpriv",
    "--reuid=postgres",
    "--regid=postgres",
    "--init-groups",
    "--",
];

fn postgres_can_enter(dir: &Path) -> bool {
    let (first, rest) = (AS_POSTGRES[0], &AS_POSTGRES[1..]);
    let test = Command::new(first)
        .args(rest)
        .args(["test", "-x"])
        .arg(dir)
        .stdin(Stdio::null())
        .output();
    test.is_ok_and(|output| output.status.success())
}

fn owner(path: &Path) -> Result<u32, ServerError> {
    fs::metadata(path)
        .map(|metadata| metadata.uid())
        .map_err(ServerError::io("reading the owner of", path))
}

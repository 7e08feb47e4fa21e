//! Where the servers' programs are installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::ServerError;

/// The search path that servers and tools get, whatever the caller's is.
pub(crate) const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program of PostgreSQL: the newest of `/usr/lib/postgresql/*/bin`, else the search path.
pub(crate) fn postgres_program(program: &'static str) -> Result<PathBuf, ServerError> {
    newest_below(Path::new("/usr/lib/postgresql"), |version| {
        version.join("bin").join(program)
    })
    .or_else(|| on_path(program))
    .ok_or(ServerError::NotInstalled {
        program,
        package: "postgresql-15",
    })
}

/// A program of RabbitMQ. The copies in `/usr/sbin` insist on the user `rabbitmq`; those under `/usr/lib` do not.
pub(crate) fn rabbit_program(program: &'static str) -> Result<PathBuf, ServerError> {
    let packaged = Path::new("/usr/lib/rabbitmq/bin").join(program);
    Some(packaged)
        .filter(|path| path.exists())
        .or_else(|| on_path(program))
        .ok_or(ServerError::NotInstalled {
            program,
            package: "rabbitmq-server",
        })
}

/// Erlang's port mapper.
pub(crate) fn epmd_program() -> Result<PathBuf, ServerError> {
    on_path("epmd")
        .or_else(|| {
            newest_below(Path::new("/usr/lib/erlang"), |version| {
                version.join("bin").join("epmd")
            })
        })
        .ok_or(ServerError::NotInstalled {
            program: "epmd",
            package: "erlang-base",
        })
}

fn newest_below(parent: &Path, program: impl Fn(PathBuf) -> PathBuf) -> Option<PathBuf> {
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<PathBuf> = fs::read_dir(parent)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    versions.sort_by_key(version);
    versions
        .into_iter()
        .rev()
        .map(program)
        .find(|path| path.exists())
}

fn on_path(program: &str) -> Option<PathBuf> {
    // The shell looks it up, so that this crate reads no environment variable.
    let answer = Command::new("sh")
        .args(["-c", "command -v \"$1\"", "sh", program])
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim());
    (answer.status.success() && path.is_absolute()).then_some(path)
}

//! The directory of one fleet: fresh at each start, used by one program at a time, its secrets readable by its owner only.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sever_private_servers::{Directory, OwnedProcess};

/// Directories of private servers, which keep records of their own processes.
const SERVERS: [&str; 2] = ["postgres", "rabbit"];

/// Says that a directory may be emptied.
const MARK: &str = "made-by-sever-dev";

/// What outlives a start: the lock is held, and [`KEPT_RECORD`] says what is left on a given database server.
const KEPT: [&str; 3] = ["lock", MARK, KEPT_RECORD];

/// The name of the record of a database on a given server.
pub(super) const KEPT_RECORD: &str = "given-database";

/// The directory, locked for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Home {
    directory: Directory,
}

impl Home {
    /// Locks the directory, ends what a killed program left running in it, and empties it.
    ///
    /// # Errors
    /// Where another live program uses it, it holds files that are not ours, or it cannot be written.
    pub(crate) fn fresh(path: &Path) -> anyhow::Result<Self> {
        refuse_foreign(path)?;
        let home = Self::open(path)?;
        home.write_private(
            MARK,
            "everything beside this file is removed at each start\n",
        )?;
        for server in SERVERS.map(|name| home.join(name)) {
            if server.exists() {
                // Opening ends what its record names; the files can go afterwards.
                drop(Directory::open(&server)?);
            }
        }
        home.empty()
            .with_context(|| format!("emptying the directory {}", home.path().display()))?;
        fs::create_dir(home.logs()).context("making the directory of logs")?;
        Ok(home)
    }

    /// Locks the directory and leaves its files as they are.
    ///
    /// # Errors
    /// As [`Home::fresh`].
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let directory = Directory::open(path)
            .with_context(|| format!("taking the directory {}", path.display()))?;
        Ok(Self { directory })
    }

    /// Its absolute path.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A path inside.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Where the services write their logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.directory.join("logs")
    }

    /// Writes a file that only its owner may read.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn write_private(&self, name: &str, content: &str) -> anyhow::Result<PathBuf> {
        let path = self.join(name);
        let written = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| {
                // The mode above is for a new file only.
                file.set_permissions(Permissions::from_mode(0o600))?;
                file.write_all(content.as_bytes())
            });
        written.with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// Adds a line to a file that outlives a start.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn append(&self, name: &str, line: &str) -> anyhow::Result<()> {
        let path = self.join(name);
        let file = File::options().create(true).append(true).open(&path);
        file.and_then(|mut file| writeln!(file, "{line}"))
            .with_context(|| format!("writing {}", path.display()))
    }

    /// Records the running processes for the program that uses this directory next.
    ///
    /// # Errors
    /// Where the record cannot be written.
    pub(crate) fn record(&self, processes: &[&OwnedProcess]) -> anyhow::Result<()> {
        Ok(self.directory.record(processes)?)
    }

    fn empty(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(self.path())? {
            let entry = entry?;
            if KEPT.iter().any(|kept| entry.file_name() == *kept) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// A mistyped `--directory` must not empty somebody's folder.
fn refuse_foreign(path: &Path) -> anyhow::Result<()> {
    let Ok(mut entries) = fs::read_dir(path) else {
        return Ok(());
    };
    if path.join(MARK).exists() || entries.next().is_none() {
        return Ok(());
    }
    bail!(
        "{} is not empty and was not made by 'sever dev': choose another directory, for everything in it would be removed",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_finds_the_directory_empty_but_for_the_record_of_a_given_database() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("fleet");
        let home = Home::fresh(&path).unwrap();
        for name in ["token", KEPT_RECORD] {
            home.write_private(name, "x").unwrap();
        }
        fs::create_dir_all(home.join("postgres/data")).unwrap();
        drop(home);
        let home = Home::fresh(&path).unwrap();
        let mut left: Vec<_> = fs::read_dir(home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, [KEPT_RECORD, "lock", "logs", MARK]);
    }

    #[test]
    fn a_directory_with_files_of_others_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("letter");
        fs::write(&file, "dear").unwrap();
        let refused = Home::fresh(place.path()).unwrap_err().to_string();
        assert!(refused.contains("not empty"), "{refused}");
        let names: Vec<_> = fs::read_dir(place.path()).unwrap().collect();
        assert_eq!((names.len(), file.exists()), (1, true));
    }

    #[test]
    fn a_directory_in_use_is_refused_and_secrets_are_for_their_owner_only() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::fresh(place.path()).unwrap();
        let refused = Home::fresh(place.path()).unwrap_err();
        assert!(format!("{refused:#}").contains("in use"), "{refused:#}");
        let path = home.write_private("token", "secret").unwrap();
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

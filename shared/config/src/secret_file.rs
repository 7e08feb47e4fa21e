//! Reading a value from a file: bounded, text, without the newline that editors add.

use std::io::Read as _;
use std::path::Path;

/// Largest file that can hold a credential: a PEM chain with a key is under 20 KiB, and a mistaken path must not fill memory.
pub(crate) const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Reads at most `bytes_max` bytes of UTF-8 text from the regular file at `path`.
///
/// # Errors
/// Words that complete "names a file that …": it cannot be opened or read, is no regular file, is too large, is not UTF-8.
/// The content is never part of them.
pub(crate) fn read_text(path: &Path, bytes_max: u64) -> Result<String, String> {
    // A FIFO or device could block the start for ever, so the kind is asked before opening.
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("is larger than {bytes_max} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())
}

/// As [`read_text`] with [`SECRET_BYTES_MAX`], less one trailing newline (LF or CRLF), and never empty.
///
/// # Errors
/// As [`read_text`], and "is empty".
pub(crate) fn read_secret(path: &Path) -> Result<String, String> {
    let mut text = read_text(path, SECRET_BYTES_MAX)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &[u8], expected: Result<&str, &str>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        assert_eq!(
            read_secret(file.path()).as_deref().map_err(String::as_str),
            expected
        );
    }

    #[test]
    fn exactly_one_trailing_newline_is_taken_off() {
        check(b"abc", Ok("abc"));
        check(b"abc\n", Ok("abc"));
        check(b"abc\r\n", Ok("abc"));
        check(b"abc\n\n", Ok("abc\n"));
    }

    #[test]
    fn empty_foreign_and_oversized_files_are_refused() {
        check(b"\n", Err("is empty"));
        check(b"\xff\xfe", Err("is not UTF-8 text"));
        check(
            &vec![b'x'; 64 * 1024 + 1],
            Err("is larger than 65536 bytes"),
        );
    }

    #[test]
    fn a_directory_is_no_credential() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            read_secret(folder.path()),
            Err("is not a regular file".to_owned())
        );
    }
}

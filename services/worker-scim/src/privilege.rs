//! What gives power over an application.

/// The standard has no word for power, so a role or a group counts as administrative by its names.
#[must_use]
pub fn sounds_privileged(names: &[&str]) -> bool {
    let words = names.join(" ").to_lowercase();
    ["admin", "owner", "root", "super"]
        .iter()
        .any(|word| words.contains(word))
}

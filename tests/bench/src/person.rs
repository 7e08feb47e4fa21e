//! The fixed person: the recorded answers of its account, and the calls that an opt-out of it makes.
//!
//! Both are committed files. Every user id stands for one more copy of the same person.

/// The recorded answers, in the form that [`crate::person::sections`] reads.
pub const ANSWERS: &str = include_str!("../person/answers.txt");
/// The calls and commits of one opt-out, as [`crate::calls::script`] reads them.
pub const SCRIPT: &str = include_str!("../person/script.txt");

/// What stands for the user id in the committed files.
pub const PLACEHOLDER: &str = "{user}";
/// The first characters of every user id.
const PREFIX: &str = "00ubench";
/// The length of a user id, that of Okta's own.
pub const ID_LENGTH: usize = 20;

/// The user id of the person with this number.
#[must_use]
pub fn user_id(number: usize) -> String {
    format!("{PREFIX}{number:012}")
}

/// Where a user id stands in this text, and the person's number; `None` where there is none.
#[must_use]
pub fn find_user(text: &str) -> Option<(usize, usize)> {
    let at = text.find(PREFIX)?;
    let digits = text.get(at + PREFIX.len()..at + ID_LENGTH)?;
    Some((at, digits.parse().ok()?))
}

/// One recorded answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// Entitlements that must all be gone for this answer to be given; empty for an answer that needs nothing.
    pub once_gone: Vec<String>,
    /// Entitlements that are gone afterwards.
    pub ends: Vec<String>,
    /// The HTTP status.
    pub status: u16,
    /// The body; empty for none.
    pub body: String,
}

/// Reads the committed answers: a line `METHOD PATH STATUS [once_gone=a,b] [ends=a,b]`, then the body on the
/// lines up to the next empty one. Lines that begin with `#` are comments.
///
/// # Panics
/// On a file that cannot be read: it is compiled in, and a test reads it.
#[must_use]
pub fn sections(text: &str) -> Vec<Section> {
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    kept.split(|line| line.is_empty())
        .filter(|lines| !lines.is_empty())
        .map(section)
        .collect()
}

fn section(lines: &[&str]) -> Section {
    let mut words = lines[0].split(' ');
    let mut word = || words.next().expect("a head has method, path and status");
    let (method, path) = (word().to_owned(), word().to_owned());
    let status = word().parse().expect("the status is a number");
    let rest: Vec<&str> = words.collect();
    let list = |name: &str| {
        let value = rest.iter().find_map(|word| word.strip_prefix(name));
        let items = value.map(|items| items.split(',').map(str::to_owned).collect());
        items.unwrap_or_default()
    };
    Section {
        method,
        path,
        once_gone: list("once_gone="),
        ends: list("ends="),
        status,
        body: lines[1..].join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_number() {
        let path = format!("/api/v1/users/{}/groups", user_id(42));
        assert_eq!(user_id(42).len(), ID_LENGTH);
        assert_eq!(find_user(&path), Some((14, 42)));
        assert_eq!(find_user("/api/v1/users/me"), None);
    }

    #[test]
    fn the_committed_answers_are_json_and_name_the_person_only_by_the_placeholder() {
        let sections = sections(ANSWERS);
        assert!(sections.len() > 30);
        for section in sections {
            assert!(!section.body.contains(PREFIX), "{}", section.path);
            if !section.body.is_empty() {
                serde_json::from_str::<serde_json::Value>(&section.body).unwrap();
            }
        }
    }
}

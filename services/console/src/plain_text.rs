//! Texts that people write for the record: bounded, and without e-mail addresses, because audit events keep them for ever.

use sever_api::Problem;

/// The most characters of a reason.
const REASON_MAX: usize = 500;

/// A reason as it is recorded.
///
/// # Errors
/// A 400 problem that names the field: empty, over 500 characters, or with an e-mail address in it.
pub(crate) fn reason(field: &str, text: &str) -> Result<String, Problem> {
    if text.trim().is_empty() {
        return Err(Problem::invalid(field, "must say why"));
    }
    line(field, text, REASON_MAX)
}

/// A line of at most `max` characters as it is recorded.
///
/// # Errors
/// A 400 problem that names the field: empty, too long, more than a line, or with an e-mail address in it.
pub(crate) fn line(field: &str, text: &str, max: usize) -> Result<String, Problem> {
    let text = text.trim();
    let problem = if text.is_empty() {
        "must not be empty".to_owned()
    } else if text.chars().count() > max {
        format!("must have at most {max} characters")
    } else if text.chars().any(char::is_control) {
        "must be one line of text".to_owned()
    } else if names_an_email(text) {
        "must not hold an e-mail address: audit events keep it for ever; use an id".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(Problem::invalid(field, problem))
}

/// Whether something in the text looks like `local@domain.tld`.
pub(crate) fn names_an_email(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let local = text[..at].chars().next_back();
        let domain: String = text[at + 1..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
            .collect();
        local.is_some_and(|c| c.is_alphanumeric() || "._%+-".contains(c))
            && domain.trim_end_matches('.').contains('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_line_without_addresses() {
        assert_eq!(
            reason("/reason", " checked with HR ").unwrap(),
            "checked with HR"
        );
        for wrong in [
            "",
            "  ",
            "ask ada@example.test.",
            "two\nlines",
            &"x".repeat(501),
        ] {
            assert_eq!(
                reason("/reason", wrong)
                    .unwrap_err()
                    .body()
                    .field
                    .as_deref(),
                Some("/reason"),
                "{wrong}"
            );
        }
        assert!(reason("/reason", "see @oncall in chat, or a@b").is_ok());
    }
}

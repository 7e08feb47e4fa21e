//! Masks what must never stand in a log: e-mail addresses, bearer tokens, passwords in URLs.
//!
//! This is the last line of defence. Code logs ids; a masked line is a mistake to correct and is counted.

use std::borrow::Cow;

/// What a masked part is replaced with.
const MASK: &str = "[masked]";

/// Authentication schemes whose credential follows after one or more spaces, in lower case (RFC 6750, RFC 7617, Okta's SSWS).
const SCHEMES: [&str; 4] = ["bearer", "ssws", "basic", "dpop"];

/// Characters of a credential after its scheme: base64, base64url, token68 (RFC 7235 section 2.1).
fn is_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~' | '+' | '/' | '=')
}

/// `text` with every e-mail address, authorization credential and URL user information replaced by `[masked]`.
///
/// Borrowed, unchanged, where there is none. An address is a local part, `@` or `%40`, and a domain with a dot;
/// it errs towards masking. `/`, `=`, `?` and `&` end a local part although RFC 5321 allows them, so that paths stay readable.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut spans = Vec::new();
    find_emails(text, "@", &mut spans);
    find_emails(text, "%40", &mut spans);
    find_credentials(text, &mut spans);
    find_user_information(text, &mut spans);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_unstable();
    Cow::Owned(replace(text, &spans))
}

/// Replaces sorted, possibly overlapping byte ranges.
fn replace(text: &str, spans: &[(usize, usize)]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for &(start, end) in spans {
        if start >= done {
            masked.push_str(&text[done..start]);
            masked.push_str(MASK);
        }
        done = done.max(end);
    }
    masked.push_str(&text[done..]);
    masked
}

fn find_emails(text: &str, at: &str, spans: &mut Vec<(usize, usize)>) {
    for (index, _) in text.match_indices(at) {
        let local = run_before(&text[..index], |letter| {
            letter.is_alphanumeric() || "._%+-'!#$*^`{|}~".contains(letter)
        });
        let domain = run_after(&text[index + at.len()..], |letter| {
            letter.is_alphanumeric() || matches!(letter, '.' | '-')
        });
        let domain_text = text[index + at.len()..][..domain].trim_end_matches(['.', '-']);
        // The last label of a host name is never a number (RFC 3696 section 2); user@127.0.0.1 is no address.
        let named = domain_text
            .rsplit_once('.')
            .is_some_and(|(_, last)| last.contains(|letter: char| !letter.is_ascii_digit()));
        if local > 0 && named {
            spans.push((index - local, index + at.len() + domain_text.len()));
        }
    }
}

fn find_credentials(text: &str, spans: &mut Vec<(usize, usize)>) {
    // Lower-casing ASCII only keeps every byte offset.
    let lower = text.to_ascii_lowercase();
    for scheme in SCHEMES {
        for (index, _) in lower.match_indices(scheme) {
            let after = index + scheme.len();
            let inside_a_word = text[..index].ends_with(|before: char| before.is_alphanumeric());
            let gap = run_after(&text[after..], |letter| letter == ' ');
            let token = run_after(&text[after + gap..], is_token);
            // "bearer token" is prose: a credential is longer than any word of ours.
            if !inside_a_word && gap > 0 && token >= CREDENTIAL_MIN {
                spans.push((after + gap, after + gap + token));
            }
        }
    }
}

/// Shortest run after a scheme that counts as a credential.
const CREDENTIAL_MIN: usize = 16;

/// The part between `://` and `@` of a URL (RFC 3986 section 3.2.1): brokers and databases carry passwords there.
fn find_user_information(text: &str, spans: &mut Vec<(usize, usize)>) {
    for (index, separator) in text.match_indices("://") {
        let start = index + separator.len();
        let authority = run_after(&text[start..], |letter| {
            !letter.is_whitespace() && !matches!(letter, '/' | '?' | '#' | '"' | '<' | '>')
        });
        if let Some(length) = text[start..start + authority]
            .rfind('@')
            .filter(|length| *length > 0)
        {
            spans.push((start, start + length));
        }
    }
}

/// Bytes at the end of `text` whose characters all satisfy `belongs`.
fn run_before(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.chars()
        .rev()
        .take_while(|letter| belongs(*letter))
        .map(char::len_utf8)
        .sum()
}

/// Bytes at the start of `text` whose characters all satisfy `belongs`.
fn run_after(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.chars()
        .take_while(|letter| belongs(*letter))
        .map(char::len_utf8)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        assert_eq!(redact(input), expected);
    }

    #[test]
    fn addresses_are_masked_wherever_they_stand() {
        check("jane.doe+x@corp.example.com left", "[masked] left");
        check("login=\"jürgen@firma.de\".", "login=\"[masked]\".");
        check("two: a@b.co, c@d.org.", "two: [masked], [masked].");
        check(
            "GET /api/v1/users/jane%40corp.example",
            "GET /api/v1/users/[masked]",
        );
        check(
            "search=profile.login eq \"o'neil@x.io\"",
            "search=profile.login eq \"[masked]\"",
        );
    }

    #[test]
    fn credentials_are_masked_after_their_scheme() {
        check(
            "Authorization: Bearer eyJhbGciOi.J9.sig-_~+/==",
            "Authorization: Bearer [masked]",
        );
        check(
            "authorization: ssws  00aBcDeFgHiJkLmNoPqRs",
            "authorization: ssws  [masked]",
        );
        check("Basic dXNlcjpwYXNzd29yZA==", "Basic [masked]");
    }

    #[test]
    fn passwords_in_urls_are_masked() {
        check(
            "amqp://sever:hunter2@127.0.0.1:5672/%2f",
            "amqp://[masked]@127.0.0.1:5672/%2f",
        );
        check(
            "postgres://u:p@ss@db/sever is away",
            "postgres://[masked]@db/sever is away",
        );
    }

    #[test]
    fn ordinary_lines_are_left_alone_and_not_copied() {
        for line in [
            "the job 0190-ab waits",
            "node sever@localhost is up",
            "a bearer token is missing",
            "forebearer abcdefghijklmnopqrst",
            "see https://example.com/a@b",
            "@ at the start",
            "",
        ] {
            assert!(matches!(redact(line), Cow::Borrowed(_)), "{line}");
        }
    }
}

//! The `Link` header of paged lists (RFC 8288).

use reqwest::header::{HeaderMap, LINK};

/// The target of `rel="next"`, verbatim. Both one header line per relation and several relations in one
/// line are read.
#[must_use]
pub fn next_link(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(LINK)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .find_map(next_in_line)
}

fn next_in_line(mut line: &str) -> Option<&str> {
    while let Some((_, rest)) = line.split_once('<') {
        let (target, rest) = rest.split_once('>')?;
        // The parameters end where the next target begins; a target may hold commas, a parameter not '<'.
        let parameters = rest.split('<').next().unwrap_or(rest);
        if parameters.split([';', ',']).any(is_next) {
            return Some(target);
        }
        line = rest;
    }
    None
}

fn is_next(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("rel")
            && value
                .trim()
                .trim_matches('"')
                .split_ascii_whitespace()
                .any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn next(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(LINK, line.parse().unwrap());
        }
        next_link(&headers).map(str::to_owned)
    }

    #[test]
    fn next_is_found_in_every_layout() {
        let wanted = Some("https://a.test/x?after=1,2".to_owned());
        let (own, following) = (
            "<https://a.test/x>; rel=\"self\"",
            "<https://a.test/x?after=1,2>; rel=\"next\"",
        );
        assert_eq!(next(&[own, following]), wanted);
        assert_eq!(next(&[&format!("{own}, {following}")]), wanted);
        assert_eq!(next(&[&format!("{following}, {own}")]), wanted);
        assert_eq!(
            next(&["<https://a.test/x?after=1,2>; title=a; rel=next"]),
            wanted
        );
        assert_eq!(next(&[own]), None);
        assert_eq!(next(&["<https://a.test/x; rel=\"next\""]), None);
    }

    proptest! {
        /// Whatever a server writes there, reading it ends and never panics.
        #[test]
        fn any_line_is_read(line in "[ -~]{0,200}") {
            let _ = next(&[&line]);
        }
    }
}

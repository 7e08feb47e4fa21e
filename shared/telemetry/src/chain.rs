//! One line for an error and everything that caused it.

/// The error's message followed by those of its causes, joined by `: `. Logs print it once, at the boundary.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use thiserror::Error;

    #[derive(Debug, Error)]
    #[error("no such row")]
    struct Inner;

    #[derive(Debug, Error)]
    #[error("settling a job")]
    struct Outer(#[source] Inner);

    #[test]
    fn every_cause_follows_in_order() {
        assert_eq!(chain(&Outer(Inner)), "settling a job: no such row");
        assert_eq!(chain(&Inner), "no such row");
    }
}

//! How the command line reaches the console.

use secrecy::SecretString;

use crate::{FromEnvironment, Kind, Reader, Variable, Wrong};

/// Address and token of the operator API.
#[derive(Debug, Clone)]
pub struct ConsoleClientConfig {
    /// `http://` or `https://` base URL, without a trailing slash.
    pub url: String,
    /// Bearer token; `None` where neither variable is set.
    pub token: Option<SecretString>,
}

const URL: Variable = Variable {
    name: "SEVER_CONSOLE_URL",
    kind: Kind::Text {
        default: "http://127.0.0.1:7080",
    },
    example: "https://sever.example.com",
    help: "Base URL of the console, for the `sever` command line. Use https anywhere but on the loopback address: the token travels with each call.",
};

const TOKEN: Variable = Variable {
    name: "SEVER_TOKEN",
    kind: Kind::Secret { required: false },
    example: "the-token-printed-by-sever-token-create",
    help: "Bearer token of the `sever` command line, made by `sever token create`.",
};

impl FromEnvironment for ConsoleClientConfig {
    const VARIABLES: &'static [&'static Variable] = &[&URL, &TOKEN];

    fn read(reader: &mut Reader<'_>) -> Self {
        let url = reader.text(&URL);
        let usable = url::Url::parse(&url)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty());
        if !usable {
            reader.reject(
                &URL,
                Wrong::NotA("an http:// or https:// URL without user name"),
            );
        }
        Self {
            url: url.trim_end_matches('/').to_owned(),
            token: reader.optional_secret(&TOKEN, |_| Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapEnvironment;

    #[test]
    fn a_token_is_optional_and_the_url_is_checked() {
        let config = ConsoleClientConfig::from_environment(&MapEnvironment::from([(
            "SEVER_CONSOLE_URL",
            "https://s.example/",
        )]))
        .unwrap();
        assert_eq!(config.url, "https://s.example");
        assert!(config.token.is_none());
        for wrong in [
            "s.example",
            "ftp://s.example",
            "http://user:hunter2@s.example",
        ] {
            let errors = ConsoleClientConfig::from_environment(&MapEnvironment::from([(
                "SEVER_CONSOLE_URL",
                wrong,
            )]))
            .unwrap_err();
            assert!(!errors.to_string().contains("hunter2"), "{errors}");
        }
    }
}

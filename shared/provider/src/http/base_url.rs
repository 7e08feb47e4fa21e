//! Where a connection may be called: its own origin and base path, and nowhere else.

use std::net::IpAddr;

use thiserror::Error;
use url::{Host, Url};

/// Where calls without TLS are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainHttp {
    /// Only to this machine.
    #[default]
    LoopbackOnly,
    /// To any host, because the operator said so.
    Anywhere,
}

/// Why a URL may not be called.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnusableUrl {
    /// It is neither http nor https.
    #[error("must begin with https:// (or http:// on a loopback host)")]
    Scheme,
    /// It is http, to a host that is not this machine.
    #[error("uses plain http to a host that is not loopback; use https")]
    PlainHttp,
    /// It names no host.
    #[error("has no host")]
    NoHost,
    /// It carries a user, a password, a query or a fragment.
    #[error("must not carry a user, a password, a query or a fragment")]
    Decorated,
    /// A key cannot stand in a path: empty, `.` or `..`.
    #[error("an empty key, '.' or '..' cannot stand in a path")]
    Segment,
    /// The provider pointed outside the connection.
    #[error("the provider pointed to a page outside the connection's base URL")]
    Elsewhere,
}

/// The checked base of a connection, from which every URL of a call is made.
#[derive(Debug, Clone)]
pub struct BaseUrl {
    url: Url,
    path_prefix: String,
}

impl BaseUrl {
    /// Checks a base URL. A trailing slash does not count.
    ///
    /// # Errors
    /// [`UnusableUrl`], by what is wrong with it.
    pub fn new(url: &Url, plain_http: PlainHttp) -> Result<Self, UnusableUrl> {
        let host = url.host().ok_or(UnusableUrl::NoHost)?;
        match url.scheme() {
            "https" => {}
            "http" if plain_http == PlainHttp::Anywhere || is_loopback(&host) => {}
            "http" => return Err(UnusableUrl::PlainHttp),
            _ => return Err(UnusableUrl::Scheme),
        }
        if is_decorated(url) || url.query().is_some() {
            return Err(UnusableUrl::Decorated);
        }
        let path_prefix = format!("{}/", url.path().trim_end_matches('/'));
        let mut url = url.clone();
        url.set_path(&path_prefix);
        Ok(Self { url, path_prefix })
    }

    /// The URL of `path` below the base, each segment percent-encoded, so that a key with a slash or a
    /// question mark cannot become another call.
    ///
    /// # Errors
    /// [`UnusableUrl::Segment`] where a segment is empty, `.` or `..`, which URLs do not keep.
    pub fn join(&self, path: &[&str]) -> Result<Url, UnusableUrl> {
        if path
            .iter()
            .any(|segment| matches!(*segment, "" | "." | ".."))
        {
            return Err(UnusableUrl::Segment);
        }
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| UnusableUrl::Scheme)?
            .pop_if_empty()
            .extend(path);
        Ok(url)
    }

    /// A URL that the provider gave (a next page), if it stays within the base.
    ///
    /// # Errors
    /// [`UnusableUrl::Elsewhere`] where scheme, host, port or path prefix differ.
    pub fn follow(&self, given: &str) -> Result<Url, UnusableUrl> {
        let url = self.url.join(given).map_err(|_| UnusableUrl::Elsewhere)?;
        let within = url.scheme() == self.url.scheme()
            && url.host() == self.url.host()
            && url.port_or_known_default() == self.url.port_or_known_default()
            && url.path().starts_with(&self.path_prefix)
            && !is_decorated(&url);
        if within {
            Ok(url)
        } else {
            Err(UnusableUrl::Elsewhere)
        }
    }
}

fn is_decorated(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some() || url.fragment().is_some()
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => IpAddr::V4(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn base(text: &str) -> Result<BaseUrl, UnusableUrl> {
        BaseUrl::new(&text.parse().unwrap(), PlainHttp::LoopbackOnly)
    }

    #[test]
    fn only_https_and_loopback_http_are_bases() {
        assert!(base("https://acme.okta.com").is_ok());
        assert!(base("http://127.0.0.1:1/tenant/").is_ok());
        assert!(base("http://[::1]:1").is_ok());
        assert!(base("http://localhost").is_ok());
        for (text, expected) in [
            ("http://acme.okta.com", UnusableUrl::PlainHttp),
            ("http://localhost.evil.test", UnusableUrl::PlainHttp),
            ("ftp://acme.okta.com", UnusableUrl::Scheme),
            ("https://user@acme.okta.com", UnusableUrl::Decorated),
            ("https://acme.okta.com?x=1", UnusableUrl::Decorated),
        ] {
            assert_eq!(base(text).err(), Some(expected), "{text}");
        }
        let said_so = BaseUrl::new(&"http://sim:8080".parse().unwrap(), PlainHttp::Anywhere);
        assert!(said_so.is_ok());
    }

    #[test]
    fn a_next_page_stays_within_the_base() {
        let base = base("https://acme.okta.com/tenant").unwrap();
        let inside = "https://acme.okta.com/tenant/api/v1/users?after=x%2F1";
        assert_eq!(base.follow(inside).unwrap().as_str(), inside);
        for outside in [
            "http://acme.okta.com/tenant/api",
            "https://evil.test/tenant/api",
            "https://acme.okta.com:8443/tenant/api",
            "https://acme.okta.com/other",
            "https://acme.okta.com/tenantx/api",
            "https://acme.okta.com/tenant/../other",
            "https://acme.okta.com@evil.test/tenant/api",
            "https://user@acme.okta.com/tenant/api",
            "//evil.test/tenant/api",
        ] {
            assert_eq!(
                base.follow(outside).err(),
                Some(UnusableUrl::Elsewhere),
                "{outside}"
            );
        }
    }

    proptest! {
        /// Whatever a key holds, it stays one segment of the path.
        #[test]
        fn a_key_never_leaves_its_segment(key in "\\PC{1,40}") {
            let base = base("https://acme.okta.com/tenant").unwrap();
            match base.join(&["api", "v1", "users", &key]) {
                Ok(url) => {
                    prop_assert_eq!(url.path_segments().unwrap().count(), 5);
                    prop_assert!(url.query().is_none() && url.fragment().is_none());
                    prop_assert!(url.path().starts_with("/tenant/api/v1/users/"));
                }
                Err(_) => prop_assert!(key == "." || key == ".."),
            }
        }
    }
}

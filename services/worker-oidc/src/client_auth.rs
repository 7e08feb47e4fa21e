//! Who calls a standard endpoint (RFC 6749 section 2.3, RFC 7523 section 2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use sever_provider::{ClientKey, UnusableKey};
use url::form_urlencoded::{Serializer, byte_serialize};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that can prove who it is. Prints without its secret.
#[derive(Debug)]
pub struct ClientAuth {
    /// `client_id`.
    pub id: String,
    /// How it proves it.
    pub proof: Proof,
}

/// How a client proves who it is.
#[derive(Debug)]
pub enum Proof {
    /// With a secret.
    Secret(SecretString),
    /// With an assertion that its key signs.
    Key(ClientKey),
    /// Not at all: it is public.
    Public,
}

/// A form with the proof in it or beside it.
#[derive(Debug)]
pub struct Proven {
    /// The header, where the proof is one; marked sensitive.
    pub header: Option<HeaderValue>,
    /// The form; holds secrets.
    pub form: SecretString,
}

impl ClientAuth {
    /// Adds the proof to `fields`. `methods` are those that the endpoint supports; without any, `client_secret_basic`,
    /// which RFC 8414 has for the default. `audience` is the endpoint's own address or the issuer.
    ///
    /// # Errors
    /// [`UnusableKey`] where the key cannot sign, or the secret cannot stand in a header.
    pub fn prove(
        &self,
        fields: &[(&str, &str)],
        methods: &[String],
        audience: &str,
        now: Timestamp,
    ) -> Result<Proven, UnusableKey> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(fields);
        let mut header = None;
        let in_body = methods.iter().any(|method| method == "client_secret_post")
            && !methods.iter().any(|method| method == "client_secret_basic");
        match &self.proof {
            Proof::Secret(secret) if in_body => {
                form.append_pair("client_id", &self.id);
                form.append_pair("client_secret", secret.expose_secret());
            }
            Proof::Secret(secret) => header = Some(basic(&self.id, secret).ok_or(UnusableKey)?),
            Proof::Key(key) => {
                let assertion = key.sign(audience, now)?;
                form.append_pair("client_id", &self.id);
                form.append_pair("client_assertion_type", ASSERTION_TYPE);
                form.append_pair("client_assertion", &assertion);
            }
            Proof::Public => {
                form.append_pair("client_id", &self.id);
            }
        }
        Ok(Proven {
            header,
            form: form.finish().into(),
        })
    }
}

/// Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn basic(id: &str, secret: &SecretString) -> Option<HeaderValue> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret.expose_secret()));
    sensitive(&format!("Basic {}", STANDARD.encode(pair)))
}

/// A header that is never printed; `None` where the text cannot be one.
#[must_use]
pub fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proven(proof: Proof, methods: &[&str]) -> (Option<String>, String) {
        let client = ClientAuth {
            id: "a b".into(),
            proof,
        };
        let methods: Vec<String> = methods.iter().map(|method| (*method).to_owned()).collect();
        let proven = client
            .prove(
                &[("token", "x&y")],
                &methods,
                "https://op.test",
                Timestamp::UNIX_EPOCH,
            )
            .unwrap();
        let header = proven.header.map(|header| {
            assert!(header.is_sensitive());
            header.to_str().unwrap().to_owned()
        });
        (header, proven.form.expose_secret().to_owned())
    }

    #[test]
    fn a_secret_goes_where_the_endpoint_takes_it() {
        let secret = || Proof::Secret("p:w".into());
        let header = format!("Basic {}", STANDARD.encode("a+b:p%3Aw"));
        for methods in [&[][..], &["client_secret_basic", "client_secret_post"]] {
            let (found, form) = proven(secret(), methods);
            assert_eq!(
                (found.as_deref(), form.as_str()),
                (Some(header.as_str()), "token=x%26y")
            );
        }
        let (found, form) = proven(secret(), &["client_secret_post"]);
        assert_eq!(
            (found, form.as_str()),
            (None, "token=x%26y&client_id=a+b&client_secret=p%3Aw")
        );
    }

    #[test]
    fn a_public_client_names_itself() {
        assert_eq!(
            proven(Proof::Public, &[]),
            (None, "token=x%26y&client_id=a+b".to_owned())
        );
    }
}

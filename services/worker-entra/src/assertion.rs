//! Signed client assertions (RFC 7523, RFC 7515) with the TLS library's own signer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey;

/// How long an assertion may be used.
const LIFETIME_S: i64 = 300;

/// A key that cannot be read or cannot sign. Says nothing of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusableKey;

/// The private key of a certificate that is registered with the application.
#[derive(Debug, Clone)]
pub struct AssertionKey {
    client_id: String,
    thumbprint: String,
    key: Arc<dyn SigningKey>,
}

impl AssertionKey {
    /// Reads an RSA private key. `thumbprint` is the base64url SHA-256 of the certificate.
    ///
    /// # Errors
    /// [`UnusableKey`] where it is none.
    pub fn from_pem(client_id: &str, thumbprint: &str, pem: &str) -> Result<Self, UnusableKey> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| UnusableKey)?;
        let key =
            rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).map_err(|_| UnusableKey)?;
        key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256])
            .ok_or(UnusableKey)?;
        Ok(Self {
            client_id: client_id.to_owned(),
            thumbprint: thumbprint.to_owned(),
            key,
        })
    }

    /// A compact JWS (PS256) for `audience`, the address of the token endpoint; usable for five minutes.
    ///
    /// # Errors
    /// [`UnusableKey`] where the signer refuses.
    pub fn sign(&self, audience: &str, now: Timestamp) -> Result<String, UnusableKey> {
        let issued_at = now.as_second();
        let header =
            serde_json::json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = serde_json::json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "nbf": issued_at,
            "exp": issued_at + LIFETIME_S,
            "jti": uuid::Uuid::new_v4(),
        });
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signer = self
            .key
            .choose_scheme(&[SignatureScheme::RSA_PSS_SHA256])
            .ok_or(UnusableKey)?;
        let signature = signer.sign(signed.as_bytes()).map_err(|_| UnusableKey)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

//! The private key of a client of a token endpoint: signed assertions (RFC 7523, RFC 7515) with the TLS library's own
//! signer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey;

/// How long an assertion may be used; token endpoints take an hour at most.
const LIFETIME_S: i64 = 300;
/// A P-256 coordinate.
const COORDINATE_BYTES: usize = 32;

/// A key that cannot be read or cannot sign. Says nothing of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusableKey;

/// The private key of a client. Prints without its value.
#[derive(Debug, Clone)]
pub struct ClientKey {
    client_id: String,
    name: Name,
    key: Arc<dyn SigningKey>,
    algorithm: Algorithm,
}

/// How a token endpoint finds the key's other half.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// By its id (`kid`).
    Kid(String),
    /// By the SHA-256 of its certificate, base64url (`x5t#S256`).
    Thumbprint(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Ps256,
    Rs256,
    Es256,
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    const fn scheme(self) -> SignatureScheme {
        match self {
            Self::Ps256 => SignatureScheme::RSA_PSS_SHA256,
            Self::Rs256 => SignatureScheme::RSA_PKCS1_SHA256,
            Self::Es256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        }
    }
}

impl ClientKey {
    /// Reads an RSA or P-256 private key.
    ///
    /// # Errors
    /// [`UnusableKey`] where it is neither.
    pub fn from_pem(client_id: String, kid: String, pem: &str) -> Result<Self, UnusableKey> {
        let algorithms = [Algorithm::Rs256, Algorithm::Es256];
        Self::new(client_id, Name::Kid(kid), &algorithms, pem)
    }

    /// Reads the RSA private key of a certificate that is registered with the client, and signs with PS256.
    /// `thumbprint` is the SHA-256 of the certificate, base64url.
    ///
    /// # Errors
    /// [`UnusableKey`] where it is none.
    pub fn of_certificate(
        client_id: String,
        thumbprint: String,
        pem: &str,
    ) -> Result<Self, UnusableKey> {
        let name = Name::Thumbprint(thumbprint);
        Self::new(client_id, name, &[Algorithm::Ps256], pem)
    }

    fn new(
        client_id: String,
        name: Name,
        algorithms: &[Algorithm],
        pem: &str,
    ) -> Result<Self, UnusableKey> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| UnusableKey)?;
        let key =
            rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).map_err(|_| UnusableKey)?;
        let algorithm = algorithms
            .iter()
            .find(|algorithm| key.choose_scheme(&[algorithm.scheme()]).is_some())
            .ok_or(UnusableKey)?;
        Ok(Self {
            client_id,
            name,
            key,
            algorithm: *algorithm,
        })
    }

    /// The client id.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// A compact JWS for `audience`, usable for five minutes.
    ///
    /// # Errors
    /// [`UnusableKey`] where the signer refuses.
    pub fn sign(&self, audience: &str, now: Timestamp) -> Result<String, UnusableKey> {
        let issued_at = now.as_second();
        let header = self.header();
        let mut claims = serde_json::json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "iat": issued_at,
            "exp": issued_at + LIFETIME_S,
            "jti": uuid::Uuid::new_v4(),
        });
        if matches!(self.name, Name::Thumbprint(_)) {
            claims["nbf"] = issued_at.into();
        }
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signer = self
            .key
            .choose_scheme(&[self.algorithm.scheme()])
            .ok_or(UnusableKey)?;
        let signature = signer.sign(signed.as_bytes()).map_err(|_| UnusableKey)?;
        let signature = match self.algorithm {
            Algorithm::Ps256 | Algorithm::Rs256 => signature,
            Algorithm::Es256 => raw_ecdsa(&signature).ok_or(UnusableKey)?,
        };
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn header(&self) -> serde_json::Value {
        let algorithm = self.algorithm.name();
        match &self.name {
            Name::Kid(kid) => serde_json::json!({ "alg": algorithm, "kid": kid }),
            Name::Thumbprint(thumbprint) => {
                serde_json::json!({ "alg": algorithm, "typ": "JWT", "x5t#S256": thumbprint })
            }
        }
    }
}

/// TLS carries an ECDSA signature as a DER sequence of two integers; a JWS as two fixed-length numbers
/// (RFC 7518 section 3.4).
fn raw_ecdsa(der: &[u8]) -> Option<Vec<u8>> {
    let [0x30, length, rest @ ..] = der else {
        return None;
    };
    if usize::from(*length) != rest.len() {
        return None;
    }
    let (r, rest) = integer(rest)?;
    let (s, rest) = integer(rest)?;
    rest.is_empty().then(|| [r, s].concat())
}

fn integer(der: &[u8]) -> Option<([u8; COORDINATE_BYTES], &[u8])> {
    let [0x02, length, rest @ ..] = der else {
        return None;
    };
    let (value, rest) = rest.split_at_checked(usize::from(*length))?;
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    let value = &value[zeros..];
    let mut fixed = [0; COORDINATE_BYTES];
    let start = COORDINATE_BYTES.checked_sub(value.len())?;
    fixed[start..].copy_from_slice(value);
    Some((fixed, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A SEC1 key (RFC 5915) with a made-up scalar.
    fn p256_pem() -> String {
        let mut der = vec![0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
        der.extend([7; 32]);
        der.extend([0xa0, 0x0a, 0x06, 0x08]);
        der.extend([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        let label = "EC PRIVATE KEY";
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn an_assertion_has_three_parts_and_a_signature_of_fixed_length() {
        let key = ClientKey::from_pem("0oa1".into(), "k1".into(), &p256_pem()).unwrap();
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        for _ in 0..50 {
            let assertion = key
                .sign("https://acme.okta.com/oauth2/v1/token", now)
                .unwrap();
            let parts: Vec<Vec<u8>> = assertion
                .split('.')
                .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap())
                .collect();
            assert_eq!(parts.len(), 3);
            assert_eq!(parts[2].len(), 2 * COORDINATE_BYTES);
            let claims: serde_json::Value = serde_json::from_slice(&parts[1]).unwrap();
            assert_eq!(claims["exp"].as_i64(), Some(now.as_second() + LIFETIME_S));
        }
    }

    #[test]
    fn der_integers_of_every_length_become_fixed() {
        let mut der = vec![0x30, 0x07, 0x02, 0x02, 0x00, 0x80, 0x02, 0x01, 0x07];
        let raw = raw_ecdsa(&der).unwrap();
        assert_eq!((raw[31], raw[63], raw.len()), (0x80, 0x07, 64));
        der.push(0);
        assert_eq!(raw_ecdsa(&der), None);
        assert_eq!(raw_ecdsa(&[]), None);
    }
}

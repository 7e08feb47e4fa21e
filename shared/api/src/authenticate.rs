//! Bearer authentication (RFC 6750): who asks, and what they may do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use sever_domain::{SourceId, TokenId};
use sever_store::{Store, api_token};

use crate::problem::{Problem, ProblemKind};
use crate::scope::Scope;

/// How long a token that worked is believed without asking; a revocation takes effect within it.
const BELIEVED_FOR: Duration = Duration::from_secs(5);

/// Tokens remembered at once. Only tokens that work are remembered, so strangers cannot fill it.
const REMEMBERED_MAX: usize = 1024;

/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 512;

const CHALLENGE: &str = r#"Bearer realm="sever""#;
const CHALLENGE_INVALID: &str = r#"Bearer realm="sever", error="invalid_token""#;

/// Who sent a request: a token that was live within the last five seconds.
///
/// As an extractor it answers 401 when the route is not behind [`crate::secured`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The token.
    pub token_id: TokenId,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The source for which it speaks.
    pub source: Option<TokenSource>,
}

/// The source for which a token speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSource {
    /// The source.
    pub id: SourceId,
    /// Its name.
    pub name: String,
}

impl Authenticated {
    /// Lets only bearers of a scope pass.
    ///
    /// # Errors
    /// A 403 problem that names the missing scope (RFC 6750 section 3.1, `insufficient_scope`).
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        let challenge = format!(r#"{CHALLENGE}, error="insufficient_scope", scope="{scope}""#);
        let detail = format!("the token '{}' lacks the scope {scope}", self.name);
        Err(Problem::new(ProblemKind::MissingScope, detail).challenge(challenge))
    }

    /// The name under which its acts are recorded, `token:NAME`.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("token:{}", self.name)
    }

    /// Whether something asked for by `asked_by` (`token:NAME` or `source:NAME`) was asked for with
    /// this token or for its source: then its bearer may not approve it.
    #[must_use]
    pub fn asked(&self, asked_by: &str) -> bool {
        let own_source = self
            .source
            .as_ref()
            .is_some_and(|source| asked_by.strip_prefix("source:") == Some(&source.name));
        own_source || asked_by.strip_prefix("token:") == Some(&self.name)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let known = parts.extensions.get::<Arc<Self>>();
        known
            .map(|known| Self::clone(known))
            .ok_or_else(|| missing("send 'Authorization: Bearer <token>'"))
    }
}

/// Checks bearer tokens against the database. Cheap to clone; clones share what they remember.
#[derive(Clone)]
pub struct Authenticator {
    store: Store,
    remembered: Arc<Mutex<HashMap<[u8; 32], Remembered>>>,
}

struct Remembered {
    since: Instant,
    who: Arc<Authenticated>,
}

impl Authenticator {
    /// An authenticator that remembers nothing yet.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            remembered: Arc::default(),
        }
    }

    /// Who sent these headers.
    ///
    /// # Errors
    /// A 401 problem with a challenge; 503 when the database is away.
    async fn check(&self, headers: &HeaderMap) -> Result<Arc<Authenticated>, Problem> {
        let digest = api_token::digest(bearer(headers)?);
        if let Some(who) = self.recall(&digest) {
            return Ok(who);
        }
        let found = api_token::find_live(&self.store, &digest).await?;
        let token = found.ok_or_else(|| {
            Problem::new(
                ProblemKind::Unauthenticated,
                "the token is unknown, expired or revoked",
            )
            .challenge(CHALLENGE_INVALID)
        })?;
        let who = Arc::new(Authenticated {
            token_id: token.id,
            // A word that this version does not know gives no right.
            scopes: token
                .scopes
                .iter()
                .filter_map(|word| word.parse().ok())
                .collect(),
            source: token.source.map(|(id, name)| TokenSource { id, name }),
            name: token.name,
        });
        self.remember(digest, Arc::clone(&who));
        Ok(who)
    }

    fn recall(&self, digest: &[u8; 32]) -> Option<Arc<Authenticated>> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = remembered.get(digest)?;
        (known.since.elapsed() < BELIEVED_FOR).then(|| Arc::clone(&known.who))
    }

    fn remember(&self, digest: [u8; 32], who: Arc<Authenticated>) {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, known| known.since.elapsed() < BELIEVED_FOR);
        }
        if remembered.len() < REMEMBERED_MAX {
            let since = Instant::now();
            remembered.insert(digest, Remembered { since, who });
        }
    }
}

/// The layer: whoever has no token that works goes no further, known route or not.
pub(crate) async fn authenticate(
    State(authenticator): State<Authenticator>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let who = authenticator.check(request.headers()).await?;
    request.extensions_mut().insert(who);
    Ok(next.run(request).await)
}

/// The token of the one `Authorization` header (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(missing("send exactly one 'Authorization: Bearer <token>'"));
    };
    let text = value.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    let token = token.trim_start_matches(' ');
    let usable = !token.is_empty() && token.len() <= TOKEN_BYTES_MAX;
    if scheme.eq_ignore_ascii_case("bearer") && usable {
        Ok(token)
    } else {
        Err(missing("the Authorization header is not 'Bearer <token>'"))
    }
}

fn missing(detail: &str) -> Problem {
    Problem::new(ProblemKind::Unauthenticated, detail).challenge(CHALLENGE)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let value = |text: &&'static str| (header::AUTHORIZATION, HeaderValue::from_static(text));
        values.iter().map(value).collect()
    }

    #[test]
    fn only_one_header_of_the_bearer_scheme_is_read() {
        assert_eq!(bearer(&headers(&["Bearer abc"])), Ok("abc"));
        assert_eq!(bearer(&headers(&["bearer  abc"])), Ok("abc"));
        for wrong in [
            &[][..],
            &["Bearer"],
            &["Bearer "],
            &["Basic abc"],
            &["abc"],
            &["Bearer a", "Bearer b"],
        ] {
            assert!(bearer(&headers(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn nobody_approves_what_was_asked_with_their_token_or_for_their_source() {
        let who = Authenticated {
            token_id: TokenId::generate(),
            name: "ops".to_owned(),
            scopes: vec![Scope::HoldsDecide],
            source: Some(TokenSource {
                id: SourceId::generate(),
                name: "hr".to_owned(),
            }),
        };
        assert!(who.asked("token:ops") && who.asked("source:hr"));
        assert!(!who.asked("token:hr") && !who.asked("source:ops"));
        let refused = who.require(Scope::TokensWrite).unwrap_err().body();
        assert!(
            refused.status == 403 && refused.detail.contains("tokens:write"),
            "{refused:?}"
        );
        assert_eq!(who.require(Scope::HoldsDecide), Ok(()));
    }
}

//! A console over a database of its own, and requests to it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use sever_api::{HttpLimits, Scope};
use sever_console::{Console, router};
use sever_store::Store;
use sever_store::api_token::{self, NewToken};
use sever_store::source;
use sever_testkit::Database;
use tower::ServiceExt as _;
use uuid::Uuid;

pub(crate) struct Api {
    pub database: Database,
    pub store: Store,
    pub router: Router,
    /// A token with every scope.
    pub token: String,
}

/// An import is cut here, so that a test can send too much.
pub(crate) const IMPORT_MAX: usize = 100_000;

impl Api {
    /// A console with the trusted source `hr`, the connection `okta-main`, and a token `ops` with every scope.
    pub(crate) async fn start() -> Self {
        let database = Database::fresh().await.unwrap();
        let store = database.store().unwrap();
        let mut console = Console::new(store.clone(), HttpLimits::default());
        console.import_limits = HttpLimits {
            body_max_bytes: IMPORT_MAX,
            request_timeout: Duration::from_secs(60),
        };
        let mut api = Self {
            database,
            router: router(console),
            store,
            token: String::new(),
        };
        let mut client = api.store.client("setting up").await.unwrap();
        let tx = client.begin().await.unwrap();
        source::upsert(&tx, "hr", None, true).await.unwrap();
        tx.commit().await.unwrap();
        api.token = api.token_with("ops", Scope::ALL, None).await;
        api.database
            .sql(
                "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
                 VALUES (gen_random_uuid(), 'okta', 'okta-main', 'https://example.okta.com', 'env:OKTA', 3600, 30, 8, 64)",
            )
            .await
            .unwrap();
        api
    }

    /// A token with these scopes, for this source.
    pub(crate) async fn token_with(
        &self,
        name: &str,
        scopes: &[Scope],
        source: Option<&str>,
    ) -> String {
        let mut client = self.store.client("making a token").await.unwrap();
        let tx = client.begin().await.unwrap();
        let names: Vec<&str> = source.into_iter().collect();
        let source = source::by_names(&tx, &names).await.unwrap();
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let token = NewToken {
            name,
            scopes: &scopes,
            source: source.first().map(|source| source.id),
            expires_at: None,
        };
        let (_, secret) = api_token::create(&tx, &token).await.unwrap();
        tx.commit().await.unwrap();
        secret.expose().to_owned()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        (status, body)
    }

    /// Sends JSON as the bearer of a token.
    pub(crate) async fn call_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("Idempotency-Key", Uuid::new_v4().to_string());
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// Sends JSON with every scope.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        self.call_as(&self.token, method, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, None).await
    }

    /// Imports a CSV body.
    pub(crate) async fn import(&self, body: impl Into<Body>) -> (StatusCode, Value) {
        let request = Request::post("/v1/people/import")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "text/csv; charset=utf-8");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Imports one person, `7` at `hr`.
    pub(crate) async fn with_person(self) -> Self {
        let (status, report) = self
            .import("source,external_id,given_name,family_name,emails,employment_state,provider_ids\nhr,7,Ada,Byron,ada@example.test,active,okta-main:00u1\n")
            .await;
        assert_eq!(
            (status, &report["created"]),
            (StatusCode::OK, &Value::from(1)),
            "{report}"
        );
        self
    }
}

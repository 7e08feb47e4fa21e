//! A database with one source, one connection, one person and some tokens, and a router over it.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sever_api::{HttpLimits, Scope};
use sever_dispatch::Waker;
use sever_intake::{Intake, router};
use sever_store::api_token::{self, NewToken};
use sever_store::person_import::{ImportedPerson, import};
use sever_store::{Store, source};
use sever_testkit::Database;
use tower::ServiceExt as _;

/// The external id of the person in every fixture; the examples are about the same one.
pub(crate) const PERSON: &str = "E-1007";

pub(crate) struct Fixture {
    pub database: Database,
    pub store: Store,
    pub router: Router,
    /// Speaks for `hr`, with every scope.
    pub source_token: String,
    /// Speaks for nobody, with every scope.
    pub token: String,
}

/// What came back.
pub(crate) struct Answer {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: Value,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = Database::fresh().await.unwrap();
        let store = database.store().unwrap();
        let intake = Intake {
            store: store.clone(),
            waker: Waker::default(),
        };
        let router = router(intake, HttpLimits::default());
        let mut client = store.client("setting up").await.unwrap();
        let tx = client.begin().await.unwrap();
        let hr = source::upsert(&tx, "hr", Some("hr"), true)
            .await
            .unwrap()
            .id;
        let person = ImportedPerson {
            source: hr,
            external_id: PERSON.to_owned(),
            given_name: None,
            family_name: None,
            emails: Vec::new(),
            employment: sever_domain::employment::EmploymentState::Active,
            accounts: Vec::new(),
        };
        import(&tx, &[person]).await.unwrap();
        let every: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let make = async |name, source| {
            let token = NewToken {
                name,
                scopes: &every,
                source,
                expires_at: None,
            };
            api_token::create(&tx, &token)
                .await
                .unwrap()
                .1
                .expose()
                .to_owned()
        };
        let (source_token, token) = (make("hr-http", Some(hr)).await, make("ops", None).await);
        tx.commit().await.unwrap();
        database
            .sql("INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
                  VALUES (gen_random_uuid(), 'okta', 'okta-main', 'http://127.0.0.1:1', 'env:OKTA', 3600, 60, 8, 64)")
            .await
            .unwrap();
        drop(client);
        Self {
            database,
            store,
            router,
            source_token,
            token,
        }
    }

    /// A token with these scopes and this end.
    pub(crate) async fn token_with(
        &self,
        name: &str,
        scopes: &[&str],
        expires_at: Option<jiff::Timestamp>,
    ) -> String {
        let mut client = self.store.client("making a token").await.unwrap();
        let tx = client.begin().await.unwrap();
        let token = NewToken {
            name,
            scopes,
            source: None,
            expires_at,
        };
        let (_, secret) = api_token::create(&tx, &token).await.unwrap();
        tx.commit().await.unwrap();
        secret.expose().to_owned()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    /// Posts a body with a token and, where there is one, a key.
    pub(crate) async fn post(
        &self,
        path: &str,
        token: &str,
        key: Option<&str>,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn count(&self, from: &str) -> i64 {
        let count = self
            .database
            .sql(&format!("SELECT count(*) FROM {from}"))
            .await
            .unwrap();
        count.parse().unwrap()
    }
}

/// A request for the person of the fixture.
pub(crate) fn opt_out() -> Value {
    json!({"person": {"source": "hr", "external_id": PERSON}, "intent": "remove", "reason": "asked out"})
}

/// A leaver event about the person of the fixture.
pub(crate) fn leaver(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "https://hr.test", "type": "sever.employment.leaver.v1",
        "data": {"person": {"external_id": PERSON}, "employment_version": 1, "effective_at": jiff::Timestamp::now().to_string()},
    })
}

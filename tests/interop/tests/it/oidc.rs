//! The OIDC connector against `oidc-provider`.

use serde_json::{Value, json};
use sever_domain::closing::{Verdict, verdict};
use sever_domain::{EntitlementKind, Intent};
use sever_interop::OidcProvider;
use sever_provider::{Connector as _, ConnectorFactory as _};
use sever_worker_oidc::{OidcFactory, OidcPeople};

use crate::{folder, http, peer, settings, way};

const SECRET: &str = "secret of the web";

fn people(provider: &OidcProvider, credential: &Value) -> OidcPeople {
    OidcFactory::default()
        .connect(settings(&provider.issuer, credential.to_string()))
        .unwrap()
        .people
}

/// Asks the provider itself, as the client that the token was given to.
async fn ask(provider: &OidcProvider, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let metadata = format!("{}/.well-known/openid-configuration", provider.issuer);
    let http = http();
    let metadata: Value = http
        .get(metadata)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let response = http
        .post(metadata[path].as_str().unwrap())
        .basic_auth("web", Some("secret+of+the+web"))
        .form(form)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn is_active(provider: &OidcProvider, token: &str) -> bool {
    let (_, told) = ask(provider, "introspection_endpoint", &[("token", token)]).await;
    told["active"].as_bool().unwrap()
}

#[tokio::test]
async fn a_registered_refresh_token_is_dead_afterwards_and_the_others_lives() {
    let folder = folder();
    let Some(provider) = peer("oidc-provider", OidcProvider::start(&folder)).await else {
        return;
    };
    let file = |name: &str, token: &str| {
        let path = folder.join(name);
        std::fs::write(&path, token).unwrap();
        format!("file:{}", path.display())
    };
    let connector = people(
        &provider,
        &json!({
            "client_id": "web", "client_secret": SECRET,
            "tokens": [
                { "name": "ada", "account": "ada", "token": file("ada.token", &provider.ada) },
                { "name": "bob", "account": "bob", "token": file("bob.token", &provider.bob) },
            ],
        }),
    );
    assert!(is_active(&provider, &provider.ada).await, "it lives before");
    let reading = connector.inspect("ada").await.unwrap();
    assert_eq!(reading.of(EntitlementKind::Token).len(), 1);
    let closing = way::opt_out(&connector, Intent::Remove, "ada").await;
    assert_eq!(
        verdict(std::slice::from_ref(&closing)),
        Verdict::Asked,
        "{closing:?}"
    );
    assert_eq!(closing.live, vec![]);
    assert!(
        !is_active(&provider, &provider.ada).await,
        "introspection shows it dead"
    );
    let renewal = [
        ("grant_type", "refresh_token"),
        ("refresh_token", provider.ada.as_str()),
    ];
    let (status, refused) = ask(&provider, "token_endpoint", &renewal).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
    assert!(is_active(&provider, &provider.bob).await);
}

#[tokio::test]
async fn an_assertion_of_ours_is_verified_by_somebody_elses_code() {
    let Some(provider) = peer("oidc-provider", OidcProvider::start(&folder())).await else {
        return;
    };
    let credential = json!({ "client_id": "signer", "kid": "k1", "key": provider.key });
    people(&provider, &credential).canary().await.unwrap();
}

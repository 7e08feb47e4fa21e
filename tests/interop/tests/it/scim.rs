//! The SCIM connector against `scim2-server`.

use serde_json::{Value, json};
use sever_domain::Intent;
use sever_domain::closing::{Verdict, verdict};
use sever_domain::identity::{PersonAttributes, matches_on_two};
use sever_interop::Scim2Server;
use sever_provider::{Connector as _, ConnectorFactory as _, FoundAccount};
use sever_worker_scim::{ScimConnector, ScimFactory};

use crate::{folder, http, peer, settings, way};

const TOKEN: &str = "token-of-the-test";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The application as the test itself calls it.
struct Application {
    server: Scim2Server,
    http: reqwest::Client,
}

impl Application {
    async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.server.base_url);
        let mut request = self
            .http
            .request(method.parse().unwrap(), url)
            .bearer_auth(TOKEN)
            .header("content-type", "application/scim+json");
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn create(&self, path: &str, body: Value) -> String {
        let (status, created) = self.call("POST", path, &body).await;
        assert_eq!(status, 201, "{created}");
        created["id"].as_str().unwrap().to_owned()
    }

    async fn person(&self, login: &str, given_name: &str) -> String {
        let user = json!({
            "schemas": [USER], "userName": login, "active": true, "externalId": given_name,
            "name": { "givenName": given_name, "familyName": "Byron" },
            "emails": [{ "value": login, "type": "work", "primary": true }],
            "roles": [{ "value": "admin" }, { "value": "reader" }], "entitlements": [{ "value": "seat" }],
        });
        self.create("/Users", user).await
    }

    async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members
            .iter()
            .map(|id| json!({ "value": id, "type": "User" }))
            .collect();
        let group = json!({ "schemas": [GROUP], "displayName": name, "members": members });
        self.create("/Groups", group).await
    }

    async fn members(&self, group: &str) -> Vec<String> {
        let (_, group) = self
            .call("GET", &format!("/Groups/{group}"), &Value::Null)
            .await;
        let members = group["members"].as_array().cloned().unwrap_or_default();
        let ids = members.iter().filter_map(|member| member["value"].as_str());
        ids.map(str::to_owned).collect()
    }

    fn connector(&self) -> ScimConnector {
        ScimFactory::default()
            .connect(settings(&self.server.base_url, TOKEN.to_owned()))
            .unwrap()
            .people
    }
}

async fn application() -> Option<Application> {
    let folder = folder();
    let server = peer("scim2-server", Scim2Server::start(&folder, TOKEN)).await?;
    let http = http();
    Some(Application { server, http })
}

#[tokio::test]
async fn a_person_is_found_removed_and_nobody_else_is_touched() {
    let Some(application) = application().await else {
        return;
    };
    let ada = application.person("ada@example.com", "Ada").await;
    let bob = application.person("bob@example.com", "Bob").await;
    let sales = application.group("Sales", &[&ada, &bob]).await;
    let other = application.group("Other", &[&bob]).await;
    let connector = application.connector();
    let person = PersonAttributes {
        emails: vec!["ADA@example.com".into()],
        given_name: Some("Ada".into()),
        family_name: Some("Byron".into()),
        external_ids: vec![],
    };
    let found = connector.find_by_login(&person).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].provider_id == ada && matches_on_two(&person, &found[0].attributes));
    let before = application
        .call("GET", &format!("/Users/{bob}"), &Value::Null)
        .await;
    let closing = way::opt_out(&connector, Intent::Remove, &ada).await;
    assert_eq!(
        verdict(std::slice::from_ref(&closing)),
        Verdict::NothingLive,
        "{closing:?}"
    );
    assert_eq!(
        application
            .call("GET", &format!("/Users/{ada}"), &Value::Null)
            .await
            .0,
        404
    );
    assert_eq!(
        application.members(&sales).await,
        std::slice::from_ref(&bob)
    );
    assert_eq!(
        application.members(&other).await,
        std::slice::from_ref(&bob)
    );
    let after = application
        .call("GET", &format!("/Users/{bob}"), &Value::Null)
        .await;
    assert_eq!(after.1["active"], before.1["active"]);
    assert_eq!(
        connector.find_by_id(&ada).await.unwrap(),
        FoundAccount::Absent
    );
}

#[tokio::test]
async fn a_person_is_disabled_and_reinstated() {
    let Some(application) = application().await else {
        return;
    };
    let ada = application.person("ada@example.com", "Ada").await;
    let connector = application.connector();
    let closing = way::opt_out(&connector, Intent::Disable, &ada).await;
    assert_eq!(
        verdict(std::slice::from_ref(&closing)),
        Verdict::NothingLive,
        "{closing:?}"
    );
    let active = || async {
        let (_, user) = application
            .call("GET", &format!("/Users/{ada}"), &Value::Null)
            .await;
        user["active"].clone()
    };
    assert_eq!(active().await, false);
    let back = sever_provider::Effect {
        action: sever_domain::Action::ReinstateAccount,
        account_id: ada.clone(),
        target_kind: sever_domain::EntitlementKind::Account,
        target_key: ada.clone(),
        facts: json!({}),
    };
    connector.apply(&back).await.unwrap();
    assert_eq!(active().await, true);
}

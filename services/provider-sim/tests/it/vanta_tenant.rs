//! One Vanta tenant of a running simulator.

use std::io;

use serde_json::{Value, json};

use crate::http::{self, Response};
use crate::sim::Sim;

/// The application that every test tenant has.
pub const MANAGE: &str = "vci_worker";
const READ_WRITE: &str = "vanta-api.all:read vanta-api.all:write";

/// A tenant, and the token that its calls carry.
pub struct Tenant<'a> {
    pub sim: &'a Sim,
    pub token: String,
}

impl<'a> Tenant<'a> {
    /// A tenant with `settings`, [`MANAGE`] beside what they name, and a token of it.
    pub fn start(sim: &'a Sim, settings: Value) -> Self {
        let mut tenant = Self {
            sim,
            token: String::new(),
        };
        tenant.put(settings);
        tenant.token = tenant.mint(MANAGE, READ_WRITE);
        tenant
    }

    pub fn put(&self, mut settings: Value) {
        let own = json!({ "client_id": MANAGE, "client_secret": "vcs_1", "name": "worker" });
        match settings["applications"].as_array_mut() {
            Some(applications) => applications.push(own),
            None => settings["applications"] = json!([own]),
        }
        let response = self.sim.control("PUT", "/vanta/main", &settings);
        assert!(response.status < 300, "{:?}", response.json());
    }

    /// The answer to a token request of `client_id`.
    pub fn ask_token(&self, client_id: &str, secret: &str, scope: &str) -> Response {
        let body = json!({
            "client_id": client_id, "client_secret": secret, "scope": scope,
            "grant_type": "client_credentials",
        });
        self.send("POST", "/oauth/token", None, Some(&body))
            .unwrap()
    }

    pub fn mint(&self, client_id: &str, scope: &str) -> String {
        let answer = self.ask_token(client_id, "vcs_1", scope).json();
        let token = answer["access_token"].as_str();
        token.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Plants `document` and returns its people's ids.
    pub fn seed(&self, document: &Value) -> Vec<String> {
        let response = self.sim.control("POST", "/vanta/main/seed", document);
        assert_eq!(response.status, 200, "{:?}", response.json());
        let people = response.json()["people"].as_array().unwrap().clone();
        let ids = people.iter().map(|person| person["id"].as_str());
        ids.map(|id| id.unwrap().to_owned()).collect()
    }

    /// Plants one person who has `access`, and returns their id.
    pub fn person(&self, mut access: Value) -> String {
        if access.get("email").is_none() {
            access["email"] = json!("ada@example.com");
        }
        self.seed(&json!({ "people": [access] })).remove(0)
    }

    pub fn mutate(&self, change: &Value) {
        let response = self.sim.control("POST", "/vanta/main/mutate", change);
        assert_eq!(response.status, 204, "{:?}", response.json());
    }

    pub fn truth(&self, path: &str) -> Value {
        let path = format!("/vanta/main/state/{path}");
        self.sim.control("GET", &path, &json!({})).json()
    }

    /// What still gives access to the person.
    pub fn live(&self, person: &str) -> Value {
        self.truth(&format!("people/{person}"))["live"].clone()
    }

    /// A request that may end without an answer.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> io::Result<Response> {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer
            .iter()
            .map(|bearer| ("authorization", bearer.as_str()))
            .collect();
        let body = body.map(Value::to_string);
        let body = body.as_ref().map(String::as_bytes);
        let path = format!("/vanta/main{path}");
        http::send(self.sim.address, method, &path, &headers, body)
    }

    pub fn call(&self, method: &str, path: &str, body: &Value) -> Response {
        let body = (method != "GET").then_some(body);
        self.send(method, path, Some(&self.token), body).unwrap()
    }

    pub fn get(&self, path: &str) -> Response {
        self.call("GET", path, &Value::Null)
    }

    /// The items of a list's first page.
    pub fn items(&self, path: &str) -> Vec<Value> {
        let response = self.get(path);
        assert_eq!(response.status, 200, "{:?}", response.json());
        let data = response.json()["results"]["data"].as_array().cloned();
        data.unwrap()
    }

    /// Sends `updates` and returns status and message of each item.
    pub fn bulk(&self, path: &str, updates: &Value) -> Vec<(String, Option<String>)> {
        let response = self.call("POST", path, &json!({ "updates": updates }));
        assert_eq!(response.status, 200, "{:?}", response.json());
        let results = response.json()["results"].as_array().unwrap().clone();
        let text = |result: &Value, name: &str| result[name].as_str().map(str::to_owned);
        results
            .iter()
            .map(|result| (text(result, "status").unwrap(), text(result, "message")))
            .collect()
    }

    /// The statuses of [`Self::bulk`] alone.
    pub fn statuses(&self, path: &str, updates: &Value) -> Vec<String> {
        let results = self.bulk(path, updates).into_iter();
        results.map(|(status, _)| status).collect()
    }
}

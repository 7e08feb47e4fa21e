//! One SCIM application or OIDC realm of a simulator.

use serde_json::{Value, json};

use crate::http::{self, Response};
use crate::sim::Sim;

/// The bearer token that every place accepts.
pub const SECRET: &str = "secret-of-the-worker";

/// A place; made with the token accepted.
pub struct Place<'a> {
    pub sim: &'a Sim,
    pub provider: &'static str,
}

impl<'a> Place<'a> {
    pub fn new(sim: &'a Sim, provider: &'static str, settings: Value) -> Self {
        let place = Self { sim, provider };
        place.put(settings);
        place
    }

    /// Other settings; people stay.
    pub fn put(&self, mut settings: Value) {
        let tokens = match self.provider {
            "scim" => "tokens",
            _ => "admin_tokens",
        };
        settings[tokens] = json!([{ "token": SECRET, "name": "worker" }]);
        let response = self.order("PUT", "", &settings);
        assert!(matches!(response.status, 200 | 201), "{response:?}");
    }

    pub fn order(&self, method: &str, path: &str, body: &Value) -> Response {
        let path = format!("/{}/main{path}", self.provider);
        self.sim.control(method, &path, body)
    }

    /// Plants `document` and returns its users' ids.
    pub fn seed(&self, document: &Value) -> Vec<String> {
        let response = self.order("POST", "/seed", document);
        assert_eq!(response.status, 200, "{response:?}");
        ids(&response.json()["users"])
    }

    pub fn mutate(&self, change: &Value) {
        let response = self.order("POST", "/mutate", change);
        assert_eq!(response.status, 204, "{response:?}");
    }

    pub fn truth(&self, user: &str) -> Value {
        self.order("GET", &format!("/state/users/{user}"), &Value::Null)
            .json()
    }

    /// A request with exactly these headers.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<Response> {
        let path = format!("/{}/main{path}", self.provider);
        http::send(
            self.sim.address,
            method,
            &path,
            headers,
            Some(body.as_bytes()),
        )
    }

    pub fn call(&self, method: &str, path: &str, body: &Value) -> Response {
        let bearer = format!("Bearer {SECRET}");
        let headers = [("authorization", bearer.as_str())];
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        self.send(method, path, &headers, &body).unwrap()
    }

    pub fn get(&self, path: &str) -> Response {
        self.call("GET", path, &Value::Null)
    }
}

pub fn ids(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

//! A running simulator, and one org in it.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::http::{self, Response};

/// The token that every test org accepts.
pub const TOKEN: &str = "SSWS secret-of-the-worker";

/// The real binary on a free port; stopped when dropped.
pub struct Sim {
    pub child: Child,
    pub address: SocketAddr,
}

impl Sim {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sever-provider-sim"))
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let announced: Value = serde_json::from_str(&line).unwrap();
        let address = announced["address"].as_str().unwrap().parse().unwrap();
        Self { child, address }
    }

    pub fn control(&self, method: &str, path: &str, body: &Value) -> Response {
        let body = body.to_string();
        http::send(
            self.address,
            method,
            &format!("/control{path}"),
            &[],
            Some(body.as_bytes()),
        )
        .unwrap()
    }

    /// Orders a fault and returns its number.
    pub fn fault(&self, rule: &Value) -> u64 {
        let response = self.control("POST", "/faults", rule);
        assert_eq!(
            response.status,
            201,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
        response.json()["ids"][0].as_u64().unwrap()
    }

    pub fn journal(&self, query: &str) -> Vec<Value> {
        let response = http::send(
            self.address,
            "GET",
            &format!("/control/journal?{query}"),
            &[],
            None,
        )
        .unwrap();
        response.json()["entries"].as_array().unwrap().clone()
    }

    /// An org with `settings`, and [`TOKEN`] accepted.
    pub fn org(&self, name: &str, settings: Value) -> Org<'_> {
        let org = Org {
            sim: self,
            name: name.to_owned(),
        };
        org.put(settings);
        org
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One org of a simulator.
pub struct Org<'a> {
    pub sim: &'a Sim,
    pub name: String,
}

impl Org<'_> {
    pub fn put(&self, mut settings: Value) {
        if settings.get("ssws_tokens").is_none() {
            settings["ssws_tokens"] =
                json!([{ "token": "secret-of-the-worker", "name": "worker" }]);
        }
        let response = self
            .sim
            .control("PUT", &format!("/okta/{}", self.name), &settings);
        assert!(
            matches!(response.status, 200 | 201),
            "{}",
            String::from_utf8_lossy(&response.body)
        );
    }

    /// Plants `document` and returns its users' ids.
    pub fn seed(&self, document: &Value) -> Vec<String> {
        let response = self
            .sim
            .control("POST", &format!("/okta/{}/seed", self.name), document);
        assert_eq!(
            response.status,
            200,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
        let users = response.json()["users"].as_array().unwrap().clone();
        users
            .iter()
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Plants one user who has `access`, and returns their id.
    pub fn person(&self, mut access: Value) -> String {
        if access.get("login").is_none() {
            access["login"] = json!("ada@example.com");
        }
        self.seed(&json!({ "users": [access] })).remove(0)
    }

    pub fn mutate(&self, change: &Value) {
        let response = self
            .sim
            .control("POST", &format!("/okta/{}/mutate", self.name), change);
        assert_eq!(
            response.status,
            204,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
    }

    pub fn truth(&self, user: &str) -> Value {
        self.sim
            .control(
                "GET",
                &format!("/okta/{}/state/users/{user}", self.name),
                &json!({}),
            )
            .json()
    }

    /// A request that may end without an answer.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> io::Result<Response> {
        http::send(
            self.sim.address,
            method,
            &format!("/okta/{}{path}", self.name),
            headers,
            body,
        )
    }

    pub fn call(&self, method: &str, path: &str, body: &str) -> Response {
        let headers = [("authorization", TOKEN), ("accept", "application/json")];
        let body = (method != "GET").then_some(body.as_bytes());
        self.try_send(method, path, &headers, body).unwrap()
    }

    pub fn get(&self, path: &str) -> Response {
        self.call("GET", path, "")
    }

    pub fn post(&self, path: &str) -> Response {
        self.call("POST", path, "")
    }

    pub fn delete(&self, path: &str) -> Response {
        self.call("DELETE", path, "")
    }

    /// Follows `next` from `path` to the end and returns the pages.
    pub fn pages(&self, path: &str) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        let mut path = path.to_owned();
        loop {
            let response = self.get(&path);
            pages.push(response.items());
            let Some(next) = response.link("next") else {
                return pages;
            };
            let base = format!("http://{}/okta/{}", self.sim.address, self.name);
            next.strip_prefix(&base)
                .expect("an absolute address in this org")
                .clone_into(&mut path);
            assert!(pages.len() < 100, "the list has no end");
        }
    }
}

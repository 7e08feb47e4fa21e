//! One simulated Entra tenant, as tests drive it.

use std::io;

use serde_json::{Value, json};

use crate::http::{self, Response};
use crate::sim::Sim;

pub const CLIENT: &str = "7d1a4c58-0000-4000-a000-000000000001";
pub const SECRET: &str = "secret-of-the-worker";
pub const GRAPH: &str = "https://graph.microsoft.com/.default";
pub const ARM: &str = "https://management.azure.com/.default";

/// A tenant with one application that may do everything, and its token.
pub struct Tenant<'a> {
    pub sim: &'a Sim,
    pub id: String,
    token: String,
    arm_token: String,
}

impl<'a> Tenant<'a> {
    pub fn start(sim: &'a Sim, settings: Value) -> Self {
        let mut tenant = Self {
            sim,
            id: String::new(),
            token: String::new(),
            arm_token: String::new(),
        };
        tenant.id = tenant.put(settings);
        tenant.token = tenant.fetch_token(GRAPH);
        tenant.arm_token = tenant.fetch_token(ARM);
        tenant
    }

    pub fn put(&self, mut settings: Value) -> String {
        if settings.get("apps").is_none() {
            settings["apps"] = json!([{ "client_id": CLIENT, "secret": SECRET }]);
        }
        let response = self.sim.control("PUT", "/entra/main", &settings);
        assert!(
            matches!(response.status, 200 | 201),
            "{:?}",
            response.json()
        );
        response.json()["tenant_id"].as_str().unwrap().to_owned()
    }

    pub fn ask_token(&self, scope: &str, secret: &str) -> Response {
        self.ask_token_as(CLIENT, scope, secret)
    }

    pub fn ask_token_as(&self, client: &str, scope: &str, secret: &str) -> Response {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope={scope}"
        );
        let path = format!("/entra/main/login/{}/oauth2/v2.0/token", self.id);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        http::send(
            self.sim.address,
            "POST",
            &path,
            &headers,
            Some(form.as_bytes()),
        )
        .unwrap()
    }

    fn fetch_token(&self, scope: &str) -> String {
        let response = self.ask_token(scope, SECRET);
        assert_eq!(response.status, 200, "{:?}", response.json());
        response.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Plants a document and returns the ids of its users, then of its service principals.
    pub fn seed(&self, document: &Value) -> Vec<String> {
        let response = self.sim.control("POST", "/entra/main/seed", document);
        assert_eq!(response.status, 200, "{:?}", response.json());
        let planted = response.json();
        ["users", "service_principals"]
            .iter()
            .flat_map(|kind| planted[kind].as_array().unwrap().clone())
            .map(|item| item["id"].as_str().unwrap().to_owned())
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
        let response = self.sim.control("POST", "/entra/main/mutate", change);
        assert_eq!(
            response.status,
            204,
            "{:?}",
            String::from_utf8_lossy(&response.body)
        );
    }

    pub fn truth(&self, path: &str) -> Value {
        let path = format!("/entra/main/state/{path}");
        self.sim.control("GET", &path, &json!({})).json()
    }

    pub fn live(&self, user: &str) -> Value {
        self.truth(&format!("users/{user}"))["live"].clone()
    }

    /// A call of Graph; `path` begins after the version.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        self.call_with(method, path, &[], body)
    }

    pub fn call_with(
        &self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Response {
        let path = format!("/entra/main/graph/v1.0{path}");
        self.send(method, &path, &self.token, more, body)
    }

    /// A call of Azure Resource Manager.
    pub fn arm(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        let path = format!("/entra/main/arm{path}");
        self.send(method, &path, &self.arm_token, &[], body)
    }

    /// A call of Azure Resource Manager with the token for Graph, or the other way round.
    pub fn call_with_the_other_token(&self, path: &str) -> Response {
        let token = if path.starts_with("/arm") {
            &self.token
        } else {
            &self.arm_token
        };
        self.send("GET", &format!("/entra/main{path}"), token, &[], None)
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        more: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Response {
        self.try_send(method, path, token, more, body).unwrap()
    }

    /// A removal whose answer may not come.
    pub fn try_delete(&self, path: &str) -> io::Result<Response> {
        let path = format!("/entra/main/graph/v1.0{path}");
        self.try_send("DELETE", &path, &self.token, &[], None)
    }

    fn try_send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        more: &[(&str, &str)],
        body: Option<&Value>,
    ) -> io::Result<Response> {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(more);
        let text = body.map(Value::to_string);
        if text.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let bytes = text.as_ref().map(String::as_bytes);
        let bytes = bytes.or((method == "POST").then_some(&b""[..]));
        http::send(self.sim.address, method, path, &headers, bytes)
    }

    pub fn get(&self, path: &str) -> Response {
        self.call("GET", path, None)
    }

    pub fn delete(&self, path: &str) -> Response {
        self.call("DELETE", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.call("POST", path, Some(body))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Response {
        self.call("PATCH", path, Some(body))
    }

    /// The items of the one page that a list has.
    pub fn list(&self, path: &str) -> Vec<Value> {
        items(&self.get(path))
    }

    /// Follows `nextLink` from `path` to the end and returns the pages.
    pub fn pages(&self, path: &str) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        let mut path = path.to_owned();
        loop {
            let response = self.get(&path);
            pages.push(items(&response));
            let Some(next) = response.json()["@odata.nextLink"]
                .as_str()
                .map(str::to_owned)
            else {
                return pages;
            };
            let base = format!("http://{}/entra/main/graph/v1.0", self.sim.address);
            next.strip_prefix(&base)
                .expect("an absolute address in this tenant")
                .clone_into(&mut path);
            assert!(pages.len() < 100, "the list has no end");
        }
    }
}

pub fn items(response: &Response) -> Vec<Value> {
    assert_eq!(
        response.status,
        200,
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    response.json()["value"].as_array().cloned().unwrap()
}

/// Status and `error.code`.
pub fn refused(response: &Response) -> (u16, String) {
    let code = response.json()["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (response.status, code)
}

/// One text member of each item, in order.
pub fn names(items: &[Value], member: &str) -> Vec<String> {
    let mut names: Vec<String> = items
        .iter()
        .map(|item| item[member].as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort_unstable();
    names
}

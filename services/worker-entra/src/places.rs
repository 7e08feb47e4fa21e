//! Where a tenant's three services are.
//!
//! - The base URL of one of Microsoft's clouds (its Graph host) implies the hosts of the other two and their scopes.
//! - Any other base URL `B` has Graph at `B/graph`, the token endpoint at `B/login` and Azure Resource Manager at
//!   `B/arm`, under the scopes of the public cloud.
//! - The credential can name each of the three, which then counts instead.

use url::Url;

use crate::options::Options;

/// Graph, token endpoint and Azure Resource Manager of one of Microsoft's clouds.
const CLOUDS: [[&str; 3]; 3] = [
    [
        "graph.microsoft.com",
        "login.microsoftonline.com",
        "management.azure.com",
    ],
    [
        "graph.microsoft.us",
        "login.microsoftonline.us",
        "management.usgovcloudapi.net",
    ],
    [
        "microsoftgraph.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
        "management.chinacloudapi.cn",
    ],
];
const PUBLIC: [&str; 3] = CLOUDS[0];
/// The version of Graph that is spoken.
const VERSION: &str = "v1.0";

/// Where everything is, and the scopes of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Graph, version included.
    pub graph: Url,
    /// The token endpoint's base.
    pub login: Url,
    /// Azure Resource Manager.
    pub azure: Url,
    /// The scope of a token for Graph.
    pub graph_scope: String,
    /// The scope of a token for Azure Resource Manager.
    pub azure_scope: String,
}

impl Places {
    /// The places of a connection with this base URL.
    #[must_use]
    pub fn of(base: &Url, options: &Options) -> Self {
        let cloud = CLOUDS
            .iter()
            .find(|cloud| base.host_str() == Some(cloud[0]));
        let [graph_host, _, azure_host] = *cloud.unwrap_or(&PUBLIC);
        let of_host = |index: usize| {
            cloud.and_then(|cloud| {
                let mut url = base.clone();
                url.set_host(Some(cloud[index])).ok()?;
                url.set_path("/");
                Some(url)
            })
        };
        let graph = options.graph_url.clone().or_else(|| of_host(0));
        let login = options.login_url.clone().or_else(|| of_host(1));
        let azure = options.azure_url.clone().or_else(|| of_host(2));
        Self {
            graph: below(&graph.unwrap_or_else(|| below(base, "graph")), VERSION),
            login: login.unwrap_or_else(|| below(base, "login")),
            azure: azure.unwrap_or_else(|| below(base, "arm")),
            graph_scope: format!("https://{graph_host}/.default"),
            azure_scope: format!("https://{azure_host}/.default"),
        }
    }
}

fn below(url: &Url, segment: &str) -> Url {
    let mut below = url.clone();
    let path = format!("{}/{segment}", url.path().trim_end_matches('/'));
    below.set_path(&path);
    below
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn places(base: &str, more: &Value) -> [String; 4] {
        let mut value = json!({"tenant_id": "t", "client_id": "c", "client_secret": "s"});
        for (name, member) in more.as_object().unwrap() {
            value[name] = member.clone();
        }
        let options = Options::parse(&value.to_string().into()).unwrap();
        let places = Places::of(&base.parse().unwrap(), &options);
        [
            places.graph.into(),
            places.login.into(),
            places.azure.into(),
            places.azure_scope,
        ]
    }

    #[test]
    fn a_cloud_is_known_by_its_graph_host_and_anything_else_is_one_server() {
        assert_eq!(
            places("https://graph.microsoft.com", &json!({})),
            [
                "https://graph.microsoft.com/v1.0",
                "https://login.microsoftonline.com/",
                "https://management.azure.com/",
                "https://management.azure.com/.default",
            ]
        );
        assert_eq!(
            places("https://graph.microsoft.us/", &json!({}))[3],
            "https://management.usgovcloudapi.net/.default"
        );
        assert_eq!(
            places("http://127.0.0.1:1/entra/main", &json!({}))[..3],
            [
                "http://127.0.0.1:1/entra/main/graph/v1.0",
                "http://127.0.0.1:1/entra/main/login",
                "http://127.0.0.1:1/entra/main/arm",
            ]
        );
        let named = json!({"graph_url": "https://g.test/x", "azure_url": "https://a.test"});
        assert_eq!(
            places("https://graph.microsoft.com", &named)[..3],
            [
                "https://g.test/x/v1.0",
                "https://login.microsoftonline.com/",
                "https://a.test/",
            ]
        );
    }
}

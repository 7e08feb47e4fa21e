//! One tenant as it is called: reads, writes and the addresses of both.

use std::time::Duration;

use serde_json::{Value, json};
use sever_provider::CallError;
use sever_provider::http::{Call, Method, Priority, ProviderHttp, Reply};
use tokio::time::Instant;
use url::Url;

use crate::errors::Refused;
use crate::options::Agreement;
use crate::place::Place;
use crate::service::{Service, unusable};
use crate::token::TokenEndpoint;

/// The bucket of reads of Graph: the resource units of an application in a tenant.
const GRAPH_READS: &str = "graph read";
/// The bucket of writes, which have a limit of their own.
const GRAPH_WRITES: &str = "graph write";
/// The bucket of the directory's logs, which have a limit of their own that no header tells (throttling limits, "Reports").
const GRAPH_LOGS: &str = "graph logs";
const LOG_CALLS: u32 = 5;
const LOG_WINDOW: Duration = Duration::from_secs(10);
/// The bucket of Azure Resource Manager.
const AZURE: &str = "azure";

/// One read of Graph.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What is being done, for errors.
    pub doing: &'static str,
    /// Its endpoint family, a metric label.
    pub family: &'static str,
    /// The path below the version.
    pub path: Vec<String>,
    /// The query.
    pub query: Vec<(&'static str, String)>,
}

impl Ask {
    /// A read without a query.
    #[must_use]
    pub fn new(doing: &'static str, family: &'static str, path: &[&str]) -> Self {
        Self {
            doing,
            family,
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
            query: Vec::new(),
        }
    }

    /// The same read with this parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same read of what hangs on a principal.
    #[must_use]
    pub fn of_principal(self, id: &str) -> Self {
        let literal = id.replace('\'', "''");
        self.with("$filter", format!("principalId eq '{literal}'"))
    }
}

/// One write to Graph.
#[derive(Debug)]
pub struct Write<'a> {
    /// What is being done, for errors.
    pub doing: &'static str,
    /// Its endpoint family, a metric label.
    pub family: &'static str,
    /// `POST`, `PATCH` or `DELETE`.
    pub method: Method,
    /// Where to.
    pub place: Place<'a>,
    /// A JSON body.
    pub body: Option<Value>,
    /// Whether it may use the reserve of the rate.
    pub priority: Priority,
}

/// One tenant, shared by its connectors.
#[derive(Debug)]
pub struct Tenant {
    /// Graph.
    pub graph: Service,
    /// Azure Resource Manager; `None` where the organisation has no subscriptions in the tenant.
    pub azure: Option<Service>,
    /// Where tokens come from.
    pub endpoint: TokenEndpoint,
    /// How reads are believed.
    pub agreement: Agreement,
    /// Who becomes owner where the last one goes.
    pub custodian: Option<String>,
    /// Whether authentication methods stay with a blocked account.
    pub keep_factors: bool,
}

impl Tenant {
    /// Reads one answer of Graph.
    ///
    /// # Errors
    /// The meaning and the error to hand on where it is no success, or nothing came at all.
    pub async fn get(&self, ask: &Ask, until: Option<Instant>) -> Result<Reply, Refused> {
        let url = self.url(ask)?;
        let call = Call::new(ask.doing, ask.family, GRAPH_READS, Method::GET, url);
        self.graph.send(&self.endpoint, call.until(until)).await
    }

    /// Follows the address of a next page, verbatim and within Graph only.
    ///
    /// # Errors
    /// As [`Self::get`]; class `NeedsPerson` where it leads elsewhere.
    pub async fn follow(&self, ask: &Ask, next: &str) -> Result<Reply, Refused> {
        let url = self.graph.http.base().follow(next);
        let url = url.map_err(|cause| unusable(ask.doing, cause.to_string()))?;
        let call = Call::new(ask.doing, ask.family, GRAPH_READS, Method::GET, url);
        self.graph.send(&self.endpoint, call).await
    }

    /// Reads a page of one of the directory's logs: the first, or the one that the page before named.
    ///
    /// # Errors
    /// As [`Self::get`] and [`Self::follow`].
    pub async fn log(&self, ask: &Ask, next: Option<&str>) -> Result<Reply, Refused> {
        let url = match next {
            None => self.url(ask)?,
            Some(next) => {
                let url = self.graph.http.base().follow(next);
                url.map_err(|cause| unusable(ask.doing, cause.to_string()))?
            }
        };
        let call = Call::new(ask.doing, ask.family, GRAPH_LOGS, Method::GET, url);
        let call = call.paced(LOG_CALLS, LOG_WINDOW);
        self.graph.send(&self.endpoint, call).await
    }

    /// Sends several reads in one call, as the text of their addresses.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post_batch(&self, doing: &'static str, body: &Value) -> Result<Reply, Refused> {
        let url = join(&self.graph.http, doing, &["$batch"])?;
        let mut call = Call::new(doing, "batch", GRAPH_READS, Method::POST, url);
        call.body = Some(("application/json", body.to_string()));
        self.graph.send(&self.endpoint, call).await
    }

    /// Sends one write to Graph.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn write(&self, write: Write<'_>, until: Instant) -> Result<Reply, Refused> {
        let url = join(&self.graph.http, write.doing, &write.place.path())?;
        let mut call = Call::new(write.doing, write.family, GRAPH_WRITES, write.method, url);
        let body = match write.place {
            Place::EdgeToBe(edge) => Some(self.reference(write.doing, edge.principal_id())?),
            _ => write.body,
        };
        call.body = body.map(|body| ("application/json", body.to_string()));
        let call = call.with_priority(write.priority).until(Some(until));
        self.graph.send(&self.endpoint, call).await
    }

    /// The body that refers to an object of the directory.
    fn reference(&self, doing: &'static str, id: &str) -> Result<Value, CallError> {
        let url = join(&self.graph.http, doing, &["directoryObjects", id])?;
        Ok(json!({ "@odata.id": url.as_str() }))
    }

    /// Makes one call to Azure Resource Manager, below its base, with an `api-version`.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn azure(
        &self,
        service: &Service,
        doing: &'static str,
        (method, body): (Method, Option<&Value>),
        url: Url,
        until: Option<Instant>,
    ) -> Result<Reply, Refused> {
        let mut call = Call::new(doing, "azure_role_assignments", AZURE, method, url);
        call.body = body.map(|body| ("application/json", body.to_string()));
        service.send(&self.endpoint, call.until(until)).await
    }

    /// The address of a read.
    ///
    /// # Errors
    /// Class `NeedsPerson` for a segment that cannot stand in a path.
    pub fn url(&self, ask: &Ask) -> Result<Url, CallError> {
        let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
        let mut url = join(&self.graph.http, ask.doing, &path)?;
        for (name, value) in &ask.query {
            append(&mut url, name, value);
        }
        Ok(url)
    }

    /// How long the tenant wants to be left alone by ordinary calls.
    #[must_use]
    pub fn blocked_for(&self) -> Option<Duration> {
        let azure = self.azure.as_ref();
        self.graph
            .http
            .blocked_for()
            .max(azure.and_then(|azure| azure.http.blocked_for()))
    }
}

/// Appends a parameter, with spaces as `%20`: a `+` is a space to parsers of forms only, which not everybody along the way is.
pub fn append(url: &mut Url, name: &str, value: &str) {
    url.query_pairs_mut().append_pair(name, value);
    let escaped = url.query().map(|query| query.replace('+', "%20"));
    url.set_query(escaped.as_deref());
}

/// The address of `path` at a service.
///
/// # Errors
/// Class `NeedsPerson` for a segment that cannot stand in a path.
pub fn join(http: &ProviderHttp, doing: &'static str, path: &[&str]) -> Result<Url, CallError> {
    http.base()
        .join(path)
        .map_err(|cause| unusable(doing, cause.to_string()))
}

//! One of the services of a tenant as it is called: its policy and its token.

use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::http::{Call, ProviderHttp, Reply};
pub use sever_provider::{inconsistent, unusable};

use crate::errors::{Refused, refusal};
use crate::token::{TokenEndpoint, Tokens};

/// Graph or Azure Resource Manager.
#[derive(Debug)]
pub struct Service {
    /// The policy under which it is called.
    pub http: ProviderHttp,
    /// Its access token.
    pub tokens: Tokens,
}

impl Service {
    /// Makes one call.
    ///
    /// # Errors
    /// The meaning and the error to hand on where it is no success, or nothing came at all.
    pub async fn send(&self, endpoint: &TokenEndpoint, call: Call<'_>) -> Result<Reply, Refused> {
        let (doing, until) = (call.doing, call.deadline);
        let token = self.tokens.header(endpoint, until).await?;
        let reply = self.http.send(call.authorized(&token.header)).await?;
        if reply.status.is_success() {
            self.tokens.worked();
            return Ok(reply);
        }
        let body = reply.json().unwrap_or(Value::Null);
        let request_id = self.http.request_id_of(&reply);
        let mut refused = refusal(doing, reply.status.as_u16(), &body, request_id);
        if refused.error.class == OutcomeClass::Credentials {
            refused.error.class = self.tokens.refused(&token).await;
        }
        Err(refused)
    }
}

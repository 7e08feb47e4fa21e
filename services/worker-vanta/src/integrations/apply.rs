//! One write for one step of an integration, sent once.

use sever_domain::Action;
use sever_provider::{Answer, CallError, Effect};

use crate::credential::PushedSet;
use crate::errors::unusable;
use crate::pushed::{self, Goes};
use crate::tenant::Tenant;

/// Sends the write of an effect: there is one, which empties a pushed set.
///
/// # Errors
/// By what the answer means; `sent` tells whether it may have had its effect.
pub async fn apply(tenant: &Tenant, effect: &Effect) -> Result<Answer, CallError> {
    let doing = "sending a step";
    if effect.action != Action::DeleteResource {
        let what = format!(
            "Vanta has no call for the action {} on an integration",
            effect.action
        );
        return Err(unusable(doing, what));
    }
    let text = |name: &str| effect.facts[name].as_str().map(str::to_owned);
    let rows = effect.facts["rows"]
        .as_u64()
        .and_then(|rows| usize::try_from(rows).ok());
    let (Some(kind), Some(resource_id), Some(planned)) = (text("type"), text("resource_id"), rows)
    else {
        return Err(unusable(doing, "the plan names no set of rows".to_owned()));
    };
    let set = PushedSet { kind, resource_id };
    let goes = Goes::Everything { planned };
    pushed::delete(tenant, &set, goes, tenant.deadline()).await
}

//! Bulk calls: `{"updates": [...]}` in, one result for each item out, in the same order, always with status 200.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::exchange::Reply;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::state::Tenant;

/// One item.
#[derive(Debug, Deserialize)]
pub struct Update {
    /// What it is about.
    pub id: String,
    /// The other members.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Update {
    /// The text member `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.rest.get(name).and_then(Value::as_str)
    }
}

#[derive(Deserialize)]
struct Updates {
    updates: Vec<Update>,
}

/// Lets `item` act on each of 1 to `max` items. It answers whether anything changed, or why the item failed.
///
/// # Errors
/// 400 for a body without items, or with too many.
pub fn each(
    tenant: &mut Tenant,
    call: &Call,
    max: usize,
    mut item: impl FnMut(&mut Tenant, &Update) -> Result<bool, &'static str>,
) -> Result<Reply, ApiError> {
    let Updates { updates } = call.json()?;
    if updates.is_empty() || updates.len() > max {
        let message = format!("must have 1 to {max} items");
        return Err(ApiError::invalid("updates", &message));
    }
    let mut changed = false;
    let mut results = Vec::with_capacity(updates.len());
    for update in &updates {
        let id = &update.id;
        results.push(match item(tenant, update) {
            Ok(differs) => {
                changed |= differs;
                json!({ "id": id, "status": "SUCCESS" })
            }
            Err(why) => {
                let says = tenant.settings.unconfirmed.item_errors_say_why;
                let message = if says { why } else { "Invalid Input" };
                json!({ "id": id, "status": "ERROR", "message": message })
            }
        });
    }
    let reply = Reply::json(200, &json!({ "results": results }));
    Ok(if changed { reply } else { reply.unchanged() })
}

//! Azure scopes and the order between them.

use super::record::text;
use super::store::Table;
use super::tenant::Tenant;

/// The role definition of Owner, the same in every subscription.
pub const OWNER_ROLE: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

const MANAGEMENT_GROUP: &str = "/providers/microsoft.management/managementgroups/";
const SUBSCRIPTION: &str = "/subscriptions/";

impl Tenant {
    /// Whether `inner` is `outer` or below it: the root, management groups, subscriptions, resource groups, resources.
    pub fn scope_holds(&self, outer: &str, inner: &str) -> bool {
        if is_within(inner, outer) {
            return true;
        }
        let (outer, inner) = (outer.to_lowercase(), inner.to_lowercase());
        let Some(group) = outer.strip_prefix(MANAGEMENT_GROUP) else {
            return false;
        };
        let Some(rest) = inner.strip_prefix(SUBSCRIPTION) else {
            return false;
        };
        let id = rest.split('/').next().unwrap_or_default();
        let subscription = self.store.object(Table::Subscriptions, id);
        subscription.is_some_and(|row| text(&row, "_management_group").to_lowercase() == group)
    }
}

/// Whether the path of scope `inner` is that of `outer` or below it.
fn is_within(inner: &str, outer: &str) -> bool {
    let (inner, outer) = (inner.to_lowercase(), outer.to_lowercase());
    let outer = outer.trim_end_matches('/');
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_hold_what_is_below_them() {
        for (outer, inner, holds) in [
            ("/", "/subscriptions/s1", true),
            (
                "/subscriptions/s1",
                "/subscriptions/s1/resourceGroups/g",
                true,
            ),
            ("/subscriptions/s1", "/subscriptions/s10", false),
            ("/subscriptions/S1", "/subscriptions/s1", true),
            (
                "/subscriptions/s1/resourceGroups/g",
                "/subscriptions/s1",
                false,
            ),
        ] {
            assert_eq!(is_within(inner, outer), holds, "{outer} {inner}");
        }
    }
}

//! The activities of the audit log after which somebody or something can do more than before ("Microsoft Entra audit log categories and
//! activities").

/// Activities that give, whatever else they say.
const GIVES: [&str; 31] = [
    "Add user",
    "Enable account",
    "Restore user",
    "Invite external user",
    "Redeem extern user invite",
    "Unlock user account (self-service)",
    "Add member to group",
    "Add owner to group",
    "Group_AddMember",
    "Group_AddOwner",
    "Add member to role",
    "Add eligible member to role",
    "Add scoped member to role",
    "Add role assignment to role definition",
    "Add EligibleRoleAssignment to RoleDefinition",
    "Add member to role completed (PIM activation)",
    "Add member to role in PIM completed (permanent)",
    "Add member to role in PIM completed (timebound)",
    "Add member to role outside of PIM (permanent)",
    "Add eligible member to role in PIM completed (permanent)",
    "Add eligible member to role in PIM completed (timebound)",
    "Add app role assignment grant to user",
    "Add app role assignment to service principal",
    "Add delegated permission grant",
    "Consent to application",
    "Add service principal",
    "Restore service principal",
    "Add service principal credentials",
    "Add owner to application",
    "Add owner to service principal",
    "Administrator directly assigns user to access package",
];

/// Activities that give only where they switch something on.
const SWITCHES: [&str; 2] = ["Update user", "Update service principal"];

/// Whether an activity gave something; `switched_on` where it enabled its target.
pub(super) fn gives(activity: &str, switched_on: bool) -> bool {
    GIVES.contains(&activity) || (switched_on && SWITCHES.contains(&activity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_or_a_removal_gives_nothing() {
        for activity in [
            "Add member to role requested (PIM activation)",
            "Add member to role request denied (PIM activation)",
            "Remove member from group",
            "Disable account",
            "Delete user",
        ] {
            assert!(!gives(activity, true), "{activity}");
        }
        assert!(gives("Add member to group", false));
        assert_eq!(
            (gives("Update user", true), gives("Update user", false)),
            (true, false)
        );
    }
}

//! What the answers of Graph and Azure Resource Manager mean: one table over status, code and message.
//!
//! The code is a contract; of 400 it says too little, so that a few documented messages count too.

use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::{CallError, Sent};

/// What one answer means, whatever was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It worked.
    Done,
    /// The object named, or what it refers to, does not exist.
    Gone,
    /// The reference that was to be removed is not there.
    ReferenceGone,
    /// The reference, grant or assignment that was to be made is there.
    There,
    /// The last owner of a group stays.
    LastOwner,
    /// A group gives the licence: it goes with the membership.
    Inherited,
    /// The user does not have the licence.
    NoLicence,
    /// A local directory is the master.
    OnPremises,
    /// Exchange decides about the group.
    MailEnabled,
    /// Privileged Identity Management knows no such assignment; it says so of its own success too.
    NoSchedule,
    /// A request of Privileged Identity Management is under way.
    Pending,
    /// Privileged Identity Management is not licensed.
    Unlicensed,
    /// The credential may not do this, or not to this target.
    Denied,
    /// A lock or a rule of Azure keeps it.
    Locked,
    /// Anything else, by class and by whether it can have had its effect.
    Failed(OutcomeClass, Sent),
}

/// Messages of 400 that mean something of their own, in lower case.
const MESSAGES: [(&str, Meaning); 10] = [
    (
        "removed object references do not exist",
        Meaning::ReferenceGone,
    ),
    ("added object references already exist", Meaning::There),
    ("permission being assigned already exists", Meaning::There),
    (
        "conflicting object with one or more of the specified property values is present",
        Meaning::There,
    ),
    ("must have at least one owner", Meaning::LastOwner),
    ("inherited from a group membership", Meaning::Inherited),
    ("does not have a corresponding license", Meaning::NoLicence),
    ("on-premises mastered directory sync", Meaning::OnPremises),
    ("mail-enabled security groups", Meaning::MailEnabled),
    ("no password credential found", Meaning::Gone),
];

/// The table.
#[must_use]
pub fn meaning(status: u16, code: Option<&str>, message: &str) -> Meaning {
    let not_applied = |class| Meaning::Failed(class, Sent::NotApplied);
    let message = message.to_lowercase();
    match (status, code.unwrap_or_default()) {
        (200..=299, _) => Meaning::Done,
        (
            404,
            "Request_ResourceNotFound"
            | "resourceNotFound"
            | "itemNotFound"
            | "RoleAssignmentNotFound"
            | "SubscriptionNotFound"
            | "ResourceGroupNotFound"
            | "ResourceNotFound",
        ) => Meaning::Gone,
        (400, "RoleAssignmentDoesNotExist") => Meaning::NoSchedule,
        (400, "RoleAssignmentExists")
        | (409, "RoleAssignmentExists")
        | (409, "Request_MultipleObjectsWithSameKeyValue") => Meaning::There,
        (400 | 409, "PendingRoleAssignmentRequest") => Meaning::Pending,
        (400 | 403, "AadPremiumLicenseRequired") => Meaning::Unlicensed,
        (400 | 409, "ScopeLocked" | "RoleAssignmentUpdateNotPermitted") => Meaning::Locked,
        (401, _) => not_applied(OutcomeClass::Credentials),
        (400, _) => MESSAGES
            .iter()
            .find(|(text, _)| message.contains(text))
            .map_or(not_applied(OutcomeClass::Permanent), |(_, meaning)| {
                *meaning
            }),
        (403, _) => Meaning::Denied,
        (408, _) => Meaning::Failed(OutcomeClass::Retry, Sent::MayBeApplied),
        (409 | 412 | 423 | 425 | 429, _) => not_applied(OutcomeClass::Retry),
        (500..=599, _) => Meaning::Failed(OutcomeClass::Retry, Sent::MayBeApplied),
        (_, _) => not_applied(OutcomeClass::Permanent),
    }
}

impl Meaning {
    /// The class and effect of this answer where nothing better is known of it than that it was no success.
    #[must_use]
    pub const fn as_failure(self) -> (OutcomeClass, Sent) {
        match self {
            // A success that cannot be used (another account, an unreadable body) needs a person.
            Self::Done => (OutcomeClass::NeedsPerson, Sent::MayBeApplied),
            Self::Failed(class, sent) => (class, sent),
            Self::Gone | Self::ReferenceGone | Self::There | Self::NoLicence | Self::NoSchedule => {
                (OutcomeClass::Retry, Sent::NotApplied)
            }
            Self::Inherited | Self::Pending => (OutcomeClass::Wait, Sent::NotApplied),
            Self::LastOwner
            | Self::OnPremises
            | Self::MailEnabled
            | Self::Unlicensed
            | Self::Denied
            | Self::Locked => (OutcomeClass::NeedsPerson, Sent::NotApplied),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Done => "the answer cannot be used",
            Self::Gone => "the object is not there",
            Self::ReferenceGone => "the reference is not there",
            Self::There => "it is there already",
            Self::LastOwner => {
                "the group would have no owner: name a custodian in the connection's credential, or another \
                    owner in the directory"
            }
            Self::Inherited => "a group gives it",
            Self::NoLicence => "the licence is not assigned",
            Self::OnPremises => "a local directory is the master: do it there",
            Self::MailEnabled => "Exchange decides about the group: do it there",
            Self::NoSchedule => "there is no such schedule",
            Self::Pending => "a request for the same role is under way",
            Self::Unlicensed => "Privileged Identity Management is not licensed",
            Self::Denied => {
                "the application lacks a permission, or a directory role over this administrator"
            }
            Self::Locked => "a lock or a rule of Azure keeps it: lift it there",
            Self::Failed(OutcomeClass::Credentials, _) => "the access token was refused",
            Self::Failed(OutcomeClass::Permanent, _) => {
                "the request was refused as wrong; check the connection's base URL"
            }
            Self::Failed(_, _) => "the provider cannot do it now",
        }
    }
}

/// A call that gave no success: what it means, and the error to hand on.
#[derive(Debug, Clone)]
pub struct Refused {
    /// What the answer means; `Failed` where there was none.
    pub meaning: Meaning,
    /// The error.
    pub error: CallError,
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        Self {
            meaning: Meaning::Failed(error.class, error.sent),
            error,
        }
    }
}

/// An answer that was no success. The body's message is read and not kept, as it may name people.
#[must_use]
pub fn refusal(
    doing: &'static str,
    status: u16,
    body: &Value,
    provider_request_id: Option<String>,
) -> Refused {
    let text = |member: &str| body["error"][member].as_str();
    let code = text("code").filter(|code| {
        code.len() <= 64
            && code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    let meaning = meaning(status, code, text("message").unwrap_or_default());
    let (class, sent) = meaning.as_failure();
    let error = CallError {
        doing,
        what: format!("HTTP {status}: {}", meaning.words()),
        class,
        sent,
        status: Some(status),
        code: code.map(str::to_owned),
        provider_request_id,
        retry_after: None,
    };
    Refused { meaning, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutcomeClass::{Credentials, NeedsPerson, Permanent, Retry, Wait};
    use Sent::{MayBeApplied, NotApplied};

    const REMOVED: &str = "One or more removed object references do not exist for the following modified properties: 'owners'.";
    const ADDED: &str = "One or more added object references already exist for the following modified properties: 'members'.";
    const SYNCED: &str = "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.";

    #[test]
    fn every_documented_answer_has_its_meaning() {
        for (status, code, message, expected) in [
            (404, "Request_ResourceNotFound", "", Meaning::Gone),
            (400, "Request_BadRequest", REMOVED, Meaning::ReferenceGone),
            (400, "Request_BadRequest", ADDED, Meaning::There),
            (
                400,
                "Request_BadRequest",
                "The group must have at least one owner, hence this owner cannot be removed.",
                Meaning::LastOwner,
            ),
            (
                400,
                "Request_BadRequest",
                "User license is inherited from a group membership and it cannot be removed directly from the user.",
                Meaning::Inherited,
            ),
            (
                400,
                "Request_BadRequest",
                "User does not have a corresponding license.",
                Meaning::NoLicence,
            ),
            (400, "Request_BadRequest", SYNCED, Meaning::OnPremises),
            (
                400,
                "Request_BadRequest",
                "Cannot Update a mail-enabled security groups and or distribution list.",
                Meaning::MailEnabled,
            ),
            (400, "RoleAssignmentDoesNotExist", "", Meaning::NoSchedule),
            (400, "RoleAssignmentExists", "", Meaning::There),
            (409, "RoleAssignmentExists", "", Meaning::There),
            (400, "PendingRoleAssignmentRequest", "", Meaning::Pending),
            (400, "AadPremiumLicenseRequired", "", Meaning::Unlicensed),
            (403, "AadPremiumLicenseRequired", "", Meaning::Unlicensed),
            (403, "Authorization_RequestDenied", "", Meaning::Denied),
            (403, "AuthorizationFailed", "", Meaning::Denied),
            (409, "ScopeLocked", "", Meaning::Locked),
            (400, "RoleAssignmentUpdateNotPermitted", "", Meaning::Locked),
            (404, "RoleAssignmentNotFound", "", Meaning::Gone),
            (
                400,
                "Request_BadRequest",
                "No password credential found with keyId x.",
                Meaning::Gone,
            ),
        ] {
            assert_eq!(
                meaning(status, Some(code), message),
                expected,
                "{status} {code} {message}"
            );
        }
    }

    #[test]
    fn every_other_answer_has_its_class() {
        for (status, code, expected) in [
            (400, "BadRequest", (Permanent, NotApplied)),
            (400, "Request_UnsupportedQuery", (Permanent, NotApplied)),
            (401, "InvalidAuthenticationToken", (Credentials, NotApplied)),
            (
                401,
                "InvalidAuthenticationTokenAudience",
                (Credentials, NotApplied),
            ),
            (
                403,
                "Authorization_RequestDenied",
                (NeedsPerson, NotApplied),
            ),
            (404, "", (Permanent, NotApplied)),
            (405, "", (Permanent, NotApplied)),
            (408, "", (Retry, MayBeApplied)),
            (409, "", (Retry, NotApplied)),
            (409, "Directory_ConcurrencyViolation", (Retry, NotApplied)),
            (410, "resyncRequired", (Permanent, NotApplied)),
            (412, "", (Retry, NotApplied)),
            (423, "", (Retry, NotApplied)),
            (429, "TooManyRequests", (Retry, NotApplied)),
            (500, "generalException", (Retry, MayBeApplied)),
            (502, "", (Retry, MayBeApplied)),
            (503, "serviceNotAvailable", (Retry, MayBeApplied)),
            (504, "", (Retry, MayBeApplied)),
            (302, "", (Permanent, NotApplied)),
        ] {
            assert_eq!(
                meaning(status, Some(code), "").as_failure(),
                expected,
                "{status} {code}"
            );
        }
        assert_eq!(Meaning::Inherited.as_failure().0, Wait);
    }

    #[test]
    fn nothing_but_a_success_is_done_and_a_bare_404_is_no_absence() {
        for status in 100..600 {
            let meaning = meaning(status, None, "");
            assert_eq!(
                meaning == Meaning::Done,
                (200..300).contains(&status),
                "{status}"
            );
            assert_ne!(meaning, Meaning::Gone, "{status}");
        }
    }

    #[test]
    fn a_message_that_names_somebody_is_not_kept() {
        let body = serde_json::json!({"error": {"code": "Request_BadRequest", "message": "ada@example.test is wrong"}});
        let refused = refusal("reading", 400, &body, None);
        assert!(!format!("{refused:?}").contains("ada"));
        let odd = serde_json::json!({"error": {"code": "ada@example.test"}});
        assert_eq!(refusal("reading", 400, &odd, None).error.code, None);
    }
}

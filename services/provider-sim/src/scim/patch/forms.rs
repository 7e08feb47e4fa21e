//! Which forms of an operation an application takes, of the several that clients send.

use serde_json::Value;

use super::operation::{Op, Operation};
use crate::scim::attribute::member;
use crate::scim::error::Refusal;
use crate::scim::settings::{ActiveForm, FormRefusal, MemberForm, Settings};
use crate::scim::state::Kind;

/// Whether the operation is to be applied; false where it is silently ignored.
///
/// # Errors
/// The refusal that the settings name.
pub fn is_taken(kind: Kind, operation: &Operation, settings: &Settings) -> Result<bool, Refusal> {
    let patch = &settings.patch;
    if kind == Kind::User {
        return match active_form(operation) {
            Some(form) if !settings.has_active || !patch.active.contains(&form) => {
                refuse(patch.active_refusal)
            }
            _ => Ok(true),
        };
    }
    match member_form(operation) {
        // What is not looked at is not refused either: all members go.
        Some(MemberForm::Value) | None => Ok(true),
        Some(form) if patch.members.contains(&form) => Ok(true),
        Some(_) => refuse(patch.members_refusal),
    }
}

fn active_form(operation: &Operation) -> Option<ActiveForm> {
    let by_path = operation
        .path
        .as_ref()
        .is_some_and(|path| path.is("active"));
    let value = match (&operation.path, &operation.value) {
        (Some(_), value) if by_path => value,
        (None, Value::Object(attributes)) => member(attributes, "active")?,
        _ => return None,
    };
    Some(match value {
        Value::String(_) => ActiveForm::String,
        _ if by_path => ActiveForm::Path,
        _ => ActiveForm::Pathless,
    })
}

/// The form in which `operation` takes members out of a group.
pub fn member_form(operation: &Operation) -> Option<MemberForm> {
    let of_members = operation.path.as_ref().filter(|path| path.is("members"));
    match (operation.op, of_members) {
        (Op::Remove, Some(path)) if path.filter.is_some() => Some(MemberForm::Filter),
        (Op::Remove, Some(_)) if !operation.value.is_null() => Some(MemberForm::Value),
        (Op::Replace, Some(_)) => Some(MemberForm::Replace),
        (Op::Replace, None) if operation.path.is_none() => {
            let attributes = operation.value.as_object()?;
            member(attributes, "members").map(|_| MemberForm::Replace)
        }
        _ => None,
    }
}

fn refuse(how: FormRefusal) -> Result<bool, Refusal> {
    const DETAIL: &str = "this form of the operation is not supported";
    Err(match how {
        FormRefusal::Ignored => return Ok(false),
        FormRefusal::InvalidPath => Refusal::bad("invalidPath", DETAIL),
        FormRefusal::InvalidSyntax => Refusal::bad("invalidSyntax", DETAIL),
        FormRefusal::InvalidValue => Refusal::bad("invalidValue", DETAIL),
        FormRefusal::Plain => Refusal::new(400, DETAIL),
    })
}

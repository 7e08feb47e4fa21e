//! `active`: a ladder of the forms in which applications take it, of which a second read decides.

use serde_json::{Value, json};
use sever_domain::OutcomeClass;
use sever_provider::http::{Method, Reply};
use sever_provider::{Answer, AnswerKind, CallError, Sent};
use tokio::time::Instant;

use crate::account::user_by_id;
use crate::app::{App, Refused, Write, unusable};
use crate::errors::Meaning;
use crate::patch;
use crate::user::User;

/// A form of the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// PATCH with the path `active`.
    Path,
    /// PATCH without a path.
    Pathless,
    /// PATCH with the path and `"False"`, as Entra writes it.
    Text,
    /// GET, then PUT of the whole user.
    Put,
}

const FORMS: [Form; 4] = [Form::Path, Form::Pathless, Form::Text, Form::Put];

/// What one rung came to.
enum Rung {
    /// The application took it.
    Taken(Reply),
    /// Nothing had to be sent.
    Settled(Answer),
    /// The application does not take this form.
    NotTaken,
}

/// Sets `active` of a user. All forms set a state, so each is safe to repeat; they share one deadline.
///
/// # Errors
/// What stops the ladder; class `NeedsPerson` where no form had the effect.
pub async fn set_active(
    app: &App,
    id: &str,
    active: bool,
    until: Instant,
) -> Result<Answer, CallError> {
    for (at, form) in app.dialects.active.order(&FORMS) {
        let rung = rung(app, id, active, form, until).await;
        let rung = rung.inspect_err(|error| app.dialects.active.ended(at, error));
        let reply = match rung? {
            Rung::Taken(reply) => reply,
            Rung::Settled(answer) => return Ok(answer),
            Rung::NotTaken => {
                app.dialects.active.failed(at);
                continue;
            }
        };
        // It was accepted and will be done: the closing read waits for it.
        if reply.status.as_u16() == 202 {
            return Ok(app.done(&reply));
        }
        match proof(app, id, until).await? {
            Some(user) if user.active() != Some(active) => app.dialects.active.failed(at),
            Some(_) => {
                app.dialects.active.proven(at);
                return Ok(app.done(&reply));
            }
            None => return Ok(app.done(&reply)),
        }
    }
    let what = "no form in which active is written had the effect: the application keeps it from its clients";
    Err(unusable(doing(active), what.to_owned()))
}

async fn rung(
    app: &App,
    id: &str,
    active: bool,
    form: Form,
    until: Instant,
) -> Result<Rung, CallError> {
    let sent = match form {
        Form::Put => put(app, id, active, until).await,
        form => {
            let write = Write {
                doing: doing(active),
                method: Method::PATCH,
                id,
                json: Some(patch_of(form, active)),
                version: None,
            };
            app.write_user(write, until).await.map(Rung::Taken)
        }
    };
    let refused = match sent {
        Ok(rung) => return Ok(rung),
        Err(refused) => refused,
    };
    match refused.meaning {
        Meaning::WrongForm | Meaning::NoMethod | Meaning::NoTarget | Meaning::NoFilter => {
            Ok(Rung::NotTaken)
        }
        // Either the user is not there any more, or PATCH is not.
        Meaning::Gone => match user_by_id(app, id, Some(until))
            .await
            .map_err(not_applied)?
        {
            Some(_) => Ok(Rung::NotTaken),
            None => absent(active).map(Rung::Settled),
        },
        _ => Err(refused.error),
    }
}

fn patch_of(form: Form, active: bool) -> Value {
    match form {
        Form::Pathless => patch::pathless("active", &json!(active)),
        Form::Text => patch::at("replace", "active", &json!(word(active))),
        Form::Path | Form::Put => patch::at("replace", "active", &json!(active)),
    }
}

/// Reads the user and sends it back whole, so that nothing else changes; under its version where there is one.
async fn put(app: &App, id: &str, active: bool, until: Instant) -> Result<Rung, Refused> {
    let _one = app.one_writer.lock().await;
    let Some(user) = user_by_id(app, id, Some(until))
        .await
        .map_err(not_applied)?
    else {
        return Ok(absent(active).map(Rung::Settled)?);
    };
    if user.active() == Some(active) {
        return Ok(Rung::Settled(already(200)));
    }
    let User {
        mut document,
        version,
        ..
    } = user;
    let spelt = match document.get("active") {
        Some(Value::String(_)) => json!(word(active)),
        _ => json!(active),
    };
    document.set("active", spelt);
    let write = Write {
        doing: doing(active),
        method: Method::PUT,
        id,
        json: Some(Value::Object(document.0)),
        version,
    };
    app.write_user(write, until).await.map(Rung::Taken)
}

/// The second read. A write was answered before it, so whatever stops this read, the write may have had its effect.
async fn proof(app: &App, id: &str, until: Instant) -> Result<Option<User>, CallError> {
    user_by_id(app, id, Some(until)).await.map_err(after_write)
}

/// The error of a read that comes after a write which was answered.
#[must_use]
pub fn after_write(error: CallError) -> CallError {
    CallError {
        sent: Sent::MayBeApplied,
        class: match error.class {
            OutcomeClass::RetryAt => OutcomeClass::RetryAt,
            _ => OutcomeClass::Retry,
        },
        ..error
    }
}

/// The error of a read without which nothing is written.
#[must_use]
pub fn not_applied(error: CallError) -> CallError {
    CallError {
        sent: Sent::NotApplied,
        ..error
    }
}

/// What it means that the user does not exist.
fn absent(active: bool) -> Result<Answer, CallError> {
    if active {
        let what = "the account does not exist any more: a new one would be another account";
        return Err(unusable(doing(active), what.to_owned()));
    }
    Ok(already(404))
}

/// It was so already.
#[must_use]
pub fn already(status: u16) -> Answer {
    Answer {
        kind: AnswerKind::AlreadyGone,
        status,
        provider_request_id: None,
    }
}

const fn doing(active: bool) -> &'static str {
    if active {
        "activating the account"
    } else {
        "deactivating the account"
    }
}

const fn word(active: bool) -> &'static str {
    if active { "True" } else { "False" }
}

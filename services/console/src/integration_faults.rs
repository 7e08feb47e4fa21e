//! What cannot be taken of a body of integrations, named by entry and key.

use sever_api::Problem;
use sever_api::integration_view::{IntegrationBody, IntegrationsBody};

use crate::endpoint::connections::is_name;
use crate::plain_text::names_an_email;

/// The most integrations of one body: what one transaction may lock.
const APPLY_MAX: usize = 500;

/// The most ids of one integration.
const IDS_MAX: usize = 200;

/// The most characters of an id, as the table takes it.
const ID_MAX: usize = 256;

/// The most characters of a vendor or an owner.
const TEXT_MAX: usize = 200;

/// Checks what a body says before anything of it is stored.
///
/// # Errors
/// A 400 problem that names the first entry and key that cannot be taken.
pub(crate) fn check(body: &IntegrationsBody) -> Result<(), Problem> {
    if body.integration.is_empty() || body.integration.len() > APPLY_MAX {
        return Err(Problem::invalid(
            "/integration",
            "must have 1 to 500 integrations",
        ));
    }
    for (index, integration) in body.integration.iter().enumerate() {
        let repeats = body.integration[..index]
            .iter()
            .any(|before| before.name == integration.name);
        let (key, problem) = match wrong(integration) {
            Some(wrong) => wrong,
            None if repeats => ("name".to_owned(), "stands in this body twice"),
            None => continue,
        };
        let (field, detail) = fault(index, &integration.name, &key, problem);
        return Err(Problem::invalid(field, detail));
    }
    Ok(())
}

/// The first key that cannot be taken, and what is wrong with it.
fn wrong(integration: &IntegrationBody) -> Option<(String, &'static str)> {
    let fault = |key: &str, problem| Some((key.to_owned(), problem));
    if !is_name(&integration.name) {
        return fault(
            "name",
            "must be 1 to 63 lower-case letters, digits, '_' and '-', and begin with a letter or digit",
        );
    }
    if integration.owner.trim().is_empty() {
        return fault("owner", "must name the role that answers for it");
    }
    for (key, text) in [
        ("vendor", &integration.vendor),
        ("owner", &integration.owner),
    ] {
        if let Some(problem) = text_fault(text) {
            return fault(key, problem);
        }
    }
    let mut count = 0;
    for (connection, ids) in &integration.provider_ids {
        let ids = ids.all();
        count += ids.len();
        let usable = |id: &&str| (1..=ID_MAX).contains(&id.chars().count()) && id.trim() == *id;
        if ids.is_empty() || !ids.iter().all(usable) {
            return Some((
                format!("provider_ids.{connection}"),
                "must be ids of 1 to 256 characters without blanks around them",
            ));
        }
    }
    if count > IDS_MAX {
        return fault("provider_ids", "must have at most 200 ids");
    }
    None
}

fn text_fault(text: &str) -> Option<&'static str> {
    if text.chars().count() > TEXT_MAX {
        Some("must have at most 200 characters")
    } else if text.chars().any(char::is_control) {
        Some("must be one line of text")
    } else if names_an_email(text) {
        Some("must not hold an e-mail address: name a role")
    } else {
        None
    }
}

/// The entry and the key at fault, as `connection apply` names them too.
pub(crate) fn fault(index: usize, name: &str, key: &str, problem: &str) -> (String, String) {
    let field = format!("/integration/{index}/{}", key.replace('.', "/"));
    (field, format!("'{key}' of integration '{name}' {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(change: impl Fn(&mut IntegrationBody)) -> IntegrationsBody {
        let text = r#"{"integration":[{"name":"crm","vendor":"Example","owner":"sales","provider_ids":{"okta-main":"0oa1"}}]}"#;
        let mut body: IntegrationsBody = serde_json::from_str(text).unwrap();
        change(&mut body.integration[0]);
        body
    }

    #[test]
    fn each_faulty_key_is_named_with_its_entry() {
        assert_eq!(check(&body(|_| ())), Ok(()));
        type Change = fn(&mut IntegrationBody);
        let faults: [(&str, Change); 5] = [
            ("name", |i| i.name = "CRM".to_owned()),
            ("owner", |i| i.owner = " ".to_owned()),
            ("owner", |i| i.owner = "ada@example.test".to_owned()),
            ("vendor", |i| i.vendor = "two\nlines".to_owned()),
            ("provider_ids/okta-main", |i| {
                i.provider_ids = serde_json::from_str(r#"{"okta-main":[]}"#).unwrap();
            }),
        ];
        for (key, change) in faults {
            let problem = check(&body(change)).unwrap_err().body();
            assert_eq!(problem.field.unwrap(), format!("/integration/0/{key}"));
            assert!(
                problem.detail.contains("of integration '"),
                "{}",
                problem.detail
            );
        }
        let mut twice = body(|_| ());
        twice.integration.push(twice.integration[0].clone());
        let field = check(&twice).unwrap_err().body().field;
        assert_eq!(field.as_deref(), Some("/integration/1/name"));
    }
}

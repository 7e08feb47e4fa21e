//! The judgement of a cell, by the simulator's own truth and journal.

use std::collections::HashSet;

use serde_json::Value;

use super::adaptor::Subject;
use super::simulator::Instance;

/// The truth about the subject and then about each bystander, without what differs from run to run.
pub(super) async fn truths(
    instance: &Instance<'_>,
    subject: &Subject,
) -> anyhow::Result<Vec<Value>> {
    let paths = [&subject.truth]
        .into_iter()
        .chain(subject.bystanders.iter().map(|it| &it.truth));
    let mut truths = Vec::new();
    for path in paths {
        let mut truth = instance.truth(path).await?;
        settle(&mut truth, subject.volatile);
        truths.push(truth);
    }
    Ok(truths)
}

/// Takes out the members that are volatile, and every moment.
fn settle(value: &mut Value, volatile: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !volatile.contains(&name.as_str()));
            members
                .values_mut()
                .for_each(|member| settle(member, volatile));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| settle(item, volatile)),
        Value::String(text) => {
            if text.parse::<jiff::Timestamp>().is_ok() {
                *text = "a moment".to_owned();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every entry that names a bystander, or writes to what is neither the subject's nor among `words`, where those are given.
pub(super) fn strays(
    journal: &[Value],
    subject: &Subject,
    token_families: &[&str],
    words: Option<&HashSet<String>>,
) -> Vec<String> {
    let forbidden: Vec<String> = subject
        .bystanders
        .iter()
        .flat_map(|bystander| &bystander.names)
        .flat_map(|name| [name.clone(), name.replace('@', "%40")])
        .collect();
    let mut strays = Vec::new();
    for entry in journal {
        let said = ["method", "path", "query", "operation", "user", "effect"]
            .map(|member| entry[member].as_str().unwrap_or("-"));
        let [_, path, query, _, user, effect] = said;
        let named = [path, query, user].join(" ");
        if forbidden.iter().any(|name| named.contains(name.as_str())) {
            strays.push(format!("names a bystander: {}", said.join(" ")));
        }
        let family = entry["family"].as_str().unwrap_or_default();
        let write = effect == "write" && !token_families.contains(&family);
        if write
            && !named.contains(&subject.account)
            && words.is_some_and(|words| !words.iter().any(|word| named.contains(word.as_str())))
        {
            strays.push(format!("writes outside the plan: {}", said.join(" ")));
        }
    }
    strays
}

/// The first place in which two truths differ, as `/path: expected … found …`.
pub(super) fn difference(expected: &Value, found: &Value) -> Option<String> {
    fn walk(path: &str, expected: &Value, found: &Value) -> Option<String> {
        match (expected, found) {
            (Value::Object(one), Value::Object(other)) if one.len() == other.len() => one
                .iter()
                .find_map(|(name, value)| walk(&format!("{path}/{name}"), value, &other[name])),
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                let mut pairs = one.iter().zip(other).enumerate();
                pairs.find_map(|(at, (one, other))| walk(&format!("{path}/{at}"), one, other))
            }
            _ if expected == found => None,
            _ => Some(format!("{path}: expected {expected}, found {found}")),
        }
    }
    walk("", expected, found)
}

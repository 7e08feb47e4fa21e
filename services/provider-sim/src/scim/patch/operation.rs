//! One operation: add, replace or remove.

use serde_json::{Map, Value, json};

use super::forms::member_form;
use super::path::PatchPath;
use crate::scim::attribute::{AttrPath, key_of, member};
use crate::scim::error::Refusal;
use crate::scim::schemas;
use crate::scim::settings::{MemberForm, Settings};
use crate::scim::state::Kind;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Adds values.
    Add,
    /// Replaces them.
    Replace,
    /// Removes them.
    Remove,
}

/// An operation as it was sent.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What to do.
    pub op: Op,
    /// Where.
    pub path: Option<PatchPath>,
    /// With what; null where nothing was given.
    pub value: Value,
}

impl Operation {
    /// Reads one entry of `Operations`; `op` in any case, as Entra writes it with a capital.
    pub fn read(sent: &Value) -> Result<Self, Refusal> {
        let invalid = |what: &str| Refusal::bad("invalidSyntax", what.to_owned());
        let sent = sent
            .as_object()
            .ok_or_else(|| invalid("an operation is no object"))?;
        let word = member(sent, "op").and_then(Value::as_str).unwrap_or("");
        let op = match word.to_ascii_lowercase().as_str() {
            "add" => Op::Add,
            "replace" => Op::Replace,
            "remove" => Op::Remove,
            _ => return Err(invalid("op: must be add, replace or remove")),
        };
        let path = match member(sent, "path") {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) => Some(PatchPath::parse(path)?),
            Some(_) => return Err(invalid("path: must be a string")),
        };
        if path.is_none() && op == Op::Remove {
            return Err(Refusal::bad("noTarget", "remove needs a path"));
        }
        let value = member(sent, "value").cloned().unwrap_or_default();
        Ok(Self { op, path, value })
    }

    /// Does it.
    pub fn apply(
        &self,
        kind: Kind,
        attributes: &mut Map<String, Value>,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        if let Some(path) = &self.path {
            if schemas::is_read_only(&path.attribute.name) {
                return Err(Refusal::bad("mutability", "the attribute is read-only"));
            }
            return self.at(kind, path, &self.value, attributes, settings);
        }
        let Value::Object(members) = &self.value else {
            return Err(Refusal::bad("invalidValue", "value: must be an object"));
        };
        for (name, value) in members {
            // Okta sends the id back in a group's own values; it is read-only, and ignored there.
            if schemas::is_read_only(name) {
                continue;
            }
            let path = PatchPath::parse(name)?;
            self.at(kind, &path, value, attributes, settings)?;
        }
        Ok(())
    }

    fn at(
        &self,
        kind: Kind,
        path: &PatchPath,
        value: &Value,
        attributes: &mut Map<String, Value>,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        let name = canonical(kind, &path.attribute, attributes)?;
        let holder = holder(&path.attribute, attributes);
        if path.filter.is_some() {
            return self.on_values(path, &name, value, holder, settings);
        }
        if self.op == Op::Remove {
            return self.remove(kind, path, &name, holder, settings);
        }
        let value = match name.as_str() {
            "active" => json!(truth(value)?),
            _ => value.clone(),
        };
        match &path.attribute.sub {
            Some(sub) => {
                set_sub(holder, &name, sub, value);
            }
            None => self.put(holder, &name, value),
        }
        Ok(())
    }

    fn put(&self, holder: &mut Map<String, Value>, name: &str, value: Value) {
        match (holder.get_mut(name), value) {
            (Some(Value::Array(present)), value) if self.op == Op::Add => {
                let added = match value {
                    Value::Array(values) => values,
                    other => vec![other],
                };
                for value in added {
                    if !present.contains(&value) {
                        present.push(value);
                    }
                }
            }
            (Some(Value::Object(present)), Value::Object(changes)) => present.extend(changes),
            (_, Value::Null) => {
                holder.remove(name);
            }
            (_, value) => {
                holder.insert(name.to_owned(), value);
            }
        }
    }

    fn remove(
        &self,
        kind: Kind,
        path: &PatchPath,
        name: &str,
        holder: &mut Map<String, Value>,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        if name == kind.required() || name == "active" {
            return Err(Refusal::bad("mutability", format!("{name} is required")));
        }
        let by_value = member_form(self) == Some(MemberForm::Value);
        if by_value && settings.patch.members.contains(&MemberForm::Value) {
            let named = ids(&self.value);
            if let Some(Value::Array(members)) = holder.get_mut(name) {
                members.retain(|member| !named.iter().any(|id| member["value"] == **id));
            }
            return Ok(());
        }
        match (&path.attribute.sub, holder.get_mut(name)) {
            (Some(sub), Some(Value::Object(complex))) => {
                complex.remove(sub);
            }
            _ => {
                holder.remove(name);
            }
        }
        Ok(())
    }

    /// On the values of a multi-valued attribute that the path's filter picks.
    fn on_values(
        &self,
        path: &PatchPath,
        name: &str,
        value: &Value,
        holder: &mut Map<String, Value>,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        let picked = |item: &Value| {
            let filter = path.filter.as_ref();
            item.as_object()
                .is_some_and(|item| filter.is_some_and(|filter| filter.holds(item)))
        };
        let Some(Value::Array(items)) = holder.get_mut(name) else {
            return self.nothing_picked(settings);
        };
        if !items.iter().any(picked) {
            return self.nothing_picked(settings);
        }
        match (&path.attribute.sub, self.op) {
            (None, Op::Remove) => items.retain(|item| !picked(item)),
            (sub, op) => {
                for item in items.iter_mut().filter(|item| picked(item)) {
                    match (sub, op, value) {
                        (Some(sub), Op::Remove, _) => {
                            item.as_object_mut().map(|item| item.remove(sub));
                        }
                        (Some(sub), _, value) => item[sub.as_str()] = value.clone(),
                        (None, _, value) => *item = value.clone(),
                    }
                }
            }
        }
        Ok(())
    }

    fn nothing_picked(&self, settings: &Settings) -> Result<(), Refusal> {
        if self.op == Op::Remove && settings.patch.missing_member_status == 204 {
            return Ok(());
        }
        Err(Refusal::bad("noTarget", "the path picks no value"))
    }
}

/// The attribute's name in the schema, or as the resource has it already.
fn canonical(
    kind: Kind,
    path: &AttrPath,
    attributes: &Map<String, Value>,
) -> Result<String, Refusal> {
    if path.schema.is_some() {
        return Ok(path.name.clone());
    }
    schemas::canonical(kind, &path.name)
        .map(str::to_owned)
        .or_else(|| key_of(attributes, &path.name))
        .ok_or_else(|| Refusal::bad("invalidPath", format!("{}: unknown", path.name)))
}

fn holder<'a>(
    path: &AttrPath,
    attributes: &'a mut Map<String, Value>,
) -> &'a mut Map<String, Value> {
    let Some(urn) = &path.schema else {
        return attributes;
    };
    let urn = key_of(attributes, urn).unwrap_or_else(|| urn.clone());
    let extension = attributes.entry(urn).or_insert_with(|| json!({}));
    if !extension.is_object() {
        *extension = json!({});
    }
    extension
        .as_object_mut()
        .expect("it was made an object above")
}

fn set_sub(holder: &mut Map<String, Value>, name: &str, sub: &str, value: Value) {
    match holder.get_mut(name) {
        Some(Value::Array(items)) => items
            .iter_mut()
            .filter(|item| item.is_object())
            .for_each(|item| item[sub] = value.clone()),
        Some(Value::Object(complex)) => {
            complex.insert(sub.to_owned(), value);
        }
        _ => {
            holder.insert(name.to_owned(), json!({ sub: value }));
        }
    }
}

/// `true`, `false`, and what Entra writes instead.
pub fn truth(value: &Value) -> Result<bool, Refusal> {
    let text = match value {
        Value::Bool(active) => return Ok(*active),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        _ => String::new(),
    };
    text.parse()
        .map_err(|_| Refusal::bad("invalidValue", "active: must be a Boolean"))
}

fn ids(value: &Value) -> Vec<&str> {
    let each: Vec<&Value> = match value {
        Value::Array(values) => values.iter().collect(),
        other => vec![other],
    };
    each.into_iter()
        .filter_map(|member| member["value"].as_str())
        .collect()
}

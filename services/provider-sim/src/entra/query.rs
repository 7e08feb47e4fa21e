//! OData queries: `$filter` and `$select`, as far as directory objects take them.

use serde_json::Value;

use crate::clock::parse_iso;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::settings::Settings;

/// A parsed `$filter`.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// Not it.
    Not(Box<Filter>),
    /// A member compared with a value: `eq`, `ne`, `gt`, `ge`, `lt`, `le`, `in`, `startswith`, `endswith`.
    Is(String, String, Vec<Value>),
    /// One of the items of a member.
    Any(String, Box<Filter>),
}

/// The `$filter` of `call`; `None` where there is none, or the tenant ignores it.
///
/// # Errors
/// 400 for one that cannot be read, and for one that needs `ConsistencyLevel: eventual` and `$count=true`.
pub fn filter(call: &Call, settings: &Settings) -> Result<Option<Filter>, ApiError> {
    let Some(text) = call.parameter("$filter") else {
        return Ok(None);
    };
    let filter = parse(text)
        .ok_or_else(|| ApiError::new(400, "Request_BadRequest", "Invalid filter clause."))?;
    let counted = call.parameter("$count") == Some("true");
    if filter.is_advanced() && !(call.is_eventual() && counted) {
        return Err(ApiError::unsupported_query());
    }
    Ok(Some(filter).filter(|_| !settings.ignore_filter))
}

/// The value that a filter demands of `member` by `eq`, where it is as simple as that.
pub fn demanded<'a>(filter: &'a Filter, member: &str) -> Option<&'a str> {
    match filter {
        Filter::Is(name, word, values) if name == member && word == "eq" => values[0].as_str(),
        Filter::And(left, right) => demanded(left, member).or_else(|| demanded(right, member)),
        _ => None,
    }
}

/// The value that `member` must be at least, where a filter says so by `ge`.
pub fn at_least<'a>(filter: &'a Filter, member: &str) -> Option<&'a Value> {
    match filter {
        Filter::Is(name, word, values) if name == member && word == "ge" => values.first(),
        Filter::And(left, right) => at_least(left, member).or_else(|| at_least(right, member)),
        _ => None,
    }
}

/// `$select` of `call`.
pub fn select(call: &Call) -> Option<Vec<String>> {
    let text = call.parameter("$select")?;
    let names = text.split(',').map(|name| name.trim().to_owned());
    Some(names.filter(|name| !name.is_empty()).collect())
}

/// Reads a filter.
pub fn parse(text: &str) -> Option<Filter> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
    };
    let filter = parser.either()?;
    (parser.at == parser.tokens.len()).then_some(filter)
}

impl Filter {
    /// Whether `value` passes.
    pub fn passes(&self, value: &Value) -> bool {
        match self {
            Self::And(left, right) => left.passes(value) && right.passes(value),
            Self::Or(left, right) => left.passes(value) || right.passes(value),
            Self::Not(inner) => !inner.passes(value),
            Self::Is(path, word, wanted) => compare(member(value, path), word, wanted),
            Self::Any(path, inner) => member(value, path)
                .as_array()
                .is_some_and(|items| items.iter().any(|item| inner.passes(item))),
        }
    }

    fn is_advanced(&self) -> bool {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.is_advanced() || right.is_advanced()
            }
            Self::Not(_) => true,
            Self::Is(_, word, _) => matches!(word.as_str(), "ne" | "endswith"),
            Self::Any(_, inner) => inner.is_advanced(),
        }
    }
}

fn member<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('/').fold(value, |value, name| &value[name])
}

fn compare(found: &Value, word: &str, wanted: &[Value]) -> bool {
    let order = |other: &Value| match (found, other) {
        (Value::String(a), Value::String(b)) => Some(match (parse_iso(a), parse_iso(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.to_lowercase().cmp(&b.to_lowercase()),
        }),
        (a, b) if a == b => Some(std::cmp::Ordering::Equal),
        _ => None,
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let first = order(&wanted[0]);
    match word {
        "eq" => first.is_some_and(|order| order.is_eq()),
        "ne" => !first.is_some_and(|order| order.is_eq()),
        "gt" => first.is_some_and(|order| order.is_gt()),
        "ge" => first.is_some_and(|order| order.is_ge()),
        "lt" => first.is_some_and(|order| order.is_lt()),
        "le" => first.is_some_and(|order| order.is_le()),
        "in" => wanted
            .iter()
            .any(|wanted| order(wanted).is_some_and(|order| order.is_eq())),
        "startswith" => found.is_string() && text(found).starts_with(&text(&wanted[0])),
        _ => found.is_string() && text(found).ends_with(&text(&wanted[0])),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&next) = rest.peek() {
        if next.is_whitespace() {
            rest.next();
        } else if next == '\'' {
            rest.next();
            let mut value = String::new();
            loop {
                match rest.next()? {
                    '\'' if rest.peek() == Some(&'\'') => value.extend(rest.next()),
                    '\'' => break,
                    other => value.push(other),
                }
            }
            tokens.push(Token::Text(value));
        } else if matches!(next, '(' | ')' | ',') {
            tokens.extend(rest.next().map(Token::Sign));
        } else {
            let mut word = String::new();
            while let Some(&next) = rest.peek() {
                if next.is_whitespace() || matches!(next, '(' | ')' | ',' | '\'') {
                    break;
                }
                word.extend(rest.next());
            }
            tokens.push(Token::Word(word));
        }
    }
    Some(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn either(&mut self) -> Option<Filter> {
        let mut left = self.both()?;
        while self.takes_word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.both()?));
        }
        Some(left)
    }

    fn both(&mut self) -> Option<Filter> {
        let mut left = self.one()?;
        while self.takes_word("and") {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Filter> {
        if self.takes_word("not") {
            return Some(Filter::Not(Box::new(self.one()?)));
        }
        if self.takes('(') {
            let inner = self.either()?;
            return self.takes(')').then_some(inner);
        }
        let Token::Word(path) = self.next()? else {
            return None;
        };
        if let Some(items) = path.strip_suffix("/any") {
            return self.any(items);
        }
        let function = path.to_lowercase();
        if matches!(function.as_str(), "startswith" | "endswith") && self.takes('(') {
            let Token::Word(member) = self.next()? else {
                return None;
            };
            let comma = self.takes(',');
            let value = self.value()?;
            let closed = comma && self.takes(')');
            return closed.then(|| Filter::Is(member, function, vec![value]));
        }
        self.comparison(path)
    }

    /// `items/any(x:x/id eq '...')`: the variable's name is dropped.
    fn any(&mut self, items: &str) -> Option<Filter> {
        if !self.takes('(') {
            return None;
        }
        let Token::Word(bound) = self.next()? else {
            return None;
        };
        // `t:t/id` in one word, or `t:` and `t/id` in two.
        let path = match bound.split_once(':')? {
            (_, "") => match self.next()? {
                Token::Word(path) => path,
                _ => return None,
            },
            (_, path) => path.to_owned(),
        };
        let (_, member) = path.split_once('/')?;
        let inner = self.comparison(member.to_owned())?;
        self.takes(')')
            .then(|| Filter::Any(items.to_owned(), Box::new(inner)))
    }

    fn comparison(&mut self, path: String) -> Option<Filter> {
        let Token::Word(word) = self.next()? else {
            return None;
        };
        let word = word.to_lowercase();
        if word == "in" {
            let mut values = Vec::new();
            if !self.takes('(') {
                return None;
            }
            loop {
                values.push(self.value()?);
                if self.takes(')') {
                    return Some(Filter::Is(path, word, values));
                }
                if !self.takes(',') {
                    return None;
                }
            }
        }
        let known = ["eq", "ne", "gt", "ge", "lt", "le"].contains(&word.as_str());
        let value = self.value()?;
        known.then(|| Filter::Is(path, word, vec![value]))
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.next()? {
            Token::Text(text) => Value::String(text),
            Token::Word(word) => match word.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => Value::String(word),
            },
            Token::Sign(_) => return None,
        })
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn takes(&mut self, sign: char) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_compare_as_odata_says() {
        let user = json!({
            "id": "u1", "mail": "O'Neil@example.com", "accountEnabled": true, "since": "2026-02-01T00:00:00Z", "later": "2026-02-01T00:00:00.500Z", "none": null,
            "targets": [{ "id": "a" }, { "id": "b" }],
        });
        for (text, passes) in [
            ("id eq 'u1'", true),
            ("id eq 'U1' and accountEnabled eq true", true),
            ("accountEnabled eq false or id eq 'u2'", false),
            ("mail eq 'o''neil@example.com'", true),
            ("not (id eq 'u1')", false),
            ("startsWith(mail,'o''n')", true),
            ("id in ('u2', 'u1')", true),
            ("since ge 2026-01-01T00:00:00Z", true),
            ("later ge 2026-02-01T00:00:00Z", true),
            ("later le 2026-02-01T00:00:00Z", false),
            ("none eq null", true),
            ("targets/any(t:t/id eq 'b')", true),
            ("targets/any(t: t/id eq 'c')", false),
        ] {
            assert_eq!(parse(text).unwrap().passes(&user), passes, "{text}");
        }
        for broken in [
            "id eq",
            "id is 'x'",
            "(id eq 'x'",
            "id eq 'x",
            "id eq 'x' id",
        ] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn the_principal_that_a_filter_demands_is_known() {
        let filter = parse("principalId eq 'p1' and directoryScopeId eq '/'").unwrap();
        assert_eq!(demanded(&filter, "principalId"), Some("p1"));
        assert_eq!(demanded(&filter, "roleDefinitionId"), None);
    }
}

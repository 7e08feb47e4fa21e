//! The filter language (RFC 7644 section 3.4.2.2).
//!
//! Names and operators have no case; `not` binds before `and`, `and` before `or`. An operator or value that is none is
//! refused, never ignored.

mod compare;
mod tokens;

use serde_json::{Map, Value};

use super::attribute::{AttrPath, member};
use super::error::Refusal;
use compare::Operator;
use tokens::{Token, tokens};

/// Bounds the recursion of the parser.
const DEPTH_MAX: usize = 32;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Both must hold.
    And(Box<Filter>, Box<Filter>),
    /// One must hold.
    Or(Box<Filter>, Box<Filter>),
    /// It must not hold.
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(AttrPath),
    /// A value of the attribute compares so.
    Compare(AttrPath, Operator, Value),
    /// One value of a multi-valued attribute meets the inner filter.
    Each(String, Box<Filter>),
}

impl Filter {
    /// Reads `text`.
    ///
    /// # Errors
    /// 400 `invalidFilter`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            at: 0,
        };
        let filter = parser.either(0)?;
        match parser.next() {
            None => Ok(filter),
            Some(token) => Err(invalid(format!("unexpected {token:?}"))),
        }
    }

    /// Whether it holds for `resource`.
    pub fn holds(&self, resource: &Map<String, Value>) -> bool {
        self.holds_within(resource, false)
    }

    /// Whether it holds for one value of a multi-valued attribute; the ids in `members` compare by case.
    fn holds_within(&self, resource: &Map<String, Value>, exact: bool) -> bool {
        match self {
            Self::And(left, right) => {
                left.holds_within(resource, exact) && right.holds_within(resource, exact)
            }
            Self::Or(left, right) => {
                left.holds_within(resource, exact) || right.holds_within(resource, exact)
            }
            Self::Not(inner) => !inner.holds_within(resource, exact),
            Self::Present(path) => path.values(resource).iter().any(|value| is_present(value)),
            Self::Compare(path, operator, wanted) => {
                let exact = exact || is_case_exact(&path.name);
                operator.holds_for_any(&path.values(resource), wanted, exact)
            }
            Self::Each(name, inner) => match member(resource, name) {
                Some(Value::Array(values)) => values
                    .iter()
                    .filter_map(Value::as_object)
                    .any(|value| inner.holds_within(value, is_case_exact(name))),
                _ => false,
            },
        }
    }

    /// The attributes it asks about, as written.
    pub fn attributes(&self) -> Vec<String> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                [left.attributes(), right.attributes()].concat()
            }
            Self::Not(inner) => inner.attributes(),
            Self::Present(path) | Self::Compare(path, ..) => {
                let sub = path.sub.iter().map(|sub| format!(".{sub}"));
                vec![format!("{}{}", path.name, sub.collect::<String>())]
            }
            Self::Each(name, inner) => inner
                .attributes()
                .into_iter()
                .map(|sub| format!("{name}.{sub}"))
                .collect(),
        }
    }

    /// The value that `name` must equal, where the filter is that comparison alone.
    pub fn equals(&self, name: &str) -> Option<&str> {
        match self {
            Self::Compare(_, Operator::Eq, Value::String(value))
                if self.attributes()[0].eq_ignore_ascii_case(name) =>
            {
                Some(value)
            }
            _ => None,
        }
    }
}

/// RFC 7643 sections 3.1 and 4.1: ids compare by case, names and addresses do not.
fn is_case_exact(name: &str) -> bool {
    let exact = ["id", "externalId", "members", "groups"];
    exact.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        _ => true,
    }
}

fn invalid(detail: impl Into<String>) -> Refusal {
    Refusal::bad("invalidFilter", detail)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn either(&mut self, depth: usize) -> Result<Filter, Refusal> {
        let mut filter = self.both(depth)?;
        while self.takes_word("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.both(depth)?));
        }
        Ok(filter)
    }

    fn both(&mut self, depth: usize) -> Result<Filter, Refusal> {
        let mut filter = self.single(depth)?;
        while self.takes_word("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.single(depth)?));
        }
        Ok(filter)
    }

    fn single(&mut self, depth: usize) -> Result<Filter, Refusal> {
        if depth > DEPTH_MAX {
            return Err(invalid("too deep"));
        }
        if self.takes_word("not") {
            return Ok(Filter::Not(Box::new(self.single(depth + 1)?)));
        }
        match self.next() {
            Some(Token::Open) => {
                let inner = self.either(depth + 1)?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(name)) => self.attribute(&name, depth),
            _ => Err(invalid("an attribute name is missing")),
        }
    }

    fn attribute(&mut self, name: &str, depth: usize) -> Result<Filter, Refusal> {
        let path = AttrPath::parse(name).ok_or_else(|| invalid(format!("{name}: no attribute")))?;
        if self.tokens.get(self.at) == Some(&Token::OpenValues) {
            self.at += 1;
            let inner = self.either(depth + 1)?;
            self.expect(&Token::CloseValues)?;
            return Ok(Filter::Each(path.name, Box::new(inner)));
        }
        let Some(Token::Word(word)) = self.next() else {
            return Err(invalid("an operator is missing"));
        };
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let operator =
            Operator::parse(&word).ok_or_else(|| invalid(format!("{word}: no operator")))?;
        let value = match self.next() {
            Some(Token::Text(text)) => Value::String(text),
            Some(Token::Word(word)) => serde_json::from_str(&word)
                .map_err(|_| invalid(format!("{word}: no JSON value")))?,
            _ => return Err(invalid("a value is missing")),
        };
        if operator.needs_order() && value.is_boolean() {
            return Err(invalid("a Boolean has no order"));
        }
        Ok(Filter::Compare(path, operator, value))
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), Refusal> {
        match self.next() {
            Some(token) if token == *wanted => Ok(()),
            _ => Err(invalid(format!("{wanted:?} is missing"))),
        }
    }

    fn next(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(text: &str) -> bool {
        let resource = json!({
            "id": "u1", "userName": "Ada", "active": true, "logins": 3,
            "emails": [{ "value": "ada@example.com", "type": "work" }, { "value": "a@home.example", "type": "home" }],
            "members": [{ "value": "u1" }],
        });
        Filter::parse(text)
            .unwrap()
            .holds(resource.as_object().unwrap())
    }

    #[test]
    fn comparisons_and_precedence_follow_the_standard() {
        for (text, wanted) in [
            (r#"userName eq "ada""#, true),
            (r#"USERNAME EQ "ada""#, true),
            (r#"id eq "U1""#, false),
            (r#"active eq true and logins gt 2"#, true),
            (r#"active eq "True""#, false),
            (r#"emails[type eq "work" and value co "example"]"#, true),
            (r#"emails[type eq "work" and value co "home"]"#, false),
            (r#"emails.value eq "a@home.example""#, true),
            (r#"members.value eq "u1""#, true),
            (r#"members[value eq "U1"]"#, false),
            (
                r#"userName eq "x" or userName sw "a" and id eq "u2""#,
                false,
            ),
            (
                r#"(userName eq "x" or userName sw "a") and id eq "u1""#,
                true,
            ),
            (r#"not (userName eq "x")"#, true),
            (r#"nickName pr"#, false),
            (r#"userName ne "bob""#, true),
            (r#"userName eq "with \"quotes\"""#, false),
        ] {
            assert_eq!(holds(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "userName",
            "userName eq",
            "userName eq ada",
            r#"userName is "a""#,
            r#"(userName eq "a""#,
            r#"userName eq "a" id"#,
            r#"userName eq "a"#,
            "active gt true",
            r#"emails[type eq "work""#,
        ] {
            let refusal = Filter::parse(text).unwrap_err();
            assert_eq!(refusal.scim_type, Some("invalidFilter"), "{text}");
        }
    }

    #[test]
    fn the_attributes_asked_about_are_told() {
        let asked = |text: &str| Filter::parse(text).unwrap().attributes();
        assert_eq!(asked(r#"members[value eq "u1"]"#), ["members.value"]);
        assert_eq!(
            asked(r#"id eq "g" and members.value eq "u""#),
            ["id", "members.value"]
        );
    }
}

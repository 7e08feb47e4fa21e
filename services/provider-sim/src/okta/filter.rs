//! The filter and search language of Okta's lists: SCIM-like comparisons with `and`, `or` and parentheses.
//!
//! Attribute names are case-sensitive, operators are not; `and` binds before `or` (core API reference, "Filter").

use crate::okta::error::{ApiError, Code};

/// Bounds the recursion of the parser.
const DEPTH_MAX: usize = 32;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// All must hold.
    And(Vec<Expression>),
    /// One must hold.
    Or(Vec<Expression>),
    /// `attribute operator "value"`.
    Compare(String, Operator, String),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Starts with.
    Sw,
    /// Contains.
    Co,
    /// Has a value.
    Pr,
    /// After.
    Gt,
    /// At or after.
    Ge,
    /// Before.
    Lt,
    /// At or before.
    Le,
}

impl Expression {
    /// Reads `text`; what is wrong with it is told as E0000031.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            at: 0,
        };
        let expression = parser.either(0)?;
        match parser.tokens.get(parser.at) {
            None => Ok(expression),
            Some(token) => Err(bad(&format!("unexpected {token:?}"))),
        }
    }

    /// Refuses an attribute or operator that `allowed` does not know.
    pub fn check(&self, allowed: &dyn Fn(&str, Operator) -> bool) -> Result<(), ApiError> {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().try_for_each(|part| part.check(allowed))
            }
            Self::Compare(attribute, operator, _) if allowed(attribute, *operator) => Ok(()),
            Self::Compare(attribute, operator, _) => Err(bad(&format!(
                "{attribute} {operator:?} is not supported here"
            ))),
        }
    }

    /// Whether it holds for something whose attribute values `values` tells; one value that fits is enough.
    pub fn holds(&self, values: &dyn Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(values)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(values)),
            Self::Compare(attribute, Operator::Ne, wanted) => values(attribute)
                .iter()
                .all(|value| !value.eq_ignore_ascii_case(wanted)),
            Self::Compare(attribute, operator, wanted) => values(attribute)
                .iter()
                .any(|value| operator.holds(value, wanted)),
        }
    }
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "sw" => Self::Sw,
            "co" => Self::Co,
            "pr" => Self::Pr,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    fn holds(self, value: &str, wanted: &str) -> bool {
        // The common question, asked of every user of a directory: no copies.
        if self == Self::Eq && value.is_ascii() {
            return value.eq_ignore_ascii_case(wanted);
        }
        let (value, wanted) = (value.to_lowercase(), wanted.to_lowercase());
        match self {
            Self::Eq => value == wanted,
            Self::Ne => value != wanted,
            Self::Sw => value.starts_with(&wanted),
            Self::Co => value.contains(&wanted),
            Self::Pr => !value.is_empty(),
            // Moments are all written alike, so their order is the order of their texts.
            Self::Gt => value > wanted,
            Self::Ge => value >= wanted,
            Self::Lt => value < wanted,
            Self::Le => value <= wanted,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Word(String),
    Quoted(String),
}

fn bad(cause: &str) -> ApiError {
    ApiError::because(Code::BadSearch, cause)
}

fn tokens(text: &str) -> Result<Vec<Token>, ApiError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' => quoted(rest)?,
            _ => {
                let length = rest
                    .find(|c: char| c.is_whitespace() || "()\"".contains(c))
                    .unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn quoted(text: &str) -> Result<(Token, usize), ApiError> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((Token::Quoted(value), at + 1)),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    Err(bad("a string is not closed"))
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn either(&mut self, depth: usize) -> Result<Expression, ApiError> {
        let mut parts = vec![self.both(depth)?];
        while self.takes_word("or") {
            parts.push(self.both(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expression::Or(parts)
        })
    }

    fn both(&mut self, depth: usize) -> Result<Expression, ApiError> {
        let mut parts = vec![self.single(depth)?];
        while self.takes_word("and") {
            parts.push(self.single(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expression::And(parts)
        })
    }

    fn single(&mut self, depth: usize) -> Result<Expression, ApiError> {
        match self.next() {
            Some(Token::Open) if depth < DEPTH_MAX => {
                let inner = self.either(depth + 1)?;
                match self.next() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err(bad("a parenthesis is not closed")),
                }
            }
            Some(Token::Word(attribute)) => self.comparison(attribute),
            _ => Err(bad("an attribute name is missing")),
        }
    }

    fn comparison(&mut self, attribute: String) -> Result<Expression, ApiError> {
        let operator = match self.next() {
            Some(Token::Word(word)) => {
                Operator::parse(&word).ok_or_else(|| bad(&format!("unknown operator {word}")))?
            }
            _ => return Err(bad("an operator is missing")),
        };
        if operator == Operator::Pr {
            return Ok(Expression::Compare(attribute, operator, String::new()));
        }
        match self.next() {
            Some(Token::Quoted(value)) => Ok(Expression::Compare(attribute, operator, value)),
            Some(Token::Word(value)) if value == "true" || value == "false" => {
                Ok(Expression::Compare(attribute, operator, value))
            }
            _ => Err(bad("a value in double quotes is missing")),
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
    use super::*;

    fn holds(text: &str) -> bool {
        let values = |attribute: &str| match attribute {
            "status" => vec!["ACTIVE".to_owned()],
            "profile.email" => vec!["jan@example.com".to_owned()],
            "lastUpdated" => vec!["2026-01-02T00:00:00.000Z".to_owned()],
            "target.id" => vec!["a".to_owned(), "b".to_owned()],
            _ => vec![],
        };
        Expression::parse(text).unwrap().holds(&values)
    }

    #[test]
    fn comparisons_and_precedence_follow_the_documents() {
        for (text, wanted) in [
            (r#"status eq "ACTIVE""#, true),
            (r#"status EQ "active""#, true),
            (r#"profile.email sw "jan@" and status eq "STAGED""#, false),
            (
                r#"status eq "ACTIVE" or status eq "STAGED" and status eq "SUSPENDED""#,
                true,
            ),
            (
                r#"(status eq "ACTIVE" or status eq "STAGED") and status eq "SUSPENDED""#,
                false,
            ),
            (r#"lastUpdated gt "2026-01-01T00:00:00.000Z""#, true),
            (r#"lastUpdated lt "2026-01-01T00:00:00.000Z""#, false),
            (r#"target.id eq "b""#, true),
            (r#"profile.nickname pr"#, false),
            (r#"status eq "with \"quotes\"""#, false),
        ] {
            assert_eq!(holds(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_e0000031() {
        for text in [
            "",
            "status",
            "status eq",
            "status eq ACTIVE",
            r#"status is "A""#,
            r#"(status eq "A""#,
            r#"status eq "A" status"#,
            r#"status eq "A"#,
        ] {
            assert_eq!(
                Expression::parse(text).unwrap_err().code,
                Code::BadSearch,
                "{text}"
            );
        }
    }
}

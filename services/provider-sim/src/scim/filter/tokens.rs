//! The words of a filter.

use super::invalid;
use crate::scim::error::Refusal;

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenValues,
    /// `]`
    CloseValues,
    /// A name, an operator, or a value without quotes.
    Word(String),
    /// A JSON string.
    Text(String),
}

/// Cuts `text` into words.
pub fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '[' => (Token::OpenValues, 1),
            ']' => (Token::CloseValues, 1),
            '"' => quoted(rest)?,
            _ => {
                let ends = |letter: char| letter.is_whitespace() || "()[]\"".contains(letter);
                let length = rest.find(ends).unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn quoted(text: &str) -> Result<(Token, usize), Refusal> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let value = serde_json::from_str(&text[..=at])
                    .map_err(|_| invalid("a string is no JSON string"))?;
                return Ok((Token::Text(value), at + 1));
            }
            _ => {}
        }
    }
    Err(invalid("a string is not closed"))
}

//! Query and path parameters whose faults are problems that name them.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use sever_api::Problem;

/// The query parameters, as the shape `T`.
#[derive(Debug)]
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(parameters)| Self(parameters))
            .map_err(|rejection| {
                // The cause reads "NAME: what is wrong", or only what is wrong.
                let cause = std::error::Error::source(&rejection)
                    .map_or_else(|| rejection.to_string(), ToString::to_string);
                match cause.split_once(": ") {
                    Some((name, problem)) if is_name(name) => Problem::invalid(name, problem),
                    Some(_) | None => Problem::invalid("query", cause),
                }
            })
    }
}

fn is_name(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A path or query parameter as its type.
///
/// # Errors
/// A 400 problem that names the parameter.
pub(crate) fn parse<T>(name: &str, text: &str) -> Result<T, Problem>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse()
        .map_err(|error: T::Err| Problem::invalid(name, format!("cannot be taken: {error}")))
}

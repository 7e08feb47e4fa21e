//! Endpoints, and which of them a request means.

use super::{Call, Instance};
use crate::exchange::Reply;

/// What answers a call.
pub type Handler<S> = fn(&mut S, &Call) -> Result<Reply, <S as Instance>::Refusal>;

/// One endpoint.
pub struct Route<S: Instance> {
    /// The HTTP method.
    pub method: &'static str,
    /// The path inside the instance; names in braces are variable.
    pub pattern: &'static str,
    /// The family, as the journal and the fault rules name it.
    pub family: &'static str,
    /// The operation, as the journal and the fault rules name it.
    pub operation: &'static str,
    /// Whether a call can change the state.
    pub is_write: bool,
    handler: Handler<S>,
}

/// An endpoint that reads.
pub const fn read<S: Instance>(
    method: &'static str,
    pattern: &'static str,
    names: (&'static str, &'static str),
    handler: Handler<S>,
) -> Route<S> {
    Route {
        method,
        pattern,
        family: names.0,
        operation: names.1,
        is_write: false,
        handler,
    }
}

/// An endpoint that writes.
pub const fn write<S: Instance>(
    method: &'static str,
    pattern: &'static str,
    names: (&'static str, &'static str),
    handler: Handler<S>,
) -> Route<S> {
    Route {
        is_write: true,
        ..read(method, pattern, names, handler)
    }
}

impl<S: Instance> Route<S> {
    /// Answers `call`.
    pub fn handle(&self, instance: &mut S, call: &Call) -> Result<Reply, S::Refusal> {
        (self.handler)(instance, call)
    }

    /// The value of the variable segment `name` (braces included) in `call`.
    pub fn named<'a>(&self, call: &'a Call, name: &str) -> Option<&'a str> {
        let variable = self
            .pattern
            .split('/')
            .filter(|segment| segment.starts_with('{'));
        let at = variable.into_iter().position(|segment| segment == name)?;
        call.arguments.get(at).map(String::as_str)
    }
}

/// The endpoint that `method` and `segments` mean, with its arguments; 404 or 405 where there is none. A path without
/// variables wins over one with them if it stands first in the list.
pub fn find<S: Instance>(
    routes: &'static [Route<S>],
    method: &str,
    segments: &[String],
) -> Result<(&'static Route<S>, Vec<String>), u16> {
    let mut status = 404;
    for route in routes {
        let pattern: Vec<&str> = route.pattern.split('/').skip(1).collect();
        let variable = |part: &str| part.starts_with('{');
        let fits = pattern.len() == segments.len()
            && pattern
                .iter()
                .zip(segments)
                .all(|(part, segment)| variable(part) || part == segment);
        if !fits {
            continue;
        }
        status = 405;
        if route.method == method {
            let pairs = pattern.iter().zip(segments);
            let arguments = pairs
                .filter(|(part, _)| variable(part))
                .map(|(_, segment)| segment.clone());
            return Ok((route, arguments.collect()));
        }
    }
    Err(status)
}

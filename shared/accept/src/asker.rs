//! Who asks.

use sever_domain::SourceId;
use sever_domain::request::Channel;

/// Who asks, and by which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// `source:NAME` or `token:NAME`: keys are unique for each asker, and what an asker caused is never
    /// approved by the same one.
    pub name: String,
    /// The source that speaks, where one does.
    pub source: Option<SourceId>,
    /// The way by which it came.
    pub channel: Channel,
}

impl Asker {
    /// A source, by whichever way it speaks: the same event by another way is the same request.
    #[must_use]
    pub fn source(id: SourceId, name: &str, channel: Channel) -> Self {
        Self {
            name: format!("source:{name}"),
            source: Some(id),
            channel,
        }
    }

    /// The bearer of a token.
    #[must_use]
    pub fn token(name: &str, source: Option<SourceId>, channel: Channel) -> Self {
        Self {
            name: format!("token:{name}"),
            source,
            channel,
        }
    }
}

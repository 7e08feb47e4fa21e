//! Publishing: persistent, mandatory, confirmed.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use futures::{StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Channel, Confirmation,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::{
    bus::Bus,
    deadline::{CONFIRM, DECLARE, within},
    error::{BusError, PublishError},
    link::Link,
    meter,
};

/// Messages without a confirm at any time; more wait their turn.
const WINDOW: usize = 256;
/// AMQP 0-9-1: delivery-mode 2 is persistent.
const PERSISTENT: u8 = 2;

/// A message to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The exchange; empty for the default exchange, whose routing keys are queue names.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// The id of the message, unique within one call: a returned message is recognised by it.
    pub message_id: Uuid,
    /// The body: identifiers only, never personal data.
    pub body: Vec<u8>,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// The kind of message.
    pub type_: Option<String>,
    /// The publishing broker user; the broker closes the channel if it is not the connection's own.
    pub user_id: Option<String>,
    /// Headers, as texts.
    pub headers: BTreeMap<String, String>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishOutcome {
    /// The broker has it: for a quorum queue, a majority has it on the disk.
    Confirmed,
    /// No queue is bound to that exchange and key. The broker does not have it.
    Returned {
        /// AMQP reply code; 312 is "no route".
        reply_code: u16,
        /// The broker's words.
        text: String,
    },
    /// The broker refuses it now, for example because the queue is full. It does not have it.
    Nacked,
    /// No answer in time, or the connection was lost. The broker may have it: publish it again, duplicates are harmless.
    Unknown,
}

impl PublishOutcome {
    fn label(&self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Returned { .. } => "returned",
            Self::Nacked => "nacked",
            Self::Unknown => "unknown",
        }
    }
}

/// Publishes on one channel of a bus; clones share it and take turns.
#[derive(Clone)]
pub struct Publisher {
    bus: Bus,
}

/// The channel of the publishers of one bus, with the connection that it belongs to.
pub(crate) struct OpenChannel {
    link: Arc<Link>,
    channel: Channel,
}

impl Publisher {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus }
    }

    /// Publishes all messages, persistent and mandatory, at most 256 of them unconfirmed at a time, and waits for the
    /// broker's word on each: the outcomes are in the order of the messages. A window that is not confirmed within
    /// [`CONFIRM`] ends the call; the rest is [`PublishOutcome::Unknown`]. Not cancel-safe: a dropped call leaves
    /// messages published whose outcome nobody knows.
    ///
    /// # Errors
    /// [`PublishError`] if nothing was published, because the broker blocks this connection or there is none.
    pub async fn publish_all(
        &self,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<PublishOutcome>, PublishError> {
        let mut outcomes = Vec::with_capacity(messages.len());
        let mut open = self.bus.shared.publishing.lock().await;
        for window in messages.chunks(WINDOW) {
            let ready = self.ready(&mut open).await;
            match ready {
                Ok(current) => outcomes.extend(publish_window(&current.channel, window).await),
                Err(error) if outcomes.is_empty() => return Err(error),
                Err(_) => break,
            }
            if outcomes.contains(&PublishOutcome::Unknown) {
                self.give_up(&mut open);
                break;
            }
        }
        outcomes.resize(messages.len(), PublishOutcome::Unknown);
        for outcome in &outcomes {
            meter::published(outcome.label(), 1);
        }
        Ok(outcomes)
    }

    /// The channel of the current connection, opened if needed.
    async fn ready<'a>(
        &self,
        open: &'a mut Option<OpenChannel>,
    ) -> Result<&'a OpenChannel, PublishError> {
        if self.bus.is_blocked() {
            return Err(PublishError::Blocked);
        }
        let link = self.bus.link().map_err(|_| PublishError::NotConnected)?;
        let usable = open
            .take()
            .filter(|open| Arc::ptr_eq(&open.link, &link) && open.channel.status().connected());
        let current = match usable {
            Some(current) => current,
            None => match confirming_channel(&link).await {
                Ok(channel) => OpenChannel { link, channel },
                Err(error) => {
                    link.fail(&error);
                    return Err(PublishError::NotConnected);
                }
            },
        };
        Ok(open.insert(current))
    }

    /// After an unknown outcome the channel is never used again: late confirms and returns would be taken for those of
    /// other messages. The connection goes too, unless it is only blocked: a new one would be blocked again at once.
    fn give_up(&self, open: &mut Option<OpenChannel>) {
        if let Some(OpenChannel { link, channel: _ }) = open.take()
            && !self.bus.is_blocked()
        {
            link.fail(&"published messages were not confirmed");
        }
    }
}

async fn confirming_channel(link: &Link) -> Result<Channel, BusError> {
    let channel = link.channel().await?;
    let select = channel.confirm_select(ConfirmSelectOptions::default());
    within(
        DECLARE,
        "switching on confirms on",
        "the publishing channel",
        select,
    )
    .await?;
    Ok(channel)
}

/// Publishes a window and waits for all its confirms together.
async fn publish_window(channel: &Channel, window: &[Outgoing]) -> Vec<PublishOutcome> {
    let deadline = Instant::now() + CONFIRM;
    let mut answers = Vec::with_capacity(window.len());
    let mut pending: FuturesUnordered<_> = window
        .iter()
        .enumerate()
        .map(|(index, message)| async move { (index, publish(channel, message).await) })
        .collect();
    while let Ok(Some((index, answer))) = timeout_at(deadline, pending.next()).await {
        match answer {
            Ok(confirmation) => answers.push((index, confirmation)),
            Err(error) => tracing::warn!(%error, "a published message was not confirmed"),
        }
    }
    outcomes(window, answers)
}

/// What became of each message. The client hands a returned message out with whichever confirm it sees next, not with
/// the message's own, so returns are matched by message id.
fn outcomes(window: &[Outgoing], answers: Vec<(usize, Confirmation)>) -> Vec<PublishOutcome> {
    let mut outcomes = vec![PublishOutcome::Unknown; window.len()];
    let mut returned: HashMap<String, PublishOutcome> = HashMap::new();
    for (index, confirmation) in answers {
        outcomes[index] = match &confirmation {
            Confirmation::Ack(_) => PublishOutcome::Confirmed,
            Confirmation::Nack(_) => PublishOutcome::Nacked,
            Confirmation::NotRequested => PublishOutcome::Unknown,
        };
        returned.extend(
            confirmation
                .take_message()
                .map(|message| returned_by_id(&message)),
        );
    }
    for (outcome, message) in outcomes.iter_mut().zip(window) {
        if let Some(refused) = returned.get(&message.message_id.to_string())
            && *outcome != PublishOutcome::Unknown
        {
            outcome.clone_from(refused);
        }
    }
    outcomes
}

fn returned_by_id(message: &BasicReturnMessage) -> (String, PublishOutcome) {
    let id = message
        .delivery
        .properties
        .message_id()
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let (reply_code, text) = (message.reply_code, message.reply_text.to_string());
    (id, PublishOutcome::Returned { reply_code, text })
}

async fn publish(channel: &Channel, message: &Outgoing) -> lapin::Result<Confirmation> {
    let options = BasicPublishOptions {
        mandatory: true,
        immediate: false,
    };
    let (exchange, key) = (
        message.exchange.as_str().into(),
        message.routing_key.as_str().into(),
    );
    channel
        .basic_publish(exchange, key, options, &message.body, properties(message))
        .await?
        .await
}

fn properties(message: &Outgoing) -> BasicProperties {
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_message_id(message.message_id.to_string().into());
    if let Some(content_type) = &message.content_type {
        properties = properties.with_content_type(content_type.as_str().into());
    }
    if let Some(type_) = &message.type_ {
        properties = properties.with_type(type_.as_str().into());
    }
    if let Some(user_id) = &message.user_id {
        properties = properties.with_user_id(user_id.as_str().into());
    }
    if !message.headers.is_empty() {
        let mut headers = FieldTable::default();
        for (name, value) in &message.headers {
            headers.insert(
                name.as_str().into(),
                AMQPValue::LongString(value.as_str().into()),
            );
        }
        properties = properties.with_headers(headers);
    }
    properties
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("bus", &self.bus).finish()
    }
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;

    use super::*;

    fn messages<const N: usize>() -> [Outgoing; N] {
        std::array::from_fn(|_| Outgoing {
            message_id: Uuid::now_v7(),
            ..Outgoing::default()
        })
    }

    fn return_of(message: &Outgoing) -> BasicReturnMessage {
        let mut delivery = Delivery::mock(0, "sever.cmd".into(), "nobody".into(), false, vec![]);
        delivery.properties = properties(message);
        BasicReturnMessage {
            delivery,
            reply_code: 312,
            reply_text: "NO_ROUTE".into(),
        }
    }

    fn no_route() -> PublishOutcome {
        PublishOutcome::Returned {
            reply_code: 312,
            text: "NO_ROUTE".into(),
        }
    }

    #[test]
    fn a_return_that_comes_with_the_confirm_of_another_message_is_told_of_its_own() {
        let window = messages::<3>();
        let answers = vec![
            (2, Confirmation::Ack(Some(return_of(&window[0])))),
            (0, Confirmation::Ack(None)),
            (1, Confirmation::Nack(None)),
        ];
        assert_eq!(
            outcomes(&window, answers),
            [
                no_route(),
                PublishOutcome::Nacked,
                PublishOutcome::Confirmed
            ]
        );
    }

    #[test]
    fn a_returned_message_without_its_own_confirm_stays_unknown() {
        let window = messages::<2>();
        let answers = vec![(1, Confirmation::Ack(Some(return_of(&window[0]))))];
        assert_eq!(
            outcomes(&window, answers),
            [PublishOutcome::Unknown, PublishOutcome::Confirmed]
        );
    }
}

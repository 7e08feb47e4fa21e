//! A message as it was delivered.

use std::collections::BTreeMap;

use lapin::types::{AMQPValue, FieldTable, ShortString};

/// One delivery of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The body.
    pub body: Vec<u8>,
    /// The exchange that it was published to; empty for the default exchange.
    pub exchange: String,
    /// The routing key that it was published with.
    pub routing_key: String,
    /// The publisher's id of the message.
    pub message_id: Option<String>,
    /// The broker user that published it. The broker refuses a message whose user id is not its publisher's, so where
    /// it is present it is proven.
    pub user_id: Option<String>,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// The publisher's name for the kind of message.
    pub type_: Option<String>,
    /// The headers that are texts, numbers or truth values, as text.
    pub headers: BTreeMap<String, String>,
    /// Whether it may have been delivered before.
    pub redelivered: bool,
    /// How often it came back to the queue; the broker says so only from the second delivery on. Not an attempt.
    pub delivery_count: Option<i64>,
}

impl Delivery {
    pub(crate) fn new(delivery: &mut lapin::message::Delivery) -> Self {
        let properties = &delivery.properties;
        let text = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
        let headers = properties.headers().as_ref();
        Self {
            exchange: delivery.exchange.to_string(),
            routing_key: delivery.routing_key.to_string(),
            message_id: text(properties.message_id()),
            user_id: text(properties.user_id()),
            content_type: text(properties.content_type()),
            type_: text(properties.kind()),
            headers: headers.map(plain_headers).unwrap_or_default(),
            redelivered: delivery.redelivered,
            delivery_count: headers
                .and_then(|headers| integer(headers.inner().get("x-delivery-count")?)),
            body: std::mem::take(&mut delivery.data),
        }
    }
}

fn plain_headers(headers: &FieldTable) -> BTreeMap<String, String> {
    headers
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_string(), plain(value)?)))
        .collect()
}

fn plain(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        AMQPValue::Boolean(truth) => Some(truth.to_string()),
        number => integer(number).map(|number| number.to_string()),
    }
}

fn integer(value: &AMQPValue) -> Option<i64> {
    match value {
        AMQPValue::ShortShortInt(number) => Some((*number).into()),
        AMQPValue::ShortShortUInt(number) => Some((*number).into()),
        AMQPValue::ShortInt(number) => Some((*number).into()),
        AMQPValue::ShortUInt(number) => Some((*number).into()),
        AMQPValue::LongInt(number) => Some((*number).into()),
        AMQPValue::LongUInt(number) => Some((*number).into()),
        AMQPValue::LongLongInt(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use lapin::BasicProperties;

    use super::*;

    #[test]
    fn properties_are_read_and_nested_headers_are_left_out() {
        let mut headers = FieldTable::default();
        headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(3));
        headers.insert("who".into(), AMQPValue::LongString("hr".into()));
        headers.insert(
            "nested".into(),
            AMQPValue::FieldTable(FieldTable::default()),
        );
        let mut raw = lapin::message::Delivery::mock(
            1,
            "sever.in".into(),
            "leaver.hr".into(),
            true,
            b"{}".to_vec(),
        );
        raw.properties = BasicProperties::default()
            .with_user_id("hr".into())
            .with_headers(headers);

        let delivery = Delivery::new(&mut raw);

        assert_eq!(
            (delivery.user_id.as_deref(), delivery.delivery_count),
            (Some("hr"), Some(3))
        );
        assert_eq!(
            delivery.headers.keys().collect::<Vec<_>>(),
            ["who", "x-delivery-count"]
        );
        assert_eq!(
            (delivery.body, delivery.redelivered),
            (b"{}".to_vec(), true)
        );
    }
}

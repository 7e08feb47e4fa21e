//! Declaring topology on the broker.

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use crate::{
    deadline::{DECLARE, within},
    error::BusError,
    topology::{Argument, Exchange, Kind, Queue, Topology},
};

/// Declares everything; what exists with the same arguments is left as it is.
pub(crate) async fn declare(channel: &Channel, topology: &Topology) -> Result<(), BusError> {
    for exchange in &topology.exchanges {
        declare_exchange(channel, exchange).await?;
    }
    for queue in &topology.queues {
        declare_queue(channel, queue).await?;
    }
    Ok(())
}

pub(crate) async fn declare_queue(channel: &Channel, queue: &Queue) -> Result<(), BusError> {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let name = queue.name.as_str();
    let call = channel.queue_declare(name.into(), options, table(&queue.arguments));
    within(DECLARE, "declaring the queue", name, call).await?;
    for (exchange, key) in &queue.bindings {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        let call = channel.queue_bind(
            name.into(),
            (*exchange).into(),
            key.as_str().into(),
            options,
            none,
        );
        within(DECLARE, "binding the queue", name, call).await?;
    }
    Ok(())
}

async fn declare_exchange(channel: &Channel, exchange: &Exchange) -> Result<(), BusError> {
    let kind = match exchange.kind {
        Kind::Direct => ExchangeKind::Direct,
        Kind::Fanout => ExchangeKind::Fanout,
        Kind::Topic => ExchangeKind::Topic,
    };
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let call = channel.exchange_declare(
        exchange.name.as_str().into(),
        kind,
        options,
        table(&exchange.arguments),
    );
    within(DECLARE, "declaring the exchange", &exchange.name, call).await
}

fn table(arguments: &[(&'static str, Argument)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        let value = match value {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Argument::Number(number) => AMQPValue::LongLongInt(*number),
        };
        table.insert((*name).into(), value);
    }
    table
}

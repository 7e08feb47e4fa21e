//! RabbitMQ, as the bare program uses it: one queue like Sever's work queues, confirmed publishing in
//! batches, consuming with a prefetch, one ack for each delivery.

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use futures::stream::{Stream, StreamExt as _};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use uuid::Uuid;

const QUEUE: &str = "bench.bare.v1";

/// One connection with a channel for each direction.
pub struct Broker {
    _connection: Connection,
    publishing: Channel,
    consuming: Channel,
}

/// One message that was taken from the queue.
pub struct Delivered(lapin::message::Delivery);

impl Delivered {
    /// The job that it is about.
    ///
    /// # Errors
    /// For a body that is no id.
    pub fn job(&self) -> anyhow::Result<Uuid> {
        Uuid::try_parse_ascii(&self.0.data).context("reading a message")
    }

    /// Acks it.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn ack(&self) -> anyhow::Result<()> {
        let acked = self.0.ack(BasicAckOptions::default()).await;
        acked.context("acking a message").map(drop)
    }
}

impl Broker {
    /// Connects and declares an empty durable quorum queue.
    ///
    /// # Errors
    /// As RabbitMQ says.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default())
            .await
            .context("connecting to RabbitMQ")?;
        let publishing = connection
            .create_channel()
            .await
            .context("opening a channel")?;
        let consuming = connection
            .create_channel()
            .await
            .context("opening a channel")?;
        publishing
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .context("asking for confirms")?;
        let mut quorum = FieldTable::default();
        quorum.insert(
            "x-queue-type".into(),
            AMQPValue::LongString("quorum".into()),
        );
        let durable = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        publishing
            .queue_declare(QUEUE.into(), durable, quorum)
            .await
            .context("declaring the queue")?;
        publishing
            .queue_purge(QUEUE.into(), QueuePurgeOptions::default())
            .await
            .context("emptying the queue")?;
        Ok(Self {
            _connection: connection,
            publishing,
            consuming,
        })
    }

    /// Publishes a batch, persistent and mandatory, and waits until the broker has confirmed all of it.
    ///
    /// # Errors
    /// When a message is not confirmed.
    pub async fn publish(&self, jobs: &[Uuid]) -> anyhow::Result<()> {
        let mandatory = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let mut confirms = Vec::with_capacity(jobs.len());
        for job in jobs {
            let properties = BasicProperties::default().with_delivery_mode(2);
            let body = job.to_string();
            let publish = self.publishing.basic_publish(
                "".into(),
                QUEUE.into(),
                mandatory,
                body.as_bytes(),
                properties,
            );
            confirms.push(publish.await.context("publishing")?);
        }
        let confirmed = try_join_all(confirms)
            .await
            .context("waiting for confirms")?;
        let all = confirmed
            .iter()
            .all(|confirm| matches!(confirm, Confirmation::Ack(None)));
        ensure!(all, "a message was not confirmed");
        Ok(())
    }

    /// The messages of the queue, at most `prefetch` of them without an ack.
    ///
    /// # Errors
    /// As RabbitMQ says.
    pub async fn consume(
        &self,
        prefetch: u16,
    ) -> anyhow::Result<impl Stream<Item = anyhow::Result<Delivered>>> {
        self.consuming
            .basic_qos(prefetch, BasicQosOptions::default())
            .await
            .context("setting the prefetch")?;
        let consumer = self
            .consuming
            .basic_consume(
                QUEUE.into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await
            .context("consuming")?;
        Ok(consumer.map(|delivery| delivery.map(Delivered).context("taking a message")))
    }
}

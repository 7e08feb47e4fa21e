//! Intake: leaver events come in here, by RabbitMQ and by HTTP, and requests for opt-outs; it also
//! dispatches what is due.
//!
//! Configuration: `SEVER_DATABASE_*`, `SEVER_AMQP_*`, `SEVER_HTTP_*`, `SEVER_DISPATCH_*`, `SEVER_OPS_LISTEN`,
//! `SEVER_LOG`, `SEVER_SHUTDOWN_GRACE_MS`; see `sever.env.example`.

use sever_config::{ProcessEnvironment, read_all};
use sever_intake::Settings;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (ops, database, broker, http, dispatch) = read_all(&ProcessEnvironment)?;
    let settings = Settings {
        ops,
        database,
        broker,
        http,
        dispatch,
    };
    sever_intake::run(settings).await
}

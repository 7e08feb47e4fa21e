//! The reconciler: looks again, all the time, and says why. It schedules inventories, compares what they saw with what should be,
//! opens findings, and asks for repairs, which are ordinary opt-outs. It holds no provider's credentials. It dispatches too.
//!
//! Several may run; one leads. Configuration: `SEVER_DATABASE_*`, `SEVER_AMQP_*`, `SEVER_DISPATCH_*`, `SEVER_OPS_LISTEN`,
//! `SEVER_LOG`, `SEVER_SHUTDOWN_GRACE_MS`; see `sever.env.example`. Schedules and limits are rows of the connections.

use sever_config::{ProcessEnvironment, read_all};
use sever_reconciler::Settings;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (ops, database, broker, dispatch) = read_all(&ProcessEnvironment)?;
    sever_reconciler::run(Settings {
        ops,
        database,
        broker,
        dispatch,
    })
    .await
}

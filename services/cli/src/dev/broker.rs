//! The broker of a fleet: a private server with a user for the services and one for the HR system, or the given one.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;
use sever_config::{ExposeSecret as _, SecretString};
use sever_private_servers::{BrokerServer, PrivateRabbit, RabbitOptions};
use url::Url;
use uuid::Uuid;

use super::home::Home;
use super::service::Ended;

/// The user of the services.
const APP: &str = "sever";
/// The user of the HR system. The broker checks that its messages say so.
const HR: &str = "hr";

/// The broker, with the files that lead to it.
#[derive(Debug)]
pub(crate) struct Broker {
    server: BrokerServer,
    /// The file with the URL of the services, mode 0600.
    pub(crate) url_file: PathBuf,
    /// The broker user as which the HR system publishes.
    pub(crate) hr_user: String,
    /// The URL with which it does; also in the file `hr-amqp-url`.
    pub(crate) hr_url: SecretString,
}

impl Broker {
    /// Starts the server and makes its users, or uses the given one with its one user for everything.
    ///
    /// # Errors
    /// Where a server cannot be started, or refuses.
    pub(crate) async fn start(home: &Home, given: Option<&SecretString>) -> anyhow::Result<Self> {
        let given = given.map(|url| url.expose_secret());
        let options = RabbitOptions::default();
        let server = BrokerServer::choose(given, &home.join("rabbit"), options)
            .await
            .context("starting RabbitMQ")?;
        let (url, hr_url) = match &server {
            BrokerServer::Given(_) => (server.url(), server.url()),
            BrokerServer::Private(rabbit) => make_users(rabbit, home).await?,
        };
        let hr_user = user_of(&hr_url)?;
        let url_file = home.write_private("amqp-url", &url)?;
        home.write_private("hr-amqp-url", &hr_url)?;
        Ok(Self {
            server,
            url_file,
            hr_user,
            hr_url: hr_url.into(),
        })
    }

    /// One line about where it is.
    pub(crate) fn describe(&self) -> String {
        match &self.server {
            BrokerServer::Given(_) => "the RabbitMQ of AMQP_URL".to_owned(),
            BrokerServer::Private(server) => format!("RabbitMQ on 127.0.0.1:{}", server.port()),
        }
    }

    /// The end of a private server; never for a given one.
    pub(crate) async fn ended(&self) -> Ended {
        match &self.server {
            BrokerServer::Given(_) => std::future::pending().await,
            BrokerServer::Private(server) => Ended {
                name: "RabbitMQ",
                outcome: server.ended().await,
                log: server.log(),
            },
        }
    }

    /// Stops a private server.
    pub(crate) async fn stop(self) {
        if let BrokerServer::Private(server) = &self.server {
            server.stop().await;
        }
    }
}

/// Both users at once, by one run of a tool that takes a second to start. The services see only names of ours; the HR system may
/// write to the exchange for foreign publishers and nothing else.
async fn make_users(rabbit: &PrivateRabbit, home: &Home) -> anyhow::Result<(String, String)> {
    let password = || Uuid::new_v4().simple().to_string();
    let (app, hr) = (password(), password());
    let ours = r"^sever\.";
    let definitions = json!({
        "users": [
            {"name": APP, "password": app, "tags": []},
            {"name": HR, "password": hr, "tags": []},
        ],
        "permissions": [
            {"user": APP, "vhost": "/", "configure": ours, "write": ours, "read": ours},
            {"user": HR, "vhost": "/", "configure": "^$", "write": r"^sever\.in$", "read": "^$"},
        ],
    });
    let file = home.write_private("rabbit-users.json", &definitions.to_string())?;
    let path = file.display().to_string();
    rabbit
        .control(&["import_definitions", &path])
        .await
        .context("making the users of RabbitMQ")?;
    Ok((rabbit.url_as(APP, &app), rabbit.url_as(HR, &hr)))
}

/// The user name in an AMQP URL; without one it is the broker's own default.
fn user_of(url: &str) -> anyhow::Result<String> {
    let url = Url::parse(url).context("reading the URL of the broker")?;
    Ok(match url.username() {
        "" => "guest".to_owned(),
        user => user.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_events_is_the_user_of_the_url() {
        for (url, user) in [("amqp://hr:secret@h:5672/%2f", "hr"), ("amqp://h", "guest")] {
            assert_eq!(user_of(url).unwrap(), user);
        }
    }
}

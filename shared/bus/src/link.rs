//! One connection to the broker, from its handshake to its end.

use std::{
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    sync::{Arc, Mutex, PoisonError},
};

use futures::Stream;
use lapin::{
    AsyncTcpStream, Channel, Connection, ConnectionProperties, Event,
    tcp::TLSConfig,
    uri::{AMQPScheme, AMQPUri},
};
use tokio_util::sync::CancellationToken;

use crate::{
    deadline::{CLOSE, CONNECT, DECLARE, within},
    error::BusError,
};

/// A connection and its socket. After [`Link::fail`] everything on it ends and the supervisor makes a new one.
pub(crate) struct Link {
    connection: Connection,
    socket: CutOnDrop,
    failed: CancellationToken,
    name: String,
}

impl Link {
    /// Connects and shakes hands. Nothing is left behind when the deadline passes.
    pub(crate) async fn open(uri: &AMQPUri, name: &str) -> Result<Self, BusError> {
        let socket = CutOnDrop(Socket::default());
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let kept = socket.0.clone();
        let connect = async move || {
            let runtime = lapin::runtime::default_runtime()?;
            Connection::connector(
                uri.clone(),
                runtime,
                async move |uri: AMQPUri, runtime| {
                    let address = (uri.authority.host.clone(), uri.authority.port);
                    let stream =
                        AsyncTcpStream::connect(&runtime, runtime.to_socket_addrs(address)).await?;
                    if let AsyncTcpStream::Plain(plain) = &stream {
                        kept.keep(plain.get_ref().as_fd().try_clone_to_owned()?.into());
                    }
                    match uri.scheme {
                        AMQPScheme::AMQP => Ok(stream),
                        AMQPScheme::AMQPS => Ok(stream
                            .into_tls(&uri.authority.host, TLSConfig::default())
                            .await?),
                    }
                },
                properties,
            )
            .await
        };
        let connection = within(CONNECT, "connecting to the broker as", name, connect()).await?;
        Ok(Self {
            connection,
            socket,
            failed: CancellationToken::new(),
            name: name.to_owned(),
        })
    }

    /// The connection's events. Call it once: two streams would each get a part.
    pub(crate) fn events(&self) -> impl Stream<Item = Event> + Send + '_ {
        self.connection.events_listener()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.status().connected() && !self.failed.is_cancelled()
    }

    /// Opens a channel.
    pub(crate) async fn channel(&self) -> Result<Channel, BusError> {
        within(
            DECLARE,
            "opening a channel on",
            &self.name,
            self.connection.create_channel(),
        )
        .await
    }

    /// Gives the connection up. All that waits on it ends with an error.
    pub(crate) fn fail(&self, reason: &dyn std::fmt::Display) {
        if !self.failed.is_cancelled() {
            tracing::warn!(connection = %self.name, %reason, "dropping the connection to the broker");
            self.failed.cancel();
        }
        self.socket.0.cut();
    }

    /// Completes when the connection was given up.
    pub(crate) async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// Closes in order, or cuts when the broker does not answer.
    pub(crate) async fn close(&self) {
        self.failed.cancel();
        let goodbye = self.connection.close(200, "closing".into());
        if let Err(error) = within(CLOSE, "closing the connection", &self.name, goodbye).await {
            tracing::debug!(connection = %self.name, %error, "the connection did not close in order");
        }
        self.socket.0.cut();
    }
}

/// A second handle on the client's socket. The client's own thread would wait for a silent peer without end; shutting
/// the socket down ends it, whatever state it is in.
#[derive(Clone, Default)]
struct Socket(Arc<Mutex<SocketState>>);

#[derive(Default)]
enum SocketState {
    #[default]
    Absent,
    Open(TcpStream),
    Cut,
}

impl Socket {
    /// A socket that arrives after the cut is shut down at once: the attempt it belongs to was given up.
    fn keep(&self, socket: TcpStream) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *state {
            SocketState::Cut => shut_down(&socket),
            SocketState::Absent | SocketState::Open(_) => *state = SocketState::Open(socket),
        }
    }

    fn cut(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let SocketState::Open(socket) = std::mem::replace(&mut *state, SocketState::Cut) {
            shut_down(&socket);
        }
    }
}

fn shut_down(socket: &TcpStream) {
    // An error means that it is closed already.
    let _ = socket.shutdown(Shutdown::Both);
}

/// Cuts the socket when dropped. The client's thread holds a clone of [`Socket`], so the last drop would never come.
struct CutOnDrop(Socket);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.cut();
    }
}

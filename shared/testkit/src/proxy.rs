//! A TCP proxy for the tests of links: it cuts, falls silent (in one direction or both) and delays, on command.
//!
//! A silent proxy is a half-open connection: the kernel of either side sees an established connection whose bytes are
//! acknowledged, and nothing arrives. Only a deadline of the program itself notices that.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Bytes read at once.
const BUFFER_BYTES: usize = 16 * 1024;

/// What a link does with its connections, old and new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Everything passes at once.
    Open,
    /// Connections end at once, and new ones as soon as they are accepted.
    Cut,
    /// Nothing passes; new connections are accepted. What was sent meanwhile passes once the link is open again.
    Silent,
    /// What the client sends does not pass; what the server sends does.
    DeafServer,
    /// What the server sends does not pass; what the client sends does, so its effects happen.
    DeafClient,
    /// Everything passes this much later, each piece by itself.
    Slow(Duration),
}

/// The direction of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Towards {
    Server,
    Client,
}

impl Passage {
    fn holds(self, towards: Towards) -> bool {
        match self {
            Self::Silent => true,
            Self::DeafServer => towards == Towards::Server,
            Self::DeafClient => towards == Towards::Client,
            Self::Open | Self::Cut | Self::Slow(_) => false,
        }
    }
}

/// What connections are told.
#[derive(Debug, Clone, Copy)]
struct Orders {
    passage: Passage,
    /// How often all connections were to end; a connection that knows a smaller number ends.
    cuts: u64,
}

/// A listening proxy; dropping it ends it and every connection through it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    orders: watch::Sender<Orders>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 for connections to `target`, which need not be there yet.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("listening for a proxy")?;
        let address = listener.local_addr().context("reading a proxy's address")?;
        let (orders, seen) = watch::channel(Orders {
            passage: Passage::Open,
            cuts: 0,
        });
        let accepting = tokio::spawn(accept(listener, target, seen));
        Ok(Self {
            address,
            orders,
            accepting,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what happens to all connections from now on.
    pub fn set(&self, passage: Passage) {
        self.orders.send_modify(|orders| {
            orders.passage = passage;
            orders.cuts += u64::from(passage == Passage::Cut);
        });
    }

    /// Ends every connection of this moment; new ones pass.
    pub fn cut_once(&self) {
        self.set(Passage::Cut);
        self.set(Passage::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Owns the connections: they end with it.
async fn accept(listener: TcpListener, target: SocketAddr, orders: watch::Receiver<Orders>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                if orders.borrow().passage != Passage::Cut {
                    connections.spawn(connection(client, target, orders.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection from its accept to its end, in whatever way that comes.
async fn connection(client: TcpStream, target: SocketAddr, orders: watch::Receiver<Orders>) {
    let born = orders.borrow().cuts;
    let mut watched = orders.clone();
    let forwarded = async {
        // A silent link accepts and reaches nobody.
        passes(&mut orders.clone(), Towards::Server).await?;
        let server = TcpStream::connect(target).await.ok()?;
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        tokio::join!(
            forward(from_client, to_server, Towards::Server, orders.clone()),
            forward(from_server, to_client, Towards::Client, orders.clone())
        );
        Some(())
    };
    tokio::select! {
        _ = forwarded => {}
        _ = watched.wait_for(|orders| orders.cuts > born) => {}
    }
}

/// Waits until this direction is not held; `None` when the proxy is gone.
async fn passes(orders: &mut watch::Receiver<Orders>, towards: Towards) -> Option<Passage> {
    let open = orders.wait_for(|orders| !orders.passage.holds(towards));
    open.await.ok().map(|orders| orders.passage)
}

/// What is read while the direction is held is forwarded later, as by a network that recovers.
async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    towards: Towards,
    mut orders: watch::Receiver<Orders>,
) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let Some(passage) = passes(&mut orders, towards).await else {
            return;
        };
        if let Passage::Slow(delay) = passage {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
    // A half-closed side is passed on; an error means that the other one is gone already.
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long enough for a loopback connection on a busy machine.
    const SOON: Duration = Duration::from_secs(20);

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    async fn says(stream: &mut TcpStream, word: &[u8; 4]) {
        stream.write_all(word).await.unwrap();
        hears(stream, word).await;
    }

    async fn hears(stream: &mut TcpStream, word: &[u8; 4]) {
        let mut heard = [0; 4];
        let read = tokio::time::timeout(SOON, stream.read_exact(&mut heard));
        read.await.unwrap().unwrap();
        assert_eq!(&heard, word);
    }

    #[tokio::test]
    async fn a_cut_ends_old_connections_and_a_single_one_lets_new_ones_pass() {
        let proxy = Proxy::start(echo().await).await.unwrap();
        let mut old = TcpStream::connect(proxy.address()).await.unwrap();
        says(&mut old, b"once").await;
        proxy.cut_once();
        let ended = tokio::time::timeout(SOON, old.read(&mut [0; 4])).await;
        assert!(matches!(ended.unwrap(), Ok(0) | Err(_)));
        let mut new = TcpStream::connect(proxy.address()).await.unwrap();
        says(&mut new, b"more").await;
    }

    #[tokio::test]
    async fn a_silent_link_accepts_and_passes_nothing_until_it_is_open_again() {
        let proxy = Proxy::start(echo().await).await.unwrap();
        for held in [Passage::Silent, Passage::DeafServer, Passage::DeafClient] {
            let mut old = TcpStream::connect(proxy.address()).await.unwrap();
            says(&mut old, b"once").await;
            proxy.set(held);
            let mut new = TcpStream::connect(proxy.address()).await.unwrap();
            for stream in [&mut old, &mut new] {
                stream.write_all(b"held").await.unwrap();
                let mut heard = [0; 4];
                let nothing = stream.read(&mut heard);
                let waited = tokio::time::timeout(Duration::from_millis(100), nothing).await;
                assert!(waited.is_err(), "{held:?} let something pass");
            }
            proxy.set(Passage::Open);
            hears(&mut old, b"held").await;
            hears(&mut new, b"held").await;
        }
    }
}

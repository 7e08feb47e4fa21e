//! Whether a port speaks AMQP as the node that we started.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const DEADLINE: Duration = Duration::from_secs(5);
const FRAME_BYTES_MAX: usize = 4096;

/// Whether the server at `port` greets us with one of these names. Another server on that port does not count.
pub(super) async fn answers(port: u16, names: [&str; 2]) -> bool {
    let Ok(Ok(bytes)) = timeout(DEADLINE, greeting(port)).await else {
        return false;
    };
    names.iter().any(|name| contains(&bytes, name.as_bytes()))
}

/// The first frame (`connection.start`, AMQP 0-9-1 section 2.2.4), which carries the cluster's name.
async fn greeting(port: u16) -> std::io::Result<Vec<u8>> {
    const FRAME_HEADER_BYTES: usize = 7;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    let mut header = [0; FRAME_HEADER_BYTES];
    stream.read_exact(&mut header).await?;
    let [_, _, _, size @ ..] = header;
    let size = usize::try_from(u32::from_be_bytes(size))
        .unwrap_or(usize::MAX)
        .min(FRAME_BYTES_MAX);
    let mut payload = vec![0; size];
    stream.read_exact(&mut payload).await?;
    Ok(payload)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

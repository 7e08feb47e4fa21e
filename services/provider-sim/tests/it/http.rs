//! A client for one request on one connection, which shows exactly what came over the wire.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// No answer takes longer; a test that waits for one stops here.
const DEADLINE: Duration = Duration::from_secs(30);

/// An answer as it came.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The items of a list.
    pub fn items(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json().as_array().cloned().unwrap()
    }

    pub fn code(&self) -> String {
        self.json()["errorCode"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str) -> i64 {
        self.header(name).unwrap().parse().unwrap()
    }

    /// The address of relation `rel`, from header lines that carry one relation each.
    pub fn link(&self, rel: &str) -> Option<String> {
        let links = self.headers.iter().filter(|(key, _)| key == "link");
        let wanted = format!("; rel=\"{rel}\"");
        let found = links.filter_map(|(_, value)| value.strip_suffix(&wanted));
        found
            .map(|link| link.trim_matches(['<', '>']).to_owned())
            .next()
    }
}

/// Sends one request. An error means that no whole answer came.
pub fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> io::Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let mut request =
        format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    stream.write_all(&bytes)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer)
}

fn parse(answer: &[u8]) -> io::Result<Response> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::UnexpectedEof, what.to_owned());
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(|| broken("no answer"))?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let body = answer[end + 4..].to_vec();
    let response = Response {
        status: status.ok_or_else(|| broken("no status"))?,
        headers,
        body,
    };
    let promised = response
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    if response.body.len() < promised {
        Err(broken("the body broke off"))
    } else {
        Ok(response)
    }
}

//! The HTTP policy over real TCP, against a listener that plays back what each test scripted.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its line"
)]

use std::time::{Duration, Instant};

use sever_domain::{OutcomeClass, Provider};
use sever_provider::http::{
    Call, HttpSettings, Method, PlainHttp, Priority, ProviderHttp, SharedConnection,
};
use sever_provider::{CallError, Sent};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// What the listener does with a request once it was read.
#[derive(Clone)]
enum Play {
    /// Sends these bytes, then closes.
    Bytes(Vec<u8>),
    /// Closes without an answer.
    Close,
    /// Keeps the connection open and says nothing.
    Silence,
}

fn text(answer: &str) -> Play {
    Play::Bytes(answer.as_bytes().to_vec())
}

/// A listener that treats every connection alike, and the heads of the requests it got.
async fn stub(play: Play) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, heads) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            let _ = seen.send(String::from_utf8_lossy(&head).to_lowercase());
            match &play {
                Play::Bytes(bytes) => {
                    let _ = stream.write_all(bytes).await;
                    let _ = stream.shutdown().await;
                }
                Play::Close => {}
                Play::Silence => silent.push(stream),
            }
        }
    });
    (port, heads)
}

fn client_with(port: u16, deadline_ms: u64, in_flight_max: usize) -> ProviderHttp {
    ProviderHttp::new(&HttpSettings {
        provider: Provider::Okta,
        base_url: format!("http://127.0.0.1:{port}/tenant").parse().unwrap(),
        plain_http: PlainHttp::LoopbackOnly,
        call_deadline: Duration::from_millis(deadline_ms),
        in_flight_max,
        request_id_header: "x-okta-request-id",
        shared: SharedConnection::default(),
    })
    .unwrap()
}

fn client(port: u16) -> ProviderHttp {
    client_with(port, 2_000, 8)
}

fn call(http: &ProviderHttp, method: Method) -> Call<'static> {
    let url = http.base().join(&["api", "thing"]).unwrap();
    Call::new("testing", "thing", "things", method, url)
}

async fn failure(http: &ProviderHttp) -> CallError {
    http.send(call(http, Method::POST)).await.unwrap_err()
}

#[tokio::test]
async fn a_write_without_a_body_says_so() {
    let (port, mut heads) = stub(text("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let http = client(port);
    for method in [Method::POST, Method::PUT] {
        http.send(call(&http, method)).await.unwrap();
        let head = heads.recv().await.unwrap();
        assert!(head.contains("\r\ncontent-length: 0\r\n"), "{head}");
        assert!(head.contains("\r\naccept: application/json\r\n"), "{head}");
    }
    http.send(call(&http, Method::DELETE)).await.unwrap();
    let head = heads.recv().await.unwrap();
    assert!(!head.contains("content-length"), "{head}");
}

#[tokio::test]
async fn a_body_goes_with_its_length_and_type() {
    let (port, mut heads) = stub(text("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let http = client(port);
    let mut call = call(&http, Method::POST);
    call.body = Some(("application/x-www-form-urlencoded", "a=b".to_owned()));
    http.send(call).await.unwrap();
    let head = heads.recv().await.unwrap();
    assert!(head.contains("\r\ncontent-length: 3\r\n"), "{head}");
    assert!(
        head.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (elsewhere, mut visits) = stub(text("HTTP/1.1 200 OK\r\n\r\n")).await;
    let answer = format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{elsewhere}/\r\n\r\n");
    let (port, _heads) = stub(text(&answer)).await;
    let http = client(port);
    let reply = http.send(call(&http, Method::GET)).await.unwrap();
    assert_eq!(reply.status.as_u16(), 302);
    assert!(visits.try_recv().is_err());
}

#[tokio::test]
async fn a_refused_connection_was_surely_not_applied() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = failure(&client(port)).await;
    assert_eq!(
        (error.class, error.sent),
        (OutcomeClass::Retry, Sent::NotApplied)
    );
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_may_be_applied() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    for play in [Play::Close, text(half)] {
        let (port, mut heads) = stub(play).await;
        let error = failure(&client(port)).await;
        assert_eq!(
            (error.class, error.sent),
            (OutcomeClass::Retry, Sent::MayBeApplied)
        );
        heads.recv().await.unwrap();
        // One request is one connection here: a second would mean that it was sent again.
        assert!(heads.try_recv().is_err());
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_may_be_applied() {
    let (port, _heads) = stub(Play::Silence).await;
    let http = client_with(port, 300, 8);
    let began = Instant::now();
    let error = failure(&http).await;
    assert_eq!(
        (error.class, error.sent),
        (OutcomeClass::Retry, Sent::MayBeApplied)
    );
    assert!(began.elapsed() < Duration::from_millis(1500));
}

#[tokio::test]
async fn a_call_that_finds_no_slot_in_time_was_not_sent() {
    let (port, mut heads) = stub(Play::Silence).await;
    let http = client_with(port, 400, 1);
    let second = async {
        heads.recv().await.unwrap();
        let soon = tokio::time::Instant::now() + Duration::from_millis(50);
        http.send(call(&http, Method::POST).until(Some(soon))).await
    };
    let (first, second) = tokio::join!(failure(&http), second);
    assert_eq!(first.sent, Sent::MayBeApplied);
    assert_eq!(second.unwrap_err().sent, Sent::NotApplied);
    assert!(heads.try_recv().is_err());
}

#[tokio::test]
async fn a_body_past_its_bound_is_refused_whether_announced_or_not() {
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 9 << 20);
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(9 << 20, b' ');
    for play in [text(&announced), Play::Bytes(endless)] {
        let (port, _heads) = stub(play).await;
        let error = failure(&client(port)).await;
        assert_eq!(error.class, OutcomeClass::Permanent, "{error}");
    }
}

#[tokio::test]
async fn a_429_closes_the_bucket_until_its_time_and_is_not_asked_again() {
    let (port, mut heads) = stub(text(
        "HTTP/1.1 429 Too Many Requests\r\ndate: Sun, 22 Nov 2026 12:00:00 GMT\r\n\
         x-rate-limit-limit: 10\r\nx-rate-limit-remaining: 0\r\nx-rate-limit-reset: 1795348830\r\n\
         x-okta-request-id: req1\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    let http = client(port);
    let error = failure(&http).await;
    assert_eq!(
        (error.class, error.sent),
        (OutcomeClass::RetryAt, Sent::NotApplied)
    );
    assert_eq!(error.retry_after, Some(Duration::from_secs(31)));
    assert_eq!(error.provider_request_id.as_deref(), Some("req1"));
    heads.recv().await.unwrap();
    let urgent = call(&http, Method::POST).with_priority(Priority::Containing);
    let again = http.send(urgent).await.unwrap_err();
    assert_eq!((again.class, again.status), (OutcomeClass::RetryAt, None));
    assert!(heads.try_recv().is_err(), "the closed bucket was called");
    assert!(http.blocked_for().unwrap() > Duration::from_secs(29));
}

#[tokio::test]
async fn a_429_of_calls_at_once_backs_off_and_closes_nothing() {
    let (port, _heads) = stub(text(
        "HTTP/1.1 429 Too Many Requests\r\nx-rate-limit-limit: 0\r\nx-rate-limit-remaining: 0\r\n\
         x-rate-limit-reset: 99999999999\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    let http = client(port);
    let error = failure(&http).await;
    assert_eq!(
        (error.class, error.retry_after),
        (OutcomeClass::Retry, None)
    );
    assert_eq!(http.blocked_for(), None);
}

#[tokio::test]
async fn server_errors_are_answers_for_the_connector_to_class() {
    let (port, _heads) = stub(text("HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\n{}")).await;
    let http = client(port);
    let reply = http.send(call(&http, Method::GET)).await.unwrap();
    assert_eq!(
        (reply.status.as_u16(), reply.body.as_slice()),
        (503, &b"{}"[..])
    );
}

/// Every form in which a provider says when to come back, alike for all connectors: class, effect and wait in seconds.
#[tokio::test]
async fn every_form_of_come_back_later_has_its_class() {
    use OutcomeClass::{Retry, RetryAt};
    use Sent::{MayBeApplied, NotApplied};
    let date = "date: Sun, 22 Nov 2026 12:00:00 GMT\r\n";
    let at = |second| format!("{date}retry-after: Sun, 22 Nov 2026 12:00:{second:02} GMT\r\n");
    let reset = |epoch| format!("{date}x-rate-limit-reset: {epoch}\r\n");
    let none = "x-rate-limit-limit: 0\r\nx-rate-limit-remaining: 0\r\n";
    for (status, headers, expected) in [
        (
            429,
            "retry-after: 7\r\n".to_owned(),
            (RetryAt, NotApplied, Some(7)),
        ),
        (
            429,
            "retry-after: 2.128\r\n".to_owned(),
            (RetryAt, NotApplied, Some(2)),
        ),
        (429, at(9), (RetryAt, NotApplied, Some(9))),
        (429, reset(1_795_348_810), (RetryAt, NotApplied, Some(11))),
        (
            429,
            format!("{}retry-after: 30\r\n", reset(1_795_348_810)),
            (RetryAt, NotApplied, Some(30)),
        ),
        (
            429,
            "retry-after: 86400\r\n".to_owned(),
            (RetryAt, NotApplied, Some(900)),
        ),
        (
            429,
            "retry-after: 0\r\n".to_owned(),
            (RetryAt, NotApplied, Some(1)),
        ),
        (
            429,
            "retry-after: soon\r\n".to_owned(),
            (Retry, NotApplied, None),
        ),
        (
            429,
            format!("{}{none}", reset(1_795_348_810)),
            (Retry, NotApplied, None),
        ),
        (429, String::new(), (Retry, NotApplied, None)),
        (
            503,
            "retry-after: 7\r\n".to_owned(),
            (RetryAt, MayBeApplied, Some(7)),
        ),
        (503, at(9), (RetryAt, MayBeApplied, Some(9))),
    ] {
        let answer = format!("HTTP/1.1 {status} Later\r\n{headers}content-length: 0\r\n\r\n");
        let (port, _heads) = stub(text(&answer)).await;
        let error = failure(&client(port)).await;
        let wait = error.retry_after.map(|wait| wait.as_secs());
        assert_eq!((error.class, error.sent, wait), expected, "{answer}");
        assert_eq!(error.status, Some(status), "{answer}");
    }
}

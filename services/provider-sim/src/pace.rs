//! The body of an answer, sent at once, slowly, or only half.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// How the body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// In one piece.
    AtOnce,
    /// In `pieces` pieces with `pause` before each.
    Slow {
        /// How many pieces; at least 1.
        pieces: usize,
        /// The wait before each piece.
        pause: Duration,
    },
    /// The first half, then the connection is closed although `Content-Length` promised all.
    Half,
}

/// A body that obeys a [`Pace`].
pub struct PacedBody {
    pieces: VecDeque<Bytes>,
    left_bytes: u64,
    pause: Option<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
    breaks_off: bool,
}

impl PacedBody {
    /// `body`, to be sent as `pace` says.
    pub fn new(body: Bytes, pace: Pace) -> Self {
        let left_bytes = body.len() as u64;
        let (pieces, pause, breaks_off) = match pace {
            Pace::AtOnce => (VecDeque::from([body]), None, false),
            Pace::Slow { pieces, pause } => (split(body, pieces.max(1)), Some(pause), false),
            Pace::Half => (VecDeque::from([body.slice(..body.len() / 2)]), None, true),
        };
        let pieces = pieces
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .collect();
        Self {
            pieces,
            left_bytes,
            pause,
            sleep: None,
            breaks_off,
        }
    }
}

/// The error with which a half body ends; it makes the server drop the connection.
#[derive(Debug)]
pub struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body was broken off on request")
    }
}

impl std::error::Error for BrokenOff {}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let body = &mut *self;
        if let (Some(pause), false) = (body.pause, body.pieces.is_empty()) {
            let sleep = body
                .sleep
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            body.sleep = None;
        }
        match body.pieces.pop_front() {
            Some(piece) => {
                body.left_bytes -= piece.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            None if body.breaks_off => Poll::Ready(Some(Err(BrokenOff))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.breaks_off
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}

fn split(body: Bytes, pieces: usize) -> VecDeque<Bytes> {
    let size = body.len().div_ceil(pieces).max(1);
    (0..body.len())
        .step_by(size)
        .map(|from| body.slice(from..(from + size).min(body.len())))
        .collect()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_slow_body_arrives_whole_and_a_half_one_fails() {
        let pace = Pace::Slow {
            pieces: 3,
            pause: Duration::from_millis(1),
        };
        let whole = PacedBody::new(Bytes::from_static(b"abcdefgh"), pace)
            .collect()
            .await
            .unwrap()
            .to_bytes();
        assert_eq!(&whole[..], b"abcdefgh");
        assert!(
            PacedBody::new(Bytes::from_static(b"abcdefgh"), Pace::Half)
                .collect()
                .await
                .is_err()
        );
    }
}

//! Reading a request body within its limits: so many bytes, so much time. Done once, in `front`, before a handler
//! runs; what the bytes say is read by `json`.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It did not end in time.
    TooSlow,
    /// Its framing is broken or the other side went away.
    Broken,
}

/// Reads a whole body of at most `limit` bytes that ends `within` that time.
pub async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge);
    }
    tokio::time::timeout(within, collect(body, limit)).await.map_err(|_| BodyError::TooSlow)?
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    // Most bodies arrive as one piece, which is kept as it is.
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| BodyError::Broken)?.into_data() else {
            continue; // trailers say nothing to us
        };
        if first.len() + more.len() + piece.len() > limit {
            return Err(BodyError::TooLarge);
        }
        if first.is_empty() && more.is_empty() {
            first = piece;
        } else {
            if !first.is_empty() {
                more.extend_from_slice(&first);
                first = Bytes::new();
            }
            more.extend_from_slice(&piece);
        }
    }
    Ok(if more.is_empty() { first } else { more.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::body::Frame;
    use std::convert::Infallible;

    const SOON: Duration = Duration::from_secs(5);

    /// A body of unknown length in the given pieces.
    fn pieces(pieces: &'static [&'static str]) -> Body {
        struct Pieces(std::slice::Iter<'static, &'static str>);
        impl hyper::body::Body for Pieces {
            type Data = Bytes;
            type Error = Infallible;
            fn poll_frame(
                mut self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
                std::task::Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes())))))
            }
        }
        Body::new(Pieces(pieces.iter()))
    }

    #[tokio::test]
    async fn pieces_are_joined() {
        assert_eq!(read(pieces(&["ab", "", "cd", "e"]), 5, SOON).await, Ok(Bytes::from_static(b"abcde")));
        assert_eq!(read(pieces(&[]), 5, SOON).await, Ok(Bytes::new()));
        assert_eq!(read(Body::empty(), 0, SOON).await, Ok(Bytes::new()));
    }

    #[tokio::test]
    async fn growth_over_the_limit_ends_the_reading() {
        assert_eq!(read(pieces(&["abc", "def"]), 5, SOON).await, Err(BodyError::TooLarge));
        assert_eq!(read(Body::from("abcdef"), 5, SOON).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_too_slow() {
        struct Never;
        impl hyper::body::Body for Never {
            type Data = Bytes;
            type Error = Infallible;
            fn poll_frame(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
                std::task::Poll::Pending
            }
        }
        assert_eq!(read(Body::new(Never), 5, Duration::from_millis(5)).await, Err(BodyError::TooSlow));
    }
}

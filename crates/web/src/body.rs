//! Reads a request body within its limit. `front` does this once, with a timeout, before a handler runs; `json` parses
//! the bytes.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// Its framing is broken, or the client disconnected.
    Broken,
}

/// Reads a whole body of at most `limit` bytes.
pub async fn read<B: Body<Data = Bytes>>(body: B, limit: usize) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut body = pin!(body);
    // Most bodies arrive in one piece, which is not copied.
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_broken| BodyError::Broken)?.into_data() else {
            continue; // trailers are ignored
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
    use axum::body::Body;
    use hyper::body::Frame;
    use std::convert::Infallible;

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
        assert_eq!(read(pieces(&["ab", "", "cd", "e"]), 5).await, Ok(Bytes::from_static(b"abcde")));
        assert_eq!(read(pieces(&[]), 5).await, Ok(Bytes::new()));
        assert_eq!(read(Body::empty(), 0).await, Ok(Bytes::new()));
    }

    #[tokio::test]
    async fn growth_over_the_limit_ends_the_reading() {
        assert_eq!(read(pieces(&["abc", "def"]), 5).await, Err(BodyError::TooLarge));
        assert_eq!(read(Body::from("abcdef"), 5).await, Err(BodyError::TooLarge));
    }
}

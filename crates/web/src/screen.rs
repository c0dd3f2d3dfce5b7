//! Checks the bytes of a request before the HTTP library reads them.
//!
//! hyper is more lenient than we may be: a message with both `Content-Length` and `Transfer-Encoding` reaches the
//! service without one of them, and hyper answers an invalid head without our headers. This screen is a pure state
//! machine. It follows the framing of a connection line by line, and passes only whole, well-formed lines (SEC 61,
//! SEC 62). At the first fault it ends the head early and gives the reason. The request still reaches the service, which
//! refuses it like any other, in the form of its dialect.

use http::StatusCode;

use crate::limits::Limits;
use crate::syntax::{
    chunk_size, decimal, is_field_text, is_target, is_target_byte, is_token, looks_like_request, without_blanks,
};

/// Why a request is refused before any handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The answer's status.
    pub(crate) status: StatusCode,
    /// The answer's message.
    pub(crate) message: &'static str,
    /// Whether the connection must end because its framing can no longer be trusted.
    pub(crate) close: bool,
}

impl Refused {
    /// A refusal after which the connection ends.
    const fn closing(status: StatusCode, message: &'static str) -> Self {
        Self { status, message, close: true }
    }

    const fn bad(message: &'static str) -> Self {
        Self::closing(StatusCode::BAD_REQUEST, message)
    }
}

/// The result of feeding bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Number of fresh bytes that may be passed on unchanged. Bytes in `out` follow them.
    pub(crate) direct: usize,
    /// Number of completed heads, including a refused one.
    pub(crate) heads: u32,
    /// The last of those heads must be refused. Nothing after it is passed on.
    pub(crate) refused: Option<Refused>,
    /// The framing of a body is broken: the connection ends with an error.
    pub(crate) broken: bool,
}

/// The part of the stream to which the next byte belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Request,
    Field,
    Body(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    Over,
}

/// What the lines of the current head say so far.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    bytes: usize,
    fields: usize,
    length: Option<u64>,
    chunked: bool,
    http10: bool,
}

enum Fault {
    Refuse(Refused),
    Break,
}

/// The longest chunk-size line, extensions included.
const CHUNK_LINE: usize = 1024;
/// Method, spaces and version around the target of a request line.
const AROUND_TARGET: usize = 64;
/// Bytes of a refused target that are passed on, to choose the dialect of the answer.
const SHOWN_TARGET: usize = 256;

/// The screen of one connection.
#[derive(Debug)]
pub(crate) struct Screen {
    at: At,
    head: Head,
    held: Vec<u8>,
    /// Number of held bytes without a line feed, so that a line sent byte by byte is not searched from its start each
    /// time.
    searched: usize,
    head_bytes: usize,
    head_fields: usize,
    target_bytes: usize,
}

impl Screen {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            at: At::Request,
            head: Head::default(),
            held: Vec::new(),
            searched: 0,
            head_bytes: limits.head_bytes,
            head_fields: limits.head_fields,
            target_bytes: limits.target_bytes,
        }
    }

    /// Whether a head has begun and not ended.
    pub(crate) fn within_head(&self) -> bool {
        match self.at {
            At::Request => self.head.bytes > 0 || !self.held.is_empty(),
            At::Field => true,
            _ => false,
        }
    }

    /// Whether the stream is between two requests, so that no unread bytes of a request can follow.
    pub(crate) fn between_requests(&self) -> bool {
        self.at == At::Request && !self.within_head()
    }

    /// Takes fresh bytes. Bytes that cannot be passed on from `fresh` itself are appended to `out`.
    pub(crate) fn feed(&mut self, fresh: &[u8], out: &mut Vec<u8>) -> Passed {
        let mut passed = Passed::default();
        if self.held.is_empty() {
            passed.direct = self.follow(fresh, &mut passed, out);
            if self.at != At::Over {
                self.held.extend_from_slice(&fresh[passed.direct..]);
            }
        } else {
            let mut data = std::mem::take(&mut self.held);
            data.extend_from_slice(fresh);
            // The end of a refused head must follow the lines before it.
            let mut ending = Vec::new();
            let whole = self.follow(&data, &mut passed, &mut ending);
            out.extend_from_slice(&data[..whole]);
            out.append(&mut ending);
            if self.at != At::Over {
                data.drain(..whole);
                self.held = data;
            }
        }
        passed
    }

    /// Follows the framing through `data`. Returns how many bytes may be passed on.
    fn follow(&mut self, data: &[u8], passed: &mut Passed, ending: &mut Vec<u8>) -> usize {
        let mut done = 0;
        while done < data.len() {
            let rest = &data[done..];
            match self.at {
                At::Over => break,
                At::Body(left) => {
                    let taken = taken(left, rest);
                    done += taken;
                    let left = left - taken as u64;
                    self.at = if left == 0 { At::Request } else { At::Body(left) };
                }
                At::Chunk(left) => {
                    let taken = taken(left, rest);
                    done += taken;
                    let left = left - taken as u64;
                    self.at = if left == 0 { At::ChunkEnd } else { At::Chunk(left) };
                }
                At::Request | At::Field | At::ChunkSize | At::ChunkEnd | At::Trailer => {
                    let from = std::mem::take(&mut self.searched);
                    let line = rest[from..].iter().position(|&byte| byte == b'\n').map(|end| from + end);
                    let checked = match line {
                        Some(end) => self.line(&rest[..end], passed),
                        None => self.unfinished(rest),
                    };
                    match (checked, line) {
                        (Ok(()), Some(end)) => done += end + 1,
                        (Ok(()), None) => {
                            self.searched = rest.len();
                            break;
                        }
                        (Err(Fault::Break), _) => {
                            passed.broken = true;
                            self.at = At::Over;
                        }
                        (Err(Fault::Refuse(refused)), _) => {
                            end_head(self.at, rest, ending);
                            passed.heads += 1;
                            passed.refused = Some(refused);
                            self.at = At::Over;
                        }
                    }
                }
            }
        }
        done
    }

    /// Checks a whole line, without its line feed.
    fn line(&mut self, line: &[u8], passed: &mut Passed) -> Result<(), Fault> {
        let bare = line.strip_suffix(b"\r");
        match self.at {
            At::Request => {
                self.head.bytes += line.len() + 1;
                self.check_request(bare.unwrap_or(line)).map_err(Fault::Refuse)
            }
            At::Field => {
                self.head.bytes += line.len() + 1;
                let line = bare.unwrap_or(line);
                if self.head.bytes > self.head_bytes {
                    return Err(Fault::Refuse(HEAD_TOO_LARGE));
                }
                if line.is_empty() {
                    passed.heads += 1;
                    self.at = match self.head {
                        Head { chunked: true, .. } => At::ChunkSize,
                        Head { length: Some(left), .. } if left > 0 => At::Body(left),
                        _ => At::Request,
                    };
                    self.head = Head::default();
                    return Ok(());
                }
                self.check_field(line).map_err(Fault::Refuse)
            }
            At::ChunkSize => {
                let size = bare.and_then(chunk_size).ok_or(Fault::Break)?;
                self.at = if size == 0 { At::Trailer } else { At::Chunk(size) };
                Ok(())
            }
            At::ChunkEnd => match bare {
                Some(b"") => {
                    self.at = At::ChunkSize;
                    Ok(())
                }
                _ => Err(Fault::Break),
            },
            At::Trailer => {
                self.head.bytes += line.len() + 1;
                match bare {
                    Some(b"") => {
                        self.at = At::Request;
                        self.head = Head::default();
                        Ok(())
                    }
                    Some(_) if self.head.bytes <= self.head_bytes => Ok(()),
                    _ => Err(Fault::Break),
                }
            }
            At::Body(_) | At::Chunk(_) | At::Over => Ok(()),
        }
    }

    /// Checks the beginning of a line that is not complete yet.
    fn unfinished(&self, rest: &[u8]) -> Result<(), Fault> {
        let head = self.head.bytes + rest.len();
        match self.at {
            At::Request if rest.len() > self.target_bytes + AROUND_TARGET => {
                Err(Fault::Refuse(if looks_like_request(rest) { TARGET_TOO_LONG } else { NOT_A_REQUEST }))
            }
            At::Request | At::Field if head > self.head_bytes => Err(Fault::Refuse(HEAD_TOO_LARGE)),
            At::Trailer if head > self.head_bytes => Err(Fault::Break),
            At::ChunkSize | At::ChunkEnd if rest.len() > CHUNK_LINE => Err(Fault::Break),
            _ => Ok(()),
        }
    }

    fn check_request(&mut self, line: &[u8]) -> Result<(), Refused> {
        if line.is_empty() {
            // Some empty lines before a request are allowed.
            return if self.head.bytes > AROUND_TARGET { Err(NOT_A_REQUEST) } else { Ok(()) };
        }
        let mut parts = line.split(|&byte| byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NOT_A_REQUEST);
        };
        if method.is_empty() || method.len() > 32 || !method.iter().copied().all(is_token) {
            return Err(NOT_A_REQUEST);
        }
        if target.len() > self.target_bytes {
            return Err(TARGET_TOO_LONG);
        }
        if !is_target(target) {
            return Err(Refused::bad("The request target is not valid"));
        }
        self.head.http10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(Refused::bad("The HTTP version is not supported")),
        };
        self.at = At::Field;
        Ok(())
    }

    fn check_field(&mut self, line: &[u8]) -> Result<(), Refused> {
        self.head.fields += 1;
        if self.head.fields > self.head_fields {
            return Err(Refused::closing(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "The request has too many header fields",
            ));
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Err(NOT_A_FIELD);
        };
        let (name, value) = (&line[..colon], without_blanks(&line[colon + 1..]));
        if name.is_empty() || !name.iter().copied().all(is_token) || !value.iter().copied().all(is_field_text) {
            return Err(NOT_A_FIELD);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.head.chunked {
                return Err(TWO_FRAMINGS);
            }
            if self.head.length.is_some() {
                return Err(Refused::bad("Content-Length is repeated"));
            }
            self.head.length = Some(decimal(value).ok_or(Refused::bad("Content-Length is not a number"))?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.head.length.is_some() {
                return Err(TWO_FRAMINGS);
            }
            if self.head.chunked {
                return Err(Refused::bad("Transfer-Encoding is repeated"));
            }
            if self.head.http10 || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refused::bad("The transfer encoding is not supported"));
            }
            self.head.chunked = true;
        }
        Ok(())
    }
}

const HEAD_TOO_LARGE: Refused =
    Refused::closing(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The request head is too large");
const TARGET_TOO_LONG: Refused = Refused::closing(StatusCode::URI_TOO_LONG, "The request target is too long");
const NOT_A_REQUEST: Refused = Refused::bad("The request line is not valid");
const NOT_A_FIELD: Refused = Refused::bad("A header field is not valid");
const TWO_FRAMINGS: Refused = Refused::bad("Content-Length and Transfer-Encoding exclude each other");

/// Ends a refused head, so that the bytes passed on are a whole request.
fn end_head(at: At, rest: &[u8], ending: &mut Vec<u8>) {
    if at == At::Request {
        let target = rest.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        let shown = &target[..target.len().min(SHOWN_TARGET)];
        let origin = shown.first() == Some(&b'/') && shown.iter().copied().all(is_target_byte);
        ending.extend_from_slice(b"GET ");
        ending.extend_from_slice(if origin { shown } else { b"/" });
        ending.extend_from_slice(b" HTTP/1.1\r\n");
    }
    ending.extend_from_slice(b"\r\n");
}

fn taken(left: u64, rest: &[u8]) -> usize {
    usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()))
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::*;

    fn screen() -> Screen {
        Screen::new(&Limits::default())
    }

    /// Feeds `stream` in pieces of `step` bytes; what came through, the heads, and the refusal.
    fn run(screen: &mut Screen, stream: &[u8], step: usize) -> (Vec<u8>, u32, Option<Refused>, bool) {
        let (mut through, mut heads, mut refused, mut broken) = (Vec::new(), 0, None, false);
        for piece in stream.chunks(step) {
            let mut out = Vec::new();
            let passed = screen.feed(piece, &mut out);
            through.extend_from_slice(&piece[..passed.direct]);
            through.extend_from_slice(&out);
            heads += passed.heads;
            refused = refused.or(passed.refused);
            broken |= passed.broken;
        }
        (through, heads, refused, broken)
    }

    fn refusal(head: &str) -> Option<(u16, &'static str)> {
        let mut found = Vec::new();
        for step in [1, 7, 4096, 1 << 20] {
            let (_, heads, refused, broken) = run(&mut screen(), head.as_bytes(), step);
            assert!(!broken);
            assert_eq!(heads, 1, "one head, whatever the pieces: {head:?}");
            found.push(refused.map(|refused| (refused.status.as_u16(), refused.message)));
        }
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "pieces changed the verdict on {head:?}: {found:?}");
        found[0]
    }

    #[test]
    fn well_formed_requests_pass_unchanged_in_any_pieces() {
        let stream = b"\r\nPOST /a?b={c}|[d] HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe\nlo\
            GET / HTTP/1.0\nhost:y\n\n\
            PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked \r\n\r\n3;e=1\r\nab\n\r\nA\r\n0123456789\r\n0\r\nt: u\r\n\r\n\
            OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\nGET http://h:1/p HTTP/1.1\r\nhost: h:1\r\n\r\n";
        for step in 1..=stream.len() {
            let mut screen = screen();
            let (through, heads, refused, broken) = run(&mut screen, stream, step);
            assert_eq!((heads, refused, broken), (5, None, false), "in pieces of {step}");
            assert_eq!(through, stream);
            assert!(screen.between_requests());
        }
    }

    #[test]
    fn two_framings_are_refused_in_either_order() {
        let expected = Some((400, "Content-Length and Transfer-Encoding exclude each other"));
        assert_eq!(refusal("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), expected);
        assert_eq!(refusal("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"), expected);
    }

    #[test]
    fn other_framings_are_refused() {
        for fields in [
            "Transfer-Encoding: gzip",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding:",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: \"chunked\"",
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: 3, 3",
            "Content-Length: +3",
            "Content-Length: 0x3",
            "Content-Length:",
            "Content-Length: 99999999999999999999",
            "Transfer-Encoding : chunked",
            "X: a\r\n folded: b",
            "no colon",
            ": empty",
            "X: a\u{7f}b",
            "X: a\0b",
            "X: a\rb",
        ] {
            let got = refusal(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n"));
            assert_eq!(got.map(|got| got.0), Some(400), "{fields:?}");
        }
        assert_eq!(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").map(|got| got.0), Some(400));
    }

    #[test]
    fn request_lines_that_are_none_are_refused() {
        for line in [
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            "GET / HTTP/2.0",
            "GET / http/1.1",
            "G@T / HTTP/1.1",
            " GET / HTTP/1.1",
            "GET /a b HTTP/1.1",
            "GET /a#b HTTP/1.1",
            "GET a HTTP/1.1x",
            "GET /\u{e9} HTTP/1.1",
            "PRI * HTTP/2.0",
            "\u{16}\u{3}\u{1}",
        ] {
            let got = refusal(&format!("{line}\r\n\r\n"));
            assert_eq!(got.map(|got| got.0), Some(400), "{line:?}");
        }
    }

    #[test]
    fn limits_hold_at_their_edge() {
        let limits = Limits::default();
        let target = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(length - 1));
        assert_eq!(refusal(&target(limits.target_bytes)), None);
        assert_eq!(refusal(&target(limits.target_bytes + 1)).map(|got| got.0), Some(414));
        assert_eq!(refusal(&target(limits.head_bytes * 2)).map(|got| got.0), Some(414));

        let fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
        assert_eq!(refusal(&fields(limits.head_fields)), None);
        assert_eq!(refusal(&fields(limits.head_fields + 1)).map(|got| got.0), Some(431));

        let frame = "GET / HTTP/1.1\r\nx: \r\n\r\n".len();
        let head = |size: usize| format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(size - frame));
        assert_eq!(refusal(&head(limits.head_bytes)), None);
        assert_eq!(refusal(&head(limits.head_bytes + 1)).map(|got| got.0), Some(431));
        assert_eq!(refusal(&head(limits.head_bytes * 3)).map(|got| got.0), Some(431));
        assert_eq!(refusal(&"a".repeat(limits.head_bytes)).map(|got| got.0), Some(400));
        assert_eq!(refusal(&"\r\n".repeat(1000)).map(|got| got.0), Some(400));
    }

    #[test]
    fn a_refused_head_still_ends_and_keeps_its_path() {
        let (through, ..) = run(&mut screen(), b"PUT /api/2/x HTTP/9\r\nHost: x\r\n\r\nrest", 4096);
        assert_eq!(through, b"GET /api/2/x HTTP/1.1\r\n\r\n");
        let (through, ..) = run(&mut screen(), b"PUT /api/1/x HTTP/1.1\r\nbad\r\nHost: x\r\n\r\nrest", 3);
        assert_eq!(through, b"PUT /api/1/x HTTP/1.1\r\n\r\n");
        let (through, ..) = run(&mut screen(), b"\xff\xfe\r\n", 4096);
        assert_eq!(through, b"GET / HTTP/1.1\r\n\r\n");
    }

    #[test]
    fn broken_chunks_break_the_connection() {
        for body in ["x\r\n", "3\nabc\r\n", "3\r\nabcd\r\n", "3\r\nabc\n", "-1\r\n", "ffffffffffffffff\r\n", "\r\n"] {
            let stream = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
            for step in [1, 4096] {
                let (_, heads, refused, broken) = run(&mut screen(), stream.as_bytes(), step);
                assert_eq!((heads, refused, broken), (1, None, true), "{body:?}");
            }
        }
    }

    #[test]
    fn every_target_that_passes_is_one_for_the_library_too() {
        for byte in 0..=u8::MAX {
            for prefix in [&b"/a"[..], b"/?a", b"/a?b=", b"/"] {
                let target = [prefix, &[byte], b"z"].concat();
                assert!(!is_target(&target) || Uri::try_from(&target[..]).is_ok(), "{byte:#x} after {prefix:?}");
            }
        }
    }
}

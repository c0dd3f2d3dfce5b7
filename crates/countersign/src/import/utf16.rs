//! A list in UTF-16 read as UTF-8: what Excel calls "Unicode text".

use std::io::{BufRead, Read};

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Little,
    Big,
}

/// UTF-8 of a list in UTF-16. An invalid unit becomes U+FFFD.
pub(super) struct Utf16<R> {
    list: R,
    order: Order,
    /// The first half of a character that needs two units.
    high: Option<u16>,
    /// Characters that are decoded and not read yet.
    ready: Vec<u8>,
}

impl<R: BufRead> Utf16<R> {
    /// Reads from the byte order mark on.
    pub(super) fn new(list: R, order: Order) -> Self {
        Self { list, order, high: None, ready: Vec::new() }
    }

    fn unit(&mut self) -> std::io::Result<Option<u16>> {
        let mut bytes = [0; 2];
        let mut length = 0;
        while length < 2 {
            match self.list.read(&mut bytes[length..])? {
                0 => break,
                read => length += read,
            }
        }
        Ok((length == 2).then(|| match self.order {
            Order::Little => u16::from_le_bytes(bytes),
            Order::Big => u16::from_be_bytes(bytes),
        }))
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.ready.len() < into.len() {
            let Some(unit) = self.unit()? else { break };
            let units = self.high.take().into_iter().chain([unit]);
            let mut decoded = char::decode_utf16(units).peekable();
            while let Some(character) = decoded.next() {
                match character {
                    Err(half) if decoded.peek().is_none() && (0xd800..0xdc00).contains(&half.unpaired_surrogate()) => {
                        self.high = Some(half.unpaired_surrogate());
                    }
                    other => {
                        let character = other.unwrap_or(char::REPLACEMENT_CHARACTER);
                        self.ready.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                }
            }
        }
        let length = self.ready.len().min(into.len());
        into[..length].copy_from_slice(&self.ready[..length]);
        self.ready.drain(..length);
        Ok(length)
    }
}

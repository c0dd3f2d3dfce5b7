//! Strict JSON (SEC 60): a scan before serde refuses what serde would accept or reject too late: repeated keys, deep
//! nesting, NUL, lone surrogates.
//!
//! The scan is a small iterative tokenizer. It leaves the syntax of numbers to serde, which runs afterwards, and checks
//! everything else itself.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Deepest nesting of objects and arrays.
pub const MAX_DEPTH: usize = 32;

/// Why we refuse a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// An object repeats a key.
    DuplicateKey,
    /// A string holds U+0000, raw or escaped.
    Nul,
    /// A string holds half of a surrogate pair.
    LoneSurrogate,
    /// Not JSON, or more than one value, or a number out of range.
    Malformed,
    /// JSON, but not of the expected shape.
    WrongShape,
}

/// The byte order mark, which some editors and shells put before a text.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// Parses a JSON text. An empty or blank text and `null` are the empty object (contract 1.2).
pub fn parse_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, JsonError> {
    let text = std::str::from_utf8(text).map_err(|_| JsonError::NotUtf8)?;
    // A byte order mark at the start is ignored (RFC 8259 8.1).
    let text = match text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim_matches(is_space) {
        "" | "null" => "{}",
        text => text,
    };
    scan(text)?;
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => JsonError::WrongShape,
        _ => JsonError::Malformed,
    })
}

/// Parses a JSON object, as every body of the API is one.
pub fn parse_object(text: &[u8]) -> Result<Map<String, Value>, JsonError> {
    parse_json(text)
}

const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// An open container: an array, or an object with the place where its keys begin.
#[derive(Clone, Copy)]
enum Open {
    Array,
    Object(usize),
}

/// Scans a text once. Returns the first fault.
fn scan(text: &str) -> Result<(), JsonError> {
    let bytes = text.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut keys: Vec<Cow<'_, str>> = Vec::new();
    let mut next = Next::Value;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if is_space(char::from(byte)) {
            at += 1;
            continue;
        }
        match (next, byte) {
            (Next::Key | Next::KeyOrEnd, b'"') => {
                let (end, escaped) = string_end(bytes, at)?;
                keys.push(key(&text[at..end], escaped)?);
                at = end;
                next = Next::Colon;
            }
            (Next::Colon, b':') => {
                at += 1;
                next = Next::Value;
            }
            (Next::Value | Next::ValueOrEnd, b'{' | b'[') => {
                if open.len() == MAX_DEPTH {
                    return Err(JsonError::TooDeep);
                }
                let object = byte == b'{';
                open.push(if object { Open::Object(keys.len()) } else { Open::Array });
                at += 1;
                next = if object { Next::KeyOrEnd } else { Next::ValueOrEnd };
            }
            (Next::Value | Next::ValueOrEnd, b'"') => {
                at = string_end(bytes, at)?.0;
                next = after(&open);
            }
            (Next::CommaOrEnd, b',') => {
                at += 1;
                next = if matches!(open.last(), Some(Open::Object(_))) { Next::Key } else { Next::Value };
            }
            (Next::CommaOrEnd | Next::KeyOrEnd, b'}') => {
                let Some(Open::Object(first)) = open.pop() else { return Err(JsonError::Malformed) };
                distinct(&mut keys[first..])?;
                keys.truncate(first);
                at += 1;
                next = after(&open);
            }
            (Next::CommaOrEnd | Next::ValueOrEnd, b']') => {
                let Some(Open::Array) = open.pop() else { return Err(JsonError::Malformed) };
                at += 1;
                next = after(&open);
            }
            (Next::Value | Next::ValueOrEnd, _) => {
                at += word(&bytes[at..])?;
                next = after(&open);
            }
            (_, 0) => return Err(JsonError::Nul),
            _ => return Err(JsonError::Malformed),
        }
    }
    if next == Next::Nothing { Ok(()) } else { Err(JsonError::Malformed) }
}

fn after(open: &[Open]) -> Next {
    if open.is_empty() { Next::Nothing } else { Next::CommaOrEnd }
}

/// The length of a word: `true`, `false`, `null`, or something that begins like a number.
fn word(bytes: &[u8]) -> Result<usize, JsonError> {
    let length = bytes
        .iter()
        .position(|&byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))
        .unwrap_or(bytes.len());
    match &bytes[..length] {
        b"true" | b"false" | b"null" | [b'-' | b'0'..=b'9', ..] => Ok(length),
        _ if bytes.first() == Some(&0) => Err(JsonError::Nul),
        _ => Err(JsonError::Malformed),
    }
}

/// Where the string that begins at `start` ends, and whether it holds escapes.
fn string_end(bytes: &[u8], start: usize) -> Result<(usize, bool), JsonError> {
    let mut at = start + 1;
    let mut escaped = false;
    loop {
        match *bytes.get(at).ok_or(JsonError::Malformed)? {
            b'"' => return Ok((at + 1, escaped)),
            0 => return Err(JsonError::Nul),
            1..0x20 => return Err(JsonError::Malformed),
            b'\\' => {
                escaped = true;
                match bytes.get(at + 1) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                    Some(b'u') => at += unicode_escape(&bytes[at..])?,
                    _ => return Err(JsonError::Malformed),
                }
            }
            _ => at += 1,
        }
    }
}

/// The length of the `\u` escape that `bytes` begin with, or of a pair of them.
fn unicode_escape(bytes: &[u8]) -> Result<usize, JsonError> {
    match unit(bytes).ok_or(JsonError::Malformed)? {
        0 => Err(JsonError::Nul),
        0xd800..=0xdbff => match unit(&bytes[6..]) {
            Some(0xdc00..=0xdfff) => Ok(12),
            _ => Err(JsonError::LoneSurrogate),
        },
        0xdc00..=0xdfff => Err(JsonError::LoneSurrogate),
        _ => Ok(6),
    }
}

/// The UTF-16 unit of the `\u` escape that `bytes` begin with.
fn unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
}

/// A key as it is meant, from its spelling with quotes.
fn key(quoted: &str, escaped: bool) -> Result<Cow<'_, str>, JsonError> {
    if escaped {
        serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| JsonError::Malformed)
    } else {
        Ok(Cow::Borrowed(&quoted[1..quoted.len() - 1]))
    }
}

fn distinct(keys: &mut [Cow<'_, str>]) -> Result<(), JsonError> {
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) { Err(JsonError::DuplicateKey) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(text: &str) -> Result<Value, JsonError> {
        parse_json(text.as_bytes())
    }

    #[test]
    fn nothing_is_the_empty_object() {
        for text in ["", " \r\n\t", "null", " null\n", "{}", " { } "] {
            assert_eq!(parse(text), Ok(json!({})), "{text:?}");
        }
    }

    #[test]
    fn each_fault_is_named() {
        use JsonError::{DuplicateKey, LoneSurrogate, Malformed, Nul, TooDeep};
        for (text, fault) in [
            (r#"{"a":1,"a":1}"#, DuplicateKey),
            (r#"{"a":1,"\u0061":2}"#, DuplicateKey),
            (r#"{"x":{"b":1,"c":[{"d":1,"d":2}]}}"#, DuplicateKey),
            (r#"{"a\/":1,"a/":1}"#, DuplicateKey),
            (r#"{"":1,"":1}"#, DuplicateKey),
            ("{\"a\":\"\0\"}", Nul),
            (r#"{"a":"\u0000"}"#, Nul),
            (r#"{"\u0000":1}"#, Nul),
            ("\0", Nul),
            ("{\"a\":1}\0", Nul),
            (r#"{"a":"\ud800"}"#, LoneSurrogate),
            (r#"{"a":"\uDC00"}"#, LoneSurrogate),
            (r#"{"a":"\ud83dx"}"#, LoneSurrogate),
            (r#"{"a":"\ud83d\u0041"}"#, LoneSurrogate),
            (r#"{"a":"\ud83d\ud83d"}"#, LoneSurrogate),
            (r#"{"a":"\udc00\ud83d"}"#, LoneSurrogate),
            (r#"{"a":NaN}"#, Malformed),
            (r#"{"a":Infinity}"#, Malformed),
            (r#"{"a":-Infinity}"#, Malformed),
            (r#"{"a":1e999}"#, Malformed),
            (r#"{"a":012}"#, Malformed),
            (r#"{"a":+1}"#, Malformed),
            (r#"{"a":.5}"#, Malformed),
            (r#"{"a":1.}"#, Malformed),
            (r#"{"a":0x10}"#, Malformed),
            (r#"{"a":1}{"b":2}"#, Malformed),
            (r#"{"a":1} x"#, Malformed),
            (r#"{"a":1,}"#, Malformed),
            (r#"{,"a":1}"#, Malformed),
            (r#"{"a" 1}"#, Malformed),
            (r#"{"a":}"#, Malformed),
            (r#"{"a"}"#, Malformed),
            (r"{a:1}", Malformed),
            (r"{'a':1}", Malformed),
            (r#"{"a":1"#, Malformed),
            (r#"{"a":[1}"#, Malformed),
            (r#"{"a":[1}]"#, Malformed),
            (r#"{"a":(1)}"#, Malformed),
            (r"[1,]", Malformed),
            (r"[,1]", Malformed),
            (r"[1 2]", Malformed),
            ("]", Malformed),
            ("}", Malformed),
            (":", Malformed),
            (r#"{"a":"x"#, Malformed),
            (r#"{"a":"\x41"}"#, Malformed),
            (r#"{"a":"\u12"}"#, Malformed),
            (r#"{"a":"\u12g4"}"#, Malformed),
            (r#"{"a":"\u+123"}"#, Malformed),
            ("{\"a\":\"\n\"}", Malformed),
            ("{\"a\":\"\t\"}", Malformed),
            (r#"{"a":tru}"#, Malformed),
            (r#"{"a":True}"#, Malformed),
            (r#"{"a":nulll}"#, Malformed),
            ("\u{feff}\u{feff}{}", Malformed),
            (" \u{feff}{}", Malformed),
            ("{}\u{feff}", Malformed),
            ("\u{a0}{}", Malformed),
            ("{}/* c */", Malformed),
            ("{}// c", Malformed),
            (&format!("{}{}", "[".repeat(33), "]".repeat(33)), TooDeep),
            (&"[".repeat(100_000), TooDeep),
            (&"{\"a\":".repeat(100_000), TooDeep),
        ] {
            assert_eq!(parse(text), Err(fault), "{:?}", &text[..text.len().min(60)]);
        }
        assert_eq!(parse_json::<Value>(b"{\"a\":\"\xff\"}"), Err(JsonError::NotUtf8));
        assert_eq!(parse_json::<Value>(b"{\"a\":\"\xed\xa0\x80\"}"), Err(JsonError::NotUtf8));
    }

    #[test]
    fn a_mark_at_the_head_is_skipped() {
        let object = |text: &str| parse_object(text.as_bytes()).unwrap();
        assert_eq!(object("\u{feff}{\"a\":1}"), object("{\"a\":1}"));
        assert_eq!(object("\u{feff}\r\n{\"a\":1}"), object("{\"a\":1}"));
        assert!(object("\u{feff}").is_empty());
        assert_eq!(object("{\"a\":\"\u{feff}x\"}")["a"], "\u{feff}x", "inside a text it is a character");
    }

    #[test]
    fn depth_holds_at_its_edge() {
        assert!(parse(&format!("{}{}", "[".repeat(32), "]".repeat(32))).is_ok());
    }

    #[test]
    fn equal_keys_of_different_objects_are_no_duplicates() {
        for text in
            [r#"{"a":{"a":{"a":1}}}"#, r#"[{"a":1},{"a":1}]"#, r#"{"a":[{"b":1},{"b":1}],"b":2}"#, r#"{"a":1,"A":1}"#]
        {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn many_keys_are_compared_in_reasonable_time() {
        let keys: Vec<_> = (0..8000).map(|number| format!("\"{number}\":0")).collect();
        assert!(parse(&format!("{{{}}}", keys.join(","))).is_ok());
        assert_eq!(parse(&format!("{{{},\"77\":0}}", keys.join(","))), Err(JsonError::DuplicateKey));
    }

    #[test]
    fn a_typed_reading_tells_shape_from_grammar() {
        assert_eq!(parse_object(b"[1]"), Err(JsonError::WrongShape));
        assert_eq!(parse_object(b"\"x\""), Err(JsonError::WrongShape));
        assert_eq!(parse_object(b"7"), Err(JsonError::WrongShape));
        assert_eq!(parse_object(br#"{"a":"\ud83d\ude00"}"#).unwrap()["a"], "\u{1f600}");
    }

    /// A small deterministic source of numbers for the tests below.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % sides
        }

        fn text(&mut self) -> String {
            const PIECES: [&str; 12] =
                ["a", "b", "\"", "\\", "/", "\n", "\t", "\u{e9}", "\u{1f600}", "\u{7f}", "\u{2028}", "u0000"];
            (0..self.roll(6)).map(|_| PIECES[usize::try_from(self.roll(12)).unwrap()]).collect()
        }

        fn value(&mut self, depth: u32) -> Value {
            match self.roll(if depth == 0 { 6 } else { 8 }) {
                0 => Value::Null,
                1 => Value::Bool(self.roll(2) == 0),
                2 => json!(self.0),
                3 => json!(self.0.cast_signed()),
                4 => json!(f64::from_bits(self.0 & 0x7fdf_ffff_ffff_ffff)),
                5 => Value::String(self.text()),
                6 => (0..self.roll(4)).map(|_| self.value(depth - 1)).collect(),
                _ => Value::Object((0..self.roll(4)).map(|_| (self.text(), self.value(depth - 1))).collect()),
            }
        }
    }

    #[test]
    fn every_text_that_serde_writes_is_read_back() {
        let mut dice = Dice(0x5eed);
        for _ in 0..5000 {
            let value = Value::Object([("v".to_owned(), dice.value(6))].into_iter().collect());
            for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                assert_eq!(scan(&text), Ok(()), "{text}");
                let plain: Result<Value, _> = serde_json::from_str(&text);
                assert_eq!(parse(&text).ok(), plain.ok(), "{text}");
            }
        }
    }

    #[test]
    fn damaged_texts_never_pass_unless_they_are_json() {
        const DAMAGE: &[u8] = b"{}[]:,\"\\u0dn \0-e";
        let mut dice = Dice(0xdead);
        for _ in 0..5000 {
            let mut text = serde_json::to_vec(&json!({ "v": dice.value(4) })).unwrap();
            for _ in 0..=dice.roll(3) {
                let place = usize::try_from(dice.roll(text.len() as u64)).unwrap();
                text[place] = DAMAGE[usize::try_from(dice.roll(DAMAGE.len() as u64)).unwrap()];
            }
            if let Ok(value) = parse_json::<Value>(&text) {
                let plain: Value = serde_json::from_slice(&text).unwrap();
                assert_eq!(value, if plain.is_null() { json!({}) } else { plain });
            }
        }
    }
}

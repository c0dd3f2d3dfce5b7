//! As much of DER (ITU-T X.690) as one certificate needs, writing only.

/// Tags of X.680, table 1, and those with the constructed bit that go with them.
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0C;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT: u8 = 0xA0;

/// A value: its tag, its length in the shortest form (10.1), its content.
fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    match length {
        [] => out.push(0),
        [short @ 0..=0x7F] => out.push(*short),
        // At most eight bytes say how long something in memory is.
        long => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            out.extend(long);
        }
    }
    out.extend(content);
    out
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    value(SEQUENCE, &parts.concat())
}

/// A set of one, which has no order to keep.
pub(crate) fn set(part: &[u8]) -> Vec<u8> {
    value(SET, part)
}

/// A value with an explicit tag of the context.
pub(crate) fn context(number: u8, part: &[u8]) -> Vec<u8> {
    value(CONTEXT | number, part)
}

/// A whole number that is not negative, from its bytes with the highest first.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let mut content = vec![0];
    content.extend(bytes);
    // The shortest form that keeps the sign bit clear (8.3.2).
    let excess = content.windows(2).take_while(|pair| pair[0] == 0 && pair[1] < 0x80).count();
    value(INTEGER, &content[excess..])
}

/// An object identifier whose numbers are encoded already (8.19).
pub(crate) fn object_identifier(encoded: &[u8]) -> Vec<u8> {
    value(OBJECT_IDENTIFIER, encoded)
}

pub(crate) fn null() -> Vec<u8> {
    value(NULL, &[])
}

pub(crate) fn yes() -> Vec<u8> {
    value(BOOLEAN, &[0xFF])
}

pub(crate) fn utf8(text: &str) -> Vec<u8> {
    value(UTF8_STRING, text.as_bytes())
}

pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    value(OCTET_STRING, content)
}

/// A string of bits, the last `unused` of which do not count.
pub(crate) fn bits(unused: u8, content: &[u8]) -> Vec<u8> {
    value(BIT_STRING, &[&[unused], content].concat())
}

/// The digits of a moment, as a `UTCTime` or a `GeneralizedTime`.
pub(crate) fn time(short: bool, digits: &str) -> Vec<u8> {
    value(if short { UTC_TIME } else { GENERALIZED_TIME }, digits.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_the_shortest_form() {
        let head = |length: usize| value(OCTET_STRING, &vec![0; length])[1..].to_vec();
        assert_eq!(head(0), [0]);
        assert_eq!(head(127)[..1], [127]);
        assert_eq!(head(128)[..2], [0x81, 128]);
        assert_eq!(head(255)[..2], [0x81, 255]);
        assert_eq!(head(256)[..3], [0x82, 1, 0]);
        assert_eq!(head(65_536)[..4], [0x83, 1, 0, 0]);
    }

    #[test]
    fn a_number_is_short_and_never_negative() {
        assert_eq!(unsigned(&[]), [2, 1, 0]);
        assert_eq!(unsigned(&[0, 0]), [2, 1, 0]);
        assert_eq!(unsigned(&[0, 0x7F]), [2, 1, 0x7F]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[0, 0, 1, 0]), [2, 2, 1, 0]);
    }
}

//! Texts that are joined when the code is compiled.

/// Joins constant texts.
macro_rules! joined {
    ($($part:expr),+) => {{
        const PARTS: &[&str] = &[$($part),+];
        const BYTES: [u8; $crate::schema::text::length(PARTS)] = $crate::schema::text::join(PARTS);
        match std::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("texts that are joined are a text"),
        }
    }};
}
pub(crate) use joined;

/// Bytes of all parts together.
pub(crate) const fn length(parts: &[&str]) -> usize {
    let mut length = 0;
    let mut part = 0;
    while part < parts.len() {
        length += parts[part].len();
        part += 1;
    }
    length
}

/// The parts one after the other; `LENGTH` is their [`length`].
pub(crate) const fn join<const LENGTH: usize>(parts: &[&str]) -> [u8; LENGTH] {
    let mut joined = [0; LENGTH];
    let mut end = 0;
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            joined[end] = bytes[byte];
            end += 1;
            byte += 1;
        }
        part += 1;
    }
    joined
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_are_joined_in_order() {
        const LIST: &str = "id, nämen";
        assert_eq!(joined!("SELECT ", LIST, " FROM t"), "SELECT id, nämen FROM t");
        assert_eq!(joined!(""), "");
    }
}

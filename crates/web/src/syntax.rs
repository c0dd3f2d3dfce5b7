//! The syntax of request lines, fields and chunks, by bytes (RFC 9110, RFC 9112, RFC 3986).

use http::Uri;

/// Whether the beginning of a line looks like a method and a target.
pub(crate) fn looks_like_request(line: &[u8]) -> bool {
    line.iter().take(32).position(|&byte| byte == b' ').is_some_and(|end| {
        end > 0 && line[..end].iter().copied().all(is_token) && line.get(end + 1).is_some_and(|&byte| byte != b' ')
    })
}

/// A field's value without surrounding SP and HTAB, as in RFC 9110 5.5 and hyper.
pub(crate) fn without_blanks(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

/// RFC 9110's `token` characters.
pub(crate) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

pub(crate) const fn is_field_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// The bytes of an origin-form target: those of RFC 3986, and brackets, bar and braces, which clients leave unescaped in
/// queries. A request has no fragment.
pub(crate) const fn is_target_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`')
}

pub(crate) fn is_target(target: &[u8]) -> bool {
    match target.first() {
        Some(b'/') => {
            let (path, query) = match target.iter().position(|&byte| byte == b'?') {
                Some(mark) => target.split_at(mark),
                None => (target, &[][..]),
            };
            path.iter().copied().all(|byte| is_target_byte(byte) && !matches!(byte, b'{' | b'}'))
                && query.iter().copied().all(is_target_byte)
        }
        Some(_) => Uri::try_from(target).is_ok(),
        None => false,
    }
}

pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    // 18 digits cannot overflow, and no real length has more.
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |sum, &digit| sum * 10 + u64::from(digit - b'0')))
}

pub(crate) fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    if end == 0 || end > 15 || !matches!(line.get(end), None | Some(b';' | b' ' | b'\t')) {
        return None;
    }
    let digits = std::str::from_utf8(&line[..end]).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

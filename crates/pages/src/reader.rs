//! Who reads a page, as far as its language goes.

/// Most languages of a header that are looked at.
const MOST: usize = 16;

/// The languages of an `Accept-Language` header (RFC 9110 12.5.4), the best first. What cannot be understood is passed over.
pub fn accepted_languages(header: &str) -> Vec<&str> {
    let language = |entry: &'_ str| -> Option<(u16, usize)> {
        let (tag, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = match weight.trim().strip_prefix("q=") {
            Some(weight) => weight.trim().parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight))?,
            None => 1.0,
        };
        // Three digits after the point are all that the RFC allows.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1000")]
        let weight = (weight * 1000.0) as u16;
        (weight > 0).then_some((weight, tag.len()))
    };
    let mut languages: Vec<_> = header
        .split(',')
        .take(MOST)
        .filter_map(|entry| language(entry).map(|(weight, length)| (weight, entry[..length].trim())))
        .filter(|(_, tag)| !tag.is_empty() && *tag != "*")
        .collect();
    languages.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    languages.into_iter().map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_language_comes_first_and_nonsense_is_passed_over() {
        for (header, languages) in [
            ("de-AT,de;q=0.9,en;q=0.8", &["de-AT", "de", "en"][..]),
            ("en;q=0.5, ja", &["ja", "en"]),
            ("fr;q=0, es;q=0.001", &["es"]),
            ("*, ;q=1, de;q=x, fr;q=2, es", &["es"]),
            ("", &[]),
        ] {
            assert_eq!(accepted_languages(header), languages, "{header}");
        }
        assert_eq!(accepted_languages(&"a,".repeat(10_000)).len(), MOST);
    }
}

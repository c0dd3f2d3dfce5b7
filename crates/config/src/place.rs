//! Where in a file a key is set, for errors.

/// The line in which a key is set, if it is found.
pub(crate) fn line_of(text: &str, key: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    let sets = |line: &&str| {
        let line = line.trim_start();
        let rest = line.strip_prefix(key).or_else(|| line.strip_prefix(last));
        rest.is_some_and(|rest| rest.trim_start().starts_with(['=', '.'])) || line.starts_with(&format!("[{key}"))
    };
    let place = text.lines().position(|line| sets(&line));
    place.map_or_else(String::new, |place| format!(", line {}", place + 1))
}

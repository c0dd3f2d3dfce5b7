//! Reads values: the same from a flag, a variable and the file, as people and orchestrators write them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};

use toml::Value;

use crate::row::Kind;

/// The value of `text` for a key of this kind; `None` if it is empty, which counts as not given.
pub(crate) fn read(kind: Kind, text: &str) -> Result<Option<Value>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(match kind {
        Kind::Text(check) => {
            check(text)?;
            text.into()
        }
        Kind::Label => {
            label(text)?;
            text.into()
        }
        Kind::Secret | Kind::Path => text.into(),
        Kind::Word(words) => {
            let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
            (*known.ok_or_else(|| format!("it is one of {}", words.join(", ")))?).into()
        }
        Kind::Number(..) | Kind::OneOf(_) => {
            let number = text.parse::<i64>().map_err(|_| "it is a whole number, written in digits".to_owned())?;
            in_range(kind, number)?.into()
        }
        Kind::YesNo => yes_or_no(text)?.into(),
        Kind::Address(port) => address(text, port)?.to_string().into(),
        Kind::Paths | Kind::Texts(_) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::Array(parts.map(|part| item(kind, part)).collect::<Result<_, _>>()?)
        }
    }))
}

/// The value that the file gives; texts are read as everywhere.
pub(crate) fn of_file(kind: Kind, value: &Value) -> Result<Option<Value>, String> {
    match (kind, value) {
        // The file has lists, so a comma in a text separates nothing.
        (Kind::Paths | Kind::Texts(_), Value::Array(parts)) => {
            let part = |part: &Value| match part {
                Value::String(text) => item(kind, text.trim()),
                _ => Err("it is a list of texts".to_owned()),
            };
            Ok(Some(Value::Array(parts.iter().map(part).collect::<Result<_, _>>()?)))
        }
        // An empty name is refused. To have the usual one, leave the line out.
        (Kind::Label, Value::String(text)) => label(text.trim()).map(|()| Some(text.trim().into())),
        (_, Value::String(text)) => read(kind, text),
        (Kind::Number(..) | Kind::OneOf(_), Value::Integer(number)) => Ok(Some(in_range(kind, *number)?.into())),
        (Kind::YesNo, Value::Boolean(yes)) => Ok(Some((*yes).into())),
        (Kind::YesNo, Value::Integer(number)) => read(kind, &number.to_string()),
        (Kind::Address(_), Value::Integer(port)) => read(kind, &port.to_string()),
        (Kind::Number(..) | Kind::OneOf(_), _) => Err("it is a whole number".to_owned()),
        (Kind::YesNo, _) => Err("it is true or false".to_owned()),
        (Kind::Paths | Kind::Texts(_), _) => Err("it is a list of texts".to_owned()),
        _ => Err("it is a text, in quotes".to_owned()),
    }
}

fn item(kind: Kind, text: &str) -> Result<Value, String> {
    if let Kind::Texts(check) = kind {
        check(text)?;
    }
    Ok(text.into())
}

fn in_range(kind: Kind, number: i64) -> Result<i64, String> {
    match kind {
        Kind::Number(least, most) if !(least..=most).contains(&number) => {
            Err(if most == i64::MAX { format!("it is {least} or more") } else { format!("it is {least} to {most}") })
        }
        Kind::OneOf(numbers) if !numbers.contains(&number) => {
            let known: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            Err(format!("it is {}", known.join(" or ")))
        }
        _ => Ok(number),
    }
}

/// The usual spellings of yes and no, in any case.
pub(crate) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" | "y" | "t" | "enabled" => Ok(true),
        "0" | "false" | "no" | "off" | "n" | "f" | "disabled" => Ok(false),
        _ => Err("it is yes or no (true, false, 1, 0, on and off will do)".to_owned()),
    }
}

/// An http or https address with a host, and without user and password: addresses are shown.
pub(crate) fn web_address(text: &str) -> Option<url::Url> {
    let url = url::Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    (is_web && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// An address to listen on as people write it: `host:port`; a bare port, which means loopback; `:port` or `*:port`, which
/// mean every address; or a bare address, which needs a default port.
pub(crate) fn address(text: &str, port: Option<u16>) -> Result<SocketAddr, String> {
    let text = text.trim();
    let example = || format!("write ADDRESS:PORT, as 127.0.0.1:{}", port.unwrap_or(9464));
    if text.contains("://") {
        return Err(format!("it is an address, without http:// in front; {}", example()));
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let port = text.parse().map_err(|_| "a port is 0 to 65535".to_owned())?;
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        let port = port.ok_or_else(|| format!("the port is missing; {}", example()))?;
        return Ok((address, port).into());
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| format!("{port} is no port; {}", example()))?),
        None => (text, port.ok_or_else(|| format!("the port is missing; {}", example()))?),
    };
    if matches!(host, "" | "*") {
        return Ok((Ipv4Addr::UNSPECIFIED, port).into());
    }
    // Of several addresses, prefer IPv4, which most callers reach.
    let found: Vec<SocketAddr> = (host, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default();
    let chosen = found.iter().find(|address| address.is_ipv4()).or(found.first());
    chosen.copied().ok_or_else(|| format!("{host} is no address and no name of this machine; {}", example()))
}

/// A name for people.
fn label(text: &str) -> Result<(), String> {
    if domain::model::name::is_label(text) {
        return Ok(());
    }
    Err(format!(
        "it is a name of at most {} characters, all of which can be shown, and not empty",
        domain::model::text::NAME_MAX
    ))
}

/// One line of text.
pub(crate) fn line(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) { Err("it is one line of text".to_owned()) } else { Ok(()) }
}

/// A short text without control characters.
pub(crate) fn word(text: &str) -> Result<(), String> {
    if text.chars().count() > 64 || text.chars().any(char::is_control) {
        return Err("it has at most 64 characters, all of which can be shown".to_owned());
    }
    Ok(())
}

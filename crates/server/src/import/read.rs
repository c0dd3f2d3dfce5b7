//! Reads a list line by line, whichever of its three forms it has, without ever holding more than a line of it.

use std::io::{BufRead, Read};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use zeroize::Zeroize as _;

use super::parse::{self, Fault, Fields, NAMES};

/// Longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;
/// What Excel puts in front of a file it calls UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A JSON object a line
    Jsonl,
    /// Comma-separated values below a header row
    Csv,
    /// An otpauth:// address a line
    Otpauth,
}

/// A line of a list.
pub(super) struct Row {
    /// Its number, from 1.
    pub(super) line: u64,
    /// Bytes of the file up to its end.
    pub(super) bytes: u64,
    /// What it says.
    pub(super) fields: Result<Fields, Fault>,
}

/// The lines of a list; an error ends it.
pub(super) type Rows = Box<dyn Iterator<Item = std::io::Result<Row>> + Send>;

/// Opens a list. Its form is told by its first character unless it is given.
pub(super) fn rows(mut list: impl BufRead + Send + 'static, format: Option<Format>) -> anyhow::Result<Rows> {
    let beginning = list.fill_buf().context("the list cannot be read")?;
    let marked = if beginning.starts_with(MARK) { MARK.len() } else { 0 };
    let format = format.unwrap_or_else(|| guess(&beginning[marked..]));
    list.consume(marked);
    match format {
        Format::Csv => csv_rows(list),
        Format::Jsonl => Ok(Box::new(Lines::new(list, marked, parse::json))),
        Format::Otpauth => Ok(Box::new(Lines::new(list, marked, parse::otpauth))),
    }
}

fn guess(beginning: &[u8]) -> Format {
    let beginning = beginning.trim_ascii_start();
    if beginning.starts_with(b"{") {
        Format::Jsonl
    } else if beginning.starts_with(b"otpauth:") || beginning.starts_with(b"#") {
        Format::Otpauth
    } else {
        Format::Csv
    }
}

/// A list whose lines are its entries.
struct Lines<R> {
    list: R,
    parse: fn(&[u8]) -> Result<Fields, Fault>,
    line: u64,
    bytes: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn new(list: R, marked: usize, parse: fn(&[u8]) -> Result<Fields, Fault>) -> Self {
        Self { list, parse, line: 0, bytes: marked as u64, buffer: Vec::new() }
    }

    /// Reads a line into the buffer, at most [`MAX_LINE`] of it. Gives the bytes it has in all.
    fn fill(&mut self) -> std::io::Result<u64> {
        self.buffer.zeroize();
        let limit = MAX_LINE as u64 + 1;
        let mut read = self.list.by_ref().take(limit).read_until(b'\n', &mut self.buffer)? as u64;
        while read >= limit && self.buffer.last() != Some(&b'\n') {
            self.buffer.truncate(MAX_LINE + 1);
            let chunk = self.list.fill_buf()?;
            let (length, ended) = match chunk.iter().position(|byte| *byte == b'\n') {
                Some(place) => (place + 1, true),
                None => (chunk.len(), chunk.is_empty()),
            };
            self.list.consume(length);
            read += length as u64;
            if ended {
                break;
            }
        }
        Ok(read)
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = std::io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.fill() {
                Ok(0) => return None,
                Ok(read) => self.bytes += read,
                Err(error) => return Some(Err(error)),
            }
            self.line += 1;
            let text = self.buffer.trim_ascii();
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            let fields = if self.buffer.len() > MAX_LINE { Err(Fault::TooLong) } else { (self.parse)(text) };
            return Some(Ok(Row { line: self.line, bytes: self.bytes, fields }));
        }
    }
}

fn csv_rows(list: impl BufRead + Send + 'static) -> anyhow::Result<Rows> {
    let plain = Plain { list, last: b'\n', ended: false };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(plain);
    let header = reader.byte_headers().context("the list cannot be read")?;
    let mut columns = Vec::with_capacity(header.len());
    for name in header {
        let name = std::str::from_utf8(name).unwrap_or_default().trim().to_ascii_lowercase();
        let Some(known) = NAMES.into_iter().find(|known| *known == name) else {
            // Not quoted: without a header the first line is an entry, and holds a secret.
            bail!(
                "column {} of the header has an unknown name; the list needs a header row with some of the columns {}",
                columns.len() + 1,
                NAMES.join(", ")
            );
        };
        if columns.contains(&known) {
            bail!("the header has the column {known} twice");
        }
        columns.push(known);
    }
    for needed in ["username", "secret_base32"] {
        if !columns.is_empty() && !columns.contains(&needed) {
            bail!("the header has no column {needed}");
        }
    }
    Ok(Box::new(Records { reader, columns, record: csv::ByteRecord::new() }))
}

/// A list whose lines all end alike, also the last, so that they can be counted: csv counts line feeds as it meets
/// them, and may meet one only when it looks for the record behind it.
struct Plain<R> {
    list: R,
    last: u8,
    ended: bool,
}

impl<R: BufRead> Read for Plain<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut length = 0;
        while length == 0 && !self.ended && !into.is_empty() {
            let chunk = self.list.fill_buf()?;
            if chunk.is_empty() {
                self.ended = true;
                if self.last != b'\n' {
                    into[0] = b'\n';
                    length = 1;
                }
                break;
            }
            let taken = chunk.len().min(into.len());
            for byte in chunk[..taken].iter().filter(|byte| **byte != b'\r') {
                into[length] = *byte;
                length += 1;
                self.last = *byte;
            }
            self.list.consume(taken);
        }
        Ok(length)
    }
}

/// A list whose records may span lines.
struct Records<R> {
    reader: csv::Reader<Plain<R>>,
    columns: Vec<&'static str>,
    record: csv::ByteRecord,
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = std::io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(std::io::Error::other(error))),
        }
        let behind = self.reader.position();
        let lines = self.record.as_slice().split(|byte| *byte == b'\n').count() as u64;
        let line = behind.line().saturating_sub(lines);
        Some(Ok(Row { line, bytes: behind.byte(), fields: csv_fields(&self.record, &self.columns) }))
    }
}

fn csv_fields(record: &csv::ByteRecord, columns: &[&'static str]) -> Result<Fields, Fault> {
    if record.len() != columns.len() {
        return Err(Fault::Columns);
    }
    if record.as_slice().len() > MAX_LINE {
        return Err(Fault::TooLong);
    }
    let mut fields = Fields::default();
    for (name, value) in columns.iter().zip(record) {
        fields.set(name, std::str::from_utf8(value).map_err(|_| Fault::NotText)?.trim());
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(list: &'static str) -> Vec<(u64, Result<String, Fault>)> {
        let rows = rows(list.as_bytes(), None).unwrap().map(Result::unwrap);
        rows.map(|row| (row.line, row.fields.map(|fields| fields.username.clone().unwrap_or_default()))).collect()
    }

    #[test]
    fn each_form_is_told_by_its_beginning() {
        let ana = || vec![(1, Ok("ana".to_owned()))];
        assert_eq!(all("{\"username\":\"ana\"}\n"), ana());
        assert_eq!(all("otpauth://totp/ana?secret=x"), ana());
        assert_eq!(all("\u{feff}{\"username\":\"ana\"}"), ana());
        assert_eq!(all("Username,secret_base32\r\nana,x\r\n"), [(2, Ok("ana".to_owned()))]);
        assert_eq!(all("\u{feff}username,secret_base32\nana,x"), [(2, Ok("ana".to_owned()))]);
        assert_eq!(all(""), []);
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let list = "{\"username\":\"a\"}\n\n  \nx\n{\"username\":\"b\"}";
        assert_eq!(all(list), [(1, Ok("a".to_owned())), (4, Err(Fault::NotJson)), (5, Ok("b".to_owned()))]);
        let list = "username,secret_base32,display_name\na,x,\"two\nlines\"\n\nb,x,\nc\n";
        assert_eq!(all(list), [(2, Ok("a".to_owned())), (5, Ok("b".to_owned())), (6, Err(Fault::Columns))]);
    }

    #[test]
    fn a_line_without_end_is_not_held() {
        let list: &'static str =
            Box::leak(format!("{{\"a\":\"{}\"}}\n{{\"username\":\"b\"}}", "x".repeat(300_000)).into());
        assert_eq!(all(list), [(1, Err(Fault::TooLong)), (2, Ok("b".to_owned()))]);
    }

    #[test]
    fn a_header_is_needed_and_never_quoted() {
        let refused = |list: &'static str| rows(list.as_bytes(), None).err().unwrap().to_string();
        let without = refused("ana,GEZDGNBVGY3TQOJQ\n");
        assert!(without.contains("column 1") && !without.contains("GEZD"), "{without}");
        assert!(refused("username,email\n").contains("no column secret_base32"));
        assert!(refused("username,username,secret_base32\n").contains("twice"));
    }
}

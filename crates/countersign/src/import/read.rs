//! Reads a list line by line in any of its three formats. It never holds more than the beginning and one line.

use std::io::{BufRead, BufReader, Cursor, Read};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use zeroize::{Zeroize as _, Zeroizing};

use super::fault::Fault;
use super::fields::{Fields, NAMES};
use super::utf16::{Order, Utf16};
use super::{otpauth, parse, sniff};

/// Longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;
/// The byte order mark that Excel writes before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
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

type List = Box<dyn BufRead + Send>;

/// Bytes of the beginning that show the format.
const BEGINNING: u64 = 64 * 1024;

/// Opens a list. Its beginning shows the format, unless that is given. The error names a file that is not a list.
pub(super) fn rows(list: impl BufRead + Send + 'static, format: Option<Format>) -> anyhow::Result<Rows> {
    let (beginning, list) = beginning(list)?;
    let order = match beginning.as_slice() {
        [0xff, 0xfe, ..] => Order::Little,
        [0xfe, 0xff, ..] => Order::Big,
        _ => return text_rows(&beginning, list, format),
    };
    let (beginning, list) = self::beginning(BufReader::new(Utf16::new(list, order)))?;
    text_rows(&beginning, list, format)
}

/// The beginning of a list, and the whole list.
fn beginning(mut list: impl BufRead + Send + 'static) -> anyhow::Result<(Zeroizing<Vec<u8>>, List)> {
    let mut beginning = Zeroizing::new(Vec::new());
    list.by_ref().take(BEGINNING).read_to_end(&mut beginning).context("the list cannot be read")?;
    let whole = Box::new(Cursor::new(beginning.clone()).chain(list));
    Ok((beginning, whole))
}

fn text_rows(beginning: &[u8], mut list: List, format: Option<Format>) -> anyhow::Result<Rows> {
    let marked = if beginning.starts_with(MARK) { MARK.len() } else { 0 };
    list.consume(marked);
    let beginning = &beginning[marked..];
    if beginning.trim_ascii().is_empty() {
        bail!("the file is empty");
    }
    if let Some(is) = sniff::name(beginning) {
        bail!(
            "this is {is}\nA list is JSON objects, otpauth:// addresses, a line each, or CSV with a header row of some of the columns {}",
            NAMES.join(", ")
        );
    }
    match format.unwrap_or_else(|| guess(beginning)) {
        Format::Csv => csv_rows(list, beginning),
        Format::Jsonl => Ok(Box::new(Lines::new(list, marked, parse::json))),
        Format::Otpauth => Ok(Box::new(Lines::new(list, marked, otpauth::read))),
    }
}

fn guess(beginning: &[u8]) -> Format {
    let beginning = beginning.trim_ascii_start();
    let is_scheme = |name: &[u8]| beginning.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if beginning.starts_with(b"{") {
        Format::Jsonl
    } else if is_scheme(b"otpauth:") || beginning.starts_with(b"#") {
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

    /// Reads a line into the buffer, but no more than [`MAX_LINE`] bytes. Returns the length of the line.
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

/// Separators of CSV. The first is the default.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The separator of a list, and whether its first line only names it (`sep=;`), as Excel writes.
fn separator(beginning: &[u8]) -> (u8, bool) {
    let mut lines = beginning.split(|byte| matches!(byte, b'\n' | b'\r'));
    let first = lines.next().unwrap_or_default().trim_ascii();
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] = first {
        return (*separator, true);
    }
    let header = beginning.trim_ascii_start().split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let known = |separator: u8| {
        let cells = header.split(move |byte| *byte == separator);
        cells.filter(|cell| column(cell.trim_ascii().trim_ascii_quotes()).is_some()).count()
    };
    let mut best = SEPARATORS[0];
    for separator in SEPARATORS {
        if known(separator) > known(best) {
            best = separator;
        }
    }
    (best, false)
}

trait Unquoted {
    fn trim_ascii_quotes(&self) -> &[u8];
}

impl Unquoted for [u8] {
    fn trim_ascii_quotes(&self) -> &[u8] {
        self.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(self)
    }
}

/// The column of this name.
fn column(name: &[u8]) -> Option<&'static str> {
    let name = std::str::from_utf8(name).ok()?.trim();
    NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

fn csv_rows(mut list: List, beginning: &[u8]) -> anyhow::Result<Rows> {
    let (separator, announced) = separator(beginning);
    let mut skipped = 0;
    if announced {
        list.read_until(b'\n', &mut Vec::new()).context("the list cannot be read")?;
        skipped = 1;
    }
    let plain = Plain { list, last: b'\n', after_return: false, ended: false };
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(separator).from_reader(plain);
    let header = reader.byte_headers().context("the list cannot be read")?;
    // Not quoted: without a header the first line is an entry, and holds a secret.
    if header.iter().all(|name| column(name).is_none()) {
        bail!(
            "this is none of the lists that can be read: its first line is no JSON object, no otpauth:// address, and \
             no header row with some of the columns {}",
            NAMES.join(", ")
        );
    }
    let mut columns = Vec::with_capacity(header.len());
    for name in header {
        let Some(known) = column(name) else {
            bail!(
                "column {} of the header has an unknown name; the columns are {}. Rename it, or leave it out",
                columns.len() + 1,
                NAMES.join(", ")
            );
        };
        if columns.contains(&known) {
            bail!("the header has the column {known} twice");
        }
        columns.push(known);
    }
    if !columns.contains(&"username") {
        bail!("the header has no column username");
    }
    Ok(Box::new(Records { reader, columns, record: csv::ByteRecord::new(), skipped }))
}

/// A list with equal line ends, also after the last line, so that lines can be counted: csv counts line feeds when it reaches
/// them, and may reach one only when it looks for the next record.
struct Plain<R> {
    list: R,
    last: u8,
    /// The last line ended with a carriage return: a line feed after it belongs to the same end.
    after_return: bool,
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
            for byte in &chunk[..taken] {
                let same_end = *byte == b'\n' && self.after_return;
                self.after_return = *byte == b'\r';
                if same_end {
                    continue;
                }
                self.last = if *byte == b'\r' { b'\n' } else { *byte };
                into[length] = self.last;
                length += 1;
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
    /// Lines in front of the header.
    skipped: u64,
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
        let line = behind.line().saturating_sub(lines) + self.skipped;
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
        assert_eq!(all("OTPAUTH://totp/ana?secret=x"), ana());
    }

    #[test]
    fn a_spreadsheet_may_write_what_it_likes_between_values() {
        let ana = |line| vec![(line, Ok("ana".to_owned()))];
        assert_eq!(all("username;secret_base32\r\nana;x\r\n"), ana(2));
        assert_eq!(all("username\tsecret_base32\nana\tx\n"), ana(2));
        assert_eq!(all("\"username\"|\"secret_base32\"\nana|x\n"), ana(2));
        assert_eq!(all("sep=;\r\nusername;secret_base32\r\nana;x\r\n"), ana(3));
        assert_eq!(all("sep=,\nusername,secret_base32\nana,x"), ana(3));
        assert_eq!(all("username,secret_base32\rana,x\r"), ana(2), "as old Macs end lines");
        assert_eq!(all("username\nana\n"), ana(2));
        for big in [false, true] {
            let text = "\u{feff}username;secret_base32\r\n\u{1f600}ana;x\r\n";
            let units = text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
            let list: &'static [u8] = Box::leak(units.collect());
            let names: Vec<_> = rows(list, None).unwrap().map(|row| row.unwrap().fields.unwrap().username).collect();
            assert_eq!(names, [Some("\u{1f600}ana".to_owned())]);
        }
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
        assert!(without.contains("no header row") && !without.contains("GEZD"), "{without}");
        assert!(refused("username,GEZDGNBVGY3TQOJQ\n").contains("column 2"));
        assert!(refused("email,secret_base32\n").contains("no column username"));
        assert!(refused(" \n").contains("empty"));
        assert!(refused("username,username,secret_base32\n").contains("twice"));
    }
}

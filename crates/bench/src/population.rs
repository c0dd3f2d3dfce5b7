//! Installations with many devices. A list is written and imported into a data folder once. Every run works on a copy, so
//! that every code in the original stays fresh.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xtask::server::{ApiClient, command};
use xtask::step::{output, run as run_command};
use xtask::terminal;

use crate::clock;
use crate::device::{Device, Token};
use crate::wire::request;

/// Most devices of an installation that are driven. They are spread over all devices, in random order.
const DRIVEN: usize = 300_000;

/// How many devices, and on how many users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Population {
    pub(crate) devices: usize,
    pub(crate) per_user: usize,
}

/// An imported device, as the map of the import lists it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportedDevice {
    #[serde(rename = "user_id")]
    pub(crate) user: i64,
    #[serde(rename = "device_id")]
    pub(crate) device: i64,
    secret_base32: String,
    counter: u64,
}

/// An imported population: the API client and the devices.
pub(crate) struct Dataset {
    pub(crate) client: ApiClient,
    pub(crate) devices: Vec<ImportedDevice>,
}

impl ImportedDevice {
    /// The token that makes its codes.
    pub(crate) fn token(&self) -> Result<Token> {
        let secret = BASE32_NOPAD.decode(self.secret_base32.as_bytes()).context("a secret that is not Base32")?;
        Ok(Token::new(&secret, self.counter))
    }

    /// The device with its verification over version 1.
    pub(crate) fn device(&self, authorization: &str) -> Result<Device> {
        let path = format!("/api/1/users/{}/otp_devices/{}/verify", self.user, self.device);
        Ok(Device::new(self.token()?, self.user, |body| request("POST", &path, authorization, body)))
    }
}

impl Population {
    /// Copies this population's data folder to `folder/data`. Imports it below `kept` first, unless it is there.
    pub(crate) fn provide(self, binary: &Path, kept: &Path, folder: &Path) -> Result<Dataset> {
        let home = kept.join(format!("{}x{}", self.devices, self.per_user));
        let marker = home.join("complete");
        if !marker.exists() {
            if home.exists() {
                std::fs::remove_dir_all(&home).with_context(|| format!("cannot clear {}", home.display()))?;
            }
            std::fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
            self.import(binary, &home, None)?;
            std::fs::write(&marker, "")?;
        }
        run_command(Command::new("cp").arg("-a").arg(home.join("data")).arg(folder.join("data")))?;
        written_back(folder)?;
        Dataset::read(&home)
    }

    /// Imports it into `home/data`, or into a database. Writes the client and the devices to drive into `home`.
    pub(crate) fn import(self, binary: &Path, home: &Path, database_url: Option<&str>) -> Result<()> {
        let (list, map) = (home.join("list.jsonl"), home.join("map.jsonl"));
        self.write_list(&list)?;
        let place = |asked: &mut Command| {
            asked.arg("--data-dir").arg(home.join("data")).arg("--json");
            if let Some(url) = database_url {
                asked.args(["--database-url", url]);
            }
        };
        let mut import = command(binary);
        import.arg("import").arg(&list).arg("--map-out").arg(&map);
        place(&mut import);
        let began = clock::now();
        let summary: Value = serde_json::from_str(&output(&mut import)?).context("an import without a summary")?;
        let came = (summary["devices"].as_u64(), summary["rejected"].as_u64());
        ensure!(came == (Some(self.devices as u64), Some(0)), "the import came to something else: {summary}");
        let seconds = began.elapsed().as_secs_f64();
        terminal::say(&format!("{} devices, {} a user, imported in {seconds:.1} s.", self.devices, self.per_user));
        let mut create = command(binary);
        create.args(["client", "create", "--scope", "Manage All", "--name", "bench"]);
        place(&mut create);
        std::fs::write(home.join("client.json"), output(&mut create)?)?;
        self.sample(&map, &home.join("devices.jsonl"))?;
        // The whole list and its map take gigabytes and are not needed again.
        std::fs::remove_file(list)?;
        std::fs::remove_file(map)?;
        Ok(())
    }

    fn write_list(self, path: &Path) -> Result<()> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut list = BufWriter::with_capacity(1 << 18, file);
        let mut random = SplitMix64(self.devices as u64);
        for number in 0..self.devices {
            let words = [random.next(), random.next(), random.next()].map(u64::to_be_bytes);
            let secret = BASE32_NOPAD.encode(&words.as_flattened()[..20]);
            let user = number / self.per_user;
            writeln!(list, r#"{{"username":"bench{user}","type":"hotp","secret_base32":"{secret}"}}"#)?;
        }
        list.flush()?;
        Ok(())
    }

    fn sample(self, map: &Path, sample: &Path) -> Result<()> {
        let every = self.devices.div_ceil(DRIVEN);
        let mut kept = BufWriter::new(File::create(sample)?);
        for (number, line) in BufReader::new(File::open(map)?).lines().enumerate() {
            if number % every == 0 {
                writeln!(kept, "{}", line?)?;
            }
        }
        kept.flush()?;
        Ok(())
    }
}

impl Dataset {
    /// Reads the files of an import in this folder.
    pub(crate) fn read(home: &Path) -> Result<Self> {
        let read = |name: &str| -> Result<String> {
            let path: PathBuf = home.join(name);
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let client = serde_json::from_str(&read("client.json")?).context("a client without a secret")?;
        let text = read("devices.jsonl")?;
        let mut devices = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<ImportedDevice>, _>>()
            .context("a map without devices")?;
        // The map has the order of the database; users come in random order.
        let mut random = SplitMix64(1);
        for last in (1..devices.len()).rev() {
            #[expect(clippy::cast_possible_truncation, reason = "below the length of a list")]
            let other = (random.next() % (last as u64 + 1)) as usize;
            devices.swap(last, other);
        }
        Ok(Self { client, devices })
    }
}

/// Waits until written data is on the disk: otherwise the first windows would pay for gigabytes of it.
pub(crate) fn written_back(folder: &Path) -> Result<()> {
    run_command(Command::new("sync").arg("-f").arg(folder))
}

/// Random numbers that are the same in every run. That is enough for secrets of test devices.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_each_device_and_its_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        Population { devices: 3, per_user: 2 }.write_list(&path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let users: Vec<_> = lines.iter().map(|line| line["username"].as_str().unwrap()).collect();
        assert_eq!(users, ["bench0", "bench0", "bench1"]);
        assert_ne!(lines[0]["secret_base32"], lines[1]["secret_base32"]);
        assert_eq!(lines[0]["secret_base32"].as_str().unwrap().len(), 32);
    }
}

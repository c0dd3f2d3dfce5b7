//! The configuration of the cluster: the blocks of `docs/operate/high-availability.md`, with addresses on loopback and
//! other folders. So the blocks that an operator copies are tested.

use std::path::Path;

use anyhow::{Context as _, Result};

const PAGE: &str = include_str!("../../../../docs/operate/high-availability.md");

/// The members' numbers, which are also the ends of their addresses.
pub(super) const MEMBERS: [u8; 3] = [1, 2, 3];

/// The page's configuration, moved to a part of loopback that only this run uses.
#[derive(Debug, Clone)]
pub(super) struct ClusterPlan {
    /// What addresses begin with, as `127.31.7.`.
    network: String,
    /// The folder of PostgreSQL's programs.
    bin: String,
}

impl ClusterPlan {
    /// The plan for these programs. The process id separates runs on one machine.
    pub(super) fn new(bin: &Path) -> Self {
        let number = std::process::id();
        let network = format!("127.{}.{}.", 16 + (number >> 8) % 200, number % 256);
        Self { network, bin: bin.display().to_string() }
    }

    /// The settings of a member's etcd, as variables of its environment.
    pub(super) fn etcd(&self, member: u8, folder: &Path) -> Result<Vec<(String, String)>> {
        let text = self.moved(block("sh", "ETCD_NAME")?, member, folder);
        Ok(text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }

    /// A member's `patroni.yml`.
    pub(super) fn patroni(&self, member: u8, folder: &Path) -> Result<String> {
        Ok(self.moved(block("yaml", "synchronous_mode: true")?, member, folder))
    }

    /// The content of `haproxy.cfg`.
    pub(super) fn haproxy(&self) -> Result<String> {
        // haproxy requires a newline at the end.
        Ok(self.elsewhere(block("haproxy", "httpchk")?) + "\n")
    }

    /// The statements that create the role and the database.
    pub(super) fn database() -> Result<impl Iterator<Item = &'static str>> {
        Ok(block("sql", "CREATE DATABASE")?.lines())
    }

    /// The database's URL over all hosts.
    pub(super) fn url(&self) -> Result<String> {
        let url = self.elsewhere(block("text", "target_session_attrs")?);
        Ok(with_password(url.trim()))
    }

    /// The database's URL through haproxy.
    pub(super) fn url_through_haproxy(&self) -> String {
        with_password(&format!("postgres://countersign@{}/countersign", self.address(0)))
    }

    /// The URL of a member's database for its superuser.
    pub(super) fn url_of(&self, member: u8) -> String {
        format!("postgres://postgres:change-me-1@{}/postgres?connect_timeout=2", self.address(member))
    }

    /// Where a member is; member 0 is haproxy.
    pub(super) fn address(&self, member: u8) -> String {
        format!("{}1{member}", self.network)
    }

    /// The page shows the first member. Lines that name all members are valid for each.
    fn moved(&self, block: &str, member: u8, folder: &Path) -> String {
        let own = |line: &str| {
            if line.contains("10.0.0.12") {
                return line.to_owned();
            }
            line.replace("10.0.0.11", &format!("10.0.0.1{member}")).replace("db1", &format!("db{member}"))
        };
        let text = block.lines().map(own).collect::<Vec<_>>().join("\n");
        let folder = folder.display();
        self.elsewhere(&text)
            .replace("/var/lib/postgresql/15/countersign", &format!("{folder}/data"))
            .replace("/var/lib/etcd/countersign", &format!("{folder}/etcd"))
            .replace("/run/postgresql", &folder.to_string())
            .replace("/usr/lib/postgresql/15/bin", &self.bin)
    }

    fn elsewhere(&self, text: &str) -> String {
        // On loopback all connections come from 127.0.0.1.
        text.replace("10.0.0.0/24", "127.0.0.0/8").replace("10.0.0.", &self.network)
    }
}

fn with_password(url: &str) -> String {
    url.replace("countersign@", "countersign:change-me-3@")
}

/// The page's block in this language that contains this text.
fn block(language: &str, words: &str) -> Result<&'static str> {
    let blocks = PAGE.split("\n```").skip(1).step_by(2);
    let inside = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    let mut found = inside.filter(|block| block.contains(words));
    found.next().with_context(|| format!("docs/operate/high-availability.md has no block of {language} about {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_block_and_nothing_of_it_leaves_loopback() {
        let plan = ClusterPlan::new(Path::new("/opt/postgres/bin"));
        let folder = Path::new("/tmp/member");
        let etcd = plan.etcd(2, folder).unwrap();
        assert!(etcd.contains(&("ETCD_NAME".into(), "db2".into())));
        assert!(etcd.contains(&("ETCD_DATA_DIR".into(), "/tmp/member/etcd".into())));
        let patroni = plan.patroni(2, folder).unwrap();
        assert!(patroni.contains("name: db2") && patroni.contains("data_dir: /tmp/member/data"), "{patroni}");
        let url = plan.url().unwrap();
        assert!(url.starts_with("postgres://countersign:") && url.ends_with("=read-write"), "{url}");
        assert_eq!(ClusterPlan::database().unwrap().count(), 2);
        let everything = format!("{etcd:?}{patroni}{url}{}", plan.haproxy().unwrap());
        assert!(!everything.contains("10.0.0.") && !everything.contains("/var/"), "{everything}");
    }
}

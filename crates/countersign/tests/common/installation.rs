//! An installation that `serve` runs, with the configuration that a test needs.

use serde_json::Value;

use super::{Http, Running, run_json};

/// An installation with this configuration, and a client that manages everything.
pub struct Installation {
    pub folder: tempfile::TempDir,
}

impl Installation {
    pub fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("countersign.toml"), config).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub fn with(&self, command: &[&str]) -> Vec<String> {
        let shown = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let place = ["--config".to_owned(), shown("countersign.toml"), "--data-dir".to_owned(), shown("data")];
        command.iter().map(|arg| (*arg).to_owned()).chain(place).collect()
    }

    pub fn json(&self, command: &[&str]) -> Value {
        let args = self.with(command);
        run_json(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A running server, and a caller with a token.
    pub fn serve(&self) -> (Running, Http) {
        self.serve_with(&[])
    }

    /// The same, with the address of its metrics.
    pub fn serve_watched(&self) -> (Running, Http, String) {
        let admin = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (server, api) = self.serve_with(&["--admin-listen", &admin]);
        (server, api, admin)
    }

    fn serve_with(&self, flags: &[&str]) -> (Running, Http) {
        let args = self.with(&[&["serve"], flags].concat());
        let server = Running::start(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let client = self.json(&["client", "create", "--scope", "Manage All", "--json"]);
        let mut api = server.http();
        api.authorize(&client);
        (server, api)
    }

    pub fn user(&self, name: &str) -> i64 {
        let email = format!("{name}@example.com");
        let user = self.json(&["user", "create", "--username", name, "--email", &email, "--json"]);
        user["id"].as_i64().unwrap()
    }
}

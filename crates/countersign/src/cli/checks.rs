//! What `config check` and `doctor` look at, one function for each subject, so that both say the same. None changes anything.

use anyhow::Context as _;
use config::Config;
use domain::model::time::DAY;
use store::Looked;

use crate::admin;
use crate::installation::{self, data_dir, disk};

/// The result of a check.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Causes for which a start would fail.
    pub(crate) faults: Vec<String>,
    /// What deserves a look, and does not prevent a start.
    pub(crate) warnings: Vec<String>,
    /// The versions of the schema between which the next start migrates.
    pub(crate) schema: Option<(i64, i64)>,
}

impl Findings {
    fn judge(&mut self, judged: anyhow::Result<()>) -> bool {
        let sound = judged.is_ok();
        self.faults.extend(judged.err().map(|error| format!("{error:#}")));
        sound
    }
}

/// Everything that a server needs for its start.
pub(crate) async fn all(config: &Config, found: &mut Findings) {
    settings(config, found);
    certificates(config, found);
    webhooks(config, found);
    admin(config, found);
    ready_file(config, found);
    room(config, found);
    // A fault of the folder is a fault of the database in it.
    if !data_folder(config, found) && config.storage.database.postgres().is_none() {
        return;
    }
    if let Some(looked) = database(config, found).await {
        master_key(config, &looked, found);
    }
}

/// What is wrong with settings by themselves.
pub(crate) fn settings(config: &Config, found: &mut Findings) {
    found.warnings.extend(config.notes.iter().cloned());
    found.judge(config.check_listen());
    found.judge(config.check_links());
    found.judge(config.delivery.check());
    found.judge(installation::words_of(config).map(drop));
    let routes = installation::providers::configured(config);
    let prices = installation::prices::configured(config);
    if let (Ok(routes), Ok(Some(prices))) = (&routes, &prices) {
        let now = engine::Clock::now(&engine::clock::SystemClock);
        found.warnings.extend(installation::prices::cautions(prices, routes, now));
    }
    if let (Ok(routes), Ok(prices)) = (&routes, &prices) {
        found.judge(installation::prices::check(config.messages.caps, prices.as_ref(), routes));
    }
    found.judge(prices.map(drop));
    match routes {
        Ok(routes) => found.warnings.extend(installation::providers::cautions(&routes)),
        Err(error) => found.faults.push(format!("{error:#}")),
    }
}

/// The authorities that calls to webhooks trust.
pub(crate) fn webhooks(config: &Config, found: &mut Findings) {
    let caller = delivery::webhook::Caller::new(config.webhooks.ca_file.as_deref());
    found.judge(caller.map(drop).context("webhooks.ca_file"));
}

/// Who may read at the admin listener.
pub(crate) fn admin(config: &Config, found: &mut Findings) {
    if config.admin.listen.is_some() {
        found.judge(admin::Readers::configured(config).map(drop));
    }
}

/// Whether the ready file can be written.
pub(crate) fn ready_file(config: &Config, found: &mut Findings) {
    if let Some(parent) =
        config.listen.ready_file.as_ref().and_then(|file| file.parent()).filter(|p| !p.as_os_str().is_empty())
    {
        let whole = if parent.is_dir() { Ok(()) } else { Err(format!("{} is no folder", parent.display())) };
        let judged = whole.and_then(|()| disk::check(parent, "--ready-file"));
        found.judge(judged.map_err(anyhow::Error::msg).context("ready_file"));
    }
}

/// The room on the disk.
pub(crate) fn room(config: &Config, found: &mut Findings) {
    found.warnings.extend(disk::little_room(&config.storage.data_dir));
}

/// Whether a server would accept the data folder.
pub(crate) fn data_folder(config: &Config, found: &mut Findings) -> bool {
    found.judge(data_dir::check(&config.storage.data_dir))
}

/// The database and its schema, if it can be opened.
pub(crate) async fn database(config: &Config, found: &mut Findings) -> Option<Looked> {
    match installation::look(config).await {
        Ok(looked) => {
            found.judge(installation::serves(&looked));
            let ends = looked.pending.first().zip(looked.pending.last()).filter(|_| looked.is_sealed());
            found.schema = ends.map(|(first, last)| (first.version - 1, last.version));
            Some(looked)
        }
        Err(error) => {
            found.faults.push(format!("{error:#}"));
            None
        }
    }
}

/// Whether the master key fits the database.
pub(crate) fn master_key(config: &Config, looked: &Looked, found: &mut Findings) {
    found.judge(installation::master_key::check(config, looked.key_check.clone()));
}

/// Days before the end of a certificate at which warnings begin.
const LAST_DAYS: i64 = 14;

/// The names and the ends of the certificates.
pub(crate) fn certificates(config: &Config, found: &mut Findings) {
    let seen = match web::tls::look(&config.tls.certificates) {
        Ok(seen) => seen,
        Err(error) => {
            let error = anyhow::Error::new(error).context("TLS cannot be served with these certificates");
            return found.faults.push(format!("{error:#}"));
        }
    };
    let now = engine::Clock::now(&engine::clock::SystemClock).0;
    for (file, ends) in seen.iter().filter_map(|seen| Some((seen.chain.display(), seen.ends?))) {
        let day = onelogin::wire_time::with_seconds(ends);
        if ends <= now {
            found.warnings.push(format!("the certificate in {file} ended at {day}: clients refuse it"));
        } else if ends <= now + LAST_DAYS * DAY {
            found.warnings.push(format!("the certificate in {file} ends at {day}"));
        }
    }
    let host =
        config.account.public_url.as_ref().and_then(|url| url::Url::parse(url).ok()?.host_str().map(str::to_owned));
    if let Some(host) = host.filter(|host| !seen.is_empty() && !seen.iter().any(|seen| seen.is_for(host))) {
        found.warnings.push(format!("no certificate is for {host}, the host of public_url"));
    }
}

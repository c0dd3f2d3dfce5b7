//! What to say when there is no installation at the configured place, and which one may have been meant.

use std::path::{Path, PathBuf};

use config::{Config, Database};

/// An error that names the place, a similar installation nearby if there is one, and the commands that create one.
pub(crate) fn absent(config: &Config) -> anyhow::Error {
    match &config.storage.database {
        Database::Postgres(postgres) => anyhow::anyhow!(
            "there is no installation in {}; name another database with --database-url. To make one here, start `countersign \
             serve` on it, or give `client create` or `user create` --init",
            postgres.shown()
        ),
        Database::Sqlite => {
            let dir = config.storage.data_dir.display();
            match nearby(&config.storage.data_dir) {
                Some(other) => anyhow::anyhow!(
                    "there is no installation in {dir}; did you mean --data-dir {}? To make one here, start \
                     `countersign serve` on it, or give `client create` or `user create` --init",
                    other.display()
                ),
                None => anyhow::anyhow!(
                    "there is no installation in {dir}; name its folder with --data-dir. To make one here, start \
                     `countersign serve` on it, or give `client create` or `user create` --init"
                ),
            }
        }
    }
}

/// An installation around the named place, beside it under a similar name, or at a usual place.
fn nearby(dir: &Path) -> Option<PathBuf> {
    let inside = ["data", "countersign"].map(|name| dir.join(name));
    let around = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_owned);
    let usual = [config::default_data_dir(), PathBuf::from("/var/lib/countersign"), PathBuf::from("data")];
    let first = around.into_iter().chain(inside).find(|place| is_one(place));
    first.or_else(|| beside(dir)).or_else(|| usual.into_iter().find(|place| is_one(place)))
}

/// The installation beside `dir` with the most similar name, if it is similar enough.
fn beside(dir: &Path) -> Option<PathBuf> {
    let name = dir.file_name()?.to_str()?;
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let others = std::fs::read_dir(parent).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let near = others.map(|other| (config::distance(name, &other), other));
    let near = near
        .filter(|(distance, other)| *distance > 0 && *distance <= 2 + name.len() / 4 && is_one(&parent.join(other)));
    near.min().map(|(_, other)| parent.join(other))
}

fn is_one(place: &Path) -> bool {
    place.join("db").join("countersign.db").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_meant_is_found() {
        let home = tempfile::tempdir().unwrap();
        let made = home.path().join("countersign-prod");
        std::fs::create_dir_all(made.join("db")).unwrap();
        assert_eq!(beside(&home.path().join("countersign-prd")), None, "a folder of another kind");
        std::fs::write(made.join("db/countersign.db"), "").unwrap();
        assert_eq!(nearby(&home.path().join("countersign-prd")).as_deref(), Some(made.as_path()));
        assert_eq!(nearby(&made.join("db")).as_deref(), Some(made.as_path()));
    }
}

//! `cargo xtask check`: the laws of the house that neither compiler nor clippy can read. Each law returns its
//! complaints; one complaint fails the chore, after all of them have been said.

mod dependencies;
mod files;
mod layers;
mod requirements;
mod rows;
mod siblings;

use anyhow::{Result, bail};

use crate::metadata::Metadata;
use crate::places::Places;
use crate::terminal;

/// What is wrong, in sentences that say what to do.
type Complaints = Vec<String>;

/// The chore.
pub(crate) fn run() -> Result<()> {
    let places = Places::find()?;
    let tree = Metadata::of(&places.root)?;
    let files = files::read(&places.root.join("crates"))?;
    let (long, unfinished) = (files::long(&files), files::unfinished(&files));
    let laws: [(&str, Complaints); 9] = [
        ("domain stays pure", layers::domain_is_pure(&tree)),
        ("crates depend downwards only", layers::downwards_only(&tree)),
        ("endpoints of one dialect do not name one another", siblings::apart(&files)),
        ("every dependency has its reason", dependencies::explained(&places.root)?),
        ("every dependency is used", dependencies::used(&tree, &places.root)?),
        ("nothing is left unfinished", unfinished),
        ("every row of the contract's tables is tested", rows::named(&places.root, &files)?),
        ("every built requirement names its tests", requirements::shown(&places.root, &files)?),
        ("links, index and marks of the documents hold", crate::docs::complaints(&places.root)?),
    ];
    let mut broken = 0;
    for (law, complaints) in &laws {
        terminal::say(&format!("{} {law}", if complaints.is_empty() { "ok    " } else { "BROKEN" }));
        for complaint in complaints {
            terminal::say(&format!("         {complaint}"));
        }
        broken += complaints.len();
    }
    for warning in long {
        terminal::say(&format!("warn   {warning}"));
    }
    if broken > 0 {
        bail!("{broken} complaints");
    }
    Ok(())
}

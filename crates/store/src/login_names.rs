//! The table of names that people log in with: how its rows are read, changed and first filled.
//!
//! It is keyed by `(key, place)`. A key is given out at place 0, and only while no other row holds it at any place, so
//! the database itself decides between two who want it at once. Other places exist only where rows collided when
//! migration 9 filled the table.

use domain::UserId;
use domain::model::name::{HeldName, Holder, LoginNames};

use crate::error::{Error, UniqueField};
use crate::schema::columns::NAME_HOLDER;
use crate::schema::sql;
use crate::step::Step;
use crate::value::{Row, Value, Write, params};

/// A key and a holder of it.
pub(crate) fn holder(row: &dyn Row) -> Result<(String, Holder), Error> {
    let text = |is: usize, text: usize| {
        Ok::<_, Error>(if row.int(is)? == 0 { None } else { row.opt_text(text)?.map(str::to_owned) })
    };
    let (username, email) =
        (text(NAME_HOLDER.is_username, NAME_HOLDER.username)?, text(NAME_HOLDER.is_email, NAME_HOLDER.email)?);
    let user = UserId(row.int(NAME_HOLDER.user_id)?);
    Ok((row.text(NAME_HOLDER.key)?.to_owned(), Holder { user, username, email }))
}

/// What turns the names that a user holds into others. Each name that is new must be free.
pub(crate) fn moved(UserId(user): UserId, from: &LoginNames, to: &LoginNames, steps: &mut Vec<Step>) {
    let (before, after) = (from.held(), to.held());
    let mut write = |write: Write| steps.push(Step::Write(write));
    for lost in before.iter().filter(|old| after.iter().all(|new| new.key != old.key)) {
        write(Write::new(sql::RELEASE_NAME, params![lost.key.as_str(), user]));
    }
    for new in &after {
        let old = before.iter().find(|old| old.key == new.key);
        if old == Some(new) {
            continue;
        }
        let HeldName { key, username, email } = new;
        let more_username = username.is_some() && old.is_none_or(|old| old.username != *username);
        let more_email = email.is_some() && old.is_none_or(|old| old.email != *email);
        let taken = Error::Conflict(if more_username { UniqueField::Username } else { UniqueField::Email });
        write(match old {
            None => {
                let params = params![key.as_str(), user, username.is_some(), email.is_some()];
                Write::new(sql::CLAIM_NAME, params).or(taken)
            }
            // Another spelling of what the user holds already: not while others hold it too, or two could end up alike.
            Some(_) if more_username || more_email => {
                let params = params![username.is_some(), email.is_some(), key.as_str(), user];
                Write::new(sql::RESPELL_NAME, params).or(taken)
            }
            Some(_) => {
                let params = params![username.is_some(), email.is_some(), key.as_str(), user];
                Write::new(sql::RELABEL_NAME, params)
            }
        });
    }
}

/// The rows that migration 9 fills the table with. Gathered in one text, so that millions of names take little more
/// memory than their letters.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    keys: String,
    rows: Vec<Filled>,
}

#[derive(Debug, Clone, Copy)]
struct Filled {
    start: usize,
    length: u32,
    username: bool,
    email: bool,
    user: i64,
}

/// Users read at a time while the table is filled.
pub(crate) const FILL_PIECE: usize = 10_000;
/// After how many users progress is logged.
const PROGRESS: usize = 100_000;

impl Filling {
    pub(crate) fn add(&mut self, user: i64, username: Option<&str>, email: Option<&str>) {
        let names = LoginNames { username: username.map(str::to_owned), email: email.map(str::to_owned) };
        for held in names.held() {
            let start = self.keys.len();
            self.keys.push_str(&held.key);
            let length = u32::try_from(held.key.len()).unwrap_or(u32::MAX);
            self.rows.push(Filled {
                start,
                length,
                username: held.username.is_some(),
                email: held.email.is_some(),
                user,
            });
        }
    }

    fn key(&self, row: &Filled) -> &str {
        &self.keys[row.start..row.start + row.length as usize]
    }

    /// The rows in the order of their keys, each with its place.
    pub(crate) fn rows(mut self) -> impl Iterator<Item = Vec<Value>> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_unstable_by(|one, other| self.key(one).cmp(self.key(other)).then(one.user.cmp(&other.user)));
        let mut last: Option<Filled> = None;
        rows.into_iter().map(move |row| {
            let key = self.key(&row);
            let collides = last.is_some_and(|last| self.key(&last) == key);
            let place = if collides { row.user } else { 0 };
            last = Some(row);
            params![key, place, row.user, row.username, row.email]
        })
    }
}

/// Logs how far the filling is, now and then.
pub(crate) fn log_progress(before: usize, users: usize) {
    if before / PROGRESS != users / PROGRESS {
        tracing::info!(users, "indexing the names that people log in with");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colliding_rows_are_filled_in_side_by_side() {
        let mut filling = Filling::default();
        filling.add(7, Some("Bob "), None);
        filling.add(3, Some("bob"), Some("BOB"));
        filling.add(5, Some("\u{200b}"), Some("a@b.example"));
        filling.add(9, None, Some("bob"));
        let rows: Vec<_> = filling.rows().collect();
        assert_eq!(
            rows,
            [
                params!["a@b.example", 0, 5, false, true],
                params!["bob", 0, 3, true, true],
                params!["bob", 7, 7, true, false],
                params!["bob", 9, 9, false, true],
            ]
        );
    }
}

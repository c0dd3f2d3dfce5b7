//! The users that a group of decisions is about, from their lock to the statement that writes them all.

use std::collections::{HashMap, VecDeque};

use domain::{SecretMac, UserId};

use super::load::Subject;
use crate::apply::About;
use crate::query::AuditChain;
use crate::trail::Head;
use crate::user_state::UserState;
use crate::value::Write;

/// The states of locked users.
#[derive(Default)]
pub(super) struct States {
    users: HashMap<UserId, UserState>,
    /// The heads of chains of users that do not exist.
    left: HashMap<UserId, Head>,
}

impl States {
    /// `users` are those that exist, `heads` are those of all other locked chains.
    pub(super) fn new(users: HashMap<UserId, UserState>, heads: &HashMap<(i64, i64), Head>) -> Self {
        let of_user = |((kind, id), head): (&(i64, i64), &Head)| {
            (AuditChain::User(UserId(*id)).numbers().0 == *kind).then(|| (UserId(*id), head.clone()))
        };
        Self { users, left: heads.iter().filter_map(of_user).collect() }
    }

    /// The user that a decision is about.
    pub(super) fn about<'a>(
        &'a mut self,
        subject: Subject,
        recalled: &'a HashMap<SecretMac, i64>,
    ) -> Option<About<'a>> {
        subject.user().map(|user| About { user, state: self.of(user), recalled })
    }

    /// The state of a user that is locked. One that does not exist may have left a chain.
    pub(super) fn of(&mut self, user: UserId) -> &mut UserState {
        let left = &self.left;
        self.users.entry(user).or_insert_with(|| UserState::without_row(left.get(&user).cloned().unwrap_or_default()))
    }

    /// What is written of each user besides the row.
    pub(super) fn writes_beside(&mut self) -> Vec<VecDeque<Write>> {
        let changed = self.users.iter_mut().filter(|(_, state)| state.is_changed());
        changed.map(|(user, state)| state.writes_beside(*user).into()).collect()
    }

    /// The users whose rows are to be written, in the order in which they were locked.
    pub(super) fn into_changed(self) -> Vec<(UserId, UserState)> {
        let mut changed: Vec<_> = self.users.into_iter().filter(|(_, state)| state.is_changed()).collect();
        changed.sort_unstable_by_key(|(user, _)| user.0);
        changed
    }
}

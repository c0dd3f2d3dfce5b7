//! Who logs in with which name, and which names are held by several users.

use domain::UserId;
use domain::model::name::{Holder, key, meant};

use super::handle::Store;
use crate::error::Error;
use crate::login_names::holder;
use crate::schema::sql;
use crate::value::Value;

/// Users that hold one key between them. They keep it until all but one have another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// By ascending id; two or more.
    pub holders: Vec<Holder>,
}

impl Store {
    /// The user who logs in with this name, a user name or a mail address.
    pub async fn user_by_login(&self, name: &str) -> Result<Option<UserId>, Error> {
        Ok(meant(name, &self.holders(name).await?))
    }

    /// The user with this user name.
    pub async fn user_by_username(&self, name: &str) -> Result<Option<UserId>, Error> {
        let holders = self.holders(name).await?.into_iter().filter(|holder| holder.username.is_some());
        Ok(meant(name, &holders.map(|holder| Holder { email: None, ..holder }).collect::<Vec<_>>()))
    }

    /// Everybody who holds the key of this name; more than one only where rows collide.
    pub async fn holders(&self, name: &str) -> Result<Vec<Holder>, Error> {
        let key = key(name);
        if key.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.listed(sql::NAME_HOLDERS, vec![key.into()], holder).await?;
        Ok(found.into_iter().map(|(_, holder)| holder).collect())
    }

    /// Users of earlier versions whose names collide, in the order of keys. At most `limit` users in all.
    pub async fn collisions(&self, limit: u32) -> Result<Vec<Collision>, Error> {
        let limit = Value::Int(limit.into());
        let found = self.listed(sql::COLLISIONS, vec![limit], holder).await?;
        let alike = |one: &(String, Holder), other: &(String, Holder)| one.0 == other.0;
        let groups = found.chunk_by(alike).filter(|group| group.len() > 1);
        let listed = |group: &[(String, Holder)]| group.iter().map(|(_, holder)| holder.clone()).collect();
        Ok(groups.map(|group| Collision { holders: listed(group) }).collect())
    }

    /// How many names are held by several users.
    pub async fn colliding_names(&self) -> Result<u64, Error> {
        let found = self.find_number(sql::COLLIDING_NAMES, Vec::new()).await?;
        Ok(found.unwrap_or(0).unsigned_abs())
    }
}

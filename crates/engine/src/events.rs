//! What happened, with the names that people know.

use std::collections::HashMap;

use domain::{AuditKind, Client, FactorKind, View};
use store::{AuditRow, EventFilter, EventPage};

use crate::{Engine, Fault};

/// An entry of the audit trail.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id, unique in the installation.
    pub id: i64,
    pub kind: AuditKind,
    /// The entry as it is stored.
    pub entry: AuditRow,
    /// The user's name to log in with, if the user is still there.
    pub user_name: Option<String>,
    /// The device's name, if the device is still there.
    pub device_name: Option<String>,
    /// Its factor, if the device is still there.
    pub factor: Option<FactorKind>,
    /// The API caller, where one acted.
    pub caller: Option<Client>,
}

/// A page of events.
#[derive(Debug, Clone)]
pub struct EventList {
    /// The events, in the page's direction.
    pub events: Vec<Event>,
    /// After which event to go on, if there may be more.
    pub next: Option<i64>,
}

impl Engine {
    /// Events that match, by id.
    pub async fn events(&self, filter: &EventFilter, page: EventPage) -> Result<EventList, Fault> {
        let found = self.store.events(filter, page).await?;
        Ok(EventList { events: self.named(found.entries).await?, next: found.next })
    }

    /// Entries of the audit trail with the names of those concerned.
    pub(crate) async fn named(&self, entries: Vec<(i64, AuditRow)>) -> Result<Vec<Event>, Fault> {
        let clients = self.store.clients().await?;
        let mut views: HashMap<_, View> = HashMap::new();
        let mut events = Vec::with_capacity(entries.len());
        for (id, entry) in entries {
            if let Some(user) = entry.user
                && !views.contains_key(&user)
            {
                // A user that this version cannot read has no names here, and keeps no list of others from its reader.
                let view = match self.store.view(user).await {
                    Ok(view) => view,
                    Err(error @ store::Error::Corrupt(_)) => {
                        tracing::warn!(user = user.0, %error, "the names of a user cannot be read");
                        View::default()
                    }
                    Err(error) => return Err(error.into()),
                };
                views.insert(user, view);
            }
            let view = entry.user.and_then(|user| views.get(&user));
            let user = view.and_then(|view| view.user.as_ref());
            let device = view.zip(entry.device).and_then(|(view, device)| view.device(device));
            // An entry of a later version has a kind that this one does not know.
            let Some(kind) = AuditKind::from_name(&entry.kind) else { continue };
            events.push(Event {
                id,
                kind,
                user_name: user.and_then(|user| user.username.clone().or_else(|| user.email.clone())),
                device_name: device.map(|device| device.display_name.clone()),
                factor: device.map(|device| device.factor),
                caller: entry.client.and_then(|caller| clients.iter().find(|client| client.id == caller).cloned()),
                entry,
            });
        }
        Ok(events)
    }
}

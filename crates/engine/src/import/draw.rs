//! Finds out which tokens of a person are here already, and draws and seals the others.

use std::ops::Range;

use domain::model::name;
use domain::model::user_patch::UserPatch;
use domain::rules::import::{self, CarriedCounter, ImportField, Incoming, Revised, Unfit};
use domain::{Credential, Device, DeviceId, DeviceStatus, User, UserId};
use store::IdKind;
use tokio::sync::Mutex;

use super::drawn_ids::DrawnIds;
use super::tried::Outcomes;
use super::{Import, ImportError, ImportOutcome, Person, Token};
use crate::Fault;

/// Ids reserved at a time: at most this many of each kind stay unused.
const STOCK: u16 = 1024;

impl Import {
    /// Finds out which tokens are here already, and draws and seals the others.
    pub(super) async fn draw(
        &self,
        person: &Person,
        said: &UserPatch,
        names: &[&str],
        ids: &DrawnIds,
        known: Option<User>,
        here: &[Device],
    ) -> Result<(Incoming, Outcomes), ImportError> {
        let drawn = match &known {
            Some(user) => user.id,
            None => UserId(match ids.user {
                Some(id) => id,
                None => self.next_id(&self.users, IdKind::User).await?,
            }),
        };
        let mut ready = ids.devices.iter().copied();
        let now = self.engine.now();
        let mut seen: Vec<(DeviceId, Credential)> = Vec::with_capacity(here.len() + person.tokens.len());
        for device in here {
            seen.push((device.id, self.engine.open_credential(device)?));
        }
        let mut devices: Vec<Device> = Vec::new();
        let mut revised: Vec<Revised> = Vec::new();
        let mut found = Vec::with_capacity(person.tokens.len());
        for (token, name) in person.tokens.iter().zip(names) {
            if let Some((id, other)) = seen.iter().find(|(_, other)| import::same_token(other, &token.credential)) {
                let stored = here.iter().find(|device| device.id == *id);
                let Some(device) = stored.or_else(|| devices.iter().find(|device| device.id == *id)) else { continue };
                let mut fields = import::token_differences(other, device, &token.credential, token.counter);
                let says_otherwise = |said: &String| name::spelling(said) != name::spelling(&device.display_name);
                if token.display_name.as_ref().is_some_and(says_otherwise) {
                    fields.push(ImportField::DisplayName);
                }
                // Of two lines about one device the first counts.
                let first = stored.is_some() && !revised.iter().any(|revised| revised.device == *id);
                let update = person.update && first;
                if update && !fields.is_empty() {
                    let kept = self.engine.seal_credential(*id, drawn, &token.credential)?;
                    revised.push(Revised {
                        device: *id,
                        was: device.credential.clone(),
                        credential: kept.sealed,
                        secret: kept.secret,
                        display_name: token.display_name.clone(),
                        spent: spent(other, token)?,
                    });
                }
                found.push((*id, ImportOutcome::of(fields, update)));
                continue;
            }
            let id = DeviceId(match ready.next() {
                Some(id) => id,
                None => self.next_id(&self.devices, IdKind::Device).await?,
            });
            let factor = token.credential.kind();
            let last_counter = match &token.credential {
                Credential::Hotp(_) => import::last_counter(token.counter)?,
                // What was used of it here is remembered by its secret.
                _ => domain::model::device::BEFORE_FIRST_COUNTER,
            };
            let kept = self.engine.seal_credential(id, drawn, &token.credential)?;
            devices.push(Device {
                id,
                user_id: drawn,
                factor,
                display_name: (*name).to_owned(),
                status: DeviceStatus::Active,
                credential: kept.sealed,
                secret: kept.secret,
                last_counter,
                created_at: now,
                last_used_at: None,
                subscription: None,
            });
            seen.push((id, token.credential.clone()));
            found.push((id, ImportOutcome::New));
        }
        let compared = here.iter().map(|device| device.id).collect();
        let user = match &known {
            Some(known) => ImportOutcome::of(import::user_differences(known, said), person.update),
            None => ImportOutcome::New,
        };
        let update = person.update;
        let incoming = Incoming { user: said.clone(), known, drawn, devices, compared, revised, update };
        Ok((incoming, Outcomes { person: user, devices: found }))
    }

    /// The ids of somebody new. If they cannot be drawn now, each is drawn when it is needed.
    pub(super) async fn draw_ids(&self, tokens: usize) -> DrawnIds {
        let user = self.next_id(&self.users, IdKind::User).await.ok();
        let mut devices = Vec::with_capacity(tokens);
        for _ in 0..tokens {
            devices.extend(self.next_id(&self.devices, IdKind::Device).await.ok());
        }
        DrawnIds { user, devices }
    }

    async fn next_id(&self, stock: &Mutex<Range<i64>>, kind: IdKind) -> Result<i64, Fault> {
        let mut stock = stock.lock().await;
        if stock.is_empty() {
            *stock = self.engine.store.reserve_ids(kind, STOCK).await?;
        }
        stock.next().ok_or(Fault::Busy)
    }
}

/// How what is spent is counted once `here` is as the list says.
fn spent(here: &Credential, said: &Token) -> Result<CarriedCounter, Unfit> {
    Ok(match (here, &said.credential) {
        (Credential::Totp(here), Credential::Totp(said)) => {
            CarriedCounter::Steps { from: here.period, to: said.period }
        }
        _ => CarriedCounter::AtLeast(import::last_counter(said.counter)?),
    })
}

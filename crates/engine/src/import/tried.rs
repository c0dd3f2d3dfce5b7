//! What was tried for a person, where it is unknown whether a try was kept.

use domain::{DeviceId, UserId};

use super::{Fate, Imported};

/// What was tried to be made of a person. Whether a try was kept may be unknown, and then the next look shows it: what is
/// here under an id that was drawn for this person and nobody else, or is as this list says, was made by a try (SEC 80).
#[derive(Debug, Default)]
pub(super) struct Tried {
    user: Option<(UserId, Fate)>,
    devices: Vec<(DeviceId, Fate)>,
}

impl Tried {
    pub(super) fn note(&mut self, user: UserId, fates: &Fates) {
        let made = |fate: &Fate| matches!(fate, Fate::New | Fate::Updated);
        // What was new once may be looked at again, and stays new.
        if made(&fates.person) && self.user.as_ref().is_none_or(|(before, _)| *before != user) {
            self.user = Some((user, fates.person.clone()));
        }
        for (id, fate) in fates.devices.iter().filter(|(_, fate)| made(fate)) {
            if !self.devices.iter().any(|(before, _)| before == id) {
                self.devices.push((*id, fate.clone()));
            }
        }
    }

    /// Tells what a try before has made as made.
    pub(super) fn claim(&self, imported: &mut Imported) {
        if let Some((user, fate)) = &self.user
            && *user == imported.user
            && imported.person == Fate::Same
        {
            imported.created = imported.created || *fate == Fate::New;
            imported.person = fate.clone();
        }
        for (id, fate) in &mut imported.devices {
            if let Some((_, made)) = self.devices.iter().find(|(tried, _)| tried == id)
                && *fate == Fate::Same
            {
                *fate = made.clone();
            }
        }
    }
}

/// What becomes of a person's parts.
pub(super) struct Fates {
    pub(super) person: Fate,
    pub(super) devices: Vec<(DeviceId, Fate)>,
}

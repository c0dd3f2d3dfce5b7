//! What was tried for a person, where it is unknown whether a try was kept.

use domain::{DeviceId, UserId};

use super::{ImportOutcome, Imported};

/// What was tried to be made of a person. Whether a try was kept may be unknown, and then the next look shows it: what is
/// here under an id that was drawn for this person alone, or is as this list says, was made by a try (SEC 80).
#[derive(Debug, Default)]
pub(super) struct Tried {
    user: Option<(UserId, ImportOutcome)>,
    devices: Vec<(DeviceId, ImportOutcome)>,
}

impl Tried {
    pub(super) fn note(&mut self, user: UserId, outcomes: &Outcomes) {
        let made = |outcome: &ImportOutcome| matches!(outcome, ImportOutcome::New | ImportOutcome::Updated);
        // What was new once may be looked at again, and stays new.
        if made(&outcomes.person) && self.user.as_ref().is_none_or(|(before, _)| *before != user) {
            self.user = Some((user, outcomes.person.clone()));
        }
        for (id, outcome) in outcomes.devices.iter().filter(|(_, outcome)| made(outcome)) {
            if !self.devices.iter().any(|(before, _)| before == id) {
                self.devices.push((*id, outcome.clone()));
            }
        }
    }

    /// Tells what a try before has made as made.
    pub(super) fn claim(&self, imported: &mut Imported) {
        if let Some((user, outcome)) = &self.user
            && *user == imported.user
            && imported.person == ImportOutcome::Same
        {
            imported.created = imported.created || *outcome == ImportOutcome::New;
            imported.person = outcome.clone();
        }
        for (id, outcome) in &mut imported.devices {
            if let Some((_, made)) = self.devices.iter().find(|(tried, _)| tried == id)
                && *outcome == ImportOutcome::Same
            {
                *outcome = made.clone();
            }
        }
    }
}

/// What becomes of a person's parts.
pub(super) struct Outcomes {
    pub(super) person: ImportOutcome,
    pub(super) devices: Vec<(DeviceId, ImportOutcome)>,
}

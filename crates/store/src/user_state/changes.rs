//! What each change does to a user's state. A change that must find what it changes fails the decision if it does not: what the
//! decision grants must not be granted then (SEC 1).

use domain::model::session::{Begun, Terms};
use domain::{
    AskedFrom, Challenge, ClientId, DeviceId, Digest, KeyedHash, LinkChallenge, Secret, Session, SessionId,
    SessionKind, Status, Throttle, ThrottleKey, Timestamp, Verification, VerificationEnd, VerificationId, View,
};

use super::parts::KnownVerification;
use super::state::{KEEP_RESULT, MOST_RESULTS, UserState};
use crate::error::{Error, UniqueField};
use crate::query::Swept;

pub(super) const MISSED: Error = Error::Corrupt("a change found nothing to change");

/// What a clean-up of one user did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tidied {
    /// Verifications and sessions whose time was over.
    pub(crate) closed: u64,
    /// Results that nothing may read any more.
    pub(crate) results: u64,
    /// Hidden devices whose registration is over.
    pub(crate) devices: Vec<DeviceId>,
}

impl Tidied {
    /// Adds what was removed to what a clean-up has removed.
    pub(crate) fn add_to(&self, swept: &mut Swept) {
        swept.closed += self.closed;
        swept.verifications += self.results;
        swept.devices += self.devices.len() as u64;
    }
}

impl UserState {
    /// The user has a row from now on.
    pub(crate) fn create(&mut self) {
        (self.exists, self.changed) = (true, true);
        // The new row has none yet.
        self.before.head = None;
    }

    /// The row is gone, and with it all but what was used of secrets.
    pub(crate) fn delete(&mut self) {
        let devices = std::mem::take(&mut self.view.devices);
        for device in &devices {
            self.remember(device);
        }
        self.view = View::default();
        self.ended.clear();
        self.clients.clear();
        (self.exists, self.changed) = (false, true);
    }

    // ---- verifications

    pub(crate) fn open_verification(&mut self, asked: Verification) -> Result<(), Error> {
        let known = self.view.verifications.iter().map(|other| &other.wire_id);
        if known.chain(self.ended.iter().map(|other| &other.wire_id)).any(|other| *other == asked.wire_id) {
            return Err(Error::Conflict(UniqueField::WireId));
        }
        if !self.exists {
            return Err(MISSED);
        }
        self.take_in(asked);
        self.changed = true;
        Ok(())
    }

    /// Ends a verification that is pending. What an end grants must not have ended meanwhile.
    pub(crate) fn close_verification(&mut self, id: VerificationId, end: VerificationEnd) -> Result<(), Error> {
        let Some(place) = self.pending(id) else {
            return if matches!(end, VerificationEnd::Accepted { .. }) { Err(MISSED) } else { Ok(()) };
        };
        let asked = &mut self.view.verifications[place];
        asked.status = end.into();
        // A phone that was paired may lose the answer, and shows the code and the same key again.
        if asked.paired_with().is_none() {
            asked.challenge = wiped(&asked.challenge);
        }
        self.settle(place);
        Ok(())
    }

    pub(crate) fn consume_verification(&mut self, id: VerificationId, at: Timestamp) -> Result<(), Error> {
        let place = self.view.verifications.iter().position(|asked| asked.id == id).ok_or(MISSED)?;
        match &mut self.view.verifications[place].status {
            Status::Accepted { collected: collected @ None, .. }
            | Status::Rejected { collected: collected @ None, .. } => {
                *collected = Some(at);
            }
            _ => return Err(MISSED),
        }
        self.settle(place);
        Ok(())
    }

    pub(crate) fn count_attempt(&mut self, id: VerificationId) {
        if let Some(place) = self.pending(id)
            && let Status::Pending { attempts } = &mut self.view.verifications[place].status
        {
            *attempts += 1;
            self.changed = true;
        }
    }

    pub(crate) fn replace_state_token(&mut self, id: VerificationId, token: Digest) {
        if let Some(place) = self.pending(id) {
            self.view.verifications[place].state_token = Some(token);
            self.changed = true;
        }
    }

    pub(crate) fn replace_challenge(&mut self, id: VerificationId, wire_id: String, challenge: Challenge) {
        if let Some(place) = self.pending(id) {
            let asked = &mut self.view.verifications[place];
            (asked.wire_id, asked.challenge) = (wire_id, challenge);
            self.changed = true;
        }
    }

    /// Ends all that a client has begun. Gives the verifications that have ended.
    pub(crate) fn end_client(&mut self, client: ClientId) -> Vec<VerificationId> {
        let of_client = |asked: &Verification| asked.client_id == Some(client);
        let ended = self.view.verifications.iter().filter(|asked| of_client(asked)).map(|asked| asked.id).collect();
        self.end_asked(of_client);
        let before = self.view.sessions.len();
        self.view.sessions.retain(|session| session.client_id != Some(client));
        self.changed |= self.view.sessions.len() < before || self.clients.contains(&client);
        self.clients.retain(|known| *known != client);
        ended
    }

    // ---- sessions

    pub(crate) fn open_session(&mut self, session: Session) -> Result<(), Error> {
        if !self.exists {
            return Err(MISSED);
        }
        self.take_in_session(session);
        self.changed = true;
        Ok(())
    }

    /// Ends a session. `must_be_open` says that what its end grants must not have been granted already.
    pub(crate) fn close_session(&mut self, id: SessionId, must_be_open: bool) -> Result<(), Error> {
        match self.view.sessions.iter().position(|session| session.id == id) {
            Some(place) => {
                self.view.sessions.remove(place);
                self.changed = true;
                Ok(())
            }
            None if must_be_open => Err(MISSED),
            None => Ok(()),
        }
    }

    pub(crate) fn count_log_in_attempt(&mut self, id: SessionId) {
        let found = self.view.sessions.iter_mut().find(|session| session.id == id);
        if let Some(SessionKind::LogIn { attempts, .. }) = found.map(|session| &mut session.kind) {
            *attempts += 1;
            self.changed = true;
        }
    }

    /// What was begun with an invitation. It must wait: what is begun with it is bound to it.
    pub(crate) fn set_begun(&mut self, id: SessionId, new: Vec<Begun>) -> Result<(), Error> {
        let found = self.view.sessions.iter_mut().find(|session| session.id == id);
        let Some(SessionKind::Invitation { begun, .. }) = found.map(|session| &mut session.kind) else {
            return Err(MISSED);
        };
        *begun = new;
        self.changed = true;
        Ok(())
    }

    pub(crate) fn set_terms(&mut self, id: SessionId, new: Terms) {
        let found = self.view.sessions.iter_mut().find(|session| session.id == id);
        if let Some(SessionKind::LogIn { terms, .. } | SessionKind::SessionToken { terms }) =
            found.map(|session| &mut session.kind)
        {
            *terms = new;
            self.changed = true;
        }
    }

    // ---- limits

    pub(crate) fn set_throttle(&mut self, throttle: Throttle) -> Result<(), Error> {
        if !self.exists {
            return Err(Error::Corrupt("a limit without a user"));
        }
        match self.view.throttles.iter_mut().find(|known| known.key == throttle.key) {
            Some(known) => *known = throttle,
            None => self.view.throttles.push(throttle),
        }
        self.changed = true;
        Ok(())
    }

    pub(crate) fn clear_throttle(&mut self, key: ThrottleKey) {
        self.view.throttles.retain(|known| known.key != key);
        self.changed = true;
    }

    // ---- the clean-up

    /// Ends what is over by `now`, and forgets results that nothing may read any more and devices that hide behind a
    /// registration that is over (decision 15).
    pub(crate) fn tidy(&mut self, now: Timestamp) -> Tidied {
        let mut tidied = Tidied::default();
        let open = |asked: &&Verification| asked.status.is_pending();
        let pending = self.view.verifications.iter().filter(open).count() + self.view.sessions.len();
        self.end_asked(|asked| asked.expires_at <= now);
        self.view.sessions.retain(|session| now < session.expires_at);
        let left = self.view.verifications.iter().filter(open).count() + self.view.sessions.len();
        tidied.closed = (pending - left) as u64;
        let kept = self.ended.len();
        self.ended.retain(|ended| now < ended.expires_at.plus(KEEP_RESULT));
        tidied.results = (kept - self.ended.len()) as u64;
        let hidden = self.view.devices.iter().filter(|device| self.is_left_behind(device)).map(|device| device.id);
        tidied.devices = hidden.collect();
        for device in &tidied.devices {
            self.delete_device(*device);
        }
        let asked = self.view.verifications.iter().map(|asked| asked.client_id);
        let live: Vec<_> = asked.chain(self.view.sessions.iter().map(|session| session.client_id)).flatten().collect();
        self.clients.retain(|client| live.contains(client));
        (self.changed, self.tidied) = (true, true);
        tidied
    }

    /// Puts a verification where it belongs.
    pub(crate) fn take_in(&mut self, asked: Verification) {
        if asked.is_kept() {
            self.is_begun_by(asked.client_id);
            self.view.verifications.push(asked);
        } else {
            self.keep_result(asked);
        }
    }

    /// Puts a session where it belongs.
    pub(crate) fn take_in_session(&mut self, session: Session) {
        self.is_begun_by(session.client_id);
        self.view.sessions.push(session);
    }

    // ---- pieces

    /// A client has begun something.
    fn is_begun_by(&mut self, client: Option<ClientId>) {
        if let Some(client) = client.filter(|client| !self.clients.contains(client)) {
            self.clients.push(client);
        }
    }

    fn pending(&self, id: VerificationId) -> Option<usize> {
        self.view.verifications.iter().position(|asked| asked.id == id && asked.status.is_pending())
    }

    /// Puts away a verification that decisions need to see no longer.
    fn settle(&mut self, place: usize) {
        self.changed = true;
        if !self.view.verifications[place].is_kept() {
            let asked = self.view.verifications.remove(place);
            self.keep_result(asked);
        }
    }

    /// Ends verifications that wait, without a result. Of those that have one nothing can be collected any more.
    pub(super) fn end_asked(&mut self, ends: impl Fn(&Verification) -> bool) {
        let (ended, live): (Vec<_>, _) =
            std::mem::take(&mut self.view.verifications).into_iter().partition(|asked| ends(asked));
        self.view.verifications = live;
        self.changed |= !ended.is_empty();
        for asked in ended {
            self.keep_result(asked);
        }
    }

    /// Keeps the result of a verification that has one.
    fn keep_result(&mut self, asked: Verification) {
        let Verification { id, wire_id, device_id, purpose, status, expires_at, .. } = asked;
        if matches!(status, Status::Accepted { .. } | Status::Rejected { .. }) {
            if self.ended.len() >= MOST_RESULTS {
                self.ended.remove(0);
            }
            self.ended.push(KnownVerification { id, wire_id, device_id, purpose, status, expires_at });
        }
    }
}

/// A challenge without what an answer was compared with (SEC 10). It keeps its kind and form, and recognises nothing.
fn wiped(challenge: &Challenge) -> Challenge {
    match challenge {
        Challenge::Own => Challenge::Own,
        Challenge::Untriggered => Challenge::Untriggered,
        Challenge::Code { hash: _, length, alphabet } => {
            Challenge::Code { hash: KeyedHash::NONE, length: *length, alphabet: *alphabet }
        }
        Challenge::Link(link) => Challenge::Link(LinkChallenge {
            token: Digest([0; 32]),
            code: link.code.map(|_| KeyedHash::NONE),
            redirect_to: None,
            asked: AskedFrom::default(),
        }),
        Challenge::Keypad { hash: _ } => Challenge::Keypad { hash: KeyedHash::NONE },
        Challenge::Approval { nonce: _, numbers, .. } => Challenge::Approval {
            nonce: Secret::new(Vec::new()),
            numbers: numbers.clone(),
            asked: AskedFrom::default(),
        },
        Challenge::Pairing { hash: _ } => Challenge::Pairing { hash: KeyedHash::NONE },
    }
}

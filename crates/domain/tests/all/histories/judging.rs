//! Proofs are judged, and what the rules say is compared with the books.

use super::*;

impl World {
    /// Has the rules judge a proof for `user`, and checks what they say against the books.
    pub(crate) fn judge(&mut self, proof: &Held, user: UserId, is_fresh: bool) {
        let view = self.db.view(user);
        let decision = match &proof.act {
            Act::Typed(target) => answer(&view, target, &proof.evidence, &self.by(), self.now),
            Act::Device(id, credential) => {
                let against = view.verification(*id).map_or(Challenge::Own, |asked| asked.challenge.clone());
                let heard = Heard::claimed(*id, against, proof.evidence.clone());
                answer_from_device(&view, &heard, credential.as_ref(), &context(), self.now)
            }
        };
        let (device, verification) = self.aimed(user, &proof.act);
        let verification = verification.cloned();
        let held_device = device.and_then(|id| self.db.device(id)).filter(|d| d.user_id == user).cloned();
        let was_locked = self.oracle.is_locked(user, device, self.now);
        match &decision.reply {
            Outcome::Accepted { device: by, .. } => {
                assert!(!was_locked, "accepted under a lock");
                assert_eq!(*by, device, "accepted with another device");
                assert_eq!(*by, held_device.as_ref().map(|d| d.id), "accepted with a device that is gone");
                self.accepted(proof, user, held_device.as_ref(), verification.as_ref());
            }
            Outcome::Refused(Reason::WrongCode) => {
                assert!(!was_locked, "evaluated under a lock");
                let is_untriggered = verification.as_ref().is_some_and(|v| v.challenge == Challenge::Untriggered);
                let wrong = match proof.evidence {
                    Evidence::Refuted(wrong) => wrong,
                    _ if is_untriggered => Digest::of(&[]),
                    _ => panic!("a right answer called wrong"),
                };
                if is_untriggered {
                    self.note("untriggered");
                } else if self.oracle.is_doubled(user, device, wrong, self.now) {
                    self.note("doubled");
                } else {
                    self.note("counted");
                    // What a phone answers comes from no client.
                    let reads = self.reads && matches!(proof.act, Act::Typed(_));
                    if reads {
                        self.note("counted for a reader");
                    }
                    self.oracle.count(user, device, wrong, reads, self.now);
                    if let Some(verification) = &verification {
                        *self.oracle.attempts.entry(verification.id).or_default() += 1;
                    }
                    if let Some(device) = held_device.filter(|d| self.oracle.disabled.contains(&d.id)) {
                        self.note(if device.status == DeviceStatus::Active { "disabled" } else { "discarded" });
                    }
                }
            }
            Outcome::Refused(Reason::Locked { .. }) => {
                self.note("locked");
                // Of an ended verification only the device its caller names is left to be judged.
                let named = match &proof.act {
                    Act::Typed(Target::Wire { device, .. }) => *device,
                    _ => None,
                };
                let by_name = named.is_some() && self.oracle.is_locked(user, named, self.now);
                assert!(was_locked || by_name, "a lock out of nothing");
            }
            Outcome::Refused(Reason::Replay) => {
                self.note("replayed");
                assert!(matches!(proof.evidence, Evidence::Proved(_)));
            }
            Outcome::Refused(Reason::Denied) => self.note("denied"),
            Outcome::Refused(Reason::NotOpen) => self.note("not open"),
            Outcome::Refused(_) | Outcome::Pending { .. } => {}
        }
        if is_fresh && proof.is_honest && !matches!(decision.reply, Outcome::Accepted { .. }) {
            self.assert_refusable(proof, user, device);
        }
        let reply = self.db.commit(decision);
        if let (Outcome::Refused(Reason::WrongCode | Reason::Denied), Act::Device(id, _)) = (reply, &proof.act) {
            let status = self.db.verification(*id).map(|v| v.status);
            assert!(matches!(status, Some(Status::Rejected { .. })), "no from the phone must be the end");
        }
    }

    pub(crate) fn accepted(
        &mut self,
        proof: &Held,
        user: UserId,
        device: Option<&Device>,
        verification: Option<&Verification>,
    ) {
        if let (Some(verification), Act::Typed(_)) = (verification, &proof.act)
            && matches!(verification.status, Status::Accepted { .. })
        {
            assert!(self.now < verification.expires_at, "collected too late");
            let is_new = self.oracle.spent.insert(Spent::Collected(verification.id));
            assert!(is_new, "a result collected twice");
            self.note("collected");
            return;
        }
        assert_eq!(proof.user, user, "evidence of one user accepted for another");
        assert!(proof.is_honest, "accepted what nobody answered");
        let Evidence::Proved(proved) = &proof.evidence else { panic!("accepted without a proof") };
        if let Some(verification) = verification {
            assert!(verification.status.is_pending(), "accepted after the end");
            assert!(self.now < verification.expires_at, "accepted too late");
            let is_new = self.oracle.spent.insert(Spent::Challenge(verification.id));
            assert!(is_new, "a challenge answered twice");
            if matches!(proof.act, Act::Typed(_)) {
                assert!(verification.challenge.takes_code(), "typed what is answered elsewhere");
                self.oracle.spent.insert(Spent::Collected(verification.id));
            }
        }
        match (proved.freshness(), device) {
            (Freshness::Counter(counter), Some(device)) => {
                let last = self.oracle.counters.entry(device.id).or_insert(BEFORE_FIRST_COUNTER);
                assert!(counter > *last, "counter {counter} accepted after {last}");
                *last = counter;
                assert!(self.oracle.spent.insert(Spent::Counter(device.id, counter)), "a counter accepted twice");
                let secret = match unseal(device) {
                    Credential::Totp(totp) => totp.secret,
                    Credential::Hotp(hotp) => hotp.secret,
                    _ => panic!("no such device has a counter"),
                };
                let code = hotp::code(&secret, Algorithm::Sha1, counter.cast_unsigned(), 6);
                assert_eq!(proof.said.as_ref(), Some(&code), "accepted a code of another counter");
                self.said.insert(device.id, code);
                self.note("accepted a counter");
            }
            (Freshness::ThisChallenge, Some(device)) => {
                let verification = verification.expect("a sent challenge has a verification");
                match verification.challenge {
                    Challenge::Approval { .. } => self.note("accepted an approval"),
                    Challenge::Link(_) if matches!(proof.act, Act::Device(..)) => self.note("accepted a link"),
                    Challenge::Code { .. }
                    | Challenge::Link(_)
                    | Challenge::Keypad { .. }
                    | Challenge::Pairing { .. } => {
                        let sent = self.codes.get(&verification.id.0);
                        assert_eq!(proof.said.as_ref(), sent, "accepted a code that was not sent");
                        self.note(match verification.challenge {
                            Challenge::Code { .. } => "accepted a code",
                            Challenge::Link(_) => "accepted a code beside a link",
                            Challenge::Keypad { .. } => "accepted keyed digits",
                            _ => "accepted a pairing",
                        });
                    }
                    Challenge::Own | Challenge::Untriggered => panic!("nothing was sent"),
                }
                if let Some(code) = &proof.said {
                    self.said.insert(device.id, code.clone());
                }
            }
            (freshness @ (Freshness::ThisToken | Freshness::Reusable), None) => {
                let token = self.db.view(user).user.and_then(|u| u.temp_token).expect("there is a token");
                assert!(self.now < token.expires_at, "accepted too late");
                assert_eq!(proof.said, self.temp_tokens.get(&user).cloned(), "accepted a token that is gone");
                assert_eq!(token.reusable, freshness == Freshness::Reusable);
                if !token.reusable {
                    let is_new = self.oracle.spent.insert(Spent::Token(token.hash.to_bytes()));
                    assert!(is_new, "a temporary token used twice");
                }
                self.note("accepted a temporary token");
            }
            (freshness, device) => panic!("{freshness:?} cannot prove {device:?}"),
        }
        if let Some(device) = device {
            self.oracle.proven.insert(device.id);
            self.oracle.devices.remove(&device.id);
        }
    }

    /// Fail-closed must not become closed: what was proved this very moment may be refused only for a reason.
    pub(crate) fn assert_refusable(&self, proof: &Held, user: UserId, device: Option<DeviceId>) {
        let Evidence::Proved(proved) = &proof.evidence else { return };
        let is_spent = match proved.freshness() {
            Freshness::Counter(counter) => {
                device.is_some_and(|id| self.oracle.counters.get(&id).is_some_and(|last| counter <= *last))
            }
            Freshness::ThisChallenge => !self.aimed(user, &proof.act).1.is_some_and(|v| v.is_open(self.now)),
            Freshness::ThisToken | Freshness::Reusable => {
                let token = self.db.view(user).user.and_then(|u| u.temp_token);
                token.is_some_and(|t| self.now >= t.expires_at || t.used_at.is_some())
            }
        };
        assert!(is_spent || self.oracle.is_locked(user, device, self.now), "a good proof was refused");
    }

    /// What must hold at any moment.
    pub(crate) fn check(&mut self) {
        let now = self.now;
        for (id, rows) in &self.db.users {
            let Some(user) = &rows.user else { continue };
            assert_eq!(user.is_barred(now), self.oracle.is_barred(*id, now), "a lock was forgotten or invented");
            assert!(rows.devices.len() <= MAX_DEVICES);
            let is_open = |v: &&Verification| v.is_open(now);
            let registering = |v: &&Verification| {
                let status = rows.devices.iter().find(|d| d.id == v.device_id).map(|d| d.status);
                v.purpose == Purpose::Enrol && status == Some(DeviceStatus::Registering)
            };
            assert!(rows.verifications.iter().filter(is_open).filter(registering).count() <= MAX_REGISTRATIONS);

            for device in &rows.devices {
                let of_device = || rows.verifications.iter().filter(|v| v.device_id == device.id && v.is_open(now));
                assert!(of_device().count() <= MAX_OPEN_PER_DEVICE);
                assert!(
                    of_device().filter(|v| v.challenge != Challenge::Own).count() <= 1,
                    "two challenges sent to one device"
                );
                if matches!(device.status, DeviceStatus::Active | DeviceStatus::Disabled) {
                    assert!(self.oracle.proven.contains(&device.id), "in use without a proof");
                }
                let disabled = self.oracle.disabled.contains(&device.id);
                assert_eq!(device.status == DeviceStatus::Disabled, disabled, "{device:?}");
                let counter = self.oracle.counters.get(&device.id).copied().unwrap_or(BEFORE_FIRST_COUNTER);
                assert_eq!(device.last_counter, counter, "the last counter is what was accepted last");
                let unique = device.factor.may_repeat()
                    || rows.devices.iter().filter(|d| d.factor == device.factor).count() == 1;
                assert!(unique, "two devices of a factor that cannot repeat");

                let throttle = self.db.throttle(*id, ThrottleKey::Device(device.id));
                let books = self.oracle.devices.get(&device.id).cloned().unwrap_or_default();
                assert_eq!(throttle.consecutive, books.consecutive, "a failure was forgotten or counted twice");
                assert_eq!(throttle.locked_until, books.until, "a lock was forgotten or invented");
            }
            for (key, books) in
                [(ThrottleKey::User, self.oracle.users.get(id)), (ThrottleKey::TempToken, self.oracle.tokens.get(id))]
            {
                let throttle = self.db.throttle(*id, key);
                let books = books.cloned().unwrap_or_default();
                assert_eq!(throttle.recent, books.moments, "a failure was forgotten or counted twice");
                assert_eq!(throttle.locked_until, books.until, "a lock was forgotten or invented");
            }
            for (session, end) in &rows.sessions {
                if let SessionKind::LogIn { attempts, .. } = session.kind {
                    let counted = self.oracle.log_in_attempts.get(&session.id).copied().unwrap_or_default();
                    assert_eq!(attempts, counted);
                    assert!(end.is_some() || attempts < 5, "open after five wrong answers");
                    let is_used = matches!(end, Some(SessionEnd::Used { .. }));
                    assert_eq!(is_used, self.oracle.spent.contains(&Spent::LogIn(session.id)), "completed by itself");
                }
                let known = self.oracle.ended_sessions.get(&session.id);
                assert!(known.is_none() || known == end.as_ref(), "an end was changed");
                if let Some(end) = end {
                    self.oracle.ended_sessions.insert(session.id, *end);
                }
            }
            for v in &rows.verifications {
                let collected = match v.status {
                    Status::Pending { attempts } => {
                        assert_eq!(attempts, self.oracle.attempts.get(&v.id).copied().unwrap_or_default());
                        assert!(attempts < 5, "open after five wrong answers");
                        assert!(!self.oracle.ended.contains_key(&v.id), "what has ended was opened again");
                        continue;
                    }
                    Status::Accepted { collected, .. } => {
                        assert!(self.oracle.spent.contains(&Spent::Challenge(v.id)), "accepted by itself");
                        collected
                    }
                    Status::Rejected { collected, .. } => collected,
                    Status::Expired => None,
                };
                let known = self.oracle.ended.entry(v.id).or_insert(v.status);
                let as_before = |collected| match v.status {
                    Status::Accepted { at, .. } => Status::Accepted { at, collected },
                    Status::Rejected { at, .. } => Status::Rejected { at, collected },
                    other => other,
                };
                // A result is collected once, and nothing else about an end changes.
                let waited = *known == as_before(None);
                assert!(waited || *known == as_before(collected), "an end was changed, or a result consumed again");
                *known = v.status;
            }
        }
        for message in &self.db.outbox {
            let status = self.db.verification(message.verification_id).map(|v| v.status);
            assert!(status.is_some_and(|s| s != Status::Expired), "a message about what was withdrawn");
        }
    }
}

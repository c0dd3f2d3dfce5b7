//! Taking users and devices over from another system: what a list may say, and how it meets what is here already.
//!
//! A list adds; it never takes away. A user who is here keeps every field they have, a device with the same secret is
//! left alone with its counter, and a list read twice changes nothing the second time. What the list says otherwise is
//! named, and set only if that was asked for; what is spent stays spent.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::model::audit::{Actor, AuditEvent, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::credential::Credential;
use crate::model::device::{BEFORE_FIRST_COUNTER, Device, MAX_DEVICES};
use crate::model::factor::FactorKind;
use crate::model::hotp::Algorithm;
use crate::model::id::DeviceId;
use crate::model::name::{is_login_name, key, spelling, trimmed};
use crate::model::seal::Sealed;
use crate::model::secret_mark::{Counts, SecretMark, significant};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::model::user::{EXTERNAL_ID, User};
use crate::model::user_patch::UserPatch;
use crate::rules::user;

/// The highest next counter a list may name: far beyond any token's life, and far from where numbers end.
pub const MAX_COUNTER: u64 = 1 << 53;

/// Why something in a list cannot be taken over. None of these sentences repeats what the list says: a column may have
/// been mistaken for another, and a report must never hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Neither TOTP nor HOTP.
    #[error("only totp and hotp devices can be imported")]
    Factor,
    /// Too short to be safe, or too long to be one.
    #[error("a secret has 10 to 64 bytes, that is 16 to 103 Base32 characters")]
    Secret,
    /// RFC 4226 section 5.3.
    #[error("digits are 6, 7 or 8")]
    Digits,
    /// Far from what authenticators show.
    #[error("a period has 15 to 120 seconds")]
    Period,
    #[error("the counter is too high")]
    Counter,
    /// Cannot be stored and shown (SEC 36).
    #[error("{0} is empty, too long, or holds characters that cannot be shown")]
    Text(&'static str),
    /// No number that can be called from anywhere.
    #[error("phone is not an international telephone number, as +4930123456")]
    Phone,
    /// Not a mail address.
    #[error("email is not a mail address")]
    Email,
}

/// Whether a credential from elsewhere may be used here.
pub fn judge(credential: &Credential) -> Result<(), Unfit> {
    let (secret, digits) = match credential {
        Credential::Totp(totp) => {
            if !(15..=120).contains(&totp.period) {
                return Err(Unfit::Period);
            }
            (&totp.secret, totp.digits)
        }
        Credential::Hotp(hotp) => (&hotp.secret, hotp.digits),
        Credential::Sms { .. } | Credential::Voice { .. } | Credential::Email { .. } | Credential::Push { .. } => {
            return Err(Unfit::Factor);
        }
    };
    if !(10..=64).contains(&secret.expose().len()) {
        return Err(Unfit::Secret);
    }
    if !(6..=8).contains(&digits) {
        return Err(Unfit::Digits);
    }
    Ok(())
}

/// The last counter of a device whose next code is made with `next`: RFC 4226's moving factor, less one.
pub fn last_counter(next: u64) -> Result<i64, Unfit> {
    let next = i64::try_from(next).ok().filter(|next| next.unsigned_abs() <= MAX_COUNTER).ok_or(Unfit::Counter)?;
    Ok(next - 1)
}

/// Whether a name from elsewhere may be shown here. An empty one says nothing and is refused.
pub fn judge_name(field: &'static str, value: &str) -> Result<(), Unfit> {
    if value.is_empty() || !text::is_name(value) { Err(Unfit::Text(field)) } else { Ok(()) }
}

/// Whether a user name from elsewhere may be kept here.
pub fn judge_username(value: &str) -> Result<(), Unfit> {
    if trimmed(value).is_some_and(is_login_name) { Ok(()) } else { Err(Unfit::Text("username")) }
}

/// Whether a telephone number from elsewhere may be kept here.
pub fn judge_phone(value: &str) -> Result<(), Unfit> {
    if trimmed(value).is_none_or(|written| text::phone(written).is_some()) { Ok(()) } else { Err(Unfit::Phone) }
}

/// Whether a mail address from elsewhere may be kept here.
pub fn judge_email(value: &str) -> Result<(), Unfit> {
    if trimmed(value).is_some_and(text::is_email) { Ok(()) } else { Err(Unfit::Email) }
}

/// The hash function of this name, in the spellings that lists use.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    let plain = name.trim().to_ascii_uppercase().replace('-', "");
    let all = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    all.into_iter().find(|known| plain.strip_prefix("HMAC").unwrap_or(&plain) == known.name())
}

/// What a list may say otherwise than what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields of a list")]
pub enum ImportField {
    Username,
    Email,
    Phone,
    Digits,
    Algorithm,
    Period,
    Counter,
    DisplayName,
}

impl ImportField {
    /// The name of the list's field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Digits => "digits",
            Self::Algorithm => "algorithm",
            Self::Period => "period",
            Self::Counter => "counter",
            Self::DisplayName => "display_name",
        }
    }
}

/// In which fields a list speaks of this user otherwise than what is here. What either does not say differs in nothing.
pub fn user_differences(here: &User, said: &UserPatch) -> Vec<ImportField> {
    let differs = |here: &Option<String>, said: &Option<Option<String>>| match (here, said) {
        (Some(here), Some(Some(said))) => key(here) != key(said),
        _ => false,
    };
    let fields = [
        (ImportField::Username, differs(&here.username, &said.username)),
        (ImportField::Email, differs(&here.email, &said.email)),
        (ImportField::Phone, differs(&here.phone, &said.phone)),
    ];
    fields.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
}

/// In which fields a list describes the same token otherwise than what is here. A counter behind ours is no difference:
/// the token was used since.
pub fn token_differences(here: &Credential, device: &Device, said: &Credential, next: u64) -> Vec<ImportField> {
    let mut fields = Vec::new();
    let mut compare = |field, differs: bool| {
        if differs {
            fields.push(field);
        }
    };
    match (here, said) {
        (Credential::Totp(here), Credential::Totp(said)) => {
            compare(ImportField::Digits, here.digits != said.digits);
            compare(ImportField::Algorithm, here.algorithm != said.algorithm);
            compare(ImportField::Period, here.period != said.period);
        }
        (Credential::Hotp(here), Credential::Hotp(said)) => {
            compare(ImportField::Digits, here.digits != said.digits);
            compare(ImportField::Counter, last_counter(next).is_ok_and(|last| last > device.last_counter));
        }
        _ => {}
    }
    fields
}

/// How what is spent is counted once a device is revised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarriedCounter {
    /// Time steps of other lengths, in seconds.
    Steps {
        from: u32,
        /// From now on.
        to: u32,
    },
    /// At least this counter.
    AtLeast(i64),
}

impl CarriedCounter {
    /// The last counter that corresponds to `last`: whatever time or code was spent stays spent.
    pub fn carried(self, last: i64) -> i64 {
        match self {
            Self::AtLeast(least) => last.max(least),
            Self::Steps { from, to } => {
                let used = Counts::Seconds(from).used(last);
                used.map_or(BEFORE_FIRST_COUNTER, |used| Counts::Seconds(to).last_counter(used))
            }
        }
    }
}

/// A device that is set to what the list says.
#[derive(Debug, Clone)]
pub struct Revised {
    pub device: DeviceId,
    /// The credential that was compared.
    pub was: Sealed,
    /// The corrected one.
    pub credential: Sealed,
    /// How its secret is recognised.
    pub secret: Option<SecretMark>,
    /// A name, if the list gives one.
    pub display_name: Option<String>,
    /// How what is spent is counted.
    pub spent: CarriedCounter,
}

/// Whether two credentials are the same token: same kind, same secret. Compared in constant time (SEC 45).
pub fn same_token(one: &Credential, other: &Credential) -> bool {
    let secrets = match (one, other) {
        (Credential::Totp(one), Credential::Totp(other)) => (&one.secret, &other.secret),
        (Credential::Hotp(one), Credential::Hotp(other)) => (&one.secret, &other.secret),
        _ => return false,
    };
    significant(secrets.0).ct_eq(significant(secrets.1)).into()
}

/// A user to take over, with what is drawn and sealed already.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// What the list says about the user.
    pub user: UserPatch,
    /// The user it belongs to, as a snapshot showed them; `None` creates one.
    pub known: Option<User>,
    /// The id of a user to create.
    pub drawn: crate::model::id::UserId,
    /// The devices that the snapshot did not show, sealed for the user's id.
    pub devices: Vec<Device>,
    /// The devices that the snapshot showed, whose secrets were compared with the list's.
    pub compared: Vec<DeviceId>,
    /// The devices to set to what the list says.
    pub revised: Vec<Revised>,
    /// Whether the user's fields are set to what the list says too.
    pub update: bool,
}

/// How a merge ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// The list is what is stored, or less.
    Merged {
        /// Whether the user is new.
        created: bool,
    },
    /// The user has changed since the snapshot: look again, since a new device may be one of the list's.
    Stale,
    /// The user name belongs to somebody with another id in the other system.
    OtherPerson,
    /// The user would have too many devices (SEC 35).
    TooManyDevices,
}

/// Merges a user and their devices into what is here. All or nothing.
pub fn merge(view: &View, incoming: &Incoming, context: &Actor, now: Timestamp) -> Decision<Merged> {
    let compared = |device: &Device| incoming.compared.contains(&device.id);
    let as_compared = |revised: &Revised| view.device(revised.device).is_some_and(|d| d.credential == revised.was);
    let whole = view.devices.iter().all(compared) && incoming.revised.iter().all(as_compared);
    if view.user.is_some() != incoming.known.is_some() || !whole {
        return Decision::reply(Merged::Stale);
    }
    if view.devices.len() + incoming.devices.len() > MAX_DEVICES {
        return Decision::reply(Merged::TooManyDevices);
    }
    let (id, created, mut changes) = match &view.user {
        None => {
            let created = user::create(incoming.drawn, &incoming.user, context, now);
            (incoming.drawn, true, created.changes)
        }
        Some(known) => {
            let Some(missing) = missing(known, &incoming.user, incoming.update) else {
                return Decision::reply(Merged::OtherPerson);
            };
            let changes = if missing == UserPatch::default() {
                Vec::new()
            } else {
                user::update(view, &missing, context, now).changes
            };
            (known.id, false, changes)
        }
    };
    for revised in &incoming.revised {
        let Some(device) = view.device(revised.device) else { return Decision::reply(Merged::Stale) };
        changes.push(Change::ReviseDevice {
            device: device.id,
            credential: revised.credential.clone(),
            secret: revised.secret,
            display_name: revised.display_name.clone().unwrap_or_else(|| device.display_name.clone()),
            last_counter: revised.spent.carried(device.last_counter),
        });
        let event = context.event(AuditKind::DeviceImported, id, now).device(device.id);
        changes.push(AuditEvent { reason: Some("revised"), ..event }.into());
    }
    for device in &incoming.devices {
        changes.push(Change::CreateDevice(device.clone()));
        changes.push(context.event(AuditKind::DeviceImported, id, now).device(device.id).into());
    }
    Decision::of(changes, Merged::Merged { created })
}

/// What the list knows about a user and we do not, or, for an `update`, know otherwise; `None` if it speaks of somebody
/// else.
fn missing(known: &User, said: &UserPatch, update: bool) -> Option<UserPatch> {
    let other = if update { user_differences(known, said) } else { Vec::new() };
    let fill = |field: ImportField, here: &Option<String>, said: &Option<Option<String>>| {
        if here.is_none() || other.contains(&field) { said.clone() } else { None }
    };
    let mut texts = Vec::new();
    for (name, value) in &said.texts {
        match known.profile.texts.get(name) {
            None => texts.push((name.clone(), value.clone())),
            Some(here) if name == EXTERNAL_ID && Some(spelling(here)) != value.as_deref().map(spelling) => return None,
            Some(_) => {}
        }
    }
    Some(UserPatch {
        username: fill(ImportField::Username, &known.username, &said.username),
        email: fill(ImportField::Email, &known.email, &said.email),
        phone: fill(ImportField::Phone, &known.phone, &said.phone),
        texts,
        ..UserPatch::default()
    })
}

/// The default name of a device from a list that gives it none.
pub fn default_name(factor: FactorKind) -> &'static str {
    if factor == FactorKind::Hotp { "Token" } else { "Authenticator" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::DeviceStatus;
    use crate::model::hotp::Hotp;
    use crate::model::id::UserId;
    use crate::model::seal::Sealed;
    use crate::model::secret::Secret;
    use crate::model::totp::Totp;

    const NOW: Timestamp = Timestamp(1_750_000_000_000);

    fn said(username: &str, external_id: Option<&str>) -> UserPatch {
        UserPatch {
            username: Some(Some(username.to_owned())),
            texts: external_id.map(|id| (EXTERNAL_ID.to_owned(), Some(id.to_owned()))).into_iter().collect(),
            ..UserPatch::default()
        }
    }

    fn device(id: i64) -> Device {
        Device {
            id: DeviceId(id),
            user_id: UserId(1),
            factor: FactorKind::Hotp,
            display_name: "Token".to_owned(),
            status: DeviceStatus::Active,
            credential: Sealed(vec![1]),
            secret: None,
            last_counter: -1,
            created_at: NOW,
            last_used_at: None,
            subscription: None,
        }
    }

    fn fresh(devices: &[i64]) -> Incoming {
        Incoming {
            user: said("ana", None),
            known: None,
            drawn: UserId(1),
            devices: devices.iter().map(|id| device(*id)).collect(),
            compared: Vec::new(),
            revised: Vec::new(),
            update: false,
        }
    }

    fn merged(view: &View, incoming: &Incoming) -> Decision<Merged> {
        merge(view, incoming, &Actor::default(), NOW)
    }

    fn stored(external_id: Option<&str>, devices: &[i64]) -> View {
        let user = user::create(UserId(1), &said("ana", external_id), &Actor::default(), NOW).reply;
        View { user: Some(user), devices: devices.iter().map(|id| device(*id)).collect(), ..View::default() }
    }

    fn for_known(view: &View, devices: &[i64]) -> Incoming {
        Incoming { known: view.user.clone(), compared: view.devices.iter().map(|d| d.id).collect(), ..fresh(devices) }
    }

    #[test]
    fn a_new_user_comes_with_all_devices_in_one_decision() {
        let decision = merged(&View::default(), &fresh(&[5, 6]));
        assert_eq!(decision.reply, Merged::Merged { created: true });
        let devices = decision.changes.iter().filter(|c| matches!(c, Change::CreateDevice(_))).count();
        let audited = decision.changes.iter().filter(|c| matches!(c, Change::Record(_))).count();
        assert_eq!((devices, audited), (2, 3));
    }

    #[test]
    fn a_list_read_twice_changes_nothing() {
        let view = stored(None, &[5]);
        let decision = merged(&view, &for_known(&view, &[]));
        assert_eq!(decision, Decision::reply(Merged::Merged { created: false }));
    }

    #[test]
    fn a_device_nobody_compared_sends_the_engine_back() {
        let view = stored(None, &[5]);
        let incoming = Incoming { compared: Vec::new(), ..for_known(&view, &[6]) };
        assert_eq!(merged(&view, &incoming), Decision::reply(Merged::Stale));
        assert_eq!(merged(&view, &fresh(&[6])).reply, Merged::Stale, "created meanwhile");
        assert_eq!(merged(&View::default(), &for_known(&view, &[6])).reply, Merged::Stale, "deleted meanwhile");
    }

    #[test]
    fn a_known_user_keeps_what_they_have_and_gains_what_they_lack() {
        let view = stored(None, &[]);
        let user = UserPatch { email: Some(Some("ana@example.com".to_owned())), ..said("other", Some("x1")) };
        let decision = merged(&view, &Incoming { user, ..for_known(&view, &[]) });
        let [Change::UpdateUser(user), Change::RenameUser { to, .. }, ..] = decision.changes.as_slice() else {
            panic!("{decision:?}")
        };
        assert_eq!(to.username.as_deref(), Some("ana"));
        assert_eq!(to.email.as_deref(), Some("ana@example.com"));
        assert_eq!(user.profile.texts.get(EXTERNAL_ID).map(String::as_str), Some("x1"));
    }

    #[test]
    fn a_user_name_of_somebody_else_is_refused() {
        let view = stored(Some("x1"), &[]);
        let incoming = Incoming { user: said("ana", Some("x2")), ..for_known(&view, &[5]) };
        assert_eq!(merged(&view, &incoming), Decision::reply(Merged::OtherPerson));
    }

    #[test]
    fn an_update_sets_what_differs_and_what_is_spent_stays_spent() {
        let view = stored(None, &[5]);
        let revised = Revised {
            device: DeviceId(5),
            was: Sealed(vec![1]),
            credential: Sealed(vec![2]),
            secret: None,
            display_name: None,
            spent: CarriedCounter::AtLeast(6),
        };
        let incoming = Incoming { revised: vec![revised], update: true, ..for_known(&view, &[]) };
        let decision = merged(&view, &incoming);
        let Some(Change::ReviseDevice { last_counter: 6, .. }) = decision.changes.first() else {
            panic!("{decision:?}")
        };
        let mut moved = view.clone();
        moved.devices[0].last_counter = 9;
        let decision = merged(&moved, &incoming);
        assert!(matches!(decision.changes[0], Change::ReviseDevice { last_counter: 9, .. }), "{decision:?}");
        moved.devices[0].credential = Sealed(vec![3]);
        assert_eq!(merged(&moved, &incoming), Decision::reply(Merged::Stale), "revised meanwhile");

        let said = UserPatch { email: Some(Some("new@example.com".to_owned())), ..said("ana", None) };
        let mut view = view;
        view.user.as_mut().unwrap().email = Some("old@example.com".to_owned());
        assert_eq!(user_differences(view.user.as_ref().unwrap(), &said), [ImportField::Email]);
        let kept = merged(&view, &Incoming { user: said.clone(), ..for_known(&view, &[]) });
        assert_eq!(kept.changes, []);
        let set = merged(&view, &Incoming { user: said, update: true, ..for_known(&view, &[]) });
        assert!(
            matches!(&set.changes[1], Change::RenameUser { to, .. } if to.email.as_deref() == Some("new@example.com"))
        );
    }

    #[test]
    fn no_second_of_a_spent_step_is_fresh_in_steps_of_another_length() {
        for (from, to) in [(30, 60), (60, 30), (30, 45), (45, 30), (30, 30), (15, 120), (120, 15)] {
            for last in [0_i64, 1, 57_000_001] {
                let carried = CarriedCounter::Steps { from, to }.carried(last);
                let end = (last + 1) * i64::from(from) - 1;
                assert!(end.div_euclid(i64::from(to)) <= carried, "{from} {to} {last}");
                assert!((end + 1 + i64::from(to)).div_euclid(i64::from(to)) > carried, "{from} {to} {last}");
            }
            assert_eq!(CarriedCounter::Steps { from, to }.carried(BEFORE_FIRST_COUNTER), BEFORE_FIRST_COUNTER);
        }
    }

    #[test]
    fn twenty_devices_are_the_most() {
        let many: Vec<i64> = (1..=20).collect();
        assert_eq!(merged(&View::default(), &fresh(&many)).reply, Merged::Merged { created: true });
        let view = stored(None, &many);
        assert_eq!(merged(&view, &for_known(&view, &[])).reply, Merged::Merged { created: false });
        assert_eq!(merged(&view, &for_known(&view, &[21])), Decision::reply(Merged::TooManyDevices));
    }

    #[test]
    fn what_no_authenticator_makes_is_unfit() {
        let totp = |bytes: usize| Totp::with_secret(Secret::new(vec![7; bytes]));
        let judged = |totp: Totp| judge(&Credential::Totp(totp));
        assert_eq!(judged(totp(20)), Ok(()));
        assert_eq!(judged(totp(10)), Ok(()));
        assert_eq!(judged(totp(64)), Ok(()));
        assert_eq!(judged(totp(9)), Err(Unfit::Secret));
        assert_eq!(judged(totp(65)), Err(Unfit::Secret));
        assert_eq!(judged(Totp { digits: 5, ..totp(20) }), Err(Unfit::Digits));
        assert_eq!(judged(Totp { digits: 8, ..totp(20) }), Ok(()));
        assert_eq!(judged(Totp { period: 14, ..totp(20) }), Err(Unfit::Period));
        assert_eq!(judged(Totp { period: 121, ..totp(20) }), Err(Unfit::Period));
        assert_eq!(judge(&Credential::Sms { phone: String::new() }), Err(Unfit::Factor));
        assert_eq!(last_counter(0), Ok(-1));
        assert_eq!(last_counter(7), Ok(6));
        assert_eq!(last_counter(u64::MAX), Err(Unfit::Counter));
    }

    #[test]
    fn a_token_is_known_by_its_kind_and_secret() {
        let secret = || Secret::new(vec![7; 20]);
        let hotp = |digits| Credential::Hotp(Hotp { secret: secret(), digits });
        assert!(same_token(&hotp(6), &hotp(8)));
        assert!(!same_token(&hotp(6), &Credential::Totp(Totp::with_secret(secret()))));
        assert!(!same_token(&hotp(6), &Credential::Hotp(Hotp { secret: Secret::new(vec![8; 20]), digits: 6 })));
    }

    #[test]
    fn a_hash_function_has_several_spellings() {
        for name in ["SHA256", "sha-256", "HmacSHA256", " sha256 "] {
            assert_eq!(algorithm(name), Some(Algorithm::Sha256), "{name}");
        }
        for name in ["", "md5", "SHA3-256"] {
            assert_eq!(algorithm(name), None, "{name}");
        }
    }
}

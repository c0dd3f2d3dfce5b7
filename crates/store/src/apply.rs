//! What each [`Change`] does: to the user's state in memory ([`crate::user_state`]), and as statements with parameters. Pure, and
//! the same for both databases: a new change stops the compiler here. Entries of the audit trail are numbered and chained in
//! [`crate::trail`].

use std::collections::HashMap;

use domain::model::name::LoginNames;
use domain::{
    Budget, Change, Client, DeviceId, DeviceStatus, Message, MessageId, Profile, SecretMac, SessionEnd, ShownStatus,
    Spent, TempToken, Timestamp, TokenSet, User, UserId, UserLock, VerificationId,
};

use crate::budgets;
use crate::dev_clock::DEV_CLOCK;
use crate::error::Error;
use crate::login_names;
use crate::query::{DevMessage, MessageOutcome};
use crate::rows::{UnderLock, scope_text};
use crate::schema::sql;
use crate::step::Step;
use crate::user_state::UserState;
use crate::value::{Value, Write, id, pack_moments, params};

/// The user a decision is about, as its transaction has it.
pub(crate) struct About<'a> {
    pub(crate) user: UserId,
    pub(crate) state: &'a mut UserState,
    /// What was used of the secrets that begin with this decision ([`beginning`]), with any user.
    pub(crate) recalled: &'a HashMap<SecretMac, i64>,
}

/// The secrets that devices bring that are made by these changes.
pub(crate) fn beginning(changes: &[Change]) -> impl Iterator<Item = SecretMac> {
    changes.iter().filter_map(|change| match change {
        Change::CreateDevice(device) => device.secret.map(|secret| secret.mac),
        _ => None,
    })
}

/// Carries out what `change` does to the user's state, and adds what else it does to `steps`, in order.
pub(crate) fn apply(change: Change, mut about: Option<&mut About<'_>>, steps: &mut Vec<Step>) -> Result<(), Error> {
    let about = &mut about;
    let mut write = |statement, params| steps.push(Step::Write(Write::new(statement, params)));
    match change {
        Change::CreateUser(user) => {
            create_user(user, steps);
            state(about)?.create();
        }
        Change::UpdateUser(user) => update_user(user, steps),
        Change::ForgetVisits(user) => write(sql::FORGET_VISITS, params![user.0]),
        Change::RenameUser { user, from, to } => {
            steps.push(must_hit(sql::RENAME_USER, params![to.username.clone(), to.email.clone(), user.0]));
            login_names::moved(user, &from, &to, steps);
        }
        Change::DeleteUser { user: UserId(id), names } => {
            write(sql::DELETE_USER_MESSAGES, params![id]);
            write(sql::DELETE_USER, params![id]);
            state(about)?.delete();
            login_names::moved(UserId(id), &names, &LoginNames::default(), steps);
        }
        Change::SetTempToken(user, token) => steps.push(Step::Write(set_temp_token(user, token))),

        Change::CreateDevice(device) => {
            let About { state, recalled, .. } = of(about)?;
            let found = device.secret.and_then(|secret| recalled.get(&secret.mac).copied());
            state.create_device(device, found)?;
        }
        Change::ActivateDevice { device, counter, credential, at } => {
            state(about)?.activate_device(device, counter, credential, at)?;
        }
        Change::AdvanceCounter { device, counter, at } => state(about)?.advance_counter(device, counter, at)?,
        Change::ReviseDevice { device, credential, secret, display_name, last_counter } => {
            state(about)?.revise_device(device, credential, secret, display_name, last_counter)?;
        }
        Change::MarkSecret { device, secret } => {
            state(about)?.mark_secret(device, secret)?;
        }
        Change::LowerCounter { device, counter } => state(about)?.lower_counter(device, counter)?,
        Change::TouchDevice { device, at } => state(about)?.touch_device(device, at)?,
        Change::Subscribe { device, subscription } => state(about)?.subscribe(device, subscription)?,
        Change::DisableDevice(device) => {
            state(about)?.change_status(device, DeviceStatus::Active, DeviceStatus::Disabled);
        }
        Change::EnableDevice(device) => {
            state(about)?.change_status(device, DeviceStatus::Disabled, DeviceStatus::Active);
        }
        Change::DeleteDevice(device) => {
            let About { user, state, .. } = of(about)?;
            steps.push(Step::Write(wipe_messages_of_device(*user, device)));
            state.delete_device(device);
        }

        Change::OpenVerification(verification) => state(about)?.open_verification(verification)?,
        Change::CloseVerification { verification, end } => {
            state(about)?.close_verification(verification, end)?;
        }
        Change::ConsumeVerification { verification, at } => state(about)?.consume_verification(verification, at)?,
        Change::CountAttempt(verification) => state(about)?.count_attempt(verification),
        Change::ReplaceStateToken { verification, hash } => state(about)?.replace_state_token(verification, hash),
        Change::ReplaceChallenge { verification, wire_id, challenge } => {
            state(about)?.replace_challenge(verification, wire_id, challenge);
        }

        Change::OpenSession(session) => state(about)?.open_session(session)?,
        Change::CloseSession { session, end } => {
            state(about)?.close_session(session, matches!(end, SessionEnd::Used { .. }))?;
        }
        Change::CountLogInAttempt(session) => state(about)?.count_log_in_attempt(session),
        Change::SetTerms { session, terms } => state(about)?.set_terms(session, terms),
        Change::SetBegun { session, begun } => state(about)?.set_begun(session, begun)?,

        Change::SetThrottle(_, throttle) => state(about)?.set_throttle(throttle)?,
        Change::ClearThrottle(_, key) => state(about)?.clear_throttle(key),

        Change::SetSpent(budget, spent) => steps.push(Step::Write(set_spent(budget, &spent))),

        Change::Enqueue(message) => steps.push(Step::Write(enqueue(message))),
        Change::DropMessages(verification) => {
            steps.push(Step::Write(wipe_messages(of(about)?.user, verification, "superseded")));
        }
        Change::MarkAnswered { verification, at } => write(sql::MARK_VERIFIED, params![at, id(verification)]),
        Change::GiveUpMessage { message, why, unspent, at } => {
            let ended = Ended { status: 2, reason: Some(why.name()), provider: None, unspent };
            steps.push(end_if_waiting(message, ended, at));
        }
        Change::SettleMessage { message, provider, unspent, at } => {
            steps.push(end_if_waiting(message, Ended::sent(provider, unspent), at));
        }

        Change::CreateClient(client) => steps.push(Step::Write(create_client(&client))),
        Change::UpdateClient(client) => steps.push(Step::Write(update_client(&client))),
        Change::SetWrongSecrets { client, at } => write(sql::SET_WRONG_SECRETS, params![pack_moments(&at), client.0]),
        Change::CreateTokenSet(set) => steps.push(Step::Write(create_token_set(set))),
        Change::ReplaceTokenSet { access } => steps.push(must_hit(sql::REPLACE_TOKEN, params![access])),
        Change::EndTokenFamily { client, family, at } => {
            write(sql::END_TOKEN_FAMILY, params![at, client.0, family]);
        }
        Change::EndTokens { client, at } => write(sql::END_TOKENS, params![at, client.0]),
        Change::EndBegun(client) => {
            let About { user, state, .. } = of(about)?;
            let ended = state.end_client(client).into_iter();
            steps.extend(ended.map(|verification| Step::Write(wipe_messages(*user, verification, "client"))));
        }

        Change::Record(event) => steps.push(Step::Record(event)),
    }
    Ok(())
}

/// The user that a decision must be about to make this change.
fn of<'a, 'b>(about: &'a mut Option<&mut About<'b>>) -> Result<&'a mut About<'b>, Error> {
    about.as_deref_mut().ok_or(Error::Corrupt("a change of a user without a user"))
}

fn state<'a>(about: &'a mut Option<&mut About<'_>>) -> Result<&'a mut UserState, Error> {
    Ok(&mut *of(about)?.state)
}

/// Wipes the messages of a verification that wait.
pub(crate) fn wipe_messages(user: UserId, verification: VerificationId, reason: &str) -> Write {
    Write::new(sql::WIPE_MESSAGES, params![Vec::new(), reason, user.0, id(verification)])
}

/// Wipes the messages of a device that wait.
pub(crate) fn wipe_messages_of_device(user: UserId, device: DeviceId) -> Write {
    Write::new(sql::WIPE_DEVICE_MESSAGES, params![Vec::new(), user.0, device.0])
}

fn must_hit(statement: &'static str, params: Vec<Value>) -> Step {
    Step::Write(Write::new(statement, params).must_hit())
}

fn profile(user: &User) -> String {
    #[derive(serde::Serialize)]
    struct Locked<'a> {
        #[serde(flatten)]
        profile: &'a Profile,
        #[serde(flatten)]
        under: UnderLock,
    }
    match user.lock {
        None => json(&user.profile),
        Some(_) => json(&Locked { profile: &user.profile, under: UnderLock { status_under_lock: Some(user.status) } }),
    }
}

/// The number in the column. While there is a lock it is that of a lock, and the status is in the profile's JSON.
fn status(user: &User) -> i64 {
    let shown = if user.lock.is_some() { ShownStatus::Locked } else { user.status.into() };
    shown.number()
}

fn json(value: &impl serde::Serialize) -> String {
    #[expect(clippy::expect_used, reason = "texts, numbers and maps with text keys only")]
    serde_json::to_string(value).expect("a stored value is always JSON")
}

fn create_user(user: User, steps: &mut Vec<Step>) {
    let (status, profile) = (status(&user), profile(&user));
    let external_id = user.profile.texts.get("external_id").cloned();
    let names = user.login_names();
    let params = params![
        user.id.0,
        user.username,
        user.email,
        user.phone,
        external_id,
        status,
        user.lock.and_then(UserLock::end),
        profile,
        user.created_at,
        user.updated_at,
    ];
    steps.push(Step::Write(Write::new(sql::INSERT_USER, params)));
    login_names::moved(user.id, &LoginNames::default(), &names, steps);
    if user.temp_token.is_some() {
        steps.push(Step::Write(set_temp_token(user.id, user.temp_token)));
    }
}

fn update_user(user: User, steps: &mut Vec<Step>) {
    let (status, profile) = (status(&user), profile(&user));
    let external_id = user.profile.texts.get("external_id").cloned();
    let ends = user.lock.and_then(UserLock::end);
    let params = params![user.phone, external_id, status, ends, profile, user.updated_at, user.id.0];
    steps.push(Step::Write(Write::new(sql::UPDATE_USER, params)));
}

fn set_temp_token(user: UserId, token: Option<TempToken>) -> Write {
    let params = match token {
        Some(token) => params![token.hash, token.expires_at, token.reusable, token.used_at, user.0],
        None => vec![Value::Null, Value::Null, Value::Null, Value::Null, Value::Int(user.0)],
    };
    Write::new(sql::SET_TEMP_TOKEN, params)
}

/// The number of a message's device; 0, which no device has, for a message about none.
fn device_number(device: Option<DeviceId>) -> i64 {
    device.map_or(0, |device| device.0)
}

fn enqueue(message: Message) -> Write {
    let params = params![
        message.id.0,
        message.user_id.0,
        device_number(message.device_id),
        id(message.verification_id),
        message.channel.name(),
        message.content.0,
        message.created_at,
        message.not_after,
        message.created_at,
        message.charge.and_then(|charge| charge.client).map(|client| client.0),
        message.charge.map(|charge| charge.country.to_owned()),
        message.charge.and_then(|charge| charge.block).map(|block| block.to_bytes().to_vec()),
        message.charge.map_or(0, |charge| charge.micros),
    ];
    Write::new(sql::INSERT_MESSAGE, params)
}

fn set_spent(budget: Budget, spent: &Spent) -> Write {
    let (kind, subject) = budget.stored();
    Write::new(sql::SET_BUDGET, params![kind, subject, budgets::pack(spent), spent.over_at(budget)])
}

fn create_client(client: &Client) -> Write {
    let params = params![
        client.id.0,
        client.client_id.as_str(),
        client.name.as_str(),
        scope_text(client.scope),
        client.profile.name(),
        json(&client.secrets),
        json(&client.ip_allow),
        client.expires_at,
        client.revoked_at,
        pack_moments(&client.wrong_secrets),
        client.created_at,
        json(&client.options),
    ];
    Write::new(sql::INSERT_CLIENT, params)
}

fn update_client(client: &Client) -> Write {
    let params = params![
        client.name.as_str(),
        scope_text(client.scope),
        client.profile.name(),
        json(&client.secrets),
        json(&client.ip_allow),
        client.expires_at,
        client.revoked_at,
        json(&client.options),
        client.id.0,
    ];
    Write::new(sql::UPDATE_CLIENT, params)
}

fn create_token_set(set: TokenSet) -> Write {
    let params = params![
        set.access,
        set.refresh,
        set.client_id.0,
        set.sealed.map(|sealed| sealed.0),
        set.row,
        set.family,
        set.created_at,
        set.ended_at,
    ];
    Write::new(sql::INSERT_TOKEN, params)
}

// ---- what no decision decides

/// Records what became of a claimed message.
pub(crate) fn settle(message: MessageId, outcome: MessageOutcome, now: Timestamp) -> Write {
    match outcome {
        MessageOutcome::Sent { provider, unspent } => end_message(message, Ended::sent(provider, unspent), now),
        MessageOutcome::Retry { at, free, claimed_until } => {
            Write::new(sql::RETRY_MESSAGE, params![at, free, message.0, claimed_until])
        }
        MessageOutcome::PutBack { at, passed, free, claimed_until } => {
            Write::new(sql::PUT_BACK_MESSAGE, params![i64::from(passed), at, free, message.0, claimed_until])
        }
    }
}

/// How a waiting message ended.
struct Ended {
    status: i64,
    reason: Option<&'static str>,
    provider: Option<String>,
    unspent: i64,
}

impl Ended {
    fn sent(provider: String, unspent: i64) -> Self {
        Self { status: 1, reason: None, provider: Some(provider), unspent }
    }
}

/// Ends a waiting message and wipes it.
fn end_message(message: MessageId, ended: Ended, at: Timestamp) -> Write {
    let Ended { status, reason, provider, unspent } = ended;
    Write::new(sql::SETTLE_MESSAGE, params![status, reason, Vec::new(), at, provider, unspent, message.0])
}

/// The same in a decision, which then fails as a whole: another node may have sent the message, or a newer one replaced it.
fn end_if_waiting(message: MessageId, ended: Ended, at: Timestamp) -> Step {
    Step::Write(end_message(message, ended, at).or(Error::Ended))
}

/// The parameters that record a message of the dev world.
pub(crate) fn dev_message(message: DevMessage) -> Vec<Value> {
    params![
        message.channel.name(),
        message.to,
        message.body,
        message.subject,
        message.code,
        message.link,
        message.nonce,
        message.user_id.0,
        device_number(message.device_id),
        id(message.verification_id),
        message.created_at,
    ]
}

/// Puts the dev world back to its start, in an order that no foreign key minds.
pub(crate) fn dev_reset() -> Vec<Write> {
    let emptied = [
        sql::DEV_CLEAR_OUTBOX,
        sql::DEV_CLEAR_MESSAGES,
        sql::DEV_CLEAR_LOOKUPS,
        sql::DEV_CLEAR_ORIGINS,
        sql::DEV_CLEAR_UNMARKED,
        sql::DEV_CLEAR_BEGUN,
        sql::DEV_CLEAR_SECRET_DEVICES,
        sql::DEV_CLEAR_USED,
        sql::DEV_CLEAR_STATES,
        sql::DEV_CLEAR_TOKENS,
        sql::DEV_CLEAR_BUDGETS,
        sql::DEV_CLEAR_TEMP_TOKENS,
        sql::DEV_UNLOCK_USERS,
    ];
    let mut writes: Vec<_> = emptied.into_iter().map(|statement| Write::new(statement, Vec::new())).collect();
    writes.push(Write::new(sql::DEV_CLEAR_WRONG_SECRETS, params![Vec::new()]));
    writes.push(Write::new(sql::DELETE_META, params![DEV_CLOCK]));
    writes
}

//! What each [`Change`] does, as statements with parameters. Pure, and the same for both databases: a new change stops
//! the compiler here. Entries of the audit trail are numbered and chained in [`crate::trail`].

use domain::model::device::BEFORE_FIRST_COUNTER;
use domain::model::name::LoginNames;
use domain::{
    Budget, Change, Client, ClientId, Device, DeviceId, Message, MessageId, Profile, SecretMac, SecretMark,
    ShownStatus, Spent, TempToken, Timestamp, TokenSet, User, UserId, UserLock, Verification,
};

use crate::budgets;
use crate::challenge;
use crate::dev_clock::DEV_CLOCK;
use crate::error::Error;
use crate::hot_state::CounterChange;
use crate::login_names;
use crate::query::{DevMessage, MessageOutcome};
use crate::rows::{UnderLock, scope_text};
use crate::schema::sql;
use crate::sessions;
use crate::step::Step;
use crate::value::{Value, Write, id, pack_moments, params};
use crate::verification_row::{self, NewRow};

/// Adds what `change` does to `steps`, in order.
pub(crate) fn apply(change: Change, steps: &mut Vec<Step>) {
    let mut write = |statement, params| steps.push(Step::Write(Write::new(statement, params)));
    match change {
        Change::CreateUser(user) => create_user(user, steps),
        Change::UpdateUser(user) => update_user(user, steps),
        Change::ForgetVisits(user) => write(sql::FORGET_VISITS, params![user.0]),
        Change::RenameUser { user, from, to } => {
            steps.push(must_hit(sql::RENAME_USER, params![to.username.clone(), to.email.clone(), user.0]));
            login_names::moved(user, &from, &to, steps);
        }
        Change::DeleteUser { user: UserId(id), names } => {
            write(sql::DELETE_USER_MESSAGES, params![id]);
            write(sql::DELETE_USER_VERIFICATIONS, params![id]);
            write(sql::DELETE_USER_DEVICES, params![id]);
            write(sql::DELETE_USER, params![id]);
            steps.push(Step::Count(CounterChange::Delete));
            login_names::moved(UserId(id), &names, &LoginNames::default(), steps);
        }
        Change::SetTempToken(user, token) => steps.push(Step::Write(set_temp_token(user, token))),

        Change::CreateDevice(device) => {
            steps.push(Step::Count(CounterChange::begin(&device)));
            steps.extend(device.secret.map(|secret| Step::Recall(device.id, secret)));
            steps.push(Step::Write(create_device(device)));
        }
        Change::ActivateDevice { device, counter, credential, at } => {
            if let Some(credential) = credential {
                write(sql::REPLACE_CREDENTIAL, params![credential.0, device.0]);
                steps.push(Step::Count(CounterChange::Secret(device, None)));
            }
            steps.push(must_hit(sql::ACTIVATE_DEVICE, params![device.0]));
            steps.push(Step::Count(CounterChange::Activate(device, counter.unwrap_or(BEFORE_FIRST_COUNTER), at)));
        }
        Change::AdvanceCounter { device, counter, at } => {
            steps.push(Step::Count(CounterChange::Advance(device, counter, at)));
        }
        Change::ReviseDevice { device, credential, secret, display_name, last_counter } => {
            let [mac, counts] = columns_of(secret);
            steps.push(must_hit(sql::REVISE_DEVICE, params![credential.0, display_name, mac, counts, device.0]));
            steps.push(Step::Count(CounterChange::Secret(device, secret)));
            steps.push(Step::Count(CounterChange::Recount(device, last_counter)));
        }
        Change::LowerCounter { device, counter } => steps.push(Step::Count(CounterChange::Lower(device, counter))),
        Change::TouchDevice { device, at } => steps.push(Step::Count(CounterChange::Touch(device, at))),
        Change::DisableDevice(device) => write(sql::DISABLE_DEVICE, params![device.0]),
        Change::EnableDevice(device) => write(sql::ENABLE_DEVICE, params![device.0]),
        Change::DeleteDevice(device) => {
            write(sql::WIPE_DEVICE_MESSAGES, params![Vec::new(), device.0]);
            write(sql::EXPIRE_DEVICE_VERIFICATIONS, params![device.0]);
            write(sql::BURY_DEVICE_RESULTS, params![device.0]);
            write(sql::DELETE_DEVICE, params![device.0]);
            steps.push(Step::Count(CounterChange::Forget(device)));
        }

        Change::OpenVerification(verification) => steps.push(Step::Write(open_verification(verification))),
        Change::CloseVerification { verification, end } => {
            steps.push(Step::Write(verification_row::close(id(verification), end)));
        }
        Change::ConsumeVerification { verification, at } => {
            steps.push(must_hit(sql::CONSUME_VERIFICATION, params![at, id(verification)]));
        }
        Change::CountAttempt(verification) => write(sql::COUNT_ATTEMPT, params![id(verification)]),
        Change::ReplaceStateToken { verification, hash } => {
            write(sql::REPLACE_STATE_TOKEN, params![hash, id(verification)]);
        }
        Change::ReplaceChallenge { verification, wire_id, challenge } => {
            let parts = challenge::split(&challenge);
            let params = params![wire_id, parts.form, parts.answer, parts.pairing_hash, id(verification)];
            write(sql::REPLACE_CHALLENGE, params);
        }

        Change::OpenSession(session) => steps.push(Step::Write(sessions::open(session))),
        Change::CloseSession { session, end } => steps.push(Step::Write(sessions::close(session, end))),
        Change::CountLogInAttempt(session) => steps.push(Step::Write(sessions::count_attempt(session))),
        Change::SetTerms { session, terms } => steps.push(Step::Write(sessions::set_terms(session, terms))),

        // A decision changes limits of one user only.
        Change::SetThrottle(_, throttle) => steps.push(Step::Count(CounterChange::Limit(throttle))),
        Change::ClearThrottle(_, key) => steps.push(Step::Count(CounterChange::Reset(key))),

        Change::SetSpent(budget, spent) => steps.push(Step::Write(set_spent(budget, &spent))),

        Change::Enqueue(message) => steps.push(Step::Write(enqueue(message))),
        Change::DropMessages(verification) => write(sql::WIPE_MESSAGES, params![Vec::new(), id(verification)]),
        Change::GiveUpMessage { message, why, at } => {
            // Another node may have sent it, or a newer message may have replaced it.
            steps.push(Step::Write(end_message(message, 2, Some(why.name()), at).or(Error::Ended)));
        }

        Change::CreateClient(client) => steps.push(Step::Write(create_client(&client))),
        Change::UpdateClient(client) => steps.push(Step::Write(update_client(&client))),
        Change::SetWrongSecrets { client, at } => write(sql::SET_WRONG_SECRETS, params![pack_moments(&at), client.0]),
        Change::CreateTokenSet(set) => steps.push(Step::Write(create_token_set(set))),
        Change::ReplaceTokenSet { access } => steps.push(must_hit(sql::REPLACE_TOKEN, params![access])),
        Change::EndTokenFamily { client, family, at } => {
            write(sql::END_TOKEN_FAMILY, params![at, client.0, family]);
        }
        Change::EndClient { client, at } => steps.extend(end_client(client, at).map(Step::Write)),

        Change::Record(event) => steps.push(Step::Record(event)),
    }
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
    steps.push(Step::Count(CounterChange::Insert));
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

/// A secret's mark as the columns of a device.
fn columns_of(secret: Option<SecretMark>) -> [Value; 2] {
    [secret.map(|secret| secret.mac).into(), secret.map(|secret| secret.counts.number()).into()]
}

/// Remembers what was used of a secret whose device is gone.
pub(crate) fn remember((mac, used): (SecretMac, i64)) -> Write {
    Write::new(sql::REMEMBER_USED, params![mac, used])
}

/// The parameters that mark the secret of a device that has no mark yet.
pub(crate) fn mark_secret((device, secret): (DeviceId, SecretMark)) -> Vec<Value> {
    params![secret.mac, secret.counts.number(), device.0]
}

fn create_device(device: Device) -> Write {
    let [mac, counts] = columns_of(device.secret);
    let params = params![
        device.id.0,
        device.user_id.0,
        device.factor.number(),
        device.display_name,
        device.status.number(),
        device.credential.0,
        device.created_at,
        mac,
        counts,
    ];
    Write::new(sql::INSERT_DEVICE, params)
}

fn open_verification(verification: Verification) -> Write {
    let live = verification.is_live();
    let parts = challenge::split(&verification.challenge);
    let row = NewRow {
        id: id(verification.id),
        wire_id: verification.wire_id,
        user: verification.user_id,
        device: verification.device_id.0,
        purpose: verification.purpose.number(),
        form: parts.form,
        answer: parts.answer,
        pairing_hash: parts.pairing_hash,
        status: verification.status,
        token: verification.state_token,
        client: verification.client_id,
        created_at: verification.created_at,
        expires_at: verification.expires_at,
        live,
    };
    row.insert()
}

fn enqueue(message: Message) -> Write {
    let params = params![
        message.id.0,
        message.user_id.0,
        message.device_id.0,
        id(message.verification_id),
        message.channel.name(),
        message.content.0,
        message.created_at,
        message.not_after,
        message.created_at,
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

/// In this order, since the users must be held before what they have begun with the client ends.
fn end_client(ClientId(client): ClientId, at: Timestamp) -> [Write; 5] {
    [
        Write::new(sql::END_TOKENS, params![at, client]),
        Write::new(sql::HOLD_CLIENT_USERS, params![client]),
        Write::new(sql::WIPE_CLIENT_MESSAGES, params![Vec::new(), client]),
        Write::new(sql::EXPIRE_CLIENT_VERIFICATIONS, params![client]),
        Write::new(sql::BURY_CLIENT_RESULTS, params![client]),
    ]
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
        MessageOutcome::Sent => end_message(message, 1, None, now),
        MessageOutcome::Retry { at } => Write::new(sql::RETRY_MESSAGE, params![at, message.0]),
    }
}

/// Ends a waiting message and wipes it.
fn end_message(message: MessageId, status: i64, reason: Option<&str>, at: Timestamp) -> Write {
    Write::new(sql::SETTLE_MESSAGE, params![status, reason, Vec::new(), at, message.0])
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
        message.device_id.0,
        id(message.verification_id),
        message.created_at,
    ]
}

/// Puts the dev world back to its start, in an order that no foreign key minds.
pub(crate) fn dev_reset() -> Vec<Write> {
    let emptied = [
        sql::DEV_CLEAR_OUTBOX,
        sql::DEV_CLEAR_MESSAGES,
        sql::DEV_CLEAR_VERIFICATIONS,
        sql::DEV_CLEAR_DEVICES,
        sql::DEV_CLEAR_USED,
        sql::DEV_CLEAR_MARKS,
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

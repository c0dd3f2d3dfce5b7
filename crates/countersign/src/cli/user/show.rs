//! `countersign user show`: what a help desk needs to know about a user.

use domain::model::audit;
use domain::rules::standing::{Lock, LockReason, Standing};
use domain::{MfaPolicy, Timestamp, User};
use engine::{Engine, Event, ListedDevice};
use onelogin::wire_time::with_seconds;
use serde_json::{Value, json};

use crate::cli::report::{Report, or_dash, sentence};
use crate::cli::{device, labels};

pub(super) async fn show(engine: &Engine, user: &User) -> Result<Report, String> {
    let devices = engine.devices(user.id).await.map_err(sentence)?;
    let standing = engine.standing(user.id).await.map_err(sentence)?;
    let [accepted, refused] = engine.last_answers(user.id).await.map_err(sentence)?;
    let policy = policy(user);
    let now = engine.now();
    let mut json = summary(user, now);
    json["devices"] = devices.iter().map(|reading| device_json(reading, &standing)).collect();
    json["mfa"] = json!(user.profile.mfa_policy);
    json["locks"] = standing.locks.iter().map(lock_json).collect();
    json["failures_left"] = json!({ "hour": standing.left_in_hour, "day": standing.left_in_day });
    json["wrong_passwords"] = standing.wrong_passwords.into();
    json["last_accepted"] = event_json(accepted.as_ref());
    json["last_refused"] = event_json(refused.as_ref());
    json["temporary_token"] = standing
        .temp_token
        .map_or(Value::Null, |(until, reusable)| json!({ "expires_at": with_seconds(until.0), "reusable": reusable }));
    json["remembered_browsers"] = standing.remembered_browsers.into();

    let mut text = vec![
        format!("User {}", user.id),
        format!("  username            {}", or_dash(user.username.as_deref())),
        format!("  email               {}", or_dash(user.email.as_deref())),
        format!("  phone               {}", or_dash(user.phone.as_deref())),
        format!("  status              {}", status(user, now)),
        format!("  factor at log-in    {policy}"),
    ];
    if standing.locks.is_empty() {
        text.push("  locks               none".to_owned());
    }
    text.extend(standing.locks.iter().map(|lock| format!("  LOCK                {}", lock_words(lock))));
    text.push(format!(
        "  wrong answers left  {} this hour, {} today; then an hour's lock",
        standing.left_in_hour, standing.left_in_day
    ));
    if standing.wrong_passwords > 0 {
        text.push(format!("  wrong passwords     {} of 10 in 15 minutes", standing.wrong_passwords));
    }
    text.push(format!("  last accepted       {}", event_words(accepted.as_ref())));
    text.push(format!("  last refused        {}", event_words(refused.as_ref())));
    if let Some((until, reusable)) = standing.temp_token {
        let often = if reusable { ", reusable" } else { "" };
        text.push(format!("  temporary token     lives until {}{often}", with_seconds(until.0)));
    }
    if standing.remembered_browsers > 0 {
        text.push(format!("  known browsers      {}", standing.remembered_browsers));
    }
    if devices.is_empty() {
        text.push("  devices             none".to_owned());
    } else {
        text.push("  devices".to_owned());
    }
    text.extend(devices.iter().map(|reading| device_words(reading, &standing)));
    if !standing.locks.is_empty() {
        text.push(format!("`countersign user unlock {}` lifts every lock.", user.id));
    }
    Ok(Report::lines(json, text))
}

fn policy(user: &User) -> &'static str {
    match user.profile.mfa_policy {
        None => "default (login.mfa)",
        Some(MfaPolicy::Off) => "off: never asked for",
        Some(MfaPolicy::Optional) => "optional: asked for once there is a device",
        Some(MfaPolicy::Required) => "required",
    }
}

fn failures(reading: &ListedDevice, standing: &Standing) -> u32 {
    let found = standing.failures.iter().find(|(device, _)| *device == reading.device.id);
    found.map_or(0, |(_, consecutive)| *consecutive)
}

fn device_json(reading: &ListedDevice, standing: &Standing) -> Value {
    let mut json = device::json(reading);
    json["consecutive_failures"] = failures(reading, standing).into();
    json["last_used_at"] = reading.device.last_used_at.map_or(Value::Null, |at| with_seconds(at.0).into());
    json
}

fn device_words(reading: &ListedDevice, standing: &Standing) -> String {
    let device = &reading.device;
    let mut facts = vec![labels::device_state(device.status).to_owned()];
    if reading.is_default {
        facts.push("default".to_owned());
    }
    match failures(reading, standing) {
        0 => {}
        n => facts.push(format!("{n} wrong in a row")),
    }
    facts.push(
        device
            .last_used_at
            .map_or("not used since it was enrolled".to_owned(), |at| format!("last used {}", with_seconds(at.0))),
    );
    format!("    {}  {} \"{}\" ({})", device.id, labels::factor(device.factor), device.display_name, facts.join(", "))
}

fn lock_json(lock: &Lock) -> Value {
    let (why, device) = match lock.why {
        LockReason::Suspended => ("suspended", None),
        LockReason::LockedByAdministrator => ("locked_by_administrator", None),
        LockReason::Guesses => ("wrong_answers", None),
        LockReason::Passwords => ("wrong_passwords", None),
        LockReason::TempTokens => ("wrong_temporary_tokens", None),
        LockReason::Device(id) => ("wrong_answers_with_device", Some(id)),
        LockReason::DeviceDisabled(id) => ("device_disabled", Some(id)),
    };
    json!({ "reason": why, "device": device, "until": lock.until.map(|until| with_seconds(until.0)) })
}

fn lock_words(lock: &Lock) -> String {
    let until = lock.until.map_or("until it is lifted".to_owned(), |until| format!("until {}", with_seconds(until.0)));
    match lock.why {
        LockReason::Suspended => {
            "suspended by an administrator (status 2); set the status to let the user in".to_owned()
        }
        LockReason::LockedByAdministrator => format!("locked by an administrator {until}"),
        LockReason::Guesses => format!("too many wrong answers, over all devices: {until}"),
        LockReason::Passwords => format!("too many wrong passwords: {until}"),
        LockReason::TempTokens => format!("too many wrong temporary tokens: {until}"),
        LockReason::Device(id) => format!("too many wrong answers with device {id}: {until}"),
        LockReason::DeviceDisabled(id) => format!("device {id} is disabled {until}"),
    }
}

fn event_json(event: Option<&Event>) -> Value {
    event.map_or(Value::Null, |event| {
        let (reason, times) = event.entry.reason.as_deref().map(audit::parted).unzip();
        json!({
            "at": with_seconds(event.entry.at.0),
            "event": event.kind.name(),
            "device": event.entry.device,
            "reason": reason,
            "times": times,
            "client": event.caller.as_ref().map(|client| &client.name),
        })
    })
}

fn event_words(event: Option<&Event>) -> String {
    let Some(event) = event else { return "never".to_owned() };
    let mut words = with_seconds(event.entry.at.0);
    if let Some(device) = event.entry.device {
        words = format!("{words}, device {device}");
    }
    match event.entry.reason.as_deref() {
        Some(stored) => match audit::parted(stored) {
            (reason, Some(times)) => format!("{words}: {}, {times} times", reason_words(reason)),
            (reason, None) => format!("{words}: {}", reason_words(reason)),
        },
        None => words,
    }
}

/// A reason of the audit trail as a person says it.
fn reason_words(reason: &str) -> &str {
    match reason {
        "wrong_code" => "a wrong code",
        "replay" => "a code that was accepted before",
        "locked" => "it was locked, so the answer was not checked",
        "denied" => "the person said no",
        "not_open" => "the challenge was over, or unknown",
        "no_device" => "no such device",
        "code_missing" => "no code was given",
        "state_token_missing" => "the device was not triggered",
        "not_typed" => "this challenge is not answered by a code",
        other => other,
    }
}

/// A user without devices, for a program.
pub(super) fn summary(user: &User, now: Timestamp) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "phone": user.phone,
        "firstname": user.profile.texts.get("firstname"),
        "lastname": user.profile.texts.get("lastname"),
        "status": user.shown(now).0.number(),
    })
}

pub(super) fn status(user: &User, now: Timestamp) -> String {
    labels::user_status(user.shown(now).0).to_owned()
}

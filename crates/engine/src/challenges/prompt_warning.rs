//! Warns a person over another channel of too many prompts (SEC 13).

use domain::model::audit::Actor;
use domain::rules::{reaching, throttle, warning};
use domain::{Credential, Device, DeviceStatus, FactorKind, Right, Timestamp, View};
use words::{Filling, MessageKind};

use crate::challenges::message_budgets::{Sending, UnsentError};
use crate::decision_name::DecisionName;
use crate::{Engine, Fault};

/// How long a warning may wait to be sent, in milliseconds: later it would puzzle more than it helps.
const LIFE: i64 = domain::model::time::HOUR;

impl Engine {
    /// Warns the person behind `device`, to which a prompt was just put, if that was the last for a while: a caller that keeps
    /// below the limits is never refused one. `before` is the user as it was.
    pub(crate) async fn warn_if_last_prompt(&self, before: &View, device: &Device, context: Actor, now: Timestamp) {
        if device.factor != FactorKind::Push
            || !throttle::would_block_prompts(before, &self.settings.policy, context.right, now)
        {
            return;
        }
        match self.store.view(device.user_id).await {
            Ok(view) => self.send_prompt_warning(&view, device, context, now).await,
            Err(error) => lost(device, &error.into()),
        }
    }

    /// Warns the person behind `device`, to which a prompt was just refused, if it was for too many of them. A warning
    /// that cannot be sent is logged and changes nothing for the caller.
    pub(crate) async fn send_prompt_warning(&self, view: &View, device: &Device, context: Actor, now: Timestamp) {
        // One more prompt alone reaches no limit, so the view that the caller saw is enough.
        if device.factor != FactorKind::Push || !warning::is_due(view, &self.settings.policy, now) {
            return;
        }
        if let Err(error) = self.queue_warning(view, device, context, now).await {
            lost(device, &error);
        }
    }

    /// Over the first way that may still be sent to: an attacker may have used up the others before.
    async fn queue_warning(&self, view: &View, device: &Device, context: Actor, now: Timestamp) -> Result<(), Fault> {
        for way in self.ways_to_warn(view)? {
            let kind = match way {
                Credential::Email { .. } => MessageKind::WarningEmail,
                Credential::Sms { .. } => MessageKind::WarningSms,
                _ => continue,
            };
            let until = now.plus(LIFE);
            let message = self.draw_letter(view, Some(device.id), &way, kind, Filling::NOTHING, (now, until)).await?;
            // A warning is the server's own, not the caller's.
            let asker = (context.client, Right::Manage);
            let name = DecisionName::WarnOfPrompts;
            let sending = Sending { name, user: device.user_id, target: &way, asks: false, by: asker, now };
            let policy = self.settings.policy.clone();
            let (by, id) = (context.clone(), device.id);
            let rule = move |view: &View| warning::of_prompts(view, id, Some(&message), &policy, &by, now);
            match self.decide_to_send(sending, view, rule).await {
                Ok(_) => return Ok(()),
                Err(UnsentError::TooMany(_) | UnsentError::Unreachable(_)) => {}
                Err(UnsentError::Fault(fault)) => return Err(fault),
            }
        }
        let (policy, id) = (self.settings.policy.clone(), device.id);
        let unsent = self
            .decide(DecisionName::WarnOfPrompts, device.user_id, move |view| {
                warning::of_prompts(view, id, None, &policy, &context, now)
            })
            .await?;
        if unsent {
            tracing::warn!(user = device.user_id.0, "nothing can be sent to warn a user of too many prompts");
        }
        Ok(())
    }

    /// The ways that work, best first: the mail address and devices of the person, and at last the telephone of the
    /// profile, which may be any text and is sent to only if it could be enrolled (SEC 34).
    fn ways_to_warn(&self, view: &View) -> Result<Vec<Credential>, Fault> {
        let Some(user) = &view.user else { return Ok(Vec::new()) };
        let listed = |factor, target: &Option<String>| {
            target.as_deref().and_then(|target| reaching::reaching(factor, target, &self.settings.policy).ok())
        };
        let mut ways: Vec<Credential> = listed(FactorKind::Email, &user.email).into_iter().collect();
        for device in view.devices.iter().filter(|device| device.status == DeviceStatus::Active) {
            if matches!(device.factor, FactorKind::Email | FactorKind::Sms) {
                ways.push(self.open_credential(device)?);
            }
        }
        ways.extend(listed(FactorKind::Sms, &user.phone));
        ways.retain(|way| way.kind().channel().is_some_and(|channel| self.outbox.routes().carry(channel)));
        Ok(ways)
    }
}

fn lost(device: &Device, error: &Fault) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(user = device.user_id.0, error, "a warning of too many prompts was not queued");
}

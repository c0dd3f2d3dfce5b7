//! Warns a person over another channel of too many prompts (SEC 13).

use domain::model::audit::Actor;
use domain::rules::{reaching, throttle, warning};
use domain::{Channel, Credential, Device, DeviceStatus, FactorKind, Message, MessageId, Right, Timestamp, View};
use store::IdKind;
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
        let language = view.user.as_ref().and_then(|user| user.profile.language());
        for (channel, way) in self.ways_to_warn(view)? {
            let Some(message) = self.draw_warning(device, channel, &way, language, now).await? else { continue };
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

    async fn draw_warning(
        &self,
        device: &Device,
        channel: Channel,
        way: &Credential,
        language: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Message>, Fault> {
        let (kind, to) = match way {
            Credential::Email { address } => (MessageKind::WarningEmail, address),
            Credential::Sms { phone } => (MessageKind::WarningSms, phone),
            _ => return Ok(None),
        };
        let content = self.say(kind, to.clone(), language, Filling::NOTHING);
        let id = MessageId(self.store.next_id(IdKind::Message).await?);
        Ok(Some(Message {
            id,
            user_id: device.user_id,
            device_id: device.id,
            // It belongs to no verification, so none that ends takes it along.
            verification_id: self.chance.verification_id(),
            channel,
            content: self.seal_content(id, device.user_id, &content)?,
            created_at: now,
            not_after: now.plus(LIFE),
            charge: None,
        }))
    }

    /// The ways that work, best first: the mail address and devices of the person, and at last the telephone of the
    /// profile, which may be any text and is sent to only if it could be enrolled (SEC 34).
    fn ways_to_warn(&self, view: &View) -> Result<Vec<(Channel, Credential)>, Fault> {
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
        let with_channel = |way: Credential| way.kind().channel().map(|channel| (channel, way));
        Ok(ways
            .into_iter()
            .filter_map(with_channel)
            .filter(|(channel, _)| self.outbox.routes().carry(*channel))
            .collect())
    }
}

fn lost(device: &Device, error: &Fault) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(user = device.user_id.0, error, "a warning of too many prompts was not queued");
}

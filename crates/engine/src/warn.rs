//! Telling a person over another channel that prompts are refused in their name (SEC 13).

use domain::verification::Context;
use domain::{
    Channel, Content, Credential, Device, DeviceStatus, FactorKind, Message, MessageId, Timestamp, View, throttle,
    warning,
};
use store::IdKind;

use crate::{Engine, Error, words};

/// How long a warning may wait to be sent, in milliseconds: later it would puzzle more than it helps.
const LIFE: i64 = domain::time::HOUR;

impl Engine {
    /// Warns the person behind `device`, to which a prompt was just refused, if it was for too many of them. A warning
    /// that cannot be sent is told of in the log and changes nothing for the caller.
    pub(crate) async fn warn_of_prompts(&self, view: &View, device: &Device, context: Context, now: Timestamp) {
        // A fresh prompt makes nobody's patience end by itself: what the caller saw is enough to look at.
        if throttle::tired(view, &self.settings.policy, now).is_none() {
            return;
        }
        match self.queue_warning(view, device, context, now).await {
            Ok(true) => self.wake_outbox(),
            Ok(false) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(user = device.user_id.0, error, "a warning that prompts are refused was not queued");
            }
        }
    }

    async fn queue_warning(
        &self,
        view: &View,
        device: &Device,
        context: Context,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some((channel, way)) = self.way_to_warn(view)? else { return Ok(false) };
        let issuer = &self.settings.policy.issuer;
        let (subject, body) = words::prompts_refused(issuer);
        let content = match &way {
            Credential::Email { address } => Content::of(address.clone(), body).about(subject),
            Credential::Sms { phone } => Content::of(phone.clone(), words::prompts_refused_shortly(issuer)),
            _ => return Ok(false),
        };
        let id = MessageId(self.store.next_id(IdKind::Message).await?);
        let message = Message {
            id,
            user_id: device.user_id,
            device_id: device.id,
            // It belongs to no verification, so none that ends takes it along.
            verification_id: self.chance.verification_id(),
            channel,
            content: self.seal_content(id, device.user_id, &content)?,
            created_at: now,
            not_after: now.plus(LIFE),
        };
        let (to, client, policy) = (self.recipient(&way), context.client, self.settings.policy.clone());
        let rule = move |view: &View| warning::of_prompts(view, &message, &policy, &context, now);
        self.decide_to_send(view, device.user_id, to, client, now, rule).await
    }

    /// The first way that works: the mail address and devices of the person, and at last the telephone of the profile.
    fn way_to_warn(&self, view: &View) -> Result<Option<(Channel, Credential)>, Error> {
        let Some(user) = &view.user else { return Ok(None) };
        // A profile holds any text; it is sent to only if it could be enrolled (SEC 34).
        let listed = |factor, target: &Option<String>| {
            target.as_deref().and_then(|target| Credential::reaching(factor, target, &self.settings.policy))
        };
        let mut ways: Vec<Credential> = listed(FactorKind::Email, &user.email).into_iter().collect();
        for device in view.devices.iter().filter(|device| device.status == DeviceStatus::Active) {
            if matches!(device.factor.channel(), Some(Channel::Email | Channel::Sms)) {
                ways.push(self.open_credential(device)?);
            }
        }
        ways.extend(listed(FactorKind::Sms, &user.phone));
        Ok(ways.into_iter().find_map(|way| {
            let channel = match way {
                Credential::Email { .. } => Channel::Email,
                Credential::Sms { .. } => Channel::Sms,
                _ => return None,
            };
            self.outbox.carries(channel).then_some((channel, way))
        }))
    }
}

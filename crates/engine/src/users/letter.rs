//! Letters of the server's own to a person: they ask for no answer, and belong to no verification.

use domain::model::audit::Actor;
use domain::model::time::DAY;
use domain::rules::reaching;
use domain::{
    Change, Channel, Credential, Decision, Device, DeviceId, FactorKind, Message, MessageId, Right, Timestamp,
    VerificationId, View,
};
use store::IdKind;
use words::{Filling, MessageKind};

use crate::challenges::message_budgets::{Sending, UnsentError};
use crate::decision_name::DecisionName;
use crate::users::invited::{has_begun, language};
use crate::{Engine, Fault};

impl Engine {
    /// Sends the person word of a device that was finished with an invitation (SEC 59). `before` is the user before the device
    /// was in use. What cannot be sent is logged and changes nothing.
    pub(crate) async fn notify_if_invited(&self, before: &View, registration: VerificationId, context: Actor) {
        if !before.sessions.iter().any(|session| has_begun(session, registration)) {
            return;
        }
        let device = before.verification(registration).and_then(|asked| before.device(asked.device_id));
        if let Some(device) = device
            && let Err(error) = self.send_notice(before, device, context).await
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(user = device.user_id.0, error, "a notice of a new device was not queued");
        }
    }

    /// By mail, or as a text message, but not to what was enrolled.
    async fn send_notice(&self, view: &View, device: &Device, context: Actor) -> Result<(), Fault> {
        let (now, involved) = (self.now(), self.open_credential(device)?);
        for (channel, kind) in [(Channel::Email, MessageKind::AddedEmail), (Channel::Sms, MessageKind::AddedSms)] {
            let Some(way) = self.profile_way(channel, view).filter(|way| *way != involved) else { continue };
            let filling = Filling { device: &device.display_name, ..Filling::NOTHING };
            let message = self.draw_letter(view, Some(device.id), &way, kind, filling, (now, now.plus(DAY))).await?;
            let by = (context.client, Right::Manage);
            let name = DecisionName::NotifyUser;
            let sending = Sending { name, user: device.user_id, target: &way, asks: false, by, now };
            let rule = move |_: &View| Decision::reply(()).with(Change::Enqueue(message.clone()));
            match self.decide_to_send(sending, view, rule).await {
                Ok(()) => return Ok(()),
                Err(UnsentError::TooMany(_) | UnsentError::Unreachable(_)) => {}
                Err(UnsentError::Fault(fault)) => return Err(fault),
            }
        }
        tracing::warn!(user = device.user_id.0, "nothing can be sent to say that a device was added");
        Ok(())
    }

    /// The address or number of the profile, if messages over this channel may go there.
    pub(super) fn profile_way(&self, channel: Channel, view: &View) -> Option<Credential> {
        let user = view.user.as_ref()?;
        let (factor, target) = match channel {
            Channel::Email => (FactorKind::Email, &user.email),
            Channel::Sms => (FactorKind::Sms, &user.phone),
            Channel::Voice | Channel::Push => return None,
        };
        let reached = target.as_deref().and_then(|to| reaching::reaching(factor, to, &self.settings.policy).ok());
        reached.filter(|_| self.routes().carry(channel))
    }

    /// A letter to the user of this view, of a device of theirs or of none. It is not sent after `until`.
    pub(crate) async fn draw_letter(
        &self,
        view: &View,
        device: Option<DeviceId>,
        way: &Credential,
        kind: MessageKind,
        filling: Filling<'_>,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Message, Fault> {
        let (channel, to) = match way {
            Credential::Email { address } => (Channel::Email, address),
            Credential::Sms { phone } => (Channel::Sms, phone),
            _ => return Err(Fault::internal("no letter goes there")),
        };
        let user = view.user.as_ref().ok_or_else(|| Fault::internal("a letter needs its user"))?.id;
        let content = self.say(kind, to.clone(), language(view).as_deref(), filling);
        let id = MessageId(self.store.next_id(IdKind::Message).await?);
        Ok(Message {
            id,
            user_id: user,
            device_id: device,
            // It belongs to no verification, so none that ends takes it along.
            verification_id: self.chance.verification_id(),
            channel,
            content: self.seal_content(id, user, &content)?,
            created_at: now,
            not_after: until,
            charge: None,
        })
    }
}

//! An operator's test of a channel: one message that belongs to no user and to no verification.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use delivery::{Accounts as _, OutgoingMessage, SendError};
use domain::rules::reaching::{self, Unreachable};
use domain::{Channel, Credential, FactorKind, MessageId, Right, Timestamp};
use store::IdKind;
use words::{Filling, MessageKind};

use crate::challenges::message_budgets::may_be_unsent;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// Why a test message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum TestMessageError {
    /// No provider carries the channel, or nothing can be written to it, as to a phone that signs.
    #[error("no provider carries {}", .0.name())]
    NoProvider(Channel),
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// As many went to this number or address, to numbers beside it, or on this day as may (SEC 33): one may be sent from
    /// this moment on.
    #[error("too many messages were sent")]
    TooMany(Timestamp),
    /// The provider did not take it.
    #[error(transparent)]
    NotSent(#[from] SendError),
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(TestMessageError);
may_be_unsent!(TestMessageError);

impl Engine {
    /// What carries messages, by channel.
    pub fn routes(&self) -> &delivery::Routes {
        self.outbox.routes()
    }

    /// How the routes of this node do.
    pub fn route_health(&self) -> Vec<delivery::RouteHealth> {
        self.routes().health(self.now())
    }

    /// Whether this process sends messages, so that its routes have anything to tell. A command without a server does not.
    pub fn sends_messages(&self) -> bool {
        self.serves.load(Ordering::Relaxed)
    }

    /// Uses every route of this node again: an operator knows that the providers work.
    pub fn trust_routes(&self) {
        self.outbox.trust_all();
    }

    /// Sends one message over a channel, now and once, by the provider of this name or else by the first, and returns the
    /// name of the provider that took it. It goes only where a device could be enrolled, and counts as any other message
    /// does.
    pub async fn send_test_message(
        &self,
        channel: Channel,
        to: &str,
        provider: Option<&str>,
    ) -> Result<String, TestMessageError> {
        let asked = |route: &&Arc<delivery::Route>| provider.is_none_or(|name| route.provider().name() == name);
        let route = self.routes().of(channel).find(asked).ok_or(TestMessageError::NoProvider(channel))?;
        let provider = route.provider();
        let policy = &self.settings.policy;
        let factor = FactorKind::ALL.into_iter().find(|kind| kind.channel() == Some(channel));
        let factor = factor.ok_or(TestMessageError::NoProvider(channel))?;
        let target = reaching::reaching(factor, to, policy)?;
        let recipient = self.recipient(&target);
        let price = target.phone().map_or(0, |number| self.accounts.price(provider.name(), channel, number));
        let by = (None, Right::Manage);
        let countable = recipient.map(|to| self.counting(&target, to, by, price, false));
        let to = match target {
            Credential::Sms { phone } | Credential::Voice { phone } => phone,
            Credential::Email { address } => address,
            Credential::Totp(_) | Credential::Hotp(_) | Credential::Push { .. } => {
                return Err(Unreachable::Target.into());
            }
        };
        let kind = if channel == Channel::Email { MessageKind::TestEmail } else { MessageKind::TestSms };
        let message = OutgoingMessage {
            id: MessageId(self.store.next_id(IdKind::Message).await?),
            channel,
            about: None,
            content: self.say(kind, to, None, Filling::NOTHING),
            created_at: self.now(),
        };
        let counted = match countable {
            Some(countable) => Some(self.count_send(countable, self.now()).await?),
            None => None,
        };
        if let Err(failure) = delivery::send(provider.as_ref(), &message).await {
            if let Some(counted) = counted.filter(|_| failure.is_unsent()) {
                self.give_back(counted).await;
            }
            return Err(failure.into());
        }
        tracing::info!(channel = channel.name(), provider = provider.name(), "test message sent");
        Ok(provider.name().to_owned())
    }
}

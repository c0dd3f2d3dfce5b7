//! Invitations: links by which people enrol on a page of ours (contract 21, SEC 105).
//!
//! The address of a link begins with the configured public URL. Only the digest of its token is kept.

use domain::model::audit::Actor;
use domain::model::time::{DAY, MINUTE};
use domain::rules::basis::Basis;
use domain::rules::invitation::{self, Invited};
use domain::rules::reaching::Unreachable;
use domain::{Channel, Digest, Session, SessionId, SessionKind, Timestamp, UserId, View};
use words::{Filling, MessageKind};

use crate::challenges::message_budgets::{Sending, may_be_unsent};
use crate::decision_name::DecisionName;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// Random bytes in a token (SEC 41).
const TOKEN: usize = 32;
/// Shortest life of an invitation, in milliseconds.
const SHORTEST: i64 = 15 * MINUTE;
/// Longest life of an invitation, in milliseconds.
const LONGEST: i64 = 7 * DAY;

/// An invitation to make.
#[derive(Debug, Clone, Copy)]
pub struct InvitationRequest {
    pub user: UserId,
    /// Its life in milliseconds: 15 minutes to 7 days.
    pub ttl: i64,
    /// What is enrolled takes the place of the devices that the user has.
    pub replaces: bool,
    /// Whether it is sent, by mail or as a text message, to what the profile says.
    pub deliver: Option<Channel>,
}

/// A new invitation. Its address is shown once.
#[derive(Clone)]
pub struct NewInvitation {
    pub url: String,
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for NewInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewInvitation(…)")
    }
}

/// Why a user was not invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error("no such user")]
    NoUser,
    /// The user is suspended or locked by an administrator.
    #[error("the user is locked")]
    Barred,
    /// The user has an active device, and the invitation would not replace it.
    #[error("the user has an active device; an invitation for one more has to say that it replaces what there is")]
    HasDevice,
    /// The life is too short or too long.
    #[error("an invitation lives 15 minutes to 7 days")]
    Life,
    /// Links have no address to begin with.
    #[error("public_url is not set, so links have no address")]
    NoAddress,
    /// Nothing can be sent there.
    #[error("nothing can be sent to this user in this way")]
    Undeliverable,
    /// Too many messages; with the moment to come back.
    #[error("too many messages")]
    TooMany(Timestamp),
    #[error(transparent)]
    Unreachable(Unreachable),
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(InviteError);
may_be_unsent!(InviteError);

impl Engine {
    /// Invites a user to enrol.
    pub async fn invite(&self, request: InvitationRequest, context: Actor) -> Result<NewInvitation, InviteError> {
        if !(SHORTEST..=LONGEST).contains(&request.ttl) {
            return Err(InviteError::Life);
        }
        let base = self.link_base().ok_or(InviteError::NoAddress)?.to_owned();
        let (token, now) = (data_encoding::BASE64URL_NOPAD.encode(&self.chance.bytes::<TOKEN>()), self.now());
        let expires_at = now.plus(request.ttl);
        let url = format!("{base}/enroll/{token}");
        let view = self.store.view(request.user).await?;
        let user = view.user.as_ref().ok_or(InviteError::NoUser)?;
        let session = Session {
            id: SessionId(self.chance.verification_id().0),
            user_id: user.id,
            kind: SessionKind::Invitation { replaces: request.replaces, leads_on: true, begun: Vec::new() },
            token: Digest::of(token.as_bytes()),
            client_id: context.client,
            created_at: now,
            expires_at,
        };
        let policy = self.settings.policy.clone();
        let by = context.clone();
        let invited = match request.deliver {
            None => {
                let rule = move |view: &View| {
                    invitation::invite(view, &session, None, Basis { policy: &policy, actor: &by, now })
                };
                self.decide(DecisionName::Invite, user.id, rule).await?
            }
            Some(channel) => {
                let target = self.profile_way(channel, &view).ok_or(InviteError::Undeliverable)?;
                let kind =
                    if channel == Channel::Sms { MessageKind::InvitationSms } else { MessageKind::InvitationEmail };
                let minutes = request.ttl / MINUTE;
                let filling = Filling { link: &url, minutes, ..Filling::NOTHING };
                let message = self.draw_letter(&view, None, &target, kind, filling, (now, expires_at)).await?;
                let sending = Sending {
                    name: DecisionName::Invite,
                    user: user.id,
                    target: &target,
                    asks: false,
                    by: (context.client, context.right),
                    now,
                };
                let read = user.clone();
                self.decide_to_send(sending, &view, move |view| {
                    invitation::invite(
                        view,
                        &session,
                        Some((&message, &read)),
                        Basis { policy: &policy, actor: &by, now },
                    )
                })
                .await?
            }
        };
        match invited {
            Invited::Invited => Ok(NewInvitation { url, expires_at }),
            Invited::NoUser => Err(InviteError::NoUser),
            Invited::Barred => Err(InviteError::Barred),
            Invited::HasDevice => Err(InviteError::HasDevice),
            // Asked again, it goes to where the user is now.
            Invited::Moved => Err(InviteError::Fault(Fault::Busy)),
        }
    }
}

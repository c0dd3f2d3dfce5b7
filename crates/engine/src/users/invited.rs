//! What an invited person does on the page of the invitation (contract 21.2): begins a device, and finishes it.
//!
//! The token of the next invitation is made from the registration under the installation's key, so every node can show it once
//! the registration is finished, and no row holds it.

use domain::model::audit::Actor;
use domain::model::time::MINUTE;
use domain::rules::verification::find::Target;
use domain::rules::{enrolment, invitation};
use domain::{
    ClientOptions, Credential, Device, DeviceId, DeviceStatus, Digest, FactorKind, FactorResponse, Outcome, Purpose,
    Reason, Right, Session, SessionKind, Timestamp, UserId, VerificationId, View,
};

use crate::challenges::draw::Handle;
use crate::challenges::link::MailRequest;
use crate::fault::faults_of_the_store;
use crate::users::wait_handle::Waiting;
use crate::{AnswerRequest, Confirm, Engine, EnrolError, EnrolRequest, EnrolledDevice, Fault};

/// Characters of a token: base64url without padding.
const TOKEN_LENGTH: usize = 43;
/// Life of a registration that is begun with an invitation, in milliseconds.
const REGISTRATION: i64 = 15 * MINUTE;
/// How far a clock may be off for its person to hear of it, in milliseconds.
const CLOCK_OFF: i64 = 15 * MINUTE;
// What values under the installation's key are made for.
const NONCE: &str = "page.invitation";
const NEXT: &str = "invitation.next";

/// What the page of an invitation says.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationQuestion {
    /// The name of the client that invites, if it still exists and one did.
    pub client: Option<String>,
    /// The account as the person knows it.
    pub account: String,
    pub expires_at: Timestamp,
    /// What is enrolled takes the place of the devices that the user has.
    pub replaces: bool,
    /// What can be enrolled.
    pub offered: Vec<FactorKind>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// The language of the person, as a code such as `de` or `de-AT`.
    pub language: Option<String>,
    /// What the page hands back with each form.
    pub nonce: String,
}

impl std::fmt::Debug for InvitationQuestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvitationQuestion(…)")
    }
}

/// What shows that a form comes from the page of an invitation.
#[derive(Clone)]
pub struct InvitationForm {
    /// As in the address of the link.
    pub token: String,
    pub nonce: String,
}

impl std::fmt::Debug for InvitationForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvitationForm(…)")
    }
}

/// Why a form of an invitation's page came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// The invitation was used, replaced, is over, or never was.
    #[error("the invitation waits no longer")]
    Over,
    /// The form does not come from its page.
    #[error("the form does not come from the page")]
    NotFromPage,
    #[error(transparent)]
    Enrol(EnrolError),
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(InvitationError);

impl From<EnrolError> for InvitationError {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::NotInvited | EnrolError::NoUser => Self::Over,
            EnrolError::Fault(fault) => Self::Fault(fault),
            other => Self::Enrol(other),
        }
    }
}

/// A registration that was begun with an invitation.
#[derive(Clone)]
pub struct BegunEnrolment {
    pub enrolled: EnrolledDevice,
    /// What the form with the code names it by.
    pub registration: String,
    /// What the page that waits for a phone is found by.
    pub wait: String,
    /// Where messages go, if some do.
    pub sent: Option<SentTo>,
    /// The name under which apps show the account.
    pub issuer: String,
}

impl std::fmt::Debug for BegunEnrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BegunEnrolment(…)")
    }
}

/// Where the codes of a registration go.
#[derive(Clone, PartialEq, Eq)]
pub struct SentTo {
    /// The number or address.
    pub to: String,
    /// Whether it is the one of the profile, which a page shows in part only.
    pub is_of_profile: bool,
}

impl std::fmt::Debug for SentTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SentTo(…)")
    }
}

/// A device that was finished with an invitation.
#[derive(Clone, PartialEq, Eq)]
pub struct FinishedEnrolment {
    pub device: DeviceId,
    pub factor: FactorKind,
    pub device_name: String,
    /// The account as the person knows it.
    pub account: String,
    /// The token of the invitation for one more device, if there is one, and when it ends.
    pub next: Option<(String, Timestamp)>,
    /// The devices that the user had before are gone.
    pub replaced: bool,
    /// The user has nothing but telephone numbers by now.
    pub only_phones: bool,
    pub language: Option<String>,
}

impl std::fmt::Debug for FinishedEnrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FinishedEnrolment(…)")
    }
}

/// What a code has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolmentAnswer {
    Finished(FinishedEnrolment),
    /// Wrong. If the clock behind it is off, by how many minutes it is ahead.
    Wrong {
        factor: FactorKind,
        sent: Option<SentTo>,
        minutes_ahead: Option<i64>,
    },
    /// The code was used before.
    Used {
        factor: FactorKind,
        sent: Option<SentTo>,
    },
    /// Nothing is judged for the moment; with the end, where there is one.
    Locked(Option<Timestamp>),
    /// The registration has ended.
    Ended,
}

/// An invitation that waits.
struct Open {
    user: UserId,
    view: View,
    session: Session,
    token: Digest,
}

impl Open {
    fn language(&self) -> Option<String> {
        language(&self.view)
    }

    fn replaces(&self) -> bool {
        matches!(self.session.kind, SessionKind::Invitation { replaces: true, .. })
    }

    fn has_begun(&self, registration: VerificationId) -> bool {
        has_begun(&self.session, registration)
    }
}

pub(super) fn has_begun(session: &Session, registration: VerificationId) -> bool {
    matches!(&session.kind, SessionKind::Invitation { begun, .. }
        if begun.iter().any(|begun| begun.registration == registration))
}

pub(super) fn language(view: &View) -> Option<String> {
    view.user.as_ref().and_then(|user| user.profile.language()).map(str::to_owned)
}

impl Engine {
    /// What the page of this invitation says. `None` if it waits no longer.
    pub async fn invitation(&self, token: &str) -> Result<Option<InvitationQuestion>, Fault> {
        let Some(open) = self.open_invitation(token).await? else { return Ok(None) };
        let client = match open.session.client_id {
            Some(id) => self.store.client_view(id, None).await?.client.map(|client| client.name),
            None => None,
        };
        let policy = &self.settings.policy;
        let offered = if open.replaces() { policy.offered() } else { enrolment::offered(&open.view, policy) };
        let on_page = |kind: &FactorKind| match kind {
            FactorKind::Totp | FactorKind::Push | FactorKind::Sms | FactorKind::Email => true,
            FactorKind::Voice | FactorKind::Hotp => false,
        };
        let user = open.view.user.as_ref();
        Ok(Some(InvitationQuestion {
            client,
            account: user.map(domain::User::account_name).unwrap_or_default(),
            expires_at: open.session.expires_at,
            replaces: open.replaces(),
            offered: offered.into_iter().filter(on_page).collect(),
            email: user.and_then(|user| user.email.clone()),
            phone: user.and_then(|user| user.phone.clone()),
            language: open.language(),
            nonce: self.invitation_nonce(&open.token),
        }))
    }

    /// Begins to enrol a device with an invitation.
    pub async fn begin_invited(
        &self,
        form: &InvitationForm,
        factor: FactorKind,
        target: Option<String>,
        device_name: &str,
        context: Actor,
    ) -> Result<BegunEnrolment, InvitationError> {
        let open = self.invitation_of(form).await?;
        let left = open.session.expires_at.since(self.now());
        let request = EnrolRequest {
            user: open.user,
            factor,
            display_name: None,
            default_name: device_name.to_owned(),
            target,
            trusted: false,
            confirm: Confirm::AtOnce,
            handle: Handle::Uuid,
            ttl: left.min(REGISTRATION),
            options: ClientOptions::default(),
            template: None,
            mail: MailRequest::Code,
            invitation: Some(open.session.id),
        };
        // It goes on in the name of the client that has invited, and ends with it.
        let actor = Actor { client: open.session.client_id, right: Right::Manage, ..context };
        let enrolled = self.enrol(request, actor).await?;
        let registration = enrolled.registration.clone().ok_or(InvitationError::Over)?;
        let sent = self.sent_to(&open.view, &enrolled.device)?;
        let code = enrolled.setup.as_ref().map(|setup| setup.verification_token.clone()).unwrap_or_default();
        let (token, replaces) = (form.token.clone(), open.replaces());
        let waiting = Waiting { registration: registration.id, token, code, replaces };
        let wait = self.wait_handle(open.user, &waiting)?;
        let issuer = self.settings.policy.issuer.clone();
        Ok(BegunEnrolment { enrolled, registration: registration.wire_id, wait, sent, issuer })
    }

    /// Judges the code that finishes a device.
    pub async fn finish_invited(
        &self,
        form: &InvitationForm,
        registration: &str,
        code: &str,
        context: Actor,
    ) -> Result<EnrolmentAnswer, InvitationError> {
        let open = self.invitation_of(form).await?;
        let asked = open.view.verifications.iter().find(|asked| asked.wire_id == registration);
        let Some(asked) = asked.filter(|asked| open.has_begun(asked.id)) else { return Ok(EnrolmentAnswer::Ended) };
        let Some(device) = open.view.device(asked.device_id) else { return Ok(EnrolmentAnswer::Ended) };
        let response = FactorResponse::typed(code);
        let target = Target::Wire { wire_id: registration.to_owned(), purpose: Purpose::Enrol, device: None };
        let answer = AnswerRequest { user: open.user, target, response: response.clone() };
        let actor = Actor { client: open.session.client_id, right: Right::Manage, ..context };
        Ok(match self.verify(answer, actor.clone()).await? {
            Outcome::Accepted { .. } => {
                self.notify_if_invited(&open.view, asked.id, actor).await;
                match self.finished(open.user, asked.id, device, open.replaces()).await? {
                    Some(finished) => EnrolmentAnswer::Finished(finished),
                    None => EnrolmentAnswer::Ended,
                }
            }
            Outcome::Refused(Reason::Replay) => {
                EnrolmentAnswer::Used { factor: device.factor, sent: self.sent_to(&open.view, device)? }
            }
            Outcome::Refused(Reason::Locked { until, .. }) => EnrolmentAnswer::Locked(until),
            Outcome::Refused(Reason::WrongCode | Reason::CodeMissing | Reason::NotTyped) => {
                let (sent, minutes_ahead) = (self.sent_to(&open.view, device)?, self.minutes_ahead(device, &response)?);
                EnrolmentAnswer::Wrong { factor: device.factor, sent, minutes_ahead }
            }
            Outcome::Refused(_) | Outcome::Pending { .. } => EnrolmentAnswer::Ended,
        })
    }

    /// What a finished registration leads on to.
    pub(super) async fn finished(
        &self,
        user: UserId,
        registration: VerificationId,
        device: &Device,
        replaced: bool,
    ) -> Result<Option<FinishedEnrolment>, Fault> {
        let view = self.store.view(user).await?;
        let Some(known) = view.device(device.id) else { return Ok(None) };
        let next = self.next_invitation(registration);
        let digest = Digest::of(next.as_bytes());
        let mut waiting = view.sessions.iter().filter(|session| session.is_open(self.now()));
        let leads_on = waiting.find(|session| session.token == digest).map(|session| session.expires_at);
        let mut usable = view.devices.iter().filter(|device| device.status == DeviceStatus::Active);
        Ok(Some(FinishedEnrolment {
            device: known.id,
            factor: known.factor,
            device_name: known.display_name.clone(),
            account: view.user.as_ref().map(domain::User::account_name).unwrap_or_default(),
            next: leads_on.map(|until| (next, until)),
            replaced,
            only_phones: usable.all(|device| matches!(device.factor, FactorKind::Sms | FactorKind::Voice)),
            language: language(&view),
        }))
    }

    /// Where the codes of this device go, if some are sent.
    fn sent_to(&self, view: &View, device: &Device) -> Result<Option<SentTo>, Fault> {
        let credential = self.open_credential(device)?;
        let to = match &credential {
            Credential::Sms { phone } | Credential::Voice { phone } => phone.clone(),
            Credential::Email { address } => address.clone(),
            Credential::Push { .. } | Credential::Totp(_) | Credential::Hotp(_) => return Ok(None),
        };
        let of_profile = device.factor.channel().and_then(|channel| self.profile_way(channel, view));
        Ok(Some(SentTo { to, is_of_profile: of_profile == Some(credential) }))
    }

    /// By how many minutes the clock of an authenticator is ahead whose code was wrong.
    fn minutes_ahead(&self, device: &Device, response: &FactorResponse) -> Result<Option<i64>, Fault> {
        let Credential::Totp(totp) = self.open_credential(device)? else { return Ok(None) };
        let period = i64::from(totp.period.max(1)) * 1_000;
        let steps = totp.steps_ahead(response, self.now(), CLOCK_OFF / period);
        Ok(steps.filter(|steps| steps.abs() > 1).map(|steps| (steps * period) / MINUTE))
    }

    async fn invitation_of(&self, form: &InvitationForm) -> Result<Open, InvitationError> {
        let open = self.open_invitation(&form.token).await?.ok_or(InvitationError::Over)?;
        let nonce = Digest::of(self.invitation_nonce(&open.token).as_bytes());
        let is_from_page = nonce.matches(&Digest::of(form.nonce.as_bytes()));
        if is_from_page { Ok(open) } else { Err(InvitationError::NotFromPage) }
    }

    /// An invitation that waits, with its user as committed at some recent moment.
    async fn open_invitation(&self, token: &str) -> Result<Option<Open>, Fault> {
        let is_token = token.len() == TOKEN_LENGTH
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_token {
            return Ok(None);
        }
        let digest = Digest::of(token.as_bytes());
        let Some(user) = self.store.invited(digest).await? else { return Ok(None) };
        let view = self.store.view(user).await?;
        let (now, is_barred) = (self.now(), view.user.as_ref().is_none_or(|user| user.is_barred(self.now())));
        let found = view.sessions.iter().find(|session| session.token == digest);
        let session = found.filter(|session| invitation::is_waiting(&view, session.id, now) && !is_barred);
        Ok(session.cloned().map(|session| Open { user, view, session, token: digest }))
    }

    /// What shows that a form comes from the page of this invitation, on every node.
    fn invitation_nonce(&self, token: &Digest) -> String {
        self.under_key(NONCE, &token.0)
    }

    /// The token of the invitation that a registration leads on to.
    pub(crate) fn next_invitation(&self, registration: VerificationId) -> String {
        self.under_key(NEXT, registration.0.as_bytes())
    }

    fn under_key(&self, context: &str, bytes: &[u8]) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.installation_key.key().mac(context, bytes))
    }
}

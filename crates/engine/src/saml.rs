//! Assertions: what an app is told about who has logged in (contract 6). The words are `saml`'s; the key is ours, made
//! when it is first needed, sealed, and replaced with an overlap.

use std::sync::atomic::Ordering;

use domain::app::{App, AppId, Definition, Source, Unassertable};
use domain::time::{DAY, MINUTE};
use domain::{Digest, FactorKind, Place, Purpose, Sealed, Timestamp, User, text};
use saml::{
    Assertion, Attribute, Authentication, AuthnContext, Binding, Certificate, Id, KeySize, Metadata, Moment,
    NameFormat, NameId, NameIdFormat, Response, SelfSigned, Signed, SigningKey, SingleSignOn, aws,
};
use serde::{Deserialize, Serialize};
use store::IdKind;

use crate::sign_in::Factor;
use crate::{Engine, Error};

const KEYS: &str = "saml_keys";
const PLACE: Place<'static> = Place { table: "meta", column: "saml_keys", row: 0, owner: 0 };
/// How long an assertion is good, before and after the moment it is made, in milliseconds.
const GOOD_BEFORE: i64 = 3 * MINUTE;
const GOOD_AFTER: i64 = 5 * MINUTE;
/// How long a certificate is valid. It only carries the key: who trusts it has been told so, by metadata.
const CERTIFICATE_TTL: i64 = 3650 * DAY;
/// Keys that are published: the one that signs, and the one before it.
const PUBLISHED: usize = 2;
/// A key pair as stored, within a sealed list, newest first.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    pkcs8: domain::Secret,
    certificate: Vec<u8>,
}

/// An app that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BadApp {
    /// Another app has this name.
    #[error("there is an app of this name already")]
    NameTaken,
    /// A field cannot be used. Says which and what it should be.
    #[error("{0}")]
    Field(&'static str),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl Engine {
    /// Makes an app.
    pub async fn create_app(&self, name: &str, definition: Definition) -> Result<App, BadApp> {
        let bad = BadApp::Field("the name must be 1 to 100 plain characters");
        let name = domain::name::label(name).filter(|name| text::is_name(name)).ok_or(bad)?;
        let acs = url::Url::parse(&definition.acs_url).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        if acs.is_none_or(|url| url.cannot_be_a_base() || !url.username().is_empty()) {
            return Err(BadApp::Field("the ACS URL must be an https address"));
        }
        if definition.audience.is_empty() || !text::is_clean(&definition.audience) {
            return Err(BadApp::Field("the audience must not be empty"));
        }
        if let Some(bad) = bad_aws(&definition) {
            return Err(BadApp::Field(bad));
        }
        // The database knows the same spelling. Another spelling means that app too.
        let key = domain::name::key(name);
        if self.apps().await?.iter().any(|app| domain::name::key(&app.name) == key) {
            return Err(BadApp::NameTaken);
        }
        let id = AppId(self.store.next_id(IdKind::App).await.map_err(Error::from)?);
        let app = App { id, name: name.to_owned(), definition, created_at: self.now() };
        match self.store.create_app(&app).await {
            Ok(()) => Ok(app),
            Err(store::Error::Conflict(_)) => Err(BadApp::NameTaken),
            Err(error) => Err(BadApp::Other(error.into())),
        }
    }

    /// All apps, by name.
    pub async fn apps(&self) -> Result<Vec<App>, Error> {
        Ok(self.store.apps().await?)
    }

    /// An app.
    pub async fn app(&self, id: AppId) -> Result<Option<App>, Error> {
        Ok(self.store.app(id).await?)
    }

    /// Forgets an app. Says whether there was one.
    pub async fn delete_app(&self, id: AppId) -> Result<bool, Error> {
        Ok(self.store.delete_app(id).await?)
    }

    /// Whether the app can be told about this user. Asked before a factor is spent on it.
    pub fn assertable(&self, app: &App, user: &User) -> Result<(), Unassertable> {
        app.definition.said(user, saml::is_writable).map(|_| ())
    }

    /// Whose log-in a state token is of, while it is under way.
    pub async fn signing_in(&self, state_token: Digest) -> Result<Option<User>, Error> {
        match self.store.holder(state_token, Purpose::SignIn).await? {
            Some(user) => Ok(self.store.view(user).await?.user),
            None => Ok(None),
        }
    }

    /// A signed response for an app about a user who has just logged in, in Base64.
    pub async fn assertion(&self, app: &App, user: &User, shown: Factor) -> Result<String, Error> {
        let key = self.signing_key().await?;
        let response = self.respond(app, user, shown)?;
        let signed = tokio::task::spawn_blocking(move || response.sign(&key, Signed::Both));
        Ok(signed.await.map_err(Error::internal)?.map_err(Error::internal)?.base64())
    }

    /// What services are given to recognise our assertions by.
    pub async fn saml_metadata(&self) -> Result<String, Error> {
        let kept = self.kept_keys().await?;
        let metadata = Metadata {
            entity_id: self.entity_id(),
            certificates: kept.into_iter().map(|kept| Certificate::from_der(kept.certificate)).collect(),
            name_id_formats: vec![NameIdFormat::EmailAddress, NameIdFormat::Unspecified],
            // Assertions are handed out by the API only; the element is one that the schema asks for.
            single_sign_on: vec![SingleSignOn {
                binding: Binding::HttpPost,
                location: format!("{}/api/2/saml_assertion", self.public_url()),
            }],
        };
        metadata.xml().map_err(Error::internal)
    }

    /// Makes a new key pair that signs from now on. The one before stays in the metadata until the next time.
    pub async fn rotate_saml_key(&self) -> Result<(), Error> {
        let mut kept = self.kept_keys().await?;
        kept.insert(0, self.draw_key().await?);
        kept.truncate(PUBLISHED);
        Ok(self.store.set_meta(KEYS, &self.seal_keys(&kept)?.0).await?)
    }

    fn respond(&self, app: &App, user: &User, shown: Factor) -> Result<Response, Error> {
        let definition = &app.definition;
        // Whoever reads it goes by the time of day.
        let now = self.time.read().wall;
        let said = definition.said(user, saml::is_writable).map_err(Error::internal)?;
        // What the source is, not what its text looks like.
        let format = match definition.name_id {
            Source::Email => NameIdFormat::EmailAddress,
            Source::Username | Source::Id | Source::Profile(_) | Source::Custom(_) | Source::Fixed(_) => {
                NameIdFormat::Unspecified
            }
        };
        let attribute = |(name, value)| Attribute { name, name_format: NameFormat::Basic, values: vec![value] };
        let mut attributes: Vec<Attribute> = said.attributes.into_iter().map(attribute).collect();
        if !definition.aws_roles.is_empty() {
            let roles: Vec<_> = definition.aws_roles.iter().map(role).collect();
            let session = definition.aws_session_ttl;
            attributes.extend(aws::attributes(&roles, &said.subject, session).map_err(Error::internal)?);
        }
        let id = || Id::from_random(self.chance.bytes());
        Ok(Response {
            id: id(),
            assertion: Assertion {
                id: id(),
                issuer: self.entity_id(),
                issued_at: moment(now),
                subject: NameId { format, value: said.subject },
                recipient: definition.acs_url.clone(),
                audience: definition.audience.clone(),
                not_before: moment(now.plus(-GOOD_BEFORE)),
                not_on_or_after: moment(now.plus(GOOD_AFTER)),
                authentication: Authentication {
                    at: moment(now),
                    session_index: format!("_{}", self.chance.hex::<16>()),
                    context: context_of(shown),
                },
                attributes,
            },
        })
    }

    /// Who we say we are: never what a caller's `Host` says (SEC 64, rulings 29b).
    fn entity_id(&self) -> String {
        match &self.settings.public_url {
            Some(url) => format!("{url}/saml/metadata"),
            None => format!("urn:countersign:{}", self.settings.subdomain),
        }
    }

    fn public_url(&self) -> &str {
        self.settings.public_url.as_deref().unwrap_or("http://localhost")
    }

    async fn signing_key(&self) -> Result<SigningKey, Error> {
        let kept = self.kept_keys().await?;
        let newest = kept.into_iter().next().ok_or_else(|| Error::internal("a list of keys without one"))?;
        SigningKey::new(newest.pkcs8.expose(), Certificate::from_der(newest.certificate)).map_err(Error::internal)
    }

    /// The keys, newest first. The first call of an installation makes one; of several nodes that do, one wins.
    async fn kept_keys(&self) -> Result<Vec<Kept>, Error> {
        let sealed = match self.store.meta(KEYS).await? {
            Some(sealed) => sealed,
            None => self.first_keys().await?,
        };
        let plain = self.keys.open(PLACE, &Sealed(sealed)).map_err(Error::internal)?;
        serde_json::from_slice(plain.expose()).map_err(Error::internal)
    }

    /// Makes the first key. Anybody may ask for metadata and a key is dear to make, so of many who find none one makes it.
    async fn first_keys(&self) -> Result<Vec<u8>, Error> {
        let _turn = self.first_key.lock().await;
        if let Some(sealed) = self.store.meta(KEYS).await? {
            return Ok(sealed);
        }
        let fresh = self.seal_keys(&[self.draw_key().await?])?;
        Ok(self.store.set_meta_if_absent(KEYS, &fresh.0).await?)
    }

    /// How many keys this process has made.
    pub fn saml_keys_made(&self) -> u64 {
        self.keys_made.load(Ordering::Relaxed)
    }

    fn seal_keys(&self, kept: &[Kept]) -> Result<Sealed, Error> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(kept).map_err(Error::internal)?);
        Ok(self.keys.seal(PLACE, self.chance.bytes(), &plain))
    }

    async fn draw_key(&self) -> Result<Kept, Error> {
        // Whoever reads it goes by the time of day.
        let now = self.time.read().wall;
        let host = url::Url::parse(self.public_url()).ok().and_then(|url| url.host_str().map(str::to_owned));
        let told = SelfSigned {
            common_name: host.filter(|host| host.len() <= 64).unwrap_or_else(|| "Countersign".to_owned()),
            serial: self.chance.bytes(),
            not_before: moment(now.plus(-DAY)),
            not_after: moment(now.plus(CERTIFICATE_TTL)),
        };
        let made = tokio::task::spawn_blocking(move || {
            let pkcs8 = saml::generate_private_key(KeySize::Rsa2048)?;
            let certificate = Certificate::self_signed(&pkcs8, &told)?.der().to_vec();
            Ok::<_, saml::Error>(Kept { pkcs8: domain::Secret::new(pkcs8.to_vec()), certificate })
        });
        self.keys_made.fetch_add(1, Ordering::Relaxed);
        made.await.map_err(Error::internal)?.map_err(Error::internal)
    }
}

/// The class that is true of what was shown. No class knows a counter, a mail or a token on paper.
fn context_of(shown: Factor) -> AuthnContext {
    match shown {
        Factor::None => AuthnContext::PasswordProtectedTransport,
        Factor::Device(FactorKind::Totp) => AuthnContext::TimeSyncToken,
        Factor::Device(FactorKind::Push | FactorKind::Sms | FactorKind::Voice) => AuthnContext::MobileTwoFactorContract,
        Factor::Device(FactorKind::Hotp | FactorKind::Email) | Factor::Token => AuthnContext::Unspecified,
    }
}

fn moment(at: Timestamp) -> Moment {
    Moment(at.0)
}

/// What AWS would not take of an app's definition. The preset is judged only where it is asked for: an app of any other
/// service names no role.
fn bad_aws(definition: &Definition) -> Option<&'static str> {
    let session = definition.aws_session_ttl;
    if definition.aws_roles.is_empty() {
        return session.map(|_| "a session length is for AWS only: name a role too, as ROLE_ARN,PROVIDER_ARN");
    }
    if session.is_some_and(|seconds| !aws::SESSION_SECONDS.contains(&seconds)) {
        return Some("a session at AWS lasts 900 to 43200 seconds");
    }
    let roles: Vec<_> = definition.aws_roles.iter().map(role).collect();
    aws::attributes(&roles, "someone", session).err().map(|_| {
        "an AWS role must be ROLE_ARN,PROVIDER_ARN, as in \
         arn:aws:iam::123456789012:role/Admin,arn:aws:iam::123456789012:saml-provider/Countersign"
    })
}

fn role((role, provider): &(String, String)) -> aws::Role {
    aws::Role { role_arn: role.clone(), provider_arn: provider.clone() }
}

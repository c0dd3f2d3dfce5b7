//! What the replays share: a client with its habits, and how strictly typed clients read.

use countersign_onelogin::{CompatProfile, ScopeName as _};
use domain::model::long_poll::LongPoll;
use domain::{ClientOptions, Scope};
use serde_json::Value;

use crate::wire::{App, Script, Told, Wire};

/// How a client asks for its token and shows it.
#[derive(Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) token_path: &'static str,
    /// The header of the token call, from id and secret.
    pub(crate) credentials: fn(&str, &str) -> String,
    /// What comes before the access token.
    pub(crate) bearer: &'static str,
    /// Sent with every call.
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// Which scope each client's documentation asks for; the runs of unmodified clients read the same table.
const SCOPES: &str = include_str!("../../../../conformance/scopes.md");

/// The scope of a replay's client in a flow.
pub(crate) fn recommended(file: &str, flow: &str) -> Scope {
    let client = file.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).expect("a file of a replay");
    let row = |flow: &str| {
        SCOPES.lines().find_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            (cells.len() == 4 && cells[..2] == [client, flow]).then(|| cells[2].to_owned())
        })
    };
    let named =
        row(flow).or_else(|| row("*")).unwrap_or_else(|| panic!("conformance/scopes.md has no scope for {client}"));
    Scope::from_name(&named).unwrap_or_else(|| panic!("{named} is no scope"))
}

pub(crate) fn documented(id: &str, secret: &str) -> String {
    format!("client_id:{id}, client_secret:{secret}")
}

pub(crate) fn without_space(id: &str, secret: &str) -> String {
    format!("client_id:{id},client_secret:{secret}")
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", data_encoding::BASE64.encode(format!("{id}:{secret}").as_bytes()))
}

/// A client that has its token.
pub(crate) struct Client<'a> {
    pub(crate) wire: &'a Wire,
    habits: Habits,
    credentials: String,
    /// The answer to the token call.
    pub(crate) granted: Value,
    token: String,
}

impl<'a> Client<'a> {
    /// With the dev world's credential of this scope.
    pub(crate) async fn connect(wire: &'a Wire, scope: Scope, habits: Habits) -> Self {
        let client = wire.server.client(scope).clone();
        Self::with(wire, &client.client_id, &client.client_secret, habits).await
    }

    /// With a credential of the scope that this client's documentation asks for in a flow. `file` is that of the replay.
    pub(crate) async fn recommended(wire: &'a Wire, file: &str, flow: &str, habits: Habits) -> Self {
        Self::connect(wire, recommended(file, flow), habits).await
    }

    /// The same, with a credential of a compat profile.
    pub(crate) async fn speaking(
        wire: &'a Wire,
        (file, flow): (&str, &str),
        profile: CompatProfile,
        habits: Habits,
    ) -> Self {
        let options = ClientOptions { holding: LongPoll::Off, ..ClientOptions::default() };
        let scope = recommended(file, flow);
        let made = wire
            .server
            .world
            .engine()
            .create_client(profile.name(), scope, profile.into(), options, engine::ClientLimits::default())
            .await;
        let made = made.expect("a client");
        Self::with(wire, &made.client.client_id, &made.secret, habits).await
    }

    async fn with(wire: &'a Wire, id: &str, secret: &str, habits: Habits) -> Self {
        let credentials = (habits.credentials)(id, secret);
        let mut client = Self { wire, habits, credentials, granted: Value::Null, token: String::new() };
        client.take_token().await;
        client
    }

    /// Asks for a token, as clients do at the start and some do after each 401.
    pub(crate) async fn take_token(&mut self) {
        let told = self.as_itself("POST", self.habits.token_path, r#"{"grant_type":"client_credentials"}"#).await;
        assert_eq!(told.status(), 200, "{told}");
        self.granted = told.json();
        let token = self.granted.get("data").map_or(&self.granted["access_token"], |data| &data[0]["access_token"]);
        token.as_str().expect("a token").clone_into(&mut self.token);
    }

    /// A call with the credential itself.
    pub(crate) async fn as_itself(&self, method: &str, path: &str, body: &str) -> Told {
        let script = Script::new(method, path).json(body).header("authorization", &self.credentials);
        self.wire.send(script).await
    }

    /// A call with the token. Every client says that it speaks JSON, also where it says nothing.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Told {
        self.call_with(method, path, body, &[]).await
    }

    /// A call with the token and these headers.
    pub(crate) async fn call_with(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Told {
        let mut script = Script::new(method, path).json(body);
        for (name, value) in self.habits.headers.iter().chain(headers) {
            script = script.header(name, value);
        }
        self.wire.send(script.header("authorization", &format!("{}{}", self.habits.bearer, self.token))).await
    }

    pub(crate) async fn get(&self, path: &str) -> Told {
        self.call("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Told {
        self.call("POST", path, &body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Told {
        self.call("PUT", path, &body.to_string()).await
    }

    /// The token itself.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

/// How a typed client reads a member.
#[derive(Debug, Clone, Copy)]
pub(crate) enum As {
    Text,
    /// Absent, null or a text.
    MaybeText,
    Integer,
    Bool,
    List,
    Object,
}

/// Reads an object as a client with a typed model does: a member of another type throws, one that it does not know is
/// nothing to it.
pub(crate) fn reads(value: &Value, members: &[(&str, As)]) {
    assert!(value.is_object(), "an object is read, and it is {value}");
    for (name, kind) in members {
        let member = &value[name];
        let fits = match kind {
            As::Text => member.is_string(),
            As::MaybeText => member.is_null() || member.is_string(),
            As::Integer => member.is_i64(),
            As::Bool => member.is_boolean(),
            As::List => member.is_array(),
            As::Object => member.is_object(),
        };
        assert!(fits, "{name} is read as {kind:?}, and it is {member} in {value}");
    }
}

/// The `data` of a v1 success.
pub(crate) fn data(told: &Told) -> Value {
    let json = told.json();
    assert_eq!((told.status(), &json["status"]["error"]), (200, &Value::Bool(false)), "{told}");
    json["data"].clone()
}

/// What the status of a v1 answer says.
pub(crate) fn message(told: &Told) -> String {
    told.json()["status"]["message"].as_str().unwrap_or_else(|| panic!("no message in {told}")).to_owned()
}

/// A member as text.
pub(crate) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("{member} is no text in {value}")).to_owned()
}

/// Ana's words at a log-in; the credential's account is `acme`.
pub(crate) fn words(wire: &Wire) -> Value {
    let user = wire.server.user(1);
    serde_json::json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme" })
}

/// The words with an app's id in front, as assertions want them.
pub(crate) fn words_for(wire: &Wire, app: Value) -> Value {
    let mut words = words(wire);
    words["app_id"] = app;
    words
}

/// The SAML response of an answer, from Base64.
fn response(data: &Value) -> Option<String> {
    let bytes = data.as_str().and_then(|text| data_encoding::BASE64.decode(text.as_bytes()).ok())?;
    String::from_utf8(bytes).ok()
}

/// Whether this is a SAML response in Base64.
pub(crate) fn is_assertion(data: &Value) -> bool {
    response(data).is_some_and(|xml| xml.contains("AttributeStatement"))
}

/// What tools for Amazon read out of a response: every value of an attribute, in the order of the assertion.
pub(crate) fn attribute_values(data: &Value) -> Vec<String> {
    let xml = response(data).unwrap_or_else(|| panic!("{data} is no response"));
    let parts = xml.split("<saml:AttributeValue").skip(1);
    let value = |part: &str| Some(part.split_once('>')?.1.split_once("</saml:AttributeValue>")?.0.to_owned());
    parts.map(|part| value(part).unwrap_or_else(|| panic!("no end in {part}"))).collect()
}

/// The roles of a response with their providers, as Amazon's pair of names has them.
pub(crate) fn roles(data: &Value) -> Vec<(String, String)> {
    let values = attribute_values(data);
    let pairs = values.iter().filter_map(|value| value.split_once(','));
    let roles: Vec<_> = pairs.map(|(role, provider)| (role.to_owned(), provider.to_owned())).collect();
    for (role, provider) in &roles {
        let of_account = |arn: &str, rest: &str| {
            let (account, found) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
            (account.len() == 12 && found.starts_with(rest)).then(|| account.to_owned())
        };
        let account = of_account(role, "role/");
        assert!(account.is_some() && account == of_account(provider, "saml-provider/"), "{role},{provider}");
    }
    roles
}

/// A paired phone for push; gives the device's id.
pub(crate) async fn phone(wire: &Wire) -> i64 {
    let (device, told) = wire.enrolled(r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &told.0.text).await;
    device
}

/// A telephone for text messages, in use; gives the device's id.
pub(crate) async fn telephone(wire: &Wire) -> i64 {
    let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123","verified":true}"#;
    wire.enrolled(body).await.0
}

/// An authenticator app in use; gives the device's id and the app.
pub(crate) async fn authenticator(wire: &Wire) -> (i64, App) {
    wire.app().await
}

/// The person at the paired phone answers.
pub(crate) async fn at_the_phone(wire: &Wire, answer: &str) {
    wire.dev(&format!("/dev/phone/{answer}"), "").await;
}

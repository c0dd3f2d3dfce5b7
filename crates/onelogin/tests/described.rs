//! What `openapi.json` and `/docs` say that a call answers is what it answers: every example is held against an answer.

mod wire;

use std::collections::BTreeSet;

use domain::Scope;
use serde_json::{Value, json};
use testkit::Script;
use wire::{App, Told, Wire};

/// Whether an answer has the form of an example: the same members of the same types, and the same words where clients go by
/// them. What is null says nothing, a list is as its first entry, and people name custom attributes as they like.
fn fits(example: &Value, answer: &Value) -> Result<(), String> {
    match (example, answer) {
        (Value::Object(example), Value::Object(answer)) => {
            let names = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<BTreeSet<_>>();
            let (described, answered) = (names(example), names(answer));
            if described != answered {
                let differ: Vec<_> = described.symmetric_difference(&answered).collect();
                return Err(format!("only one side has {differ:?}"));
            }
            for word in ["type", "message"] {
                if described.contains(word) && example[word] != answer[word] {
                    return Err(format!("{} is described, and {} comes", example[word], answer[word]));
                }
            }
            let mut told = example.iter().filter(|(name, _)| *name != "custom_attributes");
            told.try_for_each(|(name, value)| fits(value, &answer[name]).map_err(|why| format!("{name}: {why}")))
        }
        (Value::Array(example), Value::Array(answer)) => match (example.first(), answer.first()) {
            (Some(example), Some(answer)) => fits(example, answer),
            _ => Ok(()),
        },
        (Value::Null, _)
        | (_, Value::Null)
        | (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        _ => Err(format!("{example} is described, and {answer} comes")),
    }
}

/// The document, and which of its examples have been met.
struct Described {
    document: Value,
    met: BTreeSet<String>,
}

impl Described {
    async fn read(wire: &Wire) -> Self {
        Self { document: wire.get("/openapi.json").await.json(), met: BTreeSet::new() }
    }

    /// Holds an answer against the examples of its operation and status.
    fn hold(&mut self, method: &str, path: &str, told: &Told) {
        let status = told.status().to_string();
        let answer = &self.document["paths"][path][method.to_lowercase()]["responses"][&status];
        let examples = answer["content"]["application/json"]["examples"].as_object();
        let examples = examples.unwrap_or_else(|| panic!("{method} {path} describes no {status}: {told}"));
        let held: Vec<_> = examples.iter().map(|(name, one)| (name, fits(&one["value"], &told.json()))).collect();
        let Some((name, _)) = held.iter().find(|(_, fit)| fit.is_ok()) else {
            panic!("{method} {path}: {held:?}\n{told}")
        };
        self.met.insert(format!("{method} {path} {status} {name}"));
    }

    /// Every example there is.
    fn all(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (path, methods) in self.document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                for (status, answer) in operation["responses"].as_object().expect("responses") {
                    let examples = answer["content"]["application/json"]["examples"].as_object();
                    let names = examples.into_iter().flat_map(serde_json::Map::keys);
                    all.extend(names.map(|name| format!("{} {path} {status} {name}", method.to_uppercase())));
                }
            }
        }
        all
    }
}

#[tokio::test]
async fn what_is_described_is_what_is_answered() {
    let wire = Wire::start().await;
    let mut described = Described::read(&wire).await;
    tokens(&wire, &mut described).await;
    users(&wire, &mut described).await;
    mfa_v1(&wire, &mut described).await;
    events(&wire, &mut described).await;
    // What has devices must not have them from before.
    let wire = Wire::start().await;
    log_ins(&wire, &mut described).await;
    let wire = Wire::start().await;
    mfa_v2(&wire, &mut described).await;
    visits(&wire, &mut described).await;
    let invited = wire.post("2/enrollment_link", r#"{"replace":true,"deliver":"email","expires_in":900}"#).await;
    described.hold("POST", "/api/2/mfa/users/{user_id}/enrollment_link", &invited);
    let missed: Vec<_> = described.all().difference(&described.met).cloned().collect();
    assert_eq!(missed, Vec::<String>::new(), "no call here is answered with these examples");
    let wire = Wire::start().await;
    rest(&wire, &described.document).await;
    // The other direction, that what is read is described, is checked at each read, in every test.
    let read = countersign_onelogin::fields_read();
    let unread: Vec<_> = described_fields(&described.document).difference(&read).cloned().collect();
    assert_eq!(unread, Vec::<String>::new(), "these fields are described, and no endpoint reads them");
}

/// Sends every field of each query, alone, and the bodies that the other calls have not sent.
async fn rest(wire: &Wire, document: &Value) {
    for field in described_fields(document) {
        let [method, path, "query", name] = field.split(' ').collect::<Vec<_>>()[..] else { continue };
        let path = path.replace("{user_id}", &wire.user.to_string()).replace("{device_id}", "1").replace("{id}", "1");
        let value = if name.ends_with("since") || name.ends_with("until") { "2026-03-01" } else { "1" };
        let path = format!("{path}?{name}={value}");
        let body =
            r#"{"username":"cy","password":"correct horse battery","password_confirmation":"correct horse battery"}"#;
        match method {
            "GET" => wire.get(&path).await,
            "PUT" => wire.put(&path, body).await,
            _ => wire.post(&path, body).await,
        };
    }
    let mail = r#"{"factor_id":4,"email":"ana@example.com"}"#;
    for path in ["1/otp_devices", "2/registrations"] {
        wire.post(path, mail).await;
    }
    let client = wire.server.client(Scope::ReadAll).clone();
    let pair = json!({ "client_id": client.client_id, "client_secret": client.client_secret });
    for path in ["/auth/oauth2/v2/token", "/auth/oauth2/token", "/auth/oauth2/revoke"] {
        for grant in ["client_credentials", "refresh_token"] {
            let mut body = pair.clone();
            body["grant_type"] = grant.into();
            body["access_token"] = "a".into();
            body["refresh_token"] = "b".into();
            wire.send(Script::post(path).json(&body.to_string())).await;
        }
    }
    wire.server.send(Script::post("/session_via_api_token").json(r#"{"session_token":"a"}"#)).await;
}

async fn tokens(wire: &Wire, described: &mut Described) {
    let client = wire.server.client(Scope::ReadAll).clone();
    let header = format!("client_id:{}, client_secret:{}", client.client_id, client.client_secret);
    let ask =
        async |path: &str, body: &str| wire.send(Script::post(path).header("authorization", &header).json(body)).await;
    let mut token = String::new();
    for path in ["/auth/oauth2/v2/token", "/auth/oauth2/token"] {
        let told = ask(path, r#"{"grant_type":"client_credentials"}"#).await;
        described.hold("POST", path, &told);
        token = told.text("access_token");
    }
    described.hold(
        "POST",
        "/auth/oauth2/revoke",
        &ask("/auth/oauth2/revoke", &json!({ "access_token": token }).to_string()).await,
    );
    described.hold("GET", "/auth/rate_limit", &wire.get("/auth/rate_limit").await);
}

async fn users(wire: &Wire, described: &mut Described) {
    for plural in ["roles", "groups", "apps", "connectors"] {
        for version in [1, 2] {
            let path = format!("/api/{version}/{plural}");
            described.hold("GET", &path, &wire.get(&path).await);
        }
    }
    let one = |version: i64| format!("/api/{version}/users/{}", wire.user);
    for version in [1, 2] {
        let (list, template) = (format!("/api/{version}/users"), format!("/api/{version}/users/{{user_id}}"));
        described.hold("GET", &list, &wire.get(&list).await);
        let name = format!("somebody{version}");
        described.hold("POST", &list, &wire.post(&list, &json!({ "username": name }).to_string()).await);
        described.hold("GET", &template, &wire.get(&one(version)).await);
        described.hold("PUT", &template, &wire.put(&one(version), r#"{"firstname":"Ben"}"#).await);
        let path = format!("{template}/apps");
        described.hold("GET", &path, &wire.get(&format!("{}/apps", one(version))).await);
    }
    let template = "/api/1/users/{user_id}";
    described.hold("GET", &format!("{template}/roles"), &wire.get(&format!("{}/roles", one(1))).await);
    for (last, body) in [
        ("set_custom_attributes", r#"{"custom_attributes":{"team":"red"}}"#),
        ("set_state", r#"{"state":1}"#),
        ("logout", ""),
        ("lock_user", r#"{"locked_until":5}"#),
    ] {
        described.hold("PUT", &format!("{template}/{last}"), &wire.put(&format!("{}/{last}", one(1)), body).await);
    }
    described.hold("POST", "/api/2/users/{user_id}/unlock", &wire.post(&format!("{}/unlock", one(2)), "").await);
    let names = "/api/1/users/custom_attributes";
    described.hold("GET", names, &wire.get(names).await);
    let clear = r#"{"password":"correct horse battery","password_confirmation":"correct horse battery"}"#;
    let digest = "0".repeat(64);
    let salted =
        json!({ "password": digest, "password_confirmation": digest, "password_algorithm": "salt+sha256" }).to_string();
    for (kind, body) in [("set_password_clear_text", clear), ("set_password_using_salt", salted.as_str())] {
        let told = wire.put(&format!("/api/1/users/{kind}/{}", wire.user), body).await;
        described.hold("PUT", &format!("/api/1/users/{kind}/{{user_id}}"), &told);
    }
    described.hold("DELETE", template, &wire.delete("/api/1/users/3").await);
}

async fn mfa_v1(wire: &Wire, described: &mut Described) {
    let template = "/api/1/users/{user_id}";
    for path in ["auth_factors", "auth_factor"] {
        described.hold("GET", &format!("{template}/{path}"), &wire.get(&format!("1/{path}")).await);
    }
    let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123"}"#;
    let (device, told) = wire.enrolled(body).await;
    let devices = format!("{template}/otp_devices");
    described.hold("POST", &devices, &told);
    described.hold("GET", &devices, &wire.get("1/otp_devices").await);
    let (told, code) = wire.sent("sms", wire.post(&format!("1/otp_devices/{device}/trigger"), "")).await;
    described.hold("POST", &format!("{devices}/{{device_id}}/trigger"), &told);
    let answer = json!({ "otp_token": code, "state_token": told.text("state_token") }).to_string();
    let told = wire.post(&format!("1/otp_devices/{device}/verify"), &answer).await;
    described.hold("POST", &format!("{devices}/{{device_id}}/verify"), &told);
    described.hold("POST", &format!("{template}/mfa_token"), &wire.post("1/mfa_token", "").await);
    described.hold(
        "DELETE",
        &format!("{devices}/{{device_id}}"),
        &wire.delete(&format!("1/otp_devices/{device}")).await,
    );
}

async fn events(wire: &Wire, described: &mut Described) {
    let list = wire.get("/api/1/events").await;
    described.hold("GET", "/api/1/events", &list);
    let id = list.text("id");
    described.hold("GET", "/api/1/events/{event_id}", &wire.get(&format!("/api/1/events/{id}")).await);
    described.hold("GET", "/api/1/events/types", &wire.get("/api/1/events/types").await);
}

/// Without a factor, with a message to type, and with a phone that says nothing for the moment.
async fn log_ins(wire: &Wire, described: &mut Described) {
    let user = wire.server.user(1);
    let words = json!({
        "username_or_email": user.username, "password": user.password, "subdomain": "acme", "app_id": 1,
    });
    let first = [
        "/api/1/login/auth",
        "/api/2/login/auth",
        "/api/1/saml_assertion",
        "/api/2/saml_assertion",
        "/api/2/saml-assertions",
    ];
    let second = [
        "/api/1/login/verify_factor",
        "/api/2/login/verify_factor",
        "/api/1/saml_assertion/verify_factor",
        "/api/2/saml_assertion/verify_factor",
        "/api/2/saml-assertions/verify_factor",
    ];
    for path in first {
        described.hold("POST", path, &wire.post(path, &words.to_string()).await);
    }
    let phone = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123","verified":true}"#;
    let (phone, _) = wire.enrolled(phone).await;
    let (push, told) = wire.enrolled(r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &told.0.text).await;
    for (path, next) in first.into_iter().zip(second) {
        let needed = wire.post(path, &words.to_string()).await;
        described.hold("POST", path, &needed);
        let state_token = needed.text("state_token");
        let step = |device: i64, code: &str| {
            json!({ "state_token": state_token, "device_id": device, "app_id": 1, "otp_token": code }).to_string()
        };
        if next.contains("login") {
            described.hold("POST", next, &wire.post(next, &step(push, "")).await);
        }
        let (sent, code) = wire.sent("sms", wire.post(&format!("{next}?wait=0"), &step(phone, ""))).await;
        described.hold("POST", next, &sent);
        described.hold("POST", next, &wire.post(next, &step(phone, &code)).await);
        wire.server.advance(60);
    }
}

async fn mfa_v2(wire: &Wire, described: &mut Described) {
    let template = |last: &str| format!("/api/2/mfa/users/{{user_id}}/{last}");
    described.hold("GET", &template("factors"), &wire.get("2/factors").await);
    let invited = wire.post("2/enrollment_link", r#"{"expires_in":86400,"replace":true,"deliver":"email"}"#).await;
    described.hold("POST", &template("enrollment_link"), &invited);
    described.hold("POST", &template("enrollment_link"), &wire.post("2/enrollment_link", r#"{"replace":true}"#).await);
    let started = wire.post("2/registrations", r#"{"factor_id":5,"display_name":"Ben's app"}"#).await;
    described.hold("POST", &template("registrations"), &started);
    let one = format!("2/registrations/{}", started.text("id"));
    described.hold("GET", &template("registrations/{id}"), &wire.get(&one).await);
    let app = App::reading(&started.single()["factor_data"]);
    let finish = json!({ "otp": app.code(wire.server.now()) }).to_string();
    described.hold("PUT", &template("registrations/{id}"), &wire.put(&one, &finish).await);
    described.hold("GET", &template("registrations/{id}"), &wire.get(&one).await);
    described.hold("GET", &template("devices"), &wire.get("2/devices").await);
    let device = wire.sms().await;
    let challenge = json!({ "device_id": device }).to_string();
    let (opened, code) = wire.sent("sms", wire.post("2/verifications", &challenge)).await;
    described.hold("POST", &template("verifications"), &opened);
    let one = format!("2/verifications/{}", opened.text("id"));
    described.hold("GET", &template("verifications/{id}"), &wire.get(&one).await);
    described.hold("PUT", &template("verifications/{id}"), &wire.put(&one, &json!({ "otp": code }).to_string()).await);
    wire.server.advance(60);
    let (_, code) = wire.sent("sms", wire.post("2/verifications", &challenge)).await;
    let verified = wire.post("2/verifications", &json!({ "otp": code }).to_string()).await;
    described.hold("POST", &template("verifications"), &verified);
    described.hold("POST", &template("mfa_token"), &wire.post("2/mfa_token", "").await);
}

async fn visits(wire: &Wire, described: &mut Described) {
    let visit = json!({
        "user_identifier": "visitor", "email": "visitor@example.com",
        "context": { "ip": "203.0.113.7", "user_agent": "browser" },
    });
    for verify in ["/api/2/smart-mfa/verify", "/api/2/verify"] {
        let mut visit = visit.clone();
        visit["context"]["user_agent"] = verify.into();
        let (told, code) = wire.sent("email", wire.post("/api/2/smart-mfa", &visit.to_string())).await;
        described.hold("POST", "/api/2/smart-mfa", &told);
        let answer = json!({ "state_token": told.json()["mfa"]["state_token"], "otp_token": code });
        described.hold("POST", verify, &wire.post(verify, &answer.to_string()).await);
        described.hold("POST", "/api/2/smart-mfa", &wire.post("/api/2/smart-mfa", &visit.to_string()).await);
        wire.server.advance(60);
    }
}

/// Which fields `openapi.json` describes, as [`countersign_onelogin::fields_read`] names them.
fn described_fields(document: &Value) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let operation_name = format!("{} {path}", method.to_uppercase());
            let parameters = operation["parameters"].as_array().expect("parameters");
            let query = parameters.iter().filter(|parameter| parameter["in"] == "query");
            fields.extend(
                query.map(|field| format!("{operation_name} query {}", field["name"].as_str().expect("a name"))),
            );
            for content in operation["requestBody"]["content"].as_object().into_iter().flat_map(serde_json::Map::values)
            {
                let members = content["schema"]["properties"].as_object().expect("properties");
                fields.extend(members.keys().map(|name| format!("{operation_name} body {name}")));
            }
        }
    }
    fields
}

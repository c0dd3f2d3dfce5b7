//! SAML assertions on the wire: section 6 of the contract, row by row. What the assertions say is tested with `saml`.

mod wire;

use domain::Scope;
use domain::model::app::{Definition, Source};
use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::Script;
use wire::{Told, Wire, other};

/// The dev world's app at Amazon.
const AWS: i64 = 1;

fn request(wire: &Wire) -> Value {
    let user = wire.server.user(1);
    json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme", "app_id": AWS.to_string() })
}

async fn ask(wire: &Wire, path: &str, body: &Value) -> Told {
    wire.call_as(Scope::Authenticate, "POST", path, &body.to_string()).await
}

/// The XML in an answer.
fn xml(base64: &Value) -> String {
    let text = base64.as_str().expect("an assertion is a text");
    let bytes = data_encoding::BASE64.decode(text.as_bytes()).expect("in Base64");
    String::from_utf8(bytes).expect("of XML")
}

#[tokio::test]
async fn without_a_factor_the_assertion_comes_at_once_in_both_versions() {
    let wire = Wire::start().await;
    for path in ["/api/1/saml_assertion", "/api/2/saml_assertion", "/api/2/saml-assertions"] {
        let told = ask(&wire, path, &request(&wire)).await;
        let body = told.json();
        let message = if path.contains("/1/") { &body["status"]["message"] } else { &body["message"] };
        assert_eq!((told.status(), message), (200, &json!("Success")), "{path}");
        let xml = xml(&body["data"]);
        assert!(xml.contains("<saml:Audience>urn:amazon:webservices</saml:Audience>"), "{xml}");
        let role = "arn:aws:iam::123456789012:role/Developer,arn:aws:iam::123456789012:saml-provider/Countersign";
        assert_eq!(xml.matches(role).count(), 1, "exactly one role");
        assert!(xml.contains("ben@example.com"));
    }
}

#[tokio::test]
async fn a_factor_stands_before_the_assertion_in_version_1() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let needed = ask(&wire, "/api/1/saml_assertion", &request(&wire)).await;
    assert_eq!(needed.json()["status"]["message"], "MFA is required for this user");
    let token = needed.text("state_token");
    assert_eq!(needed.single()["callback_url"], "http://127.0.0.1:8080/api/1/saml_assertion/verify_factor");
    assert_eq!(needed.single()["devices"], json!([{ "device_type": "Google Authenticator", "device_id": device }]));
    let code = app.code(wire.server.now());
    let body =
        |otp: &str| json!({ "app_id": AWS, "state_token": token, "device_id": device.to_string(), "otp_token": otp });
    let path = "/api/1/saml_assertion/verify_factor";
    let wrong = ask(&wire, path, &body(&other(&code))).await;
    assert_eq!(
        (wrong.status(), &wrong.json()["status"]["message"]),
        (401, &json!("Failed authentication with this factor"))
    );
    let right = ask(&wire, path, &body(&code)).await;
    assert!(xml(&right.json()["data"]).contains("urn:amazon:webservices"));
    let again = ask(&wire, path, &body(&app.code(wire.server.now()))).await;
    assert_eq!(
        (again.status(), &again.json()["status"]["message"]),
        (400, &json!("State token is invalid or expired"))
    );
}

/// Contract 14.14: `data` is a text, whatever one SDK expects.
#[tokio::test]
async fn version_2_has_no_envelope_and_no_data_while_pending() {
    let wire = Wire::start().await;
    let enrolled = wire.post("1/otp_devices", r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &enrolled.0.text).await;
    let device = enrolled.single()["id"].clone();
    let needed = ask(&wire, "/api/2/saml_assertion", &request(&wire)).await.json();
    assert_eq!(needed["message"], "MFA is required for this user");
    assert_eq!(needed["callback_url"], "http://127.0.0.1:8080/api/2/saml_assertion/verify_factor");
    assert!(needed["user"]["id"].is_i64() && needed["devices"][0]["device_id"].is_i64());
    let body = json!({ "app_id": AWS, "state_token": needed["state_token"], "device_id": device });
    let before = wire.newest_message().await;
    let pending = ask(&wire, "/api/2/saml-assertions/verify_factor", &body).await;
    assert_snapshot!(pending.answer(), @r#"
200 OK
{"message":"Authentication pending on OL Protect"}
"#);
    wire.message("push", before).await;
    wire.dev("/dev/phone/deny", "").await;
    assert_snapshot!(ask(&wire, "/api/2/saml_assertion/verify_factor", &body).await.answer(), @r#"
401 Unauthorized
{"statusCode":401,"name":"Unauthorized","message":"Failed authentication with this factor"}
"#);
    let unknown = json!({ "app_id": AWS, "state_token": "unknown", "device_id": 1, "otp_token": "123456" });
    assert_snapshot!(ask(&wire, "/api/2/saml_assertion/verify_factor", &unknown).await.answer(), @r#"
400 Bad Request
{"statusCode":400,"name":"Bad Request","message":"State token is invalid or expired"}
"#);
}

#[tokio::test]
async fn a_text_message_is_pending_here() {
    let wire = Wire::start().await;
    let body = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123","verified":true}"#;
    let device = wire.post("1/otp_devices", body).await.single()["id"].clone();
    let token = ask(&wire, "/api/1/saml_assertion", &request(&wire)).await.text("state_token");
    let body = json!({ "app_id": AWS, "state_token": token, "device_id": device });
    assert_snapshot!(ask(&wire, "/api/1/saml_assertion/verify_factor", &body).await.answer(), @r#"
200 OK
{"status":{"error":false,"code":200,"type":"pending","message":"SMS token sent to your mobile device. Authentication pending."}}
"#);
}

#[tokio::test]
async fn a_log_in_and_an_assertion_do_not_stand_for_each_other() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let assertion = ask(&wire, "/api/1/saml_assertion", &request(&wire)).await.text("state_token");
    let login = ask(&wire, "/api/1/login/auth", &request(&wire)).await.text("state_token");
    let code = app.code(wire.server.now());
    let body = |token: &str| json!({ "app_id": AWS, "state_token": token, "device_id": device, "otp_token": code });
    for (path, token) in [("/api/1/login/verify_factor", &assertion), ("/api/1/saml_assertion/verify_factor", &login)] {
        let told = ask(&wire, path, &body(token)).await;
        assert_eq!(told.json()["status"]["message"], "State token is invalid or expired", "{path}");
    }
}

#[tokio::test]
async fn refusals_name_what_is_missing() {
    let wire = Wire::start().await;
    let with = |field: &str, value: Value| {
        let mut body = request(&wire);
        body[field] = value;
        body
    };
    for (body, status, message) in [
        (with("app_id", json!("999")), 404, "App not found"),
        (with("app_id", json!("abc")), 404, "App not found"),
        (with("app_id", Value::Null), 400, "bad request"),
        (with("subdomain", json!("")), 400, "bad request"),
        (with("username_or_email", json!("")), 400, "username is empty"),
        (with("password", json!("")), 400, "password is empty"),
        (with("password", json!("wrong")), 401, "Authentication Failed: Invalid user credentials"),
    ] {
        let one = ask(&wire, "/api/1/saml_assertion", &body).await;
        assert_eq!((one.status(), &one.json()["status"]["message"]), (status, &json!(message)), "{body}");
        let two = ask(&wire, "/api/2/saml_assertion", &body).await;
        assert_eq!((two.status(), &two.json()["message"]), (status, &json!(message)), "{body}");
        assert_eq!(two.json()["statusCode"], status);
    }
    wire.put("1/lock_user", r#"{"locked_until":15}"#).await;
    assert_snapshot!(ask(&wire, "/api/2/saml_assertion", &request(&wire)).await.answer(), @r#"
401 Unauthorized
{"statusCode":401,"name":"Unauthorized","message":"User is locked. Access is unauthorized"}
"#);
}

#[tokio::test]
async fn the_metadata_is_public_and_names_the_key_that_signs() {
    let wire = Wire::start().await;
    let assertion = xml(&ask(&wire, "/api/2/saml_assertion", &request(&wire)).await.json()["data"]);
    let metadata = wire.server.send(Script::get("/saml/metadata")).await;
    assert_eq!(metadata.header("content-type"), Some("application/samlmetadata+xml; charset=utf-8"));
    let certificate = |text: &str| {
        let (_, rest) = text.split_once("<ds:X509Certificate>").unwrap();
        rest.split_once("</ds:X509Certificate>").unwrap().0.to_owned()
    };
    assert_eq!(certificate(&assertion), certificate(&metadata.text));
    assert!(metadata.text.contains("entityID=\"urn:countersign:acme\""));
    wire.server.world.engine().rotate_saml_key().await.unwrap();
    let rotated = wire.server.send(Script::get("/saml/metadata")).await;
    assert_eq!(rotated.text.matches("<ds:X509Certificate>").count(), 2, "an overlap");
    let newer = xml(&ask(&wire, "/api/2/saml_assertion", &request(&wire)).await.json()["data"]);
    assert_ne!(certificate(&newer), certificate(&assertion));
}

/// Roles and the length of a session are AWS's own words: a service of any other kind is made without them, and each
/// option is judged alone.
#[tokio::test]
async fn an_app_needs_no_role() {
    let wire = Wire::start().await;
    let engine = wire.server.world.engine().clone();
    let plain = || Definition {
        acs_url: "https://wiki.example.com/saml/acs".to_owned(),
        audience: "https://wiki.example.com".to_owned(),
        name_id: Source::default(),
        attributes: Vec::new(),
        aws_roles: Vec::new(),
        aws_session_ttl: None,
    };
    let role = |role: &str| vec![(role.to_owned(), "arn:aws:iam::123456789012:saml-provider/Countersign".to_owned())];
    let admin = || role("arn:aws:iam::123456789012:role/Admin");
    let attributes = vec![
        ("mail".to_owned(), Source::Email),
        ("team".to_owned(), Source::Custom("team".to_owned())),
        ("site".to_owned(), Source::Fixed("north".to_owned())),
    ];
    let good = [
        ("plain", plain()),
        ("attributes", Definition { attributes, ..plain() }),
        ("by id", Definition { name_id: Source::Id, ..plain() }),
        ("roles", Definition { aws_roles: admin(), ..plain() }),
        ("roles with a session", Definition { aws_roles: admin(), aws_session_ttl: Some(3600), ..plain() }),
    ];
    for (name, definition) in good {
        let with_roles = !definition.aws_roles.is_empty();
        let app = engine.create_app(name, definition).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let user = wire.server.user(1);
        let body = json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme",
            "app_id": app.id.0.to_string() });
        let told = ask(&wire, "/api/1/saml_assertion", &body).await;
        let xml = xml(&told.json()["data"]);
        assert!(xml.contains("Destination=\"https://wiki.example.com/saml/acs\""), "{name}: {xml}");
        assert_eq!(xml.matches("<ds:Signature ").count(), 2, "{name}: the response and the assertion are signed");
        assert_eq!(xml.contains("https://aws.amazon.com/SAML/Attributes/Role"), with_roles, "{name}");
        assert_eq!(xml.contains(">north<"), name == "attributes", "{name}");
    }
    let bad = [
        (Definition { aws_session_ttl: Some(3600), ..plain() }, "a session length is for AWS only"),
        (Definition { aws_roles: admin(), aws_session_ttl: Some(60), ..plain() }, "900 to 43200 seconds"),
        (Definition { aws_roles: role("Admin"), ..plain() }, "an AWS role must be ROLE_ARN,PROVIDER_ARN"),
        (Definition { acs_url: "wiki".to_owned(), ..plain() }, "the ACS URL must be an https address"),
    ];
    for (definition, words) in bad {
        let refused = engine.create_app("refused", definition).await.expect_err(words).to_string();
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_askers_make_one_key() {
    let wire = std::sync::Arc::new(Wire::start().await);
    let asking: Vec<_> = (0..60)
        .map(|_| {
            let wire = wire.clone();
            tokio::spawn(async move { wire.server.send(Script::get("/saml/metadata")).await.text })
        })
        .collect();
    let mut documents = std::collections::BTreeSet::new();
    for document in asking {
        documents.insert(document.await.expect("an answer"));
    }
    assert_eq!(documents.len(), 1);
    assert_eq!(wire.server.engine().saml_keys_made(), 1);
}

#[tokio::test]
async fn what_is_the_same_for_everybody_is_sent_once() {
    let wire = Wire::start().await;
    for path in ["/openapi.json", "/docs"] {
        let first = wire.server.send(Script::get(path)).await;
        let tag = first.header("etag").expect("a tag").to_owned();
        let again = wire.server.send(Script::get(path).header("if-none-match", &format!("\"x\", W/{tag}"))).await;
        assert_eq!((again.status.as_u16(), again.text.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        let other = wire.server.send(Script::get(path).header("if-none-match", "\"x\"")).await;
        assert_eq!((other.status.as_u16(), other.text == first.text), (200, true), "{path}");
    }
}

/// What is said of the person is true of the factor that was shown.
#[tokio::test]
async fn the_context_names_the_factor() {
    let wire = Wire::start().await;
    let context = |told: &Told| {
        let xml = xml(&told.json()["data"]);
        let (_, rest) = xml.split_once("ac:classes:").unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    let assertion = "/api/2/saml_assertion";
    let none = ask(&wire, assertion, &request(&wire)).await;
    assert_eq!(context(&none), "PasswordProtectedTransport");
    let under_way = async || ask(&wire, assertion, &request(&wire)).await.text("state_token");
    let step = async |token: &str, device: i64, otp: Option<&str>| {
        let body = json!({ "app_id": AWS, "state_token": token, "device_id": device, "otp_token": otp });
        ask(&wire, "/api/2/saml_assertion/verify_factor", &body).await
    };

    let (device, app) = wire.app().await;
    let token = under_way().await;
    assert_eq!(context(&step(&token, device, Some(&app.code(wire.server.now()))).await), "TimeSyncToken");

    let sms = r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123","verified":true}"#;
    let mail = r#"{"factor_id":4,"display_name":"Ben's mail","verified":true}"#;
    for (body, channel, class) in [(sms, "sms", "MobileTwoFactorContract"), (mail, "email", "unspecified")] {
        let (device, _) = wire.enrolled(body).await;
        let token = under_way().await;
        let (_, code) = wire.sent(channel, step(&token, device, None)).await;
        assert_eq!(context(&step(&token, device, Some(&code)).await), class, "{channel}");
    }

    let (device, told) = wire.enrolled(r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &told.0.text).await;
    let (token, before) = (under_way().await, wire.newest_message().await);
    step(&token, device, None).await;
    wire.message("push", before).await;
    wire.dev("/dev/phone/accept", "").await;
    assert_eq!(context(&step(&token, device, None).await), "MobileTwoFactorContract");

    let issued = wire.post("1/mfa_token", "").await.json()["mfa_token"].as_str().unwrap().to_owned();
    assert_eq!(context(&step(&under_way().await, device, Some(&issued)).await), "unspecified", "a temporary token");
}

/// Makes an app and says its number.
async fn app(wire: &Wire, name: &str, name_id: Source, attributes: &[(&str, Source)]) -> i64 {
    let attributes = attributes.iter().map(|(name, source)| ((*name).to_owned(), source.clone())).collect();
    let definition = Definition {
        acs_url: "https://app.example/acs".to_owned(),
        audience: "urn:app".to_owned(),
        name_id,
        attributes,
        aws_roles: Vec::new(),
        aws_session_ttl: None,
    };
    wire.server.world.engine().create_app(name, definition).await.expect("a new app").id.0
}

#[tokio::test]
async fn a_subject_is_its_source_or_nothing() {
    let wire = Wire::start().await;
    let plain = app(&wire, "plain", Source::Email, &[("mail", Source::Email), ("name", Source::Username)]).await;
    let named = app(&wire, "named", Source::Username, &[]).await;
    let told = async |app: i64| {
        let mut body = request(&wire);
        body["username_or_email"] = "ceo@corp.example".into();
        body["app_id"] = app.into();
        let one = ask(&wire, "/api/1/saml_assertion", &body).await;
        let two = ask(&wire, "/api/2/saml_assertion", &body).await;
        assert_eq!(one.status(), two.status(), "{}", two.0);
        (one.status(), one, two)
    };
    let change = async |body: Value| {
        let path = format!("/api/2/users/{}", wire.server.user(1).id);
        let changed = wire.call_as(Scope::ManageAll, "PUT", &path, &body.to_string()).await;
        assert_eq!(changed.status(), 200, "{}", changed.0);
    };
    change(json!({ "username": "ceo@corp.example", "email": "" })).await;
    // An address is asked for, and a name that looks like one is none.
    for app in [plain, AWS] {
        let (status, one, two) = told(app).await;
        let words = json!("the app needs an e-mail address");
        assert_eq!((status, &one.json()["status"]["message"], &two.json()["message"]), (400, &words, &words));
    }
    // The format says what the source is.
    let (_, _, two) = told(named).await;
    let said = xml(&two.json()["data"]);
    assert!(said.contains("nameid-format:unspecified\">ceo@corp.example</saml:NameID>"), "{said}");
    change(json!({ "email": "ben@example.com" })).await;
    let (_, _, two) = told(plain).await;
    let said = xml(&two.json()["data"]);
    assert!(said.contains("nameid-format:emailAddress\">ben@example.com</saml:NameID>"), "{said}");
    // A name that Amazon does not take for a session is refused, since an altered one could belong to another user.
    change(json!({ "email": "b\u{e9}n@example.com" })).await;
    let (status, one, _) = told(AWS).await;
    assert_eq!(status, 400, "{}", one.0);
    // What is missing is said before a code is spent.
    change(json!({ "email": "ben@example.com" })).await;
    let (device, phone) = wire.app().await;
    let needed = told(plain).await.1;
    let step = json!({
        "app_id": plain, "state_token": needed.text("state_token"), "device_id": device.to_string(),
        "otp_token": phone.code(wire.server.now()),
    });
    change(json!({ "email": "" })).await;
    let refused = ask(&wire, "/api/1/saml_assertion/verify_factor", &step).await;
    assert_eq!((refused.status(), told(plain).await.0), (400, 400), "{}", refused.0);
    change(json!({ "email": "ben@example.com" })).await;
    let right = ask(&wire, "/api/1/saml_assertion/verify_factor", &step).await;
    assert_eq!(right.status(), 200, "{}", right.0);
}

#[tokio::test]
async fn whatever_may_be_stored_can_be_asserted() {
    let wire = Wire::start().await;
    let sources = [("first", Source::Profile("firstname".to_owned())), ("own", Source::Custom("own".to_owned()))];
    let app = app(&wire, "all", Source::Email, &sources).await;
    let path = format!("/api/2/users/{}", wire.server.user(1).id);
    let mut edges: Vec<u32> =
        (0..=16_u32).flat_map(|plane| [0, 1, 0xfffd, 0xfffe, 0xffff].map(|low| plane << 16 | low)).collect();
    edges.extend([0x7f, 0x80, 0x9f, 0xa0, 0xd7ff, 0xe000, 0xfdcf, 0xfdd0, 0xfdef, 0xfdf0]);
    let mut stored = String::new();
    for edge in edges.into_iter().filter_map(char::from_u32) {
        let body = json!({ "firstname": format!("A{edge}"), "custom_attributes": { "own": format!("A{edge}") } });
        let answer = wire.call_as(Scope::ManageAll, "PUT", &path, &body.to_string()).await;
        match answer.status() {
            200 => stored.push(edge),
            status => assert!(matches!(status, 400 | 422), "{edge:?} {}", answer.0),
        }
    }
    let noncharacter = |c: char| u32::from(c) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c);
    assert!(stored.chars().count() > 40 && !stored.contains(noncharacter), "{stored:?}");
    let body = json!({ "firstname": stored, "custom_attributes": { "own": format!("a\n\t{stored}") } });
    assert_eq!(wire.call_as(Scope::ManageAll, "PUT", &path, &body.to_string()).await.status(), 200);
    let mut body = request(&wire);
    body["app_id"] = app.into();
    let told = ask(&wire, "/api/2/saml_assertion", &body).await;
    assert_eq!(told.status(), 200, "{}", told.0);
    assert!(xml(&told.json()["data"]).contains(&stored));
}

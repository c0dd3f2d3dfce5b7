//! `countersign user invite`: links for one person or many (contract 21.2).

use serde_json::{Value, json};

use crate::common::browser::{messages, token, user};
use crate::common::run;
use crate::invitations::serving;

#[test]
fn people_are_invited_on_the_server() {
    let (installation, server, mut api) = serving();
    let ana = user(&mut api, "ana", Some("+14155550101"));
    user(&mut api, "ben", None);
    user(&mut api, "carla", None);
    let invite = |more: &[&str]| installation.json(&[&["user", "invite"], more, &["--json"]].concat());
    let said = |more: &[&str]| {
        let args = installation.with(&[&["user", "invite"], more].concat());
        let output = run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let made = invite(&["ana"]);
    let url = made[0]["url"].as_str().unwrap();
    assert!(url.starts_with("http://localhost:8080/enroll/"), "{made}");
    assert_eq!((&made[0]["user"], &made[0]["delivered"]), (&json!("ana"), &Value::Null));
    let page = |url: &str| server.http().send("GET", &format!("/enroll/{}", token(url)), "").unwrap().status;
    assert_eq!(page(url), 200);
    // By id and by address, for a while, and the one before ends.
    let again = invite(&[&ana.to_string(), "ben@example.com", "--minutes", "15"]);
    assert_eq!((again.as_array().map(Vec::len), page(url)), (Some(2), 410));
    let list = installation.path("people.csv");
    std::fs::write(&list, "user,team\nana,one\n carla ,two\n\nunknown,three\n").unwrap();
    let listed = invite(&["--csv", list.to_str().unwrap()]);
    let users: Vec<&Value> = listed.as_array().unwrap().iter().map(|row| &row["user"]).collect();
    assert_eq!(users, ["ana", "carla", "unknown"]);
    assert!(listed[0]["url"].is_string() && listed[1]["url"].is_string(), "{listed}");
    assert!(listed[2]["error"].as_str().is_some_and(|error| error.contains("there is no user")), "{listed}");

    let (sent, shown, _) = said(&["ana", "--by", "mail"]);
    assert!(sent && shown.contains("by mail") && !shown.contains("/enroll/"), "{shown}");
    let mail = messages(&installation.path("messages.jsonl"), 1);
    assert_eq!(mail[0]["to"], "ana@example.com");
    let sms = invite(&["ana", "--by", "text"]);
    assert_eq!((&sms[0]["delivered"], &sms[0]["url"]), (&json!("sms"), &Value::Null));
    let (drawn, shown, _) = said(&["ana", "--qr"]);
    assert!(drawn && shown.contains('\u{2580}') || shown.contains('\u{2588}'), "{shown}");
    for (more, why) in [
        (&["unknown"][..], "there is no user"),
        (&["ben", "--by", "text"], "nothing can be sent"),
        (&["ana", "--minutes", "14"], "14"),
        (&["ana", "--minutes", "10081"], "10081"),
        (&["ana", "--by", "mail", "--qr"], "--qr"),
        (&["ana", "--light"], "--qr"),
        (&[], "required"),
        (&["--csv", "/nowhere.csv"], "cannot read"),
    ] {
        let (success, _, error) = said(more);
        assert!(!success && error.contains(why), "{more:?}: {error}");
    }
    crate::common::phone::Phone::paired(&mut api, ana, 1);
    let (success, _, error) = said(&["ana"]);
    assert!(!success && error.contains("--replace"), "names the flag: {error}");
    assert!(invite(&["ana", "--replace"])[0]["url"].is_string());
    assert_eq!(server.stop(), Some(0));
    // And without a server.
    assert!(invite(&["ben"])[0]["url"].is_string());
    std::fs::write(installation.path("countersign.toml"), "").unwrap();
    let (success, _, error) = said(&["ben"]);
    assert!(!success && error.contains("public_url"), "{error}");
}

//! Users as version 1 shows them (contract 3), and every row of contract 1.7 for them.

mod support;

use domain::Scope;
use insta::assert_snapshot;
use serde_json::{Value, json};
use support::{alone, told};
use testkit::{Exchange, Script, TestServer};

const SUCCESS_WITH_ECHO: &str = r#"{"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success"}"#;

async fn all(server: &TestServer, script: Script) -> Exchange {
    server.call(Scope::ManageAll, script).await
}

/// Users in an answer's `data`.
fn data(exchange: &Exchange) -> Vec<Value> {
    assert_eq!(exchange.status, 200, "{exchange}");
    exchange.json()["data"].as_array().unwrap_or_else(|| panic!("no data in {exchange}")).clone()
}

fn ids(exchange: &Exchange) -> Vec<i64> {
    data(exchange).iter().filter_map(|user| user["id"].as_i64()).collect()
}

async fn user(server: &TestServer, id: i64) -> Value {
    data(&all(server, Script::get(&format!("/api/1/users/{id}"))).await).remove(0)
}

/// Contract 14.13: users come in the envelope, whatever one SDK expects.
#[tokio::test]
async fn a_user_is_an_array_of_one_with_every_member() {
    let server = TestServer::start().await;
    let id = server.user(0).id;
    let answer = all(&server, Script::get(&format!("/api/1/users/{id}"))).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_snapshot!(alone(&answer), @r#"
    GET /api/1/users/1
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"activated_at":"2026-03-01T09:30:00.000Z","comment":null,"company":null,"created_at":"2026-03-01T09:30:00.000Z","custom_attributes":{},"department":null,"directory_id":null,"distinguished_name":null,"email":"ana@example.com","external_id":null,"firstname":"Ana","group_id":null,"id":1,"invalid_login_attempts":0,"invitation_sent_at":null,"last_login":null,"lastname":"Silva","locale_code":null,"locked_until":null,"manager_ad_id":null,"manager_user_id":null,"member_of":null,"notes":null,"openid_name":null,"password_changed_at":"2026-03-01T09:30:00.000Z","phone":"+14155550101","role_id":[],"role_ids":[],"samaccountname":null,"state":1,"status":1,"title":null,"trusted_idp_id":null,"updated_at":"2026-03-01T09:30:00.000Z","username":"ana","userprincipalname":null}]}
    "#);
}

#[tokio::test]
async fn a_list_is_filtered_exactly() {
    let server = TestServer::start().await;
    let [ana, ben, chie] = [0, 1, 2].map(|number| server.user(number).id);
    let change = Script::put(&format!("/api/1/users/{ben}"))
        .json(r#"{"external_id":"x-1","samaccountname":"ben.o","directory_id":4,"group_id":5,"custom_attributes":{"team":"red"}}"#);
    assert_eq!(all(&server, change).await.status, 200);
    for (query, expected) in [
        ("", vec![ana, ben, chie]),
        ("email=ben@example.com", vec![ben]),
        ("email=BEN%40example.com", vec![ben]),
        ("username=ana", vec![ana]),
        ("firstname=Chie", vec![chie]),
        ("lastname=Okafor&firstname=Ben", vec![ben]),
        ("lastname=Okafor&firstname=Ana", vec![]),
        (&format!("id={chie}"), vec![chie]),
        ("external_id=x-1", vec![ben]),
        ("samaccountname=ben.o", vec![ben]),
        ("directory_id=4", vec![ben]),
        ("group_id=5", vec![ben]),
        ("group_id=6", vec![]),
        ("custom_attributes.team=red", vec![ben]),
        ("role_id=1", vec![]),
        ("username=", vec![]),
        ("username=nobody", vec![]),
        ("colour=red&custom_attributes.%7Battribute_name%7D=x", vec![ana, ben, chie]),
        ("email=*%40example.com", vec![ana, ben, chie]),
        ("email=*%40example.org", vec![]),
        ("username=!ben", vec![ana, chie]),
        ("username=!*n*", vec![chie]),
        ("lastname=Oka*&firstname=!Ana", vec![ben]),
        ("custom_attributes.team=r*d", vec![ben]),
        ("custom_attributes.team=!red", vec![ana, chie]),
        ("since=2026-03-01T09:30:00.000Z&until=2026-03-01T09:30:00Z", vec![ana, ben, chie]),
        ("since=2026-03-02", vec![]),
        ("until=2026-03-01", vec![]),
        ("sort=-id", vec![chie, ben, ana]),
        ("sort=-id&limit=2", vec![chie, ben]),
        ("sort=created_at", vec![ana, ben, chie]),
    ] {
        let answer = server.call(Scope::ReadUsers, Script::get(&format!("/api/1/users?{query}"))).await;
        assert_eq!(ids(&answer), expected, "{query}");
    }
    let nobody = all(&server, Script::get("/api/1/users?username=nobody")).await;
    assert_snapshot!(alone(&nobody), @r#"
    GET /api/1/users?username=nobody
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"pagination":{"before_cursor":null,"after_cursor":null,"previous_link":null,"next_link":null},"data":[]}
    "#);
}

#[tokio::test]
async fn fields_choose_members() {
    let server = TestServer::start().await;
    let answers = [
        ("in a list", all(&server, Script::get("/api/1/users?fields=email,%20status,unheard_of")).await),
        ("of one", all(&server, Script::get(&format!("/api/1/users/{}?fields=username", server.user(2).id))).await),
    ];
    assert_snapshot!(told(&answers), @r#"
    # in a list
    GET /api/1/users?fields=email,%20status,unheard_of
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"pagination":{"before_cursor":null,"after_cursor":null,"previous_link":null,"next_link":null},"data":[{"email":"ana@example.com","id":1,"status":1},{"email":"ben@example.com","id":2,"status":1},{"email":"chie@example.com","id":3,"status":1}]}

    # of one
    GET /api/1/users/3?fields=username
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"id":3,"username":"chie"}]}
    "#);
}

#[tokio::test]
async fn a_list_is_walked_by_cursors_in_both_directions() {
    let server = TestServer::start().await;
    let first = all(&server, Script::get("/api/1/users?limit=2&fields=id")).await;
    let after = first.json()["pagination"]["after_cursor"].as_str().unwrap().to_owned();
    let second = all(&server, Script::get(&format!("/api/1/users?fields=id&after_cursor={after}"))).await;
    let before = second.json()["pagination"]["before_cursor"].as_str().unwrap().to_owned();
    let back = all(&server, Script::get(&format!("/api/1/users?fields=id&before_cursor={before}"))).await;
    assert_eq!(back.json(), first.json());
    let link = first.json()["pagination"]["next_link"].as_str().unwrap().to_owned();
    let linked = all(&server, Script::get(link.strip_prefix("http://127.0.0.1:8080").unwrap())).await;
    assert_eq!(linked.json(), second.json());
    assert_snapshot!(told(&[("the first page", first), ("the second", second)]), @r#"
    # the first page
    GET /api/1/users?limit=2&fields=id
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"pagination":{"before_cursor":null,"after_cursor":"bGltaXQ9MiZwYWdlPTI=","previous_link":null,"next_link":"http://127.0.0.1:8080/api/1/users?fields=id&after_cursor=bGltaXQ9MiZwYWdlPTI%3D"},"data":[{"id":1},{"id":2}]}

    # the second
    GET /api/1/users?fields=id&after_cursor=bGltaXQ9MiZwYWdlPTI=
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"pagination":{"before_cursor":"bGltaXQ9MiZwYWdlPTE=","after_cursor":null,"previous_link":"http://127.0.0.1:8080/api/1/users?fields=id&before_cursor=bGltaXQ9MiZwYWdlPTE%3D","next_link":null},"data":[{"id":3}]}
    "#);
    let broken = all(&server, Script::get("/api/1/users?after_cursor=x")).await;
    assert_snapshot!(alone(&broken), @r#"
    GET /api/1/users?after_cursor=x
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"after_cursor","description":"after_cursor is incorrect"}}}
    "#);
}

#[tokio::test]
async fn a_user_is_created_with_what_the_body_names() {
    let server = TestServer::start().await;
    let script = Script::post("/api/1/users").json(
        r#"{"firstname":"Dora","lastname":"Lind","email":"dora@example.com","username":"dora","phone":"+14155550177","company":null,"group_id":"12","notes":"first line\nsecond"}"#,
    );
    let created = server.call(Scope::ManageUsers, script).await;
    let id = ids(&created)[0];
    assert_eq!(user(&server, id).await, data(&created)[0]);
    assert_eq!(data(&created)[0]["status"], 7, "without a password");
    assert_snapshot!(alone(&created), @r#"
    POST /api/1/users
    {"firstname":"Dora","lastname":"Lind","email":"dora@example.com","username":"dora","phone":"+14155550177","company":null,"group_id":"12","notes":"first line\nsecond"}
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"activated_at":null,"comment":null,"company":null,"created_at":"2026-03-01T09:30:00.000Z","custom_attributes":{},"department":null,"directory_id":null,"distinguished_name":null,"email":"dora@example.com","external_id":null,"firstname":"Dora","group_id":12,"id":4,"invalid_login_attempts":0,"invitation_sent_at":null,"last_login":null,"lastname":"Lind","locale_code":null,"locked_until":null,"manager_ad_id":null,"manager_user_id":null,"member_of":null,"notes":"first line\nsecond","openid_name":null,"password_changed_at":null,"phone":"+14155550177","role_id":[],"role_ids":[],"samaccountname":null,"state":1,"status":7,"title":null,"trusted_idp_id":null,"updated_at":"2026-03-01T09:30:00.000Z","username":"dora","userprincipalname":null}]}
    "#);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said() {
    let server = TestServer::start().await;
    let mut answers = Vec::new();
    for (why, body) in [
        ("an unknown attribute", r#"{"username":"eve","last":"x"}"#),
        ("a password", r#"{"username":"eve","password":"correct horse"}"#),
        ("nobody named", r#"{"firstname":"Eve"}"#),
        ("no body", ""),
        ("broken JSON", r#"{"username":"#),
        ("a wrong type", r#"{"username":["eve"]}"#),
        ("a wrong address", r#"{"email":"eve"}"#),
        ("a deceiving name", r#"{"username":"eve","lastname":"a\u202eb"}"#),
        ("a name that is taken", r#"{"username":"ANA"}"#),
        ("an address that is taken", r#"{"email":"Ana@example.com"}"#),
        ("a status there is not", r#"{"username":"eve","status":6}"#),
        ("a duplicate", r#"{"username":"eve","username":"eve"}"#),
    ] {
        answers.push((why, all(&server, Script::post("/api/1/users").json(body)).await));
    }
    let long = format!(r#"{{"username":"{}"}}"#, "e".repeat(101));
    assert_eq!(all(&server, Script::post("/api/1/users").json(&long)).await.status, 400);
    assert_snapshot!(told(&answers), @r#"
    # an unknown attribute
    POST /api/1/users
    {"username":"eve","last":"x"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"last","description":"last is not a valid attribute for user model"}}}

    # a password
    POST /api/1/users
    {"username":"eve","password":"correct horse"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"password","description":"password is not a valid attribute for user model"}}}

    # nobody named
    POST /api/1/users
    {"firstname":"Eve"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"username is empty"}}

    # no body
    POST /api/1/users
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"username is empty"}}

    # broken JSON
    POST /api/1/users
    {"username":
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Input JSON is not valid"}}

    # a wrong type
    POST /api/1/users
    {"username":["eve"]}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"username","description":"username is incorrect"}}}

    # a wrong address
    POST /api/1/users
    {"email":"eve"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"email","description":"email is incorrect"}}}

    # a deceiving name
    POST /api/1/users
    {"username":"eve","lastname":"a\u202eb"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"lastname","description":"lastname is incorrect"}}}

    # a name that is taken
    POST /api/1/users
    {"username":"ANA"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"username","description":"Username must be unique within acme"}}}

    # an address that is taken
    POST /api/1/users
    {"email":"Ana@example.com"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"email","description":"Email must be unique within acme"}}}

    # a status there is not
    POST /api/1/users
    {"username":"eve","status":6}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"status","description":"status is incorrect"}}}

    # a duplicate
    POST /api/1/users
    {"username":"eve","username":"eve"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Input JSON is not valid"}}
    "#);
    assert_eq!(ids(&all(&server, Script::get("/api/1/users")).await).len(), 3);
}

#[tokio::test]
async fn an_update_is_partial() {
    let server = TestServer::start().await;
    let id = server.user(0).id;
    let before = user(&server, id).await;
    server.advance(60);
    let path = format!("/api/1/users/{id}");
    let script = Script::put(&path).json(r#"{"title":"Auditor","phone":"","email":null,"department":7}"#);
    let changed = data(&server.call(Scope::ManageUsers, script).await).remove(0);
    let mut expected = before;
    expected["title"] = json!("Auditor");
    expected["department"] = json!("7");
    expected["phone"] = Value::Null;
    expected["updated_at"] = json!("2026-03-01T09:31:00.000Z");
    assert_eq!(changed, expected);
    let nameless = all(&server, Script::put(&path).json(r#"{"email":"","username":""}"#)).await;
    let taken = all(&server, Script::put(&path).json(r#"{"username":"ben"}"#)).await;
    assert_snapshot!(told(&[("without any name", nameless), ("with another's name", taken)]), @r#"
    # without any name
    PUT /api/1/users/1
    {"email":"","username":""}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"username is empty"}}

    # with another's name
    PUT /api/1/users/1
    {"username":"ben"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"username","description":"Username must be unique within acme"}}}
    "#);
}

#[tokio::test]
async fn a_user_may_be_sent_back_as_it_was_read() {
    let server = TestServer::start().await;
    let id = server.user(1).id;
    let path = format!("/api/1/users/{id}");
    let filled =
        r#"{"comment":"a\nb","manager_user_id":3,"manager_ad_id":9,"custom_attributes":{"team":"red","desk":null}}"#;
    assert_eq!(all(&server, Script::put(&path).json(filled)).await.status, 200);
    let read = user(&server, id).await;
    for scope in [Scope::ManageAll, Scope::ManageUsers] {
        let answer = server.call(scope, Script::put(&path).json(&read.to_string())).await;
        assert_eq!(data(&answer)[0], read);
    }
}

#[tokio::test]
async fn status_and_state_are_taken_from_manage_all_only() {
    let server = TestServer::start().await;
    let id = server.user(0).id;
    let script = || Script::put(&format!("/api/1/users/{id}")).json(r#"{"status":2,"state":3}"#);
    let standing = |user: &Value| (user["status"].as_i64(), user["state"].as_i64());
    let ignored = data(&server.call(Scope::ManageUsers, script()).await).remove(0);
    assert_eq!(standing(&ignored), (Some(1), Some(1)));
    let taken = data(&all(&server, script()).await).remove(0);
    assert_eq!(standing(&taken), (Some(2), Some(3)));
}

#[tokio::test]
async fn a_deleted_user_is_gone() {
    let server = TestServer::start().await;
    let path = format!("/api/1/users/{}", server.user(0).id);
    let deleted = server.call(Scope::ManageUsers, Script::delete(&path)).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (200, SUCCESS_WITH_ECHO));
    assert_eq!(all(&server, Script::get(&path)).await.status, 404);
    assert_eq!(all(&server, Script::delete(&path)).await.status, 404);
    let again = Script::post("/api/1/users").json(r#"{"username":"ana","email":"ana@example.com"}"#);
    assert_eq!(all(&server, again).await.status, 200, "the name is free again");
}

#[tokio::test]
async fn a_password_is_set_in_clear() {
    let server = TestServer::start().await;
    let created = all(&server, Script::post("/api/1/users").json(r#"{"username":"eve"}"#)).await;
    let id = ids(&created)[0];
    let path = format!("/api/1/users/set_password_clear_text/{id}");
    let mut answers = Vec::new();
    for (why, body) in [
        ("two that differ", r#"{"password":"open sesame","password_confirmation":"open sesam"}"#),
        ("only one", r#"{"password":"open sesame"}"#),
        ("none", r#"{"password":"","password_confirmation":""}"#),
        ("a short one", r#"{"password":"seven77","password_confirmation":"seven77"}"#),
        ("a common one", r#"{"password":"password1","password_confirmation":"password1","validate_policy":true}"#),
        ("a wrong flag", r#"{"password":"password1","password_confirmation":"password1","validate_policy":"yes"}"#),
        ("broken JSON", r#"{"password""#),
    ] {
        answers.push((why, all(&server, Script::put(&path).json(body)).await));
    }
    let hashed =
        r#"{"password":"ab","password_confirmation":"ab","password_algorithm":"salt+sha256","password_salt":"x"}"#;
    let using_salt = Script::put(&format!("/api/1/users/set_password_using_salt/{id}")).json(hashed);
    answers.push(("a hash that is none", all(&server, using_salt).await));
    assert_snapshot!(told(&answers), @r#"
    # two that differ
    PUT /api/1/users/set_password_clear_text/4
    {"password":"open sesame","password_confirmation":"open sesam"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"password_confirmation does not match"}}

    # only one
    PUT /api/1/users/set_password_clear_text/4
    {"password":"open sesame"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"password_confirmation does not match"}}

    # none
    PUT /api/1/users/set_password_clear_text/4
    {"password":"","password_confirmation":""}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"password is empty"}}

    # a short one
    PUT /api/1/users/set_password_clear_text/4
    {"password":"seven77","password_confirmation":"seven77"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Password is too short (minimum is 8 characters)"}}

    # a common one
    PUT /api/1/users/set_password_clear_text/4
    {"password":"password1","password_confirmation":"password1","validate_policy":true}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Password is too common"}}

    # a wrong flag
    PUT /api/1/users/set_password_clear_text/4
    {"password":"password1","password_confirmation":"password1","validate_policy":"yes"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"validate_policy","description":"validate_policy is incorrect"}}}

    # broken JSON
    PUT /api/1/users/set_password_clear_text/4
    {"password"
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Input JSON is not valid"}}

    # a hash that is none
    PUT /api/1/users/set_password_using_salt/4
    {"password":"ab","password_confirmation":"ab","password_algorithm":"salt+sha256","password_salt":"x"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Password is not a lower-case hexadecimal SHA-256"}}
    "#);
    assert_eq!(user(&server, id).await["status"], 7);

    let body = r#"{"password":"password1","password_confirmation":"password1","validate_policy":false}"#;
    let set = all(&server, Script::put(&path).json(body)).await;
    assert_eq!((set.status.as_u16(), set.text.as_str()), (200, SUCCESS_WITH_ECHO));
    let user = user(&server, id).await;
    assert_eq!((&user["status"], &user["password_changed_at"]), (&json!(1), &json!("2026-03-01T09:30:00.000Z")));
    assert!(!user.to_string().contains("argon2"));
}

#[tokio::test]
async fn a_lock_lasts_its_minutes_and_zero_until_unlocked() {
    let server = TestServer::start().await;
    let id = server.user(0).id;
    let lock = |body: &'static str| all(&server, Script::put(&format!("/api/1/users/{id}/lock_user")).json(body));
    let mut answers = Vec::new();
    for (why, body) in
        [("no minutes", "{}"), ("words", r#"{"locked_until":"soon"}"#), ("broken JSON", r#"{"locked_until":"#)]
    {
        answers.push((why, lock(body).await));
    }
    assert_snapshot!(told(&answers), @r#"
    # no minutes
    PUT /api/1/users/1/lock_user
    {}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"locked_until should be -> integer"}}

    # words
    PUT /api/1/users/1/lock_user
    {"locked_until":"soon"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"locked_until should be -> integer"}}

    # broken JSON
    PUT /api/1/users/1/lock_user
    {"locked_until":
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Input JSON is not valid"}}
    "#);
    let locked = lock(r#"{"locked_until":15}"#).await;
    assert_eq!((locked.status.as_u16(), locked.text.as_str()), (200, SUCCESS_WITH_ECHO));
    let standing = |user: Value| (user["status"].as_i64(), user["locked_until"].as_str().map(str::to_owned));
    let until = "2026-03-01T09:45:00.000Z".to_owned();
    assert_eq!(standing(user(&server, id).await), (Some(3), Some(until)));
    // Sending the user back does not make the lock one without end.
    let read = user(&server, id).await.to_string();
    all(&server, Script::put(&format!("/api/1/users/{id}")).json(&read)).await;
    server.advance(900);
    assert_eq!(standing(user(&server, id).await), (Some(1), None));

    assert_eq!(lock(r#"{"locked_until":"0"}"#).await.status, 200);
    server.advance(20_000);
    assert_eq!(standing(user(&server, id).await), (Some(3), None));
    let active = all(&server, Script::put(&format!("/api/1/users/{id}")).json(r#"{"status":1}"#)).await;
    assert_eq!(standing(data(&active).remove(0)), (Some(1), None));
}

#[tokio::test]
async fn states_log_outs_and_custom_attributes() {
    let server = TestServer::start().await;
    let id = server.user(0).id;
    let put = |scope, action: &str, body: &str| {
        server.call(scope, Script::put(&format!("/api/1/users/{id}/{action}")).json(body))
    };
    for answer in [
        put(Scope::ManageAll, "set_state", r#"{"state":3}"#).await,
        put(Scope::Authenticate, "logout", "").await,
        put(Scope::ManageUsers, "logout/", "{}").await,
        put(Scope::ManageUsers, "set_custom_attributes", r#"{"custom_attributes":{"team":"red","badge":12}}"#).await,
        put(Scope::ManageUsers, "set_custom_attributes", r#"{"custom_attributes":{"team":null}}"#).await,
    ] {
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, SUCCESS_WITH_ECHO), "{answer}");
    }
    let ana = user(&server, id).await;
    assert_eq!((&ana["state"], &ana["custom_attributes"]), (&json!(3), &json!({ "team": null, "badge": "12" })));
    let answers = [
        ("a state there is not", put(Scope::ManageAll, "set_state", r#"{"state":4}"#).await),
        ("no state", put(Scope::ManageAll, "set_state", "{}").await),
        ("no attributes", put(Scope::ManageUsers, "set_custom_attributes", "{}").await),
        (
            "attributes of a wrong type",
            put(Scope::ManageUsers, "set_custom_attributes", r#"{"custom_attributes":{"a":{}}}"#).await,
        ),
        ("all names", server.call(Scope::ReadAll, Script::get("/api/1/users/custom_attributes")).await),
        ("roles", server.call(Scope::ReadAll, Script::get(&format!("/api/1/users/{id}/roles"))).await),
        ("applications", server.call(Scope::ReadAll, Script::get(&format!("/api/1/users/{id}/apps"))).await),
    ];
    assert_snapshot!(told(&answers), @r#"
    # a state there is not
    PUT /api/1/users/1/set_state
    {"state":4}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"state","description":"state is incorrect"}}}

    # no state
    PUT /api/1/users/1/set_state
    {}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"state","description":"state is incorrect"}}}

    # no attributes
    PUT /api/1/users/1/set_custom_attributes
    {}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"custom_attributes","description":"custom_attributes is incorrect"}}}

    # attributes of a wrong type
    PUT /api/1/users/1/set_custom_attributes
    {"custom_attributes":{"a":{}}}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"custom_attributes","description":"custom_attributes is incorrect"}}}

    # all names
    GET /api/1/users/custom_attributes
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[["badge","team"]]}

    # roles
    GET /api/1/users/1/roles
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[[]]}

    # applications
    GET /api/1/users/1/apps
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[[]]}
    "#);
}

#[tokio::test]
async fn every_call_refuses_in_the_words_of_version_1() {
    let server = TestServer::start().await;
    let nobody = "bearer 00000000000000000000000000000000";
    let answers = [
        ("no header", server.send(Script::get("/api/1/users/1")).await),
        ("an unknown token", server.send(Script::get("/api/1/users/1").header("authorization", nobody)).await),
        ("too small a scope", server.call(Scope::ReadAll, Script::delete("/api/1/users/1")).await),
        ("no such user", all(&server, Script::get("/api/1/users/123456789")).await),
        ("an id beyond all users", all(&server, Script::get("/api/1/users/12345678901")).await),
        ("no id", all(&server, Script::get("/api/1/users/abc")).await),
        ("no such route", all(&server, Script::get("/api/1/users/1/shoes")).await),
        ("no such method", all(&server, Script::new("PATCH", "/api/1/users/1")).await),
        ("no such resource", all(&server, Script::get("/api/1/shoes")).await),
    ];
    assert_snapshot!(told(&answers), @r#"
    # no header
    GET /api/1/users/1
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Authorization Information is incorrect"}}

    # an unknown token
    GET /api/1/users/1
    → 401 Unauthorized
    {"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failure"}}

    # too small a scope
    DELETE /api/1/users/1
    → 401 Unauthorized
    {"status":{"error":true,"code":401,"type":"Unauthorized","message":"Insufficient Permission"}}

    # no such user
    GET /api/1/users/123456789
    → 404 Not Found
    {"status":{"error":true,"code":404,"type":"not found","message":"User for id 123456789 was not found"}}

    # an id beyond all users
    GET /api/1/users/12345678901
    → 404 Not Found
    {"status":{"error":true,"code":404,"type":"not found","message":"User for id 12345678901 was not found"}}

    # no id
    GET /api/1/users/abc
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"id","description":"ID is incorrect"}}}

    # no such route
    GET /api/1/users/1/shoes
    → 404 Not Found
    {"status":{"error":true,"code":404,"type":"not found","message":"No Route Exists"}}

    # no such method
    PATCH /api/1/users/1
    → 404 Not Found
    {"status":{"error":true,"code":404,"type":"not found","message":"No Route Exists"}}

    # no such resource
    GET /api/1/shoes
    → 404 Not Found
    {"status":{"error":true,"code":404,"type":"not found","message":"No Route Exists"}}
    "#);
}

#[tokio::test]
async fn every_call_about_a_user_knows_when_there_is_none() {
    let server = TestServer::start().await;
    let password = r#"{"password":"open sesame","password_confirmation":"open sesame"}"#;
    for (id, status) in [("123456789", 404), ("x", 400)] {
        for script in [
            Script::get(&format!("/api/1/users/{id}")),
            Script::put(&format!("/api/1/users/{id}")).json("{}"),
            Script::delete(&format!("/api/1/users/{id}")),
            Script::put(&format!("/api/1/users/set_password_clear_text/{id}")).json(password),
            Script::put(&format!("/api/1/users/{id}/set_state")).json(r#"{"state":1}"#),
            Script::put(&format!("/api/1/users/{id}/lock_user")).json(r#"{"locked_until":1}"#),
            Script::put(&format!("/api/1/users/{id}/logout")),
            Script::put(&format!("/api/1/users/{id}/set_custom_attributes")).json(r#"{"custom_attributes":{}}"#),
            Script::get(&format!("/api/1/users/{id}/roles")),
            Script::get(&format!("/api/1/users/{id}/apps")),
        ] {
            let answer = all(&server, script).await;
            assert_eq!(answer.status, status, "{answer}");
            let message = match status {
                404 => json!(format!("User for id {id} was not found")),
                _ => json!({ "attribute": "id", "description": "ID is incorrect" }),
            };
            assert_eq!(answer.json()["status"]["message"], message, "{answer}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let server = TestServer::start().await;
    let get = async |query: &str| server.call(Scope::ReadAll, Script::get(&format!("/api/1/users?{query}"))).await;
    let refused = |name: &str| json!({ "attribute": name, "description": format!("{name} is incorrect") });
    for (names, bad, fine) in [
        (["since", "until"].as_slice(), ["yesterday", "1577836800", "2026-02-30"], ["2026-03-01T09:30:00 01:00", ""]),
        (&["id", "directory_id", "group_id", "role_id", "app_id", "user_ids"], ["abc", "-1", "1.5"], ["1", ""]),
    ] {
        for name in names {
            for bad in bad {
                let answer = get(&format!("{name}={bad}")).await;
                let message = answer.json()["status"]["message"].clone();
                assert_eq!((answer.status.as_u16(), message), (400, refused(name)), "{answer}");
            }
            for fine in fine {
                assert_eq!(get(&format!("{name}={}", fine.replace(' ', "%20"))).await.status, 200, "{name}={fine}");
            }
        }
    }
    let filters = |count: usize| (0..count).map(|n| format!("custom_attributes.k{n}=!v")).collect::<Vec<_>>().join("&");
    assert_eq!(get(&filters(20)).await.status, 200);
    let answer = get(&filters(21)).await;
    assert_eq!(answer.json()["status"]["message"], refused("custom_attributes.k20"));
    for lenient in ["limit=x", "sort=-colour", "fields=colour", "created_since=yesterday"] {
        assert_eq!(get(lenient).await.status, 200, "{lenient}");
    }
}

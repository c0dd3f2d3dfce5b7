//! Users as version 2 shows them (contract 3), and every row of contract 1.7 for them.

mod support;

use countersign_onelogin::CompatProfile;
use domain::Scope;
use insta::assert_snapshot;
use serde_json::{Value, json};
use support::{alone, told};
use testkit::{Exchange, Script, TestServer};

async fn all(server: &TestServer, script: Script) -> Exchange {
    server.call(Scope::ManageAll, script).await
}

fn ids(exchange: &Exchange) -> Vec<i64> {
    assert_eq!(exchange.status, 200, "{exchange}");
    exchange.json().as_array().into_iter().flatten().filter_map(|user| user["id"].as_i64()).collect()
}

async fn user(server: &TestServer, id: i64) -> Value {
    all(server, Script::get(&format!("/api/2/users/{id}"))).await.json()
}

#[tokio::test]
async fn a_user_is_a_bare_object_with_every_member() {
    let server = TestServer::start().await;
    let answer = all(&server, Script::get(&format!("/api/2/users/{}", server.user(0).id))).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-ratelimit-limit"), None, "the quota is version 1's");
    assert_snapshot!(alone(&answer), @r#"
    GET /api/2/users/1
    → 200 OK
    {"activated_at":"2026-03-01T09:30:00.000Z","comment":null,"company":null,"created_at":"2026-03-01T09:30:00.000Z","custom_attributes":{},"department":null,"directory_id":null,"distinguished_name":null,"email":"ana@example.com","external_id":null,"firstname":"Ana","group_id":null,"id":1,"invalid_login_attempts":0,"invitation_sent_at":null,"last_login":null,"lastname":"Silva","locked_until":null,"manager_ad_id":null,"manager_user_id":null,"member_of":null,"password_changed_at":"2026-03-01T09:30:00.000Z","phone":"+14155550101","preferred_locale_code":null,"role_id":[],"role_ids":[],"samaccountname":null,"state":1,"status":1,"title":null,"trusted_idp_id":null,"updated_at":"2026-03-01T09:30:00.000Z","username":"ana","userprincipalname":null}
    "#);
}

#[tokio::test]
async fn a_list_is_filtered_exactly() {
    let server = TestServer::start().await;
    let [ana, ben, chie] = [0, 1, 2].map(|number| server.user(number).id);
    let change = Script::put(&format!("/api/2/users/{ben}")).json(
        r#"{"external_id":"x-1","samaccountname":"ben.o","directory_id":4,"custom_attributes":{"team":"red","no":7}}"#,
    );
    assert_eq!(all(&server, change).await.status, 200);
    for (query, expected) in [
        ("", vec![ana, ben, chie]),
        ("email=ben@example.com", vec![ben]),
        ("username=Ana", vec![ana]),
        ("firstname=Chie&lastname=Tanaka", vec![chie]),
        ("external_id=x-1", vec![ben]),
        ("samaccountname=ben.o", vec![ben]),
        ("directory_id=4", vec![ben]),
        (&format!("user_ids={ana},{chie}"), vec![ana, chie]),
        (&format!("user_ids={ana},,99"), vec![ana]),
        ("custom_attributes.team=red", vec![ben]),
        ("custom_attributes.team=red&custom_attributes.no=7", vec![ben]),
        ("custom_attributes.team=blue", vec![]),
        ("custom_attributes.%7Battribute_name%7D=x&mappings=async", vec![ana, ben, chie]),
        ("app_id=1", vec![]),
        ("email=", vec![]),
        ("email=*%40EXAMPLE.com", vec![ana, ben, chie]),
        ("firstname=*h*&lastname=Tan*", vec![chie]),
        ("firstname=!Ben", vec![]),
        ("created_since=2026-03-01T09:30:00.000Z&created_until=2026-03-01T09:30:00Z", vec![ana, ben, chie]),
        ("updated_since=2026-03-02T00:00:00Z", vec![]),
        ("last_login_since=2020-01-01", vec![]),
        ("sort=-id", vec![chie, ben, ana]),
        ("sort=-id&limit=2&page=2", vec![ana]),
        ("sort=%2Bid", vec![ana, ben, chie]),
    ] {
        let answer = server.call(Scope::ReadUsers, Script::get(&format!("/api/2/users?{query}"))).await;
        assert_eq!(ids(&answer), expected, "{query}");
    }
}

#[tokio::test]
async fn a_page_tells_its_place_in_headers() {
    let server = TestServer::start().await;
    let list = |query: &str| server.call(Scope::ReadAll, Script::get(&format!("/api/2/users?{query}")));
    let first = list("limit=1&fields=id").await;
    let after = first.header("after-cursor").unwrap().to_owned();
    let second = list(&format!("cursor={after}&limit=1&fields=id")).await;
    let last = list("limit=1&page=3&fields=id,email").await;
    let behind = list("page=9&fields=id").await;
    let nobody = list("username=nobody").await;
    let answers = [
        ("the first", first),
        ("the second, by cursor", second),
        ("the last, by number", last),
        ("behind the end", behind),
        ("of nothing", nobody),
    ];
    assert_snapshot!(told(&answers), @r#"
    # the first
    GET /api/2/users?limit=1&fields=id
    → 200 OK
    current-page: 1
    page-items: 1
    total-count: 3
    total-pages: 3
    link: <http://127.0.0.1:8080/api/2/users?fields=id&limit=1&page=1>; rel="first", <http://127.0.0.1:8080/api/2/users?fields=id&limit=1&page=3>; rel="last", <http://127.0.0.1:8080/api/2/users?fields=id&limit=1&page=2>; rel="next"
    after-cursor: bGltaXQ9MSZwYWdlPTI=
    [{"id":1}]

    # the second, by cursor
    GET /api/2/users?cursor=bGltaXQ9MSZwYWdlPTI=&limit=1&fields=id
    → 200 OK
    current-page: 2
    page-items: 1
    total-count: 3
    total-pages: 3
    link: <http://127.0.0.1:8080/api/2/users?fields=id&limit=1&page=1>; rel="first", <http://127.0.0.1:8080/api/2/users?fields=id&limit=1&page=3>; rel="last", <http://127.0.0.1:8080/api/2/users?fields=id&limit=1&page=3>; rel="next"
    before-cursor: bGltaXQ9MSZwYWdlPTE=
    after-cursor: bGltaXQ9MSZwYWdlPTM=
    [{"id":2}]

    # the last, by number
    GET /api/2/users?limit=1&page=3&fields=id,email
    → 200 OK
    current-page: 3
    page-items: 1
    total-count: 3
    total-pages: 3
    link: <http://127.0.0.1:8080/api/2/users?fields=id%2Cemail&limit=1&page=1>; rel="first", <http://127.0.0.1:8080/api/2/users?fields=id%2Cemail&limit=1&page=3>; rel="last"
    before-cursor: bGltaXQ9MSZwYWdlPTI=
    [{"email":"chie@example.com","id":3}]

    # behind the end
    GET /api/2/users?page=9&fields=id
    → 200 OK
    current-page: 9
    page-items: 0
    total-count: 3
    total-pages: 1
    link: <http://127.0.0.1:8080/api/2/users?fields=id&limit=50&page=1>; rel="first", <http://127.0.0.1:8080/api/2/users?fields=id&limit=50&page=1>; rel="last"
    before-cursor: bGltaXQ9NTAmcGFnZT0x
    []

    # of nothing
    GET /api/2/users?username=nobody
    → 200 OK
    current-page: 1
    page-items: 0
    total-count: 0
    total-pages: 0
    link: <http://127.0.0.1:8080/api/2/users?username=nobody&limit=50&page=1>; rel="first", <http://127.0.0.1:8080/api/2/users?username=nobody&limit=50&page=1>; rel="last"
    []
    "#);
    let broken = [
        ("an order there is not", list("sort=-created_at").await),
        ("a cursor of somebody else", list("cursor=abc").await),
    ];
    assert_snapshot!(told(&broken), @r#"
    # an order there is not
    GET /api/2/users?sort=-created_at
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityFieldError","message":"Invalid sort field: created_at","field":"created_at"}

    # a cursor of somebody else
    GET /api/2/users?cursor=abc
    → 400 Bad Request
    {"statusCode":400,"name":"BadRequestError","message":"Invalid pagination cursor"}
    "#);
}

#[tokio::test]
async fn a_user_is_created_and_with_a_password_is_active() {
    let server = TestServer::start().await;
    let script = Script::post("/api/2/users?mappings=async&validate_policy=True").json(
        r#"{"username":"dora","email":"dora@example.com","firstname":"Dora","lastname":"Lind","phone":"+14155550177","title":null,"role_ids":[],"preferred_locale_code":"sv","manager_user_id":"3","password":"correct horse battery","password_confirmation":"correct horse battery"}"#,
    );
    let created = all(&server, script).await;
    let id = created.json()["id"].as_i64().unwrap();
    assert_eq!(user(&server, id).await, created.json());
    assert_snapshot!(told_without_password(&created), @r#"
    POST /api/2/users?mappings=async&validate_policy=True
    {"username":"dora","email":"dora@example.com","firstname":"Dora","lastname":"Lind","phone":"+14155550177","title":null,"role_ids":[],"preferred_locale_code":"sv","manager_user_id":"3","password":"correct horse battery","password_confirmation":"correct horse battery"}
    → 201 Created
    {"activated_at":"2026-03-01T09:30:00.000Z","comment":null,"company":null,"created_at":"2026-03-01T09:30:00.000Z","custom_attributes":{},"department":null,"directory_id":null,"distinguished_name":null,"email":"dora@example.com","external_id":null,"firstname":"Dora","group_id":null,"id":4,"invalid_login_attempts":0,"invitation_sent_at":null,"last_login":null,"lastname":"Lind","locked_until":null,"manager_ad_id":null,"manager_user_id":3,"member_of":null,"password_changed_at":"2026-03-01T09:30:00.000Z","phone":"+14155550177","preferred_locale_code":"sv","role_id":[],"role_ids":[],"samaccountname":null,"state":1,"status":1,"title":null,"trusted_idp_id":null,"updated_at":"2026-03-01T09:30:00.000Z","username":"dora","userprincipalname":null}
    "#);
    let without =
        server.call(Scope::ManageUsers, Script::post("/api/2/users").json(r#"{"email":"eve@example.com"}"#)).await;
    assert_eq!((without.status.as_u16(), &without.json()["status"]), (201, &json!(7)));
}

fn told_without_password(exchange: &Exchange) -> String {
    assert!(!exchange.text.contains("password\"") && !exchange.text.contains("argon2"), "{exchange}");
    alone(exchange)
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said() {
    let server = TestServer::start().await;
    let mut answers = Vec::new();
    for (why, body) in [
        ("an unknown attribute", r#"{"username":"eve","employee_number":"1"}"#),
        ("nobody named", r#"{"firstname":"Eve"}"#),
        ("no body", ""),
        ("broken JSON", r#"{"username":"#),
        ("a wrong type", r#"{"username":["eve"]}"#),
        ("a wrong address", r#"{"email":"eve"}"#),
        ("a name that is taken", r#"{"username":"ana"}"#),
        ("an address that is taken", r#"{"email":"ANA@example.com"}"#),
        ("a status there is not", r#"{"username":"eve","status":6}"#),
        ("two passwords that differ", r#"{"username":"eve","password":"open sesame","password_confirmation":"x"}"#),
        ("one password", r#"{"username":"eve","password":"open sesame"}"#),
        ("a short password", r#"{"username":"eve","password":"seven77","password_confirmation":"seven77"}"#),
        ("a common password", r#"{"username":"eve","password":"password1","password_confirmation":"password1"}"#),
        (
            "a hash that is none",
            r#"{"username":"eve","password":"ab","password_confirmation":"ab","password_algorithm":"salt+sha256","salt":"x"}"#,
        ),
    ] {
        answers.push((why, all(&server, Script::post("/api/2/users").json(body)).await));
    }
    assert_snapshot!(told(&answers), @r#"
    # an unknown attribute
    POST /api/2/users
    {"username":"eve","employee_number":"1"}
    → 400 Bad Request
    {"statusCode":400,"name":"BadRequestError","message":"unknown attribute: employee_number"}

    # nobody named
    POST /api/2/users
    {"firstname":"Eve"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Username or Email must be set"}

    # no body
    POST /api/2/users
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Username or Email must be set"}

    # broken JSON
    POST /api/2/users
    {"username":
    → 400 Bad Request
    {"statusCode":400,"name":"BadRequestError","message":"Input JSON is not valid"}

    # a wrong type
    POST /api/2/users
    {"username":["eve"]}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["username"]}}

    # a wrong address
    POST /api/2/users
    {"email":"eve"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["email"]}}

    # a name that is taken
    POST /api/2/users
    {"username":"ana"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Username must be unique within acme"}

    # an address that is taken
    POST /api/2/users
    {"email":"ANA@example.com"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Email must be unique within acme"}

    # a status there is not
    POST /api/2/users
    {"username":"eve","status":6}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"ValidationError","message":"Validations failed","details":{"parameters":["status"]}}

    # two passwords that differ
    POST /api/2/users
    {"username":"eve","password":"open sesame","password_confirmation":"x"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Password confirmation doesn't match Password"}

    # one password
    POST /api/2/users
    {"username":"eve","password":"open sesame"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Password confirmation doesn't match Password"}

    # a short password
    POST /api/2/users
    {"username":"eve","password":"seven77","password_confirmation":"seven77"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Password is too short (minimum is 8 characters)"}

    # a common password
    POST /api/2/users
    {"username":"eve","password":"password1","password_confirmation":"password1"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Password is too common"}

    # a hash that is none
    POST /api/2/users
    {"username":"eve","password":"ab","password_confirmation":"ab","password_algorithm":"salt+sha256","salt":"x"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Password is not a lower-case hexadecimal SHA-256"}
    "#);
    assert_eq!(ids(&all(&server, Script::get("/api/2/users")).await).len(), 3);
    let common = r#"{"username":"eve","password":"password1","password_confirmation":"password1"}"#;
    let unjudged = all(&server, Script::post("/api/2/users?validate_policy=False").json(common)).await;
    assert_eq!(unjudged.status, 201);
}

#[tokio::test]
async fn a_password_needs_manage_all() {
    let server = TestServer::start().await;
    let id = server.user(0).id;
    let path = format!("/api/2/users/{id}");
    for field in ["password", "password_confirmation", "password_algorithm", "salt"] {
        let script = Script::put(&path).json(&format!(r#"{{"{field}":"open sesame"}}"#));
        let refused = server.call(Scope::ManageUsers, script).await;
        assert_eq!(refused.text, r#"{"statusCode":403,"name":"ForbiddenError","message":"not allowed"}"#, "{field}");
    }
    let absent = Script::put(&path).json(r#"{"password":null,"salt":""}"#);
    assert_eq!(server.call(Scope::ManageUsers, absent).await.status, 200);
    server.advance(60);
    let body = r#"{"password":"open sesame, please","password_confirmation":"open sesame, please"}"#;
    let set = all(&server, Script::put(&path).json(body)).await;
    assert_eq!(set.json()["password_changed_at"], "2026-03-01T09:31:00.000Z");
}

#[tokio::test]
async fn an_update_is_partial_and_a_user_may_be_sent_back() {
    let server = TestServer::start().await;
    let id = server.user(0).id;
    let path = format!("/api/2/users/{id}");
    let before = user(&server, id).await;
    let script = Script::put(&path).json(r#"{"title":"Auditor","manager_ad_id":"7","manager_user_id":8}"#);
    let changed = server.call(Scope::ManageUsers, script).await;
    let mut expected = before;
    expected["title"] = json!("Auditor");
    expected["manager_ad_id"] = json!(7);
    expected["manager_user_id"] = json!(8);
    assert_eq!(changed.json(), expected);
    for scope in [Scope::ManageAll, Scope::ManageUsers] {
        let again = server.call(scope, Script::put(&path).json(&expected.to_string())).await;
        assert_eq!((again.status.as_u16(), again.json()), (200, expected.clone()));
    }
    let nameless = all(&server, Script::put(&path).json(r#"{"email":"","username":""}"#)).await;
    let taken = all(&server, Script::put(&path).json(r#"{"username":"ben"}"#)).await;
    let unknown = all(&server, Script::put(&path).json(r#"{"nickname":"x"}"#)).await;
    let answers =
        [("without any name", nameless), ("with another's name", taken), ("with an unknown attribute", unknown)];
    assert_snapshot!(told(&answers), @r#"
    # without any name
    PUT /api/2/users/1
    {"email":"","username":""}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Username or Email must be set"}

    # with another's name
    PUT /api/2/users/1
    {"username":"ben"}
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"Validation failed: Username must be unique within acme"}

    # with an unknown attribute
    PUT /api/2/users/1
    {"nickname":"x"}
    → 400 Bad Request
    {"statusCode":400,"name":"BadRequestError","message":"unknown attribute: nickname"}
    "#);
}

#[tokio::test]
async fn a_deleted_user_is_gone() {
    let server = TestServer::start().await;
    let path = format!("/api/2/users/{}", server.user(0).id);
    let deleted = server.call(Scope::ManageUsers, Script::delete(&path)).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str(), deleted.header("content-type")), (204, "", None));
    assert_eq!(all(&server, Script::get(&path)).await.status, 404);
    assert_eq!(all(&server, Script::delete(&path)).await.status, 404);
}

#[tokio::test]
async fn an_unlocking_says_so_and_without_a_lock_refuses() {
    let server = TestServer::start().await;
    let id = server.user(0).id;
    let unlock = || server.call(Scope::ManageUsers, Script::post(&format!("/api/2/users/{id}/unlock")));
    let before = unlock().await;
    let lock = Script::put(&format!("/api/1/users/{id}/lock_user")).json(r#"{"locked_until":0}"#);
    assert_eq!(all(&server, lock).await.status, 200);
    let after = unlock().await;
    assert_eq!(user(&server, id).await["status"], 1);
    assert_snapshot!(told(&[("not locked", before), ("locked", after)]), @r#"
    # not locked
    POST /api/2/users/1/unlock
    → 422 Unprocessable Entity
    {"statusCode":422,"name":"UnprocessableEntityError","message":"User cannot be unlocked"}

    # locked
    POST /api/2/users/1/unlock
    → 200 OK
    {"messsage":"User unlocked","message":"User unlocked"}
    "#);
}

#[tokio::test]
async fn a_lock_is_undone_by_status_1_from_manage_all() {
    let server = TestServer::start().await;
    let id = server.user(0).id;
    let path = format!("/api/2/users/{id}");
    let lock = Script::put(&format!("/api/1/users/{id}/lock_user")).json(r#"{"locked_until":15}"#);
    assert_eq!(all(&server, lock).await.status, 200);
    let active = || Script::put(&path).json(r#"{"status":1}"#);
    let ignored = server.call(Scope::ManageUsers, active()).await.json();
    assert_eq!((&ignored["status"], &ignored["locked_until"]), (&json!(3), &json!("2026-03-01T09:45:00.000Z")));
    let undone = all(&server, active()).await.json();
    assert_eq!((&undone["status"], &undone["locked_until"]), (&json!(1), &Value::Null));
}

/// Contract 14.15: users have their own name for a 401.
#[tokio::test]
async fn every_call_refuses_in_the_words_of_version_2_users() {
    let server = TestServer::start().await;
    let nobody = "bearer 00000000000000000000000000000000";
    let answers = [
        ("no header", server.send(Script::get("/api/2/users/1")).await),
        ("an unknown token", server.send(Script::get("/api/2/users/1").header("authorization", nobody)).await),
        ("too small a scope", server.call(Scope::ReadAll, Script::delete("/api/2/users/1")).await),
        ("no such user", all(&server, Script::get("/api/2/users/123456789")).await),
        ("no id", all(&server, Script::get("/api/2/users/abc")).await),
        ("no such route", all(&server, Script::get("/api/2/users/1/shoes")).await),
        ("no such method", all(&server, Script::new("PATCH", "/api/2/users/1")).await),
        ("no such resource", all(&server, Script::get("/api/2/shoes")).await),
        ("applications", all(&server, Script::get(&format!("/api/2/users/{}/apps", server.user(0).id))).await),
    ];
    assert_snapshot!(told(&answers), @r#"
    # no header
    GET /api/2/users/1
    → 401 Unauthorized
    {"statusCode":401,"name":"UnauthorizedError","message":"Unauthorized"}

    # an unknown token
    GET /api/2/users/1
    → 401 Unauthorized
    {"statusCode":401,"name":"UnauthorizedError","message":"Unauthorized"}

    # too small a scope
    DELETE /api/2/users/1
    → 403 Forbidden
    {"statusCode":403,"name":"ForbiddenError","message":"not allowed"}

    # no such user
    GET /api/2/users/123456789
    → 404 Not Found
    {"statusCode":404,"name":"NotFoundError","message":"The resource with the given id could not be found"}

    # no id
    GET /api/2/users/abc
    → 404 Not Found
    {"statusCode":404,"name":"NotFoundError","message":"The resource with the given id could not be found"}

    # no such route
    GET /api/2/users/1/shoes
    → 404 Not Found
    {"statusCode":404,"name":"NotFoundError","message":"No Route Exists"}

    # no such method
    PATCH /api/2/users/1
    → 404 Not Found
    {"statusCode":404,"name":"NotFoundError","message":"No Route Exists"}

    # no such resource
    GET /api/2/shoes
    → 404 Not Found
    {"statusCode":404,"name":"NotFoundError","message":"No Route Exists"}

    # applications
    GET /api/2/users/1/apps
    → 200 OK
    []
    "#);
}

#[tokio::test]
async fn every_call_about_a_user_knows_when_there_is_none() {
    let server = TestServer::start().await;
    for id in ["123456789", "x", "0", "01"] {
        for script in [
            Script::get(&format!("/api/2/users/{id}")),
            Script::put(&format!("/api/2/users/{id}")).json("{}"),
            Script::delete(&format!("/api/2/users/{id}")),
            Script::post(&format!("/api/2/users/{id}/unlock")),
            Script::get(&format!("/api/2/users/{id}/apps")),
        ] {
            let answer = all(&server, script).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["name"]), (404, &json!("NotFoundError")), "{answer}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let server = TestServer::start().await;
    let get = async |query: &str| server.call(Scope::ReadAll, Script::get(&format!("/api/2/users?{query}"))).await;
    let times = ["created", "updated", "last_login"].map(|of| [format!("{of}_since"), format!("{of}_until")]);
    for name in times.as_flattened() {
        for bad in ["yesterday", "1700000000", "2026-02-30", "2026-03-01T25:00:00Z", "2026-03-01T09:30:00%20x"] {
            let answer = get(&format!("{name}={bad}")).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["details"]["parameters"]),
                (422, &json!([name])),
                "{answer}"
            );
        }
        for fine in ["2026-03-01T09:30:00Z", "2026-03-01T09:30:00+01:00", "2026-03-01", ""] {
            assert_eq!(get(&format!("{name}={fine}")).await.status, 200, "{name}={fine}");
        }
    }
    for name in ["id", "directory_id", "group_id", "role_id", "app_id", "user_ids"] {
        for bad in ["abc", "-1", "1.5", "99999999999999999999", "0x1"] {
            let answer = get(&format!("{name}={bad}")).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["details"]["parameters"]),
                (422, &json!([name])),
                "{answer}"
            );
        }
        assert_eq!(get(&format!("{name}=1")).await.status, 200, "{name}");
        assert_eq!(get(&format!("{name}=")).await.status, 200, "{name}");
    }
    assert_eq!(get("user_ids=1,abc").await.status, 422, "a list with one bad member is bad");
    let filters = |count: usize| (0..count).map(|n| format!("custom_attributes.k{n}=v")).collect::<Vec<_>>().join("&");
    assert_eq!(get(&filters(20)).await.status, 200);
    assert_eq!(get(&filters(21)).await.json()["details"]["parameters"], json!(["custom_attributes.k20"]));
    assert_eq!(
        get(&format!("user_ids={}", vec!["1"; 101].join(","))).await.json()["details"]["parameters"],
        json!(["user_ids"])
    );
    for lenient in ["limit=x", "page=-1", "fields=colour", "colour=red"] {
        assert_eq!(get(lenient).await.status, 200, "{lenient}");
    }
}

#[tokio::test]
async fn what_looks_alike_is_one_user() {
    let server = TestServer::start().await;
    let create = async |body: Value| all(&server, Script::post("/api/2/users").json(&body.to_string())).await;
    let ben = server.user(1).id;
    let change =
        async |body: Value| all(&server, Script::put(&format!("/api/2/users/{ben}")).json(&body.to_string())).await;
    let taken = |answer: &Exchange, field: &str| {
        assert_eq!(answer.status, 422, "{answer}");
        let words = format!("Validation failed: {field} must be unique within acme");
        assert_eq!(answer.json()["message"].as_str(), Some(words.as_str()), "{answer}");
    };
    let made = create(json!({ "username": "  J\u{f6}rg Stra\u{df}e\u{3000}" })).await;
    assert_eq!(made.status, 201, "{made}");
    assert_eq!(made.json()["username"], "J\u{f6}rg Stra\u{df}e", "as it was sent, but for the trimming");
    for alike in [
        "j\u{f6}rg stra\u{df}e",
        "JO\u{308}RG STRASSE",
        "\u{a0}J\u{f6}rg\u{2003}Stra\u{df}e\t",
        "jo\u{308}rg\u{a0}strasse",
    ] {
        taken(&create(json!({ "username": alike })).await, "Username");
        taken(&change(json!({ "username": alike })).await, "Username");
        let query = serde_urlencoded::to_string([("username", alike)]).unwrap();
        let found = all(&server, Script::get(&format!("/api/2/users?{query}"))).await;
        assert_eq!(ids(&found), [made.json()["id"].as_i64().unwrap()], "{alike:?}");
    }
    // One namespace: a user name that is another's address, and the other way round.
    taken(&create(json!({ "username": "ANA@example.com " })).await, "Username");
    taken(&change(json!({ "username": "ana@example.com", "email": "" })).await, "Username");
    taken(&create(json!({ "username": "other", "email": "Ana@EXAMPLE.com" })).await, "Email");
    let addressed = create(json!({ "username": "mona@example.com", "email": "Mona@example.com" })).await;
    assert_eq!(addressed.status, 201, "a user's own two may be equal: {addressed}");
    taken(&change(json!({ "email": "mona@example.com" })).await, "Email");
    // What shows nothing, or is no character, is refused, and an empty name is missing.
    for bad in ["bob\u{200b}", "b\u{ad}ob", "bob\u{ffff}", "bob\u{1fffe}", "bob\u{fdd0}"] {
        let refused = create(json!({ "username": bad })).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["details"]["parameters"]),
            (422, &json!(["username"])),
            "{refused}"
        );
    }
    assert_eq!(create(json!({ "username": " \u{3000} " })).await.status, 422);
    // A user sent back as it was read changes nothing.
    let read = user(&server, ben).await;
    let back = change(read.clone()).await;
    assert_eq!((back.status.as_u16(), &back.json()["username"]), (200, &read["username"]), "{back}");
}

/// Contract 3.1: white space and the way in which letters are composed do not matter in an id of another system; case
/// does.
#[tokio::test]
async fn an_id_of_another_system_is_found_however_it_is_typed() {
    let server = TestServer::start().await;
    let body = json!({ "username": "joe", "external_id": " J\u{f6}-7\u{3000}" }).to_string();
    let made = all(&server, Script::post("/api/2/users").json(&body)).await;
    assert_eq!((made.status.as_u16(), &made.json()["external_id"]), (201, &json!("J\u{f6}-7")), "{made}");
    let id = made.json()["id"].as_i64().unwrap();
    let one = format!("/api/2/users/{id}");
    for alike in ["J\u{f6}-7", "Jo\u{308}-7", "\u{a0}Jo\u{308}-7 ", "J\u{f6}-7\t"] {
        let query = serde_urlencoded::to_string([("external_id", alike)]).unwrap();
        for list in ["/api/1/users", "/api/2/users"] {
            let found = all(&server, Script::get(&format!("{list}?{query}"))).await.json();
            let found = found.get("data").unwrap_or(&found).clone();
            assert_eq!((&found[0]["id"], &found[1]), (&json!(id), &Value::Null), "{list} {alike:?}");
        }
        for script in [Script::put(&one), Script::put(&format!("/api/1/users/{id}"))] {
            let set = all(&server, script.json(&json!({ "external_id": alike }).to_string())).await;
            assert_eq!(set.status, 200, "{set}");
            assert_eq!(user(&server, id).await["external_id"], "J\u{f6}-7", "{alike:?}");
        }
    }
    for other in ["j\u{f6}-7", "J\u{f6}7", "Jo-7", "J\u{f6}\u{200b}-7"] {
        let query = serde_urlencoded::to_string([("external_id", other)]).unwrap();
        assert_eq!(all(&server, Script::get(&format!("/api/2/users?{query}"))).await.json(), json!([]), "{other:?}");
    }
    let cleared = all(&server, Script::put(&one).json(r#"{"external_id":" "}"#)).await;
    assert_eq!(cleared.json()["external_id"], Value::Null, "{cleared}");
}

/// Contract 3.1: an integer, as the live service writes it; a text for clients whose models throw on a number.
#[tokio::test]
async fn the_manager_is_a_number() {
    let server = TestServer::start().await;
    for (profile, shown) in [
        (CompatProfile::Default, json!(1)),
        (CompatProfile::DocsLiteral, json!(1)),
        (CompatProfile::Python4, json!("1")),
        (CompatProfile::NumericIds, json!("1")),
    ] {
        let token = server.profile_token(profile).await;
        let script = |script: Script| script.header("authorization", &format!("Bearer {token}"));
        let told = server.send(script(Script::put("/api/2/users/2").json(r#"{"manager_user_id":1}"#))).await;
        assert_eq!(told.json()["manager_user_id"], shown, "{profile:?}: {told}");
        let read = server.send(script(Script::get("/api/2/users/2"))).await;
        assert_eq!(read.json()["manager_user_id"], shown, "{profile:?}");
        let listed = server.send(script(Script::get("/api/2/users?user_ids=2"))).await;
        assert_eq!(listed.json()[0]["manager_user_id"], shown, "{profile:?}");
    }
}

//! Names and passwords of a log-in: how they are typed, and what refusing them takes (contract 3.2, SEC 31, SEC 43).

use super::*;

#[tokio::test]
async fn unknown_users_and_wrong_passwords_are_told_alike() {
    let wire = Wire::start().await;
    let mut wrong = credentials(&wire);
    wrong["password"] = "something else".into();
    let mut unknown = credentials(&wire);
    unknown["username_or_email"] = "nobody".into();
    let (wrong, unknown) = (login(&wire, &wrong).await, login(&wire, &unknown).await);
    assert_eq!(wrong.0.text, unknown.0.text);
    assert_snapshot!(wrong, @r#"
POST /api/1/login/auth
{"password":"something else","subdomain":"acme","username_or_email":"ben"}
→ 401 Unauthorized
{"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failed: Invalid user credentials"}}
"#);
}

#[tokio::test]
async fn a_name_is_a_user_name_or_a_mail_address_in_any_case() {
    let wire = Wire::start().await;
    let user = wire.server.user(1);
    for name in [user.username.to_uppercase(), user.email.clone(), user.email.to_uppercase()] {
        let mut body = credentials(&wire);
        body["username_or_email"] = name.clone().into();
        assert_eq!(login(&wire, &body).await.status(), 200, "{name}");
    }
}

/// Contract 3.2: a password that another system hashed is hashed anew at its next use.
#[tokio::test]
async fn who_comes_with_a_hashed_password_logs_in_with_the_password_itself() {
    let wire = Wire::start().await;
    let salted = json!({
        "password": "1a62cb3bb3ecfcd0e49236c037d100f64ec07a1a3c5964db8d0bfb8a31a221fa", "password_confirmation": "1a62cb3bb3ecfcd0e49236c037d100f64ec07a1a3c5964db8d0bfb8a31a221fa", "password_algorithm": "salt+sha256", "password_salt": "pepper"
    });
    let v1 = wire.call_as(Scope::ManageAll, "PUT", "/api/1/users/set_password_using_salt/2", &salted.to_string()).await;
    assert_eq!(v1.json()["status"]["message"], "Success", "{}", v1.0);
    let word = |password: &str| json!({ "username_or_email": "ben", "password": password, "subdomain": "acme" });
    let is_in = |told: Told| told.json()["data"][0]["status"] == "Authenticated";
    assert!(!is_in(login(&wire, &word("open sesam")).await));
    assert!(
        !is_in(login(&wire, &word("1a62cb3bb3ecfcd0e49236c037d100f64ec07a1a3c5964db8d0bfb8a31a221fa")).await),
        "the hash is no password"
    );
    assert!(is_in(login(&wire, &word("open sesame")).await));
    assert!(is_in(login(&wire, &word("open sesame")).await), "hashed anew");
    for (algorithm, hash, salt, password) in [
        ("salt+sha256", "1a62cb3bb3ecfcd0e49236c037d100f64ec07a1a3c5964db8d0bfb8a31a221fa", "pepper", "open sesame"),
        ("sha256+salt", "cd7149b0388d05a35aff577050a917c55704d074d31f969fe268217b5a87f21c", "pepper", "open sesame"),
        ("bcrypt", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "", "abc"),
    ] {
        let body = json!({
            "password": hash, "password_confirmation": hash, "password_algorithm": algorithm, "salt": salt
        });
        let v2 = wire.call_as(Scope::ManageAll, "PUT", "/api/2/users/2", &body.to_string()).await;
        assert_eq!(v2.json()["id"], 2, "{}", v2.0);
        assert!(is_in(login(&wire, &word(password)).await), "{algorithm}");
    }
}

#[tokio::test]
async fn a_name_opens_a_log_in_however_it_is_typed() {
    let wire = Wire::start().await;
    let body = json!({
        "username": "J\u{f6}rg", "email": "joerg@example.com",
        "password": "gru\u{308}\u{df}e dich", "password_confirmation": "gru\u{308}\u{df}e dich",
    });
    let made = wire.call_as(Scope::ManageAll, "POST", "/api/2/users", &body.to_string()).await;
    assert_eq!(made.status(), 201, "{}", made.0);
    let enter = async |name: &str, password: &str| {
        let body = json!({ "username_or_email": name, "password": password, "subdomain": "acme" });
        login(&wire, &body).await.status()
    };
    for name in ["J\u{f6}rg", "jo\u{308}rg ", " J\u{d6}RG", "JOERG@example.com", "joerg@example.com\u{a0}"] {
        assert_eq!(enter(name, "gr\u{fc}\u{df}e dich").await, 200, "{name:?}");
    }
    assert_eq!(enter("j\u{f6}rg", "gru\u{308}\u{df}e\u{a0}dich").await, 200);
    assert_eq!(enter("jorg", "gr\u{fc}\u{df}e dich").await, 401);
}

/// SEC 43: each client has its share of the places for hashes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_client_cannot_fill_the_password_queue() {
    let server = Arc::new(TestServer::start().await);
    let tokens = [server.token(Scope::Authenticate).await, server.token(Scope::ManageUsers).await];
    let log_in = |token: &str, name: String, password: &str| {
        let body = json!({ "username_or_email": name, "password": password, "subdomain": "acme" });
        let script = Script::post("/api/1/login/auth").header("authorization", &format!("Bearer {token}"));
        let (server, script) = (server.clone(), script.json(&body.to_string()));
        tokio::spawn(async move { server.send(script).await.status.as_u16() })
    };
    let crowd: Vec<_> = (0..120).map(|n| log_in(&tokens[0], format!("nobody{n}"), "open sesame")).collect();
    for _ in 0..2 {
        for number in 0..3 {
            let user = server.user(number).clone();
            assert_eq!(log_in(&tokens[1], user.username, &user.password).await.unwrap(), 200);
        }
    }
    for call in crowd {
        let status = call.await.unwrap();
        assert!(matches!(status, 401 | 503), "{status}");
    }
}

/// SEC 31: the time of an answer does not tell who exists, whatever hashes were imported.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a time that a refusal takes at least, measured here as there")]
async fn an_unknown_name_takes_as_long_as_the_dearest_hash() {
    let wire = Wire::start().await;
    let engine = wire.server.world.engine();
    let own = engine.refusal_takes();
    let hash = "$2a$08$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga";
    let body = json!({
        "password": hash, "password_confirmation": hash, "password_algorithm": "bcrypt"
    });
    let set = wire.call_as(Scope::ManageAll, "PUT", "/api/2/users/2", &body.to_string()).await;
    assert_eq!(set.json()["id"], 2, "{}", set.0);
    let longest = engine.refusal_takes();
    assert!(longest > own, "known before the first log-in");
    let mut told = Vec::new();
    for name in ["nobody", "ana", "ben"] {
        let started = std::time::Instant::now();
        let body = json!({ "username_or_email": name, "password": "open sesame", "subdomain": "acme" });
        told.push(login(&wire, &body).await.0.text.clone());
        let took = i64::try_from(started.elapsed().as_millis()).unwrap();
        // The shortest that such a comparison took is what all wait for: a busy machine adds to each alike.
        assert!(took >= engine.refusal_takes(), "{name}: {took} of {longest} ms");
    }
    told.dedup();
    assert_eq!(told.len(), 1);
    // While a name is held off nothing is compared, and the answer is the same.
    for _ in 0..10 {
        login(&wire, &json!({ "username_or_email": "chie", "password": "wrong", "subdomain": "acme" })).await;
    }
    let right = &wire.server.user(2).password;
    let held = login(&wire, &json!({ "username_or_email": "chie", "password": right, "subdomain": "acme" })).await;
    assert_eq!(held.0.text, told[0]);
}

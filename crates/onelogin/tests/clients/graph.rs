//! Replay of graph-onelogin (TypeScript); base URL.
//!
//! An inventory. It reads every list of version 1 to its end by `after_cursor`, the first page with an empty one, and stops
//! at the first answer whose status has another code than 200.

use serde_json::{Value, json};

use crate::caller::{Client, Habits, authenticator, documented};
use crate::wire::Wire;

const HABITS: Habits = Habits {
    token_path: "/auth/oauth2/v2/token",
    credentials: documented,
    bearer: "bearer ",
    headers: &[("content-type", "application/json")],
};

async fn read(client: &Client<'_>, path: &str) -> Value {
    let told = client.get(path).await.json();
    assert_eq!(told["status"]["code"], 200, "{path}: {told}");
    told
}

async fn all(client: &Client<'_>, plural: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let told = read(client, &format!("/api/1/{plural}?after_cursor={after}")).await;
        found.extend(told["data"].as_array().expect("a list").iter().cloned());
        match told["pagination"]["after_cursor"].as_str() {
            Some(next) if !next.is_empty() => next.clone_into(&mut after),
            _ => return found,
        }
    }
}

#[tokio::test]
async fn users_and_every_list_on_the_way_to_them() {
    let wire = Wire::start().await;
    authenticator(&wire).await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    for plural in ["groups", "roles", "apps"] {
        assert_eq!(all(&client, plural).await, Vec::<Value>::new(), "{plural}");
    }
    let users = all(&client, "users").await;
    assert_eq!(users.len(), 3);
    for user in &users {
        assert!(read(&client, &format!("/api/1/users/{}/apps", user["id"])).await["data"].is_array());
        let devices =
            read(&client, &format!("/api/1/users/{}/otp_devices", user["id"])).await["data"]["otp_devices"].clone();
        let expected = usize::from(user["id"] == json!(wire.user));
        assert_eq!(devices.as_array().map(Vec::len), Some(expected), "{user}");
    }
}

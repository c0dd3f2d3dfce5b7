//! Creates users and HOTP devices in a dev world, through the API like any client.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use xtask::server::ApiClient;

use crate::device::{Device, Token};
use crate::wire::{Connection, request};

/// Users that are created at the same time.
const AT_ONCE: usize = 16;

/// How many devices, and on how many users.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) devices: usize,
    pub(crate) per_user: usize,
}

/// Enrols and confirms devices.
pub(crate) async fn enrol(address: SocketAddr, client: &ApiClient, wanted: Wanted) -> Result<Vec<Device>> {
    let authorization = authorize(address, client).await?;
    let mut working = JoinSet::new();
    let mut devices = Vec::with_capacity(wanted.devices);
    let mut left = wanted.devices;
    let mut number = 0;
    while left > 0 || !working.is_empty() {
        while left > 0 && working.len() < AT_ONCE {
            let count = wanted.per_user.min(left);
            left -= count;
            number += 1;
            working.spawn(fill_user(address, authorization.clone(), number, count));
        }
        if let Some(filled) = working.join_next().await {
            devices.extend(filled??);
        }
    }
    Ok(devices)
}

/// The value of the `Authorization` header with a bearer token of this client.
pub(crate) async fn authorize(address: SocketAddr, client: &ApiClient) -> Result<String> {
    let credentials = format!("client_id:{}, client_secret:{}", client.id, client.secret);
    let asked = request("POST", "/auth/oauth2/v2/token", &credentials, r#"{"grant_type":"client_credentials"}"#);
    let answer = Connection::open(address).await?.call(&asked).await?;
    let token = answer["access_token"].as_str().context("a token answer without access_token")?;
    Ok(format!("bearer:{token}"))
}

/// Creates the user with this number, with `count` confirmed devices.
pub(crate) async fn fill_user(
    address: SocketAddr,
    authorization: String,
    number: usize,
    count: usize,
) -> Result<Vec<Device>> {
    let mut connection = Connection::open(address).await?;
    let name = format!("bench{number}");
    let user = json!({ "username": name, "email": format!("{name}@example.com") });
    let created = connection.call(&request("POST", "/api/2/users", &authorization, &user.to_string())).await?;
    let user = created["id"].as_i64().context("a new user without id")?;
    let factor = offered(&mut connection, &authorization, user, "HOTP").await?;
    let mut devices = Vec::with_capacity(count);
    for _ in 0..count {
        devices.push(add_device(&mut connection, &authorization, user, &factor).await?);
    }
    Ok(devices)
}

/// The id of the factor with this name, as it is offered to a user.
pub(crate) async fn factor(address: SocketAddr, authorization: &str, user: i64, name: &str) -> Result<Value> {
    offered(&mut Connection::open(address).await?, authorization, user, name).await
}

async fn offered(line: &mut Connection, authorization: &str, user: i64, name: &str) -> Result<Value> {
    let factors = line.call(&request("GET", &format!("/api/2/mfa/users/{user}/factors"), authorization, "")).await?;
    let mut listed = factors.as_array().into_iter().flatten();
    let factor = listed.find(|factor| factor["auth_factor_name"] == name);
    factor.map(|factor| factor["factor_id"].clone()).with_context(|| format!("the server offers no {name}"))
}

/// The secret in the answer to an enrolment.
pub(crate) fn secret(enrolled: &Value) -> Result<Vec<u8>> {
    let token = enrolled["factor_data"]["verification_token"].as_str().context("an enrolled device without secret")?;
    data_encoding::BASE32_NOPAD.decode(token.as_bytes()).context("a secret that is not Base32")
}

async fn add_device(connection: &mut Connection, authorization: &str, user: i64, factor: &Value) -> Result<Device> {
    let path = format!("/api/1/users/{user}/otp_devices");
    let body = json!({ "factor_id": factor, "display_name": "bench" });
    let answer = connection.call(&request("POST", &path, authorization, &body.to_string())).await?;
    let enrolled = &answer["data"][0];
    let device = enrolled["id"].as_i64().context("an enrolled device without id")?;
    let secret = secret(enrolled)?;
    let path = format!("{path}/{device}/verify");
    let mut token = Token::new(&secret, 0);
    let body = json!({ "state_token": enrolled["state_token"], "otp_token": format!("{:06}", token.fresh()) });
    connection.call(&request("POST", &path, authorization, &body.to_string())).await?;
    Ok(Device::new(token, user, |body| request("POST", &path, authorization, body)))
}

//! The schemas of answers, derived from the types that the endpoints write.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::wire::challenge::FactorData;
use crate::wire::envelope::{Pagination, StatusMessage, V1Status, V2Error};
use crate::wire::event::EventWire;
use crate::wire::event_types::EventType;
use crate::wire::log_in::{Authenticated, FactorNeeded, NumberToShow};
use crate::wire::temp_token::TempTokenWire;
use crate::wire::user::UserWire;
use crate::{saml, token, v1, v2};

/// Every schema that the document refers to, by name.
pub(super) fn all() -> Map<String, Value> {
    let mut all = BTreeMap::new();
    add::<V1Status<'_>>(&mut all);
    add::<V2Error<'_>>(&mut all);
    add::<StatusMessage>(&mut all);
    add::<Pagination>(&mut all);
    add::<token::issue::TokenWire>(&mut all);
    add::<token::rate_limit::RateLimitWire>(&mut all);
    add::<UserWire<'_>>(&mut all);
    add::<v2::users::UnlockedWire>(&mut all);
    add::<EventWire>(&mut all);
    add::<EventType>(&mut all);
    add::<FactorData>(&mut all);
    add::<TempTokenWire>(&mut all);
    add::<v1::mfa_token::Issued>(&mut all);
    add::<v2::enrollment_link::Made>(&mut all);
    add::<v1::auth_factors::Data<'_>>(&mut all);
    add::<v1::devices::Data<'_>>(&mut all);
    add::<v1::enrol::Enrolled<'_>>(&mut all);
    add::<v1::trigger::Triggered<'_>>(&mut all);
    add::<v1::trigger::OtpDevices<'_>>(&mut all);
    add::<v2::factors::Offered<'_>>(&mut all);
    add::<v2::devices::Listed<'_>>(&mut all);
    add::<v2::registrations::Started<'_>>(&mut all);
    add::<v2::challenge::StateWire>(&mut all);
    add::<v2::verifications::Opened<'_>>(&mut all);
    add::<v2::verifications::Verified>(&mut all);
    add::<v2::smart::VisitWire>(&mut all);
    add::<FactorNeeded>(&mut all);
    add::<Authenticated>(&mut all);
    add::<NumberToShow>(&mut all);
    add::<saml::NeededTwo>(&mut all);
    add::<saml::Two<'_, String>>(&mut all);
    all.insert(
        "V1Error".to_owned(),
        json!({ "type": "object", "required": ["status"], "properties": { "status": reference("V1Status") } }),
    );
    // A caller may ask for some members only, with `fields`.
    for name in ["User", "UserOfVersion", "Event"] {
        all.entry(name.to_owned()).and_modify(without_required);
    }
    all.into_iter().collect()
}

/// Adds the schema of a type and those of the types within it.
fn add<T: ToSchema>(all: &mut BTreeMap<String, Value>) {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        let mut schema = serde_json::to_value(schema).unwrap_or_default();
        each_object(&mut schema, &|members| {
            // A value of an enum without a tag may fit several of its variants.
            if let Some(variants) = members.remove("oneOf") {
                members.insert("anyOf".to_owned(), variants);
            }
        });
        all.insert(name, schema);
    }
}

fn without_required(schema: &mut Value) {
    each_object(schema, &|members| {
        members.remove("required");
    });
}

fn each_object(schema: &mut Value, change: &impl Fn(&mut Map<String, Value>)) {
    match schema {
        Value::Object(members) => {
            change(members);
            members.values_mut().for_each(|part| each_object(part, change));
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| each_object(part, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn array_of(name: &str) -> Value {
    json!({ "type": "array", "items": reference(name) })
}

/// The schema of the thing that the operations call so.
pub(super) fn of(name: &str) -> Value {
    match name {
        "Any" | "Empty" => json!({ "type": "object" }),
        "Names" => json!({ "type": "array", "items": { "type": "string" } }),
        "NoApps" | "NoRoles" => json!({ "type": "array", "maxItems": 0 }),
        "Registered" | "Finished" => reference("Standing"),
        "Assertion" => json!({ "anyOf": [reference("AssertionNeedsFactor"), reference("AssertionAnswer")] }),
        "AssertionStep" => reference("AssertionAnswer"),
        named => reference(named),
    }
}

/// The schema of `data` where it differs from answer to answer.
pub(super) fn data(name: &str) -> Value {
    match name {
        "V1Triggered" => json!({ "anyOf": [array_of("V1Triggered"), reference("V1TriggeredDevices")] }),
        "LogIn" => json!({ "anyOf": [array_of("FactorNeeded"), array_of("Authenticated")] }),
        "Step" => json!({ "anyOf": [array_of("Authenticated"), array_of("NumberToShow")] }),
        "V1Assertion" => json!({ "anyOf": [array_of("FactorNeeded"), { "type": "string" }] }),
        "V1AssertionStep" => json!({ "anyOf": [array_of("NumberToShow"), { "type": "string" }] }),
        _ => json!({}),
    }
}

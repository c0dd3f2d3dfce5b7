//! `GET /openapi.json` and `GET /docs`: the dialect described by itself (`OpenAPI` 3.1).

mod errors;
mod examples;
mod operations;
mod page;
mod schemas;
pub(crate) mod written;

pub use errors::CallErrors;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::dialect::Dialect;
use crate::route::{RouteBeside, RouteEntry, RoutesBeside};
use crate::wire::call::ApiCall;
use crate::wire::fields::{Field, Inputs, Kind};
use crate::wire::scope_name::ScopeName;
use operations::{OPERATIONS, Operation, Success};

/// Answers with the document.
pub(crate) async fn read(dialect: Dialect, call: ApiCall) -> Response {
    let document = dialect.described.document(|| document(dialect.routes, dialect.options.beside.as_ref()).to_string());
    document.answer(&call, "application/json")
}

/// Answers with the document as a page: one file with its style inside, which loads nothing.
pub(crate) async fn read_page(dialect: Dialect, call: ApiCall) -> Response {
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    let page = dialect.described.page(|| {
        page::render(OPERATIONS, |operation| scopes(dialect.routes, operation), dialect.options.beside.as_ref())
    });
    let mut answer = page.answer(&call, "text/html; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}

/// What the endpoint of this route reads.
pub(crate) fn inputs(method: &str, path: &str) -> Option<&'static Inputs> {
    let mut all = OPERATIONS.iter().map(|operation| &operation.inputs);
    all.find(|inputs| inputs.method == method && inputs.path == path)
}

/// The errors of each call.
pub(crate) fn call_errors(routes: &[RouteEntry]) -> impl Iterator<Item = CallErrors> {
    OPERATIONS.iter().map(|operation| {
        let Inputs { method, path, .. } = operation.inputs;
        let mut errors = errors::of(operation, scopes(routes, operation).is_some());
        errors.sort_unstable();
        CallErrors { method, path, summary: operation.summary, errors }
    })
}

fn document(routes: &[RouteEntry], beside: Option<&RoutesBeside>) -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.inputs.path).or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(operation.inputs.method.to_lowercase(), described(routes, operation));
        }
    }
    for (route, tag) in beside.into_iter().flat_map(|beside| beside.routes.iter().map(|route| (route, beside.tag))) {
        paths.entry(route.path).or_insert_with(|| json!({}))[route.method.to_lowercase()] =
            described_beside(route, tag);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Multi-factor authentication, in the shapes of the OneLogin MFA API",
            "license": { "name": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "An access token, as `Bearer TOKEN` or `bearer:TOKEN`",
                },
                "client": {
                    "type": "http", "scheme": "basic",
                    "description": "A client's id and secret, also as `client_id:ID, client_secret:SECRET`",
                },
            },
        },
    })
}

fn described(routes: &[RouteEntry], operation: &Operation) -> Value {
    let guarded = scopes(routes, operation);
    let is_v1 = operation.is_v1();
    let mut parameters: Vec<Value> = in_path(operation.inputs.path)
        .map(|name| {
            let kind =
                if name == "id" { json!({ "type": "string" }) } else { json!({ "type": "integer", "minimum": 1 }) };
            json!({ "name": name, "in": "path", "required": true, "schema": kind })
        })
        .collect();
    parameters.extend(operation.inputs.query.iter().map(|field| {
        json!({ "name": field.name, "in": "query", "description": field.about, "schema": { "type": "string" } })
    }));
    let mut described = json!({
        "operationId": operation_id(operation),
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses(operation, is_v1, guarded.is_some()),
    });
    if !operation.inputs.body.is_empty() {
        let kind = if operation.inputs.path == "/session_via_api_token" {
            "application/x-www-form-urlencoded"
        } else {
            "application/json"
        };
        described["requestBody"] = json!({ "content": { kind: { "schema": body(operation.inputs.body) } } });
    }
    match guarded {
        Some(scopes) => {
            described["security"] = json!([{ "bearer": [] }]);
            described["x-scopes"] = json!(scopes);
        }
        None if operation.inputs.path.ends_with("/token") || operation.inputs.path.ends_with("/revoke") => {
            described["security"] = json!([{ "client": [] }, {}]);
        }
        None => described["security"] = json!([]),
    }
    described
}

fn described_beside(route: &RouteBeside, tag: &str) -> Value {
    let in_path = in_path(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let in_query = route.query.iter().map(
        |(name, about)| json!({ "name": name, "in": "query", "description": about, "schema": { "type": "string" } }),
    );
    let mut described = json!({
        "operationId": id_of(route.method, route.path),
        "tags": [tag],
        "summary": route.summary,
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": {
            "200": { "description": "Success", "content": { "application/json": {} } },
            "4XX": { "description": "A problem, with a hint", "content": { "application/json": {} } },
        },
        "security": [],
    });
    if !route.body.is_empty() {
        let members: Map<String, Value> =
            route.body.iter().map(|(name, about)| ((*name).to_owned(), json!({ "description": about }))).collect();
        let schema = json!({ "type": "object", "properties": members });
        described["requestBody"] = json!({ "content": { "application/json": { "schema": schema } } });
    }
    described
}

/// The scopes that let a caller in; `None` where no token is needed.
fn scopes(routes: &[RouteEntry], operation: &Operation) -> Option<Vec<&'static str>> {
    let route =
        routes.iter().find(|route| route.method == operation.inputs.method && route.path == operation.inputs.path)?;
    let allowed = route.scopes?;
    Some(domain::Scope::ALL.into_iter().filter(|scope| allowed(*scope)).map(ScopeName::name).collect())
}

fn operation_id(operation: &Operation) -> String {
    id_of(operation.inputs.method, operation.inputs.path)
}

fn id_of(method: &str, path: &str) -> String {
    let words = path.split(['/', '_', '-', '.', '{', '}']).filter(|word| !word.is_empty());
    words.fold(method.to_lowercase(), |id, word| format!("{id}_{word}"))
}

fn in_path(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn body(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = nullable(field.kind);
            schema["description"] = json!(field.about);
            (field.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// A member's schema. Any member may be null, which is the same as leaving it out.
fn nullable(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": ["string", "null"] }),
        Kind::Flag => json!({ "type": ["boolean", "null"] }),
        Kind::Object => json!({ "type": ["object", "null"] }),
        Kind::Code | Kind::Number => json!({ "type": ["string", "integer", "null"] }),
    }
}

fn responses(operation: &Operation, is_v1: bool, is_guarded: bool) -> Value {
    // Version 1 repeats a member under a second spelling.
    let named = |name: &str| schemas::of(if is_v1 && name == "TempToken" { "V1TempToken" } else { name });
    let in_json = |about: &str, schema: Value| json!({ "description": about, "content": { "application/json": { "schema": schema } } });
    let envelope = |data: Option<Value>, paged: bool| {
        let mut properties = json!({ "status": { "$ref": "#/components/schemas/V1Status" } });
        if let Some(data) = data {
            properties["data"] = data;
        }
        if paged {
            properties["pagination"] = schemas::of("Pagination");
        }
        json!({ "type": "object", "required": ["status"], "properties": properties })
    };
    let mut responses = Map::new();
    let list = |name: &str| Some(json!({ "type": "array", "items": named(name) }));
    let (status, answer) = match operation.success {
        Success::V1(name) => (200, in_json("Success", envelope(list(name), false))),
        Success::V1Page(name) => (200, in_json("Success", envelope(list(name), true))),
        Success::V1One(name) => (200, in_json("Success", envelope(Some(named(name)), false))),
        Success::V1Whole(name) => (200, in_json("Success", envelope(Some(schemas::data(name)), false))),
        Success::V1Echo => (200, in_json("Success", envelope(None, false))),
        // Some clients are answered with an array of one (their profile says so).
        Success::Object(status, name) => {
            (status, in_json("Success", json!({ "anyOf": [named(name), { "type": "array" }] })))
        }
        Success::Array(status, name) => (status, in_json("Success", json!({ "type": "array", "items": named(name) }))),
        Success::Nothing => (204, json!({ "description": "Success" })),
        Success::Missing => {
            let error = named(if is_v1 { "V1Error" } else { "V2Error" });
            (404, in_json("There is no such thing: nothing of this kind is kept", error))
        }
        Success::Other(kind) => (200, json!({ "description": "Success", "content": { kind: {} } })),
    };
    responses.insert(status.to_string(), answer);
    if operation.inputs.path.ends_with("/verifications") && operation.inputs.method == "POST" {
        responses.insert(
            "200".to_owned(),
            in_json(
                "A code was right",
                envelope(Some(json!({ "type": "array", "items": schemas::of("Registered") })), false),
            ),
        );
    }
    for (number, example) in examples::of(operation).into_iter().enumerate() {
        let content = &mut responses[&example.status.to_string()]["content"]["application/json"];
        let mut one = json!({ "value": example.body });
        if !example.when.is_empty() {
            one["summary"] = example.when.into();
        }
        content["examples"][(number + 1).to_string()] = one;
    }
    let error = named(if is_v1 { "V1Error" } else { "V2Error" });
    let any = json!({ "type": "object" });
    for (code, about) in errors::of(operation, is_guarded) {
        if operation.inputs.path == "/session_via_api_token" {
            // A browser shows these to a person.
            let text = json!({ "description": about, "content": { "text/plain": { "schema": { "type": "string" } }, "application/json": {} } });
            responses.entry(code.to_string()).or_insert(text);
            continue;
        }
        // The only body of version 2's shape under version 1 (contract 7.11).
        if is_v1 && code == 422 {
            responses.insert("422".to_owned(), in_json(about, named("V2Error")));
            continue;
        }
        // Errors shared by all endpoints have version 1's shape on some paths of version 2 (contract 1.6).
        let schema = if is_v1 { error.clone() } else { json!({ "anyOf": [error.clone(), any.clone()] }) };
        responses.entry(code.to_string()).or_insert_with(|| in_json(about, schema));
    }
    Value::Object(responses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::table::ROUTES;

    /// A route cannot be without its description, nor a description without its route.
    #[test]
    fn routes_and_operations_are_the_same() {
        let mut routes: Vec<_> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
        let mut described: Vec<_> =
            OPERATIONS.iter().map(|operation| (operation.inputs.method, operation.inputs.path)).collect();
        routes.sort_unstable();
        described.sort_unstable();
        assert_eq!(routes, described);
    }

    /// What else a listener serves has a separate section, and only where it is served.
    #[test]
    fn routes_beside_the_dialect_are_described_where_they_are_served() {
        const ONE: RouteBeside = RouteBeside {
            method: "PUT",
            path: "/beside/{id}",
            summary: "Do something else",
            query: &[("wait", "How long to be patient")],
            body: &[("number_keyed", "What was keyed in")],
        };
        let beside = RoutesBeside { tag: "Something else", about: "It is not the dialect.", routes: vec![ONE] };
        let document = document(ROUTES, Some(&beside));
        let described = &document["paths"][ONE.path]["put"];
        assert_eq!((&described["summary"], &described["tags"][0]), (&json!(ONE.summary), &json!(beside.tag)));
        assert_eq!(described["parameters"][1]["name"], "wait");
        let page = |beside| page::render(OPERATIONS, |operation| scopes(ROUTES, operation), beside);
        for part in [ONE.path, ONE.summary, "number_keyed", "How long to be patient", beside.tag, beside.about] {
            assert!(page(Some(&beside)).contains(part), "{part}");
            assert!(!page(None).contains(part), "{part}");
        }
    }

    #[test]
    fn every_name_in_the_document_is_one() {
        let document = document(ROUTES, None);
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
        let mut ids: Vec<String> = OPERATIONS.iter().map(operation_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), OPERATIONS.len());
        for operation in OPERATIONS {
            assert!(!operation.summary.is_empty() && !operation.tag.is_empty());
        }
    }

    /// What keeps a value from having this schema: of the parts of JSON Schema that the document uses.
    fn differs(document: &Value, schema: &Value, value: &Value) -> Option<String> {
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.trim_start_matches('#');
            let Some(schema) = document.pointer(pointer) else { return Some(format!("{name} does not exist")) };
            return differs(document, schema, value);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            if let Some(why) = differs(document, part, value) {
                return Some(why);
            }
        }
        assert!(schema["oneOf"].is_null(), "nothing here tells that exactly one part fits: {schema}");
        if let Some(parts) = schema["anyOf"].as_array() {
            let why: Vec<_> = parts.iter().map(|part| differs(document, part, value)).collect();
            if why.iter().all(Option::is_some) {
                return Some(format!("{why:?}"));
            }
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) => {
                if number.is_f64() {
                    "number"
                } else {
                    "integer"
                }
            }
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let is_of_type = match &schema["type"] {
            Value::String(one) => one == kind,
            Value::Array(types) => types.iter().any(|one| one == kind),
            _ => true,
        };
        if !is_of_type {
            return Some(format!("{value} is not {}", schema["type"]));
        }
        match value {
            Value::Array(items) => items.iter().find_map(|item| differs(document, &schema["items"], item)),
            Value::Object(members) => {
                let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                if let Some(missing) = required.find(|name| !members.contains_key(*name)) {
                    return Some(format!("{missing} is missing"));
                }
                members.iter().find_map(|(name, value)| {
                    differs(document, &schema["properties"][name], value).map(|why| format!("{name}: {why}"))
                })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }

    #[test]
    fn every_example_has_the_schema_of_its_answer() {
        let document = document(ROUTES, None);
        let mut examples = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                for (status, answer) in operation["responses"].as_object().unwrap() {
                    let content = &answer["content"]["application/json"];
                    for example in content["examples"].as_object().into_iter().flat_map(Map::values) {
                        let why = differs(&document, &content["schema"], &example["value"]);
                        assert_eq!(why, None, "{method} {path} {status}: {example}");
                        examples += 1;
                    }
                }
            }
        }
        assert!(examples > 60, "{examples} examples");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(document: &Value, value: &Value) {
            if let Some(name) = value["$ref"].as_str() {
                assert!(document.pointer(name.trim_start_matches('#')).is_some(), "{name}");
            }
            match value {
                Value::Object(members) => members.values().for_each(|value| walk(document, value)),
                Value::Array(items) => items.iter().for_each(|value| walk(document, value)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = document(ROUTES, None);
        walk(&document, &document);
    }

    #[test]
    fn a_value_that_differs_is_found() {
        let document = document(ROUTES, None);
        let token = schemas::of("Token");
        let mut value = examples::of(&OPERATIONS[0]).remove(0).body;
        assert_eq!(differs(&document, &token, &value), None);
        value["expires_in"] = "x".into();
        assert!(differs(&document, &token, &value).is_some());
        value.as_object_mut().unwrap().remove("expires_in");
        assert!(differs(&document, &token, &value).is_some());
    }
}

//! The AsyncAPI document of the socket, generated from the types of its frames.

use std::sync::{Arc, LazyLock};

use axum::{
    extract::State,
    http::{HeaderName, header},
};
use bytes::Bytes;
use kith_protocol::{ClientFrame, ServerFrame};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::{App, auth::Guest};

/// The document, in the form of AsyncAPI 3.0: one channel, one message for each kind of frame.
pub fn asyncapi() -> Value {
    let client = messages("client", ClientFrame::schema());
    let server = messages("server", ServerFrame::schema());
    let mut schemas = Vec::new();
    ClientFrame::schemas(&mut schemas);
    ServerFrame::schemas(&mut schemas);
    let schemas: Map<String, Value> = schemas.into_iter().map(|(name, schema)| (name, json_of(schema))).collect();
    let on_channel = |names: &Map<String, Value>| -> Vec<Value> {
        names.keys().map(|name| json!({ "$ref": format!("#/channels/socket/messages/{name}") })).collect()
    };
    let by_reference: Map<String, Value> = client
        .keys()
        .chain(server.keys())
        .map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") })))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kith",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The socket of a Kith messenger server: one JSON object a text frame, its kind in `t`.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": "/v1/socket",
                "description": "A WebSocket (RFC 6455). The first frame must be `hello`.",
                "messages": by_reference,
            },
        },
        "operations": {
            "fromClient": {
                "action": "receive",
                "channel": { "$ref": "#/channels/socket" },
                "messages": on_channel(&client),
            },
            "toClient": {
                "action": "send",
                "channel": { "$ref": "#/channels/socket" },
                "messages": on_channel(&server),
            },
        },
        "components": {
            "messages": client.into_iter().chain(server).collect::<Map<_, _>>(),
            "schemas": schemas,
        },
    })
}

/// One message for each variant of an enum of frames, by the name that its `t` gives it.
fn messages(from: &str, frames: impl serde::Serialize) -> Map<String, Value> {
    let mut frames = json_of(frames);
    let variants = serde_json::from_value::<Vec<Value>>(frames["oneOf"].take()).unwrap_or_default();
    let named = variants.into_iter().filter_map(|payload| {
        let kind = kind_of(&payload)?.to_owned();
        let summary = payload["description"].clone();
        Some((format!("{from}_{kind}"), json!({ "name": kind, "summary": summary, "payload": payload })))
    });
    named.collect()
}

/// The only value that `t` may have.
fn kind_of(schema: &Value) -> Option<&str> {
    let own = &schema["properties"]["t"];
    let value = own["const"].as_str().or(own["enum"][0].as_str());
    value.or_else(|| schema["allOf"].as_array()?.iter().find_map(kind_of))
}

fn json_of(schema: impl serde::Serialize) -> Value {
    serde_json::to_value(schema).expect("a schema has a JSON form")
}

/// `GET /v1/asyncapi.json`
pub async fn document(State(_): State<Arc<App>>, _: Guest) -> ([(HeaderName, &'static str); 2], Bytes) {
    static TEXT: LazyLock<Bytes> =
        LazyLock::new(|| serde_json::to_vec(&asyncapi()).expect("the document has a JSON form").into());
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")], TEXT.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_every_frame_and_every_reference_leads_somewhere() {
        let document = asyncapi();
        let messages = document["components"]["messages"].as_object().unwrap();
        assert_eq!(messages.len(), ClientFrame::KINDS.len() + ServerFrame::KINDS.len());
        for kind in ClientFrame::KINDS {
            assert!(messages.contains_key(&format!("client_{kind}")), "{kind}");
        }
        for kind in ServerFrame::KINDS {
            assert!(messages.contains_key(&format!("server_{kind}")), "{kind}");
        }
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
        }
    }
}

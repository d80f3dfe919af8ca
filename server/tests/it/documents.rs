//! The prose of docs/protocol.md and the documents that the server generates name the same routes, frames and codes.

use std::collections::BTreeSet;

use kith_client::Method;
use kith_protocol::{Code, problem::CloseCode};
use serde_json::Value;

use crate::world::World;

const PROSE: &str = include_str!("../../../docs/protocol.md");

/// The first cells of the table that follows the line that begins so.
fn table_after(line: &str) -> BTreeSet<String> {
    let rest = PROSE.split_once(&format!("\n{line}")).unwrap_or_else(|| panic!("no line begins with {line:?}")).1;
    let rows = rest.lines().skip_while(|line| !line.starts_with("| `")).take_while(|line| line.starts_with("| `"));
    rows.filter_map(|row| row.split('`').nth(1)).map(str::to_owned).collect()
}

async fn document(path: &str) -> Value {
    let world = World::start().await;
    let none: &[(&str, &str)] = &[];
    let answer = world.guest().request(Method::GET, path, none, Vec::new()).await.expect("the document");
    serde_json::from_slice(&answer.body).expect("a JSON document")
}

#[tokio::test]
async fn the_routes_are_those_of_the_openapi_document() {
    let document = document("/v1/openapi.json").await;
    let mut served = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            served.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    assert_eq!(table_after("## 2. REST"), served);
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let document = document("/v1/openapi.json").await;
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for operation in item.as_object().expect("methods").values() {
            let name =
                operation["operationId"].as_str().unwrap_or_else(|| panic!("an operation of {path} has no name"));
            assert!(names.insert(name.to_owned()), "{name} is the name of two operations");
        }
    }
}

#[tokio::test]
async fn the_frames_are_those_of_the_asyncapi_document() {
    let document = document("/v1/asyncapi.json").await;
    let messages = document["components"]["messages"].as_object().expect("messages");
    for (from, line) in [("client_", "From the client:"), ("server_", "From the server:")] {
        let served: BTreeSet<_> =
            messages.keys().filter_map(|name| name.strip_prefix(from)).map(str::to_owned).collect();
        assert_eq!(table_after(line), served, "{line}");
    }
}

#[test]
fn the_codes_are_those_of_the_types() {
    let codes: BTreeSet<_> = Code::ALL.iter().map(|code| format!("`{}` | {}", code.name(), code.status())).collect();
    for code in codes {
        assert!(PROSE.contains(&format!("| {code} |")), "docs/protocol.md has no row of {code}");
    }
    for code in CloseCode::ALL {
        assert!(PROSE.contains(&format!("| {} |", code as u16)), "docs/protocol.md has no row of {}", code as u16);
    }
}

//! The OpenAPI document, generated from the routes and the types that they use.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};

use axum::{
    extract::State,
    http::{HeaderName, header},
};
use bytes::Bytes;
use kith_protocol::{Code, Problem};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        Content, HttpMethod, OpenApi as Document, Ref, RefOr, Required, ResponseBuilder, Schema,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{
    App, auth::Guest, conversations, devices, info, invites, media, messages, polls, presence, reports, search,
    sessions, uploads, users,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Kith", description = "The REST API of a Kith messenger server.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    paths(
        info::info,
        info::gateway,
        users::sign_up,
        users::search,
        users::profile,
        users::change,
        users::erase,
        users::blocked,
        users::block,
        users::unblock,
        sessions::sign_in,
        sessions::sign_out,
        sessions::change_password,
        devices::list,
        devices::revoke,
        devices::subscribe,
        devices::unsubscribe,
        invites::create,
        reports::create,
        conversations::list,
        conversations::personalize,
        conversations::requests,
        conversations::answer,
        conversations::create,
        conversations::info,
        conversations::change,
        conversations::participants,
        conversations::add,
        conversations::change_role,
        conversations::remove,
        conversations::channels,
        messages::send,
        messages::page,
        messages::log,
        messages::one,
        messages::edit,
        messages::delete,
        messages::react,
        messages::unreact,
        messages::read,
        messages::read_receipts,
        messages::mentions,
        search::find,
        polls::create,
        polls::fetch,
        polls::commands,
        polls::end,
        presence::of,
        media::send,
        media::bytes,
        media::thumbnail,
        media::url,
        uploads::options,
        uploads::create,
        uploads::info,
        uploads::head,
        uploads::append,
        uploads::terminate,
        uploads::instead,
    ),
    components(schemas(Problem)),
    security(("bearer" = [])),
    modifiers(&Common),
)]
struct Api;

/// Routes that take bytes, or none.
const BYTES_IF_ANY: [&str; 2] = ["uploads_create", "uploads_instead"];

/// The parts that every route has, so that none has to say them.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of a device, from sign-up or sign-in."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let without_required = components.schemas.iter().filter(|(_, schema)| !has_required(schema));
        let optional: HashSet<String> =
            without_required.map(|(name, _)| Ref::from_schema_name(name).ref_location).collect();
        for (path, item) in &mut document.paths.paths {
            let operations = [
                &mut item.get,
                &mut item.put,
                &mut item.post,
                &mut item.delete,
                &mut item.patch,
                &mut item.head,
                &mut item.options,
            ];
            for operation in operations.into_iter().flatten() {
                complete(path, operation, &optional);
            }
        }
    }
}

/// Returns true for the schema of an object with a field that must be there.
fn has_required(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if !object.required.is_empty())
}

/// Adds the problems that a route may answer because of what it takes. An empty body is an empty object, so that one of an
/// `optional` schema need not be there.
fn complete(path: &str, operation: &mut Operation, optional: &HashSet<String>) {
    // Names of functions repeat from one group to the next, those of operations must not.
    if let (Some(id), Some([group, ..])) = (&operation.operation_id, operation.tags.as_deref()) {
        operation.operation_id = Some(format!("{group}_{id}"));
    }
    let guarded = operation.security.is_none();
    let has_body = operation.request_body.is_some();
    let has_input = has_body || operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    let mut codes = vec![Code::RateLimited, Code::Internal, Code::Unavailable];
    if guarded {
        codes.push(Code::Unauthenticated);
    }
    if has_input {
        codes.push(Code::InvalidRequest);
    }
    if has_body {
        codes.extend([Code::TooLarge, Code::UnsupportedMediaType]);
    }
    if path.contains('{') {
        codes.push(Code::NotFound);
    }
    for code in codes {
        let response = ResponseBuilder::new().description(code.title());
        let status = code.status().to_string();
        operation.responses.responses.entry(status).or_insert_with(|| RefOr::T(response.build()));
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if status.starts_with(['4', '5']) {
            let problem = Content::new(Some(Ref::from_schema_name(Problem::name())));
            response.content = [("application/problem+json".to_owned(), RefOr::T(problem))].into();
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        let lacks = body.content.values().any(|content| {
            let schema = match content {
                RefOr::T(content) => &content.schema,
                RefOr::Ref(_) => &None,
            };
            matches!(schema, Some(RefOr::Ref(schema)) if optional.contains(&schema.ref_location))
        });
        let may_lack = operation.operation_id.as_deref().is_some_and(|id| BYTES_IF_ANY.contains(&id));
        body.required = Some(if lacks || may_lack { Required::False } else { Required::True });
    }
}

/// The document.
pub fn openapi() -> Document {
    Api::openapi()
}

/// The method and path of every documented route.
pub fn documented() -> Vec<(HttpMethod, String)> {
    let mut routes = Vec::new();
    for (path, item) in openapi().paths.paths {
        let methods = [
            (HttpMethod::Get, item.get.is_some()),
            (HttpMethod::Put, item.put.is_some()),
            (HttpMethod::Post, item.post.is_some()),
            (HttpMethod::Patch, item.patch.is_some()),
            (HttpMethod::Head, item.head.is_some()),
            (HttpMethod::Options, item.options.is_some()),
            (HttpMethod::Delete, item.delete.is_some()),
        ];
        routes.extend(methods.into_iter().filter(|(_, there)| *there).map(|(method, _)| (method, path.clone())));
    }
    routes
}

/// `GET /v1/openapi.json`
pub async fn document(State(_): State<Arc<App>>, _: Guest) -> ([(HeaderName, &'static str); 2], Bytes) {
    static TEXT: LazyLock<Bytes> =
        LazyLock::new(|| serde_json::to_vec(&openapi()).expect("the document has a JSON form").into());
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")], TEXT.clone())
}

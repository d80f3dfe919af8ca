//! The web client, as it was built into this program; without one, a page that says how to chat.

use std::{borrow::Cow, sync::Arc};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use kith_protocol::Code;
use rust_embed::{Embed, EmbeddedFile};

use super::{Answer, App, auth::Guest, page};
use crate::Error;

/// Everything from here, nothing from elsewhere, and no code in the page itself.
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types kith";
/// The name of a file under `assets` has the hash of its content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The files that `script/web` has built, each beside a copy that is compressed with Brotli.
#[derive(Embed)]
#[folder = "../web/dist/client"]
#[allow_missing = true]
struct Client;

/// `GET /`
pub async fn start(app: State<Arc<App>>, guest: Guest, headers: HeaderMap) -> Response {
    match answer("index.html", &headers) {
        Some(answer) => answer,
        None => page::start(app, guest).await.into_response(),
    }
}

/// `GET /icon.svg`, `/manifest.webmanifest` and `/sw.js`: the files whose names are for ever.
pub async fn file(uri: Uri, headers: HeaderMap) -> Answer<Response> {
    answer(uri.path().trim_start_matches('/'), &headers).ok_or(Error::new(Code::NotFound))
}

/// `GET /assets/{file}`
pub async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Answer<Response> {
    answer(&format!("assets/{file}"), &headers).ok_or(Error::new(Code::NotFound))
}

/// A file of the client, if there is such a one: compressed for who reads that, or that it is still the same.
fn answer(name: &str, asked: &HeaderMap) -> Option<Response> {
    let content_type = content_type(name)?;
    let has = |field: HeaderName, token: &str| {
        let value = asked.get(field).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|part| part.split(';').next().is_some_and(|part| part.trim() == token))
    };
    let compressed = has(header::ACCEPT_ENCODING, "br").then(|| Client::get(&format!("{name}.br"))).flatten();
    let encoding = compressed.is_some().then_some((header::CONTENT_ENCODING, "br"));
    let EmbeddedFile { data, metadata } = compressed.or_else(|| Client::get(name))?;
    let tag: String = metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let caching = if name.starts_with("assets/") { FOR_EVER } else { ASK_AGAIN };
    let mut headers = HeaderMap::new();
    let fixed = [
        (header::CACHE_CONTROL, caching),
        (header::VARY, "accept-encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_TYPE, content_type),
        // Of the worker too: its requests are bound by the policy of its own file.
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    headers.extend(fixed.into_iter().chain(encoding).map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.insert(header::ETAG, HeaderValue::try_from(&tag).ok()?);
    if has(header::IF_NONE_MATCH, &tag) {
        return Some((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Some(match data {
        Cow::Borrowed(data) => (headers, data).into_response(),
        Cow::Owned(data) => (headers, data).into_response(),
    })
}

/// By what a file is; none for what is not served.
fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

//! The REST door: every route is on this page.
//!
//! A request passes [`exchange`] (its name, the problem documents, the headers that every answer has), then its route.
//! What a route needs it takes as an argument: who asks ([`auth`]), the parts of the request ([`extract`]); what it
//! answers, or the [`crate::Error`] it fails with, is turned into HTTP in one place.
//!
//! Invariant: nothing here names `store` or `bus`.

mod app;
mod asyncapi;
pub mod auth;
mod conversations;
mod devices;
pub mod exchange;
pub mod extract;
mod idempotency;
mod in_flight;
mod info;
mod invites;
mod media;
mod messages;
pub mod openapi;
mod page;
mod polls;
mod presence;
mod problem;
mod reports;
mod search;
mod sending;
mod sessions;
mod tus;
mod uploads;
mod users;
mod web;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, delete, get, patch, post, put},
};
use kith_protocol::Code;
use tower_http::catch_panic::CatchPanicLayer;

use crate::Error;

/// The answer of a route, or the reason why there is none.
pub type Answer<T> = Result<T, Error>;

pub use self::app::App;

/// All routes; `socket` answers that of the socket, which is another door's.
pub fn router(app: Arc<App>, socket: MethodRouter<Arc<App>>) -> Router {
    // Each of these is given up after `limits::HTTP_REQUEST_S`; what waits for longer on purpose is added after them.
    let timed = Router::new()
        .route("/", get(web::start))
        .route("/icon.svg", get(web::file))
        .route("/manifest.webmanifest", get(web::file))
        .route("/sw.js", get(web::file))
        .route("/assets/{file}", get(web::asset))
        .route("/.well-known/kith", get(info::info))
        .route("/v1/info", get(info::info))
        .route("/v1/gateway", get(info::gateway))
        .route("/v1/openapi.json", get(openapi::document))
        .route("/v1/asyncapi.json", get(asyncapi::document))
        .route("/v1/users", post(users::sign_up).get(users::search))
        .route("/v1/users/{user}", get(users::profile).put(users::change).delete(users::erase))
        .route("/v1/users/me/password", put(sessions::change_password))
        .route("/v1/users/me/devices", get(devices::list))
        .route("/v1/users/me/devices/{device}", delete(devices::revoke))
        .route("/v1/users/me/devices/{device}/push", put(devices::subscribe).delete(devices::unsubscribe))
        .route("/v1/users/me/blocked", get(users::blocked))
        .route("/v1/users/me/blocked/{user}", put(users::block).delete(users::unblock))
        .route("/v1/sessions", post(sessions::sign_in))
        .route("/v1/sessions/current", delete(sessions::sign_out))
        .route("/v1/invites", post(invites::create))
        .route("/v1/reports", post(reports::create))
        .route("/v1/users/me/mentions", get(messages::mentions))
        .route("/v1/users/{user}/presence", get(presence::of))
        .route("/v1/users/{user}/conversations", get(conversations::list))
        .route("/v1/users/me/conversations/{conversation}", put(conversations::personalize))
        .route("/v1/users/me/requests", get(conversations::requests))
        .route("/v1/users/me/requests/{conversation}", put(conversations::answer))
        .route("/v1/channels", get(conversations::channels))
        .route("/v1/conversations", post(conversations::create))
        .route("/v1/conversations/{conversation}", get(conversations::info).patch(conversations::change))
        .route(
            "/v1/conversations/{conversation}/participants",
            get(conversations::participants).post(conversations::add),
        )
        .route(
            "/v1/conversations/{conversation}/participants/{user}",
            patch(conversations::change_role).delete(conversations::remove),
        )
        .route("/v1/conversations/{conversation}/messages", get(messages::page).post(messages::send))
        .route("/v1/conversations/{conversation}/log", get(messages::log))
        .route("/v1/messages/{message}", get(messages::one).patch(messages::edit).delete(messages::delete))
        .route("/v1/messages/{message}/reactions/{emoji}", put(messages::react).delete(messages::unreact))
        .route("/v1/messages/{message}/read_receipts", get(messages::read_receipts).post(messages::read))
        .route("/v1/search", get(search::find))
        .route("/v1/polls", post(polls::create))
        .route("/v1/polls/{poll}/commands", post(polls::commands))
        .layer(from_fn(exchange::timed));
    let uploads = Router::new()
        .route("/v1/uploads", post(uploads::create).options(uploads::options))
        .route("/v1/uploads/{upload}", uploads::of_one().post(uploads::instead))
        .layer(from_fn(tus::in_tus));
    timed
        .merge(uploads)
        .route("/v1/media", post(media::send))
        .route("/v1/media/{media}", get(media::bytes))
        .route("/v1/media/{media}/thumbnail", get(media::thumbnail))
        .route("/v1/media/{media}/url", get(media::url))
        .route("/v1/polls/{poll}", get(polls::fetch).delete(polls::end))
        .route("/v1/socket", socket)
        .fallback(async || Error::new(Code::NotFound))
        .method_not_allowed_fallback(async || Error::new(Code::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(exchange::panicked))
        .layer(from_fn_with_state(app.clone(), exchange::finish))
        .with_state(app)
}

//! Invites.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use kith_protocol::{Code, Problem, Timestamp, rest::Invite};
use serde::Deserialize;

use super::{
    Answer, App,
    auth::Actor,
    idempotency::{Key, Once},
};
use crate::Error;

/// The body of a request that says nothing.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

/// Makes an invite, with which one person can sign up.
#[utoipa::path(post, path = "/v1/invites", tag = "users",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request in its repetitions")),
    responses(
        (status = 201, body = Invite),
        (status = 403, body = Problem, description = "registration_closed"),
        (status = 422, body = Problem, description = "idempotency_mismatch"),
    ),
)]
pub async fn create(State(app): State<Arc<App>>, actor: Actor, once: Once<Nothing>) -> Answer<Response> {
    let make = async |_: Nothing, key: Option<&Key>| {
        let invite = app.node.accounts.invite(Some(actor.user)).await?;
        Ok((StatusCode::CREATED, name(&invite, actor, key)?))
    };
    let show = async |name: String, key: Option<&Key>| read(&name, actor, key);
    once.answer(&app, actor.user, make, show).await
}

/// The remembered form of an invite: its code is kept nowhere readable, so it is sealed with the request's key.
fn name(invite: &Invite, actor: Actor, key: Option<&Key>) -> Answer<String> {
    let bits = bits(&invite.code)?;
    let sealed = key.map_or(bits, |key| key.seal(actor.user, bits));
    Ok(format!("{}.{}", invite.expires_at.millis(), BASE64_URL_SAFE_NO_PAD.encode(sealed)))
}

fn read(name: &str, actor: Actor, key: Option<&Key>) -> Answer<Invite> {
    let (millis, sealed) = name.split_once('.').ok_or(Error::new(Code::Internal))?;
    let sealed = bits(sealed)?;
    let bits = key.map_or(sealed, |key| key.seal(actor.user, sealed));
    let expires_at = Timestamp::from_millis(millis.parse().map_err(|_| Error::new(Code::Internal))?);
    Ok(Invite { code: BASE64_URL_SAFE_NO_PAD.encode(bits), expires_at })
}

fn bits(code: &str) -> Answer<[u8; 16]> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(code).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(Error::new(Code::Internal))
}

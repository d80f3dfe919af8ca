//! The actor of a request.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use kith_protocol::Code;

use super::{App, exchange::Exchange};
pub use crate::account::Actor;
use crate::{Error, rates::Checked};

/// A signed-in device that sends a message: its request counts among the user's sends instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The sender.
    pub actor: Actor,
    /// The refusal of a message that is one too many. One that was taken before is answered all the same.
    pub refused: Option<Error>,
}

/// A signed-in device that asks for a page: room for it is taken before it is made, from what may wait for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader(pub Actor);

/// A signed-in device that brings its user's password. Its request counts among its sign-ins.
#[derive(Debug, Clone, Copy)]
pub struct Proving(pub Actor);

/// A signed-in device whose user looks for people. Its request counts among these.
#[derive(Debug, Clone, Copy)]
pub struct Seeker;

/// Anybody. Their request counts among those of their address.
#[derive(Debug, Clone, Copy)]
pub struct Guest;

/// A signed-in device. Its request counts among the user's requests.
impl FromRequestParts<Arc<App>> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let actor = authenticate(parts, app).await?;
        admit(parts, app.node.rates.request(actor.user))?;
        Ok(actor)
    }
}

impl FromRequestParts<Arc<App>> for Sender {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let actor = authenticate(parts, app).await?;
        let refused = admit(parts, app.node.rates.sending(actor.user)).err();
        Ok(Self { actor, refused })
    }
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let actor = Actor::from_request_parts(parts, app).await?;
        reserve(parts, app, actor)?;
        Ok(Self(actor))
    }
}

impl FromRequestParts<Arc<App>> for Proving {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let actor = authenticate(parts, app).await?;
        admit(parts, app.node.rates.proof(actor.device))?;
        Ok(Self(actor))
    }
}

impl FromRequestParts<Arc<App>> for Seeker {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let actor = authenticate(parts, app).await?;
        admit(parts, app.node.rates.search_for_people(actor.user))?;
        reserve(parts, app, actor)?;
        Ok(Self)
    }
}

impl FromRequestParts<Arc<App>> for Guest {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        admit_guest(parts, app).map(|()| Self)
    }
}

/// Takes room for the page that a device asks for.
fn reserve(parts: &Parts, app: &App, actor: Actor) -> Result<(), Error> {
    let charge = app.node.roster.budget.reserve(&app.node.roster.allowance(actor.user))?;
    if let Some(exchange) = parts.extensions.get::<Exchange>() {
        exchange.keep(charge);
    }
    Ok(())
}

async fn authenticate(parts: &Parts, app: &App) -> Result<Actor, Error> {
    let found = match bearer(parts) {
        Some(token) => app.node.accounts.authenticate(token).await,
        None => Err(Error::new(Code::Unauthenticated)),
    };
    if let (Ok(actor), Some(exchange)) = (&found, parts.extensions.get::<Exchange>()) {
        exchange.note_user(actor.user);
    }
    if found.is_err() {
        // Who has no good token counts as their address, so that guessing is slow.
        admit_guest(parts, app)?;
    }
    found
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
pub(super) fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn admit_guest(parts: &Parts, app: &App) -> Result<(), Error> {
    match parts.extensions.get::<Exchange>().and_then(|exchange| exchange.client.networks()) {
        Some(from) => admit(parts, app.node.rates.guest(&from)),
        None => Ok(()),
    }
}

/// Notes where the client stands, and refuses where it has asked too often.
pub(super) fn admit(parts: &Parts, checked: Checked) -> Result<(), Error> {
    if let Some(exchange) = parts.extensions.get::<Exchange>() {
        exchange.note(checked.standing);
    }
    checked.result()
}

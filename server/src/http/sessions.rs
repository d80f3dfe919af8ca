//! Sessions: signing in and out, and the password that does it.

use std::sync::Arc;

use axum::{
    Json as Answered,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use kith_protocol::{
    Problem,
    rest::{ChangePassword, NewSession, SignedIn},
};
use serde::de::DeserializeOwned;

use super::{
    Answer, App,
    auth::{Actor, admit},
    exchange::Exchange,
    extract::Json,
};

/// Reads the body of a sign-up or sign-in, and counts it against the limits of the address and of the name.
pub(super) async fn admitted<T: DeserializeOwned>(
    app: &App,
    request: Request,
    name: impl FnOnce(&T) -> &str,
) -> Answer<T> {
    let (parts, body) = request.into_parts();
    let counted = parts.clone();
    let Json(new) = Json::<T>::from_request(Request::from_parts(parts, body), &()).await?;
    let address = counted.extensions.get::<Exchange>().and_then(|exchange| exchange.client.key());
    admit(&counted, app.rates.sign_in(address, name(&new)))?;
    Ok(new)
}

/// Signs a device in.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", security(()), request_body = NewSession, responses(
    (status = 201, body = SignedIn),
    (status = 401, body = Problem, description = "wrong_password"),
))]
pub async fn sign_in(State(app): State<Arc<App>>, request: Request) -> Answer<(StatusCode, Answered<SignedIn>)> {
    let new: NewSession = admitted(&app, request, |new: &NewSession| &new.username).await?;
    Ok((StatusCode::CREATED, Answered(app.accounts.sign_in(new).await?)))
}

/// Signs this device out: its token stops working, its socket closes.
#[utoipa::path(delete, path = "/v1/sessions/current", tag = "sessions", responses((status = 204)))]
pub async fn sign_out(State(app): State<Arc<App>>, actor: Actor) -> Answer<StatusCode> {
    app.accounts.revoke(actor.user, actor.device).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes one's password. All other devices are signed out.
#[utoipa::path(put, path = "/v1/users/me/password", tag = "sessions", request_body = ChangePassword,
    responses((status = 204)),
)]
pub async fn change_password(
    State(app): State<Arc<App>>,
    actor: Actor,
    Json(change): Json<ChangePassword>,
) -> Answer<StatusCode> {
    app.accounts.change_password(actor, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Sessions: signing in and out, and the password that does it.

use std::sync::Arc;

use axum::{
    Json as Answered,
    extract::{FromRequest, Request, State},
    http::{StatusCode, request::Parts},
};
use kith_protocol::{
    Code, Problem,
    rest::{ChangePassword, NewSession, SignedIn},
};
use serde::de::DeserializeOwned;

use super::{
    Answer, App,
    auth::{Actor, Proving, admit},
    exchange::Exchange,
    extract::Json,
};
use crate::{account::Turn, network::Networks, rates::SignIn};

/// The body of a sign-up or sign-in, and what else it takes to count it.
pub(super) struct Asked<T> {
    parts: Parts,
    from: Option<Networks>,
    body: T,
}

impl<T: DeserializeOwned> Asked<T> {
    pub(super) async fn read(request: Request) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        let counted = parts.clone();
        let Json(body) = Json::<T>::from_request(Request::from_parts(parts, body), &()).await?;
        let from = counted.extensions.get::<Exchange>().and_then(|exchange| exchange.client.networks());
        Ok(Self { parts: counted, from, body })
    }

    /// Counts it as of somebody unknown who gives this name; says in which queue it waits.
    pub(super) fn admitted(self, app: &App, name: impl FnOnce(&T) -> &str) -> Answer<(T, Turn)> {
        let SignIn { checked, slowed } = app.node.rates.sign_in(self.from.as_ref(), name(&self.body));
        admit(&self.parts, checked)?;
        let turn = if slowed { Turn::Slowed(self.from) } else { Turn::Unknown(self.from) };
        Ok((self.body, turn))
    }
}

/// Signs a device in.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", security(()), request_body = NewSession, responses(
    (status = 201, body = SignedIn),
    (status = 401, body = Problem, description = "wrong_password"),
    (status = 403, body = Problem, description = "suspended, password_expired"),
))]
pub async fn sign_in(State(app): State<Arc<App>>, request: Request) -> Answer<(StatusCode, Answered<SignedIn>)> {
    let asked = Asked::<NewSession>::read(request).await?;
    let (name, from) = (app.node.rates.hash_of_name(&asked.body.username), asked.from);
    let secret = asked.body.device_secret.as_deref();
    // Whoever is known has a bucket of their own, and takes from no other: nobody else can empty it.
    let (new, turn) = match app.node.accounts.known_device(&asked.body.username, secret).await? {
        Some(device) => {
            admit(&asked.parts, app.node.rates.known(&device))?;
            (asked.body, Turn::Known(device.user))
        }
        None => asked.admitted(&app, |new| &new.username)?,
    };
    let signed_in = app.node.accounts.sign_in(new, turn).await;
    if signed_in.as_ref().is_err_and(|error| error.code == Code::WrongPassword) {
        failed(&app, from, name);
    }
    Ok((StatusCode::CREATED, Answered(signed_in?)))
}

/// Logs a failed sign-in, as often as may be. Neither the name nor the password is in it.
fn failed(app: &App, from: Option<Networks>, name: u64) {
    metrics::counter!("kith_sign_ins_failed_total").increment(1);
    if app.node.rates.logs_failure() {
        let address = from.map_or_else(|| "local".to_owned(), |from| from.address.to_string());
        tracing::info!(address, name = format!("{name:016x}"), "a sign-in failed");
    }
}

/// Signs this device out: its token stops working, its socket closes.
#[utoipa::path(delete, path = "/v1/sessions/current", tag = "sessions", responses((status = 204)))]
pub async fn sign_out(State(app): State<Arc<App>>, actor: Actor) -> Answer<StatusCode> {
    app.node.accounts.revoke(actor, actor.device).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes one's password. All other devices are signed out.
#[utoipa::path(put, path = "/v1/users/me/password", tag = "sessions", request_body = ChangePassword,
    responses((status = 204)),
)]
pub async fn change_password(
    State(app): State<Arc<App>>,
    Proving(actor): Proving,
    Json(change): Json<ChangePassword>,
) -> Answer<StatusCode> {
    app.node.accounts.change_password(actor, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! One's own devices.

use std::sync::Arc;

use axum::{Json as Answered, extract::State, http::StatusCode};
use kith_protocol::{
    DeviceId, Problem,
    push::PushSubscription,
    rest::{Device, Page},
};

use super::{
    Answer, App,
    auth::Actor,
    extract::{Json, Path},
};

/// One's devices, in the order in which they signed in. All are on one page.
#[utoipa::path(get, path = "/v1/users/me/devices", tag = "devices", responses((status = 200, body = Page<Device>)))]
pub async fn list(State(app): State<Arc<App>>, actor: Actor) -> Answer<Answered<Page<Device>>> {
    let items = app.node.accounts.devices(actor).await?;
    Ok(Answered(Page { items, next_cursor: None }))
}

/// Signs a device out: its token stops working, its socket closes.
#[utoipa::path(delete, path = "/v1/users/me/devices/{device}", tag = "devices", params(("device" = DeviceId, Path)),
    responses((status = 204), (status = 404, body = Problem)),
)]
pub async fn revoke(State(app): State<Arc<App>>, actor: Actor, Path(device): Path<DeviceId>) -> Answer<StatusCode> {
    app.node.accounts.revoke(actor, device).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a device woken while it is not connected, instead of where it was woken before.
#[utoipa::path(put, path = "/v1/users/me/devices/{device}/push", tag = "devices", params(("device" = DeviceId, Path)),
    request_body = PushSubscription, responses((status = 204), (status = 404, body = Problem)),
)]
pub async fn subscribe(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(device): Path<DeviceId>,
    Json(subscription): Json<PushSubscription>,
) -> Answer<StatusCode> {
    app.node.push.subscriptions.set(actor.user, device, &subscription).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a device woken no longer.
#[utoipa::path(delete, path = "/v1/users/me/devices/{device}/push", tag = "devices", params(("device" = DeviceId, Path)),
    responses((status = 204), (status = 404, body = Problem)),
)]
pub async fn unsubscribe(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(device): Path<DeviceId>,
) -> Answer<StatusCode> {
    app.node.push.subscriptions.unset(actor.user, device).await?;
    Ok(StatusCode::NO_CONTENT)
}

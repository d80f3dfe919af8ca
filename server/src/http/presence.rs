//! Presence and last seen.

use std::sync::Arc;

use axum::{Json as Answered, extract::State};
use kith_protocol::{Code, Problem, rest::PresenceInfo};

use super::{
    Answer, App,
    auth::Actor,
    extract::{Path, Who},
};

/// Tells if a user is there, as far as the caller may know.
#[utoipa::path(get, path = "/v1/users/{user}/presence", tag = "users",
    params(("user" = String, Path, description = "A user's id, or `me`")),
    responses((status = 200, body = PresenceInfo), (status = 404, body = Problem)),
)]
pub async fn of(State(app): State<Arc<App>>, actor: Actor, Path(who): Path<Who>) -> Answer<Answered<PresenceInfo>> {
    let user = who.user(actor.user);
    if !app.node.accounts.card(user).await?.exists {
        return Err(Code::NotFound.into());
    }
    Ok(Answered(app.node.presence.of(actor.user, user).await?))
}

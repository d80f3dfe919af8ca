//! Users: sign-up, search, profiles, blocks, erasure.

use std::sync::Arc;

use axum::{
    Json as Answered,
    extract::{Request, State},
    http::StatusCode,
};
use kith_protocol::{
    Code, Problem, UserId,
    rest::{ChangeProfile, DeleteUser, NewUser, Page, Profile, SignedIn},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Answer, App,
    auth::{Actor, Proving, Seeker},
    conversations::Paging,
    extract::{Json, Path, Query, Who, page_items},
    sessions,
};
use crate::Error;

/// Makes an account and signs its first device in.
#[utoipa::path(post, path = "/v1/users", tag = "users", security(()), request_body = NewUser, responses(
    (status = 201, body = SignedIn),
    (status = 403, body = Problem, description = "registration_closed"),
    (status = 409, body = Problem, description = "username_taken"),
    (status = 507, body = Problem, description = "storage_full"),
))]
pub async fn sign_up(State(app): State<Arc<App>>, request: Request) -> Answer<(StatusCode, Answered<SignedIn>)> {
    let asked = sessions::Asked::<NewUser>::read(request).await?;
    let (new, turn) = asked.admitted(&app, |new| &new.username)?;
    app.node.media.room.for_texts()?;
    Ok((StatusCode::CREATED, Answered(app.node.accounts.sign_up(new, turn).await?)))
}

/// The users to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// The beginning of the username; 2 characters at least.
    #[param(min_length = 2)]
    username: String,
    /// Items at most, and 20 in any case.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// The first people whose username begins so, by name.
#[utoipa::path(get, path = "/v1/users", tag = "users", params(Search), responses((status = 200, body = Page<Profile>)))]
pub async fn search(
    State(app): State<Arc<App>>,
    _seeker: Seeker,
    Query(query): Query<Search>,
) -> Answer<Answered<Page<Profile>>> {
    let limit = page_items(query.limit)?;
    Ok(Answered(app.node.accounts.search(&query.username, limit).await?))
}

/// A profile.
#[utoipa::path(get, path = "/v1/users/{user}", tag = "users",
    params(("user" = String, Path, description = "A user's id, or `me`")),
    responses((status = 200, body = Profile), (status = 404, body = Problem)),
)]
pub async fn profile(State(app): State<Arc<App>>, actor: Actor, Path(who): Path<Who>) -> Answer<Answered<Profile>> {
    Ok(Answered(app.node.accounts.profile(actor.user, who.user(actor.user)).await?))
}

/// Changes one's own profile. Absent fields stay as they are.
#[utoipa::path(put, path = "/v1/users/{user}", tag = "users", request_body = ChangeProfile,
    params(("user" = String, Path, description = "One's own id, or `me`")),
    responses((status = 200, body = Profile), (status = 404, body = Problem)),
)]
pub async fn change(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(who): Path<Who>,
    Json(change): Json<ChangeProfile>,
) -> Answer<Answered<Profile>> {
    let user = oneself(actor, who)?;
    Ok(Answered(app.node.accounts.change_profile(user, change).await?))
}

/// Erases one's account.
#[utoipa::path(delete, path = "/v1/users/{user}", tag = "users", request_body = DeleteUser,
    params(("user" = String, Path, description = "One's own id, or `me`")),
    responses((status = 202), (status = 404, body = Problem)),
)]
pub async fn erase(
    State(app): State<Arc<App>>,
    Proving(actor): Proving,
    Path(who): Path<Who>,
    Json(sure): Json<DeleteUser>,
) -> Answer<StatusCode> {
    let user = oneself(actor, who)?;
    app.node.accounts.prove(user, sure.password).await?;
    // On its own, so that it goes on when the one who asked hangs up.
    let erased = tokio::spawn(async move { app.node.erase(user, Some(actor.device)).await });
    erased.await.map_err(|_| Error::new(Code::Internal))??;
    Ok(StatusCode::ACCEPTED)
}

/// Lists the people whom one blocks.
#[utoipa::path(get, path = "/v1/users/me/blocked", tag = "users", params(Paging),
    responses((status = 200, body = Page<Profile>)),
)]
pub async fn blocked(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(paging): Query<Paging>,
) -> Answer<Answered<Page<Profile>>> {
    let limit = page_items(paging.limit)?;
    let after = paging.cursor.map(|cursor| cursor.parse());
    let after = after.transpose().map_err(|_| Error::field("?cursor", "not a cursor of this list"))?;
    Ok(Answered(app.node.accounts.blocked(actor.user, after, limit).await?))
}

/// Blocks a user.
#[utoipa::path(put, path = "/v1/users/me/blocked/{user}", tag = "users", params(("user" = UserId, Path)),
    responses((status = 204), (status = 404, body = Problem)),
)]
pub async fn block(State(app): State<Arc<App>>, actor: Actor, Path(other): Path<UserId>) -> Answer<StatusCode> {
    app.node.accounts.block(actor.user, other).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Blocks a user no longer.
#[utoipa::path(delete, path = "/v1/users/me/blocked/{user}", tag = "users", params(("user" = UserId, Path)),
    responses((status = 204), (status = 404, body = Problem)),
)]
pub async fn unblock(State(app): State<Arc<App>>, actor: Actor, Path(other): Path<UserId>) -> Answer<StatusCode> {
    app.node.accounts.unblock(actor.user, other).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Only oneself; whether another is there is nobody's business here.
fn oneself(actor: Actor, who: Who) -> Answer<UserId> {
    let user = who.user(actor.user);
    if user == actor.user { Ok(user) } else { Err(Error::new(Code::NotFound)) }
}

//! Reports to the operator.

use std::sync::Arc;

use axum::{Json as Answered, extract::State, http::StatusCode};
use kith_protocol::{
    Problem,
    rest::{NewReport, ReportMade},
};

use super::{Answer, App, auth::Actor, extract::Json};

/// Tells the operator of a user, a conversation, or messages as the caller sees them now.
#[utoipa::path(post, path = "/v1/reports", tag = "reports", request_body = NewReport,
    responses(
        (status = 201, body = ReportMade),
        (status = 400, body = Problem, description = "invalid_request, also where it names what the caller may not see"),
        (status = 429, body = Problem, description = "rate_limited"),
    ),
)]
pub async fn create(
    State(app): State<Arc<App>>,
    actor: Actor,
    Json(new): Json<NewReport>,
) -> Answer<(StatusCode, Answered<ReportMade>)> {
    Ok((StatusCode::CREATED, Answered(app.node.reports.make(actor.user, new).await?)))
}

//! `/healthz`, `/readyz`, `/metrics`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{node::Node, store::Store};

/// Seconds within which the store has to say that it is ready.
const READY_S: u64 = 2;

/// The routes of the operator's address.
pub fn router(store: Arc<dyn Store>, node: Arc<Node>, metrics: PrometheusHandle) -> Router {
    let rendered =
        move || async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()) };
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(move || ready(store.clone(), node.clone())))
        .route("/metrics", get(rendered))
}

/// Answers 200 where a message would be taken now, also while media are not, and says what is refused and why. After a crash
/// not before every conversation that was awake has been recovered, though those that are asked for are served.
async fn ready(store: Arc<dyn Store>, node: Arc<Node>) -> Response {
    if let Some((done, total)) = node.conversations.recovering() {
        let why = format!("recovering: {done} of {total} conversations\n");
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    }
    let room = &node.media.room;
    let stored = tokio::time::timeout(Duration::from_secs(READY_S), store.ready()).await;
    let why = match (stored, room.lacks_for_texts()) {
        (Ok(Ok(())), None) => {
            let media = room.lacks_for_media().map_or_else(String::new, |why| format!("{why}\n"));
            return format!("ok\n{media}").into_response();
        }
        (Ok(Err(error)), _) => error.to_string(),
        (Err(_), _) => format!("the store did not answer within {READY_S} s"),
        (Ok(Ok(())), Some(why)) => why,
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
}

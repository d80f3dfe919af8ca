//! `/healthz`, `/readyz`, `/metrics`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::store::Store;

/// How long the store may take to say that it is ready.
const READY_S: u64 = 2;

/// The routes of the operator's address.
pub fn router(store: Arc<dyn Store>, metrics: PrometheusHandle) -> Router {
    let rendered =
        move || async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()) };
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(move || ready(store.clone())))
        .route("/metrics", get(rendered))
}

/// Whether a message would be taken now.
async fn ready(store: Arc<dyn Store>) -> Response {
    let why = match tokio::time::timeout(Duration::from_secs(READY_S), store.ready()).await {
        Ok(Ok(())) => return "ok\n".into_response(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the store did not answer within {READY_S} s"),
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
}

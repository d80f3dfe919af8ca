//! The description of the server, and the address of its socket.

use std::sync::Arc;

use axum::{
    Json as Answered,
    extract::State,
    http::{HeaderMap, header},
};
use kith_protocol::{
    push::PushInfo,
    rest::{Gateway, Info, Registration},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answer, App, auth::Guest, extract::Query};
use crate::{account::InvitesBy, config::Config};

/// Describes this server and its limits.
#[utoipa::path(get, path = "/v1/info", tag = "server", security(()), responses((status = 200, body = Info)))]
pub async fn info(State(app): State<Arc<App>>, _: Guest) -> Answer<Answered<Info>> {
    Ok(Answered(Info {
        name: app.node.config.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: 1,
        registration: app.node.config.registration,
        heartbeat_ms: app.node.config.heartbeat_ms,
        features: features(&app.node.config),
        push: app.node.push.key().map(|vapid_key| PushInfo { vapid_key }),
        instance: Some(app.node.instance().await?),
        limits: app.node.config.stated_limits(),
    }))
}

/// `invites`: whoever is signed in may invite, and an invite is of use.
fn features(config: &Config) -> Vec<String> {
    let invites = config.registration == Registration::Invite && config.invites_by == InvitesBy::Everyone;
    invites.then(|| "invites".to_owned()).into_iter().collect()
}

/// The place of the client.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Near {
    /// The region that the client prefers. A server of one node has one answer for all.
    #[serde(rename = "region")]
    _region: Option<String>,
}

/// The socket to connect to now.
#[utoipa::path(get, path = "/v1/gateway", tag = "server", security(()), params(Near),
    responses((status = 200, body = Gateway)),
)]
pub async fn gateway(
    State(app): State<Arc<App>>,
    _: Guest,
    headers: HeaderMap,
    _near: Query<Near>,
) -> Answer<Answered<Gateway>> {
    let url = format!("{}/v1/socket", base(&app, &headers));
    Ok(Answered(Gateway { url, node: app.node.config.node.clone(), region: app.node.config.region.clone() }))
}

/// The server's address as a socket's: the configured one, or the one that was asked for.
fn base(app: &App, headers: &HeaderMap) -> String {
    if let Some(url) = &app.node.config.public_url {
        // http becomes ws, https wss.
        return format!("ws{}", url.trim_start_matches("http").trim_end_matches('/'));
    }
    let scheme = if app.node.config.tls.certificate.is_some() { "wss" } else { "ws" };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".:-[]_".contains(&byte);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| !host.is_empty() && host.bytes().all(allowed)).map(str::to_owned);
    format!("{scheme}://{}", host.unwrap_or_else(|| app.node.config.listen.to_string()))
}

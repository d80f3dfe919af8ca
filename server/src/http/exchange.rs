//! The common parts of every request and every answer.

use std::{any::Any, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::HttpBody,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kith_protocol::{Code, UserId};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    App,
    problem::{self, Failed},
    sending, tus,
};
use crate::{
    Error, clock,
    delivery::budget::Charge,
    limits,
    network::Client,
    places::{Asking, Full, Visit},
    rates::Standing,
};

/// One request on its way: what its answer's headers will say. Rides on the request.
#[derive(Clone)]
pub struct Exchange {
    /// The client at the other end.
    pub client: Client,
    noted: Arc<Mutex<Noted>>,
}

/// The facts of a request that become known while it is answered.
#[derive(Default)]
struct Noted {
    standing: Option<Standing>,
    /// The user who asks, if signed in.
    user: Option<UserId>,
    /// The charge that is reserved for the answer.
    charge: Option<Charge>,
}

impl Exchange {
    /// Notes where the client stands with a limit, for the answer's headers.
    pub fn note(&self, standing: Standing) {
        self.noted.lock().standing = Some(standing);
    }

    /// Notes who asks.
    pub fn note_user(&self, user: UserId) {
        self.noted.lock().user = Some(user);
    }

    /// Keeps what was reserved for the answer until that is there.
    pub fn keep(&self, charge: Charge) {
        self.noted.lock().charge = Some(charge);
    }

    /// Counts a request that no limit has counted yet against its address: one of no route, of a file, or of nobody.
    ///
    /// # Errors
    /// `rate_limited`, when it is one too many.
    fn count_as_guest(&self, app: &App) -> Result<(), Error> {
        let counted = self.noted.lock().standing.is_some();
        let Some(from) = self.client.networks().filter(|_| !counted) else { return Ok(()) };
        let checked = app.node.rates.guest(&from);
        self.note(checked.standing);
        checked.result()
    }
}

/// The outermost layer: names the request, writes problem documents, sets the headers that every answer has, logs.
pub async fn finish(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let request_id = clock::uuid().simple().to_string();
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let client = Client::of(peer, request.headers(), &app.node.config.trusted_proxies);
    let exchange = Exchange { client, noted: Arc::default() };
    request.extensions_mut().insert(exchange.clone());

    let asking = ask(&request, client);
    let mut answer = match &asking {
        Ok(_) => next.run(request).await,
        Err(refused) => refused.clone().into_response(),
    };
    if let Err(refused) = exchange.count_as_guest(&app) {
        answer = refused.into_response();
    }
    if let Some(Failed(error)) = answer.extensions_mut().remove::<Failed>() {
        let before = answer.headers().clone();
        answer = problem::document(error, &request_id);
        for name in [header::ALLOW, header::CONTENT_RANGE, tus::TUS_RESUMABLE, tus::TUS_VERSION] {
            if let Some(value) = before.get(&name) {
                answer.headers_mut().insert(name, value.clone());
            }
        }
    }
    let status = answer.status().as_u16();
    let headers = answer.headers_mut();
    let mut noted = std::mem::take(&mut *exchange.noted.lock());
    if let Some(standing) = noted.standing.take() {
        write_standing(headers, standing);
    }
    set_default(headers, header::CACHE_CONTROL, "no-store");
    set_default(headers, header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    set_default(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set_default(headers, header::REFERRER_POLICY, "no-referrer");
    let name = HeaderValue::from_str(&request_id).expect("hexadecimal digits may stand in a header");
    headers.insert(HeaderName::from_static("x-request-id"), name);

    // The route's pattern, never the path: that may hold what somebody searched for.
    let route = route.as_deref().unwrap_or("none");
    let took = began.elapsed();
    let labels = [("route", route.to_owned()), ("method", method.to_owned()), ("status", status.to_string())];
    metrics::counter!("kith_http_requests_total", &labels).increment(1);
    metrics::histogram!("kith_http_request_seconds").record(took.as_secs_f64());
    let (ms, bytes) = (took.as_millis() as u64, answer.body().size_hint().exact());
    if status >= 500 {
        tracing::warn!(%request_id, method, route, status, ms, bytes, "request");
    } else {
        tracing::debug!(%request_id, method, route, status, ms, bytes, "request");
    }
    if matches!(status, 429 | 503) {
        // Who asks again at once, whatever `Retry-After` says, would have all the CPU in refusals.
        tokio::time::sleep(Duration::from_millis(limits::REFUSED_PAUSE_MS)).await;
    }
    sending::until_sent(&app, answer, asking.ok().flatten(), noted.user, noted.charge)
}

/// Has the connection be at work for a client; none where the request came by no connection.
fn ask(request: &Request, client: Client) -> Result<Option<Asking>, Error> {
    let visit = request.extensions().get::<Arc<Visit>>();
    visit.map(|visit| visit.ask(client)).transpose().map_err(|full: Full| {
        full.count();
        let after = Duration::from_secs(limits::HELLO_S);
        Error::new(Code::RateLimited).because("This address has as many connections as it may have.").after(after)
    })
}

/// Names a method for the log and for metrics: labels come from fixed sets, because each is kept for as long as the
/// process lives, and a client may make up any method.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Tells in headers where the client stands with a limit.
fn write_standing(headers: &mut HeaderMap, standing: Standing) {
    let Standing { bucket, limit, remaining, reset_after } = standing;
    let seconds = reset_after.as_millis().div_ceil(1000) as u64;
    headers.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(limit));
    headers.insert(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(remaining));
    headers.insert(HeaderName::from_static("x-ratelimit-reset-after"), HeaderValue::from(seconds));
    headers.insert(HeaderName::from_static("x-ratelimit-bucket"), HeaderValue::from_static(bucket));
}

fn set_default(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

/// Gives a request up that takes too long.
pub async fn timed(request: Request, next: Next) -> Response {
    match tokio::time::timeout(Duration::from_secs(limits::HTTP_REQUEST_S), next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => Error::new(Code::Unavailable).because("The request took too long.").into_response(),
    }
}

/// The answer where the code failed; what it said is for the log.
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("of no text"), "a request panicked");
    Error::new(Code::Internal).into_response()
}

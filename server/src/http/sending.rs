//! The body of an answer until it is sent.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use kith_protocol::UserId;

use super::App;
use crate::{delivery::budget::Charge, limits, places::Asking};

/// A body on its way.
struct Sending {
    body: Body,
    /// The rest that is not taken yet; a piece that is taken is charged by itself, until it is written.
    charge: Option<Charge>,
    /// The request, where its answer comes piece by piece.
    _asking: Option<Asking>,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, charge, .. } = self.get_mut();
        let frame = ready!(Pin::new(body).poll_frame(cx));
        let charged = |data: Bytes| match charge {
            Some(charge) => charge.part(data.len()).around(data),
            None => data,
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(charged))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Charges an answer to the user who asked for it until it is written, and has the request last as long where it comes piece
/// by piece; `reserved` was taken for it before it was made. What guests get is short, or in memory anyway.
pub(super) fn until_sent(
    app: &App,
    answer: Response,
    asking: Option<Asking>,
    user: Option<UserId>,
    reserved: Option<Charge>,
) -> Response {
    let exact = answer.body().size_hint().exact();
    if exact.is_some_and(|bytes| bytes < limits::WAITING_STEP_BYTES as u64) {
        return answer;
    }
    let new = |user| Charge::new(app.node.roster.budget.clone(), Some(app.node.roster.allowance(user)), 0);
    let mut charge = reserved.or_else(|| user.map(new));
    if let Some(charge) = &mut charge {
        charge.resize(exact.unwrap_or(0) as usize);
        charge.on(asking.as_ref().map(|asking| asking.visit().clone()));
    }
    let asking = asking.filter(|_| exact.is_none());
    answer.map(|body| Body::new(Sending { body, charge, _asking: asking }))
}

//! The body of an answer until it is sent.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use crate::socket::places::Asking;

/// A body that comes piece by piece, with the request that asked for it.
struct Sending {
    body: Body,
    _asking: Asking,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Has the request last until its answer is sent, where that comes piece by piece; else it ends here.
pub(super) fn until_sent(answer: Response, asking: Option<Asking>) -> Response {
    match asking {
        Some(asking) if answer.body().size_hint().exact().is_none() => {
            answer.map(|body| Body::new(Sending { body, _asking: asking }))
        }
        _ => answer,
    }
}

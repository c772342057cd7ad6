//! One request from its head to its answer: gate, service, and the judgement of its body.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as HttpBody;
use hyper::body::Incoming;
use tower_service::Service;

use super::answer::Answer;
use super::body::BodyState;
use super::gate::{self, Facts};
use super::wire::{Open, Wire};
use super::{Body, BoxError, Exchange, Http, Refusal};

impl<S, B> Http<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    B: HttpBody,
{
    /// Answers one request. What goes wrong is an answer as well.
    pub(super) async fn answer(
        self,
        wire: Arc<Wire>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer<B>>, Infallible> {
        // Of a HEAD, hyper leaves the body out over HTTP/1.1 only; over HTTP/2 a client breaks the stream off for it.
        let head = request.method() == Method::HEAD && request.version() == Version::HTTP_2;
        let response = self.respond(wire, request).await;
        Ok(if head { head_alone(response) } else { response })
    }

    async fn respond(self, wire: Arc<Wire>, request: Request<Incoming>) -> Response<Answer<B>> {
        let (number, open) = wire.begin();
        let version = request.version();
        let ceiling = self.settings.body_ceiling.max(wire.limits.body_bytes);
        if let Err(refusal) = self.admit(&wire, number, ceiling, &request) {
            return self.refuse(&wire, refusal, version, open);
        }
        let body = match request.body().is_end_stream() {
            true => None,
            false => Some(Arc::new(BodyState::new(number, wire.limits.body_bytes))),
        };
        let (mut head, incoming) = request.into_parts();
        head.extensions.insert(Exchange { wire: Arc::clone(&wire), body: body.clone(), ceiling });
        let request = Request::from_parts(head, Body::new(incoming, body.clone(), Arc::clone(&wire)));
        let answered = call(self.service.clone(), request).await;
        // A body that broke is the cause, whatever became of the handler; and no handler can confirm what it half read.
        // It may say the same in its own words.
        let broken = body.as_deref().and_then(BodyState::error);
        let mut response = match (broken, answered) {
            (Some(error), Ok(response)) if response.status() == error.status() => {
                log(&wire, error.refusal());
                let response = close(&wire, version, response);
                return response.map(|answer| Answer::service(answer, None, open));
            }
            (Some(error), _) => return self.refuse(&wire, error.refusal(), version, open),
            (None, Err(refusal)) => return self.refuse(&wire, refusal, version, open),
            (None, Ok(response)) => response,
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            wire.upgrade();
        } else if version != Version::HTTP_2 {
            let abandoned = body.as_deref().is_some_and(BodyState::is_abandoned);
            if abandoned {
                wire.linger();
            }
            if abandoned || wire.is_used_up() || wire.shutdown.is_draining() {
                response.headers_mut().insert(header::CONNECTION, CLOSE);
            }
        }
        response.map(|answer| Answer::service(answer, body, open))
    }

    fn admit(
        &self,
        wire: &Wire,
        number: u64,
        ceiling: u64,
        request: &Request<Incoming>,
    ) -> Result<(), Refusal> {
        let facts = Facts { fields: wire.limits.head_fields, broken: wire.broken(number) };
        let host = gate::check(request, facts)?;
        if !(self.settings.allow_host)(host) {
            return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, "a host that is not ours"));
        }
        match request.body().size_hint().exact() {
            Some(announced) if announced > ceiling && !self.settings.leave_announced => {
                Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "announced body is above the limit"))
            }
            _ => Ok(()),
        }
    }

    fn refuse(&self, wire: &Wire, refusal: Refusal, version: Version, open: Open) -> Response<Answer<B>> {
        log(wire, refusal);
        let response = close(wire, version, (self.settings.render)(refusal));
        response.map(|bytes| Answer::server(bytes, open))
    }
}

fn log(wire: &Wire, refusal: Refusal) {
    let (status, reason) = (refusal.status().as_u16(), refusal.reason());
    tracing::info!(peer = %wire.peer.address, status, reason, "request refused");
}

/// Ends the connection with this answer, where it carries no others.
fn close<T>(wire: &Wire, version: Version, mut response: Response<T>) -> Response<T> {
    if version != Version::HTTP_2 {
        wire.linger();
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    response
}

/// Keeps the head of an answer, and the length that its body would have had.
fn head_alone<B: HttpBody>(mut response: Response<Answer<B>>) -> Response<Answer<B>> {
    let length = response.body().length().exact().filter(|length| *length > 0);
    if let (Some(length), false) = (length, response.headers().contains_key(header::CONTENT_LENGTH)) {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    response.map(Answer::without_body)
}

/// Calls the service; a panic in it ends this request and nothing else.
async fn call<S, B>(mut service: S, request: Request<Body>) -> Result<Response<B>, Refusal>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    let calling = async move {
        poll_fn(|cx| service.poll_ready(cx)).await?;
        service.call(request).await
    };
    let mut calling = pin!(calling);
    let answered = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| calling.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Some),
        // The panic hook has written where and why.
        Err(_) => Poll::Ready(None),
    });
    match answered.await {
        Some(Ok(response)) => Ok(response),
        Some(Err(error)) => {
            let error: BoxError = error.into();
            tracing::error!(error = %error, "the service failed");
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the service failed"))
        }
        None => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the service panicked")),
    }
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");

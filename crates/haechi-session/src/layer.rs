//! A `tower` layer that gives each request its session and saves it afterwards.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use haechi_core::{ClientIp, RequestContext};
use http::header::{RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Client, Sessions};

/// Puts a [`Session`](crate::Session) into the extensions of each request and saves it with the response.
#[derive(Clone, Debug)]
pub struct SessionLayer {
    sessions: Sessions,
}

impl SessionLayer {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService { inner, sessions: self.sessions.clone() }
    }
}

/// The service that [`SessionLayer`] makes.
#[derive(Clone)]
pub struct SessionService<S> {
    inner: S,
    sessions: Sessions,
}

impl<S, B, R> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let client = client(&request);
        let session = self.sessions.open(request.headers(), client);
        request.extensions_mut().insert(session.clone());
        // The clone that was polled ready is the one to call.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            let mut response = inner.call(request).await?;
            let status = response.status();
            let mut headers = HeaderMap::new();
            if let Err(error) = session.close(status, &mut headers).await {
                tracing::error!(%error, "session not saved");
                return Ok(unavailable());
            }
            // `Cache-Control` replaces what the handler wrote; `Vary` and `Set-Cookie` are added to it.
            if let Some(no_store) = headers.remove(http::header::CACHE_CONTROL) {
                response.headers_mut().insert(http::header::CACHE_CONTROL, no_store);
            }
            for (name, value) in &headers {
                response.headers_mut().append(name, value.clone());
            }
            Ok(response)
        })
    }
}

impl<S> fmt::Debug for SessionService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// Returns where a request comes from, for the page that lists a user's devices.
#[must_use]
pub fn client<B>(request: &Request<B>) -> Client {
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let extensions = request.extensions();
    let context = extensions.get::<RequestContext>().map(RequestContext::client);
    let network =
        context.or_else(|| extensions.get::<ClientIp>().copied()).map(|ip| ip.network().to_string());
    let end = agent.char_indices().nth(LONGEST_AGENT).map_or(agent.len(), |(end, _)| end);
    Client { browser: agent[..end].to_owned(), network: network.unwrap_or_default() }
}

/// The most of a browser's name that is kept, in characters.
const LONGEST_AGENT: usize = 200;

fn unavailable<R: Default>() -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

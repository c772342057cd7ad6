//! All guards and all headers in one pass around the application.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    ClientIp, Clock, Denial, DenialFormat, Guard, Head, HostName, RequestContext, RequestId, Scheme, Seal,
};

/// Says who sends a request, by what scheme and to which host. The application gives one, since only it knows its sockets and its proxies.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// Returns the peer of the socket and its scheme, which can be told of every request.
    fn socket(&self, parts: &Parts) -> (ClientIp, Scheme);

    /// Returns what the client itself used, and takes out of `parts` the fields that only a named proxy may send.
    ///
    /// # Errors
    ///
    /// A [`Denial`] when a named proxy sends what cannot be read.
    fn resolve(&self, socket: (ClientIp, Scheme), parts: &mut Parts) -> Result<Resolved, Denial>;
}

/// What [`Resolve`] found out.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Who sends the request.
    pub client: ClientIp,
    /// The scheme the client used.
    pub scheme: Scheme,
    /// The host the client called; `None` when it is missing, doubled, contradicts itself or is malformed.
    pub host: Option<HostName>,
}

/// Runs a list of guards before the application and seals every answer with the security headers.
///
/// One layer instead of one for each guard: twelve layers cost more than the router they protect. Put it outermost; what is outside of it is
/// neither guarded nor sealed.
///
/// # Security
///
/// Refuses whatever a guard refuses, and a request without a readable host even when no guard asks for one. A panic of the
/// application has to be caught inside of it, so that its answer is sealed too.
#[derive(Debug, Clone)]
pub struct GuardLayer {
    shared: Arc<Shared>,
    page: Option<Page>,
}

/// Writes the page of a refusal, in place of the plain one.
#[derive(Clone)]
struct Page(Arc<WritePage>);

type WritePage = dyn Fn(&Denial, &HeaderMap, RequestId) -> Option<Bytes> + Send + Sync;

#[derive(Debug)]
struct Shared {
    resolve: Box<dyn Resolve>,
    clock: Arc<dyn Clock>,
    guards: Vec<Box<dyn Guard>>,
    seal: Seal,
    /// Beginnings of paths whose rest is not logged.
    unlogged: Vec<&'static str>,
}

/// Returns as much of a path as a log may hold: what stands behind one of the beginnings of `unlogged` is left out.
///
/// # Security
/// A link that signs in or sets a password carries its token in the path; who reads the log must not be able to use it.
#[must_use]
pub fn logged_path<'a>(path: &'a str, unlogged: &[&str]) -> &'a str {
    let begins = unlogged.iter().find(|begin| path.starts_with(**begin));
    begins.and_then(|begin| path.get(..begin.len())).unwrap_or(path)
}

impl GuardLayer {
    /// Makes the layer; guards run in the order of the list and the first refusal ends the request.
    #[must_use]
    pub fn new(
        resolve: impl Resolve + 'static,
        clock: Arc<dyn Clock>,
        guards: Vec<Box<dyn Guard>>,
        seal: Seal,
    ) -> Self {
        Self::unlogged(resolve, clock, guards, seal, Vec::new())
    }

    /// Makes the layer; of a path that begins with one of `unlogged`, refusals log no more than that.
    #[must_use]
    pub fn unlogged(
        resolve: impl Resolve + 'static,
        clock: Arc<dyn Clock>,
        guards: Vec<Box<dyn Guard>>,
        seal: Seal,
        unlogged: Vec<&'static str>,
    ) -> Self {
        let resolve = Box::new(resolve);
        Self { shared: Arc::new(Shared { resolve, clock, guards, seal, unlogged }), page: None }
    }

    /// Lets the application write the page that a person sees of a guard's refusal, such as in their language; for `None` the
    /// plain page stays. It is asked only where HTML is wanted, and its answer is sealed as every other.
    ///
    /// # Security
    ///
    /// Whoever floods the site is refused with it: it has to cost less than what it refuses.
    #[must_use]
    pub fn page(
        mut self,
        page: impl Fn(&Denial, &HeaderMap, RequestId) -> Option<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.page = Some(Page(Arc::new(page)));
        self
    }

    /// Iterates over the names of the guards, in their order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.shared.guards.iter().map(|guard| guard.name())
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService { shared: Arc::clone(&self.shared), page: self.page.clone(), inner }
    }
}

/// The service that [`GuardLayer`] makes.
#[derive(Debug, Clone)]
pub struct GuardService<S> {
    shared: Arc<Shared>,
    page: Option<Page>,
    inner: S,
}

impl<S> GuardService<S> {
    /// Iterates over the names of the guards, in their order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.shared.guards.iter().map(|guard| guard.name())
    }
}

impl<S, B, R> Service<Request<B>> for GuardService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Guarded<S::Future, R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match self.shared.admit(&mut parts) {
            Ok(context) => {
                parts.extensions.insert(context.clone());
                let answer = self.inner.call(Request::from_parts(parts, body));
                Guarded { state: State::Admitted { answer, context, shared: Arc::clone(&self.shared) } }
            }
            Err(refused) => {
                let response = self.shared.refuse(&parts, &refused, self.page.as_ref());
                Guarded { state: State::Refused { response: Some(response) } }
            }
        }
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Page")
    }
}

/// A refusal with what is known of the request it refuses.
#[derive(Debug)]
struct Refused {
    id: RequestId,
    client: ClientIp,
    scheme: Scheme,
    denial: Denial,
}

impl Shared {
    fn admit(&self, parts: &mut Parts) -> Result<RequestContext, Refused> {
        let id = RequestId::generate();
        let started = self.clock.now();
        let (client, scheme) = self.resolve.socket(parts);
        let Resolved { client, scheme, host } = self
            .resolve
            .resolve((client, scheme), parts)
            .map_err(|denial| Refused { id, client, scheme, denial })?;
        let head = Head {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
            client,
            scheme,
            host: host.as_ref(),
            now: started,
        };
        for guard in &self.guards {
            guard.check(&head).map_err(|denial| Refused { id, client, scheme, denial })?;
        }
        // Fail closed where the list has no host guard: no handler may build a link from a host that could not be read.
        let host = host.ok_or_else(|| Refused {
            id,
            client,
            scheme,
            denial: Denial::new(StatusCode::BAD_REQUEST, "host", "unreadable").close(),
        })?;
        Ok(RequestContext::new(id, client, scheme, host, started))
    }

    fn refuse<R: From<Bytes>>(&self, parts: &Parts, refused: &Refused, page: Option<&Page>) -> Response<R> {
        let Refused { id, client, scheme, denial } = refused;
        tracing::warn!(
            target: "haechi::denial",
            status = denial.status().as_u16(),
            guard = denial.guard(),
            reason = denial.reason(),
            detail = denial.logged_detail(),
            client = %client,
            method = %parts.method,
            // `Uri` holds no control characters, and `path` leaves out the query, where people put secrets.
            path = logged_path(parts.uri.path(), &self.unlogged),
            request = %id,
            "request refused"
        );
        let format = DenialFormat::of(&parts.headers);
        let mut response = denial.response(format, parts.version, *id);
        let page = page.filter(|_| format == DenialFormat::Html);
        if let Some(html) = page.and_then(|Page(write)| write(denial, &parts.headers, *id)) {
            *response.body_mut() = R::from(html);
        }
        self.seal.cover(&mut response, *scheme, *id);
        response
    }
}

pin_project! {
    /// The answer of a [`GuardService`].
    #[derive(Debug)]
    pub struct Guarded<F, R> {
        #[pin]
        state: State<F, R>,
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F, R> {
        Admitted { #[pin] answer: F, context: RequestContext, shared: Arc<Shared> },
        Refused { response: Option<Response<R>> },
    }
}

impl<F, R, E> Future for Guarded<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Admitted { answer, context, shared } => {
                let mut response = ready!(answer.poll(task)?);
                shared.seal.close(&mut response, context);
                Poll::Ready(Ok(response))
            }
            StateProjection::Refused { response } => {
                Poll::Ready(Ok(response.take().expect("a future is not polled after it is ready")))
            }
        }
    }
}

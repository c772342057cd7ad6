//! The way of a request, top to bottom. This list is the defence: what stands here covers every route.
//!
//! ```text
//! guards      proxy → host → rate → origin → csrf, then headers sealed on every answer (haechi-core, haechi-guard)
//! Pass        log → deadline → panic
//! reports     what browsers say of the content security policy ends here
//! files       what stands below /static/ is answered, the same for everybody
//! session     opened lazily, saved once
//! form token  for every request of a kind that a form sends
//! router      policy of the route → extractors → handler
//! answer      views rendered, refusals and failures given their page
//! ```

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use haechi_core::{
    ClientIp, ClientIpSource, Denial, DenialFormat, Guard, GuardLayer, GuardService, Head, RequestContext,
    Resolve, Resolved, Scheme, logged_path,
};
use haechi_guard::{Csp, Csrf, Headers, Host, Proxies, Rate, TokenRequirement};
use haechi_server::http::Exchange;
use haechi_server::{Learnt, PeerAddress};
use http::request::Parts;
use http::{HeaderName, Request, StatusCode};
use tower_layer::Layer;
use tower_service::Service;
use tracing::Instrument;

use crate::csp_report::CspReports;
use crate::csrf::FormSecret;
use crate::error::{Failure, Result};
use crate::framing::Framing;
use crate::site::Site;
use crate::{Auth, Error, csp_report, csrf, refusal_page, render, static_files, template_failure};

/// The whole stack around the application's router: what the server calls.
pub(crate) type Stack = GuardService<Pass>;

/// What the guards need to know, read from the configuration.
pub(crate) struct Rules {
    pub(crate) proxies: Proxies,
    pub(crate) host: Host,
    pub(crate) origin: Framing,
    pub(crate) csrf: Csrf,
    pub(crate) csp: Csp,
}

/// Puts the stack around a router.
pub(crate) fn stack(site: Site, rules: Rules, router: Router) -> Stack {
    let seal = Headers::default().seal(&rules.csp);
    let clock = Arc::clone(site.clock());
    let guards = guards(&site, rules.host, rules.origin, rules.csrf);
    let unlogged = site.inner.accounts.unlogged();
    let sockets = Sockets { proxies: rules.proxies };
    let layer = GuardLayer::unlogged(sockets, clock, guards, seal, unlogged.clone());
    let refused = site.clone();
    let layer = layer.page(move |denial, headers, id| refusal_page::of_guard(&refused, denial, headers, id));
    layer.layer(Pass { site, router, unlogged: unlogged.into(), csp_reports: Arc::new(CspReports::new()) })
}

/// The guards, in the order in which they are asked.
fn guards(site: &Site, host: Host, origin: Framing, csrf: Csrf) -> Vec<Box<dyn Guard>> {
    let limits = &site.config().limits;
    vec![
        Box::new(host),
        Box::new(Rate::per_network(limits.requests_per_minute, Duration::from_secs(60))),
        Box::new(origin),
        Box::new(ExemptedCsrf { csrf, site: site.clone() }),
        // Behind the others, so that a stranger who is refused anyway learns no limit.
        Box::new(site.inner.body_limits.clone()),
    ]
}

/// The CSRF guard, off for the few paths that said so in `danger`.
#[derive(Debug)]
struct ExemptedCsrf {
    csrf: Csrf,
    site: Site,
}

impl Guard for ExemptedCsrf {
    fn name(&self) -> &'static str {
        self.csrf.name()
    }

    fn check(&self, head: &Head<'_>) -> std::result::Result<(), Denial> {
        if self.site.inner.csrf_exempt.covers(head.uri.path()) {
            return Ok(());
        }
        match self.site.inner.neighbour {
            Some(_) => csrf::shared_requirement(&self.csrf, head).map(drop),
            None => self.csrf.check(head),
        }
    }
}

/// What the socket, and the proxies named in the configuration, say of the client.
#[derive(Debug)]
struct Sockets {
    proxies: Proxies,
}

impl Resolve for Sockets {
    fn socket(&self, parts: &Parts) -> (ClientIp, Scheme) {
        let Some(exchange) = parts.extensions.get::<Exchange>() else {
            // Not from our server: a test, or another server. It is nobody's peer, so no proxy is believed.
            return (ClientIp::unix_socket(), Scheme::Http);
        };
        let peer = exchange.peer();
        let source = match peer.learnt {
            Learnt::Socket => ClientIpSource::Socket,
            _ => ClientIpSource::ProxyProtocol,
        };
        let client = match &peer.address {
            PeerAddress::Ip(address) => ClientIp::new(address.ip(), source),
            _ => ClientIp::unix_socket(),
        };
        (client, if peer.tls.is_some() { Scheme::Https } else { Scheme::Http })
    }

    fn resolve(
        &self,
        socket: (ClientIp, Scheme),
        parts: &mut Parts,
    ) -> std::result::Result<Resolved, Denial> {
        self.proxies.resolve(socket, parts)
    }
}

/// The one service between the guards and the router.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    site: Site,
    router: Router,
    /// Beginnings of paths behind which a token stands, which is not logged.
    unlogged: Arc<[&'static str]>,
    csp_reports: Arc<CspReports>,
}

impl<B> Service<Request<B>> for Pass
where
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, std::result::Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::result::Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let pass = self.clone();
        let request = request.map(Body::new);
        let span = tracing::info_span!("request", id = tracing::field::Empty);
        let context = request.extensions().get::<RequestContext>().cloned();
        Box::pin(
            async move {
                let Some(context) = context else {
                    // Only a guard layer makes a context: without it nothing has been checked.
                    return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response_alone());
                };
                tracing::Span::current().record("id", context.id().as_str());
                Ok(pass.logged(request, context).await)
            }
            .instrument(span),
        )
    }
}

/// A bare status, where not even a page can be made.
trait Alone {
    fn into_response_alone(self) -> Response;
}

impl Alone for StatusCode {
    fn into_response_alone(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self;
        response
    }
}

impl Pass {
    async fn logged(self, request: Request<Body>, context: RequestContext) -> Response {
        let started = Instant::now();
        let method = request.method().clone();
        let path = logged_path(request.uri().path(), &self.unlogged).to_owned();
        let version = request.version();
        let format = DenialFormat::of(request.headers());
        let language = request.headers().get(http::header::ACCEPT_LANGUAGE).cloned();
        let site = self.site.clone();
        let deadline = self.site.config().limits.request;
        let answer = AssertUnwindSafe(self.answer(request, &context)).catch_unwind();
        let response = match tokio::time::timeout(deadline, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => {
                tracing::error!(target: "haechi::failure", request = %context.id(), panic = words(&*panic), "handler panicked");
                failed(Denial::new(StatusCode::INTERNAL_SERVER_ERROR, "handler", "panic"))
            }
            Err(_) => {
                let late = Denial::new(StatusCode::SERVICE_UNAVAILABLE, "handler", "deadline");
                failed(late.retry_after(RETRY))
            }
        };
        let response = page(&site, response, Client { format, version, language }, &context);
        tracing::info!(
            target: "haechi::request",
            status = response.status().as_u16(),
            micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            client = %context.client(),
            request = %context.id(),
            "{} {method} {path} {:.1?}",
            response.status().as_u16(),
            started.elapsed(),
        );
        response
    }

    async fn answer(self, mut request: Request<Body>, context: &RequestContext) -> Response {
        // Before there is a session: what a stranger reports can change nothing.
        if request.uri().path() == csp_report::PATH {
            return self.csp_reports.answer(request, context).await;
        }
        let (site, mut router) = (self.site, self.router);
        if static_files::is_for(&request) {
            // The same for everybody: no session is read, so that a cache may keep it.
            request.extensions_mut().insert(site);
            return match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
        }
        let client = haechi_session::client(&request);
        let session = site.sessions().open(request.headers(), client);
        request.extensions_mut().insert(session.clone());
        request.extensions_mut().insert(site.clone());
        let auth = Auth::new(&site, session, context);
        let session = auth.session();
        request.extensions_mut().insert(auth.clone());
        let headers = request.headers().clone();
        let secret = match FormSecret::of(&site, session, &headers).await {
            Ok(secret) => secret,
            Err(error) => return axum::response::IntoResponse::into_response(error),
        };
        request.extensions_mut().insert(secret.clone());
        // Held until the answer is made: a handler still has what it read.
        let most = site.inner.body_limits.of(request.uri().path());
        if let Some(exchange) = request.extensions().get::<Exchange>() {
            exchange.limit_body(most);
        }
        let (request, _room) = site.inner.bodies.meter(request, most);
        let needed = token_requirement(&site, &request, context);
        let request = match needed {
            Ok(TokenRequirement::Needed) => secret.verify(request).await,
            Ok(TokenRequirement::NotNeeded) => Ok(request),
            Err(denial) => Err(denial.into()),
        };
        let request = match request {
            Ok(request) => request,
            Err(error) => return axum::response::IntoResponse::into_response(error),
        };
        let response = match router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let closed = close(&site, &auth, &secret, &headers, context, response).await;
        closed.unwrap_or_else(axum::response::IntoResponse::into_response)
    }
}

/// Renders the view of an answer, saves the session and sets the cookies.
async fn close(
    site: &Site,
    auth: &Auth,
    secret: &FormSecret,
    headers: &http::HeaderMap,
    context: &RequestContext,
    response: Response,
) -> Result<Response> {
    if auth.session().was_bound().await {
        secret.rotate();
    }
    let mut response = render::view(site, auth, secret, headers, context, response).await?;
    secret.keep(auth.session()).await?;
    let mut set = http::HeaderMap::new();
    auth.session().close(response.status(), &mut set).await?;
    if let Some(no_store) = set.remove(http::header::CACHE_CONTROL) {
        response.headers_mut().insert(http::header::CACHE_CONTROL, no_store);
    }
    for (name, value) in &set {
        response.headers_mut().append(name.clone(), value.clone());
    }
    secret.close(site, &mut response)?;
    Ok(response)
}

fn token_requirement(
    site: &Site,
    request: &Request<Body>,
    context: &RequestContext,
) -> std::result::Result<TokenRequirement, Denial> {
    if site.inner.csrf_exempt.covers(request.uri().path()) {
        return Ok(TokenRequirement::NotNeeded);
    }
    let head = Head {
        method: request.method(),
        uri: request.uri(),
        version: request.version(),
        headers: request.headers(),
        client: context.client(),
        scheme: context.scheme(),
        host: Some(context.host()),
        now: context.started(),
    };
    match site.inner.neighbour {
        Some(_) => csrf::shared_requirement(&site.inner.csrf, &head),
        None => site.inner.csrf.token_requirement(&head),
    }
}

fn failed(denial: Denial) -> Response {
    axum::response::IntoResponse::into_response(Error::from(denial))
}

/// When to come back after a deadline: what held the handler up is likely to be over then.
const RETRY: Duration = Duration::from_secs(5);

/// How a client wants to be answered.
struct Client {
    format: DenialFormat,
    version: http::Version,
    language: Option<http::HeaderValue>,
}

impl Client {
    fn answer(self, site: &Site, denial: &Denial, context: &RequestContext) -> Response {
        let mut response = denial.response(self.format, self.version, context.id());
        if self.format == DenialFormat::Html {
            refusal_page::put(site, &mut response, denial, self.language, context);
        }
        response
    }
}

/// Gives a refusal or a failure its page, in the format that the client asked for, and logs it.
fn page(site: &Site, mut response: Response, client: Client, context: &RequestContext) -> Response {
    if let Some(Failure(error)) = response.extensions_mut().remove::<Failure>() {
        tracing::error!(target: "haechi::failure", request = %context.id(), error = %chain(&*error), "handler failed");
        if let Some(shown) = template_failure::answer(site, &*error, client.format, context) {
            return shown;
        }
        let denial = Denial::new(StatusCode::INTERNAL_SERVER_ERROR, "handler", "failed");
        return client.answer(site, &denial, context);
    }
    let Some(denial) = response.extensions_mut().remove::<Denial>().or_else(|| bare(&response)) else {
        return response;
    };
    if denial.status() != StatusCode::NOT_FOUND {
        tracing::warn!(
            target: "haechi::denial",
            guard = denial.guard(),
            reason = denial.reason(),
            detail = denial.logged_detail(),
            client = %context.client(),
            request = %context.id(),
            "request refused"
        );
    }
    let mut page = client.answer(site, &denial, context);
    let own: Vec<HeaderName> = page.headers().keys().cloned().collect();
    for (name, value) in response.headers() {
        // A cookie of the page's own takes none of the answer's away: session, form and messages have one each.
        if !own.contains(name) && name != http::header::CONTENT_LENGTH {
            page.headers_mut().append(name.clone(), value.clone());
        }
    }
    page
}

/// A 500 in plain text is an extractor of axum that names types of the program, or a handler that shows its error.
fn bare(response: &Response) -> Option<Denial> {
    let text = response.headers().get(http::header::CONTENT_TYPE)?.as_bytes().starts_with(b"text/plain");
    let failed = response.status() == StatusCode::INTERNAL_SERVER_ERROR;
    (failed && text).then(|| Denial::new(StatusCode::INTERNAL_SERVER_ERROR, "handler", "plain-text failure"))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn the_guards_stand_in_this_order_and_none_is_missing() {
        let mut config = crate::Config::default();
        config.database.url = Some(crate::Secret::new("sqlite::memory:".to_owned()));
        config.secret_key = Some(crate::Secret::new("kx7Vb2qYt9LmR4sWz8NcDf5GhJ3pQa6E-test-only".to_owned()));
        let (_, service) = crate::App::new("x").into_service(config).await.unwrap();
        let names: Vec<_> = service.stack.names().collect();
        assert_eq!(
            names,
            ["host", "rate", "origin", "csrf", "body"],
            "a guard that left or moved is a hole: say why"
        );
    }
}

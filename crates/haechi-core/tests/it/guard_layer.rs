use std::future::{Ready, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use haechi_core::{
    ClientIp, Denial, Guard, GuardLayer, Head, HostName, NonceTemplate, RequestContext, Resolve, Resolved,
    Scheme, Seal, TestClock, danger,
};
use http::header::{
    CONTENT_SECURITY_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

/// Reads scheme and host from fields that only these tests send.
#[derive(Debug)]
struct TestResolve;

impl Resolve for TestResolve {
    fn socket(&self, parts: &Parts) -> (ClientIp, Scheme) {
        let scheme = if parts.headers.contains_key("x-tls") { Scheme::Https } else { Scheme::Http };
        (ClientIp::unix_socket(), scheme)
    }

    fn resolve(&self, (client, scheme): (ClientIp, Scheme), parts: &mut Parts) -> Result<Resolved, Denial> {
        if parts.headers.remove("x-broken-proxy").is_some() {
            return Err(Denial::new(StatusCode::BAD_REQUEST, "proxy", "broken").close());
        }
        let host = parts.headers.get("host").and_then(|host| HostName::parse(host.to_str().ok()?).ok());
        Ok(Resolved { client, scheme, host })
    }
}

/// Refuses the paths that begin with its own, and remembers that it was asked.
#[derive(Debug)]
struct Refuses(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Guard for Refuses {
    fn name(&self) -> &'static str {
        self.0
    }

    fn check(&self, head: &Head<'_>) -> Result<(), Denial> {
        self.1.lock().unwrap().push(self.0);
        let refused = head.uri.path().starts_with(self.0);
        if refused {
            Err(Denial::new(StatusCode::FORBIDDEN, self.0, "path").detail("<b>inner</b>"))
        } else {
            Ok(())
        }
    }
}

/// An application that answers what a closure makes of the request, and counts its calls.
#[derive(Clone)]
struct Application<F>(F, Arc<AtomicUsize>);

impl<F: Fn(&RequestContext) -> Response<Bytes>> Service<Request<()>> for Application<F> {
    type Response = Response<Bytes>;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Response<Bytes>, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.1.fetch_add(1, Ordering::SeqCst);
        ready(Ok((self.0)(request.extensions().get::<RequestContext>().unwrap())))
    }
}

struct Answer {
    response: Response<Bytes>,
    calls: usize,
    asked: Vec<&'static str>,
}

fn ask(request: http::request::Builder, answer: impl Fn(&RequestContext) -> Response<Bytes>) -> Answer {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let guards: Vec<Box<dyn Guard>> =
        vec![Box::new(Refuses("/one", asked.clone())), Box::new(Refuses("/two", asked.clone()))];
    let template =
        NonceTemplate::new("script-src 'nonce-{}'; style-src 'nonce-{}'", "{}", "script-src 'none'").unwrap();
    let seal = Seal::new()
        .header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .header(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"))
        .header_on_https(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=1"))
        .policy(CONTENT_SECURITY_POLICY, template);
    let calls = Arc::new(AtomicUsize::new(0));
    let layer = GuardLayer::new(TestResolve, Arc::new(TestClock::at(1_700_000_000)), guards, seal);
    let mut service = layer.layer(Application(answer, calls.clone()));
    let future = service.call(request.body(()).unwrap());
    let Poll::Ready(Ok(response)) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the application answers at once");
    };
    let asked = asked.lock().unwrap().clone();
    Answer { response, calls: calls.load(Ordering::SeqCst), asked }
}

fn get(path: &str) -> http::request::Builder {
    Request::get(path).header("host", "example.org")
}

fn ok(_: &RequestContext) -> Response<Bytes> {
    Response::new(Bytes::from_static(b"ok"))
}

#[test]
fn guards_run_in_order_and_the_first_refusal_ends_the_request() {
    #[track_caller]
    fn check(path: &str, status: u16, calls: usize, asked: &[&str]) {
        let answer = ask(get(path), ok);
        assert_eq!(
            (answer.response.status().as_u16(), answer.calls, answer.asked.as_slice()),
            (status, calls, asked)
        );
    }
    check("/", 200, 1, &["/one", "/two"]);
    check("/one", 403, 0, &["/one"]);
    check("/two", 403, 0, &["/one", "/two"]);
}

/// asvs_3_4_4, asvs_16_5_3: refusals are sealed like pages, and what cannot be resolved is refused.
#[test]
fn every_answer_is_sealed() {
    #[track_caller]
    fn check(request: http::request::Builder, status: u16) {
        let answer = ask(request, ok);
        let headers = answer.response.headers();
        assert_eq!(answer.response.status().as_u16(), status);
        assert_eq!(answer.calls, usize::from(status == 200));
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["content-security-policy"], "script-src 'none'");
        assert_eq!(headers["x-request-id"].len(), 24);
        let body = String::from_utf8_lossy(answer.response.body());
        assert!(
            status == 200
                || (body.contains(headers["x-request-id"].to_str().unwrap()) && !body.contains("inner")),
            "{body}"
        );
    }
    check(get("/"), 200);
    check(get("/one"), 403);
    check(get("/").header("x-broken-proxy", "1"), 400);
    // No guard of this list asks for a host: the layer does.
    check(Request::get("/"), 400);
    check(Request::get("/").header("host", "a b"), 400);
}

#[test]
fn a_refusal_has_the_page_of_the_application_where_a_person_reads_it() {
    let guards: Vec<Box<dyn Guard>> = vec![Box::new(Refuses("/one", Arc::default()))];
    let seal = Seal::new().header(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    let layer = GuardLayer::new(TestResolve, Arc::new(TestClock::at(1_700_000_000)), guards, seal);
    let layer = layer.page(|denial, headers, id| {
        let language = headers.get("accept-language")?.to_str().ok()?;
        Some(Bytes::from(format!("{} in {language}, {id}", denial.guard())))
    });
    let mut service = layer.layer(Application(ok, Arc::default()));
    let mut check = |accept: &str, language: Option<&str>, expected: &str| {
        let mut request = get("/one").header("accept", accept);
        if let Some(language) = language {
            request = request.header("accept-language", language);
        }
        let future = service.call(request.body(()).unwrap());
        let Poll::Ready(Ok(response)) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("a refusal is there at once");
        };
        let body = String::from_utf8_lossy(response.body()).into_owned();
        assert!(body.contains(expected), "{accept} {language:?}: {body}");
        assert!(body.contains(response.headers()["x-request-id"].to_str().unwrap()), "{body}");
        assert_eq!(response.status(), 403);
        assert_eq!(response.headers()["x-frame-options"], "DENY");
    };
    check("text/html", Some("ko"), "/one in ko");
    check("text/html", None, "<h1>Not allowed</h1>");
    check("application/json", Some("ko"), "\"title\":\"Not allowed\"");
    check("*/*", Some("ko"), "Not allowed: ");
}

#[test]
fn a_handler_cannot_unseal_by_hand() {
    let answer = ask(get("/"), |_| {
        Response::builder()
            .header("x-frame-options", "ALLOWALL")
            .header("content-security-policy", "default-src *")
            .header("content-security-policy", "script-src *")
            .header("server", "secret/1.0")
            .header("x-powered-by", "secret")
            .header("x-request-id", "forged")
            .header(SET_COOKIE, "a=1")
            .header("x-own", "kept")
            .header(SET_COOKIE, "b=2")
            .body(Bytes::new())
            .unwrap()
    });
    let headers = answer.response.headers();
    let all = |name: &str| {
        headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(all("x-frame-options"), ["DENY"]);
    assert_eq!(all("content-security-policy"), ["script-src 'none'"]);
    assert_eq!(all("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(all("x-own"), ["kept"]);
    assert_eq!(all("server").len() + all("x-powered-by").len(), 0);
    assert_eq!(all("x-request-id").len(), 1);
    assert_ne!(all("x-request-id"), ["forged"]);
}

#[test]
fn a_relaxation_is_typed_and_for_one_answer() {
    let answer = ask(get("/"), |_| {
        let mut response = ok_response();
        let wide =
            NonceTemplate::new("script-src 'nonce-{}' 'unsafe-eval'", "{}", "script-src 'unsafe-eval'")
                .unwrap();
        let relaxed = danger::without_header(X_FRAME_OPTIONS, "partners embed this page")
            .and(danger::with_policy(CONTENT_SECURITY_POLICY, wide, "a chart library"));
        response.extensions_mut().insert(relaxed);
        response
    });
    assert!(!answer.response.headers().contains_key("x-frame-options"));
    assert_eq!(answer.response.headers()["content-security-policy"], "script-src 'unsafe-eval'");
    assert_eq!(ask(get("/"), ok).response.headers()["x-frame-options"], "DENY");
}

fn ok_response() -> Response<Bytes> {
    Response::new(Bytes::new())
}

#[test]
fn the_nonce_of_the_page_is_the_nonce_of_the_policy() {
    let answer = ask(get("/"), |context| Response::new(Bytes::from(context.nonce().to_string())));
    let nonce = String::from_utf8_lossy(answer.response.body()).into_owned();
    let policy = format!("script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'");
    assert_eq!(answer.response.headers()["content-security-policy"], policy.as_str());
}

/// asvs_3_4_1.
#[test]
fn hsts_is_sent_over_tls_only() {
    assert!(!ask(get("/"), ok).response.headers().contains_key("strict-transport-security"));
    assert_eq!(
        ask(get("/").header("x-tls", "1"), ok).response.headers()["strict-transport-security"],
        "max-age=1"
    );
    assert!(
        ask(get("/one").header("x-tls", "1"), ok)
            .response
            .headers()
            .contains_key("strict-transport-security")
    );
}

#[test]
fn the_context_says_what_was_resolved() {
    let answer = ask(get("/").header("x-tls", "1"), |context| {
        let since = context.started().duration_since(std::time::UNIX_EPOCH).unwrap();
        assert_eq!(since, Duration::from_secs(1_700_000_000));
        Response::new(Bytes::from(format!("{} {} {}", context.client(), context.origin(), context.id())))
    });
    let id = answer.response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.response.body(), &Bytes::from(format!("unix https://example.org {id}")));
}

#[test]
fn a_token_in_a_path_is_not_logged() {
    let unlogged = &["/accounts/reset/", "/accounts/email/"];
    for (path, logged) in [
        ("/", "/"),
        ("/accounts/login", "/accounts/login"),
        ("/accounts/reset/MQ/c2-5f/", "/accounts/reset/"),
        ("/accounts/email/abc.def/", "/accounts/email/"),
        ("/posts/accounts/reset/1", "/posts/accounts/reset/1"),
    ] {
        assert_eq!(haechi_core::logged_path(path, unlogged), logged);
    }
}

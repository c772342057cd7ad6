use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use haechi_core::{ClientIp, Denial, Guard, GuardLayer, Resolve, Resolved, Scheme, TestClock};
use haechi_guard::{Csp, Csrf, Headers, Host, Origin, Proxies, Rate};
use http::request::{Builder, Parts};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

/// The socket's peer stands in the field `test-peer`, as no real server does it.
#[derive(Debug)]
struct BehindProxies(Proxies);

impl Resolve for BehindProxies {
    fn socket(&self, parts: &Parts) -> (ClientIp, Scheme) {
        let peer: IpAddr = parts
            .headers
            .get("test-peer")
            .map_or("192.0.2.1", |peer| peer.to_str().unwrap())
            .parse()
            .unwrap();
        (ClientIp::from(peer), Scheme::Http)
    }

    fn resolve(&self, socket: (ClientIp, Scheme), parts: &mut Parts) -> Result<Resolved, Denial> {
        self.0.resolve(socket, parts)
    }
}

#[derive(Clone)]
struct Hello;

impl Service<Request<()>> for Hello {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(Bytes::from_static(b"hello"))))
    }
}

fn layer() -> GuardLayer {
    let guards: Vec<Box<dyn Guard>> = vec![
        Box::new(Host::new(["example.org"]).unwrap()),
        Box::new(Rate::per_network(3, Duration::from_secs(60))),
        Box::new(Origin::new()),
        Box::new(Csrf::new()),
    ];
    let proxies = BehindProxies(Proxies::new(["10.0.0.0/8"]).unwrap());
    GuardLayer::new(
        proxies,
        Arc::new(TestClock::at(1_700_000_000)),
        guards,
        Headers::default().seal(&Csp::strict()),
    )
}

fn ask(layer: &GuardLayer, request: Builder) -> Response<Bytes> {
    let future = layer.layer(Hello).call(request.body(()).unwrap());
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => panic!("the application answers at once"),
    }
}

fn get() -> Builder {
    Request::get("/").header("host", "example.org")
}

#[test]
fn each_guard_stands_in_the_way() {
    #[track_caller]
    fn check(request: Builder, expected: u16) {
        assert_eq!(ask(&layer(), request).status().as_u16(), expected);
    }
    check(get(), 200);
    check(Request::get("/").header("host", "evil.test"), 421);
    check(Request::get("/"), 400);
    check(get().header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "no-cors"), 403);
    check(Request::post("/").header("host", "example.org").header("cookie", "a=1"), 403);
    check(get().header("test-peer", "10.0.0.1").header("x-forwarded-for", "rubbish"), 400);
    check(get().header("test-peer", "10.0.0.1").header("x-forwarded-host", "evil.test"), 421);
    check(get().header("x-forwarded-host", "evil.test"), 200);
    assert_eq!(layer().names().collect::<Vec<_>>(), ["host", "rate", "origin", "csrf"]);
}

/// asvs_4_1_3: a forged address neither frees an attacker nor burdens somebody else.
#[test]
fn a_forged_address_does_not_dodge_the_rate() {
    let layer = layer();
    let by = |address: &str| ask(&layer, get().header("x-forwarded-for", address)).status().as_u16();
    assert_eq!(
        [by("198.51.100.1"), by("198.51.100.2"), by("198.51.100.3"), by("198.51.100.4")],
        [200, 200, 200, 429]
    );
    let proxied = |address: &str| {
        ask(&layer, get().header("test-peer", "10.0.0.1").header("x-forwarded-for", address))
            .status()
            .as_u16()
    };
    assert_eq!([proxied("198.51.100.1"), proxied("192.0.2.1")], [200, 429]);
}

/// asvs_3_4_1, asvs_3_4_3, asvs_3_4_4, asvs_3_4_5, asvs_3_4_6, asvs_3_4_8: the same headers on a page and on every refusal.
#[test]
fn the_headers_of_every_answer() {
    let tls = || get().header("test-peer", "10.0.0.1").header("x-forwarded-proto", "https");
    let show = |response: &Response<Bytes>| {
        let mut lines: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
            .collect();
        lines.retain(|line| {
            !["x-request-id", "content-type", "cache-control", "connection"]
                .iter()
                .any(|name| line.starts_with(name))
        });
        lines.sort();
        lines.concat()
    };
    let page = show(&ask(&layer(), tls()));
    expect_test::expect![[r"
        content-security-policy: default-src 'self'; script-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'
        cross-origin-opener-policy: same-origin
        cross-origin-resource-policy: same-origin
        permissions-policy: camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), serial=(), usb=(), browsing-topics=()
        referrer-policy: same-origin
        strict-transport-security: max-age=31536000; includeSubDomains
        x-content-type-options: nosniff
        x-frame-options: DENY
        x-xss-protection: 0
    "]]
    .assert_eq(&page);
    assert_eq!(show(&ask(&layer(), tls().header("sec-fetch-site", "cross-site"))), page);
    assert!(!show(&ask(&layer(), get())).contains("strict-transport"));
}

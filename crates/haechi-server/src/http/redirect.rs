//! The answer to plain HTTP on a TLS port.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower_service::Service;

use super::Body;
use super::host::host_of;

/// A service that answers 308 to the same address under `https`, to whoever follows a link or types an address.
///
/// # Security
///
/// Whatever sends something, by another method than GET or with `Authorization`, gets 403: it has given away what it sent, and a
/// redirect would hide that from whoever wrote the program. A cookie that is not `Secure` is given away all the same.
///
/// # Examples
///
/// ```
/// use haechi_server::http::{Http, HttpsRedirect};
///
/// let plain = Http::new(HttpsRedirect::to_port(8443));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct HttpsRedirect {
    port: u16,
}

impl HttpsRedirect {
    /// Returns a redirect to `https` on this port.
    pub fn to_port(port: u16) -> Self {
        Self { port }
    }
}

impl Service<Request<Body>> for HttpsRedirect {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        ready(Ok(answer(&request, self.port)))
    }
}

fn answer<B>(request: &Request<B>, port: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    match location(request, port) {
        _ if !is_navigation(request) => *response.status_mut() = StatusCode::FORBIDDEN,
        Some(location) => {
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert(header::LOCATION, location);
        }
        None => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}

/// Whether a person may have come by a link: nothing is sent but an address.
fn is_navigation<B>(request: &Request<B>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && !request.headers().contains_key(header::AUTHORIZATION)
}

fn location<B>(request: &Request<B>, port: u16) -> Option<HeaderValue> {
    let host = host_of(request.headers().get(header::HOST)?.to_str().ok()?)?;
    let path = request.uri().path_and_query().filter(|path| path.as_str().starts_with('/'))?;
    let location = match port {
        443 => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    };
    location.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, target: &str, port: u16, expected: Option<&str>) {
        let request = Request::builder().uri(target).header("host", host).body(()).unwrap();
        let found = location(&request, port);
        assert_eq!(found.as_ref().map(|value| value.to_str().unwrap()), expected);
    }

    #[test]
    fn the_address_stays_and_the_scheme_changes() {
        check("example.org", "/a?b=c", 443, Some("https://example.org/a?b=c"));
        check("example.org:8080", "/", 8443, Some("https://example.org:8443/"));
        check("[::1]:80", "/", 443, Some("https://[::1]/"));
        check("example.org", "//evil.org/", 443, Some("https://example.org//evil.org/"));
        check("a b", "/", 443, None);
        check("example.org", "*", 443, None);
    }

    /// asvs_4_1_2: only what a person does by hand is led on; a program learns that it spoke in the clear.
    #[test]
    fn asvs_4_1_2_what_sends_something_in_the_clear_is_refused_and_not_led_on() {
        #[track_caller]
        fn check(method: &str, field: &'static str, expected: StatusCode) {
            let request = Request::builder().method(method).uri("/a").header("host", "example.org");
            assert_eq!(
                answer(&request.header(field, "x").body(()).unwrap(), 443).status(),
                expected,
                "{method} {field}"
            );
        }
        check("GET", "accept", StatusCode::PERMANENT_REDIRECT);
        check("HEAD", "accept", StatusCode::PERMANENT_REDIRECT);
        check("GET", "authorization", StatusCode::FORBIDDEN);
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            check(method, "accept", StatusCode::FORBIDDEN);
        }
    }
}

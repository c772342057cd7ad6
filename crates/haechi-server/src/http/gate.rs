//! What a request head must be before the service sees it.
//!
//! hyper and h2 refuse what they cannot parse. [`check`] refuses what they let through and RFC 9110, 9112, 9113 and 6455 do
//! not, or what nobody sends but an attacker. It is a pure function on the head.

use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, Version, header};

use super::framing::Broken;
use super::host::host_of;
use super::refusal::Refusal;

/// The facts that the head alone does not hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// Most header fields.
    pub(super) fields: usize,
    /// What [`Framing`](super::framing::Framing) has found in this head.
    pub(super) broken: Option<Broken>,
}

/// Returns the host that the request is for, or why it is refused.
///
/// # Errors
///
/// The refusal to answer with; the connection ends with it.
pub(super) fn check<B>(request: &http::Request<B>, facts: Facts) -> Result<&str, Refusal> {
    if let Some(Broken { reason, in_body: false, .. }) = facts.broken {
        return Err(Refusal::malformed(reason));
    }
    let headers = request.headers();
    if headers.len() > facts.fields {
        return Err(Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many header fields"));
    }
    if request.method() == Method::CONNECT {
        return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "CONNECT"));
    }
    target(request.method(), request.uri())?;
    let host = host(request.version(), request.uri(), headers)?;
    transfer(request.version(), headers)?;
    expectation(headers)?;
    upgrade(request.method(), headers)?;
    Ok(host)
}

fn target(method: &Method, uri: &Uri) -> Result<(), Refusal> {
    if !matches!(uri.scheme_str(), None | Some("http" | "https")) {
        return Err(Refusal::malformed("a target with a scheme other than http and https"));
    }
    // `http::Uri` reads a bare word such as `foo` as an authority.
    if uri.scheme().is_none() && uri.authority().is_some() {
        return Err(Refusal::malformed("a target that does not begin with /"));
    }
    let path = uri.path();
    match path.as_bytes().first() {
        Some(b'/') => Ok(()),
        Some(b'*') if path == "*" && method == Method::OPTIONS => Ok(()),
        _ => Err(Refusal::malformed("a target that does not begin with /")),
    }
}

fn host<'a>(version: Version, uri: &'a Uri, headers: &'a HeaderMap) -> Result<&'a str, Refusal> {
    let field = match only(headers, &header::HOST) {
        Ok(field) => field,
        Err(Twice) => return Err(Refusal::malformed("two Host fields")),
    };
    let authority = match (uri.authority().map(http::uri::Authority::as_str), field) {
        (Some(target), None) if version == Version::HTTP_2 => target,
        (None, Some(field)) => text(field)?,
        (Some(target), Some(field)) => {
            let field = text(field)?;
            if !target.eq_ignore_ascii_case(field) {
                return Err(Refusal::malformed("the target and Host name different hosts"));
            }
            field
        }
        (_, None) => return Err(Refusal::malformed("no Host field")),
    };
    host_of(authority).ok_or(Refusal::malformed("a Host that is not a host name"))
}

fn text(value: &[u8]) -> Result<&str, Refusal> {
    str::from_utf8(value).map_err(|_| Refusal::malformed("a Host that is not a host name"))
}

/// Looks again at what the framing saw, since HTTP/2 has no framing to watch.
fn transfer(version: Version, headers: &HeaderMap) -> Result<(), Refusal> {
    if version == Version::HTTP_2 {
        return match CONNECTION_FIELDS.iter().any(|name| headers.contains_key(name)) {
            true => Err(Refusal::malformed("a field of the connection in HTTP/2")),
            false => Ok(()),
        };
    }
    match only(headers, &header::TRANSFER_ENCODING) {
        Ok(None) => Ok(()),
        Ok(Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(()),
        Ok(Some(_)) => Err(Refusal::malformed("a Transfer-Encoding other than chunked")),
        Err(Twice) => Err(Refusal::malformed("two Transfer-Encoding fields")),
    }
}

fn expectation(headers: &HeaderMap) -> Result<(), Refusal> {
    let known = |value: &[u8]| value.eq_ignore_ascii_case(b"100-continue");
    match only(headers, &header::EXPECT) {
        Ok(value) if value.is_none_or(known) => Ok(()),
        _ => Err(Refusal::new(StatusCode::EXPECTATION_FAILED, "an Expect other than 100-continue")),
    }
}

/// RFC 6455 section 4.2.1, of which axum's `ws` checks all but the length of the key.
fn upgrade(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let websocket = |value: &http::HeaderValue| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|name| name.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    };
    if !headers.get_all(header::UPGRADE).iter().any(websocket) {
        return Ok(());
    }
    if method != Method::GET {
        return Err(Refusal::malformed("a WebSocket upgrade that is not a GET"));
    }
    if !matches!(only(headers, &header::SEC_WEBSOCKET_VERSION), Ok(Some(b"13"))) {
        return Err(Refusal::new(StatusCode::UPGRADE_REQUIRED, "a WebSocket version other than 13"));
    }
    match only(headers, &header::SEC_WEBSOCKET_KEY) {
        Ok(Some(key)) if is_sixteen_bytes(key) => Ok(()),
        _ => Err(Refusal::malformed("a WebSocket key that is not 16 bytes in base64")),
    }
}

/// Sixteen bytes are 22 digits of base64 and two `=`; the last digit carries two bits, so its low four are zero.
fn is_sixteen_bytes(key: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    matches!(key, [digits @ .., b'A' | b'Q' | b'g' | b'w', b'=', b'='] if digits.len() == 21 && digits.iter().all(digit))
}

struct Twice;

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Twice> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(http::HeaderValue::as_bytes);
    if values.next().is_some() { Err(Twice) } else { Ok(first) }
}

const CONNECTION_FIELDS: [HeaderName; 3] = [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE];

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    #[track_caller]
    fn check_at(
        version: Version,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        expected: Result<&str, u16>,
    ) {
        let mut request = http::Request::builder().version(version).method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        let found = super::check(&request, Facts { fields: 100, broken: None });
        assert_eq!(
            found.map_err(|refusal| refusal.status().as_u16()),
            expected,
            "{method} {target} {fields:?}"
        );
    }

    #[track_caller]
    fn check(method: &str, target: &str, fields: &[(&str, &str)], expected: Result<&str, u16>) {
        check_at(Version::HTTP_11, method, target, fields, expected);
    }

    #[test]
    fn one_wellformed_host_is_asked_for() {
        check("GET", "/", &[("host", "example.org")], Ok("example.org"));
        check("GET", "/", &[("host", "example.org:8443")], Ok("example.org"));
        check("GET", "/", &[], Err(400));
        check("GET", "/", &[("host", "a"), ("host", "a")], Err(400));
        check("GET", "/", &[("host", "a"), ("host", "b")], Err(400));
        for host in [
            "", " ", "a b", "u@h", "a,b", "a, b", "[::1", "h:abc", "h:99999", "<script>", "h/x", "h?",
            "a\tb", "%61",
        ] {
            check("GET", "/", &[("host", host)], Err(400));
        }
        check_at(Version::HTTP_10, "GET", "/", &[], Err(400));
        check_at(Version::HTTP_10, "GET", "/", &[("host", "a")], Ok("a"));
    }

    #[test]
    fn http_2_names_its_host_once_or_twice_the_same() {
        check_at(Version::HTTP_2, "GET", "https://a/", &[], Ok("a"));
        check_at(Version::HTTP_2, "GET", "https://a/", &[("host", "a")], Ok("a"));
        check_at(Version::HTTP_2, "GET", "https://a/", &[("host", "b")], Err(400));
        check_at(Version::HTTP_2, "GET", "/", &[("host", "b")], Ok("b"));
        check_at(Version::HTTP_2, "GET", "/", &[], Err(400));
        check_at(Version::HTTP_2, "GET", "https://u@a/", &[], Err(400));
        check_at(Version::HTTP_2, "GET", "https://a/", &[("transfer-encoding", "chunked")], Err(400));
        check_at(Version::HTTP_2, "GET", "https://a/", &[("connection", "close")], Err(400));
    }

    #[test]
    fn a_target_is_a_path_or_our_own_address() {
        let host = ("host", "a");
        check("GET", "http://a/x", &[host], Ok("a"));
        check("GET", "https://A/x", &[host], Ok("a"));
        check("GET", "http://b/x", &[host], Err(400));
        check("GET", "http://a:81/x", &[host], Err(400));
        check("GET", "http://u@a/x", &[host], Err(400));
        check("GET", "http://a/x", &[], Err(400));
        check("GET", "ftp://a/x", &[host], Err(400));
        check("GET", "foo", &[host], Err(400));
        check("GET", "a", &[host], Err(400));
        check("OPTIONS", "*", &[host], Ok("a"));
        check("GET", "*", &[host], Err(400));
        check("CONNECT", "a:443", &[host], Err(501));
    }

    #[test]
    fn a_transfer_coding_is_chunked_once() {
        let host = ("host", "a");
        check("POST", "/", &[host, ("transfer-encoding", "Chunked")], Ok("a"));
        for coding in
            ["chunked, chunked", "gzip, chunked", "identity, chunked", "identity", "chunked;q=1", ""]
        {
            check("POST", "/", &[host, ("transfer-encoding", coding)], Err(400));
        }
        check(
            "POST",
            "/",
            &[host, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
            Err(400),
        );
    }

    #[test]
    fn an_expectation_is_100_continue() {
        check("POST", "/", &[("host", "a"), ("expect", "100-Continue")], Ok("a"));
        check("POST", "/", &[("host", "a"), ("expect", "200-ok")], Err(417));
        check(
            "POST",
            "/",
            &[("host", "a"), ("expect", "100-continue"), ("expect", "100-continue")],
            Err(417),
        );
    }

    #[test]
    fn a_websocket_key_is_sixteen_bytes() {
        let check = |method: &str, key: &[&str], version: &str, expected| {
            let mut fields =
                vec![("host", "a"), ("upgrade", "h2c, WebSocket"), ("sec-websocket-version", version)];
            fields.extend(key.iter().map(|key| ("sec-websocket-key", *key)));
            check(method, "/", &fields, expected);
        };
        check("GET", &[KEY], "13", Ok("a"));
        check("POST", &[KEY], "13", Err(400));
        check("GET", &[KEY], "12", Err(426));
        check("GET", &[], "13", Err(400));
        check("GET", &[KEY, KEY], "13", Err(400));
        for key in [
            "",
            "x",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZR==",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZQ==",
            "dGhlIHNhbXBsZSBub25jZSE=",
            "dGhlIHNhbXBsZSBub25jZSEhISEh",
            "dGhl-HNhbXBsZSBub25jZQ==",
        ] {
            check("GET", &[key], "13", Err(400));
        }
    }

    #[test]
    fn what_the_framing_found_is_refused() {
        let request = http::Request::builder().header("host", "a").body(()).unwrap();
        let broken = |in_body| Some(Broken { request: 1, in_body, reason: "" });
        let found = |broken| super::check(&request, Facts { fields: 1, broken }).is_ok();
        assert!(found(None));
        assert!(found(broken(true)));
        assert!(!found(broken(false)));
        assert!(super::check(&request, Facts { fields: 0, broken: None }).is_err());
    }
}

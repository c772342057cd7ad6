//! Heads of requests, written as rows of tests.

use std::time::{Duration, UNIX_EPOCH};

use haechi_core::{ClientIp, Denial, Head, HostName, Scheme};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Version};

use crate::proxy::host_of;

/// One request, as a test describes it.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    method: &'a str,
    target: &'a str,
    version: Version,
    scheme: Scheme,
    client: ClientIp,
    seconds: f64,
    headers: Vec<(&'static str, &'a [u8])>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(method: &'a str, target: &'a str) -> Self {
        let client = ClientIp::from(std::net::Ipv4Addr::new(192, 0, 2, 1));
        Self {
            method,
            target,
            version: Version::HTTP_11,
            scheme: Scheme::Https,
            client,
            seconds: 0.0,
            headers: Vec::new(),
        }
    }

    pub(crate) fn get(target: &'a str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post() -> Self {
        Self::new("POST", "/form").host("example.org")
    }

    pub(crate) fn host(self, host: &'a str) -> Self {
        self.header("host", host)
    }

    pub(crate) fn header(self, name: &'static str, value: &'a str) -> Self {
        self.bytes(name, value.as_bytes())
    }

    pub(crate) fn bytes(mut self, name: &'static str, value: &'a [u8]) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn http_2(mut self) -> Self {
        self.version = Version::HTTP_2;
        self
    }

    pub(crate) fn plain(mut self) -> Self {
        self.scheme = Scheme::Http;
        self
    }

    pub(crate) fn client(mut self, address: &str) -> Self {
        self.client = ClientIp::from(address.parse::<std::net::IpAddr>().unwrap());
        self
    }

    pub(crate) fn after(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }

    pub(crate) fn into_parts(self) -> Parts {
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(self.method.as_bytes()).unwrap();
        *request.uri_mut() = self.target.parse().unwrap();
        *request.version_mut() = self.version;
        for (name, value) in self.headers {
            request
                .headers_mut()
                .append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        request.into_parts().0
    }

    /// Shows the head to a guard, with the host read as in a real request.
    pub(crate) fn resolved<T>(&self, show: impl FnOnce(&Head<'_>) -> T) -> T {
        let parts = self.clone().into_parts();
        let host: Option<HostName> = host_of(&parts.headers, &parts.uri, parts.version);
        show(&Head {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
            client: self.client,
            scheme: self.scheme,
            host: host.as_ref(),
            now: UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_secs_f64(self.seconds),
        })
    }
}

/// Writes a decision as `pass` or `status reason`.
pub(crate) fn outcome(decision: Result<(), Denial>) -> String {
    match decision {
        Ok(()) => "pass".into(),
        Err(denial) => {
            let close = if denial.closes() { " close" } else { "" };
            format!("{} {}{close}", denial.status().as_u16(), denial.reason())
        }
    }
}

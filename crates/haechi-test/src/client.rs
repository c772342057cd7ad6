//! A browser without a screen.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tower_service::Service;

use crate::{Answer, Jar};

/// A browser without a screen: keeps cookies, fills the form token in, says where a request comes from.
///
/// Clones are other tabs that start with the same cookies, and then go their own way.
#[derive(Debug, Clone)]
pub struct Client<S> {
    service: S,
    site: String,
    https: bool,
    jar: Jar,
    token: Option<String>,
    always: Vec<(HeaderName, HeaderValue)>,
}

/// A request, put together by hand: what an attacker sends.
#[derive(Debug, Clone)]
#[must_use]
pub struct Shot {
    request: Request<Full<Bytes>>,
    cookies: bool,
}

impl Shot {
    /// Begins a request with nothing but a method and a target.
    ///
    /// # Panics
    ///
    /// The target is no URI.
    pub fn new(method: &str, target: &str) -> Self {
        let method = Method::from_bytes(method.as_bytes()).expect("a test names a method");
        let mut request = Request::new(Full::default());
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().expect("a test names a target");
        Self { request, cookies: true }
    }

    /// Adds a header field; a second one of the same name stands beside the first.
    ///
    /// # Panics
    ///
    /// The field cannot be written.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a test names a header field");
        self.request.headers_mut().append(name, HeaderValue::from_str(value).expect("a test writes a value"));
        self
    }

    /// Sets the body and its type.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into());
        if content_type.is_empty() { self } else { self.header(CONTENT_TYPE.as_str(), content_type) }
    }

    /// Sends no cookies, as a browser does that was never here.
    pub fn without_cookies(mut self) -> Self {
        self.cookies = false;
        self
    }
}

impl<S, B> Client<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone,
    S::Error: std::fmt::Debug,
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    /// Opens a browser; `site` is an origin such as `http://localhost`.
    pub fn new(service: S, site: &str) -> Self {
        let https = site.starts_with("https://");
        let jar = Jar::default();
        Self { service, site: site.to_owned(), https, jar, token: None, always: Vec::new() }
    }

    /// Adds a header field to every request, such as `Accept-Language`.
    ///
    /// # Panics
    ///
    /// The value cannot be written.
    #[must_use]
    pub fn always(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a test writes a value");
        self.always.push((HeaderName::from_static(name), value));
        self
    }

    /// Returns the cookies.
    pub fn jar(&mut self) -> &mut Jar {
        &mut self.jar
    }

    /// Returns the form token of the last page that had one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.request(Shot::new("GET", path).header("sec-fetch-site", "none")).await
    }

    /// Sends a form of the last page, with its token, as a browser does.
    pub async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token.clone();
        let token = token.as_deref().map(|token| ("csrf_token", token));
        let body = form(token.iter().chain(fields));
        let shot = Shot::new("POST", path).body("application/x-www-form-urlencoded", body);
        let site = self.site.clone();
        self.request(shot.header("sec-fetch-site", "same-origin").header(ORIGIN.as_str(), &site)).await
    }

    /// Opens the page that an answer redirects to.
    ///
    /// # Panics
    ///
    /// The answer is no redirect to a path.
    pub async fn follow(&mut self, answer: &Answer) -> Answer {
        assert!(answer.status.is_redirection(), "{}: {}", answer.status, answer.text());
        let path = answer.header(LOCATION.as_str()).to_owned();
        assert!(path.starts_with('/') && !path.starts_with("//"), "a redirect to {path}");
        self.get(&path).await
    }

    /// Sends a request as it stands, with the cookies of the jar and the site's `Host` unless it names its own.
    ///
    /// # Panics
    ///
    /// The service fails, or the body of its answer does.
    pub async fn request(&mut self, shot: Shot) -> Answer {
        let Shot { mut request, cookies } = shot;
        let headers = request.headers_mut();
        let host = self.site.split_once("://").map_or(self.site.as_str(), |(_, host)| host);
        if !headers.contains_key(HOST) {
            headers.insert(HOST, HeaderValue::from_str(host).expect("a site has a host"));
        }
        if let Some(line) = self.jar.header().filter(|_| cookies && !headers.contains_key(COOKIE)) {
            headers.insert(COOKIE, HeaderValue::from_str(&line).expect("cookies are visible ASCII"));
        }
        for (name, value) in &self.always {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
        std::future::poll_fn(|context| self.service.poll_ready(context)).await.expect("the service is ready");
        let response = self.service.call(request).await.expect("the service answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the answer has a whole body").to_bytes();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        self.learn(&answer);
        answer
    }

    fn learn(&mut self, answer: &Answer) {
        if answer.header("clear-site-data").contains("\"cookies\"") {
            self.jar.clear();
        }
        for line in answer.cookies() {
            self.jar.take(line, self.https);
        }
        self.token = answer.form_token().or_else(|| self.token.take());
    }
}

/// Writes fields as a browser writes a form.
fn form<'a>(fields: impl Iterator<Item = &'a (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

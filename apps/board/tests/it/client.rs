//! A browser of a hundred lines: cookies, forms with their token, and nothing followed by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    cookies: BTreeMap<String, String>,
    pub(crate) language: &'static str,
    /// The address that the proxy in front of the board says the client has, where there is one.
    pub(crate) network: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), cookies: BTreeMap::new(), language: "en", network: None }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn cookies(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.cookies
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// Reads the page at `path`, and sends its form back to the same place.
    #[track_caller]
    pub(crate) fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.submit_to(path, path, fields)
    }

    /// Reads the page at `page`, and sends a form with its token to `path`.
    #[track_caller]
    pub(crate) fn submit_to(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page);
        let token =
            shown.token().unwrap_or_else(|| panic!("{page} has no form: {} {}", shown.status, shown.body));
        let mut fields = fields.to_vec();
        fields.push(("csrf_token", &token));
        let origin = self.origin();
        self.post(path, &fields, &[("origin", &origin), ("sec-fetch-site", "same-origin")])
    }

    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        self.send("POST", path, &headers, &pairs.join("&"))
    }

    /// Sends a request as it stands.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\naccept: text/html\r\naccept-language: {}\r\n",
            self.address, self.language
        );
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            write!(head, "cookie: {}\r\n", cookies.join("; ")).unwrap();
        }
        if let Some(network) = self.network.as_ref().filter(|_| !headers.iter().any(|h| h.0 == FORWARDED)) {
            write!(head, "{FORWARDED}: {network}\r\n").unwrap();
        }
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if method != "GET" && method != "HEAD" {
            write!(head, "content-length: {}\r\n", body.len()).unwrap();
        }
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let answer = Answer::read(&bytes);
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if chunked { unchunk(&bytes[end + 4..]) } else { bytes[end + 4..].to_vec() };
        Self { status, headers, body: String::from_utf8(body).unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    /// The names of the header fields, and of the cookies that are set.
    pub(crate) fn shape(&self) -> Vec<&str> {
        let mut shape: Vec<&str> = self
            .headers
            .iter()
            .map(|(name, value)| match name.as_str() {
                "set-cookie" => value.split('=').next().unwrap(),
                name => name,
            })
            .collect();
        shape.sort_unstable();
        shape
    }

    pub(crate) fn token(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("name=\"csrf_token\" value=\"")?;
        rest.split('"').next().map(str::to_owned)
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Returns where the browser is sent.
    #[track_caller]
    pub(crate) fn redirect(&self) -> String {
        assert_eq!(self.status, 303, "{}", self.body);
        self.header("location").unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect_redirect(&self, to: &str) {
        assert_eq!(self.redirect(), to);
    }

    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(self.body.contains(text), "{text:?} is not in {}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn hides(self, text: &str) -> Self {
        assert!(!self.body.contains(text), "{text:?} is in {}", self.body);
        self
    }
}

const FORWARDED: &str = "x-forwarded-for";

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
    whole
}

pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").unwrap(),
        }
        encoded
    })
}

//! The application's static files, and haechi's own style sheet below them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use haechi_template::{Asset, FunctionError, FunctionErrorKind};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use sha2::{Digest, Sha384};

use crate::{Embedded, Error, Result};

/// The files below `/static/`.
#[derive(Debug, Clone, Default)]
pub(crate) struct StaticFiles {
    folders: Vec<Embedded>,
    /// The digests of the files, in release; in debug builds a file may change at any time.
    known: BTreeMap<String, String>,
}

const PREFIX: &str = "/static/";
const LASTING: &str = "public, max-age=31536000, immutable";
const ASK_ANEW: &str = "no-cache";
const OWN: &str = "haechi.css";
const OWN_STYLE: &str = include_str!("../static/haechi.css");

impl StaticFiles {
    pub(crate) fn new(folders: Vec<Embedded>) -> Self {
        let mut files = Self { folders, known: BTreeMap::new() };
        if !cfg!(debug_assertions) {
            let mut names: Vec<String> =
                files.folders.iter().flat_map(Embedded::names).map(Cow::into_owned).collect();
            names.push(OWN.to_owned());
            files.known = names
                .into_iter()
                .filter_map(|name| files.read(&name).map(|bytes| (name, digest(&bytes))))
                .collect();
        }
        files
    }

    fn read(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        let found = self.folders.iter().find_map(|folder| folder.read(name));
        found.or_else(|| (name == OWN).then_some(Cow::Borrowed(OWN_STYLE.as_bytes())))
    }

    /// Returns what the tag of a file at an address of ours says, where the file cannot change while the page lives.
    pub(crate) fn asset(&self, address: &str) -> Option<Asset> {
        let digest = self.known.get(address.strip_prefix(PREFIX)?)?;
        Some(Asset { integrity: format!("sha384-{digest}"), version: version(digest) })
    }

    /// Returns the address of a file, for a page: `static("logo.png")`. A file that is not there is an error of the page.
    pub(crate) fn address(&self, name: &str) -> Result<String, FunctionError> {
        let address = format!("{PREFIX}{name}");
        match self.known.get(name) {
            Some(digest) => Ok(format!("{address}?v={}", version(digest))),
            None if servable(name).is_some() && self.read(name).is_some() => Ok(address),
            None => Err(FunctionError::new(
                FunctionErrorKind::InvalidOperation,
                format!("there is no static file `{name}`; put it into the folder of static files"),
            )),
        }
    }

    /// Answers a request for a file. Under the address that names its version it is kept for a year; under any other it is
    /// asked for anew each time, so that no page meets the file of another version.
    ///
    /// # Security
    ///
    /// Names come from the list of embedded files: there is no path to leave. Only known kinds of file are
    /// served, so that a database or a source file that strayed into the folder is not.
    pub(crate) fn answer(&self, name: &str, query: Option<&str>, headers: &HeaderMap) -> Result<Response> {
        let kind = servable(name).ok_or_else(Error::not_found)?;
        let bytes = self.read(name).ok_or_else(Error::not_found)?;
        let digest = self.known.get(name).cloned().unwrap_or_else(|| digest(&bytes));
        let tag = format!("\"{}\"", &digest[..22]);
        let mut response = match knows(headers, &tag) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => Response::new(Body::from(bytes.into_owned())),
        };
        let answer = response.headers_mut();
        answer.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let known = self.known.get(name).map(|digest| format!("v={}", version(digest)));
        let lasting = known.is_some() && known.as_deref() == query;
        answer.insert(CACHE_CONTROL, HeaderValue::from_static(if lasting { LASTING } else { ASK_ANEW }));
        answer.insert(ETAG, HeaderValue::try_from(tag)?);
        Ok(response)
    }
}

/// Whether a request asks for a file.
pub(crate) fn is_for<B>(request: &Request<B>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && request.uri().path().starts_with("/static/")
}

/// Whether a client has these bytes: compared weakly, as RFC 9110, 13.1.2 says, for a proxy that compresses weakens the tag.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let sent = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = sent.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|sent| sent == "*" || sent.strip_prefix("W/").unwrap_or(sent) == tag)
}

fn digest(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha384::digest(bytes))
}

/// Names the bytes in an address: 96 bits of their digest.
fn version(digest: &str) -> String {
    digest[..16].replace('+', "-").replace('/', "_")
}

/// Returns the content type of a name that is of a kind that is served and stays in its folder.
fn servable(name: &str) -> Option<&'static str> {
    let leaves = name.split('/').any(|part| part.is_empty() || part.starts_with('.')) || name.contains('\\');
    if leaves { None } else { kind(name) }
}

fn kind(name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1;
    KINDS.iter().find(|(known, _)| *known == ending).map(|(_, kind)| *kind)
}

const KINDS: &[(&str, &str)] = &[
    ("avif", "image/avif"),
    ("css", "text/css; charset=utf-8"),
    ("gif", "image/gif"),
    ("ico", "image/x-icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mp4", "video/mp4"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff2", "font/woff2"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: StatusCode) {
        let answer = StaticFiles::new(Vec::new()).answer(name, None, &HeaderMap::new());
        assert_eq!(
            answer.map_or_else(|error| error.status(), |response| response.status()),
            expected,
            "{name}"
        );
    }

    /// asvs_13_4_7, asvs_13_4_1: known endings, no dot file.
    #[test]
    fn only_known_files_are_served() {
        check("haechi.css", StatusCode::OK);
        for name in [
            "",
            "haechi",
            "../haechi.css",
            "./haechi.css",
            "x.db",
            "lib.rs",
            ".env",
            "haechi.css/",
            "a\\b.css",
        ] {
            check(name, StatusCode::NOT_FOUND);
        }
    }

    #[test]
    fn an_unchanged_file_is_not_sent_again() {
        let files = StaticFiles::new(Vec::new());
        let first = files.answer(OWN, None, &HeaderMap::new()).unwrap();
        let tag = first.headers()[ETAG].to_str().unwrap();
        for (sent, unchanged) in [
            (tag.to_owned(), true),
            (format!("W/{tag}"), true),
            (format!("\"other\", W/\"more\",{tag}"), true),
            ("*".to_owned(), true),
            ("\"other\"".to_owned(), false),
            (tag.trim_matches('"').to_owned(), false),
            (format!("\"x{}", &tag[1..]), false),
            (format!("w/{tag}"), false),
            (String::new(), false),
        ] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, sent.parse().unwrap())]);
            let status = files.answer(OWN, None, &headers).unwrap().status();
            assert_eq!(status == StatusCode::NOT_MODIFIED, unchanged, "{sent}");
        }
    }

    #[test]
    fn a_file_is_kept_only_under_the_address_of_its_version() {
        let digest = digest(OWN_STYLE.as_bytes());
        let (ours, current) = (version(&digest), format!("v={}", version(&digest)));
        let files =
            StaticFiles { known: BTreeMap::from([(OWN.to_owned(), digest)]), ..StaticFiles::default() };
        #[track_caller]
        fn check(files: &StaticFiles, query: Option<&str>, expected: &str) {
            let answer = files.answer(OWN, query, &HeaderMap::new()).unwrap();
            assert_eq!(answer.headers()[CACHE_CONTROL], expected, "{query:?}");
        }
        check(&files, Some(&current), LASTING);
        for query in [None, Some(""), Some("v="), Some("v=0000000000000000"), Some(&*format!("{current}&x"))]
        {
            check(&files, query, ASK_ANEW);
        }
        // In debug builds a file changes while the program runs.
        check(&StaticFiles::default(), Some(&current), ASK_ANEW);
        assert_eq!(files.asset("/static/haechi.css").map(|asset| asset.version), Some(ours.clone()));
        assert_eq!(files.asset("/haechi.css"), None);
        assert_eq!(files.address(OWN).unwrap(), format!("/static/haechi.css?v={ours}"));
        assert_eq!(StaticFiles::default().address(OWN).unwrap(), "/static/haechi.css");
        for missing in ["none.css", "../haechi.css", "x.db"] {
            assert!(files.address(missing).is_err(), "{missing}");
        }
    }
}

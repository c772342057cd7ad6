//! Where browsers report what the content security policy stopped: read, logged, and nothing else.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use haechi_core::{Denial, RequestContext};
use haechi_guard::{CspReport, RateLimit};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::Error;

/// The address that the policy of every answer names.
pub(crate) const PATH: &str = "/-/csp-report";

/// Why the address has no CSRF check, as `check` says it.
pub(crate) const WITHOUT_CSRF: &str =
    "browsers report what the policy stopped without a token; reports are logged, no session is read";

/// Takes reports.
///
/// # Security
///
/// Anybody can send reports, also of what never happened: a report is a hint, never evidence. It is answered before
/// there is a session, so nothing that it carries can change anything; a body has at most 16 KiB and
/// one network writes at most 60 lines a minute.
#[derive(Debug)]
pub(crate) struct CspReports {
    lines: RateLimit,
}

impl CspReports {
    pub(crate) fn new() -> Self {
        Self { lines: RateLimit::new(60, Duration::from_secs(60)) }
    }

    pub(crate) async fn answer(&self, request: Request<Body>, context: &RequestContext) -> Response {
        if *request.method() != Method::POST {
            let mut response = denied(StatusCode::METHOD_NOT_ALLOWED, "method").into_response();
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        match read(request).await {
            Ok(reports) => {
                reports.iter().for_each(|report| self.log(report, context));
                StatusCode::NO_CONTENT.into_response()
            }
            Err(error) => error.into_response(),
        }
    }

    fn log(&self, report: &CspReport, context: &RequestContext) {
        if self.lines.take(context.client().network(), context.started()).is_err() {
            return;
        }
        tracing::warn!(
            target: "haechi::csp",
            page = %report.page,
            directive = %report.directive,
            blocked = %report.blocked,
            line = report.line,
            client = %context.client(),
            request = %context.id(),
            "a browser reports that the content security policy stopped something"
        );
    }
}

async fn read(request: Request<Body>) -> Result<Vec<CspReport>, Error> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !TYPES.iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Err(denied(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type"));
    }
    let body = body(request.into_body()).await?;
    CspReport::parse(&body).ok_or_else(|| denied(StatusCode::BAD_REQUEST, "not-a-report"))
}

async fn body(body: Body) -> Result<Bytes, Error> {
    match Limited::new(body, CspReport::MOST_BYTES).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Denial::new(StatusCode::PAYLOAD_TOO_LARGE, "csp-report", "too-large").close().into())
        }
        Err(error) => {
            let broken = Denial::new(StatusCode::BAD_REQUEST, "csp-report", "broken");
            Err(broken.detail(error.to_string()).close().into())
        }
    }
}

fn denied(status: StatusCode, reason: &'static str) -> Error {
    Denial::new(status, "csp-report", reason).into()
}

const TYPES: [&str; 2] = ["application/csp-report", "application/reports+json"];

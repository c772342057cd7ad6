//! The fields and files of a form, whatever they are called.

use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use haechi_core::Denial;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, Limited};

use crate::{Error, Result, body_memory};

/// The fields and files of a form, urlencoded or multipart, in their order; of any other body there are none.
///
/// For a form whose fields the handler knows take [`Form`](crate::Form), which reads them into a type. The token field
/// has been checked and is left out.
///
/// # Errors
///
/// 400 for more than 1,000 fields or 100 files and for what is not UTF-8, 413 for more than 2,621,440 bytes of fields:
/// Django's limits; 503 where no memory was free for the body in time. What files may weigh is bounded by the limits of the server and of
/// [`DefaultBodyLimit`](axum::extract::DefaultBodyLimit).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct FormData {
    /// Names and values.
    pub fields: Vec<(String, String)>,
    /// The files.
    pub files: Vec<FormFile>,
}

/// A file of a form.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FormFile {
    /// The name of the field.
    pub field: String,
    /// What the browser says that the file is called: a label, never a path.
    pub file_name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for FormData {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let essence = kind.split(';').next().unwrap_or(kind).trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => urlencoded(request).await,
            "multipart/form-data" => {
                let form = Multipart::from_request(request, state).await;
                multipart(form.map_err(|error| malformed("multipart", &error.to_string()))?).await
            }
            _ => Ok(Self::default()),
        }
    }
}

async fn urlencoded(request: Request) -> Result<FormData> {
    let limited = Limited::new(request.into_body(), MOST_BYTES);
    let body = match limited.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return Err(too_large()),
        Err(error) => return Err(body_memory::refusal(&*error).into()),
    };
    std::str::from_utf8(&body).map_err(|_| malformed("utf-8", ""))?;
    let mut data = FormData::default();
    for (name, value) in form_urlencoded::parse(&body) {
        if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return Err(malformed("utf-8", ""));
        }
        data.add_field(name.into_owned(), value.into_owned())?;
    }
    Ok(data.without_token())
}

async fn multipart(mut form: Multipart) -> Result<FormData> {
    let (mut data, mut weight) = (FormData::default(), 0);
    while let Some(part) = form.next_field().await.map_err(refused)? {
        let field = part.name().ok_or_else(|| malformed("name", ""))?.to_owned();
        match part.file_name().map(str::to_owned) {
            Some(file_name) => {
                if data.files.len() == MOST_FILES {
                    return Err(malformed("too-many-files", ""));
                }
                data.files.push(FormFile { field, file_name, bytes: part.bytes().await.map_err(refused)? });
            }
            None => {
                let bytes = part.bytes().await.map_err(refused)?;
                weight += bytes.len();
                if weight > MOST_BYTES {
                    return Err(too_large());
                }
                let value = String::from_utf8(bytes.into()).map_err(|_| malformed("utf-8", ""))?;
                data.add_field(field, value)?;
            }
        }
    }
    Ok(data.without_token())
}

impl FormData {
    fn add_field(&mut self, name: String, value: String) -> Result<()> {
        if self.fields.len() == MOST_FIELDS {
            return Err(malformed("too-many-fields", ""));
        }
        self.fields.push((name, value));
        Ok(())
    }

    fn without_token(mut self) -> Self {
        self.fields.retain(|(name, _)| name != "csrf_token" && name != "csrfmiddlewaretoken");
        self
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err calls")]
fn refused(error: MultipartError) -> Error {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => body_memory::refusal(&error).into(),
    }
}

fn malformed(reason: &'static str, detail: &str) -> Error {
    Denial::new(StatusCode::BAD_REQUEST, "form", reason).detail(detail).into()
}

fn too_large() -> Error {
    Denial::new(StatusCode::PAYLOAD_TOO_LARGE, "form", "too-large").close().into()
}

const MOST_BYTES: usize = crate::django::FORM_BYTES;
const MOST_FIELDS: usize = crate::django::FORM_FIELDS;
const MOST_FILES: usize = 100;

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::IntoResponse;

    use super::*;
    use crate::body_memory::BodyMemory;

    fn request(kind: &str, head: &str) -> Request {
        let body = [head.as_bytes(), &vec![b'a'; 200_000]].concat();
        let pieces: Vec<std::result::Result<_, std::convert::Infallible>> =
            body.chunks(16_384).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        Request::post("/").header(CONTENT_TYPE, kind).body(body).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_form_that_found_no_room_is_told_to_come_back() {
        let memory = BodyMemory::new(1_024);
        let (first, _room) = memory.meter(request("text/plain", ""), 1_000_000);
        first.into_body().collect().await.unwrap();
        let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
        for (kind, head) in
            [("application/x-www-form-urlencoded", "a="), ("multipart/form-data; boundary=b", part)]
        {
            let (waiting, _room) = memory.meter(request(kind, head), 1_000_000);
            let refused = FormData::from_request(waiting, &()).await.map(drop).unwrap_err();
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{kind}");
            let denial = refused.into_response().extensions().get::<Denial>().cloned();
            assert!(denial.is_some_and(|denial| denial.reason() == "no-room"), "{kind}");
        }
    }

    #[tokio::test]
    async fn a_multipart_form_that_is_cut_off_is_the_fault_of_its_sender() {
        let refused =
            FormData::from_request(request("multipart/form-data; boundary=b", "--b\r\n"), &()).await;
        assert_eq!(refused.map(drop).unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}

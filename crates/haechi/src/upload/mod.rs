//! Files that visitors send: read, checked, kept under names of our own, and handed out so that no browser runs them.
//!
//! ```no_run
//! use haechi::{CurrentUser, FileKind, Result, Site, Upload, local, redirect};
//! use haechi::axum::response::Response;
//!
//! #[derive(serde::Deserialize)]
//! struct Caption {
//!     caption: String,
//! }
//!
//! async fn add(site: Site, _user: CurrentUser, mut upload: Upload<Caption>) -> Result<Response> {
//!     let picture = upload.take("picture")?.accept(&[FileKind::Png, FileKind::Jpeg])?;
//!     let id = site.uploads().keep(&picture).await?;
//!     println!("{}: {id}, called {}", upload.form.caption, picture.name());
//!     Ok(redirect(local!("/pictures")))
//! }
//! # drop(haechi::axum::Router::<()>::new().route("/pictures", haechi::axum::routing::post(add)));
//! ```

mod download;
mod file_kind;
mod uploaded_file;
mod uploads;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use haechi_core::Denial;
use http::StatusCode;
use serde::de::DeserializeOwned;

pub use download::Download;
pub use file_kind::FileKind;
pub use uploaded_file::{AcceptedFile, UploadedFile};
pub use uploads::{FileId, Uploads};

use crate::form::{self, MOST_FIELDS};
use crate::{Error, Result, body_memory};

/// A multipart form: its text fields read into `T`, and its files.
///
/// The fields are read as [`Form`](crate::Form) reads them. The body's limit, `limits.body_bytes` unless the route has
/// [its own](crate::App::body_limit), holds for all parts together.
///
/// # Security
///
/// The parts are read into memory, of which all requests share `limits.bodies_bytes`. A file is nothing
/// but bytes and a claim until [`UploadedFile::accept`] has compared its name with its content.
#[derive(Debug)]
pub struct Upload<T> {
    /// The text fields.
    pub form: T,
    files: Vec<UploadedFile>,
}

impl<T> Upload<T> {
    /// Takes the file that was chosen in the field `name`.
    ///
    /// # Errors
    ///
    /// 422 if none was chosen, or more than one.
    pub fn take(&mut self, name: &str) -> Result<UploadedFile> {
        let mut chosen = self.files.extract_if(.., |file| file.field() == name);
        match (chosen.next(), chosen.next()) {
            (Some(file), None) => Ok(file),
            (None, _) => Err(refused(StatusCode::UNPROCESSABLE_ENTITY, "no-file", name)),
            (Some(_), Some(_)) => Err(refused(StatusCode::UNPROCESSABLE_ENTITY, "two-files", name)),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Upload<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let mut parts = Multipart::from_request(request, state).await.map_err(|rejection| {
            refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", &rejection.to_string())
        })?;
        let (mut pairs, mut files) = (Vec::new(), Vec::new());
        while let Some(part) = parts.next_field().await.map_err(|error| broken(&error))? {
            if pairs.len() + files.len() == MOST_FIELDS {
                return Err(refused(StatusCode::BAD_REQUEST, "too-many-fields", ""));
            }
            read(part, &mut pairs, &mut files).await?;
        }
        Ok(Self { form: form::from_pairs(pairs)?, files })
    }
}

async fn read(
    part: Field<'_>,
    pairs: &mut Vec<(String, String)>,
    files: &mut Vec<UploadedFile>,
) -> Result<()> {
    let name = part.name().unwrap_or_default().to_owned();
    let file = part.file_name().map(str::to_owned);
    let bytes = part.bytes().await.map_err(|error| broken(&error))?;
    match file {
        // A file field in which nothing was chosen comes with an empty name.
        Some(called) if called.is_empty() && bytes.is_empty() => {}
        Some(called) => files.push(UploadedFile::new(name, &called, bytes)),
        None => {
            let text = String::from_utf8(bytes.to_vec())
                .map_err(|_| refused(StatusCode::BAD_REQUEST, "utf-8", ""))?;
            pairs.push((name, text));
        }
    }
    Ok(())
}

/// What the parser says of a body that is no multipart form, or larger than it may be.
fn broken(error: &MultipartError) -> Error {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => refused(StatusCode::PAYLOAD_TOO_LARGE, "too-large", ""),
        _ => body_memory::refusal(error).into(),
    }
}

fn refused(status: StatusCode, reason: &'static str, detail: &str) -> Error {
    Denial::new(status, "upload", reason).detail(detail).into()
}

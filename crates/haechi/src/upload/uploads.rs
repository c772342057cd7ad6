//! The folder of the files that visitors sent.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use haechi_core::Token;

use super::AcceptedFile;
use crate::{Error, Result, config};

/// The files that visitors sent, below the data folder; [`Site::uploads`](crate::Site::uploads) returns it.
///
/// # Security
///
/// A file is called by 256 random bits and has no ending: nothing that somebody sends chooses a path, and no server, shell or
/// interpreter takes it for a program. The folder is entered by its owner alone, and is none of those that are served.
#[derive(Debug, Clone)]
pub struct Uploads {
    folder: PathBuf,
}

/// The name of a kept file, for a column of the application's own table.
#[derive(Clone, PartialEq, Eq)]
pub struct FileId(String);

impl Uploads {
    pub(crate) fn new(data: &Path) -> Self {
        Self { folder: data.join("uploads") }
    }

    /// Keeps a file; it is whole on the disk when this returns.
    ///
    /// # Errors
    ///
    /// The disk cannot be written to.
    pub async fn keep(&self, file: &AcceptedFile) -> Result<FileId> {
        let id = FileId(Token::generate().expose());
        let (path, folder, bytes) = (self.folder.join(&id.0), self.folder.clone(), file.bytes().clone());
        blocking(move || {
            config::private_folder(&folder).map_err(io::Error::other)?;
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            let written = file.write_all(&bytes).and_then(|()| file.sync_all());
            // Half a file is none.
            if written.is_err() {
                std::fs::remove_file(&path)?;
            }
            written
        })
        .await?;
        Ok(id)
    }

    /// Reads a kept file.
    ///
    /// # Errors
    ///
    /// 404 if there is none.
    pub async fn read(&self, id: &FileId) -> Result<Bytes> {
        let path = self.folder.join(&id.0);
        blocking(move || std::fs::read(path)).await.map(Bytes::from)
    }

    /// Removes a kept file.
    ///
    /// # Errors
    ///
    /// 404 if there is none.
    pub async fn remove(&self, id: &FileId) -> Result<()> {
        let path = self.folder.join(&id.0);
        blocking(move || std::fs::remove_file(path)).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await?.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::not_found(),
        _ => Error::from(error),
    })
}

impl FileId {
    /// Reads what [`FileId`] was written as.
    ///
    /// # Errors
    ///
    /// 404: what we did not give out names nothing.
    pub fn parse(text: &str) -> Result<Self> {
        match Token::parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(Error::not_found()),
        }
    }

    /// Returns the name, to be stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileId({})", self.0)
    }
}

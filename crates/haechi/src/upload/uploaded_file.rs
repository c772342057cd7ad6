//! A file that somebody sent: bytes, and what it is said to be.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;

use super::{FileKind, refused};
use crate::Result;

/// A file that somebody sent, before anything of it is believed.
pub struct UploadedFile {
    field: String,
    name: String,
    bytes: Bytes,
}

impl UploadedFile {
    pub(super) fn new(field: String, called: &str, bytes: Bytes) -> Self {
        Self { field, name: plain(called), bytes }
    }

    pub(super) fn field(&self) -> &str {
        &self.field
    }

    /// Accepts the file if it is of one of the kinds, by its name and by its content.
    ///
    /// # Errors
    ///
    /// 422 if it is empty, or its name or its content is of no kind given, or they disagree.
    ///
    /// # Security
    ///
    /// The content type that came along is not looked at: whoever sends the file writes it. A content that begins like a
    /// picture can be something else further on; it is harmless as long as it is handed out by
    /// [`Download`](super::Download).
    pub fn accept(self, kinds: &[FileKind]) -> Result<AcceptedFile> {
        let (named, content) = (FileKind::named(&self.name), FileKind::of(&self.bytes));
        match content {
            Some(kind) if named == content && kinds.contains(&kind) => {
                Ok(AcceptedFile { name: self.name, kind, bytes: self.bytes })
            }
            _ => Err(refused(StatusCode::UNPROCESSABLE_ENTITY, "file-kind", &self.name)),
        }
    }
}

/// A file whose name and content agree on its kind; only [`UploadedFile::accept`] makes one.
pub struct AcceptedFile {
    name: String,
    kind: FileKind,
    bytes: Bytes,
}

impl AcceptedFile {
    /// Returns the name for people, without folders and control characters. It names nothing on our disk.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the kind.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// Returns the content.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// The last part of a name, without what could change how a line reads.
pub(super) fn plain(called: &str) -> String {
    let last = called.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = |c: &char| !c.is_control() && !TURNS.contains(c);
    let name: String = last.chars().filter(shown).collect();
    let surplus = name.chars().count().saturating_sub(LONGEST);
    // What is too long loses its beginning: the ending says what it is.
    name.chars().skip(surplus).collect()
}

impl fmt::Debug for UploadedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadedFile").field("name", &self.name).field("bytes", &self.bytes.len()).finish()
    }
}

impl fmt::Debug for AcceptedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AcceptedFile");
        shown.field("name", &self.name).field("kind", &self.kind).field("bytes", &self.bytes.len()).finish()
    }
}

/// Characters that turn the direction of a text: `cod\u{202e}gpj.exe` reads as `codexe.jpg`.
const TURNS: [char; 12] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

const LONGEST: usize = 120;

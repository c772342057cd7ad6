//! What the pass is told about a static file of the site.

/// A static script or style sheet of the site, as [`Builder::assets`](crate::Builder::assets) looks it up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asset {
    /// The `integrity` of its tag, such as `sha384-…`: a browser runs or applies no other bytes.
    pub integrity: String,
    /// What changes with the bytes. It is written behind the address as `?v=…`, so that a browser that kept the file
    /// of yesterday does not compare it with the digest of today.
    pub version: String,
}

impl Asset {
    /// What is written into a tag without an escaper has to be made of these characters.
    pub(crate) fn is_plain(&self) -> bool {
        let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | ' ');
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        self.integrity.chars().all(base64) && self.version.chars().all(word)
    }
}

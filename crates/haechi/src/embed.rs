//! A folder of files that travels inside the program.

use std::borrow::Cow;
use std::path::Path;

/// A folder: inside the binary in release, read from the source tree in debug builds, so that a page changes
/// when its file is saved. Made by [`embed!`](crate::embed).
#[derive(Clone, Copy)]
pub struct Embedded {
    folder: &'static str,
    names: fn() -> Vec<Cow<'static, str>>,
    read: fn(&str) -> Option<Cow<'static, [u8]>>,
}

impl Embedded {
    #[doc(hidden)]
    pub const fn new(
        folder: &'static str,
        names: fn() -> Vec<Cow<'static, str>>,
        read: fn(&str) -> Option<Cow<'static, [u8]>>,
    ) -> Self {
        Self { folder, names, read }
    }

    /// Returns the folder on disk, in debug builds on the machine that built the program.
    pub fn folder(&self) -> Option<&Path> {
        let folder = Path::new(self.folder);
        (cfg!(debug_assertions) && folder.is_dir()).then_some(folder)
    }

    /// Returns the names of all files, relative to the folder, with `/`, in order.
    pub fn names(&self) -> Vec<Cow<'static, str>> {
        let mut names = (self.names)();
        names.sort();
        names
    }

    /// Returns the bytes of a file.
    pub fn read(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        (self.read)(name)
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Embedded").field(&self.folder).finish()
    }
}

/// Puts a folder of the crate, named from its root, into the program.
///
/// # Examples
///
/// ```no_run
/// let templates = haechi::embed!("templates");
/// ```
#[macro_export]
macro_rules! embed {
    ($folder:literal) => {{
        #[derive($crate::__private::RustEmbed)]
        #[crate_path = "haechi::__private::rust_embed"]
        #[folder = $folder]
        struct Folder;
        $crate::Embedded::new(
            concat!(env!("CARGO_MANIFEST_DIR"), "/", $folder),
            || <Folder as $crate::__private::RustEmbed>::iter().collect(),
            |name| <Folder as $crate::__private::RustEmbed>::get(name).map(|file| file.data),
        )
    }};
}

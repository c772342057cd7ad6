//! Where templates come from: folders and embedded lists, the earlier before the later.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::Error;
use crate::name::{Kind, is_valid};
use crate::parse::MAX_BYTES;
use crate::pass::Sources;
use crate::problem::Problem;
use crate::rule;

/// One place with templates.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    Dir(PathBuf),
    Embedded(Vec<(String, Vec<u8>)>),
}

/// What tells a changed file from an unchanged one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    modified: Option<SystemTime>,
    length: u64,
}

/// The texts of all layers as they were last read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    layers: Vec<Layer>,
    stamps: BTreeMap<String, Stamp>,
    pub(crate) sources: Sources,
    /// Files that could not be read as text.
    pub(crate) problems: BTreeMap<String, Problem>,
}

impl Layer {
    pub(crate) fn embedded<N: AsRef<str>, T: AsRef<[u8]>>(templates: &[(N, T)]) -> Self {
        let owned = |(name, text): &(N, T)| (name.as_ref().to_owned(), text.as_ref().to_vec());
        Self::Embedded(templates.iter().map(owned).collect())
    }
}

impl Texts {
    pub(crate) fn new(layers: Vec<Layer>) -> Self {
        Self { layers, ..Self::default() }
    }

    /// Reads what changed since the last time, and returns the names.
    pub(crate) fn refresh(&mut self) -> Result<BTreeSet<String>, Error> {
        let first = self.stamps.is_empty() && self.sources.is_empty();
        let mut stamps = BTreeMap::new();
        let mut embedded = Vec::new();
        for layer in self.layers.iter().rev() {
            match layer {
                Layer::Dir(root) => stamp_folder(root, root, 0, &mut stamps)?,
                // A folder behind an embedded list never changes what the list names.
                Layer::Embedded(list) => {
                    list.iter().for_each(|(name, _)| drop(stamps.remove(name)));
                    embedded.extend(list.iter().cloned());
                }
            }
        }
        let mut changed: BTreeSet<String> =
            self.stamps.keys().filter(|name| !stamps.contains_key(*name)).cloned().collect();
        for name in &changed {
            self.sources.remove(name.as_str());
            self.problems.remove(name);
        }
        if first || !changed.is_empty() {
            for (name, text) in embedded {
                if !stamps.contains_key(&name) && self.accept(&name, text) {
                    changed.insert(name);
                }
            }
        }
        for (name, stamp) in &stamps {
            if self.stamps.get(name) != Some(stamp) {
                self.read(name, stamp)?;
                changed.insert(name.clone());
            }
        }
        self.stamps = stamps;
        Ok(changed)
    }

    fn read(&mut self, name: &str, stamp: &Stamp) -> Result<(), Error> {
        self.sources.remove(name);
        self.problems.remove(name);
        if stamp.length > MAX_BYTES as u64 {
            let problem =
                Problem::of_file(name, rule::TOO_LARGE, format!("the file has {} bytes", stamp.length));
            self.problems.insert(name.to_owned(), problem);
            return Ok(());
        }
        let bytes =
            fs::read(&stamp.path).map_err(|source| Error::Read { path: stamp.path.clone(), source })?;
        self.accept(name, bytes);
        Ok(())
    }

    fn accept(&mut self, name: &str, bytes: Vec<u8>) -> bool {
        if !is_valid(name) {
            let problem = Problem::of_file(name, rule::NAME, "this cannot be the name of a template".into());
            self.problems.insert(name.to_owned(), problem);
            return false;
        }
        match String::from_utf8(bytes) {
            Ok(text) => self.sources.insert(Arc::from(name), Arc::from(text)).is_none(),
            // An image beside the templates is none of them.
            Err(_) if Kind::of(name) == Kind::Part => false,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let message = format!("the file is not UTF-8 from byte {at} on");
                self.problems.insert(name.to_owned(), Problem::of_file(name, rule::NOT_UTF8, message));
                false
            }
        }
    }
}

/// Notes every file below `folder`; later calls replace names of earlier ones.
fn stamp_folder(
    root: &Path,
    folder: &Path,
    depth: usize,
    stamps: &mut BTreeMap<String, Stamp>,
) -> Result<(), Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let file_name = entry.file_name();
        let file_name = file_name.to_string_lossy();
        if file_name.starts_with('.') || file_name.ends_with('~') {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            if depth < MAX_FOLDERS {
                stamp_folder(root, &path, depth + 1, stamps)?;
            }
            continue;
        }
        // A file that vanished since is not there; a link that leads nowhere neither.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_file() {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            let stamp =
                Stamp { modified: metadata.modified().ok(), length: metadata.len(), path: path.clone() };
            stamps.insert(parts.join("/"), stamp);
        }
    }
    Ok(())
}

/// How deep folders may stand in one another.
const MAX_FOLDERS: usize = 16;

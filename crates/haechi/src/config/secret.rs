//! The secret key: given, or made on the first run and kept in the data folder with mode 0600.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use haechi_core::{KeyRing, Secret, SecretKey};
use serde::{Deserialize, Deserializer};

use super::{Config, Error, ErrorKind};

/// Returns the keys of the application: the configured one, or the one in the data folder, and the fallbacks.
///
/// # Errors
///
/// A key is empty, short or a known sample; the file cannot be read or made, or others may read it.
pub(crate) fn secret_key(config: &Config) -> Result<KeyRing, Error> {
    let key = match &config.secret_key {
        Some(text) => parse(text.expose(), "secret_key")?,
        None => {
            private_folder(&config.data)?;
            kept(&config.data.join("secret.key"))?
        }
    };
    config.secret_key_fallbacks.iter().try_fold(KeyRing::new(key), |ring, text| {
        Ok(ring.with_fallback(parse(text.expose(), "secret_key_fallbacks")?))
    })
}

/// Makes a folder that only its owner may enter, where there is none.
pub(crate) fn private_folder(path: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| Error::read(path, error))
}

fn parse(text: &str, place: &str) -> Result<SecretKey, Error> {
    SecretKey::parse(text.trim())
        .map_err(|error| Error::new(ErrorKind::SecretKey, format!("{place}: {error}")))
}

fn kept(path: &Path) -> Result<SecretKey, Error> {
    match File::open(path) {
        Ok(file) => read(file, path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path).map_err(|error| Error::read(path, error))?;
            let file = File::open(path).map_err(|error| Error::read(path, error))?;
            read(file, path)
        }
        Err(error) => Err(Error::read(path, error)),
    }
}

fn read(file: File, path: &Path) -> Result<SecretKey, Error> {
    let mode = file.metadata().map_err(|error| Error::read(path, error))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.display();
        let message = format!(
            "{path} has mode {mode:04o}: others on this machine may read the secret key; run chmod 600 {path}"
        );
        return Err(Error::new(ErrorKind::SecretKey, message));
    }
    // Bounded, and allocated at once: a key file of a gigabyte is a mistake, and a buffer that grows leaves
    // copies of the key behind.
    let mut text = String::with_capacity(4_096);
    file.take(4_096).read_to_string(&mut text).map_err(|error| Error::read(path, error))?;
    let text = Secret::new(text);
    parse(text.expose(), &path.display().to_string())
}

/// Writes a fresh key under a name of its own first, so that nobody ever reads half of one; the link fails
/// where another process was quicker, and then its key is the one.
fn make(path: &Path) -> io::Result<()> {
    let key = SecretKey::generate();
    let draft = draft(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file
        .write_all(key.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    match written {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn draft(path: &Path) -> PathBuf {
    path.with_extension(format!("{}.draft", std::process::id()))
}

/// Reads a secret for serde's `deserialize_with`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// Reads a secret that may be absent.
pub(super) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret<String>>, D::Error> {
    deserialize(deserializer).map(Some)
}

/// Reads a list of secrets.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret<String>>, D::Error> {
    Ok(Vec::<String>::deserialize(deserializer)?.into_iter().map(Secret::new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("haechi-{name}-{}", std::process::id()));
            Self(path)
        }

        fn config(&self) -> Config {
            Config { data: self.0.clone(), ..Config::default() }
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn the_first_run_makes_a_key_that_stays_and_is_private() {
        let folder = Folder::new("first-run");
        let first = secret_key(&folder.config()).unwrap();
        let again = secret_key(&folder.config()).unwrap();
        assert_eq!(first.signing().as_bytes(), again.signing().as_bytes());
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.0.join("secret.key")), 0o600);
        assert_eq!(mode(&folder.0), 0o700);
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    /// asvs_13_3_1: the key is in a file of its owner, or the site does not start.
    #[test]
    fn a_key_file_that_others_may_read_or_that_is_empty_is_refused() {
        let folder = Folder::new("key-file");
        secret_key(&folder.config()).unwrap();
        let path = folder.0.join("secret.key");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(secret_key(&folder.config()).unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "").unwrap();
        assert_eq!(secret_key(&folder.config()).unwrap_err().kind(), ErrorKind::SecretKey);
    }

    /// asvs_13_2_3: no default credential.
    #[test]
    fn a_short_or_well_known_key_is_refused_wherever_it_stands() {
        let config = |key: &str, fallback: &str| Config {
            secret_key: Some(Secret::new(key.to_owned())),
            secret_key_fallbacks: vec![Secret::new(fallback.to_owned())],
            ..Config::default()
        };
        let good = SecretKey::generate();
        assert!(secret_key(&config(good.expose(), good.expose())).is_ok());
        for bad in ["", "short", "changeme-changeme-changeme-changeme-x"] {
            assert!(secret_key(&config(bad, good.expose())).is_err(), "{bad}");
            assert!(secret_key(&config(good.expose(), bad)).is_err(), "{bad}");
        }
    }
}

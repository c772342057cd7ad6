//! The file of a Unix socket: never wider than asked for, never taken from a living server, gone at the end.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod};
use socket2::{Domain, SockAddr, Socket, Type};

/// The file of a bound Unix socket, removed when dropped if it is still the same file.
#[derive(Debug)]
pub(super) struct UnixFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl UnixFile {
    /// Binds a socket to the path, in the place of a file that a dead server left.
    pub(super) fn bind(path: &Path, mode: u32) -> io::Result<(Socket, Self)> {
        remove_stale(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
        // Before bind, Linux takes the mode of the file from the socket's: there is no moment at which it is wider.
        fchmod(&socket, Mode::from_raw_mode(mode))?;
        socket.bind(&SockAddr::unix(path)?)?;
        // The umask may have taken bits away that were asked for.
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        let identity = identity(path)?;
        Ok((socket, Self { path: path.to_owned(), identity }))
    }
}

impl Drop for UnixFile {
    fn drop(&mut self) {
        let ours = identity(&self.path).is_ok_and(|identity| identity == self.identity);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "could not remove {}", self.path.display());
        }
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let file = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !file.file_type().is_socket() {
        let message = "the path holds something that is not a socket; it is left alone: choose another path";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    match probe.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Connected, or its queue is full: somebody is there.
        _ => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there: stop it first")),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

//! How a listener is opened.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use super::{Bound, Listener, passed};

/// The settings of a listening socket.
///
/// # Examples
///
/// ```
/// use haechi_server::ListenerOptions;
///
/// let listener = ListenerOptions { reuse_port: true, ..ListenerOptions::default() }.bind("127.0.0.1:0")?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerOptions {
    /// Connections that the kernel completes and keeps before they are accepted (default 1024; the kernel's
    /// `net.core.somaxconn` bounds it). Passed sockets keep theirs.
    pub backlog: u16,
    /// Sets `SO_REUSEPORT`, so that every core, or a second process of the same user, can listen on the address as
    /// well (default no: a second server by mistake is an error).
    pub reuse_port: bool,
    /// The mode of a Unix socket's file (default `0o600`: only this user may connect).
    pub unix_mode: u32,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        Self { backlog: 1024, reuse_port: false, unix_mode: 0o600 }
    }
}

impl ListenerOptions {
    /// Listens on an address in one of the forms that [`Listener`] lists.
    ///
    /// # Errors
    ///
    /// As [`Listener::bind`].
    pub fn bind(&self, address: &str) -> io::Result<Listener> {
        let sockets = if let Some(path) = address.strip_prefix("unix:") {
            vec![Bound::unix(path.as_ref(), self)?]
        } else if address == "systemd" {
            passed::take(None)?
        } else if let Some(name) = address.strip_prefix("fd:") {
            passed::take(Some(name))?
        } else {
            self.bind_tcp(address)?
        };
        Ok(Listener::of(sockets))
    }

    fn bind_tcp(&self, name: &str) -> io::Result<Vec<Bound>> {
        let addresses = resolve(name)?;
        let mut sockets: Vec<Bound> = Vec::new();
        let mut refused = None;
        for mut address in addresses {
            if let (0, Some(first)) = (address.port(), sockets.first()) {
                address.set_port(first.port().unwrap_or(0));
            }
            match Bound::tcp(address, self) {
                Ok(socket) => sockets.push(socket),
                Err(error) if is_absent_family(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(error) if sockets.is_empty() => Err(error),
            _ => Ok(sockets),
        }
    }
}

fn resolve(name: &str) -> io::Result<Vec<SocketAddr>> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in name.to_socket_addrs().map_err(|source| unresolved(name, &source))? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(unresolved(name, &io::Error::from(io::ErrorKind::NotFound)));
    }
    Ok(addresses)
}

fn unresolved(name: &str, source: &io::Error) -> io::Error {
    let message = format!(
        "cannot listen on {name:?}: {source}; write an address and a port like \"127.0.0.1:8888\" or \
         \"localhost:8888\", a path like \"unix:/run/app.sock\", or \"systemd\""
    );
    io::Error::new(source.kind(), message)
}

/// Whether one of several addresses of a name is of a family that this machine does not have, such as IPv6.
fn is_absent_family(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
}

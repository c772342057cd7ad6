//! One listening socket.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::sockopt::set_tcp_nodelay;
use rustix::net::{SocketFlags, acceptfrom_with, listen};
use socket2::{Domain, SockAddr, Socket as RawSocket, Type};

use super::unix_file::UnixFile;
use super::{ListenerOptions, LocalAddress};
use crate::PeerAddress;
use crate::socket::Socket;

/// A listening socket, and whose it is.
#[derive(Debug)]
pub(crate) struct Bound {
    descriptor: OwnedFd,
    address: LocalAddress,
    owner: Owner,
    backlog: u16,
}

#[derive(Debug, Clone)]
enum Owner {
    /// This server opened it. A Unix socket's file goes with the last holder.
    Us { reuse_port: bool, _file: Option<Arc<UnixFile>> },
    /// Another process holds it too, and will serve what this one leaves.
    Another,
}

impl Bound {
    pub(super) fn tcp(address: SocketAddr, options: &ListenerOptions) -> io::Result<Self> {
        let open = || {
            let socket = RawSocket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
            // So that a restart need not wait for the old connections' TIME_WAIT.
            socket.set_reuse_address(true)?;
            socket.set_reuse_port(options.reuse_port)?;
            if address.is_ipv6() {
                socket.set_only_v6(!address.ip().is_unspecified())?;
            }
            // Accepted sockets inherit it: one system call saved on each connection.
            socket.set_tcp_nodelay(true)?;
            socket.bind(&address.into())?;
            socket.listen(options.backlog.into())?;
            Ok(socket)
        };
        let socket = open().map_err(|source| refused(&LocalAddress::Tcp(address), &source))?;
        let address = socket.local_addr()?.as_socket().unwrap_or(address);
        Ok(Self {
            descriptor: socket.into(),
            address: LocalAddress::Tcp(address),
            owner: Owner::Us { reuse_port: options.reuse_port, _file: None },
            backlog: options.backlog,
        })
    }

    pub(super) fn unix(path: &Path, options: &ListenerOptions) -> io::Result<Self> {
        let address = LocalAddress::Unix(path.to_owned());
        let open = || {
            let (socket, file) = UnixFile::bind(path, options.unix_mode)?;
            socket.listen(options.backlog.into())?;
            Ok((socket, file))
        };
        let (socket, file) = open().map_err(|source| refused(&address, &source))?;
        Ok(Self {
            descriptor: socket.into(),
            address,
            owner: Owner::Us { reuse_port: false, _file: Some(Arc::new(file)) },
            backlog: options.backlog,
        })
    }

    /// Takes over a socket that another process opened.
    pub(super) fn passed(descriptor: OwnedFd) -> io::Result<Self> {
        let socket = RawSocket::from(descriptor);
        socket.set_nonblocking(true)?;
        let address = match socket.local_addr()?.as_socket() {
            Some(address) => {
                set_tcp_nodelay(&socket, true)?;
                LocalAddress::Tcp(address)
            }
            None => LocalAddress::Unix(unix_path(&socket.local_addr()?)),
        };
        Ok(Self { descriptor: socket.into(), address, owner: Owner::Another, backlog: 0 })
    }

    /// Returns another socket for the same address, for another core: one with a queue of its own where
    /// `SO_REUSEPORT` allows it, else one that shares this one's.
    pub(crate) fn sibling(&self) -> io::Result<Self> {
        match (&self.owner, &self.address) {
            (Owner::Us { reuse_port: true, .. }, LocalAddress::Tcp(address)) => {
                let backlog = self.backlog;
                Self::tcp(*address, &ListenerOptions { backlog, reuse_port: true, ..Default::default() })
            }
            _ => Ok(Self {
                descriptor: self.descriptor.try_clone()?,
                address: self.address.clone(),
                owner: self.owner.clone(),
                backlog: self.backlog,
            }),
        }
    }

    pub(crate) fn address(&self) -> &LocalAddress {
        &self.address
    }

    pub(super) fn port(&self) -> Option<u16> {
        match &self.address {
            LocalAddress::Tcp(address) => Some(address.port()),
            LocalAddress::Unix(_) => None,
        }
    }

    /// Accepts one connection without waiting.
    pub(crate) fn accept(&self) -> io::Result<(Socket, PeerAddress)> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (descriptor, address) = acceptfrom_with(&self.descriptor, flags)?;
        if let LocalAddress::Unix(_) = self.address {
            let socket = Socket::unix(descriptor)?;
            let uid = match &socket {
                Socket::Unix(stream) => stream.peer_cred().ok().map(|credentials| credentials.uid()),
                Socket::Tcp(_) => None,
            };
            return Ok((socket, PeerAddress::Unix { uid }));
        }
        // A client that is gone already may have no address left: as good as aborted.
        let address = address.and_then(|address| SocketAddr::try_from(address).ok());
        let address = address.ok_or(Errno::CONNABORTED)?;
        Ok((Socket::tcp(descriptor)?, PeerAddress::Ip(address)))
    }

    /// Closes the kernel's queue to new connections, so that accepting until it is empty comes to an end.
    ///
    /// Returns `false` for a passed socket: what waits there is served by the process that holds it next.
    pub(crate) fn close_queue(&self) -> bool {
        match self.owner {
            Owner::Us { .. } => match listen(&self.descriptor, 0) {
                Ok(()) => true,
                Err(error) => {
                    tracing::debug!(%error, "could not close the queue of {}", self.address);
                    true
                }
            },
            Owner::Another => false,
        }
    }
}

impl AsFd for Bound {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl std::os::fd::AsRawFd for Bound {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.descriptor.as_raw_fd()
    }
}

fn unix_path(address: &SockAddr) -> std::path::PathBuf {
    address.as_pathname().map(Path::to_owned).unwrap_or_default()
}

/// Says what went wrong on which address, and what to do about it.
fn refused(address: &LocalAddress, source: &io::Error) -> io::Error {
    let advice = match (source.kind(), address) {
        (io::ErrorKind::AddrInUse, LocalAddress::Tcp(tcp)) => format!(
            "; another program listens there (`ss -ltnp 'sport = :{}'` names it): stop it or choose another port",
            tcp.port()
        ),
        (io::ErrorKind::PermissionDenied, LocalAddress::Tcp(tcp)) if tcp.port() < 1024 => {
            "; ports below 1024 are for root: choose a higher one, let systemd pass the socket, or grant \
             CAP_NET_BIND_SERVICE"
                .to_owned()
        }
        (io::ErrorKind::AddrNotAvailable, LocalAddress::Tcp(_)) => {
            "; no network interface of this machine has that address (`ip address` lists them)".to_owned()
        }
        (io::ErrorKind::NotFound, LocalAddress::Unix(_)) => "; make its directory first".to_owned(),
        _ => String::new(),
    };
    io::Error::new(source.kind(), format!("cannot listen on {address}: {source}{advice}"))
}

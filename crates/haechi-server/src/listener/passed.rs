//! Sockets that the process before us opened: systemd's socket activation, or a restart without a gap.

use std::env;
use std::io;
use std::sync::{Mutex, PoisonError};

use listenfd::ListenFd;

use super::Bound;

/// Takes the passed sockets of this name, or all that are left; each socket can be taken once.
pub(super) fn take(name: Option<&str>) -> io::Result<Vec<Bound>> {
    let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    let passed = passed.get_or_insert_with(Passed::from_environment);
    let mut sockets = Vec::new();
    for index in 0..passed.descriptors.len() {
        let named = passed.names.get(index).map(String::as_str);
        if name.is_none_or(|name| Some(name) == named)
            && let Some(socket) = passed.take(index)?
        {
            sockets.push(socket);
        }
    }
    if sockets.is_empty() {
        return Err(passed.nothing_for(name));
    }
    Ok(sockets)
}

/// Descriptors belong to the process and can be owned once, so what was passed is a static by its nature.
static PASSED: Mutex<Option<Passed>> = Mutex::new(None);

struct Passed {
    descriptors: ListenFd,
    names: Vec<String>,
}

impl Passed {
    fn from_environment() -> Self {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        Self { descriptors: ListenFd::from_env(), names: names.split(':').map(str::to_owned).collect() }
    }

    fn take(&mut self, index: usize) -> io::Result<Option<Bound>> {
        let descriptor = match self.descriptors.take_tcp_listener(index) {
            Ok(listener) => listener.map(Into::into),
            Err(_not_tcp) => self.descriptors.take_unix_listener(index)?.map(Into::into),
        };
        descriptor.map(Bound::passed).transpose()
    }

    fn nothing_for(&self, name: Option<&str>) -> io::Error {
        let message = match name {
            _ if self.descriptors.len() == 0 => {
                "no socket was passed to this process: start it by a systemd socket unit, or write an address \
                 like \"127.0.0.1:8888\""
                    .to_owned()
            }
            Some(name) => format!(
                "no passed socket is named {name:?}; the names are {:?} (FileDescriptorName= in the socket unit)",
                self.names
            ),
            None => "every passed socket is in use already".to_owned(),
        };
        io::Error::new(io::ErrorKind::NotFound, message)
    }
}

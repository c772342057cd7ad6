//! Random bytes for secrets.

use rand::Rng;

/// Returns `N` bytes of the thread's generator (ChaCha12, seeded and reseeded by the system), fit for secrets.
///
/// The system call and the TLS library's generator cost 20 and 400 times as much a call and add nothing here.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

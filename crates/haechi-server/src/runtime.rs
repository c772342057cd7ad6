//! How a server uses the cores.

use std::io;

use tokio::runtime::Builder;

/// How a server uses the cores.
///
/// Measured on two cores, one runtime per core is worth 0 to 9 % on HTTP, and it hurts when connections
/// are uneven or a handler sticks, since no other core can help out. So threads that share their work are the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Runtime {
    /// One runtime, whose threads take work from each other.
    #[default]
    MultiThread,
    /// One single-threaded runtime for each core. Listeners opened with
    /// [`reuse_port`](crate::ListenerOptions::reuse_port) get a queue for each core; others share theirs.
    PerCore,
}

/// Runs a program's main future on a runtime of this kind, to its end.
///
/// Give the same kind to [`Server::runtime`](crate::Server::runtime), which starts the other cores.
///
/// Blocking calls still running when the future ends are not waited for: a second signal must be able to end the
/// program.
///
/// # Errors
///
/// When the threads of the runtime cannot be started.
///
/// # Examples
///
/// ```
/// use haechi_server::{Runtime, run};
///
/// let answer = run(Runtime::MultiThread, async { 42 })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn run<T>(kind: Runtime, main: impl Future<Output = T>) -> io::Result<T> {
    let mut builder = match kind {
        Runtime::MultiThread => Builder::new_multi_thread(),
        Runtime::PerCore => Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build()?;
    let value = runtime.block_on(main);
    runtime.shutdown_background();
    Ok(value)
}

//! Tells local programs the time of day over a Unix socket: `cargo run --example unix_service /tmp/clock.sock`, then
//! `nc -U /tmp/clock.sock`. Only the user who runs it may connect.

use std::env;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use haechi_server::{Listener, Runtime, Server, Stream, run};

fn main() -> io::Result<()> {
    run(Runtime::MultiThread, serve())?
}

async fn serve() -> io::Result<()> {
    let path = env::args().nth(1).unwrap_or_else(|| "/tmp/clock.sock".to_owned());
    let listener = Listener::bind(&format!("unix:{path}"))?;
    println!("The clock is at {}", listener.local_addresses()[0]);
    Server::new().listen(listener, tell).run().await?;
    Ok(())
}

async fn tell(mut stream: Stream) -> io::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    let peer = &stream.peer().address;
    let answer = format!("Hello, {peer}! {} seconds have passed since 1970.\n", now.as_secs());
    stream.write_all(answer.as_bytes()).await
}

//! Sends every line back: `cargo run --example line_echo`, then `nc localhost 8891`.

use std::env;
use std::io;

use haechi_server::{Listener, Runtime, Server, Stream, run};

fn main() -> io::Result<()> {
    run(Runtime::MultiThread, serve())?
}

async fn serve() -> io::Result<()> {
    let address = env::var("HAECHI_BIND").unwrap_or_else(|_| "localhost:8891".to_owned());
    let listener = Listener::bind(&address)?;
    println!("Lines come back from {}", listener.local_addresses()[0]);
    Server::new().listen(listener, echo).run().await?;
    Ok(())
}

async fn echo(mut stream: Stream) -> io::Result<()> {
    while let Some(line) = stream.read_line(1024).await? {
        stream.write_all(format!("{line}\n").as_bytes()).await?;
    }
    Ok(())
}

//! Greets every client on a raw socket: `cargo run --example hello_socket`, then `cargo run --example hello_client`.

use std::env;
use std::io;

use haechi_server::{Listener, Runtime, Server, Stream, run};

fn main() -> io::Result<()> {
    run(Runtime::MultiThread, serve())?
}

async fn serve() -> io::Result<()> {
    let address = env::var("HAECHI_BIND").unwrap_or_else(|_| "localhost:8888".to_owned());
    let server = Server::new().listen(Listener::bind(&address)?, greet);
    println!("Waiting for connection...");
    server.run().await?;
    Ok(())
}

async fn greet(mut stream: Stream) -> io::Result<()> {
    println!("Connected to {}", stream.peer().address);
    let request = stream.read_up_to(1024).await?;
    println!("Received data: {}", String::from_utf8_lossy(&request));
    stream.write_all(b"Hello, client!").await
}

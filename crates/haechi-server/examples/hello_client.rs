//! Greets a server and prints its answer: `cargo run --example hello_client [host:port]`.

use std::env;
use std::io;
use std::time::Duration;

use haechi_server::{Connect, Runtime, run};

fn main() -> io::Result<()> {
    run(Runtime::MultiThread, greet())?
}

async fn greet() -> io::Result<()> {
    let server = env::args().nth(1).unwrap_or_else(|| "localhost:8888".to_owned());
    let mut stream = Connect::new().deadline(Duration::from_secs(5)).tcp(&server).await?;
    stream.write_all(b"Hello, server!").await?;
    let answer = stream.read_up_to(1024).await?;
    println!("Received data: {}", String::from_utf8_lossy(&answer));
    Ok(())
}

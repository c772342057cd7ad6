//! A plain axum application on `haechi-server`: limits, deadlines and a drain on SIGTERM, nothing else changed.
//!
//! `cargo run -p haechi-server --example axum_plain [address]`, then `curl http://localhost:8888/`.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use haechi_server::http::Http;
use haechi_server::{Listener, Runtime, Server, run};

fn main() -> std::io::Result<()> {
    let named = std::env::args().nth(1).or_else(|| std::env::var("HAECHI_BIND").ok());
    let address = named.unwrap_or_else(|| "localhost:8888".to_owned());
    run(Runtime::MultiThread, serve(&address))?
}

async fn serve(address: &str) -> std::io::Result<()> {
    let big = Bytes::from(vec![b'.'; 16 * 1024 * 1024]);
    let site = Router::new()
        .route("/", get(|| async { "Hello, client!\n" }))
        .route("/slow", get(slow))
        .route("/big", get(async move || big))
        .route("/echo", post(|body: Bytes| async move { body }));
    let listener = Listener::bind(address)?;
    println!("Listening on {:?}", listener.local_addresses());
    let drained = Server::new().listen(listener, Http::new(site)).run().await?;
    println!("Ended: {drained:?}");
    Ok(())
}

/// Takes long enough to be in flight when the server is told to stop.
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(200)).await;
    "slowly\n"
}

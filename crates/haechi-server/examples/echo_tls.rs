//! Sends every byte back over TLS: `cargo run --example echo_tls`, then
//! `openssl s_client -quiet -connect localhost:8889`.
//!
//! `HAECHI_TLS_CERTIFICATE` and `HAECHI_TLS_KEY` name a certificate and key in PEM form; without them a development
//! certificate is made.

use std::env;
use std::io;

use haechi_server::{Certificate, Listener, Runtime, Server, Stream, run};

fn main() -> io::Result<()> {
    run(Runtime::MultiThread, serve())?
}

async fn serve() -> io::Result<()> {
    let certificate = match (env::var_os("HAECHI_TLS_CERTIFICATE"), env::var_os("HAECHI_TLS_KEY")) {
        (Some(chain), Some(key)) => Certificate::files(chain, key)?,
        _ => Certificate::development(env::temp_dir().join("haechi-development.pem"))?,
    };
    let address = env::var("HAECHI_BIND").unwrap_or_else(|_| "localhost:8889".to_owned());
    let listener = Listener::bind(&address)?.tls(certificate);
    println!("Echoing on {}", listener.local_addresses()[0]);
    Server::new().listen(listener, echo).run().await?;
    Ok(())
}

async fn echo(mut stream: Stream) -> io::Result<()> {
    loop {
        let bytes = stream.read_up_to(8192).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        stream.write_all(&bytes).await?;
    }
}

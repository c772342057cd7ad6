//! A room for everyone who connects, a line at a time: `cargo run --example chat`, then `nc localhost 8890` twice.

use std::env;
use std::io;
use std::pin::pin;
use std::time::Duration;

use haechi_server::{Listener, Runtime, Server, Stream, run};
use tokio::sync::broadcast::{Sender, error::RecvError};

fn main() -> io::Result<()> {
    run(Runtime::MultiThread, serve())?
}

async fn serve() -> io::Result<()> {
    let address = env::var("HAECHI_BIND").unwrap_or_else(|_| "localhost:8890".to_owned());
    let listener = Listener::bind(&address)?;
    println!("The room is on {}", listener.local_addresses()[0]);
    let room = Sender::new(64);
    Server::new().listen(listener, move |stream| chat(stream, room.clone())).run().await?;
    Ok(())
}

async fn chat(mut stream: Stream, room: Sender<String>) -> io::Result<()> {
    stream.set_idle(Duration::from_secs(3600));
    let mut heard = room.subscribe();
    let mut draining = pin!(stream.connection().draining());
    loop {
        tokio::select! {
            line = stream.read_line(512) => {
                let Some(line) = line? else { return Ok(()) };
                let from = stream.peer().address.to_string();
                // There is a receiver as long as we are here; how many is not our business.
                let _listeners = room.send(format!("{from}: {line}\n")).unwrap_or(0);
            }
            said = heard.recv() => match said {
                Ok(said) => stream.write_all(said.as_bytes()).await?,
                Err(RecvError::Lagged(missed)) => {
                    stream.write_all(format!("({missed} lines missed)\n").as_bytes()).await?;
                }
                Err(RecvError::Closed) => return Ok(()),
            },
            () = &mut draining => return Ok(()),
        }
    }
}

//! Raw services from end to end.

use std::io;
use std::time::Duration;

use haechi_server::{Connect, Limits, Listener, ListenerOptions, Runtime, Server, Shutdown, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::running::{Running, ask, echo, patience, rest, whoami};

#[tokio::test]
async fn a_service_answers_over_tcp() {
    let server = Running::start(Limits::default(), echo);
    assert_eq!(ask(server.connect().await, b"hello").await, "hello");
    let mut stream = Connect::new().tcp(&server.address.to_string()).await.unwrap();
    stream.write_all(b"one\n").await.unwrap();
    assert_eq!(stream.read_line(80).await.unwrap().unwrap(), "one");
    drop(stream);
    assert_eq!(server.drain().await.accepted, 2);
}

#[tokio::test]
async fn a_service_answers_over_a_unix_socket_and_knows_the_user() {
    let directory = std::env::temp_dir().join(format!("haechi-raw-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("service.sock");
    let server =
        Running::on(Listener::bind(&format!("unix:{}", path.display())).unwrap(), Limits::default(), whoami);
    let mut stream = Connect::new().unix(&path).await.unwrap();
    let user = rustix::process::getuid().as_raw();
    assert_eq!(stream.read_line(80).await.unwrap().unwrap(), format!("unix:uid={user} Socket"));
    drop(stream);
    server.drain().await;
    assert!(!path.exists(), "the socket's file goes with the server");
    std::fs::remove_dir(directory).unwrap();
}

#[tokio::test]
async fn an_answer_arrives_although_the_request_was_not_read() {
    async fn hasty(mut stream: Stream) -> io::Result<()> {
        stream.read_up_to(10).await?;
        stream.write_all(b"enough").await
    }
    let server = Running::start(Limits::default(), hasty);
    for _ in 0..20 {
        let mut client = server.connect().await;
        client.write_all(&[b'x'; 100_000]).await.unwrap();
        assert_eq!(rest(&mut client).await, "enough");
    }
}

#[tokio::test]
async fn a_silent_client_is_closed() {
    let limits = Limits { first_byte: Duration::from_millis(50), ..Limits::default() };
    let server = Running::start(limits, echo);
    let mut client = server.connect().await;
    assert_eq!(rest(&mut client).await, "");
}

#[tokio::test]
async fn a_panic_ends_its_connection_and_nothing_else() {
    async fn fragile(mut stream: Stream) -> io::Result<()> {
        while let Some(line) = stream.read_line(80).await? {
            assert_ne!(line, "boom", "asked to");
            stream.write_all(b"fine\n").await?;
        }
        Ok(())
    }
    let server = Running::start(Limits::default(), fragile);
    let mut bystander = server.connect().await;
    assert_eq!(ask(server.connect().await, b"boom\n").await, "");
    let mut answer = [0; 5];
    bystander.write_all(b"hi\n").await.unwrap();
    patience(bystander.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"fine\n");
    assert_eq!(ask(server.connect().await, b"hi\n").await, "fine\n");
}

#[tokio::test]
async fn at_the_limit_clients_wait_in_the_order_they_came() {
    let server = Running::start(Limits { connections: 1, ..Limits::default() }, echo);
    let mut first = server.connect().await;
    first.write_all(b"x").await.unwrap();
    first.read_exact(&mut [0]).await.unwrap();
    let mut second = server.connect().await;
    second.write_all(b"y").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), second.read_exact(&mut [0])).await;
    assert!(early.is_err(), "served beyond the limit");
    drop(first);
    patience(second.read_exact(&mut [0])).await.unwrap();
}

#[tokio::test]
async fn at_the_limit_idle_connections_make_room() {
    async fn idler(mut stream: Stream) -> io::Result<()> {
        stream.write_all(b"x").await?;
        stream.connection().pressed().await;
        Ok(())
    }
    let server = Running::start(Limits { connections: 3, ..Limits::default() }, idler);
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = server.connect().await;
        patience(client.read_exact(&mut [0])).await.unwrap();
        clients.push(client);
    }
    assert_eq!(rest(&mut clients[0]).await, "", "the longest idle went first");
    let newest = tokio::time::timeout(Duration::from_millis(200), clients[9].read(&mut [0])).await;
    assert!(newest.is_err(), "the newest stays");
}

#[tokio::test]
async fn every_core_serves() {
    let options = ListenerOptions { reuse_port: true, ..ListenerOptions::default() };
    for listener in [options.bind("127.0.0.1:0").unwrap(), Listener::bind("127.0.0.1:0").unwrap()] {
        let address = listener.local_addresses()[0].to_string();
        let shutdown = Shutdown::new();
        let server =
            Server::new().runtime(Runtime::PerCore).shutdown(shutdown.clone()).listen(listener, echo).run();
        let server = tokio::spawn(server);
        for _ in 0..20 {
            let client = tokio::net::TcpStream::connect(&address).await.unwrap();
            assert_eq!(ask(client, b"hello").await, "hello");
        }
        shutdown.drain();
        let counts = patience(server).await.unwrap().unwrap();
        assert_eq!((counts.accepted, counts.aborted), (20, 0));
    }
}

#[tokio::test]
async fn a_server_without_a_listener_says_what_to_add() {
    let error = Server::new().run().await.unwrap_err();
    assert!(error.to_string().contains(".listen("), "{error}");
}

//! Sockets from the process before, and plain Python at the other end.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::child::{Child, has, path};

fn greet(mut stream: TcpStream) -> String {
    stream.write_all(b"Hello, server!").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_passed_socket_is_taken_by_its_name_or_with_all_others() {
    for name in ["systemd", "fd:web"] {
        let mut child = Child::start("hello_socket", &[("HAECHI_BIND", name)]);
        assert_eq!(greet(TcpStream::connect(child.address).unwrap()), "Hello, client!");
        assert!(child.line().starts_with("Connected to 127.0.0.1:"));
        assert_eq!(child.line(), "Received data: Hello, server!");
        child.signal(Signal::TERM);
        assert_eq!((child.code(), child.output()), (Some(0), String::new()));
    }
}

#[test]
fn a_client_that_comes_between_two_processes_is_served_by_the_second() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut first = Child::start_on(&socket, "hello_socket", &[]);
    assert_eq!(greet(TcpStream::connect(first.address).unwrap()), "Hello, client!");
    first.signal(Signal::TERM);
    assert_eq!(first.code(), Some(0));
    let between = TcpStream::connect(socket.local_addr().unwrap()).unwrap();
    let _second = Child::start_on(&socket, "hello_socket", &[]);
    assert_eq!(greet(between), "Hello, client!");
}

#[test]
fn a_missing_passed_socket_is_explained() {
    for (bind, descriptors, expected) in [
        ("systemd", "0", "no socket was passed to this process"),
        ("fd:other", "1", "no passed socket is named \\\"other\\\""),
    ] {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let output = Command::new(path("hello_socket"))
            .envs([("HAECHI_BIND", bind), ("LISTEN_FDS", descriptors), ("LISTEN_FDS_FIRST_FD", "0")])
            .env("LISTEN_FDNAMES", "web")
            .stdin(std::os::fd::OwnedFd::from(socket))
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(expected), "{error}");
    }
}

#[test]
fn a_plain_python_client_talks_to_our_server() {
    if !has("python3") {
        return;
    }
    let child = Child::start("hello_socket", &[]);
    let script = "import socket, sys\n\
        s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n\
        s.sendall(b'Hello, server!')\n\
        print(s.recv(1024).decode())\n\
        assert s.recv(1) == b''";
    let output =
        Command::new("python3").args(["-c", script, &child.address.port().to_string()]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Hello, client!\n");
    assert!(output.status.success());
}

#[test]
fn our_client_talks_to_a_plain_python_server() {
    if !has("python3") {
        return;
    }
    let script = "import socket\n\
        s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n\
        print(s.getsockname()[1], flush=True)\n\
        c, _ = s.accept()\n\
        print(c.recv(1024).decode())\n\
        c.sendall(b'Hello, client!'); c.close()";
    let mut server = Command::new("python3").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = std::io::BufReader::new(server.stdout.take().unwrap());
    let mut port = String::new();
    std::io::BufRead::read_line(&mut output, &mut port).unwrap();
    let client =
        Command::new(path("hello_client")).arg(format!("127.0.0.1:{}", port.trim())).output().unwrap();
    assert_eq!(String::from_utf8(client.stdout).unwrap(), "Received data: Hello, client!\n");
    let mut heard = String::new();
    output.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "Hello, server!\n");
    assert!(server.wait().unwrap().success());
}

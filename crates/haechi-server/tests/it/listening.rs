//! Addresses: what can be listened on, and what is said when it cannot.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use haechi_server::{Certificate, Limits, Listener, ListenerOptions, Server};

use crate::running::{Running, ask, echo};

#[track_caller]
fn check_refused(address: &str, expected: &str) {
    let error = Listener::bind(address).unwrap_err().to_string();
    assert!(error.contains(address.trim_start_matches("unix:")) && error.contains(expected), "{error}");
}

#[test]
fn an_address_that_cannot_be_listened_on_is_explained() {
    let taken = Listener::bind("127.0.0.1:0").unwrap();
    check_refused(&taken.local_addresses()[0].to_string(), "another program listens there (`ss -ltnp");
    check_refused("127.0.0.1", "write an address and a port like");
    check_refused("192.0.2.1:80", "no network interface of this machine has that address");
    check_refused("no-such-host.invalid:80", "cannot listen on");
    check_refused("unix:/no/such/directory/app.sock", "make its directory first");
}

#[tokio::test]
async fn localhost_is_every_address_of_that_name() {
    let listener = Listener::bind("localhost:0").unwrap();
    assert!(listener.local_addresses().iter().all(haechi_server::LocalAddress::is_local));
    let ports: Vec<_> = listener
        .local_addresses()
        .iter()
        .map(|a| a.to_string().rsplit_once(':').unwrap().1.to_owned())
        .collect();
    assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    let server = Running::on(listener, Limits::default(), echo);
    assert_eq!(ask(server.connect().await, b"hi").await, "hi");
}

#[tokio::test]
async fn the_unspecified_ipv6_address_serves_ipv4_as_well() {
    let listener = Listener::bind("[::]:0").unwrap();
    let server = Running::on(listener, Limits::default(), echo);
    let address = ("127.0.0.1", server.address.port());
    assert_eq!(ask(tokio::net::TcpStream::connect(address).await.unwrap(), b"hi").await, "hi");
}

#[test]
fn a_shared_port_is_asked_for_on_both_sides() {
    let shared = ListenerOptions { reuse_port: true, ..ListenerOptions::default() };
    let first = shared.bind("127.0.0.1:0").unwrap();
    let address = first.local_addresses()[0].to_string();
    shared.bind(&address).unwrap();
    check_refused(&address, "another program listens there");
}

fn scratch(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("haechi-listening-{}-{name}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn mode(path: &PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_unix_socket_is_its_owners_unless_widened_and_goes_with_the_listener() {
    let directory = scratch("mode");
    let path = directory.join("app.sock");
    let address = format!("unix:{}", path.display());
    let listener = Listener::bind(&address).unwrap();
    assert_eq!(mode(&path), 0o600);
    drop(listener);
    assert!(!path.exists());
    let listener = ListenerOptions { unix_mode: 0o666, ..ListenerOptions::default() }.bind(&address).unwrap();
    assert_eq!(mode(&path), 0o666);
    drop(listener);
    fs::remove_dir(directory).unwrap();
}

#[test]
fn a_dead_servers_socket_is_replaced_and_a_living_ones_is_not() {
    let directory = scratch("stale");
    let path = directory.join("app.sock");
    let address = format!("unix:{}", path.display());
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "what a crash leaves behind");
    let alive = Listener::bind(&address).unwrap();
    check_refused(&address, "another server listens there");
    drop(alive);

    fs::write(&path, "a letter").unwrap();
    check_refused(&address, "not a socket");
    assert_eq!(fs::read_to_string(&path).unwrap(), "a letter");
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_listener_does_not_remove_the_socket_of_its_successor() {
    let directory = scratch("successor");
    let path = directory.join("app.sock");
    let address = format!("unix:{}", path.display());
    let first = Listener::bind(&address).unwrap();
    fs::remove_file(&path).unwrap();
    let second = Listener::bind(&address).unwrap();
    drop(first);
    assert!(path.exists());
    drop(second);
    fs::remove_dir(directory).unwrap();
}

#[tokio::test]
async fn a_development_certificate_is_for_this_machine_only() {
    let directory = scratch("development");
    let file = directory.join("development.pem");
    let certificate = Certificate::development(&file).unwrap();
    assert_eq!(mode(&file), 0o600);
    let listener = Listener::bind("0.0.0.0:0").unwrap().tls(certificate);
    let error = Server::new().listen(listener, echo).run().await.unwrap_err();
    assert!(error.to_string().contains("for this machine only"), "{error}");
    fs::remove_dir_all(directory).unwrap();
}

//! TLS: what is spoken, what is refused, and certificates that change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use haechi_server::{Certificate, Connect, Connection, Limits, Listener, Protocol, Stream};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use crate::child::has;
use crate::running::{Running, ask, echo, patience, rest};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("haechi-tls-{}-{name}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a fresh certificate for localhost and its key.
    fn issue(&self) -> (PathBuf, PathBuf) {
        let issued =
            rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        fs::write(self.file("chain.pem"), issued.cert.pem()).unwrap();
        fs::write(self.file("key.pem"), issued.signing_key.serialize_pem()).unwrap();
        (self.file("chain.pem"), self.file("key.pem"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn secured(file: &Path) -> Listener {
    Listener::bind("127.0.0.1:0").unwrap().tls(Certificate::development(file).unwrap())
}

#[tokio::test]
async fn our_client_talks_to_our_server() {
    let scratch = Scratch::new("ours");
    let server = Running::on(secured(&scratch.file("d.pem")), Limits::default(), echo);
    let connect = Connect::new().roots(scratch.file("d.pem"));
    let mut stream = connect.tls(&server.address.to_string()).await.unwrap();
    stream.write_all(b"hello\n").await.unwrap();
    assert_eq!(stream.read_line(80).await.unwrap().unwrap(), "hello");
    assert_eq!(stream.peer().tls.as_ref().unwrap().version, "TLSv1.3");
    stream.shutdown().await.unwrap();
    // An orderly end: rustls reports a connection cut without close_notify as an error.
    assert!(stream.read_up_to(1).await.unwrap().is_empty());
}

/// asvs_12_3_2: our client verifies.
#[tokio::test]
async fn a_server_that_cannot_prove_its_name_is_refused() {
    let scratch = Scratch::new("unproven");
    let server = Running::on(secured(&scratch.file("d.pem")), Limits::default(), echo);
    let error = Connect::new().tls(&server.address.to_string()).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    let (other, _) = scratch.issue();
    let error = Connect::new().roots(other).tls(&server.address.to_string()).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

/// asvs_11_6_2: X25519MLKEM768, where the client speaks it.
#[tokio::test]
async fn the_key_exchange_is_post_quantum_by_default() {
    let scratch = Scratch::new("quantum");
    let server = Running::on(secured(&scratch.file("d.pem")), Limits::default(), echo);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(scratch.file("d.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, server.connect().await).await.unwrap();
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
}

/// asvs_12_1_1, asvs_12_1_2: 1.3 and 1.2 only, with suites that are authenticated and forward secret.
#[tokio::test]
async fn openssl_gets_tls_1_3_and_1_2_and_nothing_older() {
    if !has("openssl") {
        return;
    }
    let scratch = Scratch::new("openssl");
    let server = Running::on(secured(&scratch.file("d.pem")), Limits::default(), echo);
    for (version, suites, accepted) in [
        ("-tls1_3", "ALL", true),
        ("-tls1_2", "ALL", true),
        ("-tls1_1", "ALL", false),
        ("-tls1", "ALL", false),
        ("-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256", true),
        ("-tls1_2", "ECDHE-ECDSA-CHACHA20-POLY1305", true),
        ("-tls1_2", "ECDHE-ECDSA-AES128-SHA", false),
        ("-tls1_2", "ECDHE-ECDSA-AES256-SHA384", false),
        ("-tls1_2", "AES128-GCM-SHA256", false),
        ("-tls1_2", "AES128-SHA", false),
        ("-tls1_2", "ADH-AES128-GCM-SHA256", false),
        ("-tls1_2", "NULL", false),
    ] {
        check_openssl(&server, &[version, "-cipher", &format!("{suites}:@SECLEVEL=0")], accepted).await;
    }
}

/// asvs_11_6_1: a client that can verify nothing but SHA-1 or MD5 gets no signature of ours.
#[tokio::test]
async fn asvs_11_6_1_openssl_gets_no_signature_over_a_broken_hash() {
    if !has("openssl") {
        return;
    }
    let scratch = Scratch::new("signature");
    let server = Running::on(secured(&scratch.file("d.pem")), Limits::default(), echo);
    for (version, algorithms, accepted) in [
        ("-tls1_2", "ECDSA+SHA256", true),
        ("-tls1_3", "ecdsa_secp256r1_sha256", true),
        ("-tls1_2", "ECDSA+SHA1", false),
        ("-tls1_2", "RSA+SHA1", false),
        ("-tls1_2", "RSA+MD5", false),
        ("-tls1_2", "DSA+SHA1", false),
        ("-tls1_3", "ECDSA+SHA1", false),
    ] {
        let arguments = [version, "-cipher", "ALL:@SECLEVEL=0", "-sigalgs", algorithms];
        check_openssl(&server, &arguments, accepted).await;
    }
}

async fn check_openssl(server: &Running, arguments: &[&str], accepted: bool) {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-brief"]).args(arguments).arg("-connect");
    command.arg(server.address.to_string()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = patience(output).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.contains("CONNECTION ESTABLISHED"), accepted, "{arguments:?}: {said}");
}

/// asvs_12_2_1: no TLS port speaks plain text by itself.
#[tokio::test]
async fn plain_bytes_on_a_tls_port_are_closed_or_answered_where_asked() {
    async fn redirect(mut stream: Stream) -> io::Result<()> {
        stream.read_line(80).await?;
        stream.write_all(b"use TLS").await
    }
    let scratch = Scratch::new("plain");
    let file = scratch.file("d.pem");
    let closing = Running::on(secured(&file), Limits::default(), echo);
    let answering = Running::on(secured(&file).on_plain(redirect), Limits::default(), echo);
    let answer = ask(closing.connect().await, b"GET / HTTP/1.1\r\n").await;
    assert!(answer.is_empty() || answer == "<ConnectionReset>", "{answer}");
    assert_eq!(ask(answering.connect().await, b"GET / HTTP/1.1\r\n").await, "use TLS");
    let mut stream = Connect::new().roots(&file).tls(&answering.address.to_string()).await.unwrap();
    stream.write_all(b"secret").await.unwrap();
    assert_eq!(stream.read_up_to(80).await.unwrap(), b"secret");
}

#[tokio::test]
async fn a_half_open_handshake_is_cut() {
    let scratch = Scratch::new("half");
    let limits = Limits { handshake: Duration::from_millis(100), ..Limits::default() };
    let server = Running::on(secured(&scratch.file("d.pem")), limits, echo);
    let (mut silent, mut half) = (server.connect().await, server.connect().await);
    half.write_all(b"\x16\x03\x01\x02\0\x01\0\x01\xfc").await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
    let answer = rest(&mut half).await;
    assert!(answer.is_empty() || answer == "<ConnectionReset>", "{answer}");
}

#[tokio::test]
async fn alpn_offers_what_the_protocol_names() {
    struct Named;
    impl Protocol for Named {
        fn alpn(&self) -> Vec<Vec<u8>> {
            vec![b"second".to_vec(), b"first".to_vec()]
        }
        async fn serve<S>(&self, mut stream: S, connection: Connection) -> io::Result<()>
        where
            S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        {
            let tls = connection.peer().tls.clone().unwrap();
            stream.write_all(&tls.alpn.unwrap()).await?;
            stream.write_all(tls.server_name.unwrap_or_default().as_bytes()).await?;
            stream.shutdown().await
        }
    }
    let scratch = Scratch::new("alpn");
    let server = Running::on(secured(&scratch.file("d.pem")), Limits::default(), Named);
    let connect = Connect::new().roots(scratch.file("d.pem")).alpn([b"other".to_vec(), b"first".to_vec()]);
    let mut stream = connect.tls(&format!("localhost:{}", server.address.port())).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "firstlocalhost");
    assert_eq!(stream.peer().tls.as_ref().unwrap().alpn.as_deref(), Some(b"first".as_slice()));
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_and_open_connections_go_on() {
    let scratch = Scratch::new("renewed");
    let (chain, key) = scratch.issue();
    let certificate = Certificate::files(&chain, &key).unwrap();
    let listener = Listener::bind("127.0.0.1:0").unwrap().tls(certificate.clone());
    let server = Running::on(listener, Limits::default(), echo);
    let address = server.address.to_string();
    let mut open = Connect::new().roots(&chain).tls(&address).await.unwrap();
    let old = scratch.file("old.pem");
    fs::copy(&chain, &old).unwrap();
    assert!(!certificate.reload_if_changed().unwrap());

    // Half of a renewal: the chain is there, its key is not yet.
    let old_key = fs::read(&key).unwrap();
    scratch.issue();
    let new_key = fs::read(&key).unwrap();
    fs::write(&key, old_key).unwrap();
    let error = certificate.reload_if_changed().unwrap_err().to_string();
    assert!(error.contains("key.pem") && error.contains("chain.pem"), "{error}");
    Connect::new().roots(&old).tls(&address).await.unwrap();

    fs::write(&key, new_key).unwrap();
    assert!(certificate.reload_if_changed().unwrap());
    Connect::new().roots(&chain).tls(&address).await.unwrap();
    assert!(Connect::new().roots(&old).tls(&address).await.is_err());
    open.write_all(b"still here").await.unwrap();
    assert_eq!(open.read_up_to(80).await.unwrap(), b"still here");
}

#[test]
fn files_that_hold_no_certificate_are_named() {
    let scratch = Scratch::new("files");
    let (chain, key) = scratch.issue();
    let empty = scratch.file("empty.pem");
    fs::write(&empty, "").unwrap();
    for (chain, key, named) in
        [(&empty, &key, "empty.pem"), (&chain, &empty, "empty.pem"), (&chain, &chain, "chain.pem")]
    {
        let error = Certificate::files(chain, key).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

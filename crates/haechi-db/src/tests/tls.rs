//! A server that proves who it is, and those that do not, each a real PostgreSQL.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    path::PathBuf,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType, date_time_ymd};

use super::{cluster::Cluster, scalar, scratch::folder};
use crate::{Db, ErrorKind, Options, Result};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An authority whose root stands in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    root: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let root = folder().join(format!("{name}.pem"));
        fs::write(&root, issuer.pem()).unwrap();
        Authority { issuer, root }
    }

    /// A certificate for addresses and no name, until a year; and its key.
    fn certify(&self, addresses: &[IpAddr], until: i32) -> (String, String) {
        let mut params = CertificateParams::new([]).unwrap();
        params.subject_alt_names = addresses.iter().copied().map(SanType::IpAddress).collect();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(self.root.parent().unwrap()));
    }
}

/// The address that others have of this machine, if it has one; no packet is sent to find out.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

async fn ask(host: &str, port: u16, settings: &str) -> Result<bool> {
    let url = format!("postgres://postgres@{host}:{port}/postgres?{settings}");
    let db = Db::connect(&url.parse()?, Options::default()).await?;
    scalar(&db, "select ssl from pg_stat_ssl where pid = pg_backend_pid()").await
}

#[track_caller]
fn refused(outcome: &Result<bool>, why: &str) {
    let error = outcome.as_ref().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Untrusted(_)), "{error:?}");
    assert!(error.to_string().contains(why), "{error}");
    assert!(error.retry_after().is_some(), "a 503 for a visitor");
}

#[tokio::test]
async fn only_a_server_that_proves_its_name_is_spoken_to() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let addresses: Vec<_> = [Some(HERE), outer_address()].into_iter().flatten().collect();
    let (certificate, key) = ours.certify(&addresses, 2999);
    let Some((mut cluster, port)) = Cluster::on(&addresses, &certificate, &key) else { return };
    let full = format!("sslmode=verify-full&sslrootcert={}", ours.root.display());
    assert!(ask("127.0.0.1", port, &full).await.unwrap(), "the right name by the right authority");
    // The certificate is for the address only.
    refused(&ask("localhost", port, &full).await, "another name");
    let stranger = format!("sslmode=verify-full&sslrootcert={}", other.root.display());
    refused(&ask("127.0.0.1", port, &stranger).await, "not trusted");
    refused(&ask("127.0.0.1", port, "sslmode=verify-full").await, "not trusted");
    if let Some(outer) = addresses.get(1).map(ToString::to_string) {
        let root = format!("sslrootcert={}", ours.root.display());
        assert!(ask(&outer, port, &root).await.unwrap(), "another machine is verified unasked");
        refused(&ask(&outer, port, "").await, "not trusted");
        let plain = ask(&outer, port, "sslmode=disable").await.unwrap_err();
        assert!(matches!(plain.kind(), ErrorKind::Configuration(_)), "{plain:?}");
    }
    let (expired, key) = ours.certify(&addresses, 2021);
    cluster.present(&expired, &key);
    assert!(cluster.control("restart"));
    refused(&ask("127.0.0.1", port, &full).await, "expired");
    cluster.without_tls();
    assert!(cluster.control("restart"));
    assert!(!ask("127.0.0.1", port, "").await.unwrap(), "plain text stays on this machine");
    refused(&ask("127.0.0.1", port, &full).await, "does not encrypt");
    if let Some(outer) = addresses.get(1).map(ToString::to_string) {
        let root = format!("sslrootcert={}", ours.root.display());
        refused(&ask(&outer, port, &root).await, "does not encrypt");
    }
}

#[tokio::test]
async fn plain_text_to_another_machine_is_refused_before_a_byte_is_sent() {
    for url in [
        "postgres://u@db.example.org/d?sslmode=disable",
        "postgres://u@192.0.2.1/d?sslmode=prefer",
        "postgres://u@localhost/d?hostaddr=192.0.2.1&sslmode=disable",
    ] {
        let refused = Db::connect(&url.parse().unwrap(), Options::default()).await.unwrap_err();
        assert!(refused.to_string().contains("unencrypted"), "{url}: {refused}");
    }
}

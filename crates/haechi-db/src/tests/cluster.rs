//! A PostgreSQL server of a test's own, which may be stopped and changed.

use std::{
    fmt::Write as _,
    fs,
    net::{IpAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::scratch::{folder, required};
use crate::DatabaseUrl;

/// The server; it ends with the value.
pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    listen: String,
}

impl Cluster {
    /// Starts one that is reached by a Unix socket only, or says why the test is skipped.
    pub(crate) fn start() -> Option<Cluster> {
        let cluster = Cluster::make("-c listen_addresses=''".to_owned())?;
        cluster.control("start").then_some(cluster).or_else(skip)
    }

    /// Makes one that will listen on addresses, on a free port of theirs, with this certificate and its key.
    pub(crate) fn on(addresses: &[IpAddr], certificate: &str, key: &str) -> Option<(Cluster, u16)> {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let names: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        let listen = format!("-c listen_addresses='{}' -c port={port} -c ssl=on", names.join(","));
        let cluster = Cluster::make(listen)?;
        let mut access = String::new();
        for address in &names {
            writeln!(access, "host all all {address}/32 trust").unwrap();
        }
        let rules = cluster.folder.join("data/pg_hba.conf");
        fs::write(&rules, fs::read_to_string(&rules).unwrap() + &access).unwrap();
        cluster.present(certificate, key);
        if cluster.control("start") { Some((cluster, port)) } else { skip() }
    }

    fn make(listen: String) -> Option<Cluster> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok();
        let programs =
            versions.and_then(|found| found.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).max());
        let cluster = Cluster { folder: folder(), programs: programs.or_else(skip)?, listen };
        // The server does not run as root, and looks for its folder as its own user.
        let made =
            own(&cluster.folder) && cluster.run("initdb", &["-A", "trust", "-U", "postgres", "--no-sync"]);
        if made { Some(cluster) } else { skip() }
    }

    /// Gives the server another certificate; a restart shows it.
    pub(crate) fn present(&self, certificate: &str, key: &str) {
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = self.folder.join("data").join(name);
            fs::write(&path, text).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&path, mode).unwrap();
            assert!(own(&path));
        }
    }

    /// Lets the server speak plain text only, from its next start.
    pub(crate) fn without_tls(&mut self) {
        self.listen = self.listen.replace("ssl=on", "ssl=off");
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let data = self.folder.join("data");
        let command = Command::new("runuser")
            .args(["-u", "postgres", "--"])
            .arg(self.programs.join(program))
            .arg("-D")
            .arg(data)
            .args(arguments)
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        command.is_ok_and(|status| status.success())
    }

    /// `start`, `stop` or `restart`.
    pub(crate) fn control(&self, action: &str) -> bool {
        let options = format!("{} -c fsync=off -k {}", self.listen, self.folder.display());
        let log = self.folder.join("log").display().to_string();
        match action {
            "stop" => self.run("pg_ctl", &["-w", "-m", "immediate", "stop"]),
            _ => self.run("pg_ctl", &["-w", "-m", "fast", "-o", &options, "-l", &log, action]),
        }
    }

    /// Sends a signal to the server and all its processes: `STOP` lets it hang, `CONT` go on.
    pub(crate) fn signal(&self, signal: &str) {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let main = file.lines().next().unwrap();
        let own = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap();
        for process in own.split_whitespace().chain([main]) {
            drop(Command::new("kill").args(["-s", signal, process]).status());
        }
    }

    /// Its address by the Unix socket.
    pub(crate) fn url(&self) -> DatabaseUrl {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}/postgres").parse().unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.control("stop");
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn own(path: &Path) -> bool {
    Command::new("chown").arg("postgres").arg(path).status().is_ok_and(|status| status.success())
}

fn skip<T>() -> Option<T> {
    assert!(!required(), "a PostgreSQL server of the test's own is required here");
    eprintln!("skipped: no PostgreSQL programs, or no right to run them as postgres");
    None
}

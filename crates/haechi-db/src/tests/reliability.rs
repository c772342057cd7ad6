//! A killed program, a server that is down, a full disk.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{
    change, query, scalar,
    scratch::{Scratch, folder, required},
};
use crate::{DatabaseUrl, Db, ErrorKind, Executor as _, Options, Value};

const LEDGER: &str = "tests::reliability::a_program_that_writes_until_it_is_killed";

/// The program that is killed: this test binary, run with the path of a database. Without it, the test does nothing.
#[tokio::test]
async fn a_program_that_writes_until_it_is_killed() {
    let Ok(path) = std::env::var("HAECHI_LEDGER") else { return };
    let db = Db::connect(&DatabaseUrl::file(path), Options::default()).await.unwrap();
    loop {
        let written = db
            .transaction(async |tx| {
                let insert = "insert into entry default values returning id";
                let id: i64 = tx.rows(change(insert, [])).await?[0].take(0)?;
                // Two rows a transaction: half of one would show.
                tx.execute(change("insert into half (entry_id) values ($1)", [Value::Int(id)])).await?;
                Ok(id)
            })
            .await;
        println!("confirmed {}", written.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_confirmed_survives_fifty_kills() {
    let scratch = Scratch::file(Options::default()).await;
    scratch
        .ddl(
            "create table entry (id integer primary key autoincrement) strict;
            create table half (entry_id integer not null references entry (id)) strict",
        )
        .await;
    let path = scratch.folder().join("site.db");
    let mut confirmed = Vec::new();
    for round in 0..50_u64 {
        confirmed.extend(write_and_kill(&path, round));
    }
    assert!(confirmed.len() >= 50, "only {} were confirmed", confirmed.len());
    let db = Db::connect(&scratch.url, Options::default()).await.unwrap();
    let kept: Vec<i64> = db.fetch(query("select id from entry", []), |row| row.take(0)).await.unwrap();
    let missing: Vec<_> = confirmed.iter().filter(|id| !kept.contains(id)).collect();
    assert!(missing.is_empty(), "confirmed and lost: {missing:?}");
    let halves = "select (select count(*) from entry) - (select count(*) from half)";
    assert_eq!(scalar::<i64>(&db, halves).await.unwrap(), 0);
    assert_eq!(integrity(&path), "ok");
    println!("{} of {} rows were confirmed before a kill", confirmed.len(), kept.len());
}

/// Lets the program write, kills it after a number of confirmations that differs each time, and returns what it
/// confirmed.
fn write_and_kill(path: &Path, round: u64) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", LEDGER, "--nocapture", "--test-threads=1"])
        .env("HAECHI_LEDGER", path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ids = Vec::new();
    for line in lines.map_while(Result::ok) {
        ids.extend(line.split_once("confirmed ").and_then(|(_, id)| id.parse::<i64>().ok()));
        if ids.len() as u64 == 1 + round % 13 {
            // SIGKILL, while it is already in its next transaction.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    ids
}

fn integrity(path: &Path) -> String {
    let driver = rusqlite::Connection::open(path).unwrap();
    driver.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap()
}

/// A PostgreSQL server of our own, without a port, that can be stopped.
struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
}

impl Cluster {
    fn start() -> Option<Cluster> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let programs = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).max()?;
        let folder = folder();
        let cluster = Cluster { folder, programs };
        // The server does not run as root, and looks for its folder as its own user.
        let own = Command::new("chown").arg("postgres").arg(&cluster.folder).status();
        let made = own.is_ok_and(|status| status.success())
            && cluster.run("initdb", &["-A", "trust", "-U", "postgres", "--no-sync"])
            && cluster.control("start");
        made.then_some(cluster)
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

    fn control(&self, action: &str) -> bool {
        let options = format!("-c listen_addresses='' -c fsync=off -k {}", self.folder.display());
        let log = self.folder.join("log").display().to_string();
        match action {
            "start" => self.run("pg_ctl", &["-w", "-o", &options, "-l", &log, "start"]),
            _ => self.run("pg_ctl", &["-w", "-m", "immediate", "stop"]),
        }
    }

    fn url(&self) -> DatabaseUrl {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}/postgres").parse().unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.control("stop");
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_is_reported_and_found_again() {
    let Some(cluster) = Cluster::start() else {
        assert!(!required(), "a PostgreSQL server of the test's own is required here");
        eprintln!("skipped: no PostgreSQL programs, or no right to run them as postgres");
        return;
    };
    let db = Db::connect(&cluster.url(), Options::default()).await.unwrap();
    let ask = || async { scalar::<i32>(&db, "select 1").await };
    assert_eq!(ask().await.unwrap(), 1);
    assert!(cluster.control("stop"));
    let down = Duration::from_secs(if required() { 10 } else { 2 });
    let (stopped, mut refused) = (Instant::now(), 0);
    while stopped.elapsed() < down {
        let asked = Instant::now();
        let error = timeout(Duration::from_secs(2), ask()).await.unwrap().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{error:?}");
        assert!(error.retry_after().is_some());
        assert!(asked.elapsed() < Duration::from_secs(2));
        refused += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(refused > 10);
    assert!(cluster.control("start"));
    let returned = Instant::now();
    while ask().await.is_err() {
        assert!(returned.elapsed() < Duration::from_secs(2), "not found again within 2 s");
    }
    // No connection of the pool was lost: all of them serve.
    let all = futures_util::future::join_all((0..16).map(|_| ask())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
}

/// A small file system of our own.
struct Mount(PathBuf);

impl Mount {
    fn new() -> Option<Mount> {
        let place = folder();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=20m", "tmpfs"]).arg(&place).status();
        mounted.is_ok_and(|status| status.success()).then_some(Mount(place))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
        drop(std::fs::remove_dir(&self.0));
    }
}

#[tokio::test]
async fn a_full_disk_fails_the_write_and_nothing_else() {
    let Some(mount) = Mount::new() else {
        assert!(!required(), "a tmpfs of the test's own is required here");
        eprintln!("skipped: no right to mount a small file system");
        return;
    };
    let ballast = mount.0.join("ballast");
    std::fs::write(&ballast, vec![1_u8; 6 << 20]).unwrap();
    let path = mount.0.join("site.db");
    let db = Db::connect(&DatabaseUrl::file(&path), Options::default()).await.unwrap();
    super::scratch::ddl(&db, "create table item (id integer primary key, raw blob not null) strict").await;
    let write = || async {
        let statement =
            change("insert into item (raw) values ($1) returning id", [Value::Bytes(vec![7; 64 << 10])]);
        db.fetch(statement, |row| row.take::<i64>(0)).await
    };
    let mut kept = 0;
    let error = loop {
        match write().await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 1000, "the disk never became full");
    };
    assert_eq!(*error.kind(), ErrorKind::Full);
    assert!(error.retry_after().is_some());
    assert!(kept > 10);
    assert_eq!(scalar::<i64>(&db, "select count(*) from item").await.unwrap(), kept, "reads go on");
    let inside =
        db.transaction(async |tx| tx.rows(change("delete from item where id > 3 returning id", [])).await);
    drop(inside.await);
    std::fs::remove_file(ballast).unwrap();
    let before: i64 = scalar(&db, "select count(*) from item").await.unwrap();
    write().await.unwrap();
    assert_eq!(scalar::<i64>(&db, "select count(*) from item").await.unwrap(), before + 1);
    drop(db);
    assert_eq!(integrity(&path), "ok");
}

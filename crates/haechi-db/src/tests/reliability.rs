//! A killed program, and a server that is down.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{
    change,
    cluster::Cluster,
    query, scalar,
    scratch::{Scratch, required},
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

pub(crate) fn integrity(path: &Path) -> String {
    let driver = rusqlite::Connection::open(path).unwrap();
    driver.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_is_reported_and_found_again() {
    let Some(cluster) = Cluster::start() else { return };
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_given_up_on_and_found_again() {
    let Some(cluster) = Cluster::start() else { return };
    let statement_timeout = Duration::from_millis(200);
    let db = Db::connect(&cluster.url(), Options { statement_timeout, ..Options::default() }).await.unwrap();
    let ask = || async { scalar::<i32>(&db, "select 1").await };
    assert_eq!(ask().await.unwrap(), 1);
    cluster.signal("STOP");
    let change = db.transaction(async |tx| tx.rows(query("select 1", [])).await);
    // One on the connection that is there, one on a connection that is to be made.
    let (asked, in_transaction) =
        (timeout(Duration::from_secs(8), ask()), timeout(Duration::from_secs(8), change));
    let (asked, in_transaction) = tokio::join!(asked, in_transaction);
    cluster.signal("CONT");
    for error in [asked.unwrap().unwrap_err(), in_transaction.unwrap().unwrap_err()] {
        assert!(error.retry_after().is_some(), "{error:?}");
    }
    let returned = Instant::now();
    while ask().await.is_err() {
        assert!(returned.elapsed() < Duration::from_secs(2), "not found again within 2 s");
    }
    let all = futures_util::future::join_all((0..16).map(|_| ask())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
}

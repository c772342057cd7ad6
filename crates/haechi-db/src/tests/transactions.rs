//! Commit, error, cancelled future.

use std::time::Duration;

use tokio::sync::oneshot;

use super::{change, query, scalar, scratch::Scratch, text};
use crate::{Db, Error, ErrorKind, Executor as _, Options, Result, Statement};

const TABLE: &str = "create table item (name text not null unique)";

async fn tables(options: Options) -> Vec<Scratch> {
    let mut all = vec![Scratch::file(options.clone()).await];
    all.extend(Scratch::postgres(options).await);
    for scratch in &all {
        scratch.ddl(TABLE).await;
    }
    all
}

async fn names(db: &Db) -> Vec<String> {
    db.fetch(query("select name from item order by name", []), |row| row.take(0)).await.unwrap()
}

fn insert(name: &str) -> Statement {
    change("insert into item (name) values ($1)", [text(name)])
}

#[tokio::test]
async fn a_transaction_commits_on_ok_and_rolls_back_on_err() {
    for scratch in &tables(Options::default()).await {
        let db = &scratch.db;
        db.transaction(async |tx| {
            tx.execute(insert("a")).await?;
            tx.execute(insert("b")).await
        })
        .await
        .unwrap();
        let failed: Result<()> = db
            .transaction(async |tx| {
                tx.execute(insert("c")).await?;
                Err(Error::new(ErrorKind::NotFound))
            })
            .await;
        assert!(failed.unwrap_err().is_not_found());
        assert_eq!(names(db).await, ["a", "b"]);
    }
}

#[tokio::test]
async fn an_error_that_the_closure_swallows_is_not_committed() {
    for scratch in &tables(Options::default()).await {
        let db = &scratch.db;
        let outcome = db
            .transaction(async |tx| {
                tx.execute(insert("a")).await?;
                assert!(tx.execute(insert("a")).await.unwrap_err().unique_violation().is_some());
                let next = tx.execute(insert("b")).await.unwrap_err();
                assert_eq!(*next.kind(), ErrorKind::Closed);
                Ok(())
            })
            .await;
        assert!(outcome.unwrap_err().unique_violation().is_some());
        assert!(names(db).await.is_empty());
    }
}

#[tokio::test]
async fn a_cancelled_transaction_leaves_nothing_and_holds_nothing() {
    for scratch in &tables(Options::default()).await {
        let db = &scratch.db;
        // As often as there are connections: one that is not given back would show.
        for round in 0..10 {
            let (inside, reached) = oneshot::channel::<()>();
            let task = tokio::spawn({
                let db = db.clone();
                async move {
                    db.transaction(async |tx| {
                        tx.execute(insert("cancelled")).await?;
                        inside.send(()).unwrap();
                        std::future::pending::<Result<()>>().await
                    })
                    .await
                }
            });
            reached.await.unwrap();
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            let name = format!("after {round}");
            db.execute(insert(&name)).await.unwrap();
        }
        assert_eq!(names(db).await.len(), 10);
    }
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_any_more_is_stopped() {
    let (wait_timeout, statement_timeout) = (Duration::from_secs(4), Duration::from_secs(60));
    let options =
        Options { connections: 1, readers: 1, wait_timeout, statement_timeout, ..Options::default() };
    for scratch in &tables(options).await {
        let endless =
            "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n";
        let waiting = tokio::time::timeout(Duration::from_millis(100), scratch.db.rows(query(endless, [])));
        assert!(waiting.await.is_err());
        // It finds the connection free again long before the statement's own deadline.
        let slow = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 300000)
            select count(*) from n";
        assert_eq!(scalar::<i64>(&scratch.db, slow).await.unwrap(), 300_000);
    }
}

#[tokio::test]
async fn a_transaction_that_takes_too_long_is_rolled_back() {
    let options = Options { transaction_timeout: Duration::from_millis(100), ..Options::default() };
    for scratch in &tables(options).await {
        let outcome: Result<()> = scratch
            .db
            .transaction(async |tx| {
                tx.execute(insert("slow")).await?;
                std::future::pending().await
            })
            .await;
        assert_eq!(*outcome.unwrap_err().kind(), ErrorKind::Timeout);
        assert!(names(&scratch.db).await.is_empty());
    }
}

#[tokio::test]
async fn a_conflict_runs_the_whole_closure_again_three_times_at_most() {
    for scratch in &tables(Options::default()).await {
        let mut attempts = 0;
        let outcome: Result<()> = scratch
            .db
            .transaction_retrying(async |tx| {
                attempts += 1;
                tx.execute(insert("again")).await?;
                Err(Error::new(ErrorKind::Conflict))
            })
            .await;
        assert!(outcome.unwrap_err().is_conflict());
        assert_eq!(attempts, 3);
        assert!(names(&scratch.db).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_at_once_never_meet_a_busy_database() {
    for scratch in &tables(Options::default()).await {
        let tasks = (0..8).map(|writer| {
            let db = scratch.db.clone();
            tokio::spawn(async move {
                for number in 0..25 {
                    let name = format!("{writer}-{number}");
                    db.transaction(async |tx| {
                        // A read first: the order that makes a deferred transaction of SQLite fail.
                        let rows = tx.rows(query("select count(*) from item", [])).await?;
                        assert_eq!(rows.len(), 1);
                        tx.execute(insert(&name)).await
                    })
                    .await
                    .unwrap();
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(names(&scratch.db).await.len(), 200);
    }
}

/// A future that axum can spawn.
fn sendable<F: Future + Send>(future: F) -> F {
    future
}

#[tokio::test]
async fn the_future_of_a_transaction_can_move_between_threads() {
    for scratch in &tables(Options::default()).await {
        let (db, name) = (&scratch.db, "a".to_owned());
        sendable(async { db.transaction(async |tx| tx.execute(insert(&name)).await).await }).await.unwrap();
        assert_eq!(names(db).await, ["a"]);
    }
}

#[tokio::test]
async fn readers_go_on_while_a_long_write_runs() {
    for scratch in &tables(Options::default()).await {
        let db = &scratch.db;
        db.execute(insert("before")).await.unwrap();
        db.transaction(async |tx| {
            tx.execute(insert("during")).await?;
            for _ in 0..100 {
                assert_eq!(names(db).await, ["before"]);
            }
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(names(db).await, ["before", "during"]);
    }
}

/// SQLite decides types by the row, so that one answer may fail where all others were read. PostgreSQL's answers have the
/// types that `check` compared, and there a second round trip for each insert would be the price.
#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_committed_behind_the_callers_back() {
    let scratch = Scratch::file(Options::default()).await;
    scratch.ddl(TABLE).await;
    let statement = change("insert into item (name) values ($1) returning name", [text("lost")]);
    let outcome: Result<Vec<i64>> = scratch.db.fetch(statement, |row| row.take(0)).await;
    assert!(matches!(outcome.unwrap_err().kind(), ErrorKind::Decode { .. }));
    assert!(names(&scratch.db).await.is_empty());
}

#[tokio::test]
async fn a_panic_in_the_decoder_leaves_the_writer_alive() {
    let scratch = Scratch::file(Options::default()).await;
    scratch.ddl(TABLE).await;
    let statement = change("insert into item (name) values ('x') returning name", []);
    let outcome: Result<Vec<()>> = scratch.db.fetch(statement, |_| panic!("a decoder's bug")).await;
    assert_eq!(*outcome.unwrap_err().kind(), ErrorKind::Closed);
    assert!(names(&scratch.db).await.is_empty());
    scratch.db.execute(insert("after")).await.unwrap();
}

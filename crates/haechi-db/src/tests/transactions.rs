//! Commit, error, cancelled future.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{change, query, scalar, scratch::Scratch, text};
use crate::{Db, Error, ErrorKind, Executor, Options, Result, Statement};

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
        let attempts = AtomicU32::new(0);
        let outcome: Result<()> = scratch
            .db
            .transaction_retrying(async |tx| {
                attempts.fetch_add(1, Ordering::Relaxed);
                tx.execute(insert("again")).await?;
                Err(Error::new(ErrorKind::Conflict))
            })
            .await;
        assert!(outcome.unwrap_err().is_conflict());
        assert_eq!(attempts.into_inner(), 3);
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

fn assert_send<F: Future + Send>(future: F) -> F {
    future
}

/// Borrows all its arguments in the closure, as a handler of an application does.
async fn add_both(db: &Db, first: &str, others: &[String]) -> Result<usize> {
    db.transaction(async |tx| {
        add(&tx, first).await?;
        for other in others {
            tx.transaction(async |part| add(&part, other).await).await?;
        }
        Ok(1 + others.len())
    })
    .await
}

async fn add_both_retrying(db: &Db, first: &str, others: &[String]) -> Result<usize> {
    db.transaction_retrying(async |tx| {
        add(&tx, first).await?;
        for other in others {
            add(&tx, other).await?;
        }
        Ok(1 + others.len())
    })
    .await
}

/// May be a part of a larger transaction.
async fn add(executor: impl Executor, name: &str) -> Result<u64> {
    executor.execute(insert(name)).await
}

#[tokio::test]
async fn a_transaction_that_borrows_can_move_between_threads() {
    for scratch in &tables(Options::default()).await {
        let (db, name) = (scratch.db.clone(), "a".to_owned());
        let task = async move {
            let others = ["b".to_owned()];
            assert_send(add_both(&db, &name, &others)).await?;
            assert_send(add_both_retrying(&db, "c", &["d".to_owned()])).await
        };
        assert_eq!(tokio::spawn(task).await.unwrap().unwrap(), 2);
        assert_eq!(names(&scratch.db).await, ["a", "b", "c", "d"]);
    }
}

#[tokio::test]
async fn a_part_that_fails_is_undone_alone() {
    for scratch in &tables(Options::default()).await {
        let db = &scratch.db;
        db.transaction(async |tx| {
            add(&tx, "outer").await?;
            let clash = tx.transaction(async |part| {
                add(&part, "undone").await?;
                tx.transaction(async |_| Ok(())).await.unwrap_err();
                assert_eq!(*add(&tx, "of the outer").await.unwrap_err().kind(), ErrorKind::Closed);
                add(&part, "outer").await
            });
            assert!(clash.await.unwrap_err().unique_violation().is_some());
            tx.transaction(async |part| {
                part.transaction(async |inner| add(&inner, "kept").await).await?;
                let refused: Result<()> = part
                    .transaction(async |inner| {
                        add(&inner, "undone").await?;
                        Err(Error::new(ErrorKind::NotFound))
                    })
                    .await;
                assert!(refused.unwrap_err().is_not_found());
                Ok(())
            })
            .await?;
            // An error that the part swallows is not kept either.
            let swallowed = tx.transaction(async |part| {
                drop(add(&part, "outer").await);
                Ok(())
            });
            assert!(swallowed.await.unwrap_err().unique_violation().is_some());
            add(&tx, "last").await
        })
        .await
        .unwrap();
        assert_eq!(names(db).await, ["kept", "last", "outer"]);
    }
}

#[tokio::test]
async fn a_part_that_is_cancelled_takes_the_whole_with_it() {
    for scratch in &tables(Options::default()).await {
        let outcome = scratch
            .db
            .transaction(async |tx| {
                let part = tx.transaction(async |part| {
                    add(&part, "cancelled").await?;
                    std::future::pending::<Result<()>>().await
                });
                assert!(tokio::time::timeout(Duration::from_millis(50), part).await.is_err());
                assert_eq!(*add(&tx, "after").await.unwrap_err().kind(), ErrorKind::Closed);
                Ok(())
            })
            .await;
        assert_eq!(*outcome.unwrap_err().kind(), ErrorKind::Closed);
        scratch.db.execute(insert("free")).await.unwrap();
        assert_eq!(names(&scratch.db).await, ["free"]);
    }
}

#[tokio::test]
async fn a_handle_that_escapes_its_closure_is_closed() {
    for scratch in &tables(Options::default()).await {
        let kept = scratch.db.transaction(async |tx| add(&tx, "a").await.map(|_| tx)).await.unwrap();
        assert_eq!(*add(&kept, "b").await.unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(names(&scratch.db).await, ["a"]);
        // One that is at work elsewhere while its transaction is cancelled holds nothing either.
        let (sender, escaped) = oneshot::channel();
        let never = scratch.db.transaction(async |tx| {
            add(&tx, "c").await?;
            drop(sender.send(tx));
            std::future::pending::<Result<()>>().await
        });
        let escaped = tokio::select! {
            escaped = escaped => escaped.unwrap(),
            outcome = never => panic!("it never ends, and did: {outcome:?}"),
        };
        assert_eq!(*add(&escaped, "d").await.unwrap_err().kind(), ErrorKind::Closed);
        scratch.db.execute(insert("e")).await.unwrap();
        assert_eq!(names(&scratch.db).await, ["a", "e"]);
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

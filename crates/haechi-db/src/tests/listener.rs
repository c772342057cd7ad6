//! What is said on a channel of PostgreSQL, and who hears it.

use std::time::Duration;

use tokio::time::timeout;

use super::{change, pooler::Pooler, run, scalar, scratch::Scratch};
use crate::{Channel, Db, ErrorKind, Executor as _, Listener, Options, Result, Value};

/// Channels belong to the whole database, and tests run at the same time: each has one of its own.
macro_rules! channel {
    ($name:literal) => {
        struct Here;
        impl Channel for Here {
            const NAME: &'static str = $name;
        }
    };
}

async fn say(db: &Db, channel: &str, word: &str) {
    let values = [channel, word].map(|text| Value::Text(text.to_owned()));
    db.execute(change("select pg_notify($1, $2)", values)).await.unwrap();
}

async fn next(listener: &mut Listener) -> Result<String> {
    timeout(Duration::from_secs(5), listener.next()).await.expect("it is heard, or the loss of it")
}

#[tokio::test]
async fn what_is_committed_is_heard_in_order_by_all_and_what_is_rolled_back_by_nobody() {
    channel!("haechi_test_order");
    let Some(scratch) = Scratch::postgres(Options::default()).await else { return };
    let db = &scratch.db;
    let (mut one, mut other) = (db.listen::<Here>().await.unwrap(), db.listen::<Here>().await.unwrap());
    let undone: Result<()> = db
        .transaction(async |tx| {
            tx.execute(change("select pg_notify('haechi_test_order', 'undone')", [])).await?;
            Err(ErrorKind::NotFound.into())
        })
        .await;
    undone.unwrap_err();
    say(db, "haechi_test_other", "elsewhere").await;
    for word in ["first", "", "셋째 'quoted'"] {
        say(db, Here::NAME, word).await;
    }
    for word in ["first", "", "셋째 'quoted'"] {
        assert_eq!(next(&mut one).await.unwrap(), word);
    }
    assert_eq!(next(&mut other).await.unwrap(), "first");
}

#[tokio::test]
async fn a_lost_connection_is_an_error_at_once_and_a_listener_that_is_dropped_leaves_none() {
    channel!("haechi_test_lost");
    let Some(scratch) = Scratch::postgres(Options::default()).await else { return };
    let db = &scratch.db;
    let mut listener = db.listen::<Here>().await.unwrap();
    let listeners =
        "select count(*) from pg_stat_activity where query like 'unlisten %; listen haechi_test_lost'";
    assert_eq!(scalar::<i64>(db, listeners).await.unwrap(), 1);
    run(db, "select pg_terminate_backend(pid) from pg_stat_activity where query like 'unlisten %; listen haechi_test_lost'")
        .await
        .unwrap();
    assert!(matches!(next(&mut listener).await.unwrap_err().kind(), ErrorKind::Unavailable { .. }));
    drop(db.listen::<Here>().await.unwrap());
    for _ in 0..100 {
        if scalar::<i64>(db, listeners).await.unwrap() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the connection of a dropped listener stays");
}

/// Memory is bounded, and nobody who keeps something takes silence for an answer.
#[tokio::test]
async fn who_takes_nothing_is_told_that_words_were_missed() {
    channel!("haechi_test_unread");
    let Some(scratch) = Scratch::postgres(Options::default()).await else { return };
    let mut listener = scratch.db.listen::<Here>().await.unwrap();
    run(&scratch.db, "select pg_notify('haechi_test_unread', n::text) from generate_series(1, 3000) n")
        .await
        .unwrap();
    // So that all of them have come before the first is taken.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut heard = 0;
    while next(&mut listener).await.is_ok() {
        heard += 1;
    }
    assert_eq!(heard, 1_024);
}

#[tokio::test]
async fn where_nothing_would_be_heard_nobody_listens() {
    channel!("haechi_test_deaf");
    let configuration =
        |outcome: Result<Listener>| matches!(outcome.unwrap_err().kind(), ErrorKind::Configuration(_));
    assert!(configuration(Db::memory().await.unwrap().listen::<Here>().await));
    let Some(scratch) = Scratch::postgres(Options::default()).await else { return };
    let nowhere = "postgres://postgres@127.0.0.1:1/test".parse().unwrap();
    let db = Db::connect(&nowhere, Options::default()).await.unwrap();
    let error = db.listen::<Here>().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{error:?}");
    let Some(pooler) = Pooler::start(&scratch) else { return };
    for prepared in ["drop", "keep"] {
        assert!(configuration(pooler.open(prepared).await.listen::<Here>().await), "{prepared}");
    }
}

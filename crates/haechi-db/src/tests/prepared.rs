//! The statements that a connection keeps prepared: never more than a bound, and none behind a pooler.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};

use super::{change, pooler::Pooler, query, run, scalar, scratch::Scratch};
use crate::{Db, ErrorKind, Executor as _, Options, Prepared, Result, Statement, Value};

/// As many texts as `number` has values, as filters that visitors choose make them.
fn shape(number: u32) -> Statement {
    let mut statement = Statement::read();
    statement.push_literal("select 1");
    for bit in 0..14 {
        statement.push_literal(if number >> bit & 1 == 0 { " + 1" } else { " - 1" });
    }
    statement
}

#[tokio::test]
async fn ten_thousand_shapes_of_statement_leave_a_bounded_number_on_the_server() {
    let Some(scratch) = Scratch::postgres(Options { connections: 1, ..Options::default() }).await else {
        return;
    };
    let db = &scratch.db;
    for number in 0..10_000 {
        db.fetch(shape(number), |row| row.take::<i32>(0)).await.unwrap();
    }
    let kept: i64 = scalar(db, "select count(*) from pg_prepared_statements").await.unwrap();
    assert_eq!(kept, 256, "as many as are kept, the one that asks included");
    let last: Vec<i64> = db
        .fetch(
            query("select count(*) from pg_prepared_statements where statement like 'select 1 - 1 - 1%'", []),
            |row| row.take(0),
        )
        .await
        .unwrap();
    assert!(last[0] > 0, "the last ones are kept");
}

fn dropping() -> Options {
    Options { connections: 1, prepared: Prepared::Drop, ..Options::default() }
}

#[tokio::test]
async fn for_a_pooler_no_statement_outlives_its_transaction_and_each_has_its_deadline() {
    let options = Options { statement_timeout: Duration::from_millis(300), ..dropping() };
    let Some(scratch) = Scratch::postgres(options).await else { return };
    scratch.ddl("create table item (id integer primary key)").await;
    let db = &scratch.db;
    assert_eq!(run(db, "insert into item (id) values (1)").await.unwrap(), 1);
    let twice = run(db, "insert into item (id) values (1)").await.unwrap_err();
    assert!(matches!(twice.kind(), ErrorKind::UniqueViolation(_)), "{twice:?}");
    let settings = "select current_setting('statement_timeout') || ' ' || current_setting('timezone')";
    assert_eq!(scalar::<String>(db, settings).await.unwrap(), "300ms UTC");
    let endless = scalar::<String>(db, "select pg_sleep(30)::text").await.unwrap_err();
    assert_eq!(*endless.kind(), ErrorKind::Timeout);
    db.transaction(async |tx| {
        tx.execute(change("insert into item (id) values ($1)", [Value::Int(2)])).await?;
        assert_eq!(tx.rows(query(settings, [])).await?[0].take::<String>(0)?, "300ms UTC");
        Ok(())
    })
    .await
    .unwrap();
    let ids = db.stream(query("select id from item order by id", []), |row| row.take::<i32>(0));
    assert_eq!(ids.try_collect::<Vec<_>>().await.unwrap(), [1, 2]);
    let left: Result<i64> = scalar(db, "select count(*) from pg_prepared_statements").await;
    assert_eq!(left.unwrap(), 1, "only the one that asks");
    let session: String =
        scalar(db, "select reset_val from pg_settings where name = 'statement_timeout'").await.unwrap();
    assert_eq!(session, "0", "the session that others get has no setting of ours");
}

/// How many of 400 statements failed that eight callers at a time asked for, over three sessions of the server.
async fn failures(db: &Db) -> usize {
    let ask = |number: i64| async move {
        let statement = query("select $1::bigint + 1", [Value::Int(number)]);
        db.fetch(statement, |row| row.take::<i64>(0)).await.is_ok_and(|rows| rows == [number + 1])
    };
    let answers = futures_util::stream::iter(0..400).map(ask).buffer_unordered(8);
    answers.filter(|right| std::future::ready(!right)).count().await
}

#[tokio::test]
async fn a_pooler_of_transactions_may_give_each_one_to_another_session() {
    let Some(scratch) = Scratch::postgres(Options::default()).await else { return };
    let Some(pooler) = Pooler::start(&scratch) else { return };
    assert_eq!(failures(&pooler.open("drop").await).await, 0);
    assert!(failures(&pooler.open("keep").await).await > 0, "the pooler shares no session in this test");
}

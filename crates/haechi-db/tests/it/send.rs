//! A transaction may stand in a handler: its future is `Send` wherever it borrows from.

use std::pin::Pin;

use haechi_db::{Db, Result, sql};

fn sendable<T>(future: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
    future
}

async fn rename(db: &Db, id: i64, name: &str) -> Result<u64> {
    db.transaction(async |tx| {
        let before: i64 = sql!("select count(*) from item where id = {id}").scalar(&tx).await?;
        sql!("insert into item (id, name) values ({id}, {name})").execute(&tx).await?;
        Ok(u64::try_from(before).unwrap_or_default())
    })
    .await
}

async fn count_up(db: &Db, names: &[String], tries: &mut u32) -> Result<u64> {
    *tries += 1;
    db.transaction_retrying(async |tx| {
        for name in names {
            sql!("insert into item (name) values ({name})").execute(&tx).await?;
        }
        Ok(1)
    })
    .await
}

#[tokio::test]
async fn a_transaction_that_borrows_is_send() {
    let db = Db::connect(&"sqlite::memory:".parse().unwrap(), haechi_db::Options::default()).await.unwrap();
    let (mut tries, name) = (0, "a".to_owned());
    let boxed: Pin<Box<dyn Future<Output = Result<u64>> + Send + '_>> = Box::pin(rename(&db, 1, &name));
    // There is no such table: what counts here is that both can be awaited on any thread.
    assert!(boxed.await.is_err());
    assert!(sendable(count_up(&db, &["a".to_owned()], &mut tries)).await.is_err());
    assert_eq!(tries, 1);
}

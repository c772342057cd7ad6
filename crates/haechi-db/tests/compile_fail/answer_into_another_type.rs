//! A statement is read into the type that `check` compared it with, and into no other.

use haechi_db::{Db, Result, sql};

async fn title(db: &Db) -> Result<String> {
    sql!(i64, "select count(*) from post").one(db).await
}

fn main() {
    let _ = title;
}

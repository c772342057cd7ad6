//! Attacks on the lock-down of a SQLite connection, each by a statement that a developer's mistake could let through.

use std::os::unix::fs::PermissionsExt as _;

use super::{
    change, query, run, scalar,
    scratch::{Scratch, folder},
    text,
};
use crate::{DatabaseUrl, Db, ErrorKind, Executor as _, Invalid, Options, Value};

async fn scratch() -> Scratch {
    let scratch = Scratch::file(Options::default()).await;
    scratch.ddl("create table item (id integer primary key, name text not null, price integer) strict").await;
    scratch
}

/// The statement is refused as a read and as a write.
async fn check(scratch: &Scratch, attack: &'static str, expected: ErrorKind) {
    let read = scratch.db.rows(query(attack, [])).await;
    assert_eq!(*read.expect_err(attack).kind(), expected, "as a read: {attack}");
    let written = scratch.db.rows(change(attack, [])).await;
    assert_eq!(*written.expect_err(attack).kind(), expected, "as a write: {attack}");
}

#[tokio::test]
async fn nothing_reaches_out_of_the_database_or_into_its_schema() {
    let scratch = scratch().await;
    for attack in [
        "attach database '/tmp/haechi-attached.db' as other",
        "attach database ':memory:' as other",
        "detach database main",
        "pragma journal_mode = delete",
        "pragma writable_schema = on",
        "pragma query_only = off",
        "pragma foreign_keys = off",
        "pragma trusted_schema = on",
        "create table other (id integer)",
        "drop table item",
        "alter table item add column more text",
        "create index other on item (name)",
        "create trigger other after insert on item begin delete from item; end",
        "create view other as select 1",
        "create temp table other (id integer)",
        "create virtual table other using fts5 (name)",
        "create virtual table other using csv (filename = '/etc/passwd')",
        "analyze",
        "savepoint x",
        "select sql from sqlite_master",
        "select name from sqlite_schema",
    ] {
        check(&scratch, attack, ErrorKind::Forbidden).await;
    }
}

#[tokio::test]
async fn the_database_cannot_be_copied_to_another_file() {
    let scratch = scratch().await;
    let copy = std::path::Path::new("/tmp/haechi-copy.db");
    assert!(scratch.db.rows(query("vacuum into '/tmp/haechi-copy.db'", [])).await.is_err());
    assert!(run(&scratch.db, "vacuum into '/tmp/haechi-copy.db'").await.is_err());
    assert!(!copy.exists());
}

#[tokio::test]
async fn functions_and_syntax_that_serve_only_attacks_are_missing() {
    let scratch = scratch().await;
    for attack in [
        "select load_extension('/tmp/evil.so')",
        "select zeroblob(2147483647)",
        "select hex(randomblob(1000000000))",
        "select readfile('/etc/passwd')",
        "select writefile('/tmp/haechi-written', 'x')",
        "select fts3_tokenizer('simple')",
        "select * from pragma_table_info('item')",
        "select * from sqlite_dbpage",
        "update sqlite_master set sql = ''",
        "insert into sqlite_schema values ('table', 'x', 'x', 0, '')",
        "select 1 -- and the rest is gone",
        "select 1 /* inside */",
        "select \"a string in double quotes\"",
        "select 1; delete from item",
        "select 1 union select 2 union select 3 union select 4 union select 5 union select 6 union select 7 union select 8
            union select 9 union select 10",
    ] {
        let outcome = scratch.db.rows(query(attack, [])).await.expect_err(attack);
        assert!(matches!(outcome.kind(), ErrorKind::Statement | ErrorKind::Forbidden), "{attack}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let scratch = scratch().await;
    for attack in [
        "insert into item (name) values ('x')",
        "delete from item",
        "update item set name = 'x' returning id",
        "insert into item (name) values ('x') returning id",
    ] {
        let error = scratch.db.rows(query(attack, [])).await.expect_err(attack);
        assert_eq!(*error.kind(), ErrorKind::Forbidden, "{attack}");
    }
    assert_eq!(scalar::<i64>(&scratch.db, "select count(*) from item").await.unwrap(), 0);
}

#[tokio::test]
async fn sizes_are_bounded() {
    let scratch = scratch().await;
    let insert = |size| change("insert into item (name) values ($1)", [Value::Text("x".repeat(size))]);
    scratch.db.execute(insert(1 << 20)).await.unwrap();
    let error = scratch.db.execute(insert(33 << 20)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Validation(Invalid::TooLong));
    let like = |size| query("select id from item where name like $1", [Value::Text("%".repeat(size))]);
    assert!(scratch.db.rows(like(1000)).await.is_ok());
    assert!(scratch.db.rows(like(1200)).await.is_err());
}

#[tokio::test]
async fn strict_tables_and_foreign_keys_hold() {
    let scratch = scratch().await;
    scratch.ddl("create table part (item_id integer not null references item (id)) strict").await;
    let error = run(&scratch.db, "insert into part (item_id) values (9)").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ForeignKeyViolation(_)));
    let insert = change("insert into item (name, price) values ('x', $1)", [text("1 or 1=1")]);
    assert!(scratch.db.execute(insert).await.unwrap_err().is_validation());
}

#[tokio::test]
async fn commits_wait_for_the_disk_and_the_log_is_write_ahead() {
    let folder = folder();
    let path = folder.join("site.db");
    let db = Db::connect(&DatabaseUrl::file(&path), Options::default()).await.unwrap();
    let crate::db::Backend::Sqlite(sqlite) = &*db.0 else { panic!("a file is SQLite") };
    let read = |driver: &mut rusqlite::Connection, pragma: &str| {
        driver.pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
    };
    let pragmas = sqlite
        .as_owner(move |driver| {
            Ok(["journal_mode", "synchronous", "foreign_keys", "cell_size_check"]
                .map(|name| read(driver, name)))
        })
        .await
        .unwrap();
    use rusqlite::types::Value as V;
    assert_eq!(pragmas, [V::Text("wal".into()), V::Integer(2), V::Integer(1), V::Integer(1)]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn files_are_readable_by_their_owner_only() {
    let outer = folder();
    let path = outer.join("data").join("site.db");
    let db = Db::connect(&DatabaseUrl::file(&path), Options::default()).await.unwrap();
    super::scratch::ddl(&db, "create table item (id integer primary key) strict").await;
    run(&db, "insert into item (id) values (1)").await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&outer.join("data")), 0o700);
    for file in ["site.db", "site.db-wal", "site.db-shm"] {
        assert_eq!(mode(&outer.join("data").join(file)), 0o600, "{file}");
    }
    std::fs::remove_dir_all(outer).unwrap();
}

#[tokio::test]
async fn a_file_that_all_could_read_is_closed_to_them() {
    let folder = folder();
    let path = folder.join("site.db");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
    let db = Db::connect(&DatabaseUrl::file(&path), Options::default()).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    drop(db);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_path_is_never_read_as_a_uri() {
    let folder = folder();
    let path = folder.join("file:x?mode=memory");
    let db = Db::connect(&DatabaseUrl::file(&path), Options::default()).await.unwrap();
    drop(db);
    assert!(path.exists());
    assert!("sqlite:x?mode=memory".parse::<DatabaseUrl>().is_err());
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn too_many_callers_are_turned_away_at_once() {
    let options = Options { queue: 1, ..Options::default() };
    let scratch = Scratch::file(options).await;
    scratch.ddl("create table item (id integer primary key) strict").await;
    let db = &scratch.db;
    db.transaction(async |_| {
        let write = || run(db, "insert into item (id) values (1)");
        let waiting = tokio::spawn({
            let db = db.clone();
            async move { run(&db, "insert into item (id) values (2)").await }
        });
        tokio::task::yield_now().await;
        let error = write().await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Busy);
        assert!(error.retry_after().is_some());
        waiting.abort();
        Ok(())
    })
    .await
    .unwrap();
}

//! Errors name what a caller can act on, and never a value or a statement.

use super::{change, query, run, scalar, scratch::Scratch, text};
use crate::{ErrorKind, Executor as _, Options, Value};

const TABLES: &str = "create table owner (id integer primary key, name text not null unique);
    create table pet (id integer primary key, owner_id integer not null references owner (id), name text not null,
        age integer constraint pet_age check (age >= 0), unique (owner_id, name));";

#[tokio::test]
async fn constraints_are_typed_and_name_the_field() {
    for scratch in &Scratch::each().await {
        scratch.ddl(TABLES).await;
        let db = &scratch.db;
        run(db, "insert into owner (id, name) values (1, 'secretvalue')").await.unwrap();
        run(db, "insert into pet (id, owner_id, name) values (1, 1, 'secretvalue')").await.unwrap();
        let error = run(db, "insert into owner (id, name) values (2, 'secretvalue')").await.unwrap_err();
        assert_eq!(error.unique_violation().unwrap().field(), Some("name"), "{error:?}");
        assert_eq!(error.unique_violation().unwrap().table.as_deref(), Some("owner"));
        let pet =
            run(db, "insert into pet (id, owner_id, name) values (2, 1, 'secretvalue')").await.unwrap_err();
        assert_eq!(pet.unique_violation().unwrap().columns, ["owner_id", "name"]);
        assert_eq!(pet.unique_violation().unwrap().field(), None);
        let missing = run(db, "insert into pet (id, owner_id) values (3, 1)").await.unwrap_err();
        assert!(
            matches!(missing.kind(), ErrorKind::NotNullViolation(v) if v.field() == Some("name")),
            "{missing:?}"
        );
        let orphan = run(db, "insert into pet (id, owner_id, name) values (4, 9, 'x')").await.unwrap_err();
        assert!(matches!(orphan.kind(), ErrorKind::ForeignKeyViolation(_)), "{orphan:?}");
        let negative =
            run(db, "insert into pet (id, owner_id, name, age) values (5, 1, 'x', -1)").await.unwrap_err();
        assert!(
            matches!(negative.kind(), ErrorKind::CheckViolation(v) if v.constraint.as_deref() == Some("pet_age"))
        );
        for error in [error, pet, missing, orphan, negative] {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("secretvalue") && !shown.contains("insert"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_statement_that_does_not_fit_the_schema_is_not_repeated() {
    for scratch in &Scratch::each().await {
        for statement in [
            query("select hunter2 from nothing", []),
            query("selec 'hunter2'", []),
            query("select $1", []),
            query("select 'hunter2'", [Value::Int(1)]),
        ] {
            let error = scratch.db.rows(statement).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Statement, "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}

#[tokio::test]
async fn the_debug_form_of_a_statement_does_not_show_its_values() {
    let statement = change("insert into t values ($1)", [text("hunter2")]);
    assert!(!format!("{statement:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_endless_statement_ends_at_its_deadline() {
    let statement_timeout = std::time::Duration::from_millis(200);
    let options = Options { statement_timeout, ..Options::default() };
    let mut all = vec![Scratch::file(options.clone()).await];
    all.extend(Scratch::postgres(options).await);
    for scratch in &all {
        let endless =
            "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n";
        let error = scalar::<i64>(&scratch.db, endless).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Timeout);
        assert_eq!(scalar::<i64>(&scratch.db, "select count(*) from (select 1) as one").await.unwrap(), 1);
    }
}

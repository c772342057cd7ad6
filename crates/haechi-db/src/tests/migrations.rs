//! Migrations: once, in order, unchanged, and beside a real Django.

use std::process::Command;

use super::{
    change,
    pooler::Pooler,
    query, run, scalar,
    scratch::{Scratch, required},
    text,
};
use crate::{
    Db, Engine, ErrorKind, Executor as _, Migration, MigrationFault, MigrationSet, Migrations, Options,
    PlanState, TableName, Type,
};

const fn both(name: &'static str, text: &'static str) -> Migration {
    Migration { name, sqlite: text, postgres: text }
}

struct Users;
impl MigrationSet for Users {
    const APP: &'static str = "users";
    const MIGRATIONS: &'static [Migration] = &[
        both(
            "0001_member",
            "-- why\ncreate table member (id integer primary key, name text not null); /* two */",
        ),
        both("0002_mail", "alter table member add column mail text"),
    ];
}

struct Posts;
impl MigrationSet for Posts {
    const APP: &'static str = "posts";
    const REQUIRES: &'static [&'static str] = &["users"];
    const MIGRATIONS: &'static [Migration] =
        &[both("0001_post", "create table post (member_id integer not null references member (id))")];
}

/// The same app, with a text that was edited after it was applied.
struct Edited;
impl MigrationSet for Edited {
    const APP: &'static str = "users";
    const MIGRATIONS: &'static [Migration] =
        &[both("0001_member", "create table member (id integer primary key)"), Users::MIGRATIONS[1]];
}

/// The same app, before its second migration was written.
struct Older;
impl MigrationSet for Older {
    const APP: &'static str = "users";
    const MIGRATIONS: &'static [Migration] = &[Users::MIGRATIONS[0]];
}

struct Broken;
impl MigrationSet for Broken {
    const APP: &'static str = "broken";
    const MIGRATIONS: &'static [Migration] =
        &[both("0001_half", "create table half (id integer primary key); insert into nowhere values (1)")];
}

#[track_caller]
fn fault(outcome: crate::Result<impl std::fmt::Debug>) -> MigrationFault {
    match outcome.unwrap_err().kind() {
        ErrorKind::Migration(fault) => fault.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn migrations_are_applied_once_and_in_the_order_of_their_apps() {
    for scratch in &Scratch::each().await {
        let db = &scratch.db;
        let migrations = Migrations::new().with::<Posts>().with::<Users>();
        assert_eq!(fault(migrations.check(db).await), MigrationFault::Pending { count: 3 });
        let names: Vec<_> = migrations.apply(db).await.unwrap().iter().map(|planned| planned.name).collect();
        assert_eq!(names, ["0001_member", "0002_mail", "0001_post"]);
        assert!(migrations.apply(db).await.unwrap().is_empty());
        migrations.check(db).await.unwrap();
        let plan = migrations.plan(db).await.unwrap();
        assert!(plan.iter().all(|planned| planned.state == PlanState::Applied));
        let id = "select count(*) from member";
        assert_eq!(scalar::<i64>(db, id).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn two_programs_may_migrate_at_once() {
    for scratch in &Scratch::each().await {
        let migrations = Migrations::new().with::<Users>();
        let (a, b) = tokio::join!(migrations.apply(&scratch.db), migrations.apply(&scratch.db));
        a.unwrap();
        b.unwrap();
        assert_eq!(scalar::<i64>(&scratch.db, "select count(*) from haechi_migrations").await.unwrap(), 2);
    }
}

/// Two programs, each of which may be on another session of the server after every transaction.
#[tokio::test]
async fn migrations_are_applied_once_behind_a_pooler_of_transactions() {
    let Some(scratch) = Scratch::postgres(Options::default()).await else { return };
    let Some(pooler) = Pooler::start(&scratch) else { return };
    let migrations = Migrations::new().with::<Posts>().with::<Users>();
    let (one, other) = (pooler.open("drop").await, pooler.open("drop").await);
    let (a, b) = tokio::join!(migrations.apply(&one), migrations.apply(&other));
    a.unwrap();
    b.unwrap();
    migrations.check(&one).await.unwrap();
    migrations.check(&scratch.db).await.unwrap();
    let noted = "select count(*) from haechi_migrations";
    assert_eq!(scalar::<i64>(&scratch.db, noted).await.unwrap(), 3);
    let locks = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
        where l.locktype = 'advisory' and d.datname = current_database() and l.classid = 1751213411";
    assert_eq!(scalar::<i64>(&scratch.db, locks).await.unwrap(), 0, "no session keeps the lock");
    let broken = Migrations::new().with::<Broken>();
    assert!(matches!(fault(broken.apply(&one).await), MigrationFault::Failed { .. }));
    assert!(one.required_columns::<Member>().await.unwrap().contains(&"name".to_owned()));
    let bare = Migrations::new().with::<Bare>().apply(&one).await.unwrap_err();
    assert!(matches!(bare.kind(), ErrorKind::Configuration(_)), "{bare:?}");
    assert!(bare.to_string().contains("pooler"), "{bare}");
}

struct Member;
impl TableName for Member {
    const NAME: &'static str = "member";
}

struct Bare;
impl MigrationSet for Bare {
    const APP: &'static str = "bare";
    const MIGRATIONS: &'static [Migration] =
        &[both("0001_index", "-- no-transaction\ncreate index concurrently member_name on member (name)")];
}

#[tokio::test]
async fn a_changed_an_unknown_and_a_missing_migration_stop() {
    for scratch in &Scratch::each().await {
        let db = &scratch.db;
        let missing = MigrationFault::Requires { app: "posts".to_owned(), needs: "users".to_owned() };
        assert_eq!(fault(Migrations::new().with::<Posts>().plan(db).await), missing);
        Migrations::new().with::<Users>().apply(db).await.unwrap();
        let named = |name: &str| ("users".to_owned(), name.to_owned());
        let (app, name) = named("0001_member");
        assert_eq!(
            fault(Migrations::new().with::<Edited>().apply(db).await),
            MigrationFault::Changed { app, name }
        );
        let (app, name) = named("0002_mail");
        assert_eq!(
            fault(Migrations::new().with::<Older>().check(db).await),
            MigrationFault::Unknown { app, name }
        );
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    for scratch in &Scratch::each().await {
        let migrations = Migrations::new().with::<Broken>();
        let MigrationFault::Failed { name, .. } = fault(migrations.apply(&scratch.db).await) else {
            panic!("failed")
        };
        assert_eq!(name, "0001_half");
        assert_eq!(migrations.pending(&scratch.db).await.unwrap().len(), 1);
        assert!(scalar::<i64>(&scratch.db, "select count(*) from half").await.is_err());
    }
}

#[tokio::test]
async fn a_database_in_memory_is_locked_down_again_after_its_migrations() {
    let db = Db::memory().await.unwrap();
    Migrations::new().with::<Users>().with::<Posts>().apply(&db).await.unwrap();
    for attack in
        ["drop table member", "pragma query_only = on", "select 1 -- x", "select sql from sqlite_master"]
    {
        assert!(run(&db, attack).await.is_err(), "{attack}");
    }
    let orphan = run(&db, "insert into post (member_id) values (9)").await.unwrap_err();
    assert!(matches!(orphan.kind(), ErrorKind::ForeignKeyViolation(_)));
}

#[tokio::test]
async fn a_statement_is_compared_with_what_the_program_reads() {
    for scratch in &Scratch::each().await {
        let db = &scratch.db;
        Migrations::new().with::<Users>().apply(db).await.unwrap();
        let statement =
            query("select id, name, mail, 1 + 1 as two from member where id = $1", [crate::Value::Null]);
        let description = db.describe(&statement).await.unwrap();
        assert_eq!(description.parameters.len(), 1);
        let right = [Type::I64, Type::Text, Type::Nullable(&Type::Text), Type::I64];
        assert!(description.differences(&right).is_empty(), "{:?}", description.differences(&right));
        let wrong = [Type::Text, Type::Text, Type::Text, Type::I64];
        let lines = description.differences(&wrong);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("id: is") && lines[1].starts_with("mail: may be null"), "{lines:?}");
        assert_eq!(description.differences(&right[..2]).len(), 1);
        let unknown = db.describe(&query("select nickname from member", [])).await.unwrap_err();
        assert_eq!(*unknown.kind(), ErrorKind::Statement);
    }
}

#[tokio::test]
async fn a_role_with_more_rights_than_a_site_needs_is_reported() {
    let Some(scratch) = Scratch::postgres(Options::default()).await else { return };
    let warnings = scratch.db.role_warnings().await.unwrap();
    let superuser = scalar::<bool>(&scratch.db, "select rolsuper from pg_roles where rolname = current_user");
    assert_eq!(
        warnings.iter().any(|line| line.contains("superuser")),
        superuser.await.unwrap(),
        "{warnings:?}"
    );
}

struct Auth;
impl MigrationSet for Auth {
    const APP: &'static str = "haechi_auth";
    const MIGRATIONS: &'static [Migration] =
        &[both("0001_users", "create table auth_user (id integer primary key)")];
}

/// Runs a real Django's own migrations; `None` where it cannot be had and is not required.
fn django(scratch: &Scratch, settings: &str) -> Option<()> {
    let place = std::env::temp_dir().join(format!("haechi-django-{}", std::process::id()));
    let python = place.join("bin/python");
    let run = |program: &std::path::Path, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.is_ok_and(|output| {
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success() || !required(), "{arguments:?}: {message}");
            output.status.success()
        })
    };
    let packages = ["-m", "pip", "install", "-q", "django==5.2.*", "psycopg[binary]"];
    let made = python.exists()
        || run(std::path::Path::new("python3"), &["-m", "venv", &place.display().to_string()])
            && run(&python, &packages);
    let code = format!(
        "import django\nfrom django.conf import settings\n\
         settings.configure(SECRET_KEY='x', USE_TZ=True, DATABASES={{'default': {settings}}}, INSTALLED_APPS=[\
         'django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions'])\ndjango.setup()\n\
         from django.core.management import call_command\ncall_command('migrate', verbosity=0)\n\
         from django.contrib.auth.models import User\nUser.objects.create_user('kim', 'kim@example.org', 'a password')"
    );
    if made && run(&python, &["-c", &code]) {
        return Some(());
    }
    assert!(!required(), "Django is required here");
    eprintln!("skipped: no Django 5.2 for {:?}", scratch.db.engine());
    None
}

/// One test for both engines, so that Django is installed once.
#[tokio::test]
async fn the_tables_of_a_real_django_are_adopted_without_touching_them() {
    for scratch in &Scratch::each().await {
        let db = &scratch.db;
        let settings = match db.engine() {
            Engine::Sqlite => {
                format!(
                    "{{'ENGINE': 'django.db.backends.sqlite3', 'NAME': '{}/site.db'}}",
                    scratch.folder().display()
                )
            }
            Engine::Postgres => {
                let schema: String = scalar(db, "select current_schema()::text").await.unwrap();
                format!(
                    "{{'ENGINE': 'django.db.backends.postgresql', 'NAME': 'test', 'USER': 'postgres', 'HOST': \
                     '127.0.0.1', 'OPTIONS': {{'options': '-c search_path={schema}'}}}}"
                )
            }
        };
        let migrations = Migrations::new().with::<Auth>();
        let missing = migrations.compare_django(db).await.unwrap();
        assert_eq!(missing.len(), 8, "{missing:?}");
        if django(scratch, &settings).is_none() {
            return;
        }
        assert_eq!(migrations.compare_django(db).await.unwrap(), Vec::<String>::new());
        assert_eq!(migrations.adopt_django(db, &[("haechi_auth", "0001_users")]).await.unwrap().len(), 1);
        assert_eq!(migrations.plan(db).await.unwrap()[0].state, PlanState::Adopted);
        let kim = "select username, is_active, date_joined, last_login from auth_user where username = $1";
        let mut row = db.rows(query(kim, [text("kim")])).await.unwrap().remove(0);
        assert_eq!((row.take::<String>(0).unwrap(), row.take::<bool>(1).unwrap()), ("kim".to_owned(), true));
        row.take::<jiff::Timestamp>(2).unwrap();
        assert_eq!(row.take::<Option<jiff::Timestamp>>(3).unwrap(), None);
        let insert = "insert into auth_user (password, is_superuser, username, first_name, last_name, email, is_staff,
            is_active, date_joined) select password, is_superuser, $1, '', '', '', is_staff, is_active, date_joined
            from auth_user";
        let error = db.execute(change(insert, [text("kim")])).await.unwrap_err();
        assert_eq!(error.unique_violation().unwrap().field(), Some("username"));
    }
    drop(std::fs::remove_dir_all(std::env::temp_dir().join(format!("haechi-django-{}", std::process::id()))));
}

#[tokio::test]
async fn tables_that_differ_from_those_of_django_are_listed_and_not_adopted() {
    let scratch = Scratch::file(Options::default()).await;
    scratch.ddl(
        "create table django_session (session_key varchar(32) not null primary key, session_data integer null,
            expire_date datetime not null, tenant integer not null)",
    )
    .await;
    let MigrationFault::Differs(lines) = fault(
        Migrations::new().with::<Auth>().adopt_django(&scratch.db, &[("haechi_auth", "0001_users")]).await,
    ) else {
        panic!("adopted")
    };
    assert_eq!(
        lines[7..],
        [
            "django_session.session_key: takes 32 characters, must take 40",
            "django_session.session_data: is an integer, must be text",
            "django_session.session_data: must be not null",
            "django_session.tenant: haechi does not fill this column, and it has no default",
        ]
    );
    assert!(Migrations::new().with::<Auth>().plan(&scratch.db).await.unwrap()[0].state == PlanState::Pending);
}

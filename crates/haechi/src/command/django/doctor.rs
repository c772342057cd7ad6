//! `django doctor`: reads the configuration and the database, and says what is right and what is wrong with its cure.

use std::collections::BTreeSet;
use std::process::ExitCode;

use haechi_auth::UserTables;
use haechi_db::{Db, Migrations, sql};
use haechi_session::Values;

use crate::App;
use crate::build;
use crate::config::Config;
use crate::django::{Engine, Neighbour};

/// What was found, a line each, and whether any of it stands in the way.
#[derive(Debug, Default)]
struct Report {
    lines: Vec<String>,
    errors: usize,
}

impl Report {
    fn good(&mut self, text: &str) {
        self.lines.push(format!("ok       {text}"));
    }

    fn warn(&mut self, text: &str) {
        self.lines.push(format!("warning  {text}"));
    }

    fn wrong(&mut self, text: &str) {
        self.lines.push(format!("error    {text}"));
        self.errors += 1;
    }
}

pub(super) async fn run(app: &App, config: &Config) -> ExitCode {
    let report = examine(app, config).await;
    report.lines.iter().for_each(|line| println!("{line}"));
    println!("{} errors", report.errors);
    if report.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn examine(app: &App, config: &Config) -> Report {
    let mut report = Report::default();
    let neighbour = match build::neighbour(config) {
        None => {
            report.wrong(
                "there is no section [django]: run `django exporter` and feed what it prints to manage.py shell",
            );
            None
        }
        Some(Err(faults)) => {
            faults.iter().for_each(|fault| report.wrong(fault));
            None
        }
        Some(Ok(neighbour)) => {
            settings(&mut report, &neighbour);
            Some(neighbour)
        }
    };
    match build::database(config, app.name).await {
        Ok(db) => {
            tables(&mut report, app, &db).await;
            if let Some(neighbour) = &neighbour {
                content(&mut report, app, neighbour, &db).await;
            }
        }
        Err(error) => report.wrong(&format!("{error}: set database.url to the database of the Django site")),
    }
    report
}

fn settings(report: &mut Report, neighbour: &Neighbour) {
    report.good("the keys, the version and the formats can be shared");
    report.good(&format!("new passwords are written as the Django site writes them: {}", neighbour.hashes()));
    match neighbour.engine {
        Engine::Database => report.good("sessions are shared in the table django_session: signing out ends them on both"),
        Engine::SignedCookies => report.warn(
            "sessions are shared in signed cookies: a copy of one lives on after a sign-out, on either site; the engine \
             `db` ends it",
        ),
    }
    if !neighbour.secure {
        report.warn("cookies are set without Secure: set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE there, and serve both over TLS");
    }
    neighbour.warnings.iter().for_each(|warning| report.warn(warning));
}

/// Compares the tables of Django, and looks for our own.
async fn tables(report: &mut Report, app: &App, db: &Db) {
    let migrations: Migrations = app.all_migrations();
    if app.users.named {
        return named(report, app, &migrations, db).await;
    }
    match migrations.compare_django(db).await {
        Ok(differences) if differences.is_empty() => report.good("the tables are Django's"),
        Ok(differences) => {
            for difference in differences {
                report.wrong(&format!(
                    "{difference}; run manage.py migrate on the Django site, name its database, or say which table its users \
                     are in with App::users"
                ));
            }
        }
        Err(error) => report.wrong(&format!("the tables cannot be read: {error}")),
    }
    ours(report, &migrations, db).await;
}

/// As [`tables`] where the application says which table the users are in: `AUTH_USER_MODEL` is one of the site's own.
async fn named(report: &mut Report, app: &App, migrations: &Migrations, db: &Db) {
    match (app.users.misfits)(db.clone()).await {
        Ok(misfits) if misfits.is_empty() => {
            report.good(&format!("the table of users, {}, is what App::users says", app.users.table));
        }
        Ok(misfits) => misfits.iter().for_each(|misfit| {
            report.wrong(&format!("{misfit}; correct App::users, or name the database of the Django site"));
        }),
        Err(error) => report.wrong(&format!("{} cannot be read: {error}", app.users.table)),
    }
    ours(report, migrations, db).await;
}

async fn ours(report: &mut Report, migrations: &Migrations, db: &Db) {
    match migrations.pending(db).await {
        Ok(pending) => {
            let ours = |app: &str, name: &str| !UserTables::OF_DJANGO.contains(&(app, name));
            let count = pending.iter().filter(|one| ours(one.app, one.name)).count();
            match count {
                0 => report.good("haechi's own tables stand beside them"),
                _ => report.good("haechi's own tables are made at the first start, or by `migrate`"),
            }
        }
        Err(error) => report.wrong(&format!("haechi's own tables: {error}")),
    }
}

/// Looks at what stands in the tables: whether the keys fit it, and the hashes.
async fn content(report: &mut Report, app: &App, neighbour: &Neighbour, db: &Db) {
    if neighbour.engine == Engine::Database {
        sessions(report, neighbour, db).await;
    }
    match (app.users.hashed)(db.clone(), format!("{}$", neighbour.hasher_prefix())).await {
        Ok((0, _)) => report.warn("nobody has a password yet: there is no telling whether hashes agree"),
        Ok((all, same)) if same == all => report.good(&format!("all {all} passwords are hashed as here")),
        Ok((all, same)) => report.warn(&format!(
            "{same} of {all} passwords are hashed as configured: if the newest of the others are of the Django site, \
             `version`, `password_hasher` or one of its parameters is not what it has"
        )),
        Err(error) => report.wrong(&format!("{} cannot be read: {error}", app.users.table)),
    }
}

async fn sessions(report: &mut Report, neighbour: &Neighbour, db: &Db) {
    let rows = sql!(
        (String, String),
        "select session_key, session_data from django_session order by expire_date desc limit 50"
    );
    let rows = match rows.all(db).await {
        Ok(rows) => rows,
        Err(error) => return report.wrong(&format!("django_session cannot be read: {error}")),
    };
    let store = neighbour.store(db);
    let newest: Vec<_> = rows.iter().filter_map(|(_, data)| store.decode(data).ok()).collect();
    backends(report, neighbour, &newest);
    let read = rows.iter().filter(|(_, data)| store.verifies(data)).count();
    match (rows.len(), read) {
        (0, _) => report.warn(
            "there is no session yet: sign in on the Django site and run this once more, to see whether the keys fit",
        ),
        (all, read) if all == read => report.good(&format!("the {all} newest sessions are signed by these keys")),
        (all, 0) => report.wrong(&format!(
            "none of the {all} newest sessions is signed by these keys: secret_key is not the SECRET_KEY of the Django \
             site, or its SessionStore is a class of its own"
        )),
        (all, read) => report.warn(&format!(
            "{read} of the {all} newest sessions are signed by these keys: the key was changed; name the one before in \
             secret_key_fallbacks"
        )),
    }
}

/// Looks whether the people of the newest sessions are known here: they signed in through a backend that is listed.
fn backends(report: &mut Report, neighbour: &Neighbour, sessions: &[Values]) {
    let path = |values: &Values| values.get::<String>("_auth_user_backend").ok().flatten();
    let paths: Vec<String> = sessions.iter().filter_map(path).collect();
    let foreign: Vec<&String> = paths.iter().filter(|path| !neighbour.lists(path)).collect();
    for path in foreign.iter().collect::<BTreeSet<_>>() {
        let text = format!(
            "people are signed in through \"{path}\", which auth_backends does not list: they are nobody here; copy the whole of \
             AUTHENTICATION_BACKENDS (`django exporter` does)"
        );
        // One that the site has given up leaves sessions behind; of all, the list is another.
        match foreign.len() == paths.len() {
            true => report.wrong(&text),
            false => report.warn(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    async fn check(text: &str, expected: &[&str]) {
        let text = format!("database.url = 'sqlite::memory:'\n{text}");
        let config = Config::parse(&text, &BTreeMap::new()).unwrap();
        let report = examine(&App::new("test"), &config).await;
        for part in expected {
            assert!(report.lines.iter().any(|line| line.contains(part)), "{part}: {:#?}", report.lines);
        }
        assert_eq!(report.errors, report.lines.iter().filter(|line| line.starts_with("error")).count());
        assert!(report.errors > 0, "an empty database is not that of a Django site");
    }

    #[tokio::test]
    async fn the_doctor_names_everything_that_cannot_be_shared_with_its_cure() {
        let key = "secret_key = 'a-key-that-two-sites-share-9f1c03e87b6d4a52c0fe1893'";
        check("", &["error    there is no section [django]"]).await;
        for (engine, why) in [
            ("cached_db", "its cache still answers"),
            ("django.contrib.sessions.backends.cache", "only Python reads"),
            ("file", "stand in files of that machine"),
            ("my.sessions", "of one's own"),
        ] {
            let text = format!("[django]\n{key}\nversion = '5.2'\nsession_engine = '{engine}'");
            check(&text, &[&format!("error    session_engine is \"{engine}\""), why]).await;
        }
        let many = format!(
            "[django]\n{key}\nversion = '4.2'\nsession_serializer = 'a.Pickle'\ntime_zone = 'Moon'\n\
             password_hasher = 'md5'\nmessage_storage = 'x'\nsession_cookie_samesite = 'None'"
        );
        check(
            &many,
            &[
                "version is \"4.2\"",
                "session_serializer",
                "time_zone",
                "password_hasher",
                "message_storage",
                "samesite",
            ],
        )
        .await;
        for (line, what) in [
            ("signing_backend = 'a.Signer'", "signing_backend"),
            ("use_tz = false", "use_tz"),
            ("database_time_zone = 'Asia/Seoul'", "error    database_time_zone is \"Asia/Seoul\""),
            ("password_hasher = 'argon2'\nargon2_memory_cost = 1048576", "memory_cost 1048576, time_cost 2"),
            (
                "password_hasher = 'bcrypt'\nbcrypt_rounds = 20",
                "bcrypt with 20 rounds, which haechi does not compute",
            ),
            ("password_hasher = 'scrypt'\nscrypt_work_factor = 1000", "work_factor 1000"),
            ("auth_backend = 'x'", "auth_backend"),
            ("auth_backends = ['a.B', 'x']", "auth_backend is \"x\""),
            ("auth_backends = ['a.B', 'c.D']", "which auth_backends does not list"),
        ] {
            check(&format!("[django]\n{key}\nversion = '5.2'\n{line}"), &[what]).await;
        }
        let backends =
            "session_engine = 'signed_cookies'\nauth_backend = 'a.B'\nauth_backends = ['a.B', 'c.D']";
        let text = format!("[django]\n{key}\nversion = '5.2'\n{backends}");
        check(&text, &["warning  sessions in signed cookies are shared in the name of a.B alone"]).await;
        let good = format!("[django]\n{key}\nversion = '5.2.19'");
        check(
            &good,
            &[
                "ok       the keys",
                "pbkdf2_sha256 with 1000000 iterations",
                "auth_user: the table is missing",
            ],
        )
        .await;
    }

    /// A table as a Django with a user model of its own makes it.
    struct Members;

    impl haechi_db::MigrationSet for Members {
        const APP: &'static str = "members";
        const MIGRATIONS: &'static [haechi_db::Migration] = &[haechi_db::Migration {
            name: "0001_member",
            sqlite: "create table auth_permission (id integer primary key, content_type_id integer, codename text);
                     create table auth_group (id integer primary key, name text);
                     create table auth_group_permissions (id integer primary key, group_id integer, permission_id integer);
                     create table django_content_type (id integer primary key, app_label text, model text);
                     create table member (id integer primary key, password text not null, last_login text,
                     is_superuser bool not null, name text not null unique, on_duty bool not null);
                     insert into member values (1, 'pbkdf2_sha256$1000000$a$b', null, 0, 'ada', 1),
                     (2, 'pbkdf2_sha256$600000$a$b', null, 0, 'bob', 1), (3, '!x', null, 0, 'cy', 1)",
            postgres: "",
        }];
    }

    #[derive(Debug)]
    struct Right;

    impl haechi_auth::UserTable for Right {
        const TABLE: &'static str = "member";
        const USERNAME: &'static str = "name";
        const EMAIL: Option<&'static str> = None;
        const FIRST_NAME: Option<&'static str> = None;
        const LAST_NAME: Option<&'static str> = None;
        const IS_STAFF: Option<&'static str> = None;
        const IS_ACTIVE: Option<&'static str> = Some("on_duty");
        const DATE_JOINED: Option<&'static str> = None;
        const GROUPS: Option<haechi_auth::Membership> = None;
        const PERMISSIONS: Option<haechi_auth::Membership> = None;
    }

    #[derive(Debug)]
    struct Misspelt;

    impl haechi_auth::UserTable for Misspelt {
        const TABLE: &'static str = "members";
    }

    #[tokio::test]
    async fn a_user_model_of_the_sites_own_is_compared_with_what_the_application_says_of_it() {
        let file = std::env::temp_dir().join(format!("haechi-doctor-{}.db", std::process::id()));
        let url = haechi_db::DatabaseUrl::file(file.clone());
        let db = Db::connect(&url, haechi_db::Options::default()).await.unwrap();
        Migrations::new().with::<Members>().apply(&db).await.unwrap();
        let text = format!(
            "database.url = 'sqlite:{}'\n[django]\nsecret_key = 'a-key-that-two-sites-share-9f1c03e87b6d4a52c0'\nversion = '5.2'",
            file.display()
        );
        let config = Config::parse(&text, &BTreeMap::new()).unwrap();
        let of = async |app: App| examine(&app, &config).await.lines.join("\n");
        let right = of(App::new("test").users(Right)).await;
        assert!(right.contains("ok       the table of users, member, is what App::users says"), "{right}");
        assert!(right.contains("warning  1 of 2 passwords are hashed as configured"), "{right}");
        assert!(!right.contains("auth_user"), "{right}");
        let misspelt = of(App::new("test").users(Misspelt)).await;
        assert!(misspelt.contains("error    members: "), "{misspelt}");
        assert!(misspelt.contains("correct App::users"), "{misspelt}");
        let unsaid = of(App::new("test")).await;
        assert!(
            unsaid.contains("auth_user: the table is missing") && unsaid.contains("App::users"),
            "{unsaid}"
        );
        for end in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{end}", file.display())));
        }
    }

    #[tokio::test]
    async fn sessions_of_a_backend_that_is_not_listed_are_named() {
        let key = "a-key-that-two-sites-share-9f1c03e87b6d4a52c0";
        #[rustfmt::skip]
        let rows = [
            (&["a.B"][..], "['a.B']", None),
            (&["a.B", "c.D"], "['a.B', 'c.D']", None),
            (&["a.B", "c.D"], "['a.B']", Some("warning  people are signed in through \"c.D\"")),
            (&["c.D", "c.D"], "['a.B']", Some("error    people are signed in through \"c.D\"")),
            (&[], "['a.B']", None),
        ];
        for (paths, list, expected) in rows {
            let text = format!(
                "[django]\nsecret_key = '{key}'\nversion = '5.2'\nauth_backend = 'a.B'\nauth_backends = {list}"
            );
            let text = format!("database.url = 'sqlite::memory:'\n{text}");
            let config = Config::parse(&text, &BTreeMap::new()).unwrap();
            let neighbour = build::neighbour(&config).unwrap().unwrap();
            let session =
                |path: &&str| Values::parse(&format!("{{\"_auth_user_backend\":\"{path}\"}}")).unwrap();
            let sessions: Vec<Values> = paths.iter().map(session).chain([Values::default()]).collect();
            let mut report = Report::default();
            backends(&mut report, &neighbour, &sessions);
            assert_eq!(report.lines.len(), usize::from(expected.is_some()), "{list}: {:?}", report.lines);
            assert!(expected.is_none_or(|part| report.lines[0].starts_with(part)), "{:?}", report.lines);
        }
    }

    #[tokio::test]
    async fn a_key_that_could_be_guessed_is_refused_in_production_and_warned_of_elsewhere() {
        let weak = "[django]\nsecret_key = 'changeme'\nversion = '5.2'";
        check(weak, &["warning  the SECRET_KEY"]).await;
        let production = format!("mode = 'production'\n{weak}");
        check(&production, &["error    secret_key could be guessed"]).await;
        let generated = "mode = 'production'\n[django]\nsecret_key = 'django-insecure-q7Rf2mXw9Lk4Zt8Nv3Bc6Hs1Jd5Gp0Y'\nversion = '5.2'";
        check(generated, &["warning  the SECRET_KEY", "ok       the keys"]).await;
    }
}

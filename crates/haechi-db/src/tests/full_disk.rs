//! A disk without room: a real one of 20 MB where it may be mounted, and a database that may not grow everywhere.

use std::{fs::OpenOptions, io::Write as _, path::PathBuf, process::Command};

use super::{
    change, query,
    reliability::integrity,
    scalar,
    scratch::{ddl, folder, required},
};
use crate::{DatabaseUrl, Db, ErrorKind, Executor, Options, Result, Value, db::Backend};

/// A database that becomes full and has room again.
enum Small {
    /// Its file lies on a small file system.
    Disk { db: Db, mount: Mount },
    /// It may have no more pages than it has.
    Pages(Db),
}

impl Small {
    async fn each() -> Vec<Small> {
        let mut all = vec![Small::Pages(Db::memory().await.unwrap())];
        if let Some(mount) = Mount::new() {
            let url = DatabaseUrl::file(mount.0.join("site.db"));
            all.push(Small::Disk { db: Db::connect(&url, Options::default()).await.unwrap(), mount });
        }
        for small in &all {
            ddl(small.db(), "create table item (id integer primary key, raw blob not null) strict").await;
        }
        all
    }

    fn db(&self) -> &Db {
        match self {
            Small::Disk { db, .. } | Small::Pages(db) => db,
        }
    }

    /// Takes all room but a little.
    async fn fill(&self) {
        match self {
            Small::Disk { mount, .. } => {
                let mut ballast =
                    OpenOptions::new().create(true).append(true).open(mount.0.join("ballast")).unwrap();
                while ballast.write_all(&[1; 4096]).is_ok() {}
                let length = ballast.metadata().unwrap().len();
                ballast.set_len(length - (4 << 20)).unwrap();
            }
            Small::Pages(db) => {
                let pages: i64 = as_owner(db, "pragma page_count").await;
                as_owner::<i64>(db, &format!("pragma max_page_count = {}", pages + 100)).await;
            }
        }
    }

    async fn free(&self) {
        match self {
            Small::Disk { mount, .. } => std::fs::remove_file(mount.0.join("ballast")).unwrap(),
            Small::Pages(db) => {
                as_owner::<i64>(db, "pragma max_page_count = 1000000").await;
            }
        }
    }

    /// What SQLite finds wrong in the database.
    async fn damage(self) -> String {
        match self {
            Small::Pages(db) => as_owner(&db, "pragma integrity_check").await,
            Small::Disk { db, mount } => {
                drop(db);
                integrity(&mount.0.join("site.db"))
            }
        }
    }
}

/// Asks the writer of a database in memory what no statement may ask.
async fn as_owner<T: rusqlite::types::FromSql + Send + 'static>(db: &Db, pragma: &str) -> T {
    let Backend::Sqlite(sqlite) = &*db.0 else { panic!("only SQLite has pragmas") };
    let pragma = pragma.to_owned();
    sqlite.as_owner(move |driver| Ok(driver.query_row(&pragma, [], |row| row.get(0)).unwrap())).await.unwrap()
}

async fn write(db: impl Executor) -> Result<i64> {
    let text = "insert into item (raw) values ($1) returning id";
    let rows = db.fetch(change(text, [Value::Bytes(vec![7; 64 << 10])]), |row| row.take(0)).await?;
    Ok(rows[0])
}

#[track_caller]
fn is_full<T: std::fmt::Debug>(outcome: Result<T>) {
    let error = outcome.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Full);
    assert!(error.retry_after().is_some(), "a 503 for a visitor");
}

#[tokio::test]
async fn a_full_disk_fails_the_write_and_nothing_else() {
    for small in Small::each().await {
        let db = small.db();
        let stored = async || -> Vec<i64> {
            db.fetch(query("select id from item order by id", []), |row| row.take(0)).await.unwrap()
        };
        let mut confirmed = vec![write(db).await.unwrap()];
        for _ in 0..2 {
            small.fill().await;
            let refused = loop {
                match write(db).await {
                    Ok(id) => confirmed.push(id),
                    Err(error) => break Err::<(), _>(error),
                }
                assert!(confirmed.len() < 1000, "it never became full");
            };
            is_full(refused);
            let begun = async |writes: usize| {
                db.transaction(async |tx| {
                    for _ in 0..writes {
                        write(&tx).await?;
                    }
                    Ok(())
                })
                .await
            };
            // By the first statement, and by the last of more than the disk could ever hold.
            is_full(begun(1).await);
            is_full(begun(200).await);
            let forgetful = db.transaction(async |tx| {
                drop(write(&tx).await);
                Ok(())
            });
            is_full(forgetful.await);
            let part = db.transaction(async |tx| {
                drop(tx.transaction(async |part| write(&part).await).await);
                Ok(())
            });
            // The part is undone alone where it failed at once; where the commit fails, so does the whole.
            drop(part.await);
            assert_eq!(stored().await, confirmed, "reads go on, and see what was confirmed and no more");
            small.free().await;
            confirmed.push(write(db).await.unwrap());
            let both = db.transaction(async |tx| Ok([write(&tx).await?, write(&tx).await?])).await;
            confirmed.extend(both.unwrap());
            assert_eq!(stored().await, confirmed, "the same handle stores again");
        }
        let rows: i64 = scalar(db, "select count(*) from item where length(raw) = 65536").await.unwrap();
        assert_eq!(rows, i64::try_from(confirmed.len()).unwrap());
        assert_eq!(small.damage().await, "ok");
    }
}

/// A small file system of our own.
struct Mount(PathBuf);

impl Mount {
    /// Mounts one, or says why that part of the test is skipped.
    fn new() -> Option<Mount> {
        let place = folder();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=20m", "tmpfs"]).arg(&place).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Mount(place));
        }
        assert!(!required(), "a tmpfs of the test's own is required here");
        eprintln!("skipped in part: no right to mount a small file system");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
        drop(std::fs::remove_dir(&self.0));
    }
}

//! Which table the users of an application are in.

use futures_util::future::BoxFuture;
use haechi_auth::hash::{Hashers, PoolSize};
use haechi_auth::{
    AuthUser, Authority, CustomUserTables, ProvedEmailTable, TableUsers, Throttle, UserTable, UserTables,
};
use haechi_core::{KeyRing, SystemClock};
use haechi_db::{Db, Migrations};

use crate::accounts::AccountTables;

type Outcome<T> = Result<T, haechi_auth::Error>;
type Answer<T> = BoxFuture<'static, Outcome<T>>;

/// What depends on the table of users.
#[derive(Clone, Copy)]
pub(crate) struct Users {
    /// Makes what signs them in.
    pub(crate) authority: fn(&Db, KeyRing, Hashers) -> Outcome<Authority>,
    /// Adds the tables that stand beside it.
    pub(crate) migrations: fn(Migrations) -> Migrations,
    /// Tells where the table is not what is said of it.
    pub(crate) misfits: fn(Db) -> Answer<Vec<String>>,
    /// How many accounts have a password, and how many a password of this kind.
    pub(crate) hashed: fn(Db, String) -> Answer<(i64, i64)>,
    /// Its name.
    pub(crate) table: &'static str,
    /// Whether the application named the table; Django's own is made by our migrations, or compared when it is adopted.
    pub(crate) named: bool,
}

impl Users {
    /// Django's own table.
    pub(crate) fn django() -> Self {
        Self {
            authority: authority::<AuthUser>,
            migrations: |migrations| migrations.with::<UserTables>().with::<AccountTables>(),
            misfits: misfits::<AuthUser>,
            hashed: hashed::<AuthUser>,
            table: AuthUser::TABLE,
            named: false,
        }
    }

    /// A table of the application's, or of the Django next door.
    pub(crate) fn of<T: UserTable>() -> Self {
        Self {
            authority: authority::<T>,
            migrations: |migrations| migrations.with::<CustomUserTables>().with::<ProvedEmailTable<T>>(),
            misfits: misfits::<T>,
            hashed: hashed::<T>,
            table: T::TABLE,
            named: true,
        }
    }
}

fn misfits<T: UserTable>(db: Db) -> Answer<Vec<String>> {
    Box::pin(async move { TableUsers::<T>::new(db).misfits().await })
}

fn hashed<T: UserTable>(db: Db, prefix: String) -> Answer<(i64, i64)> {
    Box::pin(async move { TableUsers::<T>::new(db).hashed(&prefix).await })
}

fn authority<T: UserTable>(db: &Db, keys: KeyRing, hashers: Hashers) -> Outcome<Authority> {
    let (users, throttle) = (TableUsers::<T>::new(db.clone()), Throttle::new(db.clone()));
    let authority =
        Authority::with(users.clone(), throttle, keys, hashers, PoolSize::default(), SystemClock)?;
    Ok(authority.rights(users))
}

//! The users of a table, on SQLite and PostgreSQL.

use std::fmt;
use std::marker::PhantomData;

use haechi_core::Secret;
use haechi_db::{Answers, Db, ErrorKind, Model, Sql, SqlText, TableName, ToValue};
use jiff::Timestamp;

use crate::rights_store::RightsStore;
use crate::user_statements::{
    self, ByEmail, ById, ByUsername, Create, Grant, Hashed, Held, Join, Leave, New, Prefixes,
    ReplacePassword, Revoke, SameName, SignedIn,
};
use crate::user_store::StoreFuture;
use crate::user_table::{AuthUser, KeyType, Membership, UserTable};
use crate::{Account, Error, NewAccount, User, UserId, UserStore};

/// The users of the table that `T` names.
pub struct TableUsers<T> {
    db: Db,
    table: PhantomData<fn() -> T>,
}

/// The users in Django's table, which a fresh site has as well.
pub type DjangoUsers = TableUsers<AuthUser>;

#[derive(Model)]
#[model(row)]
pub(crate) struct UserRow {
    id: UserId,
    password: String,
    last_login: Option<Timestamp>,
    is_superuser: bool,
    username: String,
    first_name: String,
    last_name: String,
    email: String,
    is_staff: bool,
    is_active: bool,
    date_joined: Option<Timestamp>,
}

impl<T: UserTable> TableUsers<T> {
    /// Keeps users in `db`, whose migrations have run.
    #[must_use]
    pub fn new(db: Db) -> Self {
        const { user_statements::check::<T>() }
        Self { db, table: PhantomData }
    }

    /// Returns where the table differs from what `T` says of it, a line each: a name that is wrong, or a column that must
    /// have a value and that a new account would not get one for.
    ///
    /// # Errors
    /// The database may fail.
    pub async fn misfits(&self) -> Result<Vec<String>, Error> {
        let mut misfits = Vec::new();
        for problem in [
            self.misfit::<ById<T>>().await?,
            self.misfit::<Create<T>>().await?,
            self.misfit::<SignedIn<T>>().await?,
            self.misfit::<Held<T>>().await?,
            self.misfit::<Grant<T>>().await?,
            self.misfit::<Join<T>>().await?,
        ] {
            misfits.extend(problem.map(|problem| format!("{}: {problem}", T::TABLE)));
        }
        if misfits.is_empty() {
            let line =
                |column| format!("{}.{column}: a new account gets no value here; name it in FIXED", T::TABLE);
            misfits.extend(self.unfilled().await?.into_iter().map(line));
        }
        Ok(misfits)
    }

    /// Returns how many accounts have a password, and for how many of these it begins with `prefix`, such as
    /// `pbkdf2_sha256$1000000$`.
    ///
    /// # Errors
    /// The database may fail.
    pub async fn hashed(&self, prefix: &str) -> Result<(i64, i64), Error> {
        let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
        let values = vec![prefix.to_value(), length.to_value()];
        Ok(Sql::<Hashed<T>>::new(values).one(&self.db).await?)
    }

    async fn misfit<S: SqlText>(&self) -> Result<Option<String>, Error> {
        Ok(self.db.check_statement::<S>().await?)
    }

    /// Returns the columns that must have a value, and get none from us or from the database.
    async fn unfilled(&self) -> Result<Vec<String>, Error> {
        let given = [
            Some(T::PASSWORD),
            Some(T::USERNAME),
            matches!(T::KEY, KeyType::Uuid).then_some(T::ID),
            T::EMAIL,
            T::FIRST_NAME,
            T::LAST_NAME,
            T::IS_SUPERUSER,
            T::IS_STAFF,
            T::IS_ACTIVE,
            T::DATE_JOINED,
        ];
        let filled = |column: &String| {
            given.contains(&Some(column)) || T::FIXED.iter().any(|(name, _)| *name == column)
        };
        let mut columns = self.db.required_columns::<Named<T>>().await?;
        columns.retain(|column| !filled(column));
        Ok(columns)
    }

    async fn insert(&self, new: NewAccount) -> Result<User, Error> {
        let NewAccount { username, email, password, is_superuser, date_joined } = new;
        let mut values = vec![Ok(haechi_db::Value::Null); 7];
        values[New::ID] = uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_value();
        values[New::PASSWORD] = password.expose().to_value();
        values[New::USERNAME] = username.to_value();
        values[New::EMAIL] = email.to_value();
        values[New::SUPERUSER] = is_superuser.to_value();
        values[New::ACTIVE] = true.to_value();
        values[New::NOW] = date_joined.to_value();
        match Sql::<Create<T>>::new(values).one::<UserRow>(&self.db).await {
            Ok(row) => Ok(Account::from(row).user),
            Err(error) => Err(refusal::<T>(error)),
        }
    }

    async fn found<S: SqlText + Answers<UserRow>>(
        &self,
        value: impl ToValue,
    ) -> haechi_db::Result<Option<Account>> {
        let row: Option<UserRow> = Sql::<S>::new(vec![value.to_value()]).optional(&self.db).await?;
        Ok(row.map(Account::from))
    }

    async fn change<S: SqlText>(
        &self,
        values: Vec<haechi_db::Result<haechi_db::Value>>,
    ) -> Result<u64, Error> {
        Ok(Sql::<S>::new(values).execute(&self.db).await?)
    }
}

fn needs(table: Option<Membership>, called: &'static str) -> Result<(), Error> {
    table.map(drop).ok_or(Error::NoTable(called))
}

/// The table's name, for what asks after the table itself.
struct Named<T>(PhantomData<T>);

impl<T: UserTable> TableName for Named<T> {
    const NAME: &'static str = T::TABLE;
}

/// What a table that did not take a new account means to the visitor.
fn refusal<T: UserTable>(error: haechi_db::Error) -> Error {
    match error.kind() {
        ErrorKind::UniqueViolation(violation) => match T::EMAIL {
            Some(email) if violation.involves(email) => Error::EmailTaken,
            _ => Error::UsernameTaken,
        },
        ErrorKind::NotNullViolation(_) => Error::IncompleteTable(error),
        _ => error.into(),
    }
}

impl From<UserRow> for Account {
    fn from(row: UserRow) -> Self {
        let user = User {
            id: row.id,
            username: row.username,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            is_superuser: row.is_superuser,
            is_staff: row.is_staff,
            is_active: row.is_active,
            last_login: row.last_login,
            date_joined: row.date_joined,
        };
        Self { user, password: Secret::new(row.password) }
    }
}

impl<T: UserTable> UserStore for TableUsers<T> {
    fn name_is_email(&self) -> bool {
        T::EMAIL.is_none()
    }

    fn by_username<'a>(&'a self, username: &'a str) -> StoreFuture<'a, Option<Account>> {
        Box::pin(async move { Ok(self.found::<ByUsername<T>>(username).await?) })
    }

    fn by_email<'a>(&'a self, email: &'a str) -> StoreFuture<'a, Vec<Account>> {
        Box::pin(async move {
            let rows: Vec<UserRow> = Sql::<ByEmail<T>>::new(vec![email.to_value()]).all(&self.db).await?;
            Ok(rows.into_iter().map(Account::from).collect())
        })
    }

    fn by_id(&self, id: UserId) -> StoreFuture<'_, Option<Account>> {
        Box::pin(async move {
            match (id, T::KEY) {
                (UserId::Int(_), KeyType::Int) | (UserId::Uuid(_), KeyType::Uuid) => {}
                _ => return Ok(None),
            }
            match self.found::<ById<T>>(id).await {
                // Wider than the column.
                Err(error) if error.is_validation() => Ok(None),
                found => Ok(found?),
            }
        })
    }

    fn has_similar_name<'a>(&'a self, username: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let count: i64 = Sql::<SameName<T>>::new(vec![username.to_value()]).one(&self.db).await?;
            Ok(count > 0)
        })
    }

    fn create(&self, account: NewAccount) -> StoreFuture<'_, User> {
        Box::pin(self.insert(account))
    }

    fn replace_password<'a>(
        &'a self,
        id: UserId,
        old: &'a str,
        new: Secret<String>,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let values = vec![id.to_value(), new.expose().to_value(), old.to_value()];
            Ok(self.change::<ReplacePassword<T>>(values).await? == 1)
        })
    }

    fn signed_in(&self, id: UserId, at: Timestamp) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if T::LAST_LOGIN.is_some() {
                self.change::<SignedIn<T>>(vec![id.to_value(), at.to_value()]).await?;
            }
            Ok(())
        })
    }

    fn password_prefixes(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move {
            let rows: Vec<(String,)> = Sql::<Prefixes<T>>::new(Vec::new()).all(&self.db).await?;
            Ok(rows.into_iter().map(|(prefix,)| prefix).collect())
        })
    }
}

impl<T: UserTable> RightsStore for TableUsers<T> {
    fn held(&self, user: UserId) -> StoreFuture<'_, Vec<(String, String)>> {
        Box::pin(async move { Ok(Sql::<Held<T>>::new(vec![user.to_value()]).all(&self.db).await?) })
    }

    fn grant(&self, user: UserId, permission: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            needs(T::PERMISSIONS, "PERMISSIONS")?;
            self.change::<Grant<T>>(vec![user.to_value(), permission.to_value()]).await.map(drop)
        })
    }

    fn revoke<'a>(&'a self, user: UserId, app: &'a str, codename: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            needs(T::PERMISSIONS, "PERMISSIONS")?;
            let values = vec![user.to_value(), app.to_value(), codename.to_value()];
            Ok(self.change::<Revoke<T>>(values).await? > 0)
        })
    }

    fn join(&self, user: UserId, group: i64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            needs(T::GROUPS, "GROUPS")?;
            self.change::<Join<T>>(vec![user.to_value(), group.to_value()]).await.map(drop)
        })
    }

    fn leave(&self, user: UserId, group: i64) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            needs(T::GROUPS, "GROUPS")?;
            Ok(self.change::<Leave<T>>(vec![user.to_value(), group.to_value()]).await? > 0)
        })
    }
}

impl<T> Clone for TableUsers<T> {
    fn clone(&self) -> Self {
        Self { db: self.db.clone(), table: PhantomData }
    }
}

impl<T: UserTable> fmt::Debug for TableUsers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableUsers").field("table", &T::TABLE).finish_non_exhaustive()
    }
}

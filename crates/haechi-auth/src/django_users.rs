//! Django's `auth_user`, on SQLite and PostgreSQL.

use haechi_core::Secret;
use haechi_db::{Db, Model, sql};
use jiff::Timestamp;

use crate::user_store::StoreFuture;
use crate::{Account, Error, NewAccount, User, UserId, UserStore};

/// The users in Django's table, which a fresh site has as well.
#[derive(Clone, Debug)]
pub struct DjangoUsers {
    db: Db,
}

#[derive(Model)]
#[model(row)]
struct UserRow {
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
    date_joined: Timestamp,
}

impl DjangoUsers {
    /// Keeps users in `db`, whose migrations have run.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn insert(&self, new: NewAccount) -> Result<User, Error> {
        let NewAccount { username, email, password, is_superuser, date_joined } = new;
        let password = password.expose().clone();
        let inserted = sql!(
            UserRow,
            "insert into auth_user
             (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             values ({password}, {is_superuser}, {username}, '', '', {email}, {is_superuser}, {active}, {date_joined})
             returning id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff,
             is_active, date_joined",
            active = true
        )
        .one(&self.db)
        .await;
        match inserted {
            Ok(row) => Ok(Account::from(row).user),
            Err(error) if error.unique_violation().is_some() => Err(Error::UsernameTaken),
            Err(error) => Err(error.into()),
        }
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

impl UserStore for DjangoUsers {
    fn by_username<'a>(&'a self, username: &'a str) -> StoreFuture<'a, Option<Account>> {
        Box::pin(async move {
            let row = sql!(
                UserRow,
                "select id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff,
                 is_active, date_joined from auth_user where username = {username}"
            )
            .optional(&self.db)
            .await?;
            Ok(row.map(Account::from))
        })
    }

    fn by_email<'a>(&'a self, email: &'a str) -> StoreFuture<'a, Vec<Account>> {
        Box::pin(async move {
            let rows = sql!(
                UserRow,
                "select id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff,
                 is_active, date_joined from auth_user where lower(email) = lower({email}) order by id limit 10"
            )
            .all(&self.db)
            .await?;
            Ok(rows.into_iter().map(Account::from).collect())
        })
    }

    fn by_id(&self, id: UserId) -> StoreFuture<'_, Option<Account>> {
        Box::pin(async move {
            let Some(id) = id.int() else { return Ok(None) };
            let row = sql!(
                UserRow,
                "select id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff,
                 is_active, date_joined from auth_user where id = {id}"
            )
            .optional(&self.db)
            .await;
            match row {
                Ok(row) => Ok(row.map(Account::from)),
                // Wider than the column.
                Err(error) if error.is_validation() => Ok(None),
                Err(error) => Err(error.into()),
            }
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
            let new = new.expose().clone();
            let changed = sql!("update auth_user set password = {new} where id = {id} and password = {old}")
                .execute(&self.db)
                .await?;
            Ok(changed == 1)
        })
    }

    fn signed_in(&self, id: UserId, at: Timestamp) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            sql!("update auth_user set last_login = {at} where id = {id}").execute(&self.db).await?;
            Ok(())
        })
    }

    /// Each beginning is just long enough for the parameters; a shorter count leaves a character of salt, no more.
    fn password_prefixes(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move {
            let prefixes = sql!(
                String,
                "select distinct case
                 when password like 'pbkdf2%sha256%' then substr(password, 1, 21)
                 when password like 'pbkdf2%sha1%' then substr(password, 1, 19)
                 when password like 'argon2%' then substr(password, 1, 38)
                 when password like 'bcrypt%sha256%' then substr(password, 1, 20)
                 when password like 'bcrypt%' then substr(password, 1, 14)
                 when password like 'scrypt%' then substr(password, 1, 14)
                 else '' end from auth_user limit 1000"
            )
            .all(&self.db)
            .await?;
            Ok(prefixes)
        })
    }
}

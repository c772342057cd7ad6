//! Which e-mail addresses are proved: a row for each user and address whose link was opened.

use haechi_auth::{User, UserId};
use haechi_db::{Db, Migration, MigrationSet, sql};

use crate::Result;

/// The table that the account pages add to those of the users.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountTables;

impl MigrationSet for AccountTables {
    const APP: &'static str = "haechi_accounts";
    const REQUIRES: &'static [&'static str] = &["haechi_auth"];
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0001_proved_email",
        sqlite: include_str!("../../migrations/0001_proved_email/up.sqlite.sql"),
        postgres: include_str!("../../migrations/0001_proved_email/up.postgres.sql"),
    }];
}

/// Returns whether the user has proved the address that the account has now.
pub(super) async fn is_proved(db: &Db, user: &User) -> Result<bool> {
    let (id, email) = (user.id, &user.email);
    let rows = sql!(i64, "select count(*) from haechi_proved_email where user_id = {id} and email = {email}")
        .one(db)
        .await?;
    Ok(rows > 0)
}

/// Returns who proved this address, perhaps of an account that has another by now.
pub(super) async fn who_proved(db: &Db, email: &str) -> Result<Vec<UserId>> {
    if email.contains('\0') {
        return Ok(Vec::new());
    }
    let rows = sql!(
        UserId,
        "select user_id from haechi_proved_email where lower(email) = lower({email}) order by proved_at limit 10"
    );
    Ok(rows.all(db).await?)
}

/// Notes that the user has proved the address; returns `false` if that was known, for a link is good once.
pub(super) async fn prove(db: &Db, user: &User, now: i64) -> Result<bool> {
    let (id, email) = (user.id, &user.email);
    let rows = sql!(
        "insert into haechi_proved_email (user_id, email, proved_at) values ({id}, {email}, {now})
         on conflict (user_id, email) do nothing"
    )
    .execute(db)
    .await?;
    Ok(rows > 0)
}

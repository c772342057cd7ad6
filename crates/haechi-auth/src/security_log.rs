//! What happened to accounts, in rows that cannot be changed unnoticed.

use haechi_core::{KeyRing, base64url};
use haechi_db::{Db, Model, sql};

use crate::Error;

/// An append-only log; each row carries a MAC over itself and the row before.
///
/// # Security
/// Who can write to the database but has no key of the site cannot change, insert, remove or reorder rows unnoticed.
/// Cutting off the end and setting the head back goes unnoticed, unless [`Verified::mac`] is kept elsewhere. No
/// password, session or name that was typed (it may be a password) is written: names are MACs.
#[derive(Clone, Debug)]
pub struct SecurityLog {
    db: Db,
    keys: KeyRing,
}

/// What happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SecurityEvent {
    /// A user signed in.
    SignIn,
    /// Credentials were wrong.
    Failure,
    /// An attempt had to wait.
    Throttle,
    /// A password was changed.
    PasswordChange,
    /// A session was ended by its user.
    SessionEnd,
    /// A permission was missing.
    Denial,
}

/// One row to be written.
#[derive(Clone, Copy, Debug)]
pub struct SecurityEntry<'a> {
    /// What.
    pub event: SecurityEvent,
    /// When, in seconds since 1970, UTC.
    pub at: i64,
    /// Who, where that is known.
    pub user: Option<i64>,
    /// The name that was typed; only its MAC is kept.
    pub name: &'a str,
    /// The network of the client.
    pub network: &'a str,
    /// The id of the request, or empty.
    pub request: &'a str,
}

/// A chain that is whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// How many rows there are.
    pub rows: i64,
    /// The MAC of the last one.
    pub mac: String,
}

/// A chain that is not, or could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// This row, or the one before, was changed, removed or put in.
    #[error("the security log was changed at row {at}; compare it with a backup")]
    Row {
        /// The number of the row.
        at: i64,
    },
    /// The database failed.
    #[error("the security log could not be read")]
    Unread(#[from] haechi_db::Error),
}

#[derive(Model)]
#[model(row)]
struct LogRow {
    id: i64,
    at: i64,
    event: String,
    user_id: Option<i64>,
    account: String,
    network: String,
    request: String,
    mac: String,
}

impl SecurityLog {
    /// Writes to `db`, whose migrations have run.
    #[must_use]
    pub fn new(db: Db, keys: KeyRing) -> Self {
        Self { db, keys }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// The database may fail; refuse then what was to be logged.
    pub async fn append(&self, entry: SecurityEntry<'_>) -> Result<(), Error> {
        let account = match entry.name {
            "" => String::new(),
            name => base64url::encode(&self.keys.mac(NAME, name.as_bytes())[..16]),
        };
        let event = entry.event.name().to_owned();
        let (network, request) = (entry.network.to_owned(), entry.request.to_owned());
        let (at, user_id, mac) = (entry.at, entry.user, String::new());
        let row = LogRow { id: 0, at, event, user_id, account, network, request, mac };
        let (keys, row) = (&self.keys, &row);
        self.db
            .transaction_retrying(async |tx| {
                // The head's row is locked until the end: two machines cannot both append after the same row.
                let (id, before): (i64, String) = sql!(
                    "update haechi_security_head set log_rows = log_rows + 1 where id = 1 returning log_rows, mac"
                )
                .one(&tx)
                .await?;
                let mac = base64url::encode(keys.mac(ROW, &row.bytes(id, &before)));
                let LogRow { event, account, network, request, .. } = row;
                sql!(
                    "insert into haechi_security_log (id, at, event, user_id, account, network, request, mac)
                     values ({id}, {at}, {event}, {user_id}, {account}, {network}, {request}, {mac})"
                )
                .execute(&tx)
                .await?;
                sql!("update haechi_security_head set mac = {mac} where id = 1").execute(&tx).await?;
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// Reads the whole chain.
    ///
    /// # Errors
    /// [`Broken::Row`] names the first row that does not fit; the database may fail.
    pub async fn verify(&self) -> Result<Verified, Broken> {
        let (rows, head): (i64, String) =
            sql!("select log_rows, mac from haechi_security_head where id = 1").one(&self.db).await?;
        let (mut last, mut before) = (0, String::new());
        while last < rows {
            let page: Vec<LogRow> = sql!(
                "select id, at, event, user_id, account, network, request, mac from haechi_security_log
                 where id > {last} and id <= {rows} order by id limit 1000"
            )
            .all(&self.db)
            .await?;
            if page.is_empty() {
                return Err(Broken::Row { at: last + 1 });
            }
            for row in page {
                let mac = base64url::decode(&row.mac).unwrap_or_default();
                let fits = self.keys.verify(ROW, &row.bytes(row.id, &before), &mac).is_some();
                if row.id != last + 1 || !fits {
                    return Err(Broken::Row { at: last + 1 });
                }
                (last, before) = (row.id, row.mac);
            }
        }
        if before == head { Ok(Verified { rows, mac: head }) } else { Err(Broken::Row { at: rows }) }
    }
}

impl LogRow {
    /// Each part with its length, so that no two rows have the same bytes.
    fn bytes(&self, id: i64, before: &str) -> Vec<u8> {
        let numbers = [id.to_string(), self.at.to_string(), format!("{:?}", self.user_id)];
        let texts = [&self.event, &self.account, &self.network, &self.request].map(String::as_str);
        let parts = numbers.iter().map(String::as_str).chain(texts).chain([before]);
        parts.flat_map(|part| format!("{}:{part}", part.len()).into_bytes()).collect()
    }
}

impl SecurityEvent {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Failure => "failure",
            Self::Throttle => "throttle",
            Self::PasswordChange => "password change",
            Self::SessionEnd => "session end",
            Self::Denial => "denial",
        }
    }
}

const ROW: &str = "haechi.auth.security_log.row";
const NAME: &str = "haechi.auth.security_log.name";

//! What happened to accounts, in rows that cannot be changed unnoticed.

use std::fmt;
use std::str::FromStr;

use haechi_core::{KeyRing, base64url};
use haechi_db::{Db, Model, sql};

use crate::{Error, UserId};

/// An append-only log; each row carries a MAC over itself and the row before.
///
/// # Security
/// Who can write to the database but has no key of the site cannot change, insert, remove or reorder rows unnoticed.
/// Cutting off the end and setting the head back looks whole by itself: keep a [`Verified`] where the database's
/// administrator cannot reach it, and [`verify_since`](SecurityLog::verify_since) finds that as well. No
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
    /// A mail with a reset link was asked for, whether there is such an account or not.
    ResetRequested,
    /// A password was set by a reset link; every session of the user ended.
    ResetUsed,
    /// An e-mail address was proved.
    EmailVerified,
}

/// One row to be written.
#[derive(Clone, Copy, Debug)]
pub struct SecurityEntry<'a> {
    /// What.
    pub event: SecurityEvent,
    /// When, in seconds since 1970, UTC.
    pub at: i64,
    /// Who, where that is known.
    pub user: Option<UserId>,
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
    /// The chain is whole and another one: rows that were there when the log was verified before are gone.
    #[error("the security log was cut or written anew: row {at} is not the one that was verified before")]
    Cut {
        /// The number of the last row of then.
        at: i64,
    },
    /// The database failed.
    #[error("the security log could not be read")]
    Unread(#[from] haechi_db::Error),
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.rows, self.mac)
    }
}

impl FromStr for Verified {
    type Err = NotVerified;

    fn from_str(text: &str) -> Result<Self, NotVerified> {
        let (rows, mac) = text.split_once(':').ok_or(NotVerified)?;
        let rows = rows.parse().ok().filter(|rows| *rows >= 0).ok_or(NotVerified)?;
        let fits = base64url::decode(mac).is_some_and(|bytes| bytes.len() == if rows == 0 { 0 } else { 32 });
        if fits { Ok(Self { rows, mac: mac.to_owned() }) } else { Err(NotVerified) }
    }
}

/// A text that no [`Verified`] printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "this is not the end of a security log; it looks like `120:` and 43 characters, as `log verify` prints it"
)]
pub struct NotVerified;

#[derive(Model)]
#[model(row)]
struct LogRow {
    id: i64,
    at: i64,
    event: String,
    user_id: Option<String>,
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
        let (at, user_id, mac) = (entry.at, entry.user.map(|id| id.to_string()), String::new());
        let row = LogRow { id: 0, at, event, user_id, account, network, request, mac };
        let log = self.clone();
        // On a task of its own, which ends even if the visitor hangs up: the event has happened.
        let written = tokio::spawn(async move { log.write(&row).await });
        Ok(written.await.map_err(|_| Error::LogPanicked)??)
    }

    async fn write(&self, row: &LogRow) -> haechi_db::Result<()> {
        let (at, user_id, keys) = (row.at, &row.user_id, &self.keys);
        self.db
            .transaction_retrying(async |tx| {
                // The head's row is locked until the end: two machines cannot both append after the same row.
                let (id, before) = sql!(
                    (i64, String),
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
            .await
    }

    /// Reads the whole chain.
    ///
    /// # Errors
    /// [`Broken::Row`] names the first row that does not fit; the database may fail.
    pub async fn verify(&self) -> Result<Verified, Broken> {
        let (rows, head) = sql!((i64, String), "select log_rows, mac from haechi_security_head where id = 1")
            .one(&self.db)
            .await?;
        let (mut last, mut before) = (0, String::new());
        while last < rows {
            let page = sql!(
                LogRow,
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
        if before != head {
            return Err(Broken::Row { at: rows });
        }
        // In one statement, so that a row that is appended just now is no stray one.
        let strays = sql!(
            i64,
            "select count(*) from haechi_security_log
             where id < 1 or id > (select log_rows from haechi_security_head where id = 1)"
        )
        .one(&self.db)
        .await?;
        if strays > 0 { Err(Broken::Row { at: rows + 1 }) } else { Ok(Verified { rows, mac: head }) }
    }

    /// As [`verify`](Self::verify), and that the chain goes on from where it ended `before`.
    ///
    /// # Errors
    /// As `verify`, and [`Broken::Cut`] if the last row of then is gone or is another.
    pub async fn verify_since(&self, before: &Verified) -> Result<Verified, Broken> {
        let verified = self.verify().await?;
        let at = before.rows;
        let there =
            sql!(String, "select mac from haechi_security_log where id = {at}").optional(&self.db).await?;
        let mac = there.unwrap_or_default();
        if mac == before.mac { Ok(verified) } else { Err(Broken::Cut { at }) }
    }
}

impl LogRow {
    /// Each part with its length, so that no two rows have the same bytes.
    fn bytes(&self, id: i64, before: &str) -> Vec<u8> {
        let user = self.user_id.as_ref().map_or_else(|| "None".to_owned(), |id| format!("Some({id})"));
        let numbers = [id.to_string(), self.at.to_string(), user];
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
            Self::ResetRequested => "reset requested",
            Self::ResetUsed => "reset used",
            Self::EmailVerified => "e-mail verified",
        }
    }
}

const ROW: &str = "haechi.auth.security_log.row";
const NAME: &str = "haechi.auth.security_log.name";

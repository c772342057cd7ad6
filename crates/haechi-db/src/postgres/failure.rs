//! SQLSTATEs as our kinds of error.

use std::error::Error as _;

use rustls::CertificateError;
use tokio_postgres::error::DbError;

use crate::{
    Error, ErrorKind, Violation,
    describe::Unfit,
    error::{Code, Invalid},
};

/// Translates an error of the driver, whose own text holds values, and logs its code.
pub(crate) fn translate(error: &tokio_postgres::Error) -> Error {
    let kind = match error.as_db_error() {
        Some(answer) => kind(answer),
        // The driver names no kind. All others are of the socket: refused, closed, reset, not trusted.
        None if error.to_string().starts_with("error serializing") => {
            ErrorKind::Validation(Invalid::Rule("the value does not fit its column"))
        }
        None => match untrusted(error) {
            Some(why) => ErrorKind::Untrusted(why),
            None => ErrorKind::from(Error::unavailable()),
        },
    };
    match (&kind, code(error)) {
        (ErrorKind::Statement | ErrorKind::Forbidden | ErrorKind::Full | ErrorKind::Database(_), code) => {
            tracing::error!(%code, ?kind, "postgres refused a statement");
        }
        (ErrorKind::Unavailable { .. }, code) => {
            tracing::error!(%code, closed = error.is_closed(), "postgres cannot be reached");
        }
        (ErrorKind::Untrusted(why), _) => tracing::error!(why, "postgres is not trusted"),
        (_, code) => tracing::debug!(%code, ?kind, "postgres refused a statement"),
    }
    Error::new(kind)
}

/// Translates why a statement cannot be prepared, for the person who wrote it.
pub(crate) fn unfit(error: &tokio_postgres::Error) -> Unfit {
    Unfit { said: error.as_db_error().map(|answer| answer.message().to_owned()), error: translate(error) }
}

/// Translates why there is no connection: nothing of it is the caller's fault.
pub(crate) fn connecting(error: &tokio_postgres::Error) -> Error {
    match translate(error) {
        untrusted if matches!(untrusted.kind(), ErrorKind::Untrusted(_)) => untrusted,
        _ => Error::unavailable(),
    }
}

/// Says why the server was not spoken to, if it could not prove who it is.
fn untrusted(error: &tokio_postgres::Error) -> Option<&'static str> {
    let cause = error.source()?;
    if cause.to_string() == "server does not support TLS" {
        return Some("the PostgreSQL server does not encrypt; set ssl = on there");
    }
    let handshake = cause.downcast_ref::<std::io::Error>()?.get_ref()?;
    Some(match handshake.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate of the PostgreSQL server is for another name; connect by a name that stands in it"
            }
            CertificateError::UnknownIssuer => {
                "the certificate of the PostgreSQL server is by an authority that is not trusted; name the root by sslrootcert"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the certificate of the PostgreSQL server has expired; renew it"
            }
            _ => "the certificate of the PostgreSQL server is not valid",
        },
        _ => "the PostgreSQL server and this program do not agree on TLS",
    })
}

pub(crate) fn code(error: &tokio_postgres::Error) -> Code {
    match error.code() {
        Some(state) => Code::Postgres(state.code().to_owned()),
        None => Code::Driver,
    }
}

fn kind(answer: &DbError) -> ErrorKind {
    let state = answer.code().code();
    match state {
        "23505" => ErrorKind::UniqueViolation(violation(answer)),
        "23503" => ErrorKind::ForeignKeyViolation(violation(answer)),
        "23502" => ErrorKind::NotNullViolation(violation(answer)),
        "23514" | "23P01" => ErrorKind::CheckViolation(violation(answer)),
        "57014" | "55P03" | "25P03" | "25P04" => ErrorKind::Timeout,
        // 0A000 is also "cached plan must not change result type": a migration ran; prepared anew it works.
        "40001" | "40P01" | "0A000" => ErrorKind::Conflict,
        "53100" => ErrorKind::Full,
        "22001" => ErrorKind::Validation(Invalid::TooLong),
        "25P02" => ErrorKind::Closed,
        "42501" | "25006" => ErrorKind::Forbidden,
        _ => match &state[..2] {
            "22" => ErrorKind::Validation(Invalid::Rule("the value does not fit its column")),
            "08" | "28" | "3D" | "53" | "57" => ErrorKind::from(Error::unavailable()),
            "42" | "26" => ErrorKind::Statement,
            _ => ErrorKind::Database(Code::Postgres(state.to_owned())),
        },
    }
}

fn violation(answer: &DbError) -> Violation {
    let columns = match (answer.column(), answer.detail()) {
        (Some(column), _) => vec![column.to_owned()],
        (None, Some(detail)) => key(detail),
        (None, None) => Vec::new(),
    };
    Violation {
        table: answer.table().map(str::to_owned),
        columns,
        constraint: answer.constraint().map(str::to_owned),
    }
}

/// Reads the columns of `Key (username, site_id)=(…) already exists.`, in whichever language, and leaves the values
/// behind. An index on an expression has no column to name.
fn key(detail: &str) -> Vec<String> {
    let Some((names, _)) = detail.split_once(")=(") else { return Vec::new() };
    let Some((_, names)) = names.split_once('(') else { return Vec::new() };
    let plain = |name: &str| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    if names.split(", ").all(plain) { names.split(", ").map(str::to_owned).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(detail: &str, expected: &[&str]) {
        assert_eq!(key(detail), expected, "{detail}");
    }

    #[test]
    fn the_columns_of_a_key_are_read_and_its_values_are_not() {
        check("Key (username)=(kim) already exists.", &["username"]);
        check("Key (user_id, group_id)=(1, 2) already exists.", &["user_id", "group_id"]);
        check("Schlüssel »(name)=(a)=(b)« existiert bereits.", &["name"]);
        check("Key (lower(name::text))=(kim) already exists.", &[]);
        check("no key at all", &[]);
    }
}

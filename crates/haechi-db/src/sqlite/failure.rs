//! SQLite's result codes as our kinds of error.

use rusqlite::{Error as Driver, ErrorCode, ffi};

use crate::{
    Error, ErrorKind, Violation,
    describe::Unfit,
    error::{Code, Invalid},
};

/// Translates an error of the driver, whose own text holds the statement, and logs its code.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(crate) fn translate(error: Driver) -> Error {
    let kind = match &error {
        Driver::SqliteFailure(failure, message) => kind(failure, message.as_deref().unwrap_or_default()),
        Driver::SqlInputError { error: failure, .. } => match failure.code {
            ErrorCode::AuthorizationForStatementDenied => ErrorKind::Forbidden,
            ErrorCode::OperationInterrupted => ErrorKind::Timeout,
            ErrorCode::DatabaseBusy => ErrorKind::Conflict,
            _ => ErrorKind::Statement,
        },
        Driver::InvalidParameterCount(..) | Driver::MultipleStatement | Driver::ExecuteReturnedResults => {
            ErrorKind::Statement
        }
        _ => ErrorKind::Database(Code::Driver),
    };
    log(&error, &kind);
    Error::new(kind)
}

/// Translates why a statement cannot be prepared, for the person who wrote it.
pub(crate) fn unfit(error: Driver) -> Unfit {
    let said = match &error {
        Driver::SqlInputError { msg, .. } => Some(msg.clone()),
        Driver::SqliteFailure(_, message) => message.clone(),
        _ => None,
    };
    Unfit { said, error: translate(error) }
}

/// Returns SQLite's extended result code, for a report that has to name it.
pub(crate) fn code(error: &Driver) -> Code {
    match error.sqlite_error() {
        Some(failure) => Code::Sqlite(failure.extended_code),
        None => Code::Driver,
    }
}

fn kind(failure: &ffi::Error, message: &str) -> ErrorKind {
    match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            return ErrorKind::UniqueViolation(violation(message));
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return ErrorKind::ForeignKeyViolation(Violation::default()),
        ffi::SQLITE_CONSTRAINT_NOTNULL => return ErrorKind::NotNullViolation(violation(message)),
        ffi::SQLITE_CONSTRAINT_CHECK => return ErrorKind::CheckViolation(named(message)),
        ffi::SQLITE_CONSTRAINT_DATATYPE => {
            return ErrorKind::Validation(Invalid::Rule("the value is not of the type of its column"));
        }
        // The index of the log cannot grow: its file lies on the same disk.
        ffi::SQLITE_IOERR_SHMSIZE => return ErrorKind::Full,
        _ => {}
    }
    match failure.code {
        ErrorCode::OperationInterrupted => ErrorKind::Timeout,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => ErrorKind::Conflict,
        ErrorCode::DiskFull => ErrorKind::Full,
        ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly => ErrorKind::Forbidden,
        ErrorCode::Unknown if failure.extended_code == ffi::SQLITE_ERROR => ErrorKind::Statement,
        ErrorCode::TooBig => ErrorKind::Validation(Invalid::TooLong),
        ErrorCode::CannotOpen => ErrorKind::Unavailable { retry_after: std::time::Duration::from_secs(1) },
        _ => ErrorKind::Database(Code::Sqlite(failure.extended_code)),
    }
}

/// Reads `UNIQUE constraint failed: article.title, article.org_id`, or `…: index 'name'`.
fn violation(message: &str) -> Violation {
    let (_, what) = message.split_once(": ").unwrap_or_default();
    if let Some(index) = what.strip_prefix("index '") {
        return Violation {
            constraint: Some(index.trim_end_matches('\'').to_owned()),
            ..Violation::default()
        };
    }
    let mut violation = Violation::default();
    for (table, column) in what.split(", ").filter_map(|name| name.split_once('.')) {
        violation.table = Some(table.to_owned());
        violation.columns.push(column.to_owned());
    }
    violation
}

/// Reads `CHECK constraint failed: name`. A check without a name is reported by its text, which is not repeated.
fn named(message: &str) -> Violation {
    let (_, name) = message.split_once(": ").unwrap_or_default();
    let plain = !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    Violation { constraint: plain.then(|| name.to_owned()), ..Violation::default() }
}

/// Errors that a visitor can cause at will are not worth a line in the log.
fn log(error: &Driver, kind: &ErrorKind) {
    let code = code(error);
    match kind {
        ErrorKind::Statement | ErrorKind::Forbidden | ErrorKind::Full | ErrorKind::Database(_) => {
            tracing::error!(%code, ?kind, "sqlite refused a statement");
        }
        _ => tracing::debug!(%code, ?kind, "sqlite refused a statement"),
    }
}

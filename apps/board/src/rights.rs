//! Who may change what somebody wrote: its author, and whoever may moderate.

use haechi::{Auth, Error, Result, User, UserId};

/// The permission to change and delete what others wrote.
pub(crate) const MODERATE: &str = "board.moderate";

/// Fails with 403 unless the user wrote it or may moderate.
pub(crate) async fn require(auth: &Auth, user: &User, author_id: UserId) -> Result<()> {
    match may_change(auth, user, author_id).await? {
        true => Ok(()),
        false => Err(Error::forbidden("not the author")),
    }
}

/// Tells whether the user may change what `author_id` wrote.
pub(crate) async fn may_change(auth: &Auth, user: &User, author_id: UserId) -> Result<bool> {
    Ok(user.id == author_id || auth.has_permission(MODERATE).await?)
}

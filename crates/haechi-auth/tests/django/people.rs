//! The table of users of the Django site beside this file, as a haechi site says it.

use haechi_auth::{Fixed, KeyType, Membership, UserTable};

/// `accounts.Person` of `accounts/models.py`.
#[derive(Debug)]
pub(crate) struct People;

impl UserTable for People {
    const TABLE: &'static str = "accounts_person";
    const KEY: KeyType = KeyType::Uuid;
    const USERNAME: &'static str = "email";
    const EMAIL: Option<&'static str> = None;
    const FIRST_NAME: Option<&'static str> = None;
    const LAST_NAME: Option<&'static str> = None;
    const IS_STAFF: Option<&'static str> = None;
    const IS_ACTIVE: Option<&'static str> = Some("enabled");
    const DATE_JOINED: Option<&'static str> = Some("joined");
    const GROUPS: Option<Membership> = Membership::of("accounts_person_groups", "person_id", "group_id");
    const PERMISSIONS: Option<Membership> =
        Membership::of("accounts_person_user_permissions", "person_id", "permission_id");
    const FIXED: &'static [(&'static str, Fixed)] =
        &[("language", Fixed::Text("ko")), ("points", Fixed::Int(-3))];
}

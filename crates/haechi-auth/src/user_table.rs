//! Which table the users are in, and what its columns are called.

use std::fmt::Debug;

/// A table of users, as its names: what Django's `AUTH_USER_MODEL` is there.
///
/// Everything that is not said is as in Django's `AbstractUser`. A column that the table does not have is `None`; what is
/// read then is said at each. The names are consts, so nothing that comes in at run time can be one, and each is checked by
/// the compiler.
///
/// ```
/// use haechi_auth::{KeyType, Membership, UserTable};
///
/// /// `accounts.Person`: a UUID key, the e-mail address to sign in with, no names.
/// #[derive(Debug)]
/// struct People;
///
/// impl UserTable for People {
///     const TABLE: &'static str = "accounts_person";
///     const KEY: KeyType = KeyType::Uuid;
///     const USERNAME: &'static str = "email";
///     const EMAIL: Option<&'static str> = None;
///     const FIRST_NAME: Option<&'static str> = None;
///     const LAST_NAME: Option<&'static str> = None;
///     const IS_ACTIVE: Option<&'static str> = Some("enabled");
///     const GROUPS: Option<Membership> = Membership::of("accounts_person_groups", "person_id", "group_id");
///     const PERMISSIONS: Option<Membership> =
///         Membership::of("accounts_person_user_permissions", "person_id", "permission_id");
/// }
/// ```
///
/// A name that could end its quotes does not compile:
///
/// ```compile_fail
/// # use haechi_auth::{TableUsers, UserTable};
/// #[derive(Debug)]
/// struct Evil;
/// impl UserTable for Evil {
///     const TABLE: &'static str = "auth_user\" where 1 = 1 --";
/// }
/// // error: the name of a table or column is made of letters, digits and _
/// let users: fn(haechi_db::Db) -> TableUsers<Evil> = TableUsers::new;
/// ```
pub trait UserTable: Debug + Send + Sync + 'static {
    /// The table.
    const TABLE: &'static str;
    /// The type of the primary key. A UUID is drawn here for a new account, as Django does.
    const KEY: KeyType = KeyType::Int;
    /// The primary key.
    const ID: &'static str = "id";
    /// The password, in Django's encodings.
    const PASSWORD: &'static str = "password";
    /// The name to sign in with: Django's `USERNAME_FIELD`.
    const USERNAME: &'static str = "username";
    /// The e-mail address: Django's `EMAIL_FIELD`. Without one, the user name is the address.
    const EMAIL: Option<&'static str> = Some("email");
    /// The given name. Without one, it is empty.
    const FIRST_NAME: Option<&'static str> = Some("first_name");
    /// The family name. Without one, it is empty.
    const LAST_NAME: Option<&'static str> = Some("last_name");
    /// Whether the user may sign in. Without one, each may: there is no way then to switch an account off.
    const IS_ACTIVE: Option<&'static str> = Some("is_active");
    /// Whether the user has every permission. Without one, none has.
    const IS_SUPERUSER: Option<&'static str> = Some("is_superuser");
    /// Whether the user may enter Django's admin. Without one, none may.
    const IS_STAFF: Option<&'static str> = Some("is_staff");
    /// When the user signed in last. Without one, a reset link does not die when the user signs in.
    const LAST_LOGIN: Option<&'static str> = Some("last_login");
    /// When the account was made.
    const DATE_JOINED: Option<&'static str> = Some("date_joined");
    /// The table between users and groups. Without one, there are none.
    const GROUPS: Option<Membership> = None;
    /// The table between users and the permissions of their own. Without one, there are none.
    const PERMISSIONS: Option<Membership> = None;
    /// Further columns that must have a value, each with what a new account gets there.
    const FIXED: &'static [(&'static str, Fixed)] = &[];
}

/// The type of a table's primary key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyType {
    /// A number, made by the database.
    Int,
    /// A UUID.
    Uuid,
}

/// A table between users and something else: Django's tables of many-to-many relations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Membership {
    pub(crate) table: &'static str,
    pub(crate) user: &'static str,
    pub(crate) other: &'static str,
}

impl Membership {
    /// Names the table, its column for the user and the other one.
    #[must_use]
    pub const fn of(table: &'static str, user: &'static str, other: &'static str) -> Option<Self> {
        Some(Self { table, user, other })
    }
}

/// What a new account gets in a column that haechi knows nothing about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fixed {
    /// True or false.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A text without quotes.
    Text(&'static str),
    /// The time at which the account is made.
    Now,
}

/// Django's own table, `auth_user`.
#[derive(Clone, Copy, Debug)]
pub struct AuthUser;

impl UserTable for AuthUser {
    const TABLE: &'static str = "auth_user";
    const GROUPS: Option<Membership> = Membership::of("auth_user_groups", "user_id", "group_id");
    const PERMISSIONS: Option<Membership> =
        Membership::of("auth_user_user_permissions", "user_id", "permission_id");
}

//! The statements over a table of users, written by the compiler from its names.

use std::marker::PhantomData;

use haechi_db::{Answers, SqlText};

use crate::const_text::ConstText;
use crate::table_users::UserRow;
use crate::user_table::{Fixed, KeyType, Membership, UserTable};

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $build:ident $(=> $answer:ty)?;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name<T>(PhantomData<T>);

        impl<T: UserTable> $name<T> {
            const TEXT: &'static ConstText = &$build::<T>();
        }

        impl<T: UserTable> SqlText for $name<T> {
            const SQLITE: &'static str = Self::TEXT.text();
            const POSTGRES: &'static str = Self::TEXT.text();
            const SQLITE_ORDER: &'static [usize] = Self::TEXT.order();
            const POSTGRES_ORDER: &'static [usize] = Self::TEXT.order();
        }

        $(impl<T: UserTable> Answers<$answer> for $name<T> {})?
    )*

        /// Writes every statement: a name that cannot be one ends the build.
        pub(crate) const fn check<T: UserTable>() {
            $(let _: &ConstText = $name::<T>::TEXT;)*
        }
    };
}

statements! {
    /// The account with a name (0).
    ByUsername = by_username => UserRow;
    /// The accounts with an address (0) but for case.
    ByEmail = by_email => UserRow;
    /// The account with a key (0).
    ById = by_id => UserRow;
    /// How many accounts have a name (0) but for case.
    SameName = same_name => i64;
    /// A new account of [`NEW`]'s values.
    Create = create => UserRow;
    /// Another password (1) for a key (0) whose password is (2).
    ReplacePassword = replace_password;
    /// A time of sign-in (1) for a key (0).
    SignedIn = signed_in;
    /// How the passwords begin.
    Prefixes = prefixes => (String,);
    /// How many passwords there are, and how many of them begin with a text (0) of a length (1).
    Hashed = hashed => (i64, i64);
    /// The permissions of a key (0).
    Held = held => (String, String);
    /// A permission (1) for a key (0).
    Grant = grant;
    /// A permission (1, 2) taken from a key (0).
    Revoke = revoke;
    /// A group (1) for a key (0).
    Join = join;
    /// A group (1) without a key (0).
    Leave = leave;
}

/// Which value of [`Create`] is which.
pub(crate) struct New;

impl New {
    pub(crate) const ID: usize = 0;
    pub(crate) const PASSWORD: usize = 1;
    pub(crate) const USERNAME: usize = 2;
    pub(crate) const EMAIL: usize = 3;
    pub(crate) const SUPERUSER: usize = 4;
    pub(crate) const ACTIVE: usize = 5;
    pub(crate) const NOW: usize = 6;
}

/// The columns of an account, in the order in which they are read.
const fn columns<T: UserTable>(text: ConstText) -> ConstText {
    let text = text.name(T::ID).sql(", ").name(T::PASSWORD);
    let text = or(text.sql(", "), T::LAST_LOGIN, "null");
    let text = or(text.sql(", "), T::IS_SUPERUSER, "false").sql(", ").name(T::USERNAME);
    let text = or(text.sql(", "), T::FIRST_NAME, "''");
    let text = or(text.sql(", "), T::LAST_NAME, "''").sql(", ").name(email::<T>());
    let text = or(text.sql(", "), T::IS_STAFF, "false");
    let text = or(text.sql(", "), T::IS_ACTIVE, "true");
    or(text.sql(", "), T::DATE_JOINED, "null")
}

const fn or(text: ConstText, column: Option<&'static str>, otherwise: &'static str) -> ConstText {
    match column {
        Some(column) => text.name(column),
        None => text.sql(otherwise),
    }
}

const fn email<T: UserTable>() -> &'static str {
    match T::EMAIL {
        Some(column) => column,
        None => T::USERNAME,
    }
}

const fn select<T: UserTable>() -> ConstText {
    columns::<T>(ConstText::new().sql("select ")).sql(" from ").name(T::TABLE).sql(" where ")
}

const fn by_username<T: UserTable>() -> ConstText {
    select::<T>().name(T::USERNAME).sql(" = ").value(0)
}

const fn by_email<T: UserTable>() -> ConstText {
    let text = select::<T>().sql("lower(").name(email::<T>()).sql(") = lower(").value(0);
    text.sql(") order by ").name(T::ID).sql(" limit 10")
}

const fn by_id<T: UserTable>() -> ConstText {
    select::<T>().name(T::ID).sql(" = ").value(0)
}

const fn same_name<T: UserTable>() -> ConstText {
    let text = ConstText::new().sql("select count(*) from ").name(T::TABLE).sql(" where lower(");
    text.name(T::USERNAME).sql(") = lower(").value(0).sql(")")
}

/// A column and the value of it, in both lists of an insert.
const fn pair(
    (names, values): (ConstText, ConstText),
    column: Option<&'static str>,
    value: Given,
) -> (ConstText, ConstText) {
    let Some(column) = column else { return (names, values) };
    (names.sql(", ").name(column), value.append(values.sql(", ")))
}

enum Given {
    Value(usize),
    Fixed(Fixed),
}

impl Given {
    const fn append(self, text: ConstText) -> ConstText {
        match self {
            Self::Value(index) => text.value(index),
            Self::Fixed(Fixed::Bool(true)) => text.sql("true"),
            Self::Fixed(Fixed::Bool(false)) => text.sql("false"),
            Self::Fixed(Fixed::Int(number)) => text.number(number),
            Self::Fixed(Fixed::Text(fixed)) => text.quoted(fixed),
            Self::Fixed(Fixed::Now) => text.value(New::NOW),
        }
    }
}

const fn create<T: UserTable>() -> ConstText {
    let names = ConstText::new().sql("insert into ").name(T::TABLE).sql(" (").name(T::PASSWORD);
    let values = ConstText::new().sql(") values (").value(New::PASSWORD);
    let mut lists = pair((names, values), Some(T::USERNAME), Given::Value(New::USERNAME));
    if let KeyType::Uuid = T::KEY {
        lists = pair(lists, Some(T::ID), Given::Value(New::ID));
    }
    lists = pair(lists, T::EMAIL, Given::Value(New::EMAIL));
    lists = pair(lists, T::FIRST_NAME, Given::Fixed(Fixed::Text("")));
    lists = pair(lists, T::LAST_NAME, Given::Fixed(Fixed::Text("")));
    lists = pair(lists, T::IS_SUPERUSER, Given::Value(New::SUPERUSER));
    lists = pair(lists, T::IS_STAFF, Given::Value(New::SUPERUSER));
    lists = pair(lists, T::IS_ACTIVE, Given::Value(New::ACTIVE));
    lists = pair(lists, T::DATE_JOINED, Given::Value(New::NOW));
    let mut at = 0;
    while at < T::FIXED.len() {
        let (column, fixed) = T::FIXED[at];
        lists = pair(lists, Some(column), Given::Fixed(fixed));
        at += 1;
    }
    columns::<T>(lists.0.append(&lists.1).sql(") returning "))
}

const fn replace_password<T: UserTable>() -> ConstText {
    let text =
        ConstText::new().sql("update ").name(T::TABLE).sql(" set ").name(T::PASSWORD).sql(" = ").value(1);
    text.sql(" where ").name(T::ID).sql(" = ").value(0).sql(" and ").name(T::PASSWORD).sql(" = ").value(2)
}

const fn signed_in<T: UserTable>() -> ConstText {
    let Some(column) = T::LAST_LOGIN else { return nothing() };
    let text = ConstText::new().sql("update ").name(T::TABLE).sql(" set ").name(column).sql(" = ").value(1);
    text.sql(" where ").name(T::ID).sql(" = ").value(0)
}

/// Each beginning is just long enough for the parameters; a shorter count leaves a character of salt, no more.
const fn prefixes<T: UserTable>() -> ConstText {
    const CASES: &[(&str, i64)] = &[
        ("pbkdf2%sha256%", 21),
        ("pbkdf2%sha1%", 19),
        ("argon2%", 38),
        ("bcrypt%sha256%", 20),
        ("bcrypt%", 14),
        ("scrypt%", 14),
    ];
    let (mut text, mut at) = (ConstText::new().sql("select distinct case"), 0);
    while at < CASES.len() {
        let (pattern, length) = CASES[at];
        text = text.sql(" when ").name(T::PASSWORD).sql(" like ").quoted(pattern);
        text = text.sql(" then substr(").name(T::PASSWORD).sql(", 1, ").number(length).sql(")");
        at += 1;
    }
    text.sql(" else '' end from ").name(T::TABLE).sql(" limit 1000")
}

const fn hashed<T: UserTable>() -> ConstText {
    let text = ConstText::new().sql("select count(*), coalesce(sum(case when substr(").name(T::PASSWORD);
    let text =
        text.sql(", 1, ").value(1).sql(") = ").value(0).sql(" then 1 else 0 end), 0) from ").name(T::TABLE);
    text.sql(" where ").name(T::PASSWORD).sql(" not like ").quoted("!%")
}

const fn held<T: UserTable>() -> ConstText {
    let text = ConstText::new().sql(
        "select distinct c.app_label, p.codename from auth_permission p
         join django_content_type c on c.id = p.content_type_id where false",
    );
    let text = match T::PERMISSIONS {
        Some(Membership { table, user, other }) => {
            let text = text.sql(" or p.id in (select ").name(other).sql(" from ").name(table).sql(" where ");
            text.name(user).sql(" = ").value(0).sql(")")
        }
        None => text,
    };
    match T::GROUPS {
        Some(Membership { table, user, other }) => {
            let text = text.sql(" or p.id in (select g.permission_id from auth_group_permissions g join ");
            let text = text.name(table).sql(" u on u.").name(other).sql(" = g.group_id where u.").name(user);
            text.sql(" = ").value(0).sql(")")
        }
        None => text,
    }
}

const fn grant<T: UserTable>() -> ConstText {
    put(T::PERMISSIONS)
}

const fn join<T: UserTable>() -> ConstText {
    put(T::GROUPS)
}

const fn put(into: Option<Membership>) -> ConstText {
    let Some(Membership { table, user, other }) = into else { return nothing() };
    let text = ConstText::new().sql("insert into ").name(table).sql(" (").name(user).sql(", ").name(other);
    text.sql(") values (").value(0).sql(", ").value(1).sql(") on conflict do nothing")
}

const fn revoke<T: UserTable>() -> ConstText {
    let Some(Membership { table, user, other }) = T::PERMISSIONS else { return nothing() };
    let text = ConstText::new().sql("delete from ").name(table).sql(" where ").name(user).sql(" = ").value(0);
    let text = text.sql(" and ").name(other).sql(
        " in (select p.id from auth_permission p join django_content_type c on c.id = p.content_type_id
         where c.app_label = ",
    );
    text.value(1).sql(" and p.codename = ").value(2).sql(")")
}

const fn leave<T: UserTable>() -> ConstText {
    let Some(Membership { table, user, other }) = T::GROUPS else { return nothing() };
    let text = ConstText::new().sql("delete from ").name(table).sql(" where ").name(user).sql(" = ").value(0);
    text.sql(" and ").name(other).sql(" = ").value(1)
}

/// Stands for a statement over a column or table that there is not; it is never run.
const fn nothing() -> ConstText {
    ConstText::new().sql("select 1 where false")
}

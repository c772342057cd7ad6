//! A data layer in which run-time text cannot become SQL, for SQLite and PostgreSQL.
//!
//! The text of a statement is an associated const that the compiler checked, or is written by this crate; what comes
//! from outside is bound as a [`Value`]. Nothing of the drivers is re-exported.
//!
//! What the manual says does not compile stands as a program in `tests/compile_fail`, with the compiler's answer.

mod check;
mod column;
mod config;
mod count;
mod counter;
mod db;
mod delete;
mod describe;
mod error;
mod executor;
mod few;
pub mod filter_set;
mod input;
mod insert;
mod lexer;
mod listener;
mod migrations;
mod model;
mod page;
mod postgres;
mod predicate;
pub mod query;
mod queue;
pub mod relation;
mod row;
mod secret;
mod selection;
pub mod sql;
mod sqlite;
mod statement;
#[cfg(test)]
mod tests;
mod time;
mod transaction;
mod types;
mod update;
mod value;

// The macros write `::haechi_db`, also in this crate's own tests.
#[cfg(test)]
extern crate self as haechi_db;

pub use check::{Misfit, Site, sites};
pub use column::{Column, ColumnInfo, Comparable, Field, FormColumn, Nullable, Number, Text};
pub use config::{DatabaseUrl, Durability, Options, Prepared};
pub use count::Count;
pub use counter::count_statements;
pub use db::Db;
pub use delete::Delete;
pub use describe::{Described, Description};
pub use error::{Code, Error, ErrorKind, Invalid, MigrationFault, Result, Violation};
pub use executor::Executor;
pub use filter_set::{Filter, FilterError, FilterSet, Parameter, SortKey, Unreadable};
pub use haechi_db_macros::{FilterSet, Input, Model, sql};
pub use input::{Input, Values};
pub use insert::{Insert, InsertMany};
pub use listener::{Channel, Listener};
pub use migrations::{Migration, MigrationSet, Migrations, PlanState, Planned, TableName};
pub use model::{Everyone, FromRow, Model, Scope, Tenant, Unique, UniqueKey};
pub use page::{Cursor, KeysetPage, Page};
pub use predicate::{OrderBy, Predicate};
pub use query::Query;
pub use relation::{BelongsTo, HasMany, Join, Link, Many, One, Relation};
pub use row::{KeptRow, Row};
pub use secret::Secret;
pub use sql::{Answers, Sql, SqlText};
pub use statement::{Engine, Statement};
pub use transaction::Transaction;
pub use types::Type;
pub use update::Update;
pub use value::{Array, FromValue, ToValue, Value};

pub(crate) use statement::Access;

/// What the macros need beside the public items. Calling it by hand is safe: it takes types, never text of a statement.
#[doc(hidden)]
pub mod __private {
    pub use crate::filter_set::{list, pattern};
    pub use inventory;

    /// Registers a hand-written statement for [`Db::check_statements`](crate::Db::check_statements).
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __register_statement {
        ($text:ty) => {
            $crate::__private::inventory::submit! { $crate::Site::statement::<$text>(::core::file!(), ::core::line!()) }
        };
        ($text:ty, $target:ty) => {
            $crate::__private::inventory::submit! {
                $crate::Site::answer::<$text, $target>(::core::file!(), ::core::line!(), ::core::stringify!($target))
            }
        };
    }

    /// Registers a model for [`Db::check_statements`](crate::Db::check_statements).
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __register_model {
        ($model:ty) => {
            $crate::__private::inventory::submit! { $crate::Site::model::<$model>(::core::file!(), ::core::line!()) }
        };
    }

    pub use {crate::__register_model as register_model, crate::__register_statement as register_statement};
}

//! What a statement would answer, without running it: the base of `check`.

use std::fmt;

use crate::{Db, Engine, Error, ErrorKind, Result, Statement, Type, check::Target, db::Backend};

/// The columns and parameters of a statement, as the database sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// The columns of the answer.
    pub columns: Vec<Described>,
    /// The parameters; SQLite gives them no type.
    pub parameters: Vec<Option<Type>>,
    engine: Engine,
}

/// One column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Described {
    /// The name of the column.
    pub name: String,
    /// Its type, where it is one of ours.
    pub kind: Option<Type>,
    /// Whether the column that it comes from may hold nothing; `None` for a computed one.
    pub nullable: Option<bool>,
}

impl Description {
    pub(crate) fn new(engine: Engine, columns: Vec<Described>, parameters: Vec<Option<Type>>) -> Description {
        Description { columns, parameters, engine }
    }

    /// Lists where the columns do not fit the types that a program reads from them, a line each.
    ///
    /// A column that an outer join may leave empty is reported by its table only: write `Option` there yourself.
    pub fn differences(&self, expected: &[Type]) -> Vec<String> {
        if self.columns.len() != expected.len() {
            return vec![format!("{} columns, but {} are read", self.columns.len(), expected.len())];
        }
        self.columns
            .iter()
            .zip(expected)
            .flat_map(|(column, expected)| column.differences(self.engine, *expected))
            .collect()
    }

    /// Lists where the columns are not those that `target` reads, a line each, with what to do about it.
    pub(crate) fn misfits(&self, target: &Target) -> Vec<String> {
        let Target { name, names, types } = target;
        if self.columns.len() != types.len() {
            let found: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
            let wanted = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
            return vec![format!(
                "the statement answers with {} columns ({}), but {name} reads {}{wanted}; select just these",
                found.len(),
                found.join(", "),
                types.len(),
            )];
        }
        let mut lines = Vec::new();
        for (index, (column, expected)) in self.columns.iter().zip(*types).enumerate() {
            let position = index + 1;
            match names.get(index) {
                Some(field) if *field != column.name => lines.push(format!(
                    "column {position} is called {}, but {name} reads {field} there; put the columns in the order of \
                     the fields, or write … as {field}",
                    column.name,
                )),
                _ => lines.extend(
                    column.differences(self.engine, *expected).into_iter().map(|line| {
                        format!("column {position}, {line}; read it as what it is, or cast it in the statement")
                    }),
                ),
            }
        }
        lines
    }
}

impl Described {
    fn differences(&self, engine: Engine, expected: Type) -> Vec<String> {
        let mut lines = Vec::new();
        match self.kind {
            Some(kind) if !fits(engine, kind, expected.base()) => {
                lines.push(format!("{}: is {kind}, is read as {expected}", self.name));
            }
            // SQLite does not know the type of what is computed; PostgreSQL knows each.
            None if engine == Engine::Postgres => {
                lines.push(format!("{}: is of a type that no value holds, is read as {expected}", self.name));
            }
            _ => {}
        }
        if self.nullable == Some(true) && !expected.is_nullable() {
            lines.push(format!("{}: may be null, is read as {expected} without Option", self.name));
        }
        lines
    }
}

/// Why a statement cannot be prepared, with the words of the database.
///
/// They quote the statement, and so are no part of an [`Error`]; here they go to the person who wrote it. No value stands
/// in them, for none was bound.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) error: Error,
    pub(crate) said: Option<String>,
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Unfit {
        Unfit { error, said: None }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.said {
            Some(said) => {
                write!(
                    f,
                    "the statement does not fit the schema: {said}; mend the statement or add a migration"
                )
            }
            None => self.error.fmt(f),
        }
    }
}

/// Whether every value of the column can be read as the type.
fn fits(engine: Engine, column: Type, expected: Type) -> bool {
    match (column, expected) {
        (column, expected) if column == expected => true,
        (Type::I16, Type::I32 | Type::I64) | (Type::I32, Type::I64) => true,
        (Type::I16 | Type::I32 | Type::I64 | Type::Uuid, Type::Key) => true,
        (Type::Array(column), Type::Array(expected)) => fits(engine, *column, expected.base()),
        (Type::I64, Type::Bool | Type::I16 | Type::I32) => engine == Engine::Sqlite,
        (
            Type::Text,
            Type::Timestamp
            | Type::DateTime
            | Type::Date
            | Type::Time
            | Type::Uuid
            | Type::Key
            | Type::Decimal
            | Type::Json,
        ) => engine == Engine::Sqlite,
        (Type::Timestamp | Type::DateTime, Type::Text | Type::Timestamp | Type::DateTime) => {
            engine == Engine::Sqlite
        }
        _ => false,
    }
}

impl Db {
    /// Prepares a statement against the schema and returns what it would answer. Nothing runs.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Statement`] if the statement does not fit the schema.
    pub async fn describe(&self, statement: &Statement) -> Result<Description> {
        self.prepare(statement).await.map_err(|unfit| unfit.error)
    }

    pub(crate) async fn prepare(&self, statement: &Statement) -> Result<Description, Unfit> {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.describe(statement.text().to_owned()).await,
            Backend::Postgres(postgres) => postgres.describe(statement.text()).await,
        }
    }

    /// Lists what the role of this connection may do beyond what a site needs, a line each; empty on SQLite.
    ///
    /// # Errors
    /// Fails if the database cannot be asked.
    pub async fn role_warnings(&self) -> Result<Vec<String>> {
        match &*self.0 {
            Backend::Sqlite(_) => Ok(Vec::new()),
            Backend::Postgres(_) => {
                let statement = Statement::from_const(ROLE, Vec::new(), crate::statement::Access::Read);
                #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not as general")]
                let mut row = self.fetch(statement, |row| row.keep()).await?;
                let row = row.first_mut().ok_or_else(|| Error::new(ErrorKind::NotFound))?;
                let mut lines = Vec::new();
                for (index, warning) in (0..).zip(WARNINGS) {
                    if row.take(index)? {
                        lines.push((*warning).to_owned());
                    }
                }
                Ok(lines)
            }
        }
    }
}

const ROLE: &str = "select r.rolsuper, r.rolcreatedb or r.rolcreaterole, r.rolbypassrls,
    exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relowner = r.oid and c.relkind in ('r', 'p') and n.nspname = any (current_schemas(false))),
    coalesce(has_schema_privilege(current_schema(), 'create'), false)
    from pg_roles r where r.rolname = current_user";

const WARNINGS: &[&str] = &[
    "the role is a superuser: it can read files and run programs on the server; use a role of its own",
    "the role can make databases or roles; take CREATEDB and CREATEROLE away",
    "the role bypasses row level security; take BYPASSRLS away",
    "the role owns tables and so can drop them; let another role own them and run the migrations",
    "the role can make tables in its schema; revoke CREATE on the schema from it",
];

//! Every statement and model of a program, tried against a database without running any.
//!
//! [`sql!`](macro@crate::sql) and `#[derive(Model)]` register what they write, in each crate that is linked in. So a program
//! can hold its statements against the migrated schema before it serves, and needs no database to be built.

use crate::{
    Answers, ColumnInfo, Db, Description, Engine, FromRow, Result, Statement, Type, predicate::Alias,
    predicate::Render,
};

/// One `sql!` or model, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The source file.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Statement { sqlite: &'static str, postgres: &'static str, target: Option<Target> },
    Model { table: &'static str, columns: &'static [ColumnInfo] },
}

/// What a row of an answer is read into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Empty where any names will do.
    pub(crate) names: &'static [&'static str],
    pub(crate) types: &'static [Type],
}

impl Site {
    /// Registers a statement that does not say what reads its answer.
    #[doc(hidden)]
    pub const fn statement<S: crate::SqlText>(file: &'static str, line: u32) -> Site {
        Site::of::<S>(file, line, None)
    }

    /// Registers a statement whose answer is read into `T`, which the program calls `name`.
    #[doc(hidden)]
    pub const fn answer<S: crate::SqlText + Answers<T>, T: FromRow>(
        file: &'static str,
        line: u32,
        name: &'static str,
    ) -> Site {
        Site::of::<S>(file, line, Some(Target { name, names: T::NAMES, types: T::TYPES }))
    }

    /// Registers a model.
    #[doc(hidden)]
    pub const fn model<M: crate::Model>(file: &'static str, line: u32) -> Site {
        let table = crate::column::Checked::<(M,)>::TABLE;
        Site { file, line, kind: Kind::Model { table, columns: M::COLUMNS } }
    }

    const fn of<S: crate::SqlText>(file: &'static str, line: u32, target: Option<Target>) -> Site {
        crate::sql::check::<S>();
        Site { file, line, kind: Kind::Statement { sqlite: S::SQLITE, postgres: S::POSTGRES, target } }
    }

    fn problems(&self, description: &Description) -> Vec<String> {
        match self.kind {
            Kind::Model { columns, .. } => {
                description.differences(&columns.iter().map(ColumnInfo::kind).collect::<Vec<_>>())
            }
            Kind::Statement { target: Some(target), .. } => description.misfits(&target),
            Kind::Statement { target: None, .. } if description.columns.is_empty() => Vec::new(),
            Kind::Statement { target: None, .. } => {
                let columns = description.columns.len();
                vec![format!(
                    "the statement answers with {columns} columns and does not say what reads them; \
                     write sql!(TYPE, \"…\")"
                )]
            }
        }
    }
}

inventory::collect!(Site);

/// A statement or model that does not fit the database.
#[derive(Clone, Debug)]
pub struct Misfit {
    /// Where it stands.
    pub site: Site,
    /// What does not fit, and what to do about it.
    pub problem: String,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.site.file, self.site.line, self.problem)
    }
}

/// Returns every `sql!` and model of the program.
pub fn sites() -> impl Iterator<Item = &'static Site> {
    inventory::iter::<Site>.into_iter()
}

impl Db {
    /// Lets the database prepare each `sql!` and a select of each model, and returns those that do not fit: a table or
    /// a column is missing, the text is not SQL of this engine, or the columns of the answer are not those that the type
    /// in front of the text reads. Nothing is run.
    ///
    /// How far the columns are compared depends on the engine. Their number is always known. PostgreSQL knows each
    /// type; SQLite knows that of a column of a table, not of a computed one such as `count(*)`. Whether it may be null
    /// is known of a column of a table only: `max(views)` over no rows, or what an outer join leaves empty, is for the
    /// author to read as an `Option`. Names are compared with the fields of a struct, and not where a tuple reads.
    ///
    /// # Errors
    /// Fails if the database cannot be reached.
    pub async fn check_statements(&self) -> Result<Vec<Misfit>> {
        let mut misfits = Vec::new();
        for site in sites() {
            let problems = match self.prepare(&statement(site, self.engine())?).await {
                Ok(description) => site.problems(&description),
                Err(unfit) if unfit.error.retry_after().is_some() => return Err(unfit.error),
                Err(unfit) => vec![unfit.to_string()],
            };
            misfits.extend(problems.into_iter().map(|problem| Misfit { site: *site, problem }));
        }
        Ok(misfits)
    }
}

impl Db {
    /// Lets the database prepare one statement, and returns why it does not fit, if it does not. Nothing is run.
    ///
    /// # Errors
    /// Fails if the database cannot be reached.
    pub async fn check_statement<S: crate::SqlText>(&self) -> Result<Option<String>> {
        const { crate::sql::check::<S>() };
        let text = match self.engine() {
            Engine::Sqlite => S::SQLITE,
            Engine::Postgres => S::POSTGRES,
        };
        match self.describe(&Statement::from_const(text, Vec::new(), crate::Access::Read)).await {
            Ok(_) => Ok(None),
            Err(error) if error.retry_after().is_some() => Err(error),
            Err(error) => Ok(Some(error.to_string())),
        }
    }
}

fn statement(site: &Site, engine: Engine) -> Result<Statement> {
    let mut out = Render::read(engine);
    match site.kind {
        Kind::Statement { sqlite, postgres, .. } => {
            out.text(match engine {
                Engine::Sqlite => sqlite,
                Engine::Postgres => postgres,
            });
        }
        Kind::Model { table, columns } => {
            out.text("select ").list(", ", columns, |out, column| {
                out.column(Alias::FIRST, column.name());
                Ok(())
            })?;
            out.text(" from ").table(table, Alias::FIRST);
        }
    }
    Ok(out.statement)
}

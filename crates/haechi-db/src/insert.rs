//! New rows, and rows that may exist already.

use crate::{
    Column, Engine, Error, ErrorKind, Executor, Field, Input, Model, Result, Statement, Unique, UniqueKey,
    Value,
    column::Checked,
    input::{Values, violation},
    predicate::Render,
    query::{execute, fetch},
};

/// One row to insert: what a form sent, and what the program sets.
#[derive(Clone, Debug)]
#[must_use]
pub struct Insert<M> {
    values: Values<M>,
    conflict: Conflict,
}

impl<M: Model> Insert<M> {
    /// Starts a row from what a form may set.
    pub fn new(input: impl Input<M>) -> Self {
        Insert { values: Values::of(input), conflict: Conflict::Refuse }
    }

    /// Sets a column; what the program sets wins over what the form sent.
    pub fn set<C: Column<Model = M>>(mut self, column: Field<C>, value: impl Into<C::Type>) -> Self {
        self.values.set(column, value);
        self
    }

    /// Changes the row that has the same unique key, if there is one: sets what this insert sets.
    ///
    /// A row of another tenant is never changed; that is a [`UniqueViolation`](ErrorKind::UniqueViolation).
    pub fn or_update<K: Unique<Model = M>>(mut self, _: UniqueKey<K>) -> Self {
        self.conflict = Conflict::Update(names(K::COLUMNS));
        self
    }

    /// Leaves the row alone that has the same unique key, if there is one: [`execute`](Insert::execute) returns 0.
    pub fn or_ignore<K: Unique<Model = M>>(mut self, _: UniqueKey<K>) -> Self {
        self.conflict = Conflict::Ignore(names(K::COLUMNS));
        self
    }

    /// Stores the row and returns how many rows that were.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::NotNullViolation`] before anything is sent if a column has neither a value nor a
    /// default, with [`ErrorKind::CheckViolation`] if a text of the form is too long, and with what the database says.
    pub async fn execute(self, db: impl Executor) -> Result<u64> {
        let conflict = self.conflict.clone();
        let rows = execute(db, |engine| self.statement(engine, Returning::Nothing)).await?;
        if rows == 0 { conflict.refused::<M>() } else { Ok(rows) }
    }

    /// Stores the row and returns it, with what the database filled in.
    ///
    /// # Errors
    /// Fails as [`execute`](Insert::execute) does, and with [`ErrorKind::NotFound`] if [`or_ignore`](Insert::or_ignore)
    /// left another row alone.
    pub async fn returning(self, db: impl Executor) -> Result<M> {
        let conflict = self.conflict.clone();
        let rows = fetch(self.statement(db.engine(), Returning::Row), db, M::from_row).await?;
        match rows.into_iter().next() {
            Some(row) => Ok(row),
            None => conflict.refused::<M>().and(Err(Error::new(ErrorKind::NotFound))),
        }
    }

    fn statement(self, engine: Engine, returning: Returning) -> Result<Statement> {
        let row = self.values.finish()?;
        complete::<M>(&row)?;
        let columns: Vec<&'static str> = row.iter().map(|(column, _)| *column).collect();
        let mut out = Render::write(engine);
        start::<M>(&mut out, &columns)?;
        if columns.is_empty() {
            out.text(" default values");
        } else {
            out.text(" values ");
            values(&mut out, row)?;
        }
        self.conflict.render::<M>(&mut out, &columns)?;
        finish::<M>(out, returning)
    }
}

/// Many rows to insert with one statement: all are stored or none.
#[derive(Debug)]
#[must_use]
pub struct InsertMany<M> {
    rows: Vec<Values<M>>,
    conflict: Conflict,
}

impl<M: Model> InsertMany<M> {
    /// Starts rows from inputs.
    pub fn new<I: Input<M>>(inputs: impl IntoIterator<Item = I>) -> Self {
        InsertMany { rows: inputs.into_iter().map(Values::of).collect(), conflict: Conflict::Refuse }
    }

    /// Sets a column of every row.
    pub fn set<C: Column<Model = M>>(mut self, column: Field<C>, value: impl Into<C::Type>) -> Self
    where
        C::Type: Clone,
    {
        let value: C::Type = value.into();
        for row in &mut self.rows {
            row.set(column, value.clone());
        }
        self
    }

    /// Leaves the rows alone that have the same unique key.
    pub fn or_ignore<K: Unique<Model = M>>(mut self, _: UniqueKey<K>) -> Self {
        self.conflict = Conflict::Ignore(names(K::COLUMNS));
        self
    }

    /// Stores the rows and returns how many were stored.
    ///
    /// # Errors
    /// Fails as [`Insert::execute`] does, and if the rows have more than 2,000 values together: store them in several
    /// steps, inside one transaction.
    pub async fn execute(self, db: impl Executor) -> Result<u64> {
        if self.rows.is_empty() {
            return Ok(0);
        }
        execute(db, |engine| self.statement(engine, Returning::Nothing)).await
    }

    /// Stores the rows and returns them, with what the database filled in.
    ///
    /// # Errors
    /// Fails as [`execute`](InsertMany::execute) does.
    pub async fn returning(self, db: impl Executor) -> Result<Vec<M>> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        fetch(self.statement(db.engine(), Returning::Row), db, M::from_row).await
    }

    fn statement(self, engine: Engine, returning: Returning) -> Result<Statement> {
        let rows = self.rows.into_iter().map(Values::finish).collect::<Result<Vec<_>>>()?;
        let columns: Vec<&'static str> =
            rows.first().into_iter().flatten().map(|(column, _)| *column).collect();
        if columns.is_empty() || rows.len().saturating_mul(columns.len()) > MAX_VALUES {
            return Err(Error::misuse(
                "one statement inserts between 1 and 2000 values; use several in a transaction",
            ));
        }
        let mut out = Render::write(engine);
        start::<M>(&mut out, &columns)?;
        out.text(" values ").list(", ", rows, |out, row| {
            complete::<M>(&row)?;
            if row.len() != columns.len()
                || row.iter().zip(&columns).any(|((name, _), column)| name != column)
            {
                return Err(Error::misuse(
                    "all rows of one statement set the same columns, in the same order",
                ));
            }
            values(out, row)
        })?;
        self.conflict.render::<M>(&mut out, &columns)?;
        finish::<M>(out, returning)
    }
}

/// What to do about a row with the same unique key, told by its columns.
#[derive(Clone, Debug)]
enum Conflict {
    Refuse,
    Ignore(Vec<&'static str>),
    Update(Vec<&'static str>),
}

impl Conflict {
    fn render<M: Model>(&self, out: &mut Render, columns: &[&'static str]) -> Result<()> {
        let (Conflict::Ignore(key) | Conflict::Update(key)) = self else { return Ok(()) };
        out.text(" on conflict (").list(", ", key, |out, column| {
            out.name(column);
            Ok(())
        })?;
        if matches!(self, Conflict::Ignore(_)) {
            out.text(") do nothing");
            return Ok(());
        }
        let others: Vec<_> = columns.iter().filter(|column| !key.contains(column)).collect();
        let changed = if others.is_empty() { columns.iter().collect() } else { others };
        out.text(") do update set ").list(", ", changed, |out, column| {
            out.name(column).text(" = excluded.").name(column);
            Ok(())
        })?;
        if let Some(tenant) = <M::Scope as crate::Scope>::TENANT {
            out.text(" where ").name(Checked::<(M,)>::TABLE).text(".").name(tenant.name());
            out.text(" = excluded.").name(tenant.name());
        }
        Ok(())
    }

    /// No row was stored: what was asked for, or another tenant's row in the way.
    fn refused<M: Model>(&self) -> Result<u64> {
        match self {
            Conflict::Update(key) => {
                let columns = key.iter().map(|column| (*column).to_owned()).collect();
                let violation = crate::Violation { columns, ..violation::<M>("") };
                Err(Error::new(ErrorKind::UniqueViolation(violation)))
            }
            Conflict::Ignore(_) | Conflict::Refuse => Ok(0),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Returning {
    Nothing,
    Row,
}

fn start<M: Model>(out: &mut Render, columns: &[&'static str]) -> Result<()> {
    out.text("insert into ").name(Checked::<(M,)>::TABLE);
    if columns.is_empty() {
        return Ok(());
    }
    out.text(" (").list(", ", columns, |out, column| {
        out.name(column);
        Ok(())
    })?;
    out.text(")");
    Ok(())
}

fn values(out: &mut Render, row: Vec<(&'static str, Value)>) -> Result<()> {
    out.text("(").list(", ", row, |out, (_, value)| {
        out.bind(value);
        Ok(())
    })?;
    out.text(")");
    Ok(())
}

pub(crate) fn finish<M: Model>(mut out: Render, returning: Returning) -> Result<Statement> {
    if matches!(returning, Returning::Row) {
        out.text(" returning ").list(", ", M::COLUMNS, |out, column| {
            out.name(column.name());
            Ok(())
        })?;
    }
    Ok(out.statement)
}

/// The database would say the same, later and with less to go by.
fn complete<M: Model>(row: &[(&'static str, Value)]) -> Result<()> {
    let given = |name| row.iter().any(|(column, _)| *column == name);
    match M::COLUMNS.iter().find(|column| column.is_required() && !given(column.name())) {
        Some(missing) => Err(Error::new(ErrorKind::NotNullViolation(violation::<M>(missing.name())))),
        None => Ok(()),
    }
}

fn names(columns: &[crate::ColumnInfo]) -> Vec<&'static str> {
    columns.iter().map(crate::ColumnInfo::name).collect()
}

/// As many as SQLite is told to take in one statement.
const MAX_VALUES: usize = 2000;

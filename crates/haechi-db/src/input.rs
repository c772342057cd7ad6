//! What a form may set, and the values that a row is made of.

use std::{fmt, marker::PhantomData};

use crate::{
    Column, Error, ErrorKind, Field, FormColumn, Model, Result, ToValue, Value, Violation,
    column::{Checked, Text},
};

/// The columns of `M` that a form or a JSON body may set; written by `#[derive(Input)]`.
///
/// A form can set a column only if it is a field of the struct. The tenant and a key that the database numbers cannot
/// be fields. Add `#[derive(serde::Deserialize)]` to read it from a request.
///
/// ```
/// use haechi_db::{Input, Model};
///
/// #[derive(Model)]
/// struct Comment { id: i64, post_id: i64, author_id: i64, body: String }
///
/// #[derive(Input)]
/// #[input(model = Comment)]
/// struct NewComment {
///     #[input(max_length = 2000)]      // in letters, also where the table has no limit
///     body: String,
/// }
/// # let input = NewComment { body: String::new() };
/// let _ = Comment::insert(input).set(comment::post_id, 1).set(comment::author_id, 7);
/// ```
///
/// Mass assignment does not compile: neither a field that the input does not declare, nor a row of the model in place
/// of an input, nor the tenant as a field.
///
/// ```text
/// NewComment { body: String::new(), author_id: 1 }; // error: no field named `author_id`
/// ```
/// ```text
/// let row = Comment { id: 1, body: String::new() };
/// Comment::insert(row); // error: `Input<Comment>` is not implemented for `Comment`
/// ```
/// ```text
/// #[derive(Model)] #[model(tenant = org_id)] struct Note { id: i64, org_id: i64, body: String }
/// #[derive(Input)] #[input(model = Note)] struct NewNote { org_id: i64 } // error: a form must not set it
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an input of `{M}`",
    note = "declare what a form may set: #[derive(Input)] #[input(model = {M})]; `()` sets nothing"
)]
pub trait Input<M: Model> {
    /// Sets its columns.
    fn set_on(self, values: &mut Values<M>);
}

impl<M: Model> Input<M> for () {
    fn set_on(self, _: &mut Values<M>) {}
}

/// Columns with the values they are to get.
pub struct Values<M> {
    pairs: Vec<(&'static str, Value)>,
    fault: Option<Error>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Values<M> {
    pub(crate) fn new() -> Self {
        Values { pairs: Vec::new(), fault: None, model: PhantomData }
    }

    pub(crate) fn of(input: impl Input<M>) -> Self {
        let mut values = Values::new();
        input.set_on(&mut values);
        values
    }

    /// Sets a column that a form may set.
    pub fn from_form<C: FormColumn<Model = M>>(&mut self, column: Field<C>, value: impl Into<C::Type>) {
        self.set(column, value);
    }

    /// Sets a text column that a form may set, if the text has at most `longest` letters.
    pub fn from_form_up_to<C>(&mut self, column: Field<C>, value: impl Into<C::Type>, longest: usize)
    where
        C: FormColumn<Model = M>,
        C::Type: Text,
    {
        let value = value.into();
        if value.text().is_some_and(|text| text.chars().nth(longest).is_some()) {
            self.fail(Error::new(ErrorKind::CheckViolation(violation::<M>(Checked::<C>::NAME))));
        }
        self.set(column, value);
    }

    /// Sets a column; the last value counts.
    pub(crate) fn set<C: Column<Model = M>>(&mut self, _: Field<C>, value: impl Into<C::Type>) {
        match value.into().to_value() {
            Ok(value) => self.put(Checked::<C>::NAME, value),
            Err(error) => self.fail(error),
        }
    }

    fn put(&mut self, column: &'static str, value: Value) {
        match self.pairs.iter_mut().find(|(known, _)| *known == column) {
            Some((_, old)) => *old = value,
            None => self.pairs.push((column, value)),
        }
    }

    pub(crate) fn fail(&mut self, error: Error) {
        self.fault.get_or_insert(error);
    }

    /// Returns the columns and values, or the first thing that was wrong with them.
    pub(crate) fn finish(self) -> Result<Vec<(&'static str, Value)>> {
        match self.fault {
            None => Ok(self.pairs),
            Some(error) => Err(error),
        }
    }
}

pub(crate) fn violation<M: Model>(column: &'static str) -> Violation {
    Violation {
        table: Some(Checked::<(M,)>::TABLE.to_owned()),
        columns: vec![column.to_owned()],
        constraint: None,
    }
}

impl<M> Clone for Values<M> {
    fn clone(&self) -> Self {
        Values { pairs: self.pairs.clone(), fault: self.fault.clone(), model: PhantomData }
    }
}

impl<M> fmt::Debug for Values<M> {
    /// Shows the columns, not the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(column, _)| column)).finish()
    }
}

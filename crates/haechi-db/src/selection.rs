//! The head of a model's queries, `select … from …`, put together by the compiler: written anew for each query, it cost
//! more than all the rest of its text.

use std::marker::PhantomData;

use crate::{ColumnInfo, Model, column::Checked};

/// The head of the queries over `M`.
pub(crate) struct Selection<M>(PhantomData<fn() -> M>);

impl<M: Model> Selection<M> {
    /// `select t0."id", t0."title" from "post" as t0`; nothing where the names are longer together than [`MOST`].
    pub(crate) const TEXT: Option<&'static str> = text(&Self::WRITTEN);

    const WRITTEN: Written = Written::select(Checked::<(M,)>::TABLE, M::COLUMNS);
}

struct Written {
    bytes: [u8; MOST],
    length: usize,
}

impl Written {
    /// The names are consts that were checked to be plain identifiers.
    const fn select(table: &str, columns: &[ColumnInfo]) -> Written {
        let mut written = Written { bytes: [0; MOST], length: 0 };
        let mut index = 0;
        while index < columns.len() {
            written = written.push(if index == 0 { "select t0.\"" } else { "\", t0.\"" });
            written = written.push(columns[index].name());
            index += 1;
        }
        written.push("\" from \"").push(table).push("\" as t0")
    }

    /// Counts what there is no room for, without writing it.
    const fn push(mut self, text: &str) -> Written {
        let mut index = 0;
        while index < text.len() {
            if self.length < MOST {
                self.bytes[self.length] = text.as_bytes()[index];
            }
            self.length += 1;
            index += 1;
        }
        self
    }
}

const fn text(written: &Written) -> Option<&str> {
    if written.length > MOST {
        return None;
    }
    let (bytes, _) = written.bytes.split_at(written.length);
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(_) => None,
    }
}

/// As long as a head may be, which has this size in the program for each model.
const MOST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Engine, Query};

    #[derive(crate::Model)]
    #[model(table = "board_post")]
    struct Post {
        id: i64,
        #[model(column = "headline")]
        title: String,
    }

    #[test]
    fn the_head_is_written_by_the_compiler() {
        let expected = r#"select t0."id", t0."headline" from "board_post" as t0"#;
        assert_eq!(Selection::<Post>::TEXT, Some(expected));
        assert_eq!(
            Query::<Post>::new().limited(Engine::Sqlite, 3).unwrap().text(),
            format!("{expected} limit $1")
        );
    }

    #[test]
    fn names_that_are_too_long_together_are_written_when_they_are_asked_for() {
        let columns = [ColumnInfo::of::<post::title>(); MOST / "t0.\"headline\", ".len() + 1];
        assert_eq!(text(&Written::select(Post::TABLE, &columns)), None);
        let fewer = Written::select(Post::TABLE, columns.split_at(100).0);
        assert_eq!(text(&fewer).unwrap().matches(post::title::NAME).count(), 100);
    }
}

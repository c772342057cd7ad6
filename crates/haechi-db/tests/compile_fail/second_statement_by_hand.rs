//! A text that is written without the macro is held to the same rules.

use haechi_db::{Sql, SqlText};

struct Text;

impl SqlText for Text {
    const SQLITE: &'static str = "select 1; drop table post";
    const POSTGRES: &'static str = "select 1";
    const SQLITE_ORDER: &'static [usize] = &[];
    const POSTGRES_ORDER: &'static [usize] = &[];
}

fn main() {
    let _ = Sql::<Text>::new(vec![]);
}

//! A statement is one statement.

use haechi_db::sql;

fn main() {
    let _ = sql!("select 1; drop table post");
}

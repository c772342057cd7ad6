//! A statement has no block comment either.

use haechi_db::sql;

fn main() {
    let _ = sql!("select 1 /* and the rest */");
}

//! A statement has no comment that could hide its rest.

use haechi_db::sql;

fn main() {
    let _ = sql!("select 1 -- and the rest");
}

//! A statement cannot take its own deadline away.

use haechi_db::sql;

fn main() {
    let _ = sql!("set statement_timeout = 0");
}

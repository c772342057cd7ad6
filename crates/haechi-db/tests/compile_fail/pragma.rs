//! A statement reads or changes rows; it does not reconfigure the database.

use haechi_db::sql;

fn main() {
    let _ = sql!("pragma writable_schema = 1");
}

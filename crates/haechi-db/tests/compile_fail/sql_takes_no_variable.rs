//! The text of a statement is a literal, not a variable.

use haechi_db::sql;

fn main() {
    let input = "select 1";
    let _ = sql!(input);
}

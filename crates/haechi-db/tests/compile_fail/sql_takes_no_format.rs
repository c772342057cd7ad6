//! The text of a statement is a literal, not something that `format!` made.

use haechi_db::sql;

fn main() {
    let input = std::env::args().collect::<String>();
    let _ = sql!(format!("select {input}"));
}

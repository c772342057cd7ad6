//! The text of a statement is a literal, not the answer of another macro.

use haechi_db::sql;

fn main() {
    let _ = sql!(concat!("select ", "1"));
}

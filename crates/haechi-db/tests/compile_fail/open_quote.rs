//! A quote is closed in the text that opens it.

use haechi_db::sql;

fn main() {
    let _ = sql!("select * from post where title = 'x");
}

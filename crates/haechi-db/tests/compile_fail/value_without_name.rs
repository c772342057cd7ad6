//! Each value has its name in the text.

use haechi_db::sql;

fn main() {
    let _ = sql!("select * from post", id = 1);
}

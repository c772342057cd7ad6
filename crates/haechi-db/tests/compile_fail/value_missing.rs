//! Each name in the text has a value.

use haechi_db::sql;

fn main() {
    let _ = sql!("select * from post where id = {id}");
}

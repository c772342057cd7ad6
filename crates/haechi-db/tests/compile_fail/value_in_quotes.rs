//! A value is bound; inside quotes it would be text.

use haechi_db::sql;

fn main() {
    let _ = sql!("select * from post where title = '{title}'", title = "x");
}

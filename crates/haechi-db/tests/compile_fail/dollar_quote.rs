//! There is no other kind of quote to hide in.

use haechi_db::sql;

fn main() {
    let _ = sql!("select $tag$;$tag$");
}

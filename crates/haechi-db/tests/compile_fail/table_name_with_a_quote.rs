//! And so is the name of a table.

use haechi_db::Model;

#[derive(Model)]
#[model(table = "post\"; drop table post; --")]
struct Post {
    id: i64,
}

fn main() {}

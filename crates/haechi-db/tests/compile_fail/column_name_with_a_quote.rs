//! The name of a column is a plain identifier.

use haechi_db::Model;

#[derive(Model)]
struct Post {
    id: i64,
    #[model(column = "title\" = 1; --")]
    title: String,
}

fn main() {}

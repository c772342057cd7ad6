//! A row of the model is no input: it would set every column.

use haechi_db::Model;

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let _ = Post::insert(Post { id: 1, title: String::new(), views: 1_000_000 });
}

//! A column filters the model that it belongs to.

use haechi_db::Model;

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

#[derive(Model)]
struct Other {
    id: i64,
}

fn main() {
    let _ = Post::query().filter(other::id.eq(1));
}

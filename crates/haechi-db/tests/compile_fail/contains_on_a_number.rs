//! Only text contains text.

use haechi_db::Model;

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let _ = Post::query().filter(post::views.contains("1"));
}

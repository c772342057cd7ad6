//! A filter is made of columns, never of text.

use haechi_db::Model;

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let input = std::env::args().collect::<String>();
    let _ = Post::query().filter(format!("title = '{input}'"));
}

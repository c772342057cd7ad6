//! An order is a column and a direction, never text.

use haechi_db::Model;

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let input = std::env::args().collect::<String>();
    let _ = Post::query().order_by(&*input);
}

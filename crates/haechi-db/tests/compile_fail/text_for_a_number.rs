//! A number is compared with a number.

use haechi_db::Model;

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let input = String::from("1 or 1 = 1");
    let _ = Post::query().filter(post::views.eq(input));
}
